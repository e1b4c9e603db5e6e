from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from lookalike.export import write_obj
from lookalike.export.obj import quads_with_uv


def read_obj(path):
    """Lists of a Wavefront file's rows by their first word."""
    rows: dict[str, list[list[str]]] = {}
    for line in path.read_text().splitlines():
        word, *rest = line.split()
        rows.setdefault(word, []).append(rest)
    return rows


def test_stands_on_the_floor_with_quads_and_texture(avatar, tmp_path):
    write_obj(avatar, tmp_path / "ada.obj")
    rows = read_obj(tmp_path / "ada.obj")
    points = np.array(rows["v"], float)
    assert np.allclose(points, avatar.vertices, atol=2e-6)  # the capsule's rest pose is the photo's, moved
    sizes = [len(face) for face in rows["f"]]
    assert sizes.count(4) == 20 * 16
    assert sizes.count(3) == 2 * 16
    assert rows["mtllib"] == [["ada.mtl"]]
    material = read_obj(tmp_path / "ada.mtl")
    assert material["newmtl"] == rows["usemtl"]
    assert material["map_Kd"] == [["ada.png"]]
    assert (np.asarray(Image.open(tmp_path / "ada.png")) == avatar.material.base_colour).all()


def test_every_corner_has_its_uv_and_normal(avatar, tmp_path):
    write_obj(avatar, tmp_path / "ada.obj")
    rows = read_obj(tmp_path / "ada.obj")
    uv, normals = np.array(rows["vt"], float), np.array(rows["vn"], float)
    pairs = {(v, t) for face in rows["f"] for v, t, _ in (corner.split("/") for corner in face)}
    surface = avatar.surface
    expected = set(zip(surface.faces.reshape(-1) + 1, surface.face_uv.reshape(-1) + 1, strict=True))
    assert {(int(v), int(t)) for v, t in pairs} == expected
    assert np.allclose(uv * [1, -1] + [0, 1], surface.uv, atol=1e-6)
    assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-3)


def test_quads_that_cannot_be_matched_stay_triangles(avatar):
    surface = avatar.surface
    quads = surface.quads.copy()
    quads[0] = quads[0, ::-1]  # turned inside out
    quads[1] = quads[1, [0, 2, 1, 3]]  # crossed
    (kept, kept_uv), (triangles, triangle_uv) = quads_with_uv(replace(surface, quads=quads))
    assert len(kept) == len(kept_uv) == 20 * 16 - 2
    assert len(triangles) == len(triangle_uv) == 2 * 16 + 4


def test_quads_cut_by_a_seam_stay_triangles(avatar):
    surface = avatar.surface
    uv = np.concatenate([surface.uv, surface.uv])
    face_uv = surface.face_uv.copy()
    face_uv[320:325] += len(surface.uv)  # the second triangles of five quads
    (kept, _), (triangles, _) = quads_with_uv(replace(surface, uv=uv, face_uv=face_uv))
    assert len(kept) == 315
    assert len(triangles) == 32 + 10


def test_a_surface_of_triangles(avatar, tmp_path):
    write_obj(replace(avatar, surface=replace(avatar.surface, quads=None)), tmp_path / "ada.obj")
    faces = read_obj(tmp_path / "ada.obj")["f"]
    assert [[int(corner.split("/")[0]) - 1 for corner in face] for face in faces] == avatar.surface.faces.tolist()


def test_blanks_leave_the_names_of_the_files_beside_it(avatar, tmp_path):
    write_obj(avatar, tmp_path / "my photo.obj")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my photo.obj", "my_photo.mtl", "my_photo.png"]
    assert read_obj(tmp_path / "my photo.obj")["mtllib"] == [["my_photo.mtl"]]


def test_trimesh_reads_it_with_its_texture(avatar, tmp_path):
    trimesh = pytest.importorskip("trimesh")
    write_obj(avatar, tmp_path / "ada.obj")
    mesh = trimesh.load(tmp_path / "ada.obj")
    assert mesh.visual.material.image.size == (64, 64)
    assert len(mesh.faces) == len(avatar.surface.faces)
