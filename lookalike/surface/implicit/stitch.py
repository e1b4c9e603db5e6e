"""The body's own face and hands in a mesh that has none: a free mesh and a followed one in, a free mesh with real lids,
lips and fingers out.

A mesh off a grid has sealed eyes and lips and mittens for hands; the followed mesh has them as the body does. So a patch
of the followed mesh takes the place of what lies along it:

    followed mesh ──region──▶ patch, its rim ─┐
    free mesh ──cut out along the patch──▶ rim ┴zip──▶ strip ──settle──▶ one closed mesh

Where that cannot be done cleanly (hair over the face, a thing in the hand, a hand on the hip), the free mesh stays as it
is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from lookalike.mesh.triangles import closest_on_triangles, dot, pieces
from lookalike.surface.free_mesh.holes import even_loop
from lookalike.surface.implicit.patches import (
    Unclean,
    areas,
    beside_of,
    every,
    largest,
    rim_of,
    within,
    without_holes,
    without_teeth,
)
from lookalike.surface.smooth import neighbour_mean, unique_edges

#: A vertex is in the patch where its region is more than this.
INSIDE = 0.5
#: Edges of the free mesh between the patch's rim and what stays of the free mesh; where the first is too narrow for a
#: strip that does not fold, the second.
GAPS = (0.8, 1.8)
#: What is farther than this from the patch, metres, is never cut out.
REACH = 0.03
#: Metres between the two rims: median and largest.
RIMS_APART, RIMS_APART_MOST = 0.015, 0.03
#: A free mesh this far outside of the patch, metres, on more than this share of its area covers it.
COVERS, COVERED = 0.008, 0.15
#: Metres from the base mesh at which a point lies on a stump's cap.
ON_CAP = 0.004
#: What comes loose within the patch is dropped up to this share of the patch's area.
CRUMB = 0.1
#: Rounds of smoothing of the free mesh's rim.
EVEN = 4
#: The free mesh goes over into the followed one over this width, metres, if they are nearer than this to each other.
BLEND, NEAR = 0.02, 0.01
#: Rings of vertices beside the seam that are evened out, and rounds of that.
RINGS, SETTLE = 3, 4
#: Share of the strip that may face away from the base mesh below: more is a fold.
FOLDED = 0.03
#: Faces that may hold the closest point.
CANDIDATES = 6
#: Metres around the patch that are looked at.
MARGIN = 0.045


@dataclass(frozen=True)
class Stitched:
    """A free mesh with patches of another mesh in it.

    Attributes
    ----------
    vertices : (n, 3) float64 metres.
    faces : (m, 3) int32, counter-clockwise from outside.
    free : (n,) int64 index into the free mesh's vertices, -1 for those of patches. Near seams they have moved.
    base : (n,) int64 index into the followed mesh's vertices, which have stayed in place, -1 for all others.
    """

    vertices: np.ndarray
    faces: np.ndarray
    free: np.ndarray
    base: np.ndarray


def stitch(
    free_vertices: np.ndarray,
    free_faces: np.ndarray,
    base_vertices: np.ndarray,
    base_faces: np.ndarray,
    region: np.ndarray,
    stump: bool = False,
) -> Stitched | None:
    """A free mesh with a patch of a base mesh in place of what lay there; None where that would not be clean.

    free_vertices : (n, 3) metres.  free_faces : (m, 3), watertight.  base_vertices : (k, 3).  base_faces : (b, 3).
    region : (k,) in [0, 1]: the patch is the largest connected part where it is above 0.5.
    stump : the free mesh lacks what the patch is, and has a cap there.
    """
    free = np.asarray(free_vertices, np.float64), np.asarray(free_faces, np.int64)
    base_vertices = np.asarray(base_vertices, np.float64)
    try:
        patch = _patch(base_vertices, np.asarray(base_faces, np.int64), region)
    except Unclean:
        return None
    for gap in GAPS:
        try:
            return _stitched(*free, base_vertices, *patch, stump, gap)
        except Unclean:
            continue
    return None


def _stitched(
    free_vertices: np.ndarray,
    free_faces: np.ndarray,
    base_vertices: np.ndarray,
    skin: np.ndarray,
    patch: np.ndarray,
    stump: bool,
    gap: float,
) -> Stitched:
    """As `stitch`, for a patch as `_patch` finds it and one gap; raises Unclean."""
    rim = rim_of(skin[patch])[::-1]
    ground = _Ground(base_vertices, skin, patch, base_vertices[rim])
    low, high = ground.corners[patch].min((0, 1)) - MARGIN, ground.corners[patch].max((0, 1)) + MARGIN
    window, local, points = _window(free_vertices, free_faces, low, high)
    if stump:
        rest = _Ground(base_vertices, skin[~patch], np.zeros((~patch).sum(), bool), base_vertices[rim])
        out = _cap(points, local, rest, base_vertices[rim], gap)
    else:
        out = _cut_out(points, local, ground, gap)
    kept = local[~out]
    loop = _rim_of_rest(kept, local[out])
    apart = ground.rim.query(points[loop])[0]
    if np.median(apart) > RIMS_APART or apart.max() > RIMS_APART_MOST:
        raise Unclean("the rims are far apart")

    points = _toward(points, kept, loop, ground)
    strip = zip_loops(points[loop], base_vertices[rim])
    strip = np.where(strip < len(loop), loop[strip % len(loop)], strip - len(loop) + len(points))
    number = np.full(len(base_vertices), -1)
    number[rim] = np.arange(len(rim)) + len(points)
    inner = np.setdiff1d(skin[patch], rim)
    number[inner] = np.arange(len(inner)) + len(points) + len(rim)
    new = np.concatenate([strip, number[skin[patch]]])
    _check(new, loop)
    own = np.concatenate([rim, inner])
    points = _settled(points, base_vertices[own], kept, new, loop, ground)
    _check_folds(np.concatenate([points, base_vertices[own]]), strip, ground)

    vertices = free_vertices.copy()
    inside = np.unique(free_faces[window])
    vertices[inside] = points
    gone = np.zeros(len(free_faces), bool)
    gone[window[out]] = True
    new = np.concatenate([inside, np.arange(len(own)) + len(vertices)])[new]
    all_faces = np.concatenate([free_faces[~gone], new])
    used = np.zeros(len(vertices) + len(own), bool)
    used[all_faces] = True
    place = np.cumsum(used) - 1
    none = np.full(len(own), -1)
    return Stitched(
        vertices=np.concatenate([vertices, base_vertices[own]])[used],
        faces=place[all_faces].astype(np.int32),
        free=np.concatenate([np.arange(len(vertices)), none])[used],
        base=np.concatenate([np.full(len(vertices), -1), own])[used],
    )


# --- the patch ---------------------------------------------------------------------------------------------------------


def _patch(vertices: np.ndarray, faces: np.ndarray, region: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Faces (b, 3) of the piece of the mesh around the region, and which of them are the patch, (b,) bool: a disc."""
    chosen = region > INSIDE
    if not every(chosen, faces).any():
        raise Unclean("the region is empty")
    piece = pieces(faces, len(vertices))
    main = np.bincount(piece, chosen).argmax()
    points = vertices[chosen & (piece == main)]
    low, high = points.min(0) - MARGIN, points.max(0) + MARGIN
    skin = faces[every(within(vertices, low, high) & (piece == main), faces)]
    area = areas(vertices[skin])
    beside = beside_of(skin)
    patch = without_holes(largest(every(chosen, skin), beside, area), beside, area, np.inf)
    patch = without_teeth(patch, skin, beside)
    patch = without_holes(largest(patch, beside, area), beside, area, np.inf)
    used = np.unique(skin[patch])
    if len(used) - len(unique_edges(skin[patch])) + patch.sum() != 1:
        raise Unclean("the patch is no disc")
    return skin, patch


