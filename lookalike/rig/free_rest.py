"""The A-pose of a free surface: its photo pose and skin in, vertices in the A-pose out.

Neighbouring vertices may be anchored to points of the body that are far apart: in an armpit, on a collar, where cloth
bridges a hollow. So only what lies on the body is told where to go; everything else keeps its form: each edge is turned by
the rotation of the joints that its ends follow, and the positions are those that fit the edges best (one sparse solve;
Yu et al., "Mesh editing with Poisson-based gradient field manipulation", 2004).
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix, diags

from lookalike.body.model import Body
from lookalike.rig.rest import APose, Unposing
from lookalike.surface.free_mesh import FreeSurface
from lookalike.surface.free_mesh.fill import laplacian
from lookalike.surface.smooth import Factors

#: Forms larger than this, metres, follow the body, smaller ones the photo's mesh.
FORM = 0.04
#: Where joints disagree by this much (`Unposing.bent`) the body point says nothing of the cloth.
BENT = (0.04, 0.25)


def free_rest(
    surface: FreeSurface, body: Body, pose: APose, joints: np.ndarray, weights: np.ndarray, loose: np.ndarray
) -> np.ndarray:
    """(n, 3) the surface in the A-pose, the root joint at the origin.

    joints, weights : (n, 4) the skin.  loose : (n,) in [0, 1], how much of a vertex is a skirt.
    """
    trust = surface.matched * (1 - loose)
    way = Unposing.of(surface, body, pose, joints, weights, 1 - trust)
    vertices = surface.vertices.astype(np.float64)
    target = way.unpose(vertices)
    matrix, area = laplacian(vertices, surface.faces)
    off = coo_matrix(matrix)
    apart = off.row != off.col
    i, j, w = off.row[apart], off.col[apart], -off.data[apart]
    turn = way.turn.inv().as_matrix()
    edge = vertices[i] - vertices[j]
    edge = 0.5 * np.einsum("eab,eb->ea", turn[i] + turn[j], edge)
    right = np.stack([np.bincount(i, w * edge[:, k], len(vertices)) for k in range(3)], 1)
    trust = trust * np.clip(1 - (way.bent - BENT[0]) / (BENT[1] - BENT[0]), 0, 1)
    hold = area * trust / FORM**2 + 1e-7
    return Factors(matrix + diags(hold)).solve(right + hold[:, None] * target)
