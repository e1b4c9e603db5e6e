"""Cloth that folds: a sheet with rest lengths, a body and gravity in, the draped sheet out.

Position-based dynamics (Müller et al., 2007) with all constraints solved at once (Jacobi) and averaged, which is a few
sparse products a round. Cloth hardly stretches and hardly shortens: where a sleeve has too much length for a bent elbow
it has to buckle, and those are its folds. It is not run until all comes to rest: the start is the sheet skinned with
the body, so that only what is finer than a limb has to be found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, diags
from scipy.spatial import cKDTree

#: Averaging over all of a vertex's springs is stable; with momentum, more than this is not.
RELAXATION = 1.0
#: No vertex moves farther in a round (metres): what is tangled at the start must not explode.
FARTHEST = 0.012
#: Rounds between two searches for the nearest obstacles.
SEARCH_EVERY = 14
#: What lies deeper in a limb than this (metres) is taken to be on the limb's other side.
REACH = 0.10


@dataclass(frozen=True)
class Sheet:
    """What is simulated: n vertices, m springs.

    Attributes
    ----------
    springs : (m, 2) int32 pairs of vertices.  lengths : (m,) float32 at rest, metres.
    pull, push : (m,) share of its error that a spring puts right a round when too long, or too short.
    mean : (n, n) sparse mean over the neighbours.  stiffness : share by which a round takes a vertex towards it.
    hold : (n,) how much a vertex is drawn back to where skinning puts it, a round: waistbands and shoulders hold fast.
    """

    springs: np.ndarray
    lengths: np.ndarray
    pull: np.ndarray
    push: np.ndarray
    mean: csr_matrix
    stiffness: float
    hold: np.ndarray


@dataclass(frozen=True)
class Obstacles:
    """What cloth may not enter.

    Attributes
    ----------
    place, normal : (n, 3) for each vertex the point below it and its unit normal.  gap : (n,) least distance, metres.
    loose : (l,) vertices that meet whatever they come to, of the cloud: points, normals (k, 3) and least distances (k,).
    """

    place: np.ndarray
    normal: np.ndarray
    gap: np.ndarray
    loose: np.ndarray
    points: np.ndarray
    normals: np.ndarray
    gaps: np.ndarray


def drape(
    start: np.ndarray,
    anchor: np.ndarray,
    sheet: Sheet,
    obstacles: Obstacles,
    rounds: int,
    fall: np.ndarray,
    damping: float = 0.9,
) -> np.ndarray:
    """Where the cloth comes to lie.

    start : (n, 3) float32.  anchor : (n, 3) where `hold` draws it to.  fall : (3,) metres a round, gravity and wind.
    Returns (n, 3) float32.
    """
    a, b = sheet.springs[:, 0].astype(np.intp), sheet.springs[:, 1].astype(np.intp)
    count, m = len(start), len(a)
    ends = np.r_[a, b]
    share = (RELAXATION / np.maximum(np.bincount(ends, minlength=count), 1)).astype(np.float32)
    sign = np.repeat(np.array([1, -1], np.float32), m)
    gather = (diags(share) @ csr_matrix((sign, (ends, np.tile(np.arange(m), 2))), (count, m))).tocsr()
    x = before = start.astype(np.float32)
    hold, fall = sheet.hold[:, None].astype(np.float32), fall.astype(np.float32)
    anchor = anchor.astype(np.float32)
    cloud = _Cloud(obstacles) if len(obstacles.loose) else None
    for step in range(rounds):
        speed = (x - before) * np.float32(damping)
        before = x
        x = x + np.clip(speed, -FARTHEST, FARTHEST) + fall
        way = np.take(x, b, 0) - np.take(x, a, 0)
        length = np.sqrt(np.einsum("mi,mi->m", way, way)) + np.float32(1e-9)
        error = 1 - sheet.lengths / length
        way *= (error * np.where(error > 0, sheet.pull, sheet.push))[:, None]
        x += np.clip(gather @ way, -FARTHEST, FARTHEST)
        if sheet.stiffness:
            x += np.float32(sheet.stiffness) * (sheet.mean @ x - x)
        x += hold * (anchor - x)
        depth = np.einsum("ni,ni->n", x - obstacles.place, obstacles.normal) - obstacles.gap
        x -= np.minimum(depth, 0)[:, None] * obstacles.normal
        if cloud is not None:
            cloud.push_out(x, step % SEARCH_EVERY == 0 or step == rounds - 1)
    return x


class _Cloud:
    """The nearest obstacle of each loose vertex, looked for now and then."""

    def __init__(self, obstacles: Obstacles):
        self._obstacles = obstacles
        self._tree = cKDTree(obstacles.points)
        self._nearest = np.zeros(len(obstacles.loose), np.intp)

    def push_out(self, x: np.ndarray, search: bool) -> None:
        o = self._obstacles
        loose = x[o.loose]
        if search:
            self._nearest = self._tree.query(loose)[1]
        n = self._nearest
        depth = np.einsum("ni,ni->n", loose - o.points[n], o.normals[n]) - o.gaps[n]
        depth = np.where(depth > -REACH, np.minimum(depth, 0), 0)
        x[o.loose] = loose - depth[:, None] * o.normals[n]
