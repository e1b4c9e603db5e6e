"""Hanging arms and relaxed hands: what walking and standing have in common above the waist."""

from __future__ import annotations

import numpy as np

from lookalike.rig.figure import SIDES, Figure
from lookalike.rig.kinematics import about, unit

#: The collar bone's part in letting the arm down.
COLLAR = 0.3
#: How far the arm is turned about itself, degrees, so that the forearm bends towards the middle.
INWARD = 12.0
#: How far each finger's joint bends in a relaxed hand, degrees.
_CURL = {
    "Index": (10, 18, 10),
    "Middle": (14, 22, 12),
    "Ring": (17, 25, 14),
    "Pinky": (18, 25, 14),
    "Thumb": (8, 10, 14),
}
#: How far the fingers close together: 0 as spread as at rest, 1 parallel.
_CLOSE = 0.6


def hanging_arm(
    figure: Figure, side: str, swing: np.ndarray, elbow: np.ndarray, away: np.ndarray, shrug: np.ndarray
) -> dict[str, np.ndarray]:
    """Local rotations of one arm that hangs from a trunk.

    swing : (T,) degrees, positive forward.  elbow : (T,) degrees of flexion.  away : (T,) degrees further from the body
    than it must be.  shrug : (T,) degrees by which the shoulder is raised.
    """
    sign = SIDES[side]
    shoulder, elbow_joint, wrist = (figure.joint(f"{side}{n}") for n in ("Arm", "ForeArm", "Hand"))
    upper, lower = unit(elbow_joint - shoulder), unit(wrist - elbow_joint)
    way = wrist - shoulder
    drop = np.arctan2(abs(way[0]), -way[1]) - figure.hang[side] - np.radians(away)
    collar = about("z", sign * (np.radians(shrug) - COLLAR * drop))
    turn = about("x", -np.radians(swing)) @ about("z", -sign * (1 - COLLAR) * drop)
    turn = turn @ about(upper, np.full(len(swing), sign * np.radians(INWARD)))
    hinge = np.cross(lower, [0.0, 0.0, 1.0])
    return {f"{side}Shoulder": collar, f"{side}Arm": turn, f"{side}ForeArm": about(hinge, np.radians(elbow))}


def relaxed_hand(figure: Figure, side: str, curl: np.ndarray, wrist: np.ndarray) -> dict[str, np.ndarray]:
    """Local rotations of one hand and its fingers.

    curl : (T,) how bent the fingers are, 1 for a relaxed hand.  wrist : (T,) degrees, positive bends to the palm.
    """
    sign, names = SIDES[side], figure.skeleton.names
    knuckles = [f"{side}Hand{finger}1" for finger in ("Index", "Pinky", "Middle")]
    if not all(name in names for name in knuckles):
        return {}
    root = figure.joint(f"{side}Hand")
    index, pinky, middle = (figure.joint(name) - root for name in knuckles)
    palm = unit(-sign * np.cross(index, pinky))
    local = {f"{side}Hand": about(np.cross(middle, palm), np.radians(wrist))}
    for finger, bends in _CURL.items():
        for i, degrees in enumerate(bends, 1):
            name, inner, outer = (f"{side}Hand{finger}{k}" for k in (i, min(i, 2), min(i, 2) + 1))
            if name not in names or outer not in names:
                continue
            bone = figure.joint(outer) - figure.joint(inner)
            towards = palm if finger != "Thumb" else unit(palm + unit(pinky - index))
            turn = about(np.cross(bone, towards), np.radians(degrees) * curl)
            if i == 1 and finger != "Thumb":
                turn = about(palm, _CLOSE * _angle(bone, middle, palm) * curl) @ turn
            local[name] = turn
    return local


def _angle(bone: np.ndarray, target: np.ndarray, normal: np.ndarray) -> float:
    """Radians about `normal` that turn `bone` to `target`, both seen along the normal; vectors (3,)."""
    bone, target = (v - (v @ normal) * normal for v in (bone, target))
    return float(np.arctan2(np.cross(bone, target) @ normal, bone @ target))
