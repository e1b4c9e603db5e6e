"""Bodies of all kinds in poses of all kinds, for tests of what is worn."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from lookalike.body.load import load_body
from lookalike.body.model import Body
from lookalike.camera import Camera

POSES: dict[str, dict[str, tuple[float, float, float]]] = {
    "standing": {"left_shoulder": (0, 0, -1.2), "right_shoulder": (0, 0, 1.2)},
    "head bowed": {"head": (0.5, 0, 0), "neck": (0.4, 0, 0), "left_shoulder": (0, 0, -1.0)},
    "looking aside": {"head": (0, 0.9, 0), "neck": (-0.1, 0.3, 0.2)},
    "sitting": {"left_hip": (-1.4, 0.1, 0), "right_hip": (-1.4, 0, 0), "left_knee": (1.4, 0, 0), "right_knee": (1.4, 0, 0)},
    "jumping": {"pelvis": (0.5, 2.5, 0.3), "left_hip": (-0.9, 0, 0.3), "right_knee": (1.6, 0, 0), "left_ankle": (0.5, 0, 0)},
}  # fmt: skip


@lru_cache
def body_of(kind: str = "average", pose: str = "standing") -> Body:
    """A child, a heavy person or an average one, in front of the camera. Found by what random bodies measure."""
    model = load_body()
    drawn = np.random.default_rng(0).normal(0, 1.2, (60, model.shape_count))
    rest = model.template + np.einsum("nb,bvi->nvi", drawn, model.shape_basis)
    tall = np.ptp(rest[..., 1], axis=1)
    deep = np.ptp(rest[:, model.parts == model.part_names.index("torso"), 2], axis=1) / tall
    shapes = {"child": drawn[tall.argmin()], "heavy": drawn[deep.argmax()], "thin": drawn[deep.argmin()]}
    turns = np.zeros((len(model.joint_names), 3))
    for joint, turn in POSES[pose].items():
        turns[model.joint_names.index(joint)] = turn
    camera = Camera(600.0, 256.0, 256.0, 512, 512)
    return model.posed(shapes.get(kind, np.zeros(model.shape_count)), turns, np.array([0.1, 0.05, -3.0]), camera)


#: Each kind and each pose at least once.
CASES = [
    ("child", "standing"),
    ("heavy", "head bowed"),
    ("thin", "looking aside"),
    ("average", "sitting"),
    ("average", "jumping"),
]
