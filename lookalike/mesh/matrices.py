"""Many small matrices at once.

LAPACK's threads wait for each other at every matrix: a hundred thousand of them take 0.35 s on two free cores, and up to
18 s where other programs run.
"""

from __future__ import annotations

import numpy as np


def inverses(matrices: np.ndarray) -> np.ndarray:
    """(n, 3, 3) float64 inverses of regular matrices (n, 3, 3), by Cramer's rule."""
    a, b, c = (matrices[:, k].astype(np.float64) for k in range(3))
    columns = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], 2)
    return columns / np.einsum("ni,ni->n", a, columns[:, :, 0])[:, None, None]
