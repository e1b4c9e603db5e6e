"""Part what only touches: a watertight mesh in which arm and torso or two legs are one skin in, one that may move out.

An edge of the mesh whose two ends belong far apart on the body is a web. The faces along webs are taken out, and each
limb's hole is closed by a patch that goes on as smoothly as the limb around it. Where a web ends in an armpit or a
crotch, the hole reaches round both limbs: it is divided by a chord there, and each limb gets its own patch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from lookalike.body.model import Body
from lookalike.surface.free_mesh.holes import EdgeSet, boundary_loops, close, even_loop, smooth_patch, split_fans
from lookalike.surface.free_mesh.limbs import HEAD, LEFT_LEG, RIGHT_LEG, TORSO, WHOLE
from lookalike.surface.free_mesh.match import Match, smooth_normals
from lookalike.surface.smooth import neighbour_mean

#: Two ends of an edge this much farther apart in the T-pose than they are here, metres and in edge lengths, are a web.
WEB, WEB_EDGES = 0.045, 2.5
#: Legs that touch this far below the crotch, metres, are a web if the surface is hollow between them: if both sides
#: face each other with at least this cosine to the line between the legs.
BELOW_CROTCH, FACING = 0.03, 0.25
#: What joins the legs only this far below the crotch, metres, is a web in any case.
PASSING = 0.2
#: Pieces of the mesh with fewer faces than this share are crumbs that cutting left.
CRUMB = 0.002
#: Rounds in which the cuts' teeth are smoothed.
TEETH = 4


@dataclass(frozen=True)
class Parted:
    """A mesh whose limbs are free.

    vertices : (n, 3).  faces : (m, 3).  source : (n,) the vertex of the mesh before, -1 on patches.
    limb : (n,) uint8.
    """

    vertices: np.ndarray
    faces: np.ndarray
    source: np.ndarray
    limb: np.ndarray


def separate(vertices: np.ndarray, faces: np.ndarray, edges: np.ndarray, ties: Match, body: Body) -> Parted:
    """Cut webs and close the holes. vertices : (n, 3).  faces : (m, 3).  edges : (e, 2) all of the mesh's."""
    web = find_webs(vertices, faces, edges, ties, body)
    size = len(vertices)
    key = np.sort(edges[web].astype(np.int64) @ [size, 1])
    corner = np.sort(np.stack([faces, np.roll(faces, -1, 1)], -1).astype(np.int64), -1) @ [size, 1]
    out = np.isin(corner, key).any(1)
    kept, source = split_fans(faces[~out], size)
    kept, source = _without_crumbs(kept, source, _piece_sizes(faces, size))
    points, limb = vertices[source].astype(np.float64), ties.limb[source]
    loops = boundary_loops(kept)
    for loop in loops:
        points[loop] = even_loop(points, loop, TEETH)
    growing = _Growing(points, limb)
    taken = EdgeSet(kept)
    added = []
    for loop in loops:
        for ring, name in growing.with_chords(_by_limb(loop, limb), loop):
            triangles, extra = close(growing.points, ring, taken)
            added.append(triangles)
            growing.add(extra, _nearest_limb(extra, growing, ring, name))
    if not added:
        return Parted(points, kept, source, limb)
    count, points, limb = len(points), growing.points, growing.limb
    all_faces = np.concatenate([kept, *added]).astype(np.int32)
    fresh = np.arange(len(points)) >= count
    points = smooth_patch(points, all_faces, fresh)
    source = np.concatenate([source, np.full(len(points) - count, -1)])
    all_faces, again = split_fans(all_faces, len(points))  # where a chord lies on an edge that was there
    return Parted(points[again], all_faces, source[again], limb[again])


def find_webs(vertices: np.ndarray, faces: np.ndarray, edges: np.ndarray, ties: Match, body: Body) -> np.ndarray:
    """(e,) bool: the edges (e, 2) that only hold together what touches in this pose."""
    a, b = edges.T
    rest = ties.anchors @ np.asarray(body.rest, np.float64)
    length = np.linalg.norm(vertices[a] - vertices[b], axis=1)
    gap = np.linalg.norm(rest[a] - rest[b], axis=1)
    legs = spans_legs(edges, ties.limb)
    differ = ties.limb[a] != ties.limb[b]
    # hair and collars lie on shoulders and go with them well enough
    soft = np.isin(ties.limb[a], (HEAD, TORSO)) & np.isin(ties.limb[b], (HEAD, TORSO))
    web = differ & ~soft & ~legs & (gap > WEB + WEB_EDGES * length)
    return web | (legs & hollow_between(vertices, faces, edges, ties, body))


