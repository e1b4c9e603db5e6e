from __future__ import annotations

import numpy as np
import pytest

from lookalike.export.vertices import smooth_normals, split_at_seams
from lookalike.rig.avatar import Avatar

CUBE = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
CUBE_FACES = np.array(
    [0, 1, 3, 0, 3, 2, 4, 6, 7, 4, 7, 5, 0, 4, 5, 0, 5, 1, 2, 3, 7, 2, 7, 6, 0, 2, 6, 0, 6, 4, 1, 5, 7, 1, 7, 3]
).reshape(-1, 3)


def tangents_of(avatar: Avatar, uv: np.ndarray):
    surface = avatar.surface
    normals = smooth_normals(avatar.vertices, surface.faces)
    drawn = split_at_seams(avatar.vertices, normals, surface.faces, uv, surface.face_uv, with_tangents=True)
    return drawn, normals[drawn.source]


def test_cube_corner_normals_do_not_depend_on_the_diagonals():
    assert np.allclose(smooth_normals(CUBE, CUBE_FACES), CUBE / np.sqrt(3))


def test_normals_of_a_round_thing_point_away_from_its_middle(avatar):
    vertices, faces = avatar.vertices, avatar.surface.faces
    middle = np.stack([0 * vertices[:, 1], vertices[:, 1].clip(0.2, 1.6), 0 * vertices[:, 1]], 1)
    outwards = (vertices - middle) / 0.2
    assert ((smooth_normals(vertices, faces) * outwards).sum(1) > np.cos(np.radians(6))).all()


def test_a_vertex_without_triangles_has_a_unit_normal():
    assert np.allclose(smooth_normals(np.zeros((1, 3)), np.zeros((0, 3), int)), [[0, 1, 0]])


def test_splits_at_the_seam_and_nowhere_else(avatar):
    surface = avatar.surface
    normals = smooth_normals(avatar.vertices, surface.faces)
    drawn = split_at_seams(avatar.vertices, normals, surface.faces, surface.uv, surface.face_uv)
    assert len(drawn.source) == len(surface.uv)  # the atlas has each (vertex, UV) pair once
    assert (np.bincount(drawn.source)[:-2] <= 2).all()
    assert (drawn.source[drawn.faces] == surface.faces).all()
    assert (drawn.uv[drawn.faces] == surface.uv[surface.face_uv]).all()
    assert drawn.tangents is None


def test_equal_uvs_are_welded_whatever_their_numbers(avatar):
    surface = avatar.surface
    normals = smooth_normals(avatar.vertices, surface.faces)
    loose_uv = surface.uv[surface.face_uv].reshape(-1, 2)
    loose = np.arange(len(loose_uv)).reshape(-1, 3)
    drawn = split_at_seams(avatar.vertices, normals, surface.faces, loose_uv, loose)
    assert len(drawn.source) == len(surface.uv)


def test_drops_triangles_without_area_and_vertices_without_triangles():
    vertices = np.eye(4)[:, :3]
    drawn = split_at_seams(vertices, vertices, np.array([[0, 1, 2], [0, 1, 1], [3, 1, 3]]), None, None)
    assert drawn.source.tolist() == [0, 1, 2]
    assert drawn.faces.tolist() == [[0, 1, 2]]


@pytest.mark.parametrize(
    ("turn", "along", "sign"),
    [(lambda uv: uv, 1, 1), (lambda uv: [1, 0] + uv * [-1, 1], -1, -1)],
    ids=["as is", "mirrored"],
)
def test_tangents_run_along_u_and_their_sign_tells_mirrored_pictures(avatar, turn, along, sign):
    drawn, normals = tangents_of(avatar, turn(avatar.surface.uv).astype(np.float32))
    xyz, w = drawn.tangents[:, :3], drawn.tangents[:, 3]
    assert np.abs(np.linalg.norm(xyz, axis=1) - 1).max() < 1e-5
    assert np.abs((xyz * normals).sum(1)).max() < 1e-5
    assert (w == sign).all()
    position = avatar.vertices[drawn.source]
    tube = (position[:, 1] > 0.3) & (position[:, 1] < 1.5)
    # Away from the seam, whose vertices see only one side of the facets' tangents.
    smooth = tube & (np.abs(drawn.uv[:, 0] - 0.5) < 0.45)
    around = np.stack([position[:, 2], 0 * position[:, 0], -position[:, 0]], 1) / 0.2 * along
    assert ((xyz * around).sum(1)[smooth] > 0.999).all()
    # What the shader computes: the bitangent is the picture's up, here the world's.
    up = np.cross(normals, xyz) * w[:, None]
    assert (up[tube, 1] > 0.999).all()


def test_a_vertex_between_mirrored_halves_is_split_though_its_uv_is_one(avatar):
    uv = avatar.surface.uv.copy()
    uv[:, 0] = np.abs(uv[:, 0] - 0.5)  # both halves of the person share the picture
    drawn, _ = tangents_of(avatar, uv)
    front = (np.abs(drawn.uv[:, 0]) < 1e-6) & (avatar.vertices[drawn.source][:, 1] < 1.59)
    assert sorted(set(drawn.tangents[front, 3])) == [-1, 1]
    assert np.bincount(drawn.source[front]).max() == 2


def test_tangents_without_uv_area_are_still_unit_and_perpendicular(avatar):
    drawn, normals = tangents_of(avatar, np.zeros_like(avatar.surface.uv))
    assert np.allclose(np.linalg.norm(drawn.tangents[:, :3], axis=1), 1)
    assert np.abs((drawn.tangents[:, :3] * normals).sum(1)).max() < 1e-6
