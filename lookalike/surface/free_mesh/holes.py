"""Holes in a triangle mesh: found as loops of its boundary, and closed by smooth patches.

A patch is made by dividing the loop with its shortest chords until triangles are left, splitting their long edges, and
spanning a membrane over the loop, which stays within the loop's convex hull: what is behind it is another limb's surface.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix, csc_matrix, diags
from scipy.sparse.csgraph import connected_components

from lookalike.surface.smooth import Factors, unique_edges

#: Inner edges of a patch are split until they are at most this much longer than the loop's.
LONGEST = 1.7
ROUNDS = 5


def split_fans(faces: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """A mesh in which each vertex has one fan of faces: touching fans get a vertex each.

    faces : (m, 3) into `count` vertices. Returns faces (m, 3) int32 and the old number of each vertex (n,). Edges with
    more than two faces come apart in pairs.
    """
    first, second = _twins(faces, count)
    corner = np.arange(3 * len(faces))
    # corner k of a face starts its edge k; the twin runs the other way
    after = (corner // 3) * 3 + (corner + 1) % 3
    links = np.concatenate([np.stack([first, after[second]], 1), np.stack([after[first], second], 1)])
    link = coo_matrix((np.ones(len(links)), links.T), shape=(len(corner),) * 2)
    number, fan = connected_components(link, directed=False)
    source = np.empty(number, np.int64)
    source[fan] = faces.ravel()
    order = np.argsort(source, kind="stable")
    place = np.empty(number, np.int64)
    place[order] = np.arange(number)
    return place[fan].reshape(-1, 3).astype(np.int32), source[order]


def _twins(faces: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of half edges that run along each other in opposite directions; half edge 3 f + k starts at corner k."""
    start, end = faces.ravel().astype(np.int64), np.roll(faces, -1, 1).ravel().astype(np.int64)
    # on a closed mesh the edges' half edges are pairs, and there is nothing more to it
    edge = np.minimum(start, end) * count + np.maximum(start, end)
    order = np.argsort(edge)
    if len(edge) % 2 == 0:
        first, second = order[::2], order[1::2]
        one, two = edge[first], edge[second]
        if (one == two).all() and (one[1:] > one[:-1]).all() and (start[first] == end[second]).all():
            return np.minimum(first, second), np.maximum(first, second)
    there, back = start * count + end, end * count + start
    order = np.argsort(there, kind="stable")
    one = there[order]
    # the r-th half edge from a to b belongs to the r-th from b to a
    rank = np.arange(len(one)) - np.searchsorted(one, one)
    place = np.searchsorted(one, back[order]) + rank
    good = place < len(one)
    good[good] = one[place[good]] == back[order][good]
    first = order[good]
    second = order[place[good]]
    mine = first < second
    return first[mine], second[mine]


def boundary_loops(faces: np.ndarray) -> list[np.ndarray]:
    """The holes' loops of vertices, in the direction in which a patch has to run round them.

    Each vertex has to have one fan of faces (`split_fans`).
    """
    count = int(faces.max()) + 1
    first, second = _twins(faces, count)
    open_edge = np.ones(faces.size, bool)
    open_edge[first] = open_edge[second] = False
    rows = np.flatnonzero(open_edge)
    start, end = faces.ravel()[rows], np.roll(faces, -1, 1).ravel()[rows]
    back = dict(zip(end.tolist(), start.tolist(), strict=True))
    loops = []
    while back:
        begin, nxt = next(iter(back.items()))
        loop = [begin]
        del back[begin]
        while nxt != begin:
            loop.append(nxt)
            nxt = back.pop(nxt)
        loops.append(np.array(loop))
    return loops


