"""Skin weights are four a vertex, sum to one, and prune without jumps."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from lookalike.rig.weights import dense, prune


def test_rows_sum_to_one_largest_first(avatar):
    weights = avatar.skin_weights
    assert weights.dtype == np.float32
    assert avatar.skin_joints.dtype == np.uint8
    assert np.abs(weights.sum(1) - 1).max() < 1e-6
    assert (np.diff(weights, axis=1) <= 1e-6).all()
    assert (weights >= 0).all()
    assert (avatar.skin_joints[weights == 0] == 0).all()


def test_up_to_four_weights_stay_as_they_are():
    full = np.array([[0.1, 0.0, 0.4, 0.3, 0.2, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]])
    joints, weights = prune(csr_matrix(full))
    assert np.allclose(dense(joints, weights, 6), full, atol=1e-7)


def test_a_weight_that_overtakes_another_makes_no_jump():
    before = np.array([[0.30, 0.28, 0.22, 0.1001, 0.0999]])
    after = before[:, [0, 1, 2, 4, 3]]
    difference = [dense(*prune(csr_matrix(x)), 5) for x in (before, after)]
    assert np.abs(difference[0] - difference[1]).max() < 1e-3


def test_five_equal_weights_give_a_row_that_sums_to_one():
    _, weights = prune(csr_matrix(np.full((1, 5), 0.2)))
    assert np.isclose(weights.sum(), 1)
