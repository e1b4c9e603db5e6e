"""Smooth what the photo's pose left behind at strongly bent joints.

Behind a bent knee, in an elbow or an armpit the photo shows nothing, and skinning squeezes the body there; the offsets
drawn out in such a place make ridges and steps when the limb is straightened. There the offsets are filled in from
around, as a membrane would be spanned, the more the joints were bent. So is what was drawn out far from the legs of
somebody who sits: laps and stools, not cloth that will hang on the leg.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, diags
from scipy.spatial.transform import Rotation

from lookalike.body.model import Body
from lookalike.surface.smooth import Factors

#: From how much disagreement of its joints (`Unposing.bent`) a vertex is smoothed, and where it is filled in entirely.
FROM, WHOLE = 0.04, 0.25
#: Between these angles of the thighs to the pelvis, radians, a person is taken to sit or squat.
SEATED = (0.9, 1.3)
#: What is drawn out further than this from the legs of somebody who sits, metres, is no cloth that hangs on the leg.
FAR = 0.04
#: How firmly a vertex that is smoothed half way keeps its own offset, against its edges.
HOLD = 0.05


def mend(offsets: np.ndarray, bent: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Offsets (n, 3), smoothed where joints were bent.

    offsets : (n, 3) from the body in the A-pose.  bent : (n,) as in `Unposing`.  faces : (m, 3).
    """
    trust = 1 - np.clip((bent - FROM) / (WHOLE - FROM), 0, 1)
    rows = np.flatnonzero(trust < 1)
    if not len(rows):
        return offsets
    laplacian = _laplacian(faces, len(offsets))[rows]
    keep = HOLD * (trust[rows] / (1 - trust[rows])) ** 2
    within = laplacian[:, rows].tocsc() + diags(keep + 1e-9, format="csc")
    fixed = np.ones(len(offsets), bool)
    fixed[rows] = False
    known = (keep + 1e-9)[:, None] * offsets[rows] - laplacian[:, fixed] @ offsets[fixed]
    out = offsets.copy()
    out[rows] = Factors(within).solve(known)
    return out


def hanging(body: Body) -> float:
    """How much the legs hang from the pelvis: 1 for somebody who stands or walks, 0 for somebody who sits or squats."""
    turns = np.asarray(body.transforms, np.float64)[:, :3, :3]
    names = list(body.model.joint_names)
    pelvis, *thighs = (turns[names.index(name)] for name in ("pelvis", "left_hip", "right_hip"))
    angle = Rotation.from_matrix([pelvis.T @ thigh for thigh in thighs]).magnitude().mean()
    return float(1 - np.clip((angle - SEATED[0]) / (SEATED[1] - SEATED[0]), 0, 1))


def doubtful(offsets: np.ndarray, weights: csr_matrix, body: Body) -> np.ndarray:
    """(n,) in [0, 1], which offsets (n, 3) tell nothing of how the clothes hang: far from the legs of one who sits.

    weights : (n, J).
    """
    legs = [j for j, name in enumerate(body.model.joint_names) if name.endswith(("_hip", "_knee"))]
    share = np.asarray(weights[:, legs].sum(1)).ravel()
    return (1 - hanging(body)) * share * np.clip(np.linalg.norm(offsets, axis=1) / FAR - 1, 0, 1)


def _laplacian(faces: np.ndarray, count: int) -> csr_matrix:
    """(n, n) the mesh's graph Laplacian."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    ones = np.ones(len(edges))
    near = coo_matrix((ones, (edges[:, 0], edges[:, 1])), shape=(count, count)).tocsr()
    near = near.maximum(near.T)
    return (diags(np.asarray(near.sum(1)).ravel()) - near).tocsr()
