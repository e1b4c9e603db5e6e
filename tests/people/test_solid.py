"""The outer surface and signed distances of shapes that are known."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from lookalike.people.sample import LABELS
from lookalike.people.scene import Piece
from lookalike.people.solid import inside, outer_surface, signed_distances


def ball(radius: float, label: str = "skin", middle=(0, 0, 0)) -> Piece:
    mesh = trimesh.creation.icosphere(4, radius)
    faces = mesh.faces.astype(np.int32)
    uv = np.zeros((len(mesh.vertices), 2), np.float32)
    colour = np.full((4, 4, 3), (200, 100, 50), np.uint8)
    return Piece("ball", (mesh.vertices + middle).astype(np.float32), faces, uv, faces, colour, label=label)


def test_what_nobody_sees_is_left_out():
    solid = outer_surface([ball(0.1), ball(0.2, "upper")], LABELS)
    assert set(solid.label) == {LABELS.index("upper")}
    assert np.allclose(np.linalg.norm(solid.vertices, axis=1), 0.2, atol=1e-4)
    assert np.abs(solid.colour.astype(int) - [200, 100, 50]).max() <= 1


def test_distances_to_a_ball():
    radius = 0.25
    near = signed_distances(outer_surface([ball(radius)], LABELS), 4000, np.random.default_rng(0))
    truth = np.linalg.norm(near.points, axis=1) - radius
    assert np.abs(near.distance - truth).max() < 0.001
    assert ((near.distance < 0) == (truth < 0))[np.abs(truth) > 0.001].all()
    assert (np.abs(truth) < 0.02).mean() > 0.4
    assert (np.abs(truth) > 0.1).mean() > 0.05


def test_two_balls_that_overlap_are_one_solid():
    middle = 0.15
    solid = outer_surface([ball(0.2, middle=(-middle, 0, 0)), ball(0.2, "upper", (middle, 0, 0))], LABELS)
    points = np.array([[0, 0, 0], [0.15, 0, 0], [-0.3, 0, 0], [0, 0.2, 0], [0.4, 0, 0], [0, 0.1, 0.0]])
    assert inside(solid, points).tolist() == [True, True, True, False, False, True]


def test_an_open_hem_is_closed_where_most_rays_are():
    """A tube of cloth, open below and above, round nothing: inside it is the person, below its hem is not."""
    mesh = trimesh.creation.cylinder(0.15, 0.8, sections=96)
    faces = mesh.faces[np.abs(mesh.face_normals[:, 2]) < 0.5].astype(np.int32)
    uv = np.zeros((len(mesh.vertices), 2), np.float32)
    tube = Piece(
        "tube", mesh.vertices.astype(np.float32), faces, uv, faces, np.full((4, 4, 3), 9, np.uint8), label="lower"
    )
    solid = outer_surface([tube], LABELS)
    points = np.array([[0, 0, 0], [0.1, 0, 0.2], [0, 0, 0.55], [0, 0, -0.6], [0.3, 0, 0]])
    assert inside(solid, points).tolist() == [True, True, False, False, False]


def test_distances_of_a_synthetic_person_point_along_its_normals():
    from lookalike.people.synthesis import Recipe, SyntheticPeople

    sample = SyntheticPeople(1, Recipe(size=128))[1]
    solid = outer_surface(sample.pieces, LABELS)
    assert len(solid.faces) > 10_000
    near = signed_distances(solid, 3000, np.random.default_rng(0))
    again = signed_distances(solid, 3000, np.random.default_rng(0))
    assert np.array_equal(near.distance, again.distance)
    # in front of what the camera sees is outside, a little behind it inside
    mask = sample.maps.mask
    ray, depth = sample.camera.rays()[mask][::29], sample.maps.depth_front[mask][::29, None]
    thick = (sample.maps.depth_back - sample.maps.depth_front)[mask][::29] > 0.06
    facing = (sample.maps.normals_front[mask][::29] * -ray).sum(1) > 0.6
    ask = thick & facing
    assert inside(solid, (ray * (depth - 0.01))[ask]).mean() < 0.03
    assert inside(solid, (ray * (depth + 0.012))[ask]).mean() > 0.93
    assert near.distance.min() == pytest.approx(-0.1, abs=0.08)
