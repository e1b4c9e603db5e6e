"""Slide the bones of a fitted body in the picture: rim gaps in, a move of every vertex and joint out.

Clothes never lie inside the body. Where a limb sticks out of the matte the fit is off there, and a small slide and turn of
the limb's bone in the picture plane, as in articulated registration (Pellegrini et al., 2008), puts it right.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from lookalike.surface.outline import Gaps, Rim

#: An outward gap counts this much against an inward one, and only below this many metres: beyond, it is cloth.
CLOTH, CLOTH_LIMIT = 0.15, 0.02
#: Inward gaps of more metres than this count less and less: something hides the person there.
MISFIT = 0.10
#: Metres of rim that a bone's move has to outweigh.
STIFF = 0.05
#: A turn by one radian counts like a slide by this many metres.
LEVER = 0.2


def shift_bones(
    rim: Rim,
    rows: csr_matrix,
    gaps: Gaps,
    bones: np.ndarray,
    parents: np.ndarray,
    pivots: np.ndarray,
    before: np.ndarray,
) -> np.ndarray:
    """The bones' slides and turns so far, with this round's added, (3, b): metres right, metres up, turn times `LEVER`.

    rows : (k, n) from vertices to rim points.  bones : (n, b) weights.  parents : (b,) parents come first, -1 for the root.
    pivots : (b, 3) the bones' joints.  before : (3, b) earlier rounds' moves; stiffness acts on the sum.
    """
    known = (gaps.weight > 0) & ~gaps.met
    gap, normal, point = gaps.gap[known], rim.normals[known], rim.points[known]
    softness = np.where(gap < 0, 1 / (1 + (gap / MISFIT) ** 2), CLOTH / (1 + (gap / CLOTH_LIMIT) ** 2) ** 2)
    weight = gaps.weight[known] * rim.length[known] * softness
    share = rows[known] @ bones
    turning = np.einsum("ki,kbi->kb", normal[:, :2], _spin(point, pivots))
    design = np.concatenate([share * normal[:, :1], share * normal[:, 1:2], share * turning], 1)
    slack = _slack(parents, pivots)
    stiffness = STIFF * slack.T @ slack
    right = design.T @ (weight * gap) - stiffness @ before.ravel()
    return before + np.linalg.solve(design.T @ (weight[:, None] * design) + stiffness, right).reshape(before.shape)


def moved(points: np.ndarray, bones: np.ndarray, pivots: np.ndarray, move: np.ndarray) -> np.ndarray:
    """Points (n, 3) with bone weights (n, b) after a move (3, b)."""
    delta = move[:2].T[None] + move[2][None, :, None] * _spin(points, pivots)
    out = points.copy()
    out[:, :2] += np.einsum("nb,nbi->ni", bones, delta)
    return out


def _spin(points: np.ndarray, pivots: np.ndarray) -> np.ndarray:
    """(n, b, 2) how points (n, 3) move per unit of turn about pivots (b, 3)."""
    arm = points[:, None, :2] - pivots[None, :, :2]
    return np.stack([-arm[..., 1], arm[..., 0]], -1) / LEVER


def _slack(parents: np.ndarray, pivots: np.ndarray) -> np.ndarray:
    """(3 b, 3 b): a bone's own move, over what its parent does to its joint."""
    count = len(parents)
    out = np.eye(3 * count)
    for bone, parent in enumerate(parents):
        if parent < 0:
            continue
        out[[k * count + bone for k in range(3)], [k * count + parent for k in range(3)]] = -1
        spin = _spin(pivots[bone][None], pivots[parent][None])[0, 0]
        out[bone, 2 * count + parent] = -spin[0]
        out[count + bone, 2 * count + parent] = -spin[1]
    return out