class EdgeSet:
    """The edges of a mesh, so that no patch makes one of them again."""

    def __init__(self, faces: np.ndarray):
        self.ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])

    def among(self, ring: np.ndarray) -> set[tuple[int, int]]:
        """The edges between vertices of a ring, smaller number first."""
        some = np.sort(self.ends[np.isin(self.ends, ring).all(1)], 1)
        return set(map(tuple, some.tolist()))

    def add(self, faces: np.ndarray) -> None:
        """Takes in the edges of more faces."""
        self.ends = np.concatenate([self.ends, faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def close(points: np.ndarray, ring: np.ndarray, taken: EdgeSet | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Triangles that close a ring of vertices, and the points that they add: (k, 3) int and (p, 3).

    points : (n, 3), the new ones follow them.  ring : (r,) vertices.  taken : the edges that there are; grows.
    """
    triangles = np.array(_divide(points, ring.tolist(), taken.among(ring) if taken else set()), np.int64).reshape(-1, 3)
    limit = LONGEST * float(np.median(np.linalg.norm(points[ring] - points[np.roll(ring, 1)], axis=1)))
    rim = {tuple(sorted(e)) for e in zip(ring.tolist(), np.roll(ring, -1).tolist(), strict=True)}
    extra: list[np.ndarray] = []
    for _ in range(ROUNDS):
        place = np.concatenate([points, np.array(extra).reshape(-1, 3)])
        ends = np.sort(np.stack([triangles, np.roll(triangles, -1, 1)], -1), -1).reshape(-1, 2)
        long = np.linalg.norm(place[ends[:, 0]] - place[ends[:, 1]], axis=1) > limit
        split = {e for e in map(tuple, ends[long].tolist()) if e not in rim}
        if not split:
            break
        middle = {e: len(place) + k for k, e in enumerate(sorted(split))}
        extra += [(place[a] + place[b]) / 2 for a, b in sorted(split)]
        triangles = np.array([t for face in triangles.tolist() for t in _split(face, middle)], np.int64)
    if taken is not None:
        taken.add(triangles)
    return triangles, np.array(extra, float).reshape(-1, 3)


def _divide(points: np.ndarray, ring: list[int], taken: set[tuple[int, int]]) -> list[list[int]]:
    """Triangles of a ring: cut along its best chord that is no edge yet, again and again."""
    out, open_rings = [], [ring]
    while open_rings:
        ring = open_rings.pop()
        k = len(ring)
        if k < 3:
            continue
        if k == 3:
            out.append(ring)
            continue
        place = points[ring]
        i, j = np.triu_indices(k, 2)
        inner = ~((i == 0) & (j == k - 1))
        i, j = i[inner], j[inner]
        steps = np.minimum(j - i, k - (j - i))
        cost = np.linalg.norm(place[i] - place[j], axis=1) / steps**0.7
        order = np.argsort(cost, kind="stable").tolist()
        keys = ((n, min(ring[i[n]], ring[j[n]]), max(ring[i[n]], ring[j[n]])) for n in order)
        best = next((n for n, p, q in keys if (p, q) not in taken), order[0])
        a, b = int(i[best]), int(j[best])
        taken.add((min(ring[a], ring[b]), max(ring[a], ring[b])))
        open_rings += [ring[a : b + 1], ring[b:] + ring[: a + 1]]
    return out


def _split(face: list[int], middle: dict[tuple[int, int], int]) -> list[list[int]]:
    """The triangles of a triangle some of whose edges have a new vertex in their middle."""
    a, b, c = face
    new = [middle.get((min(p, q), max(p, q))) for p, q in ((a, b), (b, c), (c, a))]
    while sum(m is not None for m in new) in (1, 2) and (new[0] is None or (new[2] is not None and new[1] is None)):
        a, b, c, new = b, c, a, new[1:] + new[:1]
    ab, bc, ca = new
    if ab is None:
        return [face]
    if bc is None:
        return [[a, ab, c], [ab, b, c]]
    if ca is None:
        return [[ab, b, bc], [a, ab, bc], [a, bc, c]]
    return [[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]]


def smooth_patch(points: np.ndarray, faces: np.ndarray, fresh: np.ndarray) -> np.ndarray:
    """Points (n, 3) with those that are `fresh` (n,) bool each in the middle of its neighbours."""
    rows = np.flatnonzero(fresh)
    if not len(rows):
        return points
    near = fresh.copy()
    near[faces[near[faces].any(1)]] = True
    number = np.full(len(points), -1)
    part = np.flatnonzero(near)
    number[part] = np.arange(len(part))
    edges = unique_edges(number[faces[near[faces].all(1)]])
    ends = np.concatenate([edges, edges[:, ::-1]])
    link = coo_matrix((np.ones(len(ends)), ends.T), shape=(len(part),) * 2).tocsr()
    laplacian = diags(np.asarray(link.sum(1)).ravel()) - link
    energy = csc_matrix(laplacian)
    free, held = number[rows], np.flatnonzero(~fresh[part])
    out = points.copy()
    system = energy[free][:, free] + 1e-9 * diags(np.ones(len(free)))
    out[rows] = Factors(system).solve(-(energy[free][:, held] @ points[part[held]]))
    return out


def even_loop(points: np.ndarray, loop: np.ndarray, rounds: int) -> np.ndarray:
    """(r, 3) the points of a loop with its teeth smoothed."""
    place = points[loop]
    for _ in range(rounds):
        place = place / 2 + (np.roll(place, 1, 0) + np.roll(place, -1, 0)) / 4
    return place
