"""The walk and the idle: measured on the soles of the skinned mesh."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from lookalike.rig.avatar import Avatar, Motion
from lookalike.rig.kinematics import joint_transforms, skinned
from lookalike.rig.weights import dense


def play(avatar: Avatar, motion: Motion, between: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Times and joint transforms (T, J, 4, 4) at the keys and, as a player would show them, between them."""
    times = np.linspace(0, motion.times[-1], (len(motion.times) - 1) * between + 1)
    joints = range(motion.rotations.shape[1])
    turns = [Slerp(motion.times, Rotation.from_quat(motion.rotations[:, j]))(times).as_quat() for j in joints]
    root = np.stack([np.interp(times, motion.times, motion.root[:, k]) for k in range(3)], 1)
    return times, joint_transforms(avatar.skeleton, np.stack(turns, 1), root)


def soles(avatar: Avatar, side: str) -> np.ndarray:
    """Vertices of the underside of one foot."""
    follow = dense(avatar.skin_joints, avatar.skin_weights, len(avatar.skeleton.names))
    names = list(avatar.skeleton.names)
    mine = follow[:, [names.index(f"{side}{n}") for n in ("Foot", "ToeBase")]].sum(1) > 0.5
    return np.flatnonzero(mine & (avatar.vertices[:, 1] < 0.01 * np.ptp(avatar.vertices[:, 1])))


