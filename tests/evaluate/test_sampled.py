"""Meshes made ready for measuring: areas, outer samples, nearest places, normals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lookalike.evaluate.sampled import SampledMesh, Similarity, outwards
from lookalike.mesh.triangles import closest_on_triangles

from .conftest import sphere


def drawn(vertices, faces, count=20_000, outer=True, seed=0) -> SampledMesh:
    mesh = SampledMesh(vertices, faces)
    mesh.draw(count, np.random.default_rng(seed), outer)
    return mesh


def test_samples_lie_evenly_on_a_sphere():
    mesh = drawn(*sphere(10.0))
    assert mesh.area.sum() == pytest.approx(4 * np.pi * 100, rel=2e-3)
    assert len(mesh.samples) == 20_000
    assert np.linalg.norm(mesh.samples, axis=1) == pytest.approx(10, abs=0.02)
    assert np.abs(mesh.samples.mean(0)).max() < 0.15


def test_normals_of_a_sphere_point_outwards():
    mesh = drawn(*sphere(10.0))
    normals = mesh.normals(mesh.sample_face, mesh.sample_bary)
    assert np.einsum("ij,ij->i", normals, mesh.samples / 10).min() > 0.999


def test_a_sphere_within_a_sphere_is_not_outer():
    outside, faces = sphere(10.0, 4)
    inside, _ = sphere(8.0, 4)
    both = np.concatenate([outside, inside]), np.concatenate([faces, faces + len(outside)])
    assert np.linalg.norm(drawn(*both).samples, axis=1).min() > 9.9
    assert np.linalg.norm(drawn(*both, outer=False).samples, axis=1).min() < 8.1


def test_the_same_seed_draws_the_same_samples():
    a, b, c = drawn(*sphere(10.0, 3)), drawn(*sphere(10.0, 3)), drawn(*sphere(10.0, 3), seed=1)
    assert np.array_equal(a.samples, b.samples)
    assert not np.array_equal(a.samples, c.samples)


def test_nearest_places_on_a_sphere():
    mesh = drawn(*sphere(10.0))
    questions = np.random.default_rng(3).normal(size=(500, 3))
    questions *= (np.array([8.0, 9.0, 11.0, 12.0])[np.arange(500) % 4] / np.linalg.norm(questions, axis=1))[:, None]
    found = mesh.nearest(questions)
    assert found.distance == pytest.approx(np.abs(np.linalg.norm(questions, axis=1) - 10), abs=0.02)
    assert np.linalg.norm(found.place - questions, axis=1) == pytest.approx(found.distance)


def test_a_moved_mesh_answers_in_its_new_place():
    move = Similarity(1.7, Rotation.from_rotvec([0.3, -0.8, 0.1]).as_matrix(), np.array([3.0, -20.0, 40.0]))
    mesh = drawn(*sphere(10.0)).transformed(move)
    assert mesh.area.sum() == pytest.approx(4 * np.pi * 17**2, rel=2e-3)
    assert mesh.nearest(move.translation[None] + [[0, 30, 0]]).distance == pytest.approx(13, abs=0.03)
    face = mesh.cast(move.translation[None] + [[0.3, 0.2, 50.0]], np.array([[0, 0, -1.0]]))
    assert mesh.flat[face][0, 2] > 0.99
    assert mesh.cast(move.translation[None] + [[18.0, 0, 50.0]], np.array([[0, 0, -1.0]])) == [-1]


def test_similarities_compose_and_undo():
    a = Similarity(2.0, Rotation.from_rotvec([0.3, 0.2, 0.1]).as_matrix(), np.array([1.0, 2.0, 3.0]))
    b = Similarity(0.4, Rotation.from_rotvec([-1, 0.2, 0]).as_matrix(), np.array([-3.0, 0.0, 7.0]))
    points = np.random.default_rng(0).normal(size=(9, 3))
    assert a.after(b).apply(points) == pytest.approx(a.apply(b.apply(points)))
    assert a.undo(a.apply(points)) == pytest.approx(points)
    assert Similarity(1.0, Rotation.from_rotvec([0, np.radians(30), 0]).as_matrix(), np.zeros(3)).turn == pytest.approx(
        30
    )


@pytest.mark.parametrize(
    ("point", "nearest"),
    [
        ((0.2, 0.2, 5), (0.2, 0.2, 0)),  # above the inside
        ((-1, -1, 0), (0, 0, 0)),  # beyond the corners
        ((2, -1, 0), (1, 0, 0)),
        ((-1, 2, 1), (0, 1, 0)),
        ((0.4, -3, 0), (0.4, 0, 0)),  # beside the edges
        ((-3, 0.7, 0), (0, 0.7, 0)),
        ((1, 1, 0), (0.5, 0.5, 0)),
    ],
)
def test_the_nearest_place_of_a_triangle(point, nearest):
    triangle = np.array([[(0, 0, 0), (1, 0, 0), (0, 1, 0)]], float)
    assert closest_on_triangles(np.array([point], float), triangle)[0] == pytest.approx(nearest)


def test_an_inside_out_mesh_is_turned():
    vertices, faces = sphere(10.0, 2)
    assert np.array_equal(outwards(vertices, faces[:, ::-1])[1], outwards(vertices, faces)[1])


def test_what_is_not_finite_is_left_out_and_nothing_left_is_an_error():
    vertices, faces = sphere(10.0, 2)
    vertices[0] = np.nan
    kept, triangles = outwards(vertices, faces)
    assert np.isfinite(kept).all() and len(triangles) < len(faces)
    with pytest.raises(ValueError, match="no faces"):
        outwards(np.full_like(vertices, np.nan), faces)
