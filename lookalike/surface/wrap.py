"""Lay cloth over a body: a body's surface in, the same surface with its hollows bridged out.

Cloth does not follow a navel, a cleft or the gaps between toes. Smoothing the surface shows where hollows are: there the
smoothed surface lies outside, and the vertices go out to it; nowhere do they go in.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import diags

from lookalike.surface.smooth import Factors
from lookalike.surface.swell import Swelling, without_crossing

#: Hollows narrower than about this are bridged, metres: on the body, and on the feet, which wear shoes.
BODY, FOOT = 0.05, 0.04
#: Largest move of a round, metres, and rounds.
DEEPEST, ROUNDS = 0.015, 3


def wrap(mesh: Swelling, drape: np.ndarray) -> None:
    """Bridge hollows of a mesh where `drape` (n,) in [0, 1] lets it. Changes `mesh`, which is the body's own."""
    foot, plain = mesh.sheet.foot, mesh.sheet.plain
    size = drape * (BODY * (1 - foot) + FOOT * foot)
    mass, membrane = np.maximum(plain.area, 1e-9), plain.membrane
    matrix = diags(mass) + membrane @ diags(size**4 / mass) @ membrane
    factors = Factors(matrix)
    for _ in range(ROUNDS):
        normals = mesh.normals()
        smoothed = factors.solve(mass[:, None] * mesh.vertices)
        depth = drape * np.clip(np.einsum("ni,ni->n", smoothed - mesh.vertices, normals), 0, DEEPEST)
        depth = np.clip(mesh.sheet.smoothed(depth[:, None])[:, 0], 0, None)  # no ridge where the hollow ends
        step = without_crossing(mesh, mesh.surface(), normals, normals, depth)
        mesh.vertices = mesh.vertices + step[:, None] * normals
