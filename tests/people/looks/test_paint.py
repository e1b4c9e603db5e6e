"""Paints give the colours of their pictures, blurred as the spacing says, and the same for every scene."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import LookalikeError
from lookalike.people.looks.paint import Flat, ImagePaint, Scaled, Tinted, as_paint, read_paint
from lookalike.people.scene import Piece, Scene
from lookalike.render.shade import decode_srgb


def places(count: int = 500) -> np.ndarray:
    return np.random.default_rng(0).random((count, 2)).astype(np.float32)


def halves(size: int = 64) -> np.ndarray:
    """Left half black, right half white."""
    picture = np.zeros((size, size, 3), np.uint8)
    picture[:, size // 2 :] = 255
    return picture


def test_one_colour_is_that_colour_everywhere_and_on_average():
    paint = Flat((0.2, 0.4, 0.6))
    np.testing.assert_allclose(paint.sample(places(), 0.1), np.tile([0.2, 0.4, 0.6], (500, 1)), rtol=1e-6)
    np.testing.assert_allclose(paint.mean, (0.2, 0.4, 0.6), rtol=1e-6)
    assert not paint.holes


def test_a_picture_is_read_at_texel_centres_from_the_upper_left():
    picture = np.random.default_rng(1).integers(0, 256, (8, 16, 3)).astype(np.uint8)
    v, u = np.mgrid[0:8, 0:16]
    uv = np.stack([(u.ravel() + 0.5) / 16, (v.ravel() + 0.5) / 8], 1).astype(np.float32)
    found = ImagePaint(picture).sample(uv, 1e-4)
    np.testing.assert_allclose(found, decode_srgb(picture).reshape(-1, 3), atol=0.01)


def test_wide_spacing_blurs_to_the_mean():
    rng = np.random.default_rng(2)
    picture = np.where(rng.random((256, 256, 1)) < 0.5, 60, 90).astype(np.uint8).repeat(3, 2)
    fine, coarse = (ImagePaint(picture).sample(places(), spacing) for spacing in (1e-4, 0.1))
    assert fine.std() > 4 * coarse.std()
    np.testing.assert_allclose(coarse.mean(0), ImagePaint(picture).mean, rtol=0.05)


def test_the_mean_is_of_light_not_of_codes():
    np.testing.assert_allclose(ImagePaint(halves()).mean, 0.5, atol=1e-3)


def test_tiles_repeat_and_their_edges_meet():
    rng = np.random.default_rng(3)
    picture = rng.integers(0, 256, (32, 32, 3)).astype(np.uint8)
    paint = ImagePaint(picture, wrap=True)
    uv = places()
    np.testing.assert_allclose(paint.sample(uv, 1e-4), paint.sample(uv + [3, -2], 1e-4), atol=0.03)
    # Half-way between the last and the first column is the mean of both.
    edge = np.array([(1.0, (k + 0.5) / 32) for k in range(32)], np.float32)
    codes = (picture[:, 0].astype(float) + picture[:, -1]) / 2
    np.testing.assert_allclose(paint.sample(edge, 1e-4), decode_srgb(np.round(codes).astype(np.uint8)), atol=0.012)


def test_alpha_keeps_what_lies_beyond_the_hair_out():
    """Red hair on one side, invisible green on the other: between them red fades, and never greens."""
    picture = np.zeros((32, 32, 4), np.uint8)
    picture[:, :16] = (200, 0, 0, 255)
    picture[:, 16:] = (0, 255, 0, 0)
    paint = ImagePaint(picture)
    found = paint.sample(np.array([(0.1, 0.5), (0.5, 0.5), (0.9, 0.5)], np.float32), 1e-3)
    assert paint.holes
    np.testing.assert_allclose(found[:, 3], (1, 0.5, 0), atol=0.02)
    assert found[:, 1].max() == 0
    np.testing.assert_allclose(found[1, 0], decode_srgb(np.array([200], np.uint8))[0], rtol=0.05)
    np.testing.assert_allclose(paint.mean[1], 0, atol=1e-6)


def test_dyeing_keeps_light_and_dark_apart():
    paint = Tinted(ImagePaint(halves()), gain=(0.5, 0.1, 0.1), grey=1.0)
    found = paint.sample(np.array([(0.1, 0.5), (0.9, 0.5)], np.float32), 1e-3)
    np.testing.assert_allclose(found, [(0, 0, 0), (0.5, 0.1, 0.1)], atol=1e-3)
    np.testing.assert_allclose(paint.mean, (0.25, 0.05, 0.05), atol=1e-3)
    flat = Tinted(ImagePaint(np.full((8, 8, 3), 128, np.uint8)), contrast=2.0)
    np.testing.assert_allclose(flat.sample(places(3), 0.1), 0.2159, atol=2e-3)


def test_files_are_read_once_and_made_smaller(tmp_path):
    Image.fromarray(np.full((40, 80, 3), 90, np.uint8)).save(tmp_path / "cloth.png")
    paint = read_paint(tmp_path / "cloth.png", longest=20)
    assert paint.size == (20, 10)
    assert read_paint(tmp_path / "cloth.png", longest=20) is paint
    with pytest.raises(LookalikeError, match=r"missing\.png"):
        read_paint(tmp_path / "missing.png")


def test_only_pictures_are_pictures():
    with pytest.raises(ValueError, match="uint8"):
        ImagePaint(np.zeros((4, 4, 3)))
    paint = Flat((0, 0, 0))
    assert as_paint(paint) is paint
    assert isinstance(as_paint(np.zeros((4, 4, 3), np.uint8)), ImagePaint)


def test_a_piece_may_be_painted():
    """The scene asks a piece's paint for the places that rays meet, with the spacing in the unit of its texture."""
    asked = []

    class Recorder(Flat):
        def sample(self, uv: np.ndarray, spacing: float) -> np.ndarray:
            asked.append((uv, spacing))
            return super().sample(uv, spacing)

    vertices = np.array([(-1, -1, -2), (1, -1, -2), (1, 1, -2), (-1, 1, -2)], float)
    uv = np.array([(0, 4), (4, 4), (4, 0), (0, 0)], np.float32)  # two units of texture a metre
    faces = np.array([(0, 1, 2), (0, 2, 3)])
    scene = Scene([Piece("cloth", vertices, faces, uv, faces, Recorder((0.1, 0.2, 0.3)))], spacing=0.005)
    way = np.array([(0.25, 0.5, -1)], np.float32)
    points = scene.points(np.zeros(3), way, scene.cast(np.zeros(3), way))
    np.testing.assert_allclose(points.colour, [(0.1, 0.2, 0.3)], rtol=1e-6)
    (place, spacing) = asked[-1]
    np.testing.assert_allclose(place, [(3.0, 0.0)], atol=1e-5)
    assert spacing == pytest.approx(0.01)
    np.testing.assert_allclose(scene.mean_colour, [(0.1, 0.2, 0.3)], rtol=1e-6)


def test_a_scaled_paint_is_the_same_in_another_unit():
    picture = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
    paint = ImagePaint(picture)
    uv = np.random.default_rng(0).random((50, 2)).astype(np.float32)
    scaled = Scaled(paint, 3.0)
    np.testing.assert_allclose(scaled.sample(3 * uv, 0.03), paint.sample(uv, 0.01), atol=2e-2)
    assert np.array_equal(scaled.mean, paint.mean)
    assert not scaled.holes
