"""Patches of a mesh: sets of its faces, how they hang together and where they end."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from lookalike.mesh.triangles import dot
from lookalike.surface.free_mesh.holes import boundary_loops

#: Rounds in which a rim's teeth are taken off.
TEETH = 8


class Unclean(Exception):
    """A patch cannot be used, and why."""


def every(chosen: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(m,) bool: the faces (m, 3) all of whose corners are chosen, (n,) bool."""
    # three columns: reductions along short rows are slow
    return chosen[faces[:, 0]] & chosen[faces[:, 1]] & chosen[faces[:, 2]]


def within(points: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(n,) bool: the points (n, 3) in a box."""
    out = np.ones(len(points), bool)
    for axis in range(3):
        out &= (points[:, axis] > low[axis]) & (points[:, axis] < high[axis])
    return out


def areas(corners: np.ndarray) -> np.ndarray:
    """(m,) areas of triangles (m, 3, 3)."""
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return np.sqrt(dot(cross, cross)) / 2


def beside_of(faces: np.ndarray) -> np.ndarray:
    """(m, 3) the face at the other side of each edge, m where there is none."""
    size = int(faces.max()) + 1
    there = np.stack([faces, np.roll(faces, -1, 1)], -1).reshape(-1, 2)
    key, back = there @ [size, 1], there[:, ::-1] @ [size, 1]
    order = np.argsort(key)
    place = np.minimum(np.searchsorted(key[order], back), len(key) - 1)
    found = key[order][place] == back
    return np.where(found, order[place] // 3, len(faces)).reshape(-1, 3)


def _parts(chosen: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """(m,) int: the part connected by edges that each face belongs to: parts of those chosen (m,) and of all others."""
    count = len(chosen)
    face = np.repeat(np.arange(count), 3)
    other = beside.ravel()
    pair = other < count
    face, other = face[pair], other[pair]
    pair = chosen[face] == chosen[other]
    link = coo_matrix((np.ones(pair.sum(), bool), (face[pair], other[pair])), shape=(count, count))
    return connected_components(link, directed=False)[1]


def largest(chosen: np.ndarray, beside: np.ndarray, area: np.ndarray) -> np.ndarray:
    """(m,) bool: the largest connected part of the chosen faces (m,). area : (m,)."""
    if not chosen.any():
        raise Unclean("nothing lies along the patch")
    part = _parts(chosen, beside)
    return part == np.bincount(part, area * chosen).argmax()


def without_holes(chosen: np.ndarray, beside: np.ndarray, area: np.ndarray, most: float) -> np.ndarray:
    """(m,) bool: the chosen faces and what they enclose: all beside them but the largest part.

    Raises Unclean where more than `most` square metres are enclosed.
    """
    part = _parts(chosen, beside)
    around = beside[chosen].ravel()
    around = around[around < len(chosen)]
    near = np.unique(part[around[~chosen[around]]])
    size = np.bincount(part, area)
    if not len(near):
        raise Unclean("nothing is left")
    holes = near[near != near[size[near].argmax()]]
    if size[holes].sum() > most:
        raise Unclean("more than crumbs come loose")
    return chosen | np.isin(part, holes)


def without_teeth(chosen: np.ndarray, faces: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """(m,) bool: the chosen faces with a border that has neither teeth nor pinched vertices."""
    out = chosen.copy()
    for _ in range(TEETH):
        before = out
        out = out | (_count(out, beside) >= 2)
        out = out & (_count(out, beside) >= 2)
        start = faces[out[:, None] & ~np.append(out, False)[beside]]
        pinched = np.bincount(start, minlength=int(faces.max()) + 1) > 1
        out = out | ~every(~pinched, faces)
        if np.array_equal(out, before):
            break
    return out


def _count(chosen: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """(m,) how many chosen faces are beside each one."""
    there = np.append(chosen, False).astype(np.uint8)
    return there[beside[:, 0]] + there[beside[:, 1]] + there[beside[:, 2]]


def _pinched(faces: np.ndarray) -> np.ndarray:
    """Vertices where more than one stretch of the faces' border ends."""
    start = _border(faces)[:, 0]
    vertex, uses = np.unique(start, return_counts=True)
    return vertex[uses > 1]


def _border(faces: np.ndarray) -> np.ndarray:
    """(e, 2) the edges that have a face at one side only, as their faces run."""
    size = int(faces.max(initial=0)) + 1
    there = np.stack([faces, np.roll(faces, -1, 1)], -1).reshape(-1, 2)
    return there[~np.isin(there @ [size, 1], there[:, ::-1] @ [size, 1])]


def rim_of(faces: np.ndarray) -> np.ndarray:
    """(r,) the only border of faces, as their neighbours run round it; raises Unclean if there is not just one."""
    if len(_pinched(faces)):
        raise Unclean("the rim is pinched")
    loops = boundary_loops(faces)
    if len(loops) != 1:
        raise Unclean(f"{len(loops)} rims")
    return loops[0]
