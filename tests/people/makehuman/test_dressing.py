"""Eyes, refinement and the tucking of skin under cloth, on spheres."""

from __future__ import annotations

import numpy as np

from lookalike.people.makehuman.assets import PolygonMesh
from lookalike.people.makehuman.dressing import IRISES, eyeball, fit_sphere, smooth_piece, tucked
from lookalike.people.scene import Finish, Piece


def globe(radius: float, spokes: int = 24) -> PolygonMesh:
    """A sphere of quads without its poles."""
    a = np.linspace(0.3, np.pi - 0.3, spokes // 2)
    b = np.arange(spokes) * 2 * np.pi / spokes
    a, b = (g.ravel() for g in np.meshgrid(a, b, indexing="ij"))
    vertices = radius * np.stack([np.sin(a) * np.sin(b), np.cos(a), np.sin(a) * np.cos(b)], 1)
    i, j = (g.ravel() for g in np.meshgrid(np.arange(spokes // 2 - 1), np.arange(spokes), indexing="ij"))
    k = (j + 1) % spokes
    quads = np.stack([i * spokes + j, (i + 1) * spokes + j, (i + 1) * spokes + k, i * spokes + k], 1).astype(np.int32)
    uv = np.stack([b / (2 * np.pi), a / np.pi], 1).astype(np.float32)
    return PolygonMesh(vertices, quads, uv, quads, ("globe",), np.zeros(len(quads), np.int32))


def piece(mesh: PolygonMesh, rounds: int = 0, shown: np.ndarray | None = None) -> Piece:
    shown = np.ones(len(mesh.quads), bool) if shown is None else shown
    return smooth_piece("globe", mesh.vertices, mesh, shown, np.zeros((4, 4, 3), np.uint8), rounds, Finish())


def test_sphere_through_points():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((40, 3))
    points = np.array([0.03, 1.6, 0.1]) + 0.012 * points / np.linalg.norm(points, axis=1, keepdims=True)
    centre, radius = fit_sphere(points)
    np.testing.assert_allclose(centre, (0.03, 1.6, 0.1))
    np.testing.assert_allclose(radius, 0.012)


def test_eye_looks_ahead_with_its_iris_in_the_middle():
    eye = eyeball(0.012, np.zeros((4, 4, 3), np.uint8), IRISES[0])
    np.testing.assert_allclose(np.linalg.norm(eye.vertices, axis=1), 0.012)
    ahead = eye.vertices[:, 2].argmax()
    np.testing.assert_allclose(eye.uv[ahead], IRISES[0], atol=1e-6)
    corners = eye.vertices[eye.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    outward = np.einsum("mi,mi->m", normal, corners.mean(1))
    assert (outward[np.linalg.norm(normal, axis=1) > 1e-12] > 0).all()


def test_refinement_keeps_the_size_and_leaves_out_what_is_not_shown():
    mesh = globe(0.1)
    fine = piece(mesh, rounds=2)
    assert len(fine.faces) == 16 * len(piece(mesh).faces)
    inner = np.abs(fine.vertices[:, 1]) < 0.08
    np.testing.assert_allclose(np.linalg.norm(fine.vertices[inner], axis=1), 0.1, rtol=0.01)
    half = piece(mesh, shown=np.arange(len(mesh.quads)) < len(mesh.quads) // 2)
    assert len(half.faces) == len(piece(mesh).faces) // 2
    assert len(half.vertices) < len(mesh.vertices)


def test_skin_that_pokes_out_goes_back_under_the_cloth():
    cloth = piece(globe(0.1))
    poking, under, far = piece(globe(0.105)), piece(globe(0.095)), piece(globe(0.15))
    ring = np.abs(poking.vertices[:, 1]) < 0.09  # at the open poles normals lean over the cloth's edge
    np.testing.assert_allclose(np.linalg.norm(tucked(poking, cloth).vertices[ring], axis=1), 0.097, atol=1e-3)
    np.testing.assert_array_equal(tucked(under, cloth).vertices, under.vertices)
    np.testing.assert_array_equal(tucked(far, cloth).vertices, far.vertices)
