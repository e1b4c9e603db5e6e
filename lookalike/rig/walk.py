"""The walk: one cycle on the spot, from the person's own measures.

Angles of feet, pelvis, trunk and arms follow gait laboratories' averages (Perry and Burnfield, "Gait Analysis", 2010;
Winter, "Biomechanics and Motor Control of Human Movement", 2009). Speed and stride scale with the legs by the Froude
number, so children take shorter and quicker steps (Alexander, "Optimization and gaits", 1989). The feet roll on the
ground without sliding; hips and knees follow from the feet and the pelvis.

The walk is on the spot: the ground, and the standing foot with it, moves to -Z at the walk's speed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from scipy.interpolate import CubicHermiteSpline, PchipInterpolator

from lookalike.rig.arms import hanging_arm, relaxed_hand
from lookalike.rig.avatar import Motion
from lookalike.rig.figure import SIDES, Figure
from lookalike.rig.footing import Foot
from lookalike.rig.kinematics import about, keys
from lookalike.rig.legs import highest_root, place_legs

FRAME_RATE = 30
#: A relaxed walk: speed squared over leg length and gravity.
FROUDE = 0.15
#: Stride (two steps) in leg lengths at that speed.
STRIDE = 1.40
#: Parts of the cycle, from the heel's strike: sole flat, heel off, toes off; and where the hip passes over the ankle.
FLAT, HEEL_OFF, TOE_OFF, MIDDLE = 0.09, 0.32, 0.62, 0.22
#: The pelvis goes up and down by this part of the leg's length either way, and is highest here. With `MIDDLE` and the
#: foot's pitch this was fitted once so that an adult's knees bend as in Winter's averages (to 6 degrees).
BOB, BOB_PEAK = 0.018, 0.273
#: Speeds of the swinging ankle: at toe-off in units of the rolling foot's, at the heel's strike in strides a cycle.
LEAVE, ARRIVE = 1.6, 0.4
#: How high the swinging foot clears the ground, in leg lengths.
CLEAR = 0.036
#: Toes point outwards, degrees.
TOE_OUT = 6.0

#: Over the cycle: pitch of the foot and of the toes against the ground, degrees; positive lifts the heel.
_PITCH = np.array(
    [
        (0, -17, -21),
        (0.045, -8, -10),
        (FLAT, 0, 0),
        (HEEL_OFF, 0, 0),
        (0.42, 4, 0),
        (0.50, 13, 0),
        (0.56, 31, 6),
        (TOE_OFF, 55, 25),
        (0.67, 61, 43),
        (0.73, 50, 42),
        (0.80, 27, 22),
        (0.87, 3, -3),
        (0.92, -10, -15),
        (0.96, -16, -21),
    ]
)


@dataclass(frozen=True)
class Gait:
    """speed : metres a second.  stride : metres, two steps.  seconds : of one cycle."""

    speed: float
    stride: float
    seconds: float

    def as_json(self) -> dict[str, float]:
        """Plain numbers, for the report."""
        return asdict(self)


def gait(figure: Figure) -> Gait:
    """The gait of a person's relaxed walk; one cycle is a whole number of frames."""
    leg = figure.leg_length
    frames = max(round(FRAME_RATE * STRIDE * leg / np.sqrt(FROUDE * 9.81 * leg)), 12)
    stride = figure.stride * STRIDE * leg
    return Gait(float(stride * FRAME_RATE / frames), float(stride), frames / FRAME_RATE)


