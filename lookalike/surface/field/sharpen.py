"""Sharpen a mesh to predicted normals: folds and faces that the maps see come to stand in the mesh.

Vertices move along their view rays, which keeps the outline. Long waves stay the mesh's own and short ones come from the
normals (Nehab, Rusinkiewicz, Davis, Ramamoorthi: Efficiently combining positions and normals, 2005). What neither side
shows is smoothed instead.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import cg

from lookalike.maps.network import PredictedMaps
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import RayCaster
from lookalike.surface.follow import Rows, areas, feathered
from lookalike.surface.free_mesh.match import neighbour_mean
from lookalike.surface.layers import Gaps, look
from lookalike.surface.smooth import unique_edges

#: Waves shorter than about 2 pi times this many metres come from the normals.
CROSSOVER = 0.03
#: Stiffness of the move against its own changes, in units of the normals' weight.
STIFF = 0.05
#: Rounds of smoothing, and their factors (Taubin, 1995): one step shrinks, the next one swells.
ROUNDS, SHRINK, SWELL = 8, 0.5, -0.53


def smoothed(vertices: np.ndarray, faces: np.ndarray, rounds: int = ROUNDS) -> np.ndarray:
    """(n, 3) without the grid's and the field's noise."""
    mean = neighbour_mean(unique_edges(faces), len(vertices))
    out = vertices.copy()
    for _ in range(rounds):
        for factor in (SHRINK, SWELL):
            out += factor * (mean @ out - out)
    return out


def sharpen(vertices: np.ndarray, faces: np.ndarray, predicted: PredictedMaps, rounds: int = 2) -> np.ndarray:
    """(n, 3) the vertices moved. vertices : (n, 3) camera frame.  predicted : in the mesh's posture."""
    edges = unique_edges(faces)
    count = len(vertices)
    i, j = edges.T
    ones = np.ones(2 * len(edges))
    spring = csr_matrix((ones, (np.r_[i, j], np.r_[j, i])), shape=(count, count))
    spring = STIFF * (diags(np.asarray(spring.sum(1)).ravel()) - spring)
    for _ in range(rounds):
        normals = vertex_normals(vertices, faces).astype(float)
        caster = RayCaster(vertices, faces)
        seen = look(vertices, normals, caster, predicted, level=False)
        seen.weight[:] = feathered(seen.weight, edges)
        rows = Rows.of(vertices, edges, seen)
        area = areas(vertices, faces)
        pull = rows.rows.T @ diags(rows.weight)
        matrix = (pull @ rows.rows + spring + diags(area / CROSSOVER**2)).tocsr()
        scale = diags(1 / matrix.diagonal())
        move, _ = cg(matrix, pull @ rows.target, maxiter=60, rtol=1e-3, M=scale)
        move = Gaps.find(vertices, normals, caster).parted(move, np.zeros(count, bool))
        rays = vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
        vertices = vertices + move[:, None] * rays
    return vertices
