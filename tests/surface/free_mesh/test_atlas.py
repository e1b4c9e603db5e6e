"""The free atlas on shapes whose faces can be counted: nothing overlaps, nothing is lost, little is stretched."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from lookalike.surface.free_mesh.atlas import free_atlas
from lookalike.surface.free_mesh.overlap import overlapping_triangles


def tube(turns: float, radius: float = 0.1) -> trimesh.Trimesh:
    """A ribbon that winds up like a spiral stair: seen from above, it covers itself."""
    angle = np.linspace(0, 2 * np.pi * turns, 160)
    rings = [np.stack([r * np.cos(angle), 0.05 * angle, r * np.sin(angle)], 1) for r in (radius, 2 * radius)]
    points = np.concatenate(rings)
    k = np.arange(len(angle) - 1)
    n = len(angle)
    faces = np.concatenate([np.stack([k, k + 1, n + k], 1), np.stack([k + 1, n + k + 1, n + k], 1)])
    return trimesh.Trimesh(points, faces[:, ::-1], process=False)


def person_like() -> trimesh.Trimesh:
    """A ball, a ring and a box far apart: closed, curved, with a handle and with corners."""
    ball = trimesh.creation.icosphere(4, 0.3)
    ring = trimesh.creation.torus(0.4, 0.1, 64, 32)
    box = trimesh.creation.box((0.2, 0.5, 0.3)).subdivide_to_size(0.05)
    ring.apply_translation([1, 0, 0])
    box.apply_translation([0, 1, 0])
    return trimesh.util.concatenate([ball, ring, box])


def stretches(mesh: trimesh.Trimesh, uv: np.ndarray, face_uv: np.ndarray) -> np.ndarray:
    """(m, 2) the singular values of each face's map from the surface to the atlas."""
    corners = mesh.vertices[mesh.faces]
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    x = a / np.linalg.norm(a, axis=1, keepdims=True)
    y = np.cross(mesh.face_normals, x)
    flat = np.stack([np.stack([(p * x).sum(1), (p * y).sum(1)], -1) for p in (a, b)], -1)
    image = np.stack([uv[face_uv[:, 1]] - uv[face_uv[:, 0]], uv[face_uv[:, 2]] - uv[face_uv[:, 0]]], -1)
    return np.linalg.svd(image @ np.linalg.inv(flat), compute_uv=False)


@pytest.mark.parametrize("mesh", [person_like(), tube(2.6)], ids=["closed", "spiral"])
def test_no_triangles_overlap_and_all_are_inside(mesh):
    uv, face_uv = free_atlas(mesh.vertices, mesh.faces, np.zeros(len(mesh.faces), int))
    assert uv.min() > 0
    assert uv.max() < 1
    assert face_uv.shape == mesh.faces.shape
    assert not len(overlapping_triangles(uv[face_uv].astype(float), np.zeros(len(face_uv), int)))


def test_faces_keep_their_form_and_the_front_gets_the_most():
    mesh = person_like()
    uv, face_uv = free_atlas(mesh.vertices, mesh.faces, np.zeros(len(mesh.faces), int))
    stretch = stretches(mesh, uv, face_uv)
    assert np.percentile(stretch[:, 0] / stretch[:, 1], 99) < 3.0
    front = mesh.face_normals[:, 2] > 0.95
    behind = mesh.face_normals[:, 2] < -0.95
    assert np.ptp(stretch[front, 0]) < 0.1 * stretch[front, 0].mean()
    assert stretch[front].mean() > 1.25 * stretch[behind].mean()


def test_the_same_mesh_gives_the_same_atlas():
    mesh = person_like()
    one, two = (free_atlas(mesh.vertices, mesh.faces, np.zeros(len(mesh.faces), int)) for _ in range(2))
    assert np.array_equal(one[0], two[0])
    assert np.array_equal(one[1], two[1])


def test_charts_stay_within_their_group():
    mesh = person_like()
    group = (mesh.triangles_center[:, 0] > 0).astype(int)
    _, face_uv = free_atlas(mesh.vertices, mesh.faces, group)
    assert not np.intersect1d(face_uv[group == 0], face_uv[group == 1]).size


def test_which_triangles_overlap():
    square = np.array([[[0, 0], [1, 0], [0, 1]], [[1, 0], [1, 1], [0, 1]]], float)
    inner = np.array([[[0.2, 0.2], [0.3, 0.2], [0.2, 0.3]]])
    corners = np.concatenate([square, inner])
    assert overlapping_triangles(corners, np.zeros(3, int)).tolist() == [[0, 2]]
    assert not len(overlapping_triangles(corners, np.array([0, 0, 1])))
