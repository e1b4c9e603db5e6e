"""Bad photos, bad places and Ctrl-C through the real command line: one sentence, the right exit code, nothing left."""

from __future__ import annotations

import os
import pickle
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import lookalike
from lookalike.cli import app
from lookalike.errors import BodyModelError, NoPersonError, PhotoError

SAMPLE = Path(lookalike.__file__).parent / "assets" / "sample.jpg"


def landscape(width: int = 320, height: int = 240) -> Image.Image:
    """A sky over a meadow, with some noise."""
    down = np.linspace(0, 1, height)[:, None]
    sky, meadow = (120, 170, 235) + down * (200, 100, 0), (60, 170, 50) - down * (0, 80, 0)
    picture = np.repeat(np.where(down < 0.5, sky, meadow)[:, None], width, axis=1)
    picture += np.random.default_rng(0).normal(0, 4, picture.shape)
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))


def text_named_jpg(path: Path) -> None:
    path.write_text("This is a letter, not a photo.\n" * 100)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def folder(path: Path) -> None:
    path.mkdir()


def missing(path: Path) -> None:
    pass


def truncated(path: Path) -> None:
    landscape().save(path, format="JPEG", quality=95)
    path.write_bytes(path.read_bytes()[:3000])


def one_pixel(path: Path) -> None:
    landscape(1, 1).save(path, format="PNG")


def enormous(path: Path) -> None:
    """A PNG header that promises 20000 x 20000 pixels, with almost nothing behind it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 20000, 20000, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 60001)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))


def animation(path: Path) -> None:
    frames = [landscape(100 + index, 100) for index in range(3)]
    frames[0].save(path, format="GIF", save_all=True, append_images=frames[1:])


def nobody(path: Path) -> None:
    landscape().save(path, format="JPEG")


def noise(path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    Image.fromarray(picture).save(path, format="PNG")


@pytest.mark.parametrize(
    ("photo", "exit_code"),
    [
        (missing, PhotoError.exit_code),
        (folder, PhotoError.exit_code),
        (empty, PhotoError.exit_code),
        (text_named_jpg, PhotoError.exit_code),
        (truncated, PhotoError.exit_code),
        (one_pixel, PhotoError.exit_code),
        (enormous, PhotoError.exit_code),
        (animation, PhotoError.exit_code),
        (nobody, NoPersonError.exit_code),
        (noise, NoPersonError.exit_code),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_photo_that_cannot_be_used(photo, exit_code, tmp_path):
    path = tmp_path / f"{photo.__name__}.jpg"
    photo(path)
    result = CliRunner().invoke(app, ["make", str(path), "-o", str(tmp_path / "out")])
    assert result.exit_code == exit_code
    (sentence,) = result.stderr.splitlines()
    assert path.name in sentence
    assert sentence.endswith(".")
    assert result.stdout == ""
    assert not (tmp_path / "out").exists()


class Malice:
    """Unpickling this would make a folder."""

    def __init__(self, where: Path) -> None:
        self.where = where

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.where),)


@pytest.mark.parametrize("suffix", [".pkl", ".npz"])
def test_a_body_model_file_is_never_unpickled(suffix, tmp_path):
    path = tmp_path / f"smpl{suffix}"
    if suffix == ".pkl":
        path.write_bytes(pickle.dumps({"v_template": Malice(tmp_path / "executed")}, protocol=2))
    else:
        np.savez(path, v_template=np.array([Malice(tmp_path / "executed")], dtype=object))
    with pytest.raises(BodyModelError) as caught:
        lookalike.load_body(path)
    assert path.name in str(caught.value)
    assert not (tmp_path / "executed").exists()


def wait_for(condition, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stop_half_way_leaves_nothing(number, exit_code, tmp_path):
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "lookalike", "make", str(SAMPLE), "-o", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(lambda: out.is_dir() and any(out.iterdir()))  # the temporary folder: work has begun
        time.sleep(1.0)
        assert process.poll() is None
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == exit_code
    assert stdout == ""
    assert "Traceback" not in stderr
    if number == signal.SIGINT:
        assert stderr == f"lookalike: stopped while making {SAMPLE}; nothing of it was written.\n"
    assert not out.exists()