def spans_legs(edges: np.ndarray, limb: np.ndarray) -> np.ndarray:
    """(e,) bool: edges from one leg to the other."""
    a, b = limb[edges[:, 0]], limb[edges[:, 1]]
    return (np.isin(a, LEFT_LEG) & np.isin(b, RIGHT_LEG)) | (np.isin(a, RIGHT_LEG) & np.isin(b, LEFT_LEG))


def hollow_between(vertices: np.ndarray, faces: np.ndarray, edges: np.ndarray, ties: Match, body: Body) -> np.ndarray:
    """(e,) bool: of all edges (e, 2), those from leg to leg in the valley where two trouser legs touch, as against a
    skirt, which goes straight across."""
    legs = np.flatnonzero(spans_legs(edges, ties.limb))
    out = np.zeros(len(edges), bool)
    if not len(legs):
        return out
    names = list(body.model.joint_names)
    hips = [names.index("left_hip"), names.index("right_hip")]
    crotch = _crotch(body)
    rest = (ties.anchors @ np.asarray(body.rest, np.float64))[:, 1]
    across = body.joints[hips[1]] - body.joints[hips[0]]  # from left to right
    across = across / max(float(np.linalg.norm(across)), 1e-9)
    toward = smooth_normals(vertices, faces, edges, 3) @ across
    left, right = np.isin(ties.limb, LEFT_LEG), np.isin(ties.limb, RIGHT_LEG)
    facing = np.where(left, toward, np.where(right, -toward, 0.0))
    # what the band along the border says on the whole
    mean = neighbour_mean(edges, len(vertices))
    band = np.zeros(len(vertices))
    band[edges[legs].ravel()] = 1
    for _ in range(2):
        band = np.maximum(band, mean @ band > 0)
    value = facing * band
    weight = band.copy()
    for _ in range(12):
        value, weight = band * (mean @ value + value), band * (mean @ weight + weight)
        scale = np.maximum(weight, 1e-12)
        value, weight = value / scale, band.copy()
    a, b = edges[legs].T
    hollow = (value[a] + value[b]) / 2 > FACING
    deep = np.minimum(rest[a], rest[b]) < crotch - BELOW_CROTCH
    # a skirt begins at the hips: what joins the legs only farther down is where one passes the other
    link = coo_matrix((np.ones(2 * len(edges)), np.tile(edges, (2, 1)).T), shape=(len(vertices),) * 2)
    near = np.flatnonzero(band > 0)
    piece = np.full(len(vertices), -1)
    piece[near] = connected_components(link.tocsr()[near][:, near], directed=False)[1]
    top = np.full(len(near), -np.inf)
    np.maximum.at(top, piece[a], np.maximum(rest[a], rest[b]))
    out[legs] = (hollow & deep) | (top[piece[a]] < crotch - PASSING)
    return out


def _crotch(body: Body) -> float:
    """Height of the crotch of the body at rest."""
    model = body.model
    names = list(model.joint_names)
    hip = body.rest_joints[[names.index("left_hip"), names.index("right_hip")], 1].mean()
    shares = model.weights[:, [names.index("left_hip"), names.index("right_hip")]]
    middle = np.abs(body.rest[:, 0]) < 0.015 * max(float(np.ptp(body.rest[:, 1])), 0.5)
    rows = middle & (shares.sum(1) > 0.05) & (body.rest[:, 1] < hip)
    return float(body.rest[rows, 1].min()) if rows.any() else float(hip - 0.08)


def _by_limb(loop: np.ndarray, limb: np.ndarray) -> list[tuple[np.ndarray, int]]:
    """A loop of vertices divided by chords, so that each part lies on one limb as far as it goes: rings and limbs."""
    side = _joined(limb[loop])
    change = np.flatnonzero(side != np.roll(side, 1))
    if len(change) < 2:
        return [(loop, int(np.bincount(side).argmax()))]
    loop, side = np.roll(loop, -change[0]), np.roll(side, -change[0])
    out: list[tuple[np.ndarray, int]] = []
    # runs, shortest first, are cut off until two are left
    runs = [list(run) for run in np.split(np.arange(len(loop)), np.flatnonzero(np.diff(side)) + 1)]
    names = [int(side[run[0]]) for run in runs]
    while len(runs) > 2:
        short = min(range(len(runs)), key=lambda k: len(runs[k]))
        run = runs.pop(short)
        name = names.pop(short)
        if len(run) >= 3:
            out.append((loop[run], name))
        # its two ends remain, as part of the run before
        before = (short - 1) % len(runs)
        ends = [run[0], run[-1]] if len(run) > 1 else [run[0]]
        runs[before] = runs[before] + ends
        after = (before + 1) % len(runs)
        if after != before and names[after] == names[before]:
            runs[before] += runs[after]
            del runs[after], names[after]
    if len(runs) == 1:
        return [*out, (loop[runs[0]], names[0])]
    first, second = runs
    if len(first) < 3 or len(second) < 1:
        return [*out, (loop[first + second], names[0])]
    out.append((loop[first], names[0]))
    rest = [first[-1], *second, first[0]]
    return [*out, (loop[rest], names[1])]


