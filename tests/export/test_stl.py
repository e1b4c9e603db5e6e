from __future__ import annotations

import numpy as np
import pytest

from lookalike.export import write_stl

TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def read_stl(path):
    data = path.read_bytes()
    assert not data.startswith(b"solid")
    triangles = np.frombuffer(data, TRIANGLE, offset=84)
    assert int(np.frombuffer(data, "<u4", 1, 80)[0]) == len(triangles)
    return triangles


def test_is_in_millimetres_and_faces_outwards(avatar, tmp_path):
    write_stl(avatar, tmp_path / "a.stl", up="y")
    triangles = read_stl(tmp_path / "a.stl")
    corners = triangles["corners"]
    assert np.allclose(corners.min((0, 1)), [-200, 0, -200], atol=1e-2)
    assert np.allclose(corners.max((0, 1)), [200, 1800, 200], atol=1e-2)
    assert np.allclose(np.linalg.norm(triangles["normal"], axis=1), 1, atol=1e-5)
    middle = corners.mean(1)
    assert ((middle * [1, 0, 1] * triangles["normal"]).sum(1) >= -1e-3).all()


def test_can_stand_on_the_bed_of_print_software(avatar, tmp_path):
    write_stl(avatar, tmp_path / "a.stl")
    triangles = read_stl(tmp_path / "a.stl")
    corners = triangles["corners"].astype(float)
    assert np.allclose(corners.max((0, 1)), [200, 200, 1800], atol=1e-2)
    volume = np.linalg.det(corners).sum() / 6
    assert volume > 0  # turned, not mirrored


def test_is_as_watertight_as_the_surface(avatar, tmp_path):
    trimesh = pytest.importorskip("trimesh")
    write_stl(avatar, tmp_path / "a.stl")
    assert trimesh.load(tmp_path / "a.stl").is_watertight
