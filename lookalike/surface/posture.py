"""How far each part of a body lies from where something else has it, in depth alone: a smooth slide along the view.

A picture tells poorly how far an arm reaches towards the camera. So body, predicted maps and truth disagree in depth by
centimetres over whole limbs while they agree about cloth by millimetres. A `Slide` is the part of such a difference that
re-posing the body would make: each bone slides and tilts along the view, and joints hold together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.body.model import Body
from lookalike.surface.regions import Regions

#: Differences that miss the slide by more metres count less and less, in rounds.
SCALES = (0.2, 0.08, 0.05)
#: Square root of the share of the body's points that a bone's own slide, or its tilt over `LEVER` metres, outweighs.
STIFF, TILT, LEVER = 0.01, 0.02, 0.3
#: Likewise of how much farther apart front and back are than the body's own.
THICK = 0.02


@dataclass(frozen=True)
class Slide:
    """A slide of B bones.

    shift : (B, 3) metres away from the camera at the joint, and metres a metre to the right and up.
    pivots : (B, 2) the joints in the picture plane, metres.
    """

    shift: np.ndarray
    pivots: np.ndarray

    def at(self, points: np.ndarray, bones: np.ndarray) -> np.ndarray:
        """(n,) metres away from the camera at points (n, 3) with bone weights (n, B)."""
        return (_design(points, bones, self.pivots) @ self.shift.T.ravel()).astype(float)


def find_slide(
    body: Body,
    regions: Regions,
    points: np.ndarray,
    bones: np.ndarray,
    away: np.ndarray,
    weight: np.ndarray,
    side: np.ndarray | None = None,
) -> Slide:
    """The slide that explains best how far points of the body lie from where they should.

    points : (n, 3) camera frame.  bones : (n, B) their weights.  away : (n,) metres away from the camera, noisy.
    weight : (n,).  side : (n,) 1 in front, -1 behind, where clothes lie between the body and what was measured: in front
    towards the camera, behind away from it; None without clothes.
    """
    pivots = body.joints[regions.bone_joints].astype(float)[:, :2]
    count = len(pivots)
    design = _design(points, bones, pivots)
    slack = _slack(regions.bone_parents, pivots)
    if side is not None:
        design = np.concatenate([design, -side[:, None] * bones], 1)
        slack = np.block([[slack, np.zeros((3 * count, count))], [np.zeros((count, 3 * count)), THICK * np.eye(count)]])
    total = max(float(weight.sum()), 1e-9)
    ridge = total * slack.T @ slack
    found = np.zeros(design.shape[1])
    for scale in SCALES:
        robust = weight / (1 + ((away - design @ found) / scale) ** 2) ** 2
        found = np.linalg.solve(design.T @ (robust[:, None] * design) + ridge, design.T @ (robust * away))
    return Slide(found[: 3 * count].reshape(3, count).T, pivots)


def _design(points: np.ndarray, bones: np.ndarray, pivots: np.ndarray) -> np.ndarray:
    """(n, 3 B)"""
    arm = points[:, None, :2] - pivots
    return np.concatenate([bones, bones * arm[..., 0], bones * arm[..., 1]], 1)


def _slack(parents: np.ndarray, pivots: np.ndarray) -> np.ndarray:
    """(3 B, 3 B): a bone's own slide over what its parent does to its joint, and its own tilt over its parent's."""
    count = len(parents)
    out = np.diag(np.repeat([STIFF, TILT * LEVER, TILT * LEVER], count))
    for bone, parent in enumerate(parents):
        if parent < 0:
            out[bone] *= 0.1
            continue
        arm = pivots[bone] - pivots[parent]
        out[bone, parent] = -STIFF
        out[bone, count + parent], out[bone, 2 * count + parent] = -STIFF * arm
        for k in (1, 2):
            out[k * count + bone, k * count + parent] = -TILT * LEVER * 0.5
    return out
