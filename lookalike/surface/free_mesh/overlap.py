"""Which triangles of a flat chart cover each other: exact tests of the pairs that share a cell of a grid.

A chart of triangles that all turn the same way can only cover itself where its border crosses itself or where the
triangles go more than once round a corner. So borders and corners are looked at first, and only the charts that fail are
tested triangle by triangle.
"""

from __future__ import annotations

import numpy as np

#: Triangles that reach into each other by less than this share of their size only touch.
TOUCH = 1e-3


def overlapping(flat: np.ndarray, faces: np.ndarray, chart: np.ndarray) -> np.ndarray:
    """(k, 2) pairs of triangles of one chart that overlap, each once.

    flat : (t, 2).  faces : (m, 3) into it; each chart has corners of its own, and its triangles turn one way.
    chart : (m,) int. Triangles that share corners or edges do not overlap for that.
    """
    rows = np.flatnonzero(np.isin(chart, _doubtful(flat, faces, chart)))
    corners = flat[faces[rows]]
    pairs = _close_pairs(corners.min(1), corners.max(1), chart[rows])
    # triangles that turn the same way lie on different sides of an edge that they share
    a, b = faces[rows[pairs[:, 0]]], faces[rows[pairs[:, 1]]]
    opposite = np.zeros(len(pairs), bool)
    for i in range(3):
        for j in range(3):
            opposite |= (a[:, i] == b[:, (j + 1) % 3]) & (a[:, (i + 1) % 3] == b[:, j])
    pairs = pairs[~opposite]
    return rows[pairs[_meet(corners[pairs[:, 0]], corners[pairs[:, 1]])]]


def _doubtful(flat: np.ndarray, faces: np.ndarray, chart: np.ndarray) -> np.ndarray:
    """The charts whose border crosses itself or that go round a corner more than once."""
    corners = flat[faces]
    edge = np.roll(corners, -1, 1) - corners
    before = -np.roll(edge, 1, 1)
    angle = np.arctan2(np.abs(edge[..., 0] * before[..., 1] - edge[..., 1] * before[..., 0]), (edge * before).sum(-1))
    around = np.bincount(faces.ravel(), angle.ravel(), len(flat))
    bad = [chart[(around[faces] > 2 * np.pi + 1e-3).any(1)]]
    start, end = faces.ravel().astype(np.int64), np.roll(faces, -1, 1).ravel().astype(np.int64)
    half = np.sort(start * len(flat) + end)
    twice = half[1:][half[1:] == half[:-1]]  # an edge with more than two faces
    bad.append(np.repeat(chart, 3)[np.isin(start * len(flat) + end, twice)] if len(twice) else chart[:0])
    key = np.minimum(start, end) * len(flat) + np.maximum(start, end)
    order = np.argsort(key)
    new = np.concatenate([[True], key[order][1:] != key[order][:-1], [True]])
    rim = np.sort(order[new[1:] & new[:-1]])
    a, b, of = flat[start[rim]], flat[end[rim]], np.repeat(chart, 3)[rim]
    one, two = _close_pairs(np.minimum(a, b), np.maximum(a, b), of).T
    ends = np.stack([start[rim], end[rim]], 1)
    # where two fans of a chart meet in one corner, they may cover each other there
    pinched = np.bincount(ends.ravel(), minlength=len(flat)) > 2
    bad.append(of[pinched[ends].any(1)])
    apart = (ends[one][:, :, None] != ends[two][:, None, :]).all((1, 2))
    one, two = one[apart], two[apart]
    side = lambda p, q, r: (q[:, 0] - p[:, 0]) * (r[:, 1] - p[:, 1]) - (q[:, 1] - p[:, 1]) * (r[:, 0] - p[:, 0])  # noqa: E731
    cross = (side(a[one], b[one], a[two]) * side(a[one], b[one], b[two]) <= 0) & (
        side(a[two], b[two], a[one]) * side(a[two], b[two], b[one]) <= 0
    )
    bad.append(of[one[cross]])
    return np.unique(np.concatenate(bad))


def overlapping_triangles(corners: np.ndarray, chart: np.ndarray) -> np.ndarray:
    """(k, 2) pairs of triangles (m, 3, 2) of one chart that overlap, each once: every pair of near ones is tested."""
    pairs = _close_pairs(corners.min(1), corners.max(1), chart)
    return pairs[_meet(corners[pairs[:, 0]], corners[pairs[:, 1]])]


def _close_pairs(low: np.ndarray, high: np.ndarray, chart: np.ndarray) -> np.ndarray:
    """(k, 2) pairs of boxes of one chart that meet, each once. low, high : (m, 2)."""
    if not len(low):
        return np.empty((0, 2), np.int64)
    side = max(float(np.median((high - low).max(1))) * 1.5, 1e-12)
    first, last = np.floor(low / side).astype(np.int64), np.floor(high / side).astype(np.int64)
    span = last - first + 1
    count = span.prod(1)
    owner = np.repeat(np.arange(len(low)), count)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    x = first[owner, 0] + step % span[owner, 0]
    y = first[owner, 1] + step // span[owner, 0]
    x, y = x - x.min(), y - y.min()
    key = (chart[owner].astype(np.int64) * (int(y.max()) + 1) + y) * (int(x.max()) + 1) + x
    order = np.argsort(key, kind="stable")
    key, owner = key[order], owner[order]
    found = []
    # the k-th neighbours in sorted order share a cell as long as their keys agree
    for k in range(1, len(key)):
        same = np.flatnonzero(key[k:] == key[:-k])
        if not len(same):
            break
        a, b = owner[same], owner[same + k]
        boxes = (low[a] <= high[b]).all(1) & (low[b] <= high[a]).all(1)
        found.append(np.minimum(a, b)[boxes] * len(low) + np.maximum(a, b)[boxes])
    key = np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)
    return np.stack([key // len(low), key % len(low)], 1)


def _meet(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """(k,) bool: whether no edge's line parts the triangles (k, 3, 2) (separating axes)."""
    rows = np.arange(len(one))
    for k in range(3):
        for a, b in ((one, two), (two, one)):
            p, q, r, other = a[rows, k], a[rows, (k + 1) % 3], a[rows, (k + 2) % 3], b[rows]
            x, y = p[:, 1] - q[:, 1], q[:, 0] - p[:, 0]
            own = x * (r[:, 0] - p[:, 0]) + y * (r[:, 1] - p[:, 1])
            far = [x * (other[:, c, 0] - p[:, 0]) + y * (other[:, c, 1] - p[:, 1]) for c in range(3)]
            least, most = np.minimum(np.minimum(far[0], far[1]), far[2]), np.maximum(np.maximum(far[0], far[1]), far[2])
            slack = TOUCH * np.abs(own)
            rows = rows[(np.maximum(own, 0) > least + slack) & (most > np.minimum(own, 0) + slack)]
    meet = np.zeros(len(one), bool)
    meet[rows] = True
    return meet
