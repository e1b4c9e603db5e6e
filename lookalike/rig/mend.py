"""Smooth what the photo's pose left behind at strongly bent joints.

Behind a bent knee, in an elbow or an armpit the photo shows nothing, and skinning squeezes the body there; the offsets
drawn out in such a place make ridges and steps when the limb is straightened. There the offsets are filled in from
around, as a membrane would be spanned, the more the joints were bent.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, diags
from scipy.sparse.linalg import splu

#: From how much disagreement of its joints (`Unposing.bent`) a vertex is smoothed, and where it is filled in entirely.
FROM, WHOLE = 0.04, 0.25
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
    out[rows] = splu(within).solve(known)
    return out


def _laplacian(faces: np.ndarray, count: int) -> csr_matrix:
    """(n, n) the mesh's graph Laplacian."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    ones = np.ones(len(edges))
    near = coo_matrix((ones, (edges[:, 0], edges[:, 1])), shape=(count, count)).tocsr()
    near = near.maximum(near.T)
    return (diags(np.asarray(near.sum(1)).ravel()) - near).tocsr()