class _Ground:
    """The base mesh around the patch, and where on it points are closest.

    vertices : (k, 3).  faces : (b, 3).  patch : (b,) bool.  rim : (r, 3) the patch's rim.
    """

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, patch: np.ndarray, rim: np.ndarray):
        self.corners, self.patch = vertices[faces], patch
        cross = np.cross(self.corners[:, 1] - self.corners[:, 0], self.corners[:, 2] - self.corners[:, 0])
        self.area = np.linalg.norm(cross, axis=1) / 2
        self.normals = cross / np.maximum(2 * self.area, 1e-15)[:, None]
        self._middles = cKDTree(self.corners.mean(1))
        share = np.arange(4)[:, None, None] / 4
        self.rim = cKDTree((rim + share * (np.roll(rim, -1, 0) - rim)).reshape(-1, 3))

    def closest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Faces (q,) closest to points (q, 3), and the places on them (q, 3)."""
        face = self._middles.query(points, k=min(CANDIDATES, len(self.corners)))[1]
        place = closest_on_triangles(np.repeat(points, face.shape[1], 0), self.corners[face.ravel()])
        place = place.reshape(*face.shape, 3)
        best = np.linalg.norm(place - points[:, None], axis=2).argmin(1)
        row = np.arange(len(points))
        return face[row, best], place[row, best]


# --- the free mesh -----------------------------------------------------------------------------------------------------


def _window(vertices: np.ndarray, faces: np.ndarray, low: np.ndarray, high: np.ndarray):
    """The part of a mesh in a box: its faces' numbers (w,), the faces with vertices of their own (w, 3), and those."""
    window = np.flatnonzero(every(within(vertices, low, high), faces))
    if not len(window):
        raise Unclean("there is nothing near the patch")
    used, flat = np.unique(faces[window], return_inverse=True)
    return window, flat.reshape(-1, 3), vertices[used]


