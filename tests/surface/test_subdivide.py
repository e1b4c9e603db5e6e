"""Subdivision against the rules of Catmull and Clark and of Loop, worked out by hand on a cube and an octahedron."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from lookalike.body.load import load_body
from lookalike.surface.subdivide import catmull_clark, loop, refine_uv, split_quads

CUBE = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
QUADS = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])


def test_catmull_clark_of_a_cube():
    fine = catmull_clark(QUADS, len(CUBE))
    points = fine.weights @ CUBE
    np.testing.assert_allclose(points[:8], CUBE * 5 / 9)
    edges = points[8:20]
    np.testing.assert_allclose(np.sort(np.abs(edges), 1), np.tile([0, 0.75, 0.75], (12, 1)), atol=1e-12)
    np.testing.assert_allclose(np.sort(np.abs(points[20:]), 1), np.tile([0, 0, 1], (6, 1)), atol=1e-12)
    assert fine.quads.shape == (24, 4) and fine.faces.shape == (48, 3)
    mesh = trimesh.Trimesh(points, fine.faces, process=False)
    assert mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0


def test_loop_of_an_octahedron():
    octahedron = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], float)
    faces = trimesh.convex.convex_hull(octahedron).faces
    octahedron = np.asarray(trimesh.convex.convex_hull(octahedron).vertices)
    fine = loop(faces, 6)
    points = fine.weights @ octahedron
    beta = (5 / 8 - (3 / 8 + np.cos(np.pi / 2) / 4) ** 2) / 4
    np.testing.assert_allclose(np.linalg.norm(points[:6], axis=1), 1 - 4 * beta)
    # Edge from x to y: 3/8 of both ends, 1/8 of +z and of -z.
    np.testing.assert_allclose(np.sort(np.abs(points[6:]), 1), np.tile([0, 3 / 8, 3 / 8], (12, 1)), atol=1e-12)
    assert fine.faces.shape == (32, 3)
    assert trimesh.Trimesh(points, fine.faces, process=False).is_watertight


def test_borders_stay_straight():
    fine = loop(np.array([[0, 1, 2]]), 3)
    points = fine.weights @ np.eye(3)
    np.testing.assert_allclose(points[:3], np.eye(3))
    np.testing.assert_allclose(np.sort(points[3:], 1), np.tile([0, 0.5, 0.5], (3, 1)))


@pytest.mark.parametrize("kind", ["quads", "triangles"])
def test_the_body_keeps_its_size(kind):
    model = load_body()
    count = len(model.template)
    fine = catmull_clark(model.quads, count) if kind == "quads" else loop(model.faces, count)
    assert fine.weights.data.min() >= 0
    np.testing.assert_allclose(fine.weights.sum(1), 1, atol=1e-12)
    mesh = trimesh.Trimesh(fine.apply(model.template), fine.faces, process=False)
    before = trimesh.Trimesh(model.template, model.faces, process=False)
    assert mesh.is_watertight and mesh.is_winding_consistent
    assert len(mesh.faces) == 4 * len(model.faces)
    assert mesh.volume == pytest.approx(before.volume, rel=0.01)


def test_texture_coordinates_follow_the_faces():
    model = load_body()
    fine = catmull_clark(model.quads, len(model.template))
    uv, face_uv = refine_uv(model.uv, model.quad_uv)
    assert face_uv.shape == fine.faces.shape
    coarse = model.uv[split_quads(model.quad_uv)]
    area = lambda t: np.abs(np.cross(t[:, 1] - t[:, 0], t[:, 2] - t[:, 0])).sum()  # noqa: E731
    assert area(uv[face_uv]) == pytest.approx(area(coarse), rel=1e-3)
