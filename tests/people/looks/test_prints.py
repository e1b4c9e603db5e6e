"""Prints have something on them, leave cloth to be seen, and repeat without a seam."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.people.looks.prints import chest_print, floral_tile, motif_tile

COLOURS = np.array([(0.5, 0.05, 0.05), (0.05, 0.05, 0.5), (0.8, 0.8, 0.8), (0.02, 0.02, 0.02)])


@pytest.mark.parametrize("make", [floral_tile, motif_tile])
@pytest.mark.parametrize("seed", range(6))
def test_tiles_are_strewn_and_meet_at_their_edges(make, seed):
    tile = make(np.random.default_rng(seed), COLOURS)
    assert tile.holes
    assert tile.wrap
    uv = np.random.default_rng(0).random((4000, 2)).astype(np.float32)
    alpha = tile.sample(uv, 1e-3)[:, 3]
    assert 0.02 < alpha.mean() < 0.99
    # The step across the tile's border is like any other step.
    v = (np.arange(256) + 0.5) / 256

    def step(u: float) -> float:
        before, after = (
            tile.sample(np.stack([np.full(256, u + d), v], 1).astype(np.float32), 1e-3)[:, 3] for d in (-0.002, 0.002)
        )
        return float(np.abs(before - after).mean())

    assert step(1.0) < 3 * max(step(u) for u in (0.25, 0.5, 0.75)) + 0.02


def test_prints_for_the_chest_are_of_the_given_colours_and_shapes():
    for seed in range(20):
        paint, tall = chest_print(np.random.default_rng(seed), COLOURS)
        assert 0.2 < tall < 1.4
        assert abs(paint.size[1] / paint.size[0] - tall) < 0.01
        uv = np.random.default_rng(0).random((2000, 2)).astype(np.float32)
        assert 0.02 < paint.sample(uv, 0.004)[:, 3].mean() <= 1
