"""Crops: the square around the matte, at the place its camera says, empty beyond the photo."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.camera import Camera
from lookalike.maps.predict import MARGIN, crop_camera, crop_picture
from lookalike.photo.subject import Photo, Subject


def subject_of(rgb: np.ndarray, matte: np.ndarray) -> Subject:
    rows, columns = np.flatnonzero(matte.any(1)), np.flatnonzero(matte.any(0))
    box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], float)
    nothing = np.zeros((33, 2), np.float32)
    return Subject(Photo(rgb), box, matte, nothing, nothing[:, 0], np.zeros((33, 3)), None, None, None, 1.0)


def ramps(width: int, height: int) -> np.ndarray:
    """(h, w, 3) uint8: red says which column, green which row."""
    v, u = np.mgrid[0:height, 0:width] + 0.5
    return np.stack([255 * u / width, 255 * v / height, np.zeros_like(u)], -1).astype(np.uint8)


@pytest.mark.parametrize("scale", [0.35, 1.0, 2.5])
def test_the_crop_shows_what_its_camera_looks_at(scale):
    width, height = 900, 700
    matte = np.zeros((height, width), np.float32)
    matte[150:550, 300:500] = 1
    subject = subject_of(ramps(width, height), matte)
    photo = Camera.for_photo(width, height)
    size = round(scale * MARGIN * 400)
    crop = crop_camera(photo, subject.box, size)
    assert (crop.width, crop.height) == (size, size)
    picture = crop_picture(subject, photo, crop)
    points = np.array([[-0.1, 0.05, -2.0], [0.0, 0.0, -2.0], [-0.15, -0.15, -2.0]])
    at, there = crop.project(points), photo.project(points)
    u, v = np.floor(at).astype(int).T
    seen = picture[v, u, :2] / 255 * (width, height)
    assert np.abs(seen - there).max() < 6  # a grey level is 3.5 pixels
    edge = np.flatnonzero(np.diff((picture[size // 2, :, 3] > 127).astype(int))) + 1
    expected = crop.cx + (np.array([300, 500]) - photo.cx) * crop.focal / photo.focal
    assert np.abs(edge - expected).max() <= 1


def test_beyond_the_photo_there_is_nothing():
    matte = np.zeros((100, 300), np.float32)
    matte[:, 100:200] = 1  # from border to border: the square reaches beyond both
    subject = subject_of(np.full((100, 300, 3), 200, np.uint8), matte)
    photo = Camera.for_photo(300, 100)
    picture = crop_picture(subject, photo, crop_camera(photo, subject.box, 256))
    margin = int((1 - 1 / MARGIN) / 2 * 256) - 2
    assert margin > 5
    assert not picture[:margin].any() and not picture[-margin:].any()
    assert picture[128, 128].tolist() == [200, 200, 200, 255]
