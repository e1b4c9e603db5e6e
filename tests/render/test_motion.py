"""Posing an avatar: a two-joint arm whose bends are known."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.appearance.material import Material
from lookalike.render.motion import motion_strip, pose_at, pose_avatar
from lookalike.rig.avatar import Avatar, Motion, Skeleton
from lookalike.surface.mesh import Surface

HALF = np.sqrt(0.5)
REST = np.array([[0, 0, 0], [0, 0, 0]], float)


@pytest.fixture(scope="module")
def arm():
    """An arm along +X from (0, 1, 0) with its elbow at x = 1, which bends by 90 degrees about Z and back."""
    vertices = np.array([[0, 1, 0], [0.5, 1, 0.1], [1.5, 1, 0], [2, 1, 0], [2, 1, 0.2]], np.float32)
    faces = np.array([[0, 1, 2], [2, 1, 3], [2, 3, 4]], np.int32)
    joints = np.array([[0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]], np.uint8)
    weights = np.tile(np.array([1, 0, 0, 0], np.float32), (5, 1))
    skeleton = Skeleton(("Hips", "Elbow"), np.array([-1, 0]), np.array([[0, 1, 0], [1, 1, 0]], np.float32))
    still, bent = [0, 0, 0, 1], [0, 0, HALF, HALF]
    motion = Motion(
        "bend",
        np.array([0, 1, 2], np.float32),
        np.array([[still, still], [still, bent], [still, still]], np.float32),
        np.array([[0, 1, 0], [0, 3, 0], [0, 1, 0]], np.float32),
    )
    grey = np.full((4, 4, 3), 128, np.uint8)
    material = Material(grey, grey[..., 0], None, np.ones((4, 4), np.float32))
    surface = Surface(vertices, faces, None, np.zeros((5, 2), np.float32), faces, None)
    return Avatar("arm", vertices, joints, weights, skeleton, {}, (motion,), material, surface, None)


def test_rest_rotations_give_the_rest_pose(arm):
    still = np.tile([0.0, 0, 0, 1], (2, 1))
    assert np.allclose(pose_avatar(arm, still, np.array([0, 1, 0])), arm.vertices, atol=1e-6)


def test_elbow_bends_the_forearm_only(arm):
    posed = pose_avatar(arm, *pose_at(arm.motions[0], 1.0))
    assert np.allclose(posed[:2], arm.vertices[:2] + np.array([0, 2, 0]), atol=1e-6)
    assert np.allclose(posed[3], (1, 4, 0), atol=1e-6)


def test_root_turns_the_whole_arm(arm):
    turned = pose_avatar(arm, np.array([[0, HALF, 0, HALF], [0, 0, 0, 1]]), np.array([0, 1, 0]))
    assert np.allclose(turned[3], (0, 1, -2), atol=1e-6)


def test_between_keys_the_angle_is_shared_evenly_and_time_wraps(arm):
    rotations, root = pose_at(arm.motions[0], 0.5)
    angle = 2 * np.degrees(np.arccos(rotations[1, 3]))
    assert angle == pytest.approx(45, abs=1e-4)
    assert root[1] == pytest.approx(2)
    again, _ = pose_at(arm.motions[0], 2.5)
    assert np.allclose(again, rotations)


def test_strip_shows_the_moments_side_by_side(arm):
    strip = motion_strip(arm, "bend", (0.0, 0.5, 1.0), size=(40, 60), yaw=0)
    assert strip.shape == (60, 120, 3)
    assert not np.array_equal(strip[:, :40], strip[:, 80:])
    with pytest.raises(ValueError, match="bend"):
        motion_strip(arm, "swim", (0.0,))
