from __future__ import annotations

import numpy as np

from lookalike.appearance.texels import GUTTER, texel_map
from lookalike.body import load_body

SQUARE = np.float32([[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]])
TWO = np.array([[0, 1, 2], [0, 2, 3]])


def test_texels_of_a_square_know_their_own_place():
    texels = texel_map(SQUARE, TWO, 64)
    place = texels.interpolate(TWO, SQUARE) * 64
    centre = np.stack([texels.index % 64, texels.index // 64], 1) + 0.5
    assert np.abs(place - centre).max() < 1e-3
    inside = ((centre > 16) & (centre < 48)).all(1).sum()
    assert inside == 32 * 32
    assert len(texels.index) <= 34 * 34


def test_gutters_repeat_the_nearest_island():
    texels = texel_map(SQUARE, TWO, 128)
    left = (texels.index % 128 < 64).astype(np.float32)
    image = texels.image(left)
    assert GUTTER >= 8
    assert image[64, 32 - 10] == 1
    assert image[64, 96 + 10] == 0


def test_every_texel_of_the_bodys_atlas_is_within_half_a_texel():
    model = load_body()
    texels = texel_map(model.uv, model.face_uv, 512)
    place = texels.interpolate(model.face_uv, model.uv) * 512
    centre = np.stack([texels.index % 512, texels.index // 512], 1) + 0.5
    apart = np.abs(place - centre).max(1)
    assert np.percentile(apart, 95) < 0.05
    assert np.percentile(apart, 99.5) < 1.5
    assert len(texels.index) > 0.5 * 512**2
