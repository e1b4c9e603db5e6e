"""Colours for what nothing tells, by a membrane over the mesh: known colours in, smooth colours everywhere out.

The unknown minimise the sum over edges of weight * (difference)^2: a harmonic function on the surface itself, so that
seams of the atlas do not show. One sparse factorisation of the unknown vertices only.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix, diags

from lookalike.surface.smooth import Factors

#: Vertices known at least this well are taken as they are.
SURE = 0.97
#: Strength of a fully believed vertex's data term, in units of one edge.
DATA = 4.0


def stretch(
    edges: np.ndarray,
    stiffness: np.ndarray,
    colour: np.ndarray,
    weight: np.ndarray,
    prior: np.ndarray,
    prior_weight: np.ndarray,
) -> np.ndarray:
    """Colours of all vertices.

    edges : (e, 2) int.  stiffness : (e,) > 0.  colour : (n, c) with weight (n,) in [0, 1], how well it is known.
    prior : (n, c) what a vertex takes when it is far from anything known, with prior_weight (n,) > 0, in units of one
    edge. Returns (n, c) float32.
    """
    count = len(colour)
    out = colour.astype(np.float64).copy()
    free = np.flatnonzero(weight < SURE)
    if not len(free):
        return out.astype(np.float32)
    number = np.full(count, -1)
    number[free] = np.arange(len(free))
    a, b = edges[:, 0], edges[:, 1]
    touch = (number[a] >= 0) | (number[b] >= 0)
    a, b, k = a[touch], b[touch], stiffness[touch].astype(np.float64)
    data = DATA * weight[free] ** 2 / np.maximum(1 - weight[free], 1 - SURE)
    pull = prior_weight[free].astype(np.float64)
    diagonal = data + pull
    right = data[:, None] * out[free] + pull[:, None] * prior[free]
    for here, there in ((number[a], b), (number[b], a)):
        mine = here >= 0
        np.add.at(diagonal, here[mine], k[mine])
        fixed = mine & (number[there] < 0)
        np.add.at(right, here[fixed], k[fixed, None] * out[there[fixed]])
    inner = (number[a] >= 0) & (number[b] >= 0)
    i, j, k = number[a[inner]], number[b[inner]], k[inner]
    off = coo_matrix((np.r_[-k, -k], (np.r_[i, j], np.r_[j, i])), shape=(len(free), len(free)))
    out[free] = Factors(off + diags(diagonal)).solve(right)
    return out.astype(np.float32)
