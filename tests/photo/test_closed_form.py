"""Closed-form matting: exact on colour lines."""

from __future__ import annotations

import numpy as np

from lookalike.photo.closed_form import solve_alpha


def test_alpha_of_a_blend_of_two_colours_is_found_again():
    rng = np.random.default_rng(0)
    v, u = np.mgrid[0:60, 0:60] / 60
    alpha = np.clip((u - 0.5 + 0.1 * np.sin(9 * v)) * 6 + 0.5, 0, 1)
    over, under = np.array([0.9, 0.3, 0.2]), np.array([0.1, 0.4, 0.8])
    picture = (alpha[..., None] * over + (1 - alpha[..., None]) * under).astype(np.float32)
    unknown = np.abs(u - 0.5) < 0.3
    prior = np.where(unknown, rng.uniform(0.3, 0.7, u.shape), alpha)
    solved = solve_alpha(picture, prior, np.zeros_like(prior), unknown)
    assert np.abs(solved - alpha).max() < 0.05
    assert np.array_equal(solved[~unknown], prior.astype(np.float32)[~unknown])


def test_confidence_holds_the_prior():
    picture = np.random.default_rng(1).random((20, 20, 3)).astype(np.float32)
    prior = np.full((20, 20), 0.3)
    solved = solve_alpha(picture, prior, np.full((20, 20), 1e4), np.ones((20, 20), bool))
    assert np.abs(solved - 0.3).max() < 1e-3


def test_nothing_unknown_changes_nothing():
    prior = np.eye(8, dtype=np.float32)
    assert np.array_equal(solve_alpha(np.zeros((8, 8, 3), np.float32), prior, prior, np.zeros((8, 8), bool)), prior)
