"""Fewer triangles: a closed mesh in, a closed mesh with about so many triangles out.

The edges collapse by quadric errors (Garland and Heckbert, 1997; the library fast-simplification). Collapsing keeps a
closed surface closed in the sense that along every edge as many triangles run one way as the other, but parts may come
to touch in an edge or fold into a double sheet. `mend` takes double sheets out and cuts the surface apart where it
touches itself (Guéziec et al., 2001), so that every edge has two triangles again.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from lookalike.anatomy.mesh import half_edge_counts, is_watertight, used_only
from lookalike.anatomy.scan_error import library
from lookalike.export.vertices import smooth_normals

#: Sheets that were cut apart are moved from each other by this share of the mean edge, so that no reader joins them.
APART = 0.02


def decimated(vertices: np.ndarray, faces: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """A closed mesh with at most about `count` triangles; the mesh itself if it has no more.

    vertices : (n, 3).  faces : (m, 3).
    """
    if len(faces) <= count:
        return vertices, faces
    centre = vertices.mean(0)
    points, fewer = library("fast_simplification").simplify(
        np.ascontiguousarray(vertices - centre, np.float32), np.ascontiguousarray(faces, np.int32), target_count=count
    )
    points, fewer = mend(points.astype(np.float64), fewer)
    if not is_watertight(fewer):  # has not been seen to happen; better many triangles than a hole
        return vertices, faces
    return points + centre, fewer


def mend(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A mesh whose every edge has two triangles, from one in which as many run along each edge one way as the other."""
    faces = _without_double_sheets(faces)
    if not len(faces):
        return vertices[:0], faces
    uses, _ = half_edge_counts(faces)
    if (uses == 2).all():
        faces, vertices = used_only(faces, vertices)
        return vertices, faces
    partner = _partners(vertices, faces)
    # Corners of one vertex belong together where their triangles are partners across an edge at that vertex.
    corner = np.arange(3 * len(faces))
    ahead = corner - corner % 3 + (corner + 1) % 3  # half-edge h runs from corner h to corner ahead[h]
    one = np.concatenate([corner, ahead])
    other = np.concatenate([ahead[partner], partner])
    graph = coo_matrix((np.ones(len(one), np.int8), (one, other)), (len(corner), len(corner)))
    number, label = connected_components(graph, directed=False)
    source = np.zeros(number, np.int64)
    source[label] = faces.reshape(-1)
    new_faces = label.reshape(-1, 3).astype(np.int32)
    out = vertices[source]
    doubled = np.bincount(source, minlength=len(vertices))[source] > 1
    length = np.linalg.norm(np.diff(out[new_faces[:, :2]], axis=1), axis=2).mean()
    out[doubled] -= APART * length * smooth_normals(out, new_faces)[doubled]  # inwards, away from the other sheet
    return _without_double_edges(out, new_faces, partner)


