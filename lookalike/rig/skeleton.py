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

#: What SMPL and SMPL-X have beyond SMPL-H.
MIXAMO |= {
    "left_hand": "LeftHandMiddle1",
    "right_hand": "RightHandMiddle1",
    "jaw": "Jaw",
    "left_eye_smplhf": "LeftEye",
    "right_eye_smplhf": "RightEye",
    "left_eye": "LeftEye",
    "right_eye": "RightEye",
}

#: How far the arms hang below the horizontal in the A-pose, radians.
ARM_DROP = np.radians(45.0)


def mixamo_names(joint_names: tuple[str, ...]) -> tuple[str, ...]:
    """Mixamo's names of a body model's joints; a joint that Mixamo does not know gets its own name in CamelCase."""
    return tuple(MIXAMO.get(name) or "".join(part.title() for part in name.split("_")) for name in joint_names)


def make_skeleton(joint_names: tuple[str, ...], parents: np.ndarray, positions: np.ndarray) -> Skeleton:
    """The `Skeleton` of joints at `positions` (J, 3) of the A-pose."""
    return Skeleton(mixamo_names(joint_names), np.asarray(parents, np.int32), np.asarray(positions, np.float32))
