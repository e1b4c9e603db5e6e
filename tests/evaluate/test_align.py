"""Alignments of points and meshes that were moved by something known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lookalike.evaluate.align import place_and_size, similarity_icp, umeyama
from lookalike.evaluate.sampled import SampledMesh, Similarity

MOVE = Similarity(1.3, Rotation.from_rotvec([0.1, 0.3, -0.05]).as_matrix(), np.array([10.0, -4.0, 2.0]))


def test_paired_points_give_the_similarity_back():
    points = np.random.default_rng(0).normal(size=(50, 3))
    found = umeyama(points, MOVE.apply(points))
    assert found.scale == pytest.approx(1.3)
    assert found.rotation == pytest.approx(MOVE.rotation)
    assert found.translation == pytest.approx(MOVE.translation)


def test_a_mirror_image_is_no_rotation():
    points = np.random.default_rng(0).normal(size=(50, 3))
    assert np.linalg.det(umeyama(points, points * [-1, 1, 1]).rotation) == pytest.approx(1)


@pytest.fixture(scope="module")
def pair(person):
    """The person in cm, and the same moved, each with samples of its own."""
    meshes = []
    for number, vertices in enumerate((100 * person.seen, MOVE.apply(100 * person.seen))):
        mesh = SampledMesh(vertices, person.scan.faces)
        mesh.draw(40_000, np.random.default_rng(number))
        meshes.append(mesh)
    return meshes


def test_icp_finds_the_similarity(pair):
    found = similarity_icp(*pair)
    assert found.scale == pytest.approx(1.3, abs=1e-3)
    assert found.turn == pytest.approx(MOVE.turn, abs=0.1)
    assert found.apply(pair[0].vertices) == pytest.approx(pair[1].vertices, abs=0.2)


def test_place_and_size_does_not_turn(pair):
    found = place_and_size(*pair)
    assert found.turn == 0
    moved, target = found.apply(pair[0].vertices), pair[1].vertices
    assert np.ptp(moved[:, 1]) == pytest.approx(np.ptp(target[:, 1]))
    assert moved.min(0) + moved.max(0) == pytest.approx(target.min(0) + target.max(0))