def _cut_out(points: np.ndarray, faces: np.ndarray, ground: _Ground, gap: float) -> np.ndarray:
    """(w,) bool: the faces that the patch takes the place of."""
    corners = points[faces]
    edge = float(np.median(np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)))
    face, place = ground.closest(points)
    away = np.einsum("ij,ij->i", points - place, ground.normals[face])
    apart = np.linalg.norm(points - place, axis=1)
    along = ground.patch[face] & (apart < REACH)
    along |= (ground.rim.query(place, distance_upper_bound=gap * edge)[0] < np.inf) & (apart < RIMS_APART)
    area, beside = areas(corners), beside_of(faces)
    out = largest(~every(~along, faces), beside, area)
    room = float(ground.area[ground.patch].sum())
    covered = (out * area) @ ((away > COVERS) & ground.patch[face])[faces].mean(1)
    if covered > COVERED * float(area[out].sum()):
        raise Unclean("something covers the patch")
    out = without_holes(out, beside, area, CRUMB * room)
    out = without_teeth(out, faces, beside)
    return without_holes(largest(out, beside, area), beside, area, CRUMB * room)


def _cap(points: np.ndarray, faces: np.ndarray, rest: _Ground, rim: np.ndarray, gap: float) -> np.ndarray:
    """(w,) bool: the faces of the cap of a stump, on which the base mesh's patch begins.

    rest : the base mesh without the patch.  rim : (r, 3) of the patch, as what stays has to run round it.
    """
    corners = points[faces]
    edge = float(np.median(np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)))
    middle = rim.mean(0)
    spokes = rim - middle
    way = np.cross(spokes, np.roll(spokes, -1, 0)).sum(0)
    way /= np.linalg.norm(way)
    place = rest.closest(points)[1]
    cap = np.linalg.norm(points - place, axis=1) > ON_CAP
    cap |= rest.rim.query(place, distance_upper_bound=gap * edge)[0] < np.inf
    cap &= np.linalg.norm(points - middle, axis=1) < 1.3 * np.linalg.norm(spokes, axis=1).max()
    cap &= (points - middle) @ way > -0.6 * np.linalg.norm(spokes, axis=1).max()
    area, beside = areas(corners), beside_of(faces)
    out = largest(cap[faces].any(1), beside, area)
    room = float(area[out].sum())
    out = without_holes(out, beside, area, CRUMB * room)
    out = without_teeth(out, faces, beside)
    return without_holes(largest(out, beside, area), beside, area, CRUMB * room)


def _rim_of_rest(kept: np.ndarray, out: np.ndarray) -> np.ndarray:
    """(r,) the one loop of vertices between the faces that stay and those cut out, as a patch has to run round it."""
    loop = rim_of(out)[::-1]
    ends = np.stack([np.roll(loop, -1), loop], 1)  # as the faces that stay have them
    size = int(max(kept.max(), out.max())) + 1
    there = np.stack([kept, np.roll(kept, -1, 1)], -1).reshape(-1, 2) @ [size, 1]
    if not np.isin(ends @ [size, 1], there).all():
        raise Unclean("what is cut out reaches an open border")
    return loop


def _toward(points: np.ndarray, kept: np.ndarray, loop: np.ndarray, ground: _Ground) -> np.ndarray:
    """Points (n, 3) that go over into the base mesh towards the rim, which is made even."""
    out = points.copy()
    out[loop] = even_loop(points, loop, EVEN)
    rows = np.unique(kept)
    apart = ground.rim.query(out[rows], distance_upper_bound=BLEND)[0]
    rows, apart = rows[apart < BLEND], apart[apart < BLEND]
    out[rows] = _drawn(out[rows], ground, _step(1 - apart / BLEND))
    return out


def _drawn(points: np.ndarray, ground: _Ground, share: np.ndarray) -> np.ndarray:
    """Points (q, 3) drawn to the base mesh by a share (q,), less where they are far from it."""
    off = ground.closest(points)[1] - points
    near = _step(2 - 2 * np.linalg.norm(off, axis=1) / NEAR)
    return points + (share * near)[:, None] * off


