"""Legs whose feet are where they must be: pelvis and ankles in, joint rotations out."""

from __future__ import annotations

import numpy as np

from lookalike.rig.figure import SIDES, Figure
from lookalike.rig.kinematics import about, bend, bone_turn

FORWARD = np.array([0.0, 0.0, 1.0])


def place_legs(
    figure: Figure,
    root: np.ndarray,
    pelvis: np.ndarray,
    ankles: dict[str, np.ndarray],
    pitch: dict[str, np.ndarray],
    toe_pitch: dict[str, np.ndarray],
    yaw: dict[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Local rotations of thighs, shins, feet and toes.

    root : (T, 3) the pelvis joint.  pelvis : (T, 3, 3) its rotation.  By side: ankles : (T, 3);  pitch, toe_pitch :
    (T,) radians against the ground, positive lifts the heel;  yaw : (T,) radians that the foot turns, positive to
    the left. The knees point half way between the pelvis and the foot.
    """
    local = {}
    for side in SIDES:
        leg = figure.legs[side]
        hip = hip_joint(figure, side, root, pelvis)
        ahead = np.einsum("tab,b->ta", pelvis, FORWARD) + np.einsum("tab,b->ta", about("y", yaw[side]), FORWARD)
        upper, lower = float(np.linalg.norm(leg.thigh)), float(np.linalg.norm(leg.shin))
        knee, axis = bend(hip, ankles[side], upper, lower, ahead)
        thigh = bone_turn(leg.thigh, FORWARD, knee - hip, axis)
        shin = bone_turn(leg.shin, FORWARD, ankles[side] - knee, axis)
        foot = about("y", yaw[side]) @ about("x", pitch[side])
        toes = about("y", yaw[side]) @ about("x", toe_pitch[side])
        chain = [pelvis, thigh, shin, foot, toes]
        for name, before, after in zip(("UpLeg", "Leg", "Foot", "ToeBase"), chain, chain[1:], strict=False):
            local[f"{side}{name}"] = before.swapaxes(1, 2) @ after
    return local


def hip_joint(figure: Figure, side: str, root: np.ndarray, pelvis: np.ndarray) -> np.ndarray:
    """(T, 3) positions of a hip joint."""
    return root + np.einsum("tab,b->ta", pelvis, figure.legs[side].hip - figure.skeleton.positions[0])


def highest_root(
    figure: Figure, root: np.ndarray, pelvis: np.ndarray, ankles: dict[str, np.ndarray], flexion: float
) -> np.ndarray:
    """(T,) how high the pelvis joint may be so that both knees bend by at least `flexion` degrees.

    root : (T, 3), of which x and z count; the others as in `place_legs`.
    """
    limit = np.full(len(root), np.inf)
    for side in SIDES:
        leg = figure.legs[side]
        a, b = np.linalg.norm(leg.thigh), np.linalg.norm(leg.shin)
        reach = a * a + b * b + 2 * a * b * np.cos(np.radians(flexion))
        hip = hip_joint(figure, side, root, pelvis)
        flat = ((hip - ankles[side])[:, [0, 2]] ** 2).sum(1)
        above = ankles[side][:, 1] + np.sqrt(np.maximum(reach - flat, 0))
        limit = np.minimum(limit, above - (hip[:, 1] - root[:, 1]))
    return limit
