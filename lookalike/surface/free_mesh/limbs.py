"""The body in ten limbs: a body model in, the limb of each vertex and which limbs meet out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from lookalike.body.model import BodyModel

#: Joint -> the limb that begins there; everything above all of them is torso.
BEGIN = {
    "neck": "head",
    "left_shoulder": "left_upper_arm",
    "left_elbow": "left_forearm",
    "right_shoulder": "right_upper_arm",
    "right_elbow": "right_forearm",
    "left_hip": "left_thigh",
    "left_knee": "left_shin",
    "right_hip": "right_thigh",
    "right_knee": "right_shin",
}
LIMBS = ("torso", *BEGIN.values())
TORSO, HEAD = 0, 1
#: The limb that a limb is a part of, with both halves of an arm and of a leg as one.
WHOLE = np.array([0, 1, 2, 2, 4, 4, 6, 6, 8, 8])
LEFT_LEG = tuple(LIMBS.index(n) for n in ("left_thigh", "left_shin"))
RIGHT_LEG = tuple(LIMBS.index(n) for n in ("right_thigh", "right_shin"))
#: A limb may anchor to a neighbour of its own up to this far beyond their border, metres.
OVERLAP = 0.07


@dataclass(frozen=True)
class BodyLimbs:
    """Where a body may be anchored to.

    Attributes
    ----------
    faces : (f, 3) the skin that can be seen from outside: neither eyes nor the mouth's inside.
    own : (f,) uint8, each face's limb.
    open_to : (f, len(LIMBS)) bool: whether a vertex of a limb may be anchored to a face: its own, and those of limbs
        next to it near their common border.
    hand : (f,) bool: skin of hands, over which no loose cloth is worn.
    """

    faces: np.ndarray
    own: np.ndarray
    open_to: np.ndarray
    hand: np.ndarray


def body_limbs(model: BodyModel) -> BodyLimbs:
    """The limbs of a model, by its skeleton."""
    limb = vertex_limbs(model)
    faces = model.faces
    if model.parts is not None:
        inner = [i for i, name in enumerate(model.part_names) if name in ("eyes", "mouth")]
        faces = faces[~np.isin(model.parts[faces], inner).any(1)]
    own = np.sort(limb[faces], 1)[:, 1]
    middle = model.template[faces].mean(1)
    open_to = own[:, None] == np.arange(len(LIMBS))
    touch = [(limb[faces] == number).any(1) for number in range(len(LIMBS))]
    for a in range(len(LIMBS)):
        for b in range(len(LIMBS)):
            border = touch[a] & touch[b]
            if a != b and border.any():
                rows = np.flatnonzero(own == b)
                near = cKDTree(middle[border]).query(middle[rows], distance_upper_bound=OVERLAP)[0] < OVERLAP
                open_to[rows[near], a] = True
    wrists = {model.joint_names.index(n) for n in ("left_wrist", "right_wrist") if n in model.joint_names}
    of_hand = np.zeros(len(model.joint_names), bool)
    for joint, parent in enumerate(model.parents):
        of_hand[joint] = joint in wrists or (parent >= 0 and of_hand[parent])
    hand = of_hand[model.weights.argmax(1)][faces].all(1)
    return BodyLimbs(faces, own, open_to, hand)


def vertex_limbs(model: BodyModel) -> np.ndarray:
    """(V,) uint8 into `LIMBS`."""
    of_joint = np.zeros(len(model.joint_names), np.uint8)
    for joint, parent in enumerate(model.parents):  # parents come first
        name = model.joint_names[joint]
        of_joint[joint] = LIMBS.index(BEGIN[name]) if name in BEGIN else of_joint[parent] if parent >= 0 else TORSO
    return of_joint[model.weights.argmax(1)]
