"""Points and triangles, many pairs at a time: nearest places and barycentric coordinates; and which triangles hang together."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components


def closest_on_triangles(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(q, 3) the place of each triangle (q, 3, 3) nearest to its point (q, 3), by the triangle's Voronoi regions.

    After Ericson, Real-Time Collision Detection (2005), section 5.1.5.
    """
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    ab, ac = b - a, c - a
    ap, bp, cp = points - a, points - b, points - c
    d1, d2, d3 = dot(ab, ap), dot(ac, ap), dot(ab, bp)
    d4, d5, d6 = dot(ac, bp), dot(ab, cp), dot(ac, cp)
    va, vb, vc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
    total = va + vb + vc
    total = np.where(np.abs(total) < 1e-30, 1e-30, total)
    v, w = vb / total, vc / total  # inside
    along = _ratio(d4 - d3, (d4 - d3) + (d5 - d6))
    regions: list[tuple[np.ndarray, np.ndarray | float, np.ndarray | float]] = [
        ((va <= 0) & (d4 >= d3) & (d5 >= d6), 1 - along, along),
        ((vb <= 0) & (d2 >= 0) & (d6 <= 0), 0.0, _ratio(d2, d2 - d6)),
        ((vc <= 0) & (d1 >= 0) & (d3 <= 0), _ratio(d1, d1 - d3), 0.0),
        ((d6 >= 0) & (d5 <= d6), 0.0, 1.0),
        ((d3 >= 0) & (d4 <= d3), 1.0, 0.0),
        ((d1 <= 0) & (d2 <= 0), 0.0, 0.0),
    ]
    for where, to_b, to_c in regions:  # edges bc, ca, ab, then the corners c, b, a
        v, w = np.where(where, to_b, v), np.where(where, to_c, w)
    return a + v[:, None] * ab + w[:, None] * ac


def barycentric(places: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(q, 3) weights of places (q, 3) that lie in triangles (q, 3, 3): none negative, of sum one."""
    a, b = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    p = places - triangles[:, 0]
    aa, ab, bb, pa, pb = dot(a, a), dot(a, b), dot(b, b), dot(p, a), dot(p, b)
    under = np.maximum(aa * bb - ab * ab, 1e-20)
    v, w = (bb * pa - ab * pb) / under, (aa * pb - ab * pa) / under
    out = np.clip(np.stack([1 - v - w, v, w], 1), 0, 1)
    return out / out.sum(1, keepdims=True)


def pieces(faces: np.ndarray, count: int) -> np.ndarray:
    """(n,) int: the connected piece that each of `count` vertices belongs to."""
    ends = np.concatenate([faces[:, :2], faces[:, 1:]])
    link = coo_matrix((np.ones(len(ends), bool), ends.T), shape=(count, count))
    return connected_components(link, directed=False)[1]


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n,) scalar products of (n, 3) and (n, 3)."""
    return np.einsum("ij,ij->i", a, b)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return above / np.where(np.abs(below) < 1e-30, 1e-30, below)
