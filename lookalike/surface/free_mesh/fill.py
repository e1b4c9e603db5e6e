"""Fill in what is known only in places: values on some of a mesh's vertices in, smooth values on all out.

The energy is a membrane's and, over short distances, a plate's, as in Abdrashitov et al. (Robust skin weights transfer
via weight inpainting, 2023), so that values leave the known places without a kink.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix, diags

from lookalike.surface.smooth import Factors, energies

#: Below this length, metres, the plate counts more than the membrane.
LENGTH = 0.03
#: Pull of unknown values to zero, against the membrane: only where nothing around is known does it count.
PULL = 1e-9


def laplacian(vertices: np.ndarray, faces: np.ndarray) -> tuple[csr_matrix, np.ndarray]:
    """The cotangent Laplacian (n, n), no weight negative, and the vertices' areas (n,)."""
    found = energies(vertices, faces)
    off = found.membrane.tocsr()
    off.setdiag(0)
    off.eliminate_zeros()
    off.data = np.clip(-off.data, 0.02, 10.0)
    return (diags(np.asarray(off.sum(1)).ravel()) - off).tocsr(), found.area


def fill(vertices: np.ndarray, faces: np.ndarray, values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(n, c) values, those that are `known` (n,) bool as they are, the others smooth between them.

    vertices : (n, 3) metres.  faces : (m, 3).  values : (n, c).
    """
    out = np.array(values, np.float64)
    unknown = np.flatnonzero(~known)
    if not len(unknown) or not known.any():
        return out
    # only the unknown and two rings around them count
    ring = ~known
    for _ in range(2):
        ring[faces[ring[faces].any(1)]] = True
    part = np.flatnonzero(ring)
    number = np.full(len(vertices), -1)
    number[part] = np.arange(len(part))
    membrane, area = laplacian(vertices[part], number[faces[ring[faces].all(1)]])
    energy = (membrane + LENGTH**2 * membrane @ diags(1 / np.maximum(area, 1e-9)) @ membrane).tocsr()
    free, held = number[unknown], np.flatnonzero(known[part])
    rows = energy[free]
    system = rows[:, free] + PULL * diags(np.ones(len(free)))
    out[unknown] = Factors(system).solve(-(rows[:, held] @ out[part[held]]))
    return out
