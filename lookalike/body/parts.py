"""Which part of the body a vertex belongs to, from the joint that moves it most."""

from __future__ import annotations

import numpy as np

from lookalike.body.model import JOINTS, PARTS

_LIMBS = {"hip": "leg", "knee": "leg", "ankle": "foot", "foot": "foot", "shoulder": "arm", "elbow": "arm"}


def part_of(joint: str) -> str:
    """The name in `PARTS` of what moves with a joint of `JOINTS`."""
    if joint in ("neck", "head"):
        return joint
    side, _, kind = joint.partition("_")
    if kind in ("", "collar"):
        return "torso"
    return f"{side}_{_LIMBS.get(kind, 'hand')}"


def dominant_parts(weights: np.ndarray) -> np.ndarray:
    """(V,) uint8 into `PARTS` for skin weights (V, J) in the order of `JOINTS`."""
    of_joint = np.array([PARTS.index(part_of(j)) for j in JOINTS], np.uint8)
    return of_joint[weights.argmax(1)]