def track(avatar: Avatar, rows: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """(T, k, 3) vertices `rows` over time."""
    skin = avatar.vertices[rows], avatar.skin_joints[rows], avatar.skin_weights[rows]
    return np.stack([skinned(*skin, x) for x in transforms])


def motion_of(avatar: Avatar, name: str) -> Motion:
    return next(m for m in avatar.motions if m.name == name)


def test_there_are_a_walk_and_an_idle_with_keys_that_close(avatar):
    assert [m.name for m in avatar.motions] == ["walk", "idle"]
    for motion in avatar.motions:
        assert motion.times[0] == 0
        assert np.allclose(np.diff(motion.times), 1 / 30, atol=1e-5)
        assert np.array_equal(motion.rotations[0], motion.rotations[-1])
        assert np.array_equal(motion.root[0], motion.root[-1])
        assert np.abs(np.linalg.norm(motion.rotations, axis=2) - 1).max() < 1e-6


def test_velocities_go_on_over_the_seam(avatar):
    """The step over the seam is no larger a change of speed than the steps within."""
    for motion in avatar.motions:
        for values in (motion.root, motion.rotations.reshape(len(motion.times), -1)):
            steps = np.diff(values, axis=0)
            change = np.abs(np.diff(np.concatenate([steps, steps[:1]]), axis=0)).max(1)
            half = len(change) // 2  # the other leg does the same half a walk later
            assert change[-1] < 1.3 * change[half - 2 : half + 2].max() + 1e-3


def test_no_foot_goes_below_the_ground(avatar):
    for motion in avatar.motions:
        _, transforms = play(avatar, motion)
        for side in ("Left", "Right"):
            assert track(avatar, soles(avatar, side), transforms)[..., 1].min() > -0.003


def test_the_standing_foot_goes_back_at_the_walks_speed(avatar):
    """Vertices on the ground move with the ground, within a twentieth of its speed, from one key to the next and in
    between, from the key after the heel's strike to the one before the toes leave."""
    walk, speed = motion_of(avatar, "walk"), avatar.report["motions"]["walk"]["speed"]
    times, transforms = play(avatar, walk)
    for side in ("Left", "Right"):
        path = track(avatar, soles(avatar, side), transforms)
        velocity = np.diff(path, axis=0) / np.diff(times)[:, None, None] + [0, 0, speed]
        standing = path[::2, :, 1].min(1) < 0.001
        standing = np.repeat(standing[:-1] & standing[1:], 2)
        down = (path[:-1, :, 1] < 0.003) & (path[1:, :, 1] < 0.003) & standing[:, None]
        slip = np.array(
            [np.linalg.norm(v[d][:, [0, 2]], axis=1).mean() for v, d in zip(velocity, down, strict=True) if d.any()]
        )
        assert 0.5 < standing.mean() < 0.65  # stance is three fifths of a cycle
        assert down[standing].any(1).mean() > 0.9
        assert slip.max() < 0.05 * speed
        assert slip.mean() < 0.02 * speed


def test_planted_feet_stay_where_they_are(avatar):
    _, transforms = play(avatar, motion_of(avatar, "idle"))
    for side in ("Left", "Right"):
        path = track(avatar, soles(avatar, side), transforms)
        assert np.abs(path - path[0]).max() < 1e-3
        assert abs(path[..., 1].min()) < 1e-3


def test_left_and_right_walk_alike(avatar):
    """The right side does what the left does, mirrored, half a cycle later."""
    walk, names = motion_of(avatar, "walk"), list(avatar.skeleton.names)
    half = (len(walk.times) - 1) / 2
    for joint in ("UpLeg", "Leg", "Foot", "Arm", "ForeArm"):
        left, right = (walk.rotations[:, names.index(f"{side}{joint}")] for side in ("Left", "Right"))
        later = Slerp(walk.times, Rotation.from_quat(right))((walk.times + half / 30) % walk.times[-1])
        mirrored = Rotation.from_quat(later.as_quat() * [1, -1, -1, 1])
        assert np.degrees((mirrored * Rotation.from_quat(left).inv()).magnitude()).max() < 4


def test_knees_bend_as_peoples_do(avatar):
    """Nearly straight at the heel's strike, about 60 degrees in swing (Winter, 2009); never backwards."""
    walk, names = motion_of(avatar, "walk"), list(avatar.skeleton.names)
    knee = Rotation.from_quat(walk.rotations[:, names.index("LeftLeg")])
    bend = np.degrees(knee.magnitude())
    assert bend[0] < 15
    assert 50 < bend.max() < 75
    assert (knee.as_rotvec()[:, 0] > -1e-3).all()


def test_arms_swing_against_the_legs(average):
    walk, names = motion_of(average, "walk"), list(average.skeleton.names)
    _, transforms = play(average, walk, 1)
    rows = [
        np.flatnonzero(dense(average.skin_joints, average.skin_weights, len(names))[:, names.index(n)] > 0.9)
        for n in ("LeftHand", "LeftFoot")
    ]
    hand, foot = (track(average, r, transforms)[..., 2].mean(1) for r in rows)
    assert np.corrcoef(hand, foot)[0, 1] < -0.7


def test_hands_stay_clear_of_the_body(avatar):
    """At no height and depth does a forearm or hand reach further in than the trunk and the legs reach out."""
    names = list(avatar.skeleton.names)
    follow = dense(avatar.skin_joints, avatar.skin_weights, len(names))
    arms = [j for j, n in enumerate(names) if "Arm" in n or "Hand" in n]
    hand = np.flatnonzero(
        follow[:, [j for j in arms if names[j].startswith(("LeftHand", "LeftForeArm"))]].sum(1) > 0.98
    )
    trunk = np.flatnonzero(follow[:, arms].sum(1) < 0.02)
    for motion in avatar.motions:
        _, transforms = play(avatar, motion, 1)
        for x in transforms[::3]:
            a, b = (track(avatar, rows, x[None])[0] for rows in (hand, trunk))
            cell = lambda v: tuple(np.floor(v[:, 1:] / 0.03).astype(int).T + 50)  # noqa: E731
            edge = np.full((150, 150), -np.inf)
            np.maximum.at(edge, cell(b), b[:, 0])
            assert (a[:, 0] - edge[cell(a)]).min() > 0


def test_speed_and_cadence_follow_the_legs(person):
    tall, child = (person(n).report["motions"]["walk"] for n in ("tall", "child"))
    assert tall["speed"] > 1.2 > 1.0 > child["speed"]
    assert child["seconds"] < tall["seconds"]
    for gait in (tall, child):
        assert gait["speed"] * gait["seconds"] == pytest.approx(gait["stride"])
