"""Fewer triangles where they matter least: a closed mesh and what to spare in, a closed mesh of about so many triangles out.

Edges collapse in the order of their quadric errors (Garland and Heckbert, 1997; the library fast-simplification). The
library knows no weights. So the errors are taken on a copy of the mesh in which what is emphasised, a face or a hand, is
larger; what collapsed there collapses on the mesh itself, and the vertices that are left are put where they fit its own
planes best. Collapses that let the surface touch itself or turn a triangle over are taken back.
"""

from __future__ import annotations

import fast_simplification
import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from lookalike.mesh.triangles import dot
from lookalike.render.normals import vertex_normals
from lookalike.surface.free_mesh.holes import split_fans
from lookalike.surface.smooth import unique_edges

#: The library collapses what is below a threshold that rises from 1e-9 x 3^STEEP to 1e-9 x 102^STEEP. With edges of this
#: length it comes through all errors that there are, in small steps.
EDGE, STEEP = 0.1, 5.0
#: What is emphasised less than this is not enlarged.
SOME = 1.01
#: Up to this share of the emphasis, its change over a region does not count.
EVEN = 0.03
#: How much the library's place for a vertex counts beside the mesh's planes, which do not hold it along a flat surface.
HINT = 0.01
#: A triangle is turned over if its normal has less than this cosine with what became its corners.
TURNED = 0.3
#: Rounds in which collapses are taken back, a vertex's last ones first.
ROUNDS = 40