def _settled(
    points: np.ndarray, own: np.ndarray, kept: np.ndarray, new: np.ndarray, loop: np.ndarray, ground: _Ground
) -> np.ndarray:
    """Points (n, 3) of the free mesh, evened out beside the seam.

    own : (r, 3) the patch's points, which stay.  kept : (m, 3) the free mesh's faces.  new : (f, 3) strip and patch.
    """
    both = np.concatenate([points, own])
    ring = np.zeros(len(both), bool)
    ring[loop] = True
    for _ in range(RINGS):
        around = kept[ring[kept].any(1)]
        ring[around] = True
    faces = np.concatenate([kept[ring[kept].any(1)], new[ring[new].any(1)]])
    rows = np.flatnonzero(ring)
    mean = neighbour_mean(unique_edges(faces), len(both))[rows]
    share = _step(1 - ground.rim.query(both[rows])[0] / BLEND)
    for _ in range(SETTLE):
        both[rows] += 0.5 * (mean @ both - both[rows])
        both[rows] = _drawn(both[rows], ground, share)
    return both[: len(points)]


# --- the strip ---------------------------------------------------------------------------------------------------------


def zip_loops(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(r + s, 3) triangles between two closed loops of points that run side by side in the same direction.

    first : (r, 3), numbered 0 to r - 1.  second : (s, 3), numbered from r. The triangles run along the first loop and
    against the second. Of all strips that begin at the nearest pair, it is the one whose cross edges have the least sum
    of squares (Fuchs, Kedem and Uselton: Optimal surface reconstruction from planar contours, 1977).
    """
    r, s = len(first), len(second)
    cost = ((first[:, None] - second) ** 2).sum(2)
    a, b = np.unravel_index(cost.argmin(), cost.shape)
    one, two = (np.arange(r + 1) + a) % r, (np.arange(s + 1) + b) % s
    cost = cost[np.ix_(one, two)]
    total = np.full((r + 1, s + 1), np.inf)
    total[0, 0] = 0
    for k in range(1, r + s + 1):  # along diagonals, whose cells do not depend on each other
        i = np.arange(max(0, k - s), min(r, k) + 1)
        j = k - i
        above = np.where(i > 0, total[i - 1, j], np.inf)
        left = np.where(j > 0, total[i, j - 1], np.inf)
        total[i, j] = np.minimum(above, left) + cost[i, j]
    a, b = r, s
    out = []
    while a or b:
        if a and (not b or total[a - 1, b] <= total[a, b - 1]):
            a -= 1
            out.append((one[a], one[a + 1], two[b] + r))
        else:
            b -= 1
            out.append((one[a], two[b + 1] + r, two[b] + r))
    return np.array(out[::-1], np.int64)


def _check(new: np.ndarray, loop: np.ndarray) -> None:
    """Raises Unclean unless faces (f, 3) are a manifold whose only border runs along the loop (r,)."""
    size = int(max(new.max(), loop.max())) + 1
    there = np.stack([new, np.roll(new, -1, 1)], -1).reshape(-1, 2)
    key, back = np.sort(there @ [size, 1]), there[:, ::-1] @ [size, 1]
    rim = np.stack([loop, np.roll(loop, -1)], 1) @ [size, 1]
    open_edges = np.setdiff1d(key, back)
    if (key[1:] == key[:-1]).any() or not np.array_equal(open_edges, np.sort(rim)):
        raise Unclean("the strip is not manifold")


def _check_folds(points: np.ndarray, strip: np.ndarray, ground: _Ground) -> None:
    """Raises Unclean where much of the strip (s, 3) does not face as the base mesh does there. points : (n, 3)."""
    corners = points[strip]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])  # as long as the face is large
    against = dot(normal, ground.normals[ground.closest(corners.mean(1))[0]]) < 0
    area = areas(corners)
    if area[against].sum() > FOLDED * area.sum():
        raise Unclean("the strip folds")


def with_inner_pieces(
    vertices: np.ndarray, faces: np.ndarray, base_vertices: np.ndarray, base_faces: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A mesh with what lies behind lids and lips: the base mesh's pieces other than its skin, the largest one.

    vertices : (n, 3).  faces : (m, 3).  base_vertices : (k, 3).  base_faces : (b, 3). Returns vertices and faces, and
    which of the base's vertices those at the end are.
    """
    piece = pieces(base_faces, len(base_vertices))
    inner = base_faces[(piece != np.bincount(piece).argmax())[base_faces[:, 0]]]
    used, flat = np.unique(inner, return_inverse=True)
    more = flat.reshape(-1, 3) + len(vertices)
    return np.concatenate([vertices, base_vertices[used]]), np.concatenate([faces, more]).astype(np.int32), used


def _step(t: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, smooth between."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)
