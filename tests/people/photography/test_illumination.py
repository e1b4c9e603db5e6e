"""Lobes of light whose sums are known, and light that pictures can be taken in."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.people.photography.illumination import PLACES, Light, light_of, random_light
from lookalike.people.photography.picture import Lamp
from lookalike.render.light import sphere_directions


def lobe(sharpness: float, base: float = 0.0) -> Light:
    return Light("test", np.full(3, base), np.array([(0, 0, 1.0)]), np.array([sharpness]), np.ones((1, 3)))


def test_even_light_lights_white_as_brightly_whichever_way_it_faces():
    light = Light("test", np.full(3, 0.7), np.array([(0, 1.0, 0)]), np.ones(1), np.zeros((1, 3)))
    np.testing.assert_allclose(light.on(sphere_directions(40)), 0.7, rtol=0.02)


def test_blurring_keeps_a_lobe_s_whole_light():
    ways = sphere_directions(4000)
    sharp, soft = lobe(12.0).around(ways), lobe(12.0).around(ways, blur=5.0)
    np.testing.assert_allclose(soft.mean(0), sharp.mean(0), rtol=0.02)
    assert soft.max() < 0.6 * sharp.max()


def test_a_narrow_lobe_lights_by_the_cosine():
    light = lobe(80.0)
    angle = np.radians([0, 30, 60])
    normals = np.stack([np.sin(angle), np.zeros(3), np.cos(angle)], 1)
    found = light.on(normals)[:, 0]
    np.testing.assert_allclose(found / found[0], np.cos(angle), atol=0.03)


def test_lamps_stand_around_the_person():
    light = Light(
        "test", np.zeros(3), np.array([(0, 1.0, 0)]), np.ones(1), np.zeros((1, 3)), (Lamp((0, 0, 2), 0.1, (1, 1, 1)),)
    )
    (lamp,) = light.lamps_at(np.array([0, 1, -3.0]))
    assert lamp.place == (0, 1, -1)
    assert lamp.aim == (0, 1, -3)
    np.testing.assert_allclose(light.on(np.array([(0, 0, 1.0)])), 1, rtol=1e-5)


@pytest.mark.parametrize("name", PLACES)
def test_every_place_is_exposed_for_a_picture(name):
    for seed in range(12):
        light = light_of(name, np.random.default_rng(seed))
        white = light.on(np.array([(0, 0, 1), (0.6, 0, 0.8), (-0.6, 0, 0.8), (0, 0.6, 0.8)]))
        assert np.isfinite(white).all()
        assert (white >= 0).all()
        assert 0.3 < white.max() < 2.5
        # No colour cast that a camera would not have balanced.
        assert white.mean(0).max() < 2.2 * white.mean(0).min()
        assert len(light.lamps) <= 2


def test_the_same_seed_gives_the_same_light():
    first, again = (random_light(np.random.default_rng(4)) for _ in range(2))
    assert first.name == again.name
    assert (first.colours == again.colours).all()
    assert first.lamps == again.lamps
    assert len({random_light(np.random.default_rng(s)).name for s in range(60)}) == len(PLACES)
