"""Smooth functions on a surface: a mesh in its rest pose in, the matrices of their energies out.

The Laplacian is the cotangent one (Pinkall and Polthier, 1993). Its metric may be stretched along the limbs: clothes are
tubes around limbs, so what the outline says on both sides of a tube has to travel around it easily and along it hardly (a
hem stays a hem). Stretching lengths along the limb's axis before the cotangents are taken does that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import qdldl
from scipy.sparse import coo_matrix, csc_matrix, csr_matrix, diags

#: Factors of one round of Taubin's smoothing: one shrinks, the next one swells.
SHRINK, SWELL = 0.5, -0.53
#: How much of its length an edge may lose in one step.
SQUEEZE = 0.4


@dataclass(frozen=True)
class Energies:
    """Quadratic energies of functions on a mesh with n vertices.

    area : (n,) each vertex's share of the surface, square metres.
    membrane : (n, n) sparse: f' membrane f is the integral of |grad f|^2.
    plate : (n, n) sparse: f' plate f is the integral of (Laplacian f)^2.
    """

    area: np.ndarray
    membrane: csr_matrix
    plate: csr_matrix


def energies(
    vertices: np.ndarray, faces: np.ndarray, axes: np.ndarray | None = None, stiffness: np.ndarray | float = 1.0
) -> Energies:
    """Energies of functions on a mesh.

    vertices : (n, 3) metres.  faces : (m, 3).  axes : (n, 3) or None: lengths along an axis a count 1 + |a| times.
    stiffness : (n,) factor of the plate energy at each vertex.
    """
    corners = vertices[faces].astype(float)
    sides = np.roll(corners, -2, 1) - np.roll(corners, -1, 1)  # sides[:, k] lies opposite corner k
    if axes is not None:
        axis = axes[faces].mean(1)
        size = np.linalg.norm(axis, axis=1, keepdims=True)
        unit = axis / np.maximum(size, 1e-9)
        sides += np.einsum("mki,mi->mk", sides, unit)[..., None] * (size * unit)[:, None]
    square = np.einsum("mki,mki->mk", sides, sides)
    double_area = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
    double_area = np.maximum(double_area, 1e-3 * square.max(1) + 1e-12)  # slivers
    # cot at corner k = (b^2 + c^2 - a^2) / (4 area), a the side opposite.
    weight = (square.sum(1, keepdims=True) - 2 * square) / (4 * double_area[:, None])
    count = len(vertices)
    i, j = np.roll(faces, -1, 1).ravel(), np.roll(faces, -2, 1).ravel()
    off = csr_matrix((weight.ravel(), (i, j)), shape=(count, count))
    off = off + off.T
    membrane = diags(np.asarray(off.sum(1)).ravel()) - off
    area = np.bincount(faces.ravel(), np.repeat(double_area / 6, 3), count)
    plate = membrane @ diags(stiffness / np.maximum(area, 1e-9)) @ membrane
    return Energies(area, membrane.tocsr(), plate.tocsr())


class Factors:
    """Sparse factors of a symmetric positive definite matrix (QDLDL, from OSQP: Stellato et al., 2020).

    On meshes about twice as fast as SuperLU, which cannot make use of the symmetry. matrix : (n, n) sparse, all of it.
    """

    def __init__(self, matrix):
        self._matrix = csc_matrix(matrix, dtype=np.float64)
        self._solver = qdldl.Solver(self._matrix)

    def update(self, matrix) -> None:
        """Factorise another matrix (n, n); one with the same pattern takes a third of the time."""
        before, self._matrix = self._matrix, csc_matrix(matrix, dtype=np.float64)
        if all(np.array_equal(getattr(before, name), getattr(self._matrix, name)) for name in ("indptr", "indices")):
            self._solver.update(self._matrix)
        else:
            self._solver = qdldl.Solver(self._matrix)

    def solve(self, right: np.ndarray) -> np.ndarray:
        """The solution (n,) or (n, k) for a right side (n,) or (n, k)."""
        if right.ndim == 1:
            return self._solver.solve(np.ascontiguousarray(right, np.float64))
        return np.stack([self.solve(column) for column in right.T], 1)


class Neighbours:
    """The edges of a mesh, in the order that running minima over neighbours need."""

    def __init__(self, edges: np.ndarray, count: int):
        """edges : (e, 2) into `count` vertices."""
        both = np.concatenate([edges, edges[:, ::-1]])
        self.owner, self.other = both[np.argsort(both[:, 0], kind="stable")].T
        self.vertices, self.starts = np.unique(self.owner, return_index=True)
        self.count = count

    def lower_envelope(self, values: np.ndarray, positions: np.ndarray, slope: float, rounds: int) -> np.ndarray:
        """The largest function below `values` (n,) that rises by at most `slope` a metre along edges.

        positions : (n, 3) metres.  rounds : how many edges away a low value is felt.
        """
        rise = slope * np.linalg.norm(positions[self.owner] - positions[self.other], axis=1)
        out = values.copy()
        for _ in range(rounds):
            lowest = np.minimum.reduceat(out[self.other] + rise, self.starts)
            out[self.vertices] = np.minimum(out[self.vertices], lowest)
        return out

    def room(self, positions: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """(n,) how far vertices (n, 3) can go in directions (n, 3) until an edge has lost `SQUEEZE` of its length."""
        edge = positions[self.other] - positions[self.owner]
        closing = -np.einsum("ei,ei->e", edge, directions[self.other] - directions[self.owner])
        square = np.einsum("ei,ei->e", edge, edge)
        out = np.full(self.count, np.inf)
        out[self.vertices] = np.minimum.reduceat(SQUEEZE * square / np.maximum(closing, 1e-9), self.starts)
        return out


def unique_edges(faces: np.ndarray) -> np.ndarray:
    """(e, 2) the edges of triangles (m, 3), each once, smaller index first."""
    start, end = faces.T.astype(np.int64), np.roll(faces, -1, 1).T.astype(np.int64)
    size = int(faces.max()) + 1
    return np.stack(np.divmod(np.unique(np.minimum(start, end) * size + np.maximum(start, end)), size), 1)


def neighbour_mean(edges: np.ndarray, count: int, weight: np.ndarray | None = None) -> csr_matrix:
    """(n, n) the mean over a vertex's neighbours. edges : (e, 2).  weight : (e,) or None for all alike."""
    weight = np.ones(len(edges)) if weight is None else weight
    ends = np.concatenate([edges, edges[:, ::-1]])
    matrix = coo_matrix((np.tile(weight, 2), (ends[:, 0], ends[:, 1])), shape=(count, count)).tocsr()
    return (diags(1 / np.maximum(np.asarray(matrix.sum(1)).ravel(), 1e-9)) @ matrix).tocsr()


def taubin(points: np.ndarray, mean: csr_matrix, rounds: int, share: np.ndarray | float = 1.0) -> np.ndarray:
    """(n, 3) the points of a mesh without its roughness, at its size (Taubin, 1995).

    mean : (n, n) as `neighbour_mean` makes it.  share : (n, 1) in [0, 1], who is smoothed how much.
    """
    for factor in rounds * (SHRINK, SWELL):
        points = points + factor * share * (mean @ points - points)
    return points