def walk(figure: Figure, frame_rate: float = FRAME_RATE) -> Motion:
    """One cycle of the walk, from the left heel's strike."""
    pace = gait(figure)
    count = round(pace.seconds * frame_rate)
    phase = np.arange(count + 1) / count
    leg = figure.leg_length
    step = {"Left": phase % 1, "Right": (phase + 0.5) % 1}
    wave = lambda harmonic, peak: np.cos(2 * np.pi * harmonic * (phase - peak))  # noqa: E731

    yaw, pitch, toe_pitch, ankles = {}, {}, {}, {}
    for side, sign in SIDES.items():
        p = step[side]
        yaw[side] = np.full(count + 1, sign * np.radians(TOE_OUT))
        pitch[side], toe_pitch[side] = _pitches(p, figure.stride)
        foot = figure.legs[side].foot
        ahead = _ahead(foot, p, pace.stride, figure.stride)
        swung = np.clip((p - TOE_OFF) / (1 - TOE_OFF), 0, 1)
        clear = CLEAR * figure.stride * leg * np.sin(np.pi * swung**0.6) ** 1.1
        ankles[side] = np.stack(
            [
                sign * figure.stance + ahead[0] * np.sin(yaw[side]),
                figure.floor + clear - foot.lowest(pitch[side], toe_pitch[side]),
                ahead[1] - pace.stride * (p - MIDDLE),
            ],
            1,
        )

    root = np.stack([0.022 * leg * wave(1, 0.28), np.zeros(count + 1), 0.009 * leg * wave(2, 0.175)], 1)
    turn = -np.radians(5.0) * wave(1, 0.0)
    drop = np.radians(3.2) * wave(1, 0.18)
    lean = np.radians(1.5 + 0.8 * wave(2, 0.02))
    pelvis = about("y", turn) @ about("z", drop) @ about("x", lean)
    root[:, 1] = _height(highest_root(figure, root, pelvis, ankles, 4.0), phase, leg * figure.stride)

    local = {"Hips": pelvis} | place_legs(figure, root, pelvis, ankles, pitch, toe_pitch, yaw)
    local |= _trunk(turn, drop, lean, wave)
    for side in SIDES:
        peak = 0.53 if side == "Left" else 0.03  # forward with the other leg, a little late
        forward = wave(1, peak)
        swing, elbow = 16 * figure.stride * forward - 4, 18 + 8 * wave(1, peak + 0.04)
        local |= hanging_arm(figure, side, swing, elbow, away=0.8 * wave(2, peak), shrug=0.8 * forward)
        local |= relaxed_hand(figure, side, 1 + 0.1 * forward, 4 - 5 * wave(1, peak + 0.14))
    return keys("walk", figure.skeleton, phase * pace.seconds, root, local)


def _pitches(phase: np.ndarray, lift: float) -> tuple[np.ndarray, np.ndarray]:
    """Pitch (T,) of foot and toes, radians, at parts of the cycle `phase` (T,): `_PITCH` times `lift`."""
    at = np.concatenate([_PITCH[:, 0] - 1, _PITCH[:, 0], _PITCH[:, 0] + 1])
    both = PchipInterpolator(at, np.radians(lift * np.tile(_PITCH[:, 1:], (3, 1))))(phase)
    return both[:, 0], both[:, 1]


def _ahead(foot: Foot, phase: np.ndarray, stride: float, lift: float) -> np.ndarray:
    """(2, T) how far the ankle is ahead of where the foot stands flat in this cycle, to be taken sideways and forward.

    In stance it rolls; in swing it goes over to the next footprint, a stride ahead, with the same speeds at both ends.
    The first row leaves out the stride.
    """
    roll = lambda p: foot.advance(*_pitches(p, lift))  # noqa: E731
    step = 1e-3
    ends = roll(np.array([TOE_OFF, 1.0]))
    slopes = (ends - roll(np.array([TOE_OFF - step, 1 - step]))) / step
    slopes[0] *= LEAVE
    slopes[1] = ARRIVE * stride
    rows = []
    for length in (0.0, stride):
        swing = CubicHermiteSpline([TOE_OFF, 1.0], ends + np.array([0, length]), slopes)
        rows.append(np.where(phase < TOE_OFF, roll(phase), swing(np.maximum(phase, TOE_OFF))))
    return np.stack(rows)


def _height(limit: np.ndarray, phase: np.ndarray, leg: float) -> np.ndarray:
    """(T,) the pelvis's height: highest when the legs pass, under the legs' reach everywhere."""
    shape = BOB * leg * np.cos(4 * np.pi * (phase - BOB_PEAK))
    return (limit - shape).min() + shape


def _trunk(turn: np.ndarray, drop: np.ndarray, lean: np.ndarray, wave) -> dict[str, np.ndarray]:
    """Spine, neck and head: the shoulders turn against the pelvis, the head looks ahead and stays level."""
    against = np.radians(4.0) * wave(1, 0.02) - turn
    parts = {"Spine": 0.25, "Spine1": 0.35, "Spine2": 0.4}
    local = {
        name: about("y", part * against) @ about("z", -part * 1.1 * drop) @ about("x", -part * 0.6 * lean)
        for name, part in parts.items()
    }
    face = np.radians(3.4) * wave(1, 0.02)
    nod = np.radians(0.7) * wave(2, 0.1)
    local["Neck"] = about("y", -0.45 * face) @ about("x", 0.5 * nod - 0.2 * lean) @ about("z", 0.05 * drop)
    local["Head"] = about("y", -0.45 * face) @ about("x", 0.5 * nod - 0.2 * lean) @ about("z", 0.05 * drop)
    return local
