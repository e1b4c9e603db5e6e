"""A texture atlas for a person's mesh of any topology: mesh, limbs and normals in, charts that do not overlap out.

Faces that look the same way and belong together are a chart, laid flat along that direction: what faces the camera
keeps the photo's own pixels. Six directions, three of them and their opposites, are the camera's for the trunk and turn
with the limbs, so that a chart is a side of an arm or a leg, and no face is seen at more than about 60 degrees. Where a
chart would cover itself, one layer is taken out as a chart of its own. The charts are packed on a skyline.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from lookalike.surface.free_mesh.overlap import overlapping
from lookalike.surface.free_mesh.pack import pack

#: Rounds in which a face takes the direction that most of its neighbours have.
VOTES = 10
#: Least cosine between a face and its chart's direction in the vote, and for small charts that join another.
LEAST, LEAST_SMALL = 0.35, 0.12
#: Charts with fewer faces than this join a neighbour where they can.
SMALL = 40
#: At most so many layers are taken apart.
LAYERS = 8
#: Texture density of what faces the camera, of sides and back, and of patches that nobody sees.
DENSITY = (1.0, 0.72)


def free_atlas(
    vertices: np.ndarray, faces: np.ndarray, group: np.ndarray, view: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """An atlas.

    vertices : (n, 3).  faces : (m, 3), counter-clockwise from outside.  group : (m,) labels; a chart stays within one.
    view : (3,) from the person to the camera, +Z by default: what looks there gets the most texels.
    Returns uv (t, 2) float32 in [0, 1], origin upper left, and face_uv (m, 3) int32.
    """
    points = np.asarray(vertices, np.float64)
    frame = _frame(np.array([0.0, 0, 1]) if view is None else view)
    corners = points[faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    size = np.linalg.norm(cross, axis=1)
    normal = cross / np.maximum(size, 1e-15)[:, None]
    toward = (normal @ frame.T).astype(np.float32)
    facing = np.concatenate([toward, -toward], 1)  # right, up, front and their opposites
    pairs = _face_pairs(faces, len(points))
    pairs = pairs[group[pairs[:, 0]] == group[pairs[:, 1]]]
    way = _directions(facing, size, pairs)
    chart = _pieces(way, pairs)
    way = _join_small(way, chart, facing, pairs)
    layer = np.zeros(len(faces), np.int64)
    for _ in range(LAYERS):
        chart = _pieces(way + 6 * layer, pairs)
        flat, face_uv, chart_of = _lay_flat(points, faces, way, chart, frame)
        again = overlapping(flat, face_uv, chart)
        if not len(again):
            break
        layer[_second(again, pairs, chart)] += 1
    else:  # what still overlaps lies alone
        again = np.unique(again[:, 1])
        layer[again] = LAYERS + np.arange(len(again))
        chart = _pieces(way + 6 * layer, pairs)
        flat, face_uv, chart_of = _lay_flat(points, faces, way, chart, frame)
    density = np.where(np.bincount(chart, way == 2) > 0, DENSITY[0], DENSITY[1])
    flat = flat * density[chart_of][:, None]
    return pack(flat, chart_of, len(density)).astype(np.float32), face_uv.astype(np.int32)


def _frame(view: np.ndarray) -> np.ndarray:
    """(3, 3) rows right, up and front."""
    front = np.asarray(view, np.float64) / np.linalg.norm(view)
    up = np.array([0.0, 1, 0])
    right = np.cross(up, front)
    if np.linalg.norm(right) < 1e-3:
        right = np.array([1.0, 0, 0])
    right = right / np.linalg.norm(right)
    return np.stack([right, np.cross(front, right), front])


def _face_pairs(faces: np.ndarray, count: int) -> np.ndarray:
    """(k, 2) pairs of faces that share an edge."""
    ends = np.sort(np.stack([faces, np.roll(faces, -1, 1)], -1).reshape(-1, 2), 1).astype(np.int64)
    key = ends[:, 0] * count + ends[:, 1]
    order = np.argsort(key, kind="stable")
    twin = np.flatnonzero(key[order][1:] == key[order][:-1])
    return np.stack([order[twin] // 3, order[twin + 1] // 3], 1)


def _directions(facing: np.ndarray, size: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """(m,) int in 0..5: each face's direction, smooth over the mesh."""
    count = len(facing)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    size = (size / size.max()).astype(np.float32)
    around = csr_matrix((size[both[:, 1]], both.T), shape=(count, count))
    # smoothed facing: folds do not make charts
    total = np.maximum(around @ np.ones((count, 1), np.float32), 1e-12)
    smooth = facing
    for _ in range(VOTES):
        smooth = (around @ smooth + size[:, None] * smooth) / (total + size[:, None])
    smooth /= np.maximum(np.linalg.norm(smooth[:, :3], axis=1, keepdims=True), 1e-12)
    way = np.where(facing > LEAST, smooth + 0.25 * facing, facing - 2).argmax(1)
    for _ in range(VOTES):
        votes = (around @ np.eye(6, dtype=np.float32)[way]) / total
        way = np.where(facing > LEAST, votes + 0.5 * smooth, facing - 2).argmax(1)
    return way


