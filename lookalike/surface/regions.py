"""Which parts of a body clothes may draw out: a body model in, one number a vertex out.

Hands and the face keep the body's form; the scalp, the ears and everything below the chin follow the outline. Models
without part labels are read by their skin weights, which name the joints.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.body.model import BodyModel

#: How much longer lengths along a limb count than those around it (`smooth.energies`).
STRETCH = 1.5
#: The joints whose limb has an axis, with the joint that the axis points to.
LIMBS = {
    "left_hip": "left_knee",
    "left_knee": "left_ankle",
    "right_hip": "right_knee",
    "right_knee": "right_ankle",
    "left_shoulder": "left_elbow",
    "left_elbow": "left_wrist",
    "right_shoulder": "right_elbow",
    "right_elbow": "right_wrist",
    "pelvis": "spine1",
    "spine1": "spine2",
    "spine2": "spine3",
}


@dataclass(frozen=True)
class Regions:
    """What drawing out needs to know about a body model's V vertices.

    Attributes
    ----------
    keep : (V,) in [0, 1]: 1 keeps the body's form (hands, face), 0 follows the outline.
    drape : (V,) in [0, 1]: 1 where cloth may bridge the body's hollows: neither head nor hands.
    foot : (V,) in [0, 1].
    axes : (V, 3) limb axes in the rest pose for `smooth.energies`.
    bones : (V, b) weights of the bones that outlines may shift: the body's joints, each hand and the head one piece.
    bone_joints : (b,) the joints of the bones.  bone_parents : (b,) each bone's parent among the bones, -1 for the root.
    bone_of_joint : (J,) the bone that each joint goes with.
    """

    keep: np.ndarray
    drape: np.ndarray
    foot: np.ndarray
    axes: np.ndarray
    bones: np.ndarray
    bone_joints: np.ndarray
    bone_parents: np.ndarray
    bone_of_joint: np.ndarray


def find_regions(model: BodyModel) -> Regions:
    """The regions of a model; joints are known by SMPL's names."""
    names = list(model.joint_names)
    rest, joints, weights = model.template, model.joint_template, model.weights
    owner = _bone_of_joint(model)
    bone_joints = np.unique(owner)
    place = {int(j): b for b, j in enumerate(bone_joints)}
    bones = np.zeros((len(rest), len(bone_joints)))
    for joint, bone in enumerate(owner):
        bones[:, place[int(bone)]] += weights[:, joint]
    parents = np.array([place[int(owner[model.parents[j]])] if model.parents[j] >= 0 else -1 for j in bone_joints])

    weight_of = lambda name: bones[:, place[names.index(name)]]  # noqa: E731
    head = weight_of("head")
    hand = weight_of("left_wrist") + weight_of("right_wrist")
    feet = ("left_ankle", "right_ankle", "left_foot", "right_foot")
    foot = np.sum([weight_of(n) for n in names if n in feet], axis=0)
    face, throat = _face(rest, head, joints[names.index("head")], joints[names.index("neck")])
    keep = np.maximum.reduce([face, throat, _step(hand, 0.3, 0.9), _ears(model, head)])
    if model.parts is not None:
        inner = [i for i, n in enumerate(model.part_names) if n in ("eyes", "mouth")]
        keep = np.where(np.isin(model.parts, inner), 1.0, keep)

    axes = np.zeros((len(rest), 3))
    for name, end in LIMBS.items():
        if name in names and end in names:
            bone = joints[names.index(end)] - joints[names.index(name)]
            axes += STRETCH * weights[:, names.index(name), None] * bone / np.linalg.norm(bone)
    return Regions(
        keep=keep,
        drape=_drape(rest, joints, names),
        foot=_step(foot, 0.3, 0.9),
        axes=axes,
        bones=bones,
        bone_joints=bone_joints,
        bone_parents=parents.astype(int),
        bone_of_joint=np.array([place[int(j)] for j in owner]),
    )


def _bone_of_joint(model: BodyModel) -> np.ndarray:
    """(J,) each joint's own index, but the wrist's for fingers and the head's for what hangs on the head."""
    owner = np.arange(len(model.joint_names))
    whole = {model.joint_names.index(n) for n in ("left_wrist", "right_wrist", "head")}
    for joint, parent in enumerate(model.parents):  # parents come first
        if parent >= 0 and owner[parent] in whole:
            owner[joint] = owner[parent]
    return owner


def _face(rest: np.ndarray, head: np.ndarray, joint: np.ndarray, neck: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(V,) how much a vertex belongs to the face, from the chin to the hairline and the ears; and to the throat."""
    inside = head > 0.5
    low, high = rest[inside].min(0), rest[inside].max(0)
    up = (rest[:, 1] - low[1]) / (high[1] - low[1])
    forward = (rest[:, 2] - joint[2]) / (high[2] - joint[2])
    face = _step(forward, 0.2, 0.55) * _step(-up, -0.86, -0.7) * _step(head, 0.2, 0.7)
    near = _step(rest[:, 1], neck[1] - 0.06, neck[1]) * _step(-np.abs(rest[:, 0]), -0.09, -0.05)
    throat = 0.6 * near * _step(rest[:, 2] - joint[2], -0.05, 0.0) * (head < 0.999)
    return face, throat


def _drape(rest: np.ndarray, joints: np.ndarray, names: list[str]) -> np.ndarray:
    """(V,) 0 above the collar bones, beyond the wrists and in the crotch, 1 from a hand's breadth away."""
    neck, out = joints[names.index("neck")], np.ones(len(rest))
    for name, elbow in (("left_wrist", "left_elbow"), ("right_wrist", "right_elbow")):
        bone = joints[names.index(elbow)] - joints[names.index(name)]
        along = (rest - joints[names.index(name)]) @ bone / np.linalg.norm(bone)
        out *= _step(along, 0.03, 0.13)
    # The thighs' insides face each other there: bridging would push one into the other.
    hips = (joints[names.index("left_hip")] + joints[names.index("right_hip")]) / 2
    crotch = hips - [0, 0.09, 0]
    out *= _step(np.linalg.norm((rest - crotch) * [1, 1, 0.5], axis=1), 0.05, 0.11)
    return out * _step(np.linalg.norm(rest - neck, axis=1), 0.13, 0.26) * (rest[:, 1] < neck[1])


def _ears(model: BodyModel, head: np.ndarray) -> np.ndarray:
    """(V,) how much a vertex belongs to an ear."""
    names = [n for n in ("left_ear", "right_ear") if n in model.landmarks]
    if not names:
        return np.zeros(len(head))
    ears = model.landmark_points(model.template, names)
    distance = np.linalg.norm(model.template[:, None] - ears, axis=-1).min(1)
    return _step(-distance, -0.04, -0.028) * _step(head, 0.2, 0.7)


def _step(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
