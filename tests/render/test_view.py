"""Orbit views: where the camera stands and what fits into its picture."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.camera import Camera
from lookalike.render.view import View, orbit

BOX = np.array([(x, y, z) for x in (-0.3, 0.5) for y in (0.0, 1.8) for z in (-0.2, 0.2)])


@pytest.mark.parametrize("yaw", [0, 40, 90, 200])
@pytest.mark.parametrize("elevation", [0, 10, -25, 60])
def test_everything_fits_and_touches_the_margin(yaw, elevation):
    pixels = orbit(BOX, (300, 400), yaw, elevation, margin=0.1).project(BOX)
    assert (pixels > [29.9, 39.9]).all()
    assert (pixels < [270.1, 360.1]).all()
    touch = np.abs(pixels - [150, 200]) / [120, 160]
    assert touch.max() == pytest.approx(1, abs=1e-6)


def test_turntable_distance_fits_every_yaw():
    views = [orbit(BOX, (300, 400), yaw, 15, margin=0.1, every_yaw=True) for yaw in range(0, 360, 10)]
    distances = [np.linalg.norm(view.position - (BOX.min(0) + BOX.max(0)) / 2) for view in views]
    assert np.ptp(distances) < 1e-9
    pixels = np.concatenate([view.project(BOX) for view in views])
    assert (pixels > [29.9, 39.9]).all()
    assert (pixels < [270.1, 360.1]).all()


def test_yaw_90_sees_the_left_side_of_a_person_facing_z():
    view = orbit(BOX, (300, 400), 90, 0)
    assert view.position[0] > 1
    assert abs(view.position[2]) < 1e-6
    # What is in front of the person is to the left of the picture.
    assert np.allclose(view.to_camera(view.position + np.array([0, 0, 1.0])), (-1, 0, 0), atol=1e-9)


def test_rotation_is_a_rotation_and_up_stays_up():
    view = orbit(BOX, (300, 400), 130, 20)
    assert np.allclose(view.rotation @ view.rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(view.rotation) == pytest.approx(1)
    assert view.rotation[0, 1] == pytest.approx(0)
    assert view.rotation[1, 1] > 0


def test_view_of_the_photo_is_the_photos_camera():
    camera = Camera(500.0, 100, 120, 200, 240)
    points = BOX - [0, 1, 4]
    assert np.allclose(View.of_photo(camera).project(points), camera.project(points))
