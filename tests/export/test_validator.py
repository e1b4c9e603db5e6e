"""Khronos's own validator must have nothing to say against our files."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from lookalike.export import write_body_glb, write_glb, write_posed_glb

ROOT = Path(__file__).resolve().parents[2]


def validate(*paths: Path) -> subprocess.CompletedProcess[str]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    command = [node, str(ROOT / "tools" / "validate_glb.mjs"), *map(str, paths)]
    result = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    if result.returncode == 2:
        pytest.skip(result.stderr.strip())
    return result


def test_no_errors_and_no_warnings(avatar, plain_avatar, big_avatar, tmp_path):
    write_glb(avatar, tmp_path / "full.glb")
    write_glb(plain_avatar, tmp_path / "plain.glb")
    write_glb(big_avatar, tmp_path / "big.glb")
    write_posed_glb(avatar.surface, avatar.material, tmp_path / "posed.glb")
    write_body_glb(avatar.body, tmp_path / "body.glb")
    model = replace(avatar.body.model, uv=None, face_uv=None)
    write_body_glb(replace(avatar.body, model=model), tmp_path / "bare.glb")
    result = validate(*sorted(tmp_path.glob("*.glb")))
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count(" 0 errors, 0 warnings") == 6


def test_the_check_notices_a_broken_file(avatar_glb, tmp_path):
    data = bytearray(avatar_glb.read_bytes())
    place = data.index(b'"WEIGHTS_0":') + len(b'"WEIGHTS_0":')
    data[place : place + 1] = b"0"  # the positions are no weights
    (tmp_path / "broken.glb").write_bytes(data)
    assert validate(tmp_path / "broken.glb").returncode == 1