def _without_double_edges(
    vertices: np.ndarray, faces: np.ndarray, partner: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where two pairs of triangles still share both ends of an edge, all but one pair get a vertex on it of their own.

    partner : (3 m,) as from `_partners`.
    """
    for _ in range(20):
        start, end = faces.reshape(-1).astype(np.int64), np.roll(faces, -1, axis=1).reshape(-1).astype(np.int64)
        key = np.minimum(start, end) * len(vertices) + np.maximum(start, end)
        _, which, uses = np.unique(key, return_inverse=True, return_counts=True)
        crowded = np.flatnonzero((uses[which] > 2) & (start < end))
        if not len(crowded):
            break
        busy = np.zeros(len(faces), bool)
        split, seen = [], set()
        for half in crowded[np.argsort(which[crowded], kind="stable")].tolist():
            one, other = half // 3, int(partner[half]) // 3
            if which[half] not in seen:
                seen.add(which[half])  # the first pair keeps the edge
            elif not (busy[one] or busy[other]):
                busy[one] = busy[other] = True
                split.append(half)
        new_faces: list[tuple[int, int, int]] = []
        new_vertices: list[np.ndarray] = []
        replaced: list[int] = []
        for half in split:
            number = len(vertices) + len(new_vertices)
            a, b = int(start[half]), int(end[half])
            tips = []
            for each in (half, int(partner[half])):
                triangle, corner = divmod(each, 3)
                p, q, tip = (int(faces[triangle, (corner + k) % 3]) for k in range(3))
                replaced.append(triangle)
                new_faces += [(p, number, tip), (number, q, tip)]
                tips.append(vertices[tip])
            middle = (vertices[a] + vertices[b]) / 2
            new_vertices.append(middle + APART * (np.mean(tips, axis=0) - middle))
        kept = np.ones(len(faces), bool)
        kept[replaced] = False
        faces = np.concatenate([faces[kept], np.array(new_faces, np.int32)])
        vertices = np.concatenate([vertices, np.array(new_vertices)])
        partner = _partners(vertices, faces)
    return vertices, faces


def _without_double_sheets(faces: np.ndarray) -> np.ndarray:
    """Triangles (m, 3) without those that use a vertex twice, and without pairs that are each other's reverse."""
    faces = faces[(faces != np.roll(faces, 1, axis=1)).all(1)].astype(np.int64)
    if not len(faces):
        return faces.astype(np.int32)
    first = faces.argmin(1)
    turned = faces[np.arange(len(faces))[:, None], (first[:, None] + np.arange(3)) % 3]
    same_way = turned[:, 1] < turned[:, 2]
    key = np.sort(turned, 1)
    size = int(faces.max()) + 1
    _, which = np.unique((key[:, 0] * size + key[:, 1]) * size + key[:, 2], return_inverse=True)
    surplus = np.bincount(which, np.where(same_way, 1.0, -1.0))
    if (np.abs(surplus) == 1).all():
        return faces.astype(np.int32)
    keep = np.zeros(len(faces), bool)
    for way, sign in ((same_way, 1), (~same_way, -1)):
        mine = np.flatnonzero(way & (sign * surplus[which] > 0))
        order = mine[np.argsort(which[mine], kind="stable")]
        rank = np.arange(len(order)) - np.searchsorted(which[order], which[order])
        keep[order[rank < np.abs(surplus[which[order]])]] = True
    return faces[keep].astype(np.int32)


def _partners(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(3 m,) for each half-edge the one that runs along the same edge the other way, in the triangle that continues its
    surface. Half-edge h starts at corner h of `faces`.

    Where more than two triangles meet in an edge, those are partners that bound a wedge of the inside.
    """
    start, end = faces.reshape(-1).astype(np.int64), np.roll(faces, -1, axis=1).reshape(-1).astype(np.int64)
    size = int(faces.max()) + 1
    key = np.minimum(start, end) * size + np.maximum(start, end)
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.r_[True, np.diff(key[order]) > 0])
    length = np.diff(np.r_[first, len(order)])
    partner = np.full(len(start), -1)
    plain = first[length == 2]
    partner[order[plain]], partner[order[plain + 1]] = order[plain + 1], order[plain]
    for at, many in zip(first[length > 2], length[length > 2], strict=True):
        group = order[at : at + many]
        low, high = np.divmod(key[group[0]], size)
        axis = vertices[high] - vertices[low]
        axis = axis / max(np.linalg.norm(axis), 1e-30)
        third = np.roll(faces, -2, axis=1).reshape(-1)[group]
        aside = vertices[third] - vertices[low]
        side = np.eye(3)[np.abs(axis).argmin()]
        right = np.cross(axis, side)
        right /= np.linalg.norm(right)
        angle = np.arctan2(aside @ np.cross(axis, right), aside @ right)
        forward = start[group] == low
        # Seen along the axis, a forward triangle's inside lies clockwise of it: its partner is the next one that way.
        ring = list(np.argsort(-angle, kind="stable"))
        waiting: list[int] = []
        for each in ring * 2:
            if partner[group[each]] >= 0:
                continue
            if forward[each]:
                if each not in waiting:
                    waiting.append(each)
            elif waiting:
                mate = waiting.pop()
                partner[group[each]], partner[group[mate]] = group[mate], group[each]
    return partner
