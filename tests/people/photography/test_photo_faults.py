"""Photos of known light: what is bright stays bright, mattes err by pixels, and seeds repeat."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.people.photography.photo_faults import background, develop_photo, imperfect_matte


def disc(size: int = 128, radius: float = 40) -> np.ndarray:
    v, u = np.mgrid[:size, :size] + 0.5
    return np.clip(radius - np.hypot(u - size / 2, v - size / 2) + 0.5, 0, 1).astype(np.float32)


def person(level: tuple[float, float, float] = (0.3, 0.2, 0.1)) -> tuple[np.ndarray, np.ndarray]:
    coverage = disc()
    return coverage[..., None] * np.array(level, np.float32), coverage


def test_photos_are_pictures_with_a_matte():
    light, coverage = person()
    for seed in range(20):
        photo = develop_photo(np.random.default_rng(seed), light, coverage)
        assert photo.shape == (128, 128, 4)
        assert photo.dtype == np.uint8


def test_colours_keep_their_order():
    """Red is redder than it is green, whatever balance and curve the camera has (grey photos apart)."""
    light, coverage = person()
    middles = [
        develop_photo(np.random.default_rng(s), light, coverage)[54:74, 54:74, :3].reshape(-1, 3) for s in range(40)
    ]
    colours = np.median(middles, axis=1)
    assert (colours[:, 0] >= colours[:, 2] - 1).mean() > 0.9
    assert 90 < np.median(colours[:, 0]) < 200


def test_brighter_things_are_brighter_in_the_photo():
    coverage = np.ones((96, 96), np.float32)
    light = np.linspace(0.02, 0.6, 96, dtype=np.float32)[None, :, None].repeat(96, 0).repeat(3, 2)
    photo = develop_photo(np.random.default_rng(2), light, coverage).astype(float)
    across = photo[:, :, 1].mean(0)
    assert np.corrcoef(across, np.sqrt(light[0, :, 0]))[0, 1] > 0.97


def test_mattes_err_by_pixels_and_only_at_the_outline():
    coverage = disc(512, 160)
    deep = disc(512, 120) > 0.5
    outer = disc(512, 200) < 0.5
    shares, inside, outside = [], [], []
    for seed in range(30):
        matte = imperfect_matte(np.random.default_rng(seed), coverage)
        assert matte.min() >= 0
        assert matte.max() <= 1
        shares.append(matte.sum() / coverage.sum())
        inside.append(matte[deep].mean())
        outside.append(matte[outer].mean())
    assert 0.97 < np.median(shares) < 1.03
    assert 0.004 < np.std(shares) < 0.06
    assert min(inside) > 0.98
    assert max(outside) < 0.02


def test_an_empty_matte_stays_empty():
    assert imperfect_matte(np.random.default_rng(0), np.zeros((40, 40), np.float32)).max() == 0
    photo = develop_photo(np.random.default_rng(0), np.zeros((40, 40, 3), np.float32), np.zeros((40, 40), np.float32))
    assert photo[..., 3].max() == 0


def test_backgrounds_are_light():
    for seed in range(30):
        light = background(np.random.default_rng(seed), (60, 80))
        assert light.shape == (60, 80, 3)
        assert light.dtype == np.float32
        assert np.isfinite(light).all()
        assert light.min() > -0.2


@pytest.mark.parametrize("size", [64, 200])
def test_the_same_seed_takes_the_same_photo(size):
    coverage = disc(size, size / 3)
    light = 0.3 * coverage[..., None].repeat(3, 2)
    first, again, other = (develop_photo(np.random.default_rng(s), light, coverage) for s in (5, 5, 6))
    assert (first == again).all()
    assert (first != other).any()
