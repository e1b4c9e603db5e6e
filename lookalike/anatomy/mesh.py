"""Closed triangle meshes: volume, area, components, whether they are watertight. Arrays in, numbers and arrays out."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components


def signed_volumes(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(m,) what each triangle adds to the enclosed volume, in the vertices' unit cubed."""
    centre = vertices.mean(0) if len(vertices) else 0.0
    a, b, c = (vertices[faces[:, k]].astype(np.float64) - centre for k in range(3))
    return np.einsum("ij,ij->i", a, np.cross(b, c)) / 6


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    """The volume that a closed mesh encloses; negative if it is inside out."""
    return float(signed_volumes(vertices, faces).sum())


def area(vertices: np.ndarray, faces: np.ndarray) -> float:
    """The area of all triangles."""
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def half_edge_counts(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each edge: how many triangles use it, and in how many more they run one way than the other."""
    start, end = faces.reshape(-1).astype(np.int64), np.roll(faces, -1, axis=1).reshape(-1).astype(np.int64)
    size = int(faces.max(initial=0)) + 1
    key = np.minimum(start, end) * size + np.maximum(start, end)
    _, which = np.unique(key, return_inverse=True)
    return np.bincount(which), np.bincount(which, np.where(start < end, 1.0, -1.0)).astype(np.int64)


def is_watertight(faces: np.ndarray) -> bool:
    """Whether every edge has exactly two triangles that run along it in opposite directions."""
    if not len(faces):
        return False
    uses, balance = half_edge_counts(faces)
    return bool((uses == 2).all() and (balance == 0).all())


def components(faces: np.ndarray, count: int) -> tuple[int, np.ndarray]:
    """How many connected pieces triangles (m, 3) over `count` vertices form, and each triangle's piece (m,)."""
    start, end = faces[:, :2].reshape(-1), faces[:, 1:].reshape(-1)
    graph = coo_matrix((np.ones(len(start), np.int8), (start, end)), (count, count)).tocsr()
    _, label = connected_components(graph, directed=False)
    pieces, piece = np.unique(label[faces[:, 0]], return_inverse=True)
    return len(pieces), piece


def piece_volumes(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Volumes (k,) of the connected pieces, negative for the walls of cavities, and each triangle's piece (m,)."""
    number, piece = components(faces, len(vertices))
    return np.bincount(piece, signed_volumes(vertices, faces), number), piece


def used_only(faces: np.ndarray, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    """Triangles renumbered without the vertices that none uses, and vertex arrays without them."""
    used, flat = np.unique(faces, return_inverse=True)
    return flat.reshape(-1, 3).astype(np.int32), *(values[used] for values in arrays)
