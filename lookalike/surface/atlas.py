"""Texture coordinates for a body model that has none: template and faces in, an atlas of flat charts out.

Faces are sorted by the axis that their normal is nearest to, seen on the template; connected faces of one axis and one
part of the body are a chart, laid flat along that axis, and the charts are packed in rows. Small and plain: models of our
own bring better ones.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

#: Rounds in which a face takes the axis that most of its neighbours have: fewer, larger charts.
VOTES = 6
#: Room between charts, as a share of the atlas.
MARGIN = 0.004


def flat_atlas(
    vertices: np.ndarray, faces: np.ndarray, parts: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """An atlas of a mesh.

    vertices : (V, 3).  faces : (F, 3).  parts : (V,) labels; a chart stays within one, for charts that pack well.
    Returns uv (t, 2) float32 in [0, 1], origin upper left, and face_uv (F, 3) int32.
    """
    corners = vertices[faces].astype(float)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    pairs = _neighbours(faces)
    facing = np.concatenate([normals, -normals], 1)  # +x +y +z -x -y -z
    axis = facing.argmax(1)
    around = csr_matrix((np.ones(2 * len(pairs)), np.concatenate([pairs, pairs[:, ::-1]]).T), shape=(len(faces),) * 2)
    size = np.linalg.norm(normals, axis=1, keepdims=True)
    for _ in range(VOTES):
        votes = around @ np.eye(6)[axis] + 1.5 * np.maximum(facing / np.maximum(size, 1e-12), 0)
        # A face that looks away from an axis would be laid flat upside down.
        axis = np.where(facing > 0.2 * size, votes, -1).argmax(1)
    label = axis if parts is None else axis + 6 * parts[faces].max(1).astype(int)
    same = pairs[label[pairs[:, 0]] == label[pairs[:, 1]]]
    link = csr_matrix((np.ones(len(same)), same.T), shape=(len(faces),) * 2)
    count, chart = connected_components(link, directed=False)

    key = chart[:, None].astype(np.int64) * len(vertices) + faces
    unique, face_uv = np.unique(key, return_inverse=True)
    vertex, chart_of = unique % len(vertices), unique // len(vertices)
    axis_of_chart = np.zeros(count, int)
    axis_of_chart[chart] = axis
    flat = _flatten(vertices[vertex].astype(float), axis_of_chart[chart_of])
    return _pack(flat, chart_of, count).astype(np.float32), face_uv.reshape(-1, 3).astype(np.int32)


def _neighbours(faces: np.ndarray) -> np.ndarray:
    """(k, 2) pairs of faces that share an edge."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1).astype(np.int64)
    owner = np.tile(np.arange(len(faces)), 3)
    key = edges[:, 0] * (int(faces.max()) + 1) + edges[:, 1]
    order = np.argsort(key, kind="stable")
    twin = np.flatnonzero(key[order][1:] == key[order][:-1])
    return np.stack([owner[order][twin], owner[order][twin + 1]], 1)


def _flatten(points: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """(t, 2) points seen along an axis (t,) from outside, right and down, in the unit of the points."""
    x, y, z = points.T
    right = np.choose(axis, [-z, x, x, z, x, -x])
    down = np.choose(axis, [-y, z, -y, -y, -z, -y])
    return np.stack([right, down], 1)


def _pack(flat: np.ndarray, chart: np.ndarray, count: int) -> np.ndarray:
    """Points (t, 2) of charts (t,), moved so that charts stand in rows, tallest first, and scaled into the unit square."""
    low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    np.minimum.at(low, chart, flat)
    np.maximum.at(high, chart, flat)
    size = high - low
    width = np.sqrt((size.prod(1)).sum() * 1.3)
    width = max(width, size[:, 0].max())
    gap = MARGIN * width
    place = np.zeros((count, 2))
    x = y = row = 0.0
    for c in np.argsort(-size[:, 1], kind="stable"):
        if x > 0 and x + size[c, 0] > width:
            x, y, row = 0.0, y + row + gap, 0.0
        place[c] = x, y
        x, row = x + size[c, 0] + gap, max(row, size[c, 1])
    total = max((place + size).max(), 1e-9) + 2 * gap
    return (flat - low[chart] + place[chart] + gap) / total
