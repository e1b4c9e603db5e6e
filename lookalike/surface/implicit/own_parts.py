"""The parts of a body that a free mesh takes over from it: face, hands and arms, as fields on the body model.

A region is (V,) in [0, 1], 0.5 at its border; all zero for what the model does not know.
"""

from __future__ import annotations

import numpy as np

from lookalike.body.model import BodyModel

SIDES = ("left", "right")
#: Where arms may begin, as shares of the way from shoulder to elbow: where the skin weights say, or farther down.
CUTS = (-1.0, 0.6)
#: Width over which regions fade, metres at the template's size.
FADE = 0.02


def face_region(model: BodyModel) -> np.ndarray:
    """(V,) the face: what moves with expressions, between brows and chin, off the hairline and the ears."""
    none = np.zeros(len(model.template))
    marks = ("left_eye", "right_eye", "left_ear", "right_ear", "nose", "mouth_left")
    if not model.face_shapes or model.parts is None or any(name not in model.landmarks for name in marks):
        return none
    left, right, left_ear, right_ear, nose, mouth = model.landmark_points(model.template, marks)
    eyes, ears = (left + right) / 2, (left_ear + right_ear) / 2
    unit = eyes[1] - mouth[1]  # all faces are measured by the height of the eyes above the mouth
    x, y, z = model.template.T
    across = np.abs(x - eyes[0])
    top = (eyes[1] + 0.36 * unit) - y
    bottom = y - (mouth[1] - 0.85 * unit)
    front = z - (ears[2] + 0.45 * (nose[2] - ears[2]))
    side = 0.92 * np.abs(left_ear[0] - right_ear[0]) / 2 - across
    inside = _soft_least(np.stack([top, bottom, front, side]), 0.006)
    head = [k for k, name in enumerate(model.part_names) if name in ("head", "mouth", "eyes")]
    face = np.where(np.isin(model.parts, head), np.clip(0.5 + inside / FADE, 0, 1), 0)
    return np.where(model.parts == model.part_names.index("mouth"), 1.0, face)


def hand_region(model: BodyModel, side: str) -> np.ndarray:
    """(V,) a hand, from a little beyond the wrist to the finger tips."""
    wrist, elbow = f"{side}_wrist", f"{side}_elbow"
    if not {wrist, elbow} <= set(model.joint_names):
        return np.zeros(len(model.template))
    joint, before = (model.joint_template[model.joint_names.index(name)] for name in (wrist, elbow))
    along = joint - before
    beyond = (model.template - joint) @ along / np.linalg.norm(along) - 0.01
    return np.where(_follow(model, wrist) > 0.3, np.clip(0.5 + beyond / FADE, 0, 1), 0)


def arm_region(model: BodyModel, side: str, share: float) -> np.ndarray:
    """(V,) an arm, from a share of the way from shoulder to elbow on."""
    ends = [f"{side}_shoulder", f"{side}_elbow"]
    if not set(ends) <= set(model.joint_names):
        return np.zeros(len(model.template))
    shoulder, elbow = (model.joint_template[model.joint_names.index(name)] for name in ends)
    along = elbow - shoulder
    beyond = (model.template - shoulder - share * along) @ along / np.linalg.norm(along)
    return np.where(_follow(model, ends[0]) > 0.5, np.clip(0.5 + beyond / FADE, 0, 1), 0)


def head_region(model: BodyModel) -> np.ndarray:
    """(V,) the head, from under the chin on."""
    return _follow(model, "head") if "head" in model.joint_names else np.zeros(len(model.template))


def limb_regions(model: BodyModel) -> tuple[tuple[np.ndarray, ...], ...]:
    """Left arm, right arm and head, each at one or more cuts, the best one first."""
    arms = [tuple(arm_region(model, side, share) for share in CUTS) for side in SIDES]
    return (*arms, (head_region(model),))


def _follow(model: BodyModel, first: str) -> np.ndarray:
    """(V,) how much of each vertex follows a joint and those below it."""
    mine = np.array([name == first for name in model.joint_names])
    for joint, parent in enumerate(model.parents):  # parents come first
        mine[joint] |= parent >= 0 and mine[parent]
    return model.weights[:, mine].sum(1)


def _soft_least(values: np.ndarray, width: float) -> np.ndarray:
    """(n,) the least of values (k, n), rounded off where two are within `width` of each other."""
    return -width * np.logaddexp.reduce(-values / width, 0)
