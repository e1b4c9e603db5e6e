"""The skeleton: the body model's joints, under the names that animation tools know, in the A-pose."""

from __future__ import annotations

import numpy as np

from lookalike.rig.avatar import Skeleton

#: SMPL-H joint name -> Mixamo's name without prefix.
MIXAMO = {
    "pelvis": "Hips",
    "spine1": "Spine",
    "spine2": "Spine1",
    "spine3": "Spine2",
    "neck": "Neck",
    "head": "Head",
}
for _side in ("left", "right"):
    _limb = {"hip": "UpLeg", "knee": "Leg", "ankle": "Foot", "foot": "ToeBase", "collar": "Shoulder"} | {
        "shoulder": "Arm",
        "elbow": "ForeArm",
        "wrist": "Hand",
    }
    MIXAMO |= {f"{_side}_{part}": f"{_side.title()}{name}" for part, name in _limb.items()}
    for _finger in ("index", "middle", "pinky", "ring", "thumb"):
        MIXAMO |= {f"{_side}_{_finger}{i}": f"{_side.title()}Hand{_finger.title()}{i}" for i in (1, 2, 3)}

#: How far the arms hang below the horizontal in the A-pose, radians.
ARM_DROP = np.radians(45.0)


def make_skeleton(joint_names: tuple[str, ...], parents: np.ndarray, positions: np.ndarray) -> Skeleton:
    """The `Skeleton` of joints at `positions` (J, 3) of the A-pose."""
    return Skeleton(
        tuple(MIXAMO[name] for name in joint_names), np.asarray(parents, np.int32), np.asarray(positions, np.float32)
    )
