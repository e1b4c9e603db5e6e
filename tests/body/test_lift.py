"""The correction of 3D landmarks keeps left and right alike and moves points by a plausible amount."""

from __future__ import annotations

import numpy as np

from lookalike.body import load_body
from lookalike.body.lift import MIRRORED, features, lift
from lookalike.camera import Camera
from lookalike.photo.subject import POSE_LANDMARKS


def standing() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    model, camera = load_body(), Camera.for_photo(600, 800)
    pose = np.zeros((52, 3))
    pose[16], pose[17] = [0, 0, -1.0], [0, 0, 0.7]
    body = model.posed(np.zeros(16), pose, np.array([0, 0, -3.0]), camera)
    points = model.landmark_points(body.vertices, list(POSE_LANDMARKS))
    hips = points[[POSE_LANDMARKS.index("left_hip"), POSE_LANDMARKS.index("right_hip")]].mean(0)
    return camera.project(points), np.full(33, 0.95), points - hips


def test_features_know_nothing_of_place_and_size():
    pixels, seen, world = standing()
    np.testing.assert_allclose(features(pixels, seen, world), features(3 * pixels + 50, seen, world), atol=1e-5)
    assert features(pixels, seen, world).shape == (198,)


def test_the_mirror_image_gives_the_mirrored_answer():
    pixels, seen, world = standing()
    flip = np.array([-1, 1, 1])
    straight = lift(pixels, seen, world)
    mirrored = lift(pixels[MIRRORED] * [-1, 1], seen[MIRRORED], world[MIRRORED] * flip)
    np.testing.assert_allclose(mirrored[MIRRORED] * flip, straight, atol=1e-5)


def test_the_correction_is_moderate():
    pixels, seen, world = standing()
    assert 0.001 < np.linalg.norm(lift(pixels, seen, world) - world, axis=1).mean() < 0.2
