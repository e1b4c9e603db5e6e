"""What human joints can do: soft limits and a plain pose prior, in the axes of the T-pose.

Angles are axis-angle components in radians about X (to the person's left), Y (up) and Z (ahead). With the arms along X
and the legs down, a knee bends about +X, a left elbow about -Y, left fingers curl about -Z.
"""

from __future__ import annotations

import numpy as np

from lookalike.body.model import JOINTS

#: Left side and middle: joint -> ((x low, x high), (y low, y high), (z low, z high), standard deviation of the prior).
_LIMITS = {
    "pelvis": ((-9, 9), (-9, 9), (-9, 9), 99.0),
    "left_hip": ((-2.3, 0.7), (-0.9, 0.9), (-0.6, 1.3), 0.9),
    "left_knee": ((-0.05, 2.6), (-0.25, 0.25), (-0.15, 0.15), 1.2),
    "left_ankle": ((-0.6, 0.9), (-0.45, 0.45), (-0.4, 0.4), 0.35),
    "left_foot": ((-0.9, 0.3), (-0.1, 0.1), (-0.1, 0.1), 0.2),
    "spine1": ((-0.3, 0.6), (-0.3, 0.3), (-0.3, 0.3), 0.25),
    "spine2": ((-0.3, 0.5), (-0.4, 0.4), (-0.3, 0.3), 0.25),
    "spine3": ((-0.3, 0.4), (-0.4, 0.4), (-0.3, 0.3), 0.2),
    "neck": ((-0.6, 0.6), (-0.7, 0.7), (-0.4, 0.4), 0.35),
    "head": ((-0.5, 0.5), (-0.6, 0.6), (-0.4, 0.4), 0.35),
    "left_collar": ((-0.2, 0.2), (-0.4, 0.3), (-0.15, 0.5), 0.2),
    "left_shoulder": ((-1.6, 1.6), (-2.2, 1.2), (-1.7, 1.7), 1.2),
    "left_elbow": ((-1.4, 1.4), (-2.6, 0.05), (-0.3, 0.3), 1.2),
    "left_wrist": ((-0.5, 0.5), (-0.6, 0.6), (-1.3, 1.3), 0.5),
}


def _finger(name: str) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float], float]:
    if "thumb" in name:
        return (-0.6, 0.6), (-0.7, 0.7), (-0.7, 0.7), 0.35
    spread = 0.3 if name.endswith("1") else 0.05
    return (-0.1, 0.1), (-spread, spread), (-1.7, 0.25), 0.5


def joint_limits() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Low (52, 3), high (52, 3) and the prior's standard deviation (52, 3), radians, in the order of `JOINTS`."""
    low, high, deviation = (np.zeros((len(JOINTS), 3), np.float32) for _ in range(3))
    for j, name in enumerate(JOINTS):
        mine = name.replace("right_", "left_")
        *ranges, sigma = _LIMITS.get(mine) or _finger(mine)
        low[j], high[j] = np.array(ranges).T
        deviation[j] = np.minimum(sigma, np.maximum(-low[j], high[j]))
        if name.startswith("right_"):  # the mirror image turns the other way about Y and Z
            low[j, 1:], high[j, 1:] = -high[j, 1:].copy(), -low[j, 1:].copy()
    return low, high, deviation
