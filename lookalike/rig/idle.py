"""Standing at ease: breathing, the weight going from leg to leg, a head that is not quite still; the feet do not
move."""

from __future__ import annotations

import numpy as np

from lookalike.rig.arms import hanging_arm, relaxed_hand
from lookalike.rig.avatar import Motion
from lookalike.rig.figure import SIDES, Figure
from lookalike.rig.kinematics import about, keys
from lookalike.rig.legs import highest_root, place_legs

FRAME_RATE = 30
#: Seconds of the loop, in which a person breathes twice and shifts the weight once to each side.
SECONDS = 6.0
#: Toes point outwards, degrees.
TOE_OUT = 9.0


def idle(figure: Figure, frame_rate: float = FRAME_RATE) -> Motion:
    """The loop of a person standing at ease."""
    count = round(SECONDS * frame_rate)
    phase = np.arange(count + 1) / count
    still = np.zeros(count + 1)
    leg = figure.leg_length
    wave = lambda harmonic, peak: np.cos(2 * np.pi * harmonic * (phase - peak))  # noqa: E731
    # Breathing out takes longer than breathing in.
    turn = 2 * np.pi * 2 * phase
    breath = -np.cos(turn + 0.4 * np.sin(turn))

    yaw, ankles = {}, {}
    for side, sign in SIDES.items():
        foot = figure.legs[side].foot
        yaw[side] = np.full(count + 1, sign * np.radians(TOE_OUT))
        apart = max(0.95 * abs(figure.legs[side].hip[0]), figure.stance)
        height = figure.floor - foot.lowest(still[:1], still[:1])[0]
        ahead = 0.012 * leg * sign - 0.02 * leg  # hips over the middle of the feet, one foot a little ahead
        ankles[side] = np.tile([sign * apart, height, ahead], (count + 1, 1))

    shift = wave(1, 0.2) + 0.22 * wave(2, 0.05)
    root = np.stack([0.017 * leg * shift, still, 0.004 * leg * (wave(1, 0.45) + 0.5 * wave(2, 0.3))], 1)
    roll = np.radians(1.3) * shift
    twist = np.radians(1.2) * wave(1, 0.35)
    pelvis = about("y", twist) @ about("z", roll) @ about("x", np.radians(0.3) * wave(1, 0.6))
    limit = highest_root(figure, root, pelvis, ankles, 4.0)
    root[:, 1] = limit.min() + 0.0012 * leg * (breath - 1)

    local = {"Hips": pelvis} | place_legs(figure, root, pelvis, ankles, *(dict.fromkeys(SIDES, still),) * 2, yaw)
    local |= {
        "Spine": about("z", -0.5 * roll) @ about("x", np.radians(-0.2) * breath),
        "Spine1": about("z", -0.5 * roll) @ about("x", np.radians(-0.5) * breath) @ about("y", -0.4 * twist),
        "Spine2": about("z", -0.3 * roll) @ about("x", np.radians(-0.9) * breath) @ about("y", -0.4 * twist),
        "Neck": about("x", np.radians(0.9) * breath) @ about("y", np.radians(1.0) * wave(1, 0.7)),
        "Head": about("y", np.radians(2.4) * (wave(1, 0.72) + 0.3 * wave(2, 0.1)))
        @ about("x", np.radians(0.6) * breath + np.radians(0.9) * wave(1, 0.15))
        @ about("z", 0.3 * roll + np.radians(0.6) * wave(1, 0.5)),
    }
    for side in SIDES:
        late = 0.06 if side == "Left" else 0.09
        swing = -1.5 + 0.8 * wave(1, 0.45 + late) + 0.3 * wave(2, late)
        elbow = 13 + 1.0 * wave(1, 0.5 + late) + 0.7 * breath
        local |= hanging_arm(figure, side, swing, elbow, away=0.6 * (1 + breath), shrug=1.1 * breath)
        local |= relaxed_hand(figure, side, 1.05 + 0.06 * wave(1, 0.3 + late), 3 + 1.5 * wave(1, late))
    return keys("idle", figure.skeleton, phase * SECONDS, root, local)
