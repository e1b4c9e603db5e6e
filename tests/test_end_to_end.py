"""The bundled photo to an avatar, through the command line and from Python."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lookalike
from lookalike.errors import OutputError
from lookalike.pipeline import find_people
from lookalike.stages import StageClock

SAMPLE = Path(lookalike.__file__).parent / "assets" / "sample.jpg"
FILES = {
    "avatar.glb", "avatar.obj", "avatar.mtl", "avatar.png", "avatar.ply", "avatar.stl", "posed.glb", "body.npz",
    "body.glb", "matte.png", "overlay.png", "normals_front.png", "normals_back.png", "turntable.mp4", "report.json",
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, dict]:
    """The folder that `lookalike make` wrote for the bundled photo, and the JSON it printed."""
    out = tmp_path_factory.mktemp("made")
    command = [sys.executable, "-m", "lookalike", "make", str(SAMPLE), "-o", str(out)]
    done = subprocess.run(
        [*command, "--format", "glb,obj,ply,stl", "--height", "1.7", "--json"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return out / SAMPLE.stem, json.loads(done.stdout)


@pytest.fixture(scope="module")
def avatar():
    """The same person from Python, of the same seed."""
    clock = StageClock()
    avatar = lookalike.make_avatar(SAMPLE, height=1.7, clock=clock)
    assert [stage.name for stage in clock.stages] == ["read", "find"]
    return avatar


def test_every_file_is_there_and_nothing_else(made):
    folder, document = made
    assert {path.name for path in folder.iterdir()} == FILES
    assert [path.name for path in folder.parent.iterdir()] == [SAMPLE.stem]
    assert set(document["avatars"][0]["files"]) == FILES
    assert all((folder / name).stat().st_size > 0 for name in FILES)


def test_the_report_says_how_it_came_about(made):
    folder, document = made
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert document["avatars"][0]["report"] == report
    assert document["failures"] == []
    assert report["generator"] == f"lookalike {lookalike.__version__}"
    names = [stage["name"] for stage in report["stages"]]
    assert names == [
        "read",
        "find",
        "load",
        "fit",
        "refine",
        "draw",
        "join",
        "paint",
        "rig",
        "write",
        "picture",
        "film",
    ]
    energies = report["refinement"]["energies"]
    kept = [energies[0]]
    kept += [a for a, yes in zip(energies[1:], report["refinement"]["accepted"], strict=True) if yes]
    assert kept[0] == 1 and kept == sorted(kept, reverse=True)  # no round raised it
    assert report["seconds"] == pytest.approx(sum(stage["seconds"] for stage in report["stages"]), abs=0.01)
    assert 100 < report["peak_memory_mb"] < 3000
    with Image.open(SAMPLE) as photo:
        assert (report["photo"]["width"], report["photo"]["height"]) == photo.size
    assert report["settings"] == {"height": 1.7, "topology": "auto", "detail": "high", "device": "cpu", "seed": 0}
    assert 0.5 < report["confidence"]["detection"] <= 1
    assert 0 <= report["landmark_error"] < 0.03
    assert 0.2 < report["surface_from_photo"] < 0.8  # one side of the person
    assert report["counts"]["joints"] >= 20
    assert report["camera"]["focal"] > 0


def test_the_avatar_is_as_tall_as_was_asked(made):
    folder, _ = made
    shown = subprocess.run(
        [sys.executable, "-m", "lookalike", "info", str(folder / "avatar.glb"), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    info = json.loads(shown.stdout)
    assert info["height"] == pytest.approx(1.7, abs=0.12)  # hair and shoes add to the body's height
    assert {animation["name"] for animation in info["animations"]} == {"walk", "idle"}
    assert info["joints"] >= 20


def test_the_pictures_show_the_person(made):
    folder, document = made
    with Image.open(folder / "matte.png") as matte, Image.open(SAMPLE) as photo:
        assert matte.mode == "L"
        assert matte.size == photo.size
        share = np.asarray(matte).mean() / 255
    assert share == pytest.approx(document["avatars"][0]["report"]["person"]["matte_share"], abs=0.01)
    alpha = [np.asarray(Image.open(folder / f"normals_{side}.png"))[..., 3] for side in ("front", "back")]
    assert np.array_equal(*alpha)  # pixel (u, v) of front and back is one ray
    assert alpha[0].shape == (512, 512)
    assert 0.05 < alpha[0].mean() / 255 < 0.9


def test_the_same_seed_gives_the_same_avatar(made, avatar):
    folder, _ = made
    assert avatar.report["settings"]["seed"] == 0
    with np.load(folder / "body.npz", allow_pickle=False) as body:
        np.testing.assert_allclose(body["betas"], avatar.body.betas, atol=1e-4)
        np.testing.assert_allclose(body["pose"], avatar.body.pose, atol=1e-4)


def test_an_avatar_is_saved_again_over_itself(avatar, tmp_path):
    pictureless = replace(avatar, subject=None)
    written = lookalike.save_avatar(pictureless, tmp_path / "me", formats=["stl"])
    assert {path.name for path in written} == {
        "avatar.stl", "posed.glb", "body.npz", "body.glb", "turntable.mp4", "report.json"
    }  # fmt: skip
    (tmp_path / "me" / "notes.txt").write_text("mine")
    written = lookalike.save_avatar(pictureless, tmp_path / "me", formats=["ply"])
    assert {path.name for path in (tmp_path / "me").iterdir()} == {path.name for path in written} | {"notes.txt"}


def test_a_full_disk_leaves_nothing(avatar, tmp_path, monkeypatch):
    import lookalike.render

    def fill(surface, path, material):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lookalike.render, "turntable", fill, raising=False)
    with pytest.raises(OutputError, match="No space left on device") as caught:
        lookalike.save_avatar(avatar, tmp_path / "out" / "me")
    assert str(tmp_path / "out" / "me") in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_options_that_make_no_sense_are_refused():
    for options in (
        {"person": "all"},
        {"person": 0},
        {"height": 12.0},
        {"topology": "quads"},
        {"detail": "ultra"},
        {"device": "tpu"},
    ):
        with pytest.raises(ValueError, match=next(iter(options))):
            lookalike.make_avatar(SAMPLE, **options)
    with pytest.raises(ValueError, match="no format 'fbx'"):
        lookalike.save_avatar(None, "out", formats=["fbx"])


def test_a_mesh_of_few_triangles_is_whole_and_keeps_its_relief_in_a_map(avatar):
    few = lookalike.make_avatar(SAMPLE, height=1.7, device="cpu", detail="low")
    assert len(few.surface.faces) == pytest.approx(10_000, rel=0.05)
    assert len(avatar.surface.faces) == pytest.approx(100_000, rel=0.1)
    assert avatar.material.normal_map is None
    relief = few.material.normal_map
    assert relief is not None and relief.shape == (1024, 1024, 3)
    leaning = np.abs(relief[..., :2].astype(int) - 128).max(2) > 8
    assert 0.05 < leaning.mean() < 0.7 and (relief[..., 2] > 100).mean() > 0.99
    for made in (few, avatar):
        faces = made.surface.faces.astype(np.int64)
        ends = np.stack([faces, np.roll(faces, -1, 1)], -1).reshape(-1, 2)
        size = int(faces.max()) + 1
        assert np.array_equal(np.sort(ends @ [size, 1]), np.sort(ends @ [1, size]))


def test_people_are_found_from_left_to_right():
    (subject,) = find_people(SAMPLE, person="all")
    assert subject.photo.path == SAMPLE
