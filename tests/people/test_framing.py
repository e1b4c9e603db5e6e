"""Cameras: the person is in the crop, the crop is a real pinhole's, and cut-off photos are cut off."""

from __future__ import annotations

import numpy as np

from lookalike.people.framing import FOCAL, MARGIN, random_framing

BOX = np.array([(x, y, z) for x in (-0.4, 0.4) for y in (-0.9, 0.9) for z in (-0.2, 0.2)])
SIZE = 512


def framings(count: int = 200):
    for seed in range(count):
        yield random_framing(BOX, SIZE, np.random.default_rng(seed))


def test_the_person_fills_the_crop():
    whole = 0
    for framing in framings():
        x0, y0, x1, y1 = framing.frame
        pixels = framing.view.project(BOX)
        assert framing.view.to_camera(BOX)[:, 2].max() < -0.1
        if (x0, y0, x1, y1) != (0, 0, SIZE, SIZE):
            continue
        whole += 1
        longest = np.ptp(pixels, axis=0).max()
        assert SIZE / MARGIN[1] - 1 <= longest <= SIZE / MARGIN[0] + 1
        assert np.abs(pixels.mean(0) - SIZE / 2).max() < 0.2 * SIZE
    assert 0.75 < whole / 200 < 0.95


def test_cut_off_photos_show_what_is_left():
    for framing in framings():
        x0, y0, x1, y1 = framing.frame
        assert 0 <= x0 < x1 <= SIZE
        assert 0 <= y0 < y1 <= SIZE
        assert max(x1 - x0, y1 - y0) > 0.7 * SIZE


def test_cameras_are_upright_and_all_around():
    yaw, up = [], []
    for framing in framings():
        _, upward, backward = framing.view.rotation
        assert np.allclose(framing.view.rotation @ framing.view.rotation.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(framing.view.rotation) > 0.99
        yaw.append(np.arctan2(backward[0], backward[2]))
        up.append(upward[1])
    assert np.mean(np.abs(yaw) < 0.8) > 0.5
    assert np.mean(np.abs(yaw) > 2.3) > 0.05
    assert np.min(up) > 0.6
    assert np.median(up) > 0.97


def test_the_nearer_the_camera_the_shorter_its_lens():
    """The person's share of the photo is the same for all lenses: distance over focal length lies within bounds."""
    for framing in framings(60):
        distance = np.linalg.norm(framing.view.position)
        assert distance > 1.0
        assert distance < 2.2 * FOCAL[1] / 0.45 + 1
