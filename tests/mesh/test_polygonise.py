"""Marching cubes in blocks: closed, oriented, the same whatever the blocks."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.anatomy.mesh import half_edge_counts, is_watertight, volume
from lookalike.mesh.polygonise import ArrayField, cases, polygonise


def ball(radius: float = 9.0) -> np.ndarray:
    z, y, x = np.mgrid[0:24, 0:26, 0:28]
    return (radius - np.sqrt((x - 13.3) ** 2 + (y - 12.6) ** 2 + (z - 11.7) ** 2)).astype(np.float32)


def test_no_case_has_a_diagonal_in_a_face():
    count, table, in_faces = cases()
    assert in_faces == 0
    assert count[0] == count[255] == 0 and count.max() == 5 and table.shape == (256, 5, 3)


def test_a_ball_is_closed_right_way_out_and_of_the_right_size():
    mesh = polygonise(ArrayField(ball()))
    assert is_watertight(mesh.faces)
    assert volume(mesh.vertices, mesh.faces) == pytest.approx(4 / 3 * np.pi * 9**3, rel=0.01)
    distance = np.linalg.norm(mesh.vertices - [13.3, 12.6, 11.7], axis=1)
    assert np.abs(distance - 9).max() < 0.02
    assert not mesh.capped.any()


def test_noise_of_the_worst_kind_is_watertight():
    """Every ambiguous case occurs in white noise."""
    noise = np.random.default_rng(0).normal(size=(20, 21, 22)).astype(np.float32)
    mesh = polygonise(ArrayField(noise))
    uses, balance = half_edge_counts(mesh.faces)
    assert (uses == 2).all() and (balance == 0).all()
    assert len(np.unique(mesh.vertices, axis=0)) == len(mesh.vertices)


@pytest.mark.parametrize("block", [1, 2000, 10**9])
def test_blocks_join_exactly(block):
    noise = np.random.default_rng(1).normal(size=(13, 14, 15)).astype(np.float32)
    whole, parts = polygonise(ArrayField(noise)), polygonise(ArrayField(noise), block_size=block)
    np.testing.assert_array_equal(whole.vertices, parts.vertices)
    as_set = [{tuple(np.roll(face, -face.argmin())) for face in mesh.faces} for mesh in (whole, parts)]
    assert as_set[0] == as_set[1]


def test_what_reaches_the_border_ends_where_its_voxels_end():
    mesh = polygonise(ArrayField(np.ones((3, 4, 5), np.float32)))
    assert is_watertight(mesh.faces) and mesh.capped.all()
    np.testing.assert_allclose(mesh.vertices.min(0), -0.5)
    np.testing.assert_allclose(mesh.vertices.max(0), [4.5, 3.5, 2.5])


def test_nothing_inside_gives_an_empty_mesh():
    assert len(polygonise(ArrayField(-np.ones((4, 4, 4), np.float32))).faces) == 0
