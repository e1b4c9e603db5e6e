"""Smooth vertex normals: a mesh in, one unit normal a vertex out."""

from __future__ import annotations

import numpy as np


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals, the mean of the faces around weighted by their angle at the vertex (Thürmer and Wüthrich, 1998).

    The weights make the normal independent of how a flat piece is cut into triangles. vertices : (n, 3).
    faces : (m, 3), counter-clockwise from outside. Returns (n, 3) float32; (0, 0, 1) for a vertex without faces.
    """
    points = np.ascontiguousarray(vertices, np.float64)
    i, j, k = faces.T
    # np.take gathers rows several times as fast as indexing does
    a, b, c = (np.take(points, corner, 0) for corner in (i, j, k))
    ab, bc, ca = (_unit(edge)[0] for edge in (b - a, c - b, a - c))
    normal, size = _unit(np.cross(ab, bc))
    # A corner's angle lies between the edge that leaves it and the reverse of the one that comes in.
    at_a, at_b = (np.arccos(np.clip(-np.einsum("mi,mi->m", x, y), -1, 1)) for x, y in ((ab, ca), (bc, ab)))
    angle = np.concatenate([at_a, at_b, np.pi - at_a - at_b]) * np.tile(size > 0, 3)
    index = np.concatenate([i, j, k])
    out = np.empty((len(points), 3))
    for axis in range(3):
        out[:, axis] = np.bincount(index, angle * np.tile(normal[:, axis], 3), len(points))
    length = np.sqrt(np.einsum("ni,ni->n", out, out))
    empty = length < 1e-12
    out /= np.where(empty, 1, length)[:, None]
    out[empty] = (0, 0, 1)
    return out.astype(np.float32)


def _unit(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors of (m, 3), in place, and their lengths before."""
    length = np.sqrt(np.einsum("mi,mi->m", vectors, vectors))
    vectors /= np.maximum(length, 1e-300)[:, None]
    return vectors, length