def _pieces(label: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """(m,) connected faces of one label."""
    same = pairs[label[pairs[:, 0]] == label[pairs[:, 1]]]
    link = coo_matrix((np.ones(len(same)), same.T), shape=(len(label),) * 2)
    return connected_components(link, directed=False)[1]


def _join_small(way: np.ndarray, chart: np.ndarray, facing: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Directions in which faces of small charts take those around, where they can be seen from there."""
    way = way.copy()
    for _ in range(8):
        small = np.bincount(chart)[chart] < SMALL
        if not small.any():
            break
        both = np.concatenate([pairs, pairs[:, ::-1]])
        both = both[small[both[:, 0]] & (way[both[:, 0]] != way[both[:, 1]])]
        if not len(both):
            break
        # faces of one small chart go together: the direction with the longest border that all of it can be seen from
        count = int(chart.max()) + 1
        votes = np.zeros((count, 6))
        np.add.at(votes, (chart[both[:, 0]], way[both[:, 1]]), 1)
        least = np.full((count, 6), np.inf)
        np.minimum.at(least, chart[small], facing[small])
        votes[least < LEAST_SMALL] = 0
        best, some = votes.argmax(1), votes.max(1) > 0
        move = small & some[chart]
        if not move.any():
            break
        way[move] = best[chart[move]]
        chart = _pieces(way, pairs)
    return way


def _lay_flat(
    points: np.ndarray, faces: np.ndarray, way: np.ndarray, chart: np.ndarray, frame: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Flat corners (t, 2), right and down as seen from outside, faces (m, 3) into them, and the chart of each (t,)."""
    key = chart[:, None].astype(np.int64) * len(points) + faces
    unique, face_uv = np.unique(key, return_inverse=True)
    vertex, chart_of = unique % len(points), unique // len(points)
    direction = np.zeros(int(chart.max()) + 1, np.int64)
    direction[chart] = way
    x, y, z = (points[vertex] @ frame.T).T
    d = direction[chart_of]
    right = np.choose(d, [-z, x, x, z, x, -x])
    down = np.choose(d, [-y, z, -y, -y, -z, -y])
    return np.stack([right, down], 1), face_uv.reshape(-1, 3), chart_of


def _second(again: np.ndarray, pairs: np.ndarray, chart: np.ndarray) -> np.ndarray:
    """The faces to take out of charts that cover themselves.

    again : (k, 2) faces that overlap. Of each pair one goes: those that can be told from the others by a flood over
    the conflicts, with a margin of a face around, so that the pieces are few.
    """
    out = np.zeros(len(chart), bool)
    # the second of a pair unless the first is out already
    order = np.lexsort((again[:, 1], again[:, 0]))
    for a, b in again[order].tolist():
        if not (out[a] or out[b]):
            out[max(a, b)] = True
    near = pairs[chart[pairs[:, 0]] == chart[pairs[:, 1]]]
    conflict = np.zeros(len(out), bool)
    conflict[again.ravel()] = True
    # grow within the conflict zone only
    for _ in range(20):
        reach = near[out[near[:, 0]] != out[near[:, 1]]].ravel()
        blocked = np.zeros(len(out), bool)
        blocked[again[out[again[:, 0]], 1]] = blocked[again[out[again[:, 1]], 0]] = True
        grow = reach[conflict[reach] & ~blocked[reach] & ~out[reach]]
        if not len(grow):
            break
        out[grow] = True
    return np.flatnonzero(out)
