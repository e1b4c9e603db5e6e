"""The overlay of a body made from two triangles, over a black photo."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from lookalike.camera import Camera
from lookalike.photo.subject import Photo
from lookalike.render.over_photo import BODY_DOT, PHOTO_DOT, overlay

WIDTH, HEIGHT = 200, 160


def scene(visible=1.0):
    """A square of 1 m, 2 m away; the photo's landmarks lie at one pixel, the body's at another."""
    camera = Camera(160.0, WIDTH / 2, HEIGHT / 2, WIDTH, HEIGHT)
    vertices = np.array([[-0.5, -0.5, -2], [0.5, -0.5, -2], [0.5, 0.5, -2], [-0.5, 0.5, -2]], np.float32)
    model = SimpleNamespace(
        faces=np.array([[0, 1, 2], [0, 2, 3]]),
        landmark_points=lambda points, names: np.tile([[0.25, 0.25, -2.0]], (len(names), 1)),
    )
    body = SimpleNamespace(vertices=vertices, model=model, camera=camera)
    subject = SimpleNamespace(
        photo=Photo(np.zeros((HEIGHT, WIDTH, 3), np.uint8)),
        landmarks=np.tile(np.float32([[80, 100]]), (33, 1)),
        visibility=np.full(33, visible, np.float32),
    )
    return body, subject


def test_body_covers_its_pixels_and_nothing_else():
    picture = overlay(*scene(visible=0.0))
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert picture.dtype == np.uint8
    assert 40 < picture[80, 100].mean() < 0.75 * 255  # translucent clay over black
    assert not picture[:35].any()
    assert not picture[:, :55].any()
    assert picture[39:42, 100].max() > 200  # the outline


def test_landmarks_are_where_they_belong():
    picture = overlay(*scene())
    assert np.abs(picture[100, 80].astype(int) - PHOTO_DOT).max() < 60
    assert np.abs(picture[59, 120].astype(int) - BODY_DOT).max() < 60


def test_large_photos_are_shrunk():
    body, subject = scene()
    assert overlay(body, subject, longest=100).shape == (80, 100, 3)
    assert overlay(body, subject, longest=None).shape == (HEIGHT, WIDTH, 3)