def decimate(
    vertices: np.ndarray, faces: np.ndarray, target: int, emphasis: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A mesh with `target` triangles or a few more; the mesh itself if it has no more.

    vertices : (n, 3) metres.  faces : (m, 3), counter-clockwise from outside; of any number of pieces.
    emphasis : (n,) at least 1: edges are spared as if they were so many times as long. None for 1 everywhere. It should
        rise over about the size of what it emphasises; where it jumps, triangles are long and thin.

    Returns vertices (k, 3) float64, faces (j, 3) int32, and source (k,) int64: of the vertices that became one, the one
    nearest to it, so that what is known of the mesh comes over as `values[source]`. If each edge has two faces and each
    vertex one fan of them, it stays so.
    """
    points, faces = np.asarray(vertices, np.float64), np.asarray(faces, np.int32)
    if len(faces) <= target:
        return points.copy(), faces.copy(), np.arange(len(points))
    weight = np.ones(len(points)) if emphasis is None else np.maximum(np.asarray(emphasis, np.float64), 1)
    merging, hint = _collapse(points, faces, int(target), weight)
    fewer, where = _without_faults(points, faces, merging, _Places(points, faces, hint))
    used, out = np.unique(fewer, return_inverse=True)
    nearest = _nearest(merging.root, np.linalg.norm(points - where[merging.root], axis=1))
    return where[used], out.reshape(-1, 3).astype(np.int32), nearest[used]


def _collapse(points: np.ndarray, faces: np.ndarray, target: int, emphasis: np.ndarray) -> tuple[_Merging, np.ndarray]:
    """What became one, and for each vertex that is left about where it should be, (n, 3)."""
    sides = points[faces[:, 0]] - points[faces[:, 1]]
    unit = EDGE / max(float(np.median(np.linalg.norm(sides, axis=1))), 1e-12)
    larger = _Enlarged(points, faces, emphasis)
    copy = unit * (larger.points - points.mean(0))
    found, _, collapses = fast_simplification.simplify(
        copy, faces, target_count=target, agg=STEEP, return_collapses=True
    )
    merging = _Merging(len(points), collapses)
    kept = np.unique(merging.applied(faces))
    if len(kept) != len(found):  # the library keeps what is left in order
        raise RuntimeError("fast-simplification tells other collapses than it made")
    hint = np.zeros(points.shape)
    hint[kept] = found
    near = _nearest(merging.root, np.linalg.norm(copy - hint[merging.root], axis=1))[kept]
    hint[kept] = points[near] + larger.ways_back(near, (found - copy[near]) / unit)
    return merging, hint


def _without_faults(
    points: np.ndarray, faces: np.ndarray, merging: _Merging, places: _Places
) -> tuple[np.ndarray, np.ndarray]:
    """The faces that are left, named by roots, and where those lie (n, 3). Collapses of `merging` are taken back."""
    folds: np.ndarray | None = None
    looked_at = fewer = merging.applied(faces)
    around: np.ndarray | None = None  # vertices whose faces are all looked at; None for all
    for _ in range(ROUNDS):
        where, facing = places.best(merging.root, merging.changed), places.facing(merging.root)
        wrong, over = _touching(looked_at, len(points)), looked_at[_turned(where, looked_at, facing)]
        if around is not None:
            wrong = wrong[around[wrong]]
        if len(over):
            if folds is None:  # where the mesh itself is turned over, nothing is to be gained
                folds = faces[_turned(points, faces, places.facing(np.arange(len(points))))].ravel()
            over = over[~np.isin(over, merging.root[folds]).any(1)]
        before = merging.root
        if not merging.take_back(np.concatenate([wrong, over.ravel()])):
            return fewer, where
        # then only where something has changed
        fewer = merging.applied(faces)
        other = np.flatnonzero(merging.root != before)
        around = np.zeros(len(points), bool)
        around[before[other]] = around[merging.root[other]] = True
        around[fewer[_some(around, fewer)]] = True
        looked_at = fewer[_some(around, fewer)]
    return fewer, places.best(merging.root, merging.changed)


def _some(chosen: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(m,) bool: the faces (m, 3) with a chosen corner, (n,) bool."""
    # three columns: reductions along short rows are slow
    return chosen[faces[:, 0]] | chosen[faces[:, 1]] | chosen[faces[:, 2]]


class _Enlarged:
    """A copy of a mesh with each emphasised region so many times as large.

    points : (n, 3) of the copy.

    A region grows about the middle of its border, a hand about the wrist and a face about the middle of the head: seen
    from there no part of it comes to lie before another, and what is outside stays where it is.
    """

    def __init__(self, points: np.ndarray, faces: np.ndarray, emphasis: np.ndarray):
        """points : (n, 3).  faces : (m, 3).  emphasis : (n,) at least 1."""
        self.points, self._emphasis = points.copy(), emphasis
        self._from_middle, self._slope, self._normals = (np.zeros(points.shape) for _ in range(3))
        inside = emphasis > SOME
        faces = faces[inside[faces].any(1)]
        if not len(faces):
            return
        self._slope = _gradient(points, faces, emphasis)
        self._normals = vertex_normals(points, faces)
        edges = unique_edges(faces)
        both, border = inside[edges].all(1), edges[inside[edges[:, 0]] != inside[edges[:, 1]]]
        link = coo_matrix((np.ones(both.sum(), bool), edges[both].T), shape=(len(points),) * 2)
        region = connected_components(link, directed=False)[1]
        rim = border[inside[border]]
        for number in np.unique(region[inside]):
            mine = np.flatnonzero((region == number) & inside)
            around = rim[region[rim] == number]
            middle = points[around if len(around) else mine].mean(0)
            self._from_middle[mine] = points[mine] - middle
            self.points[mine] = middle + emphasis[mine, None] * self._from_middle[mine]

    def ways_back(self, rows: np.ndarray, ways: np.ndarray) -> np.ndarray:
        """(k, 3) the ways along the mesh itself that lead from vertices (k,) where `ways` (k, 3) lead on the copy."""
        size, seen, slope = self._emphasis[rows], self._from_middle[rows], self._slope[rows]
        back = ways / size[:, None]
        steep = np.linalg.norm(slope, axis=1)
        uneven = np.flatnonzero(steep * np.linalg.norm(seen, axis=1) > EVEN * size)
        size, seen, slope, normal, way = (x[uneven] for x in (size, seen, slope, self._normals[rows], ways))
        # a way w along the surface becomes size w + seen (slope . w)
        up = slope / steep[uneven, None]
        level = np.cross(normal, up)
        level /= np.maximum(np.linalg.norm(level, axis=1, keepdims=True), 1e-9)
        became_up, became_level = size[:, None] * up + seen * steep[uneven, None], size[:, None] * level
        aa, ab, bb = dot(became_up, became_up), dot(became_up, became_level), dot(became_level, became_level)
        pa, pb = dot(way, became_up), dot(way, became_level)
        under = np.maximum(aa * bb - ab * ab, 1e-3 * aa * bb)
        back[uneven] = ((bb * pa - ab * pb) / under)[:, None] * up + ((aa * pb - ab * pa) / under)[:, None] * level
        return back


def _gradient(points: np.ndarray, faces: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(n, 3) slope along the surface of values (n,), the mean of the faces (m, 3) around; zero without faces."""
    corner = points[faces]
    across = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    opposite = np.roll(corner, -2, 1) - np.roll(corner, -1, 1)  # of each corner
    turned = np.cross(across[:, None], opposite)
    size = np.linalg.norm(across, axis=1)
    total = np.einsum("mk,mki->mi", values[faces], turned) / np.maximum(size, 1e-15)[:, None]  # slope times double area
    at = faces.ravel(order="F")
    area, *slope = (np.bincount(at, np.tile(term, 3), len(points)) for term in (size, *total.T))
    return np.stack(slope, 1) / np.maximum(area, 1e-15)[:, None]


#: Rows and columns of a symmetric matrix's six numbers.
_UPPER = tuple(zip(*np.triu_indices(3), strict=True))


class _Merging:
    """Which vertices became one, by collapses that can be taken back.

    root : (n,) the vertex that each vertex became.  changed : (n,) bool, vertices from which something was taken back.
    """

    def __init__(self, count: int, collapses: np.ndarray):
        """collapses : (c, 2), each `[into, gone]`, in the order in which they happened."""
        self._into, self._gone = collapses.T.astype(np.int64)
        self._active = np.ones(len(collapses), bool)
        self.changed = np.zeros(count, bool)
        self._find_roots()

    def _find_roots(self) -> None:
        root = np.arange(len(self.changed))
        root[self._gone[self._active]] = self._into[self._active]
        while True:
            further = root[root]
            if (further == root).all():
                break
            root = further
        self.root = root

    def applied(self, faces: np.ndarray) -> np.ndarray:
        """The faces (m, 3) that are left, named by roots."""
        fewer = self.root[faces]
        a, b, c = fewer.T
        return fewer[(a != b) & (b != c) & (c != a)]

    def take_back(self, roots: np.ndarray) -> bool:
        """Takes the last collapse into each of some roots back; False if there is none."""
        asked = np.zeros(len(self.changed), bool)
        asked[roots] = True
        rows = np.flatnonzero(self._active & asked[self._into])[::-1]
        if not len(rows):
            return False
        last = rows[np.unique(self._into[rows], return_index=True)[1]]
        self._active[last] = False
        self.changed[self._into[last]] = self.changed[self._gone[last]] = True
        self._find_roots()
        return True


class _Places:
    """Where vertices that became one lie, near the planes of all faces around them, and where those look."""

    def __init__(self, points: np.ndarray, faces: np.ndarray, hint: np.ndarray):
        """points, hint : (n, 3), the mesh and places to begin with.  faces : (m, 3)."""
        self._points, self._hint = points, hint
        corner = points[faces]
        across = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
        normal = across / np.sqrt(np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-24))  # square: area
        height = np.einsum("mi,mi->m", normal, corner[:, 0])
        terms = [normal[:, i] * normal[:, j] for i, j in _UPPER]
        terms += [normal[:, i] * height for i in range(3)]
        at = faces.ravel(order="F")
        self._planes = [np.bincount(at, np.tile(term, 3), len(points)) for term in terms]
        self._across = [np.bincount(at, np.tile(axis, 3), len(points)) for axis in across.T]

    def facing(self, root: np.ndarray) -> np.ndarray:
        """(n, 3) normals of roots, of any length: the mean of the faces around what became one."""
        return np.stack([np.bincount(root, axis, len(root)) for axis in self._across], 1)

    def best(self, root: np.ndarray, changed: np.ndarray) -> np.ndarray:
        """(n, 3) the places of roots, other rows are undefined. changed : (n,) roots that the hint is not for."""
        rows = np.unique(root)
        slot = np.zeros(len(root), np.int64)
        slot[rows] = np.arange(len(rows))
        slot = slot[root]
        hint = self._hint[rows]
        other = changed[rows]
        if other.any():
            size = np.bincount(slot)[:, None]
            middle = np.stack([np.bincount(slot, axis) for axis in self._points.T], 1) / size
            hint[other] = middle[other]
        sums = np.stack([np.bincount(slot, term) for term in self._planes], 1)
        matrix = np.empty((len(rows), 3, 3))
        for k, (i, j) in enumerate(_UPPER):
            matrix[:, i, j] = matrix[:, j, i] = sums[:, k]
        hold = HINT * np.einsum("kii->k", matrix) + 1e-18
        # relative to the hint, so that nothing is lost to cancellation
        pull = sums[:, 6:] - np.einsum("kij,kj->ki", matrix, hint)
        matrix[:, range(3), range(3)] += hold[:, None]
        out = np.zeros(self._points.shape)
        out[rows] = hint + np.linalg.solve(matrix, pull[..., None])[..., 0]
        return out


def _nearest(root: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """(n,) for each root, of the vertices that became it, the one with the least `apart` (n,); else undefined."""
    out = np.zeros(len(root), np.int64)
    order = np.lexsort((-apart, root))
    out[root[order]] = order  # of several, the last is kept
    return out


def _touching(faces: np.ndarray, count: int) -> np.ndarray:
    """Vertices where the surface touches itself: of edges with several faces a side, of double faces, and of two fans."""
    start, end = faces.T.astype(np.int64), np.roll(faces, -1, 1).T.astype(np.int64)
    edge = np.sort((np.minimum(start, end) * count + np.maximum(start, end)).ravel())
    crowded = edge[2:][edge[2:] == edge[:-2]]
    out = [crowded // count, crowded % count]
    low, middle, high = np.sort(start, 0)
    face = np.sort((low * count + middle) * count + high)
    double = face[1:][face[1:] == face[:-1]]
    out += [double // count**2, double // count % count, double % count]
    source = split_fans(faces, count)[1]
    out.append(source[1:][source[1:] == source[:-1]])
    return np.unique(np.concatenate(out))


def _turned(points: np.ndarray, faces: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(m,) bool: faces that are turned over or have no area. normals : (n, 3) of the vertices, of any length."""
    a, b, c = (points[faces[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    size = np.linalg.norm(across, axis=1)
    mean = (normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-24))[faces].sum(1)
    cosine = np.einsum("mi,mi->m", across, mean) / np.maximum(size * np.linalg.norm(mean, axis=1), 1e-24)
    return (cosine < TURNED) | (size < 1e-12)
