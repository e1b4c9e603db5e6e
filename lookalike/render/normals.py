"""Smooth vertex normals: a mesh in, one unit normal a vertex out."""

from __future__ import annotations

import numpy as np


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals, the mean of the faces around weighted by their angle at the vertex (Thürmer and Wüthrich, 1998).

    The weights make the normal independent of how a flat piece is cut into triangles. vertices : (n, 3).
    faces : (m, 3), counter-clockwise from outside. Returns (n, 3) float32; (0, 0, 1) for a vertex without faces.
    """
    corners = vertices[faces].astype(np.float64)
    edges = np.roll(corners, -1, axis=1) - corners
    lengths = np.sqrt(np.einsum("mki,mki->mk", edges, edges))
    edges /= np.maximum(lengths, 1e-300)[..., None]
    normal = np.cross(edges[:, 0], edges[:, 1])
    size = np.sqrt(np.einsum("mi,mi->m", normal, normal))
    normal /= np.maximum(size, 1e-300)[:, None]
    # A corner's angle lies between the edge that leaves it and the reverse of the one that comes in.
    cosine = -np.einsum("mki,mki->mk", edges, np.roll(edges, 1, axis=1))
    angle = np.arccos(np.clip(cosine, -1, 1)) * (size > 0)[:, None]
    index = faces.reshape(-1)
    out = np.empty((len(vertices), 3))
    for axis in range(3):
        out[:, axis] = np.bincount(index, (angle * normal[:, axis, None]).reshape(-1), len(vertices))
    length = np.linalg.norm(out, axis=1)
    out[length < 1e-12] = (0, 0, 1)
    return (out / np.where(length < 1e-12, 1, length)[:, None]).astype(np.float32)