def _joined(side: np.ndarray) -> np.ndarray:
    """Limbs along a loop: an arm against all else, or one leg against the other; runs of one or two are noise."""
    whole = WHOLE[side]
    arm = np.isin(whole, (2, 4))
    whole = np.where(arm, whole, 0) if arm.sum() > 2 else np.where(whole == 8, 8, 6)
    for _ in range(3):
        before, after = np.roll(whole, 1), np.roll(whole, -1)
        whole = np.where((before == after) & (whole != before), before, whole)
    return whole


class _Growing:
    """Points and their limbs, to which patches add theirs."""

    def __init__(self, points: np.ndarray, limb: np.ndarray):
        self.points, self.limb = points, limb

    def add(self, points: np.ndarray, limb: np.ndarray | int) -> np.ndarray:
        """Adds points (k, 3); returns their numbers."""
        first = len(self.points)
        self.points = np.concatenate([self.points, points])
        self.limb = np.concatenate([self.limb, np.broadcast_to(limb, len(points)).astype(np.uint8)])
        return np.arange(first, first + len(points))

    def with_chords(self, rings: list[tuple[np.ndarray, int]], loop: np.ndarray) -> list[tuple[np.ndarray, int]]:
        """The rings with points along the chords by which they were cut off their loop, in both rings the same."""
        there = {*zip(loop.tolist(), np.roll(loop, -1).tolist(), strict=True)}
        step = float(np.median(np.linalg.norm(self.points[loop] - self.points[np.roll(loop, 1)], axis=1)))
        chords: dict[tuple[int, int], list[int]] = {}
        out = []
        for ring, name in rings:
            long: list[int] = []
            for a, b in zip(ring.tolist(), np.roll(ring, -1).tolist(), strict=True):
                long.append(a)
                if (a, b) in there:
                    continue
                key = (min(a, b), max(a, b))
                if key not in chords:
                    ends = self.points[list(key)]
                    pieces = max(1, round(float(np.linalg.norm(ends[1] - ends[0])) / max(step, 1e-9)))
                    share = np.arange(1, pieces)[:, None] / pieces
                    chords[key] = self.add(ends[0] + share * (ends[1] - ends[0]), name).tolist()
                long += chords[key] if a < b else chords[key][::-1]
            out.append((np.array(long), name))
        return out


def _nearest_limb(points: np.ndarray, growing: _Growing, ring: np.ndarray, name: int) -> np.ndarray:
    """(k,) the limbs of a patch's points (k, 3): that of the nearest vertex of its ring on its side (`_joined`)."""
    own = growing.limb[ring]
    side = WHOLE[own] == name if name in WHOLE[own] else np.ones(len(ring), bool)
    if name == 0:  # all that is no arm
        side = ~np.isin(WHOLE[own], (2, 4))
    ring = ring[side] if side.any() else ring
    return growing.limb[ring][cKDTree(growing.points[ring]).query(points)[1]] if len(points) else np.zeros(0, np.uint8)


def _piece_sizes(faces: np.ndarray, count: int) -> np.ndarray:
    """(n,) how many faces the connected piece has that each of `count` vertices belongs to."""
    ends = np.concatenate([faces[:, :2], faces[:, 1:]])
    link = coo_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count,) * 2)
    piece = connected_components(link, directed=False)[1]
    return np.bincount(piece[faces[:, 0]], minlength=int(piece.max()) + 1)[piece]


def _without_crumbs(faces: np.ndarray, source: np.ndarray, before: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Faces and vertices without tiny pieces; what was one before, such as an eyeball, stays.

    before : (k,) of the vertices that `source` (n,) names, how many faces their piece had.
    """
    least = CRUMB * len(faces)
    keep = (_piece_sizes(faces, len(source)) >= least) | (before[source] < least)
    used, flat = np.unique(faces[keep[faces[:, 0]]], return_inverse=True)
    return flat.reshape(-1, 3).astype(np.int32), source[used]
