"""A foot that rolls: a wheel and a plank, whose ways are known."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.rig.footing import Foot


def test_a_wheel_rolls_by_its_circumference():
    """A round heel of radius r about the ankle: the ankle stays at height r and moves by r times the angle."""
    angle = np.radians(np.linspace(-180, 180, 721))
    rim = 0.1 * np.stack([np.zeros_like(angle), np.sin(angle), np.cos(angle)], 1)
    foot = Foot(np.array([0, 0.1, 0]), np.array([0, 0.1, 0.2]), rim, np.zeros(len(rim)))
    pitch = np.radians(np.linspace(-40, 0, 9))
    assert np.allclose(foot.lowest(pitch, pitch), -0.1, atol=1e-5)
    assert np.allclose(foot.advance(pitch, pitch), 0.1 * pitch, atol=1e-5)


def test_a_plank_turns_about_its_heel():
    plank = np.array([[0, -0.08, -0.05], [0, -0.08, 0.2]])
    foot = Foot(np.array([0, 0.08, 0]), np.array([0, 0.02, 0.12]), plank, np.array([0.0, 1.0]))
    pitch = np.radians(np.array([-20.0, -10.0, -1e-6]))
    c, s = np.cos(pitch), np.sin(pitch)
    heel_y, heel_z = c * -0.08 - s * -0.05, s * -0.08 + c * -0.05
    assert np.allclose(foot.lowest(pitch, pitch), heel_y)
    assert np.allclose(foot.advance(pitch, pitch), -0.05 - heel_z, atol=1e-4)  # the heel stands still


def test_toes_stay_flat_while_the_heel_lifts():
    plank = np.array([[0, -0.08, -0.05], [0, -0.08, 0.12], [0, -0.08, 0.2]])
    foot = Foot(np.array([0, 0.08, 0]), np.array([0, 0.02, 0.12]), plank, np.array([0.0, 1.0, 1.0]))
    pitch, flat = np.radians(np.array([0.0, 20.0, 40.0])), np.zeros(3)
    c, s = np.cos(pitch), np.sin(pitch)
    ball_z = s * foot.ball[1] + c * foot.ball[2]
    assert np.allclose(foot.advance(pitch, flat) + ball_z, foot.ball[2])  # the ball stands still
    assert foot.advance(np.zeros(1), np.zeros(1))[0] == pytest.approx(0)
