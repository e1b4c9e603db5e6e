from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from lookalike.export.images import encode_jpeg, encode_png, encode_texture


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(data)))


def test_noise_becomes_jpeg_and_looks_the_same():
    image = np.random.default_rng(0).normal(110, 4, (200, 300, 1)).repeat(3, 2).astype(np.uint8)
    data, mime = encode_texture(image)
    assert mime == "image/jpeg"
    assert len(data) < len(encode_png(image)) / 1.25
    error = decoded(data).astype(float) - image
    assert np.abs(error).mean() < 4
    assert np.abs(error.reshape(25, 8, -1, 4, 3).mean((1, 3))).mean() < 1  # fine grain is all it changes


def test_flat_pictures_become_png_and_are_the_same():
    image = np.full((256, 256, 3), (128, 128, 255), np.uint8)
    image[100:120, 30:90] = 7
    data, mime = encode_texture(image)
    assert mime == "image/png"
    assert (decoded(data) == image).all()


def test_grey_stays_one_channel():
    image = (np.mgrid[0:64, 0:64][0] * 3).astype(np.uint8)
    assert (decoded(encode_texture(image)[0]) == image).all()
    assert decoded(encode_jpeg(image)).shape == (64, 64)


def test_jpeg_keeps_full_colour_resolution():
    image = np.zeros((64, 64, 3), np.uint8)
    image[:, 1::2, 0] = 255  # red stripes of one pixel, which halved colour would wash out
    assert decoded(encode_jpeg(image))[:, 1::2, 0].mean() > 230
    assert decoded(encode_jpeg(image))[:, ::2, 0].mean() < 25
