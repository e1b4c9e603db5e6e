"""Patterns whose colours are known at places and on average, and fabrics as people wear them."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.people.looks.fabric import TASTES, Fabric, random_fabric
from lookalike.people.looks.fabric_layers import (
    BACK,
    FRONT,
    LEFT_LEG,
    Bands,
    Decal,
    Discs,
    Dots,
    Lines,
    Mottle,
    Panel,
    Threads,
    Tile,
)
from lookalike.people.looks.paint import ImagePaint
from lookalike.people.looks.tailoring import random_dye

BLACK, WHITE, RED = (0.02, 0.02, 0.02), (0.8, 0.8, 0.8), (0.5, 0.05, 0.05)


def chart(middle: float = FRONT, spacing: float = 0.004) -> np.ndarray:
    v, u = np.mgrid[0:0.5:spacing, -0.2:0.2:spacing]
    return np.stack([u.ravel() + middle, v.ravel()], 1).astype(np.float32)


def at(layer, u: float, v: float, spacing: float = 1e-4, ground=BLACK) -> np.ndarray:
    return Fabric(np.array(ground), [layer]).sample(np.array([(u, v)], np.float32), spacing)[0]


def test_stripes_have_their_widths():
    bands = Bands([0.01, 0.03], np.array([BLACK, WHITE]))
    for v, colour in ((0.005, BLACK), (0.02, WHITE), (0.045, BLACK), (0.0799, WHITE), (-0.02, WHITE)):
        np.testing.assert_allclose(at(bands, 0.3, v), colour, atol=1e-3)


def test_stripes_seen_from_afar_are_their_mean():
    bands = Bands([0.001, 0.003], np.array([BLACK, WHITE]))
    found = Fabric(np.array(RED), [bands]).sample(chart(), 0.04)
    np.testing.assert_allclose(found, 0.25 * 0.02 + 0.75 * 0.8, atol=0.03)


def test_a_stripe_half_under_a_sample_is_half_seen():
    bands = Bands([1.0, 1.0], np.array([BLACK, WHITE]))
    np.testing.assert_allclose(at(bands, 0, 1.0, 0.01), (0.02 + 0.8) / 2, atol=1e-3)


def test_checks_cross_their_stripes():
    gingham = Bands([0.01, 0.01], np.array([BLACK, WHITE]), 0.0, crossed=True)
    np.testing.assert_allclose(at(gingham, 0.005, 0.005), BLACK, atol=1e-3)
    np.testing.assert_allclose(at(gingham, 0.015, 0.015), WHITE, atol=1e-3)
    np.testing.assert_allclose(at(gingham, 0.015, 0.005), (0.41, 0.41, 0.41), atol=1e-3)


def test_dots_cover_their_share_near_and_far():
    dots = Dots(0.02, 0.006, WHITE)
    share = np.pi * 0.3**2
    for spacing in (0.001, 0.003, 0.02, 0.1):
        uv = np.random.default_rng(0).random((20000, 2))
        found = Fabric(np.array(BLACK), [dots]).sample(uv, spacing).mean()
        np.testing.assert_allclose(found, 0.02 + 0.78 * share, rtol=0.03)


def test_threads_fade_where_they_are_finer_than_the_picture():
    fabric = Fabric(np.array((0.3, 0.3, 0.3)), [Threads(0.004, 0.2), Mottle(0.003, 0.2)])
    assert fabric.sample(chart(), 0.0005).std() > 0.02
    np.testing.assert_allclose(fabric.sample(chart(), 0.02), 0.3, rtol=1e-4)


def test_prints_lie_where_they_are_put_and_upright():
    picture = np.zeros((20, 10, 4), np.uint8)
    picture[:10] = (255, 0, 0, 255)  # the upper half red, the lower half nothing
    decal = Decal(ImagePaint(picture), (FRONT, 0.2), (0.1, 0.2))
    assert at(decal, 0.0, 0.15)[0] > 0.8
    np.testing.assert_allclose(at(decal, 0.0, 0.25), BLACK)
    np.testing.assert_allclose(at(decal, 0.06, 0.15), BLACK)
    np.testing.assert_allclose(at(decal, BACK, 0.15), BLACK)


def test_seams_are_thin_lines_and_fainter_from_afar():
    seam = Lines(np.array([(LEFT_LEG, 0.1, LEFT_LEG, 0.5)]), 0.004, WHITE)
    np.testing.assert_allclose(at(seam, LEFT_LEG, 0.3), WHITE, atol=0.01)
    np.testing.assert_allclose(at(seam, LEFT_LEG + 0.004, 0.3), BLACK, atol=0.01)
    np.testing.assert_allclose(at(seam, LEFT_LEG, 0.05), BLACK, atol=0.01)
    assert at(seam, LEFT_LEG, 0.3, 0.016)[0] == pytest.approx(0.02 + 0.78 / 4, abs=0.02)


def test_panels_and_buttons_have_their_places():
    np.testing.assert_allclose(at(Panel((-1, -1), (1, 0.2), RED), 0, 0.1), RED, atol=1e-4)
    np.testing.assert_allclose(at(Panel((-1, -1), (1, 0.2), RED), 0, 0.3), BLACK, atol=1e-4)
    np.testing.assert_allclose(at(Panel((-1, -1), (1, 9), gain=2.0), 0, 0.1), (0.04,) * 3, atol=1e-4)
    np.testing.assert_allclose(at(Discs(np.array([(0, 0.1)]), 0.006, RED), 0.001, 0.1), RED, atol=0.01)


def test_tiles_repeat_on_the_cloth():
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    tile = Tile(ImagePaint(picture, wrap=True), 0.1)
    np.testing.assert_allclose(at(tile, 0.03, 0.02), at(tile, 0.43, 0.32), atol=0.02)


@pytest.mark.parametrize("garment", sorted(words[0] for words, _ in TASTES) + ["poncho"])
def test_every_garment_has_cloth_of_colours_that_cloth_has(garment):
    for seed in range(12):
        paint, finish = random_fabric(np.random.default_rng(seed), garment)
        for middle in (FRONT, BACK, LEFT_LEG):
            found = paint.sample(chart(middle), 0.004)
            assert found.dtype == np.float32
            assert found.shape == (len(chart()), 3)
            assert found.min() >= 0.012
            assert found.max() <= 0.88
        assert (paint.mean > 0.01).all()
        assert 0.2 < finish.roughness <= 1
        assert not paint.holes


def test_the_same_seed_weaves_the_same_cloth():
    first, again, other = (
        random_fabric(np.random.default_rng(s), "shirt")[0].sample(chart(), 0.004) for s in (7, 7, 8)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_most_clothes_are_of_quiet_colours():
    rng = np.random.default_rng(0)
    dyes = np.sqrt([random_dye(rng) for _ in range(400)])
    vivid = dyes.max(1) - dyes.min(1) > 0.3
    assert 0.05 < vivid.mean() < 0.35
    assert (dyes.max(1) < 0.25).mean() > 0.12
    assert (dyes.min(1) > 0.8).mean() > 0.08
