"""Light that does not depend on the view: how much of the sky each vertex sees, and the shadow on the ground.

Both are made once a mesh, from a fixed set of directions shared by all points: no noise, and coherent rays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.render.raycast import RayCaster
from lookalike.render.texture import bilinear

#: Cells of the ground shadow along its longer side.
GROUND_CELLS = 72


def sphere_directions(count: int) -> np.ndarray:
    """(count, 3) float32 unit directions spread evenly over the sphere (a Fibonacci lattice)."""
    i = np.arange(count) + 0.5
    y, angle = 1 - 2 * i / count, np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - y**2)
    return np.stack([r * np.cos(angle), y, r * np.sin(angle)], 1).astype(np.float32)


def sky_seen(
    caster: RayCaster, vertices: np.ndarray, normals: np.ndarray, reach: float, directions: np.ndarray
) -> np.ndarray:
    """Ambient occlusion: (n,) float32 in [0, 1], the cosine-weighted share of `directions` that leave a vertex freely.

    vertices, normals : (n, 3) of the caster's mesh.  reach : how far, in the mesh's unit, other surface still shades.
    """
    lifted = (vertices + 0.01 * reach * normals).astype(np.float32)
    cosine = normals.astype(np.float32) @ directions.T
    point, which = np.nonzero(cosine > 0.05)
    free = ~caster.occluded(lifted[point], directions[which], far=reach)
    weight = cosine[point, which]
    total = np.bincount(point, weight, len(vertices))
    seen = np.bincount(point, weight * free, len(vertices))
    return np.where(total > 0, seen / np.maximum(total, 1e-6), 1).astype(np.float32)


def smoothed(values: np.ndarray, faces: np.ndarray, rounds: int = 2) -> np.ndarray:
    """Values (n,) averaged with their neighbours along edges, a few rounds."""
    from scipy.sparse import coo_matrix, identity

    count = len(values)
    start, end = faces.reshape(-1), np.roll(faces, -1, axis=1).reshape(-1)
    edges = coo_matrix((np.ones(2 * len(start), np.float32), (np.r_[start, end], np.r_[end, start])), (count, count))
    mean = edges.tocsr() + identity(count, np.float32, "csr")
    share = 1 / np.asarray(mean.sum(1)).ravel()
    for _ in range(rounds):
        values = (mean @ values) * share
    return values.astype(np.float32)


@dataclass(frozen=True)
class GroundShadow:
    """A soft shadow on the plane y = `level`.

    low : (2,) x and z of the map's corner.  cell : its cells' side.
    darkness : (rows along z, columns along x) float32, 0 where the ground sees the whole sky, fading to 0 at the edges.
    """

    level: float
    low: np.ndarray
    cell: float
    darkness: np.ndarray

    @classmethod
    def of(cls, caster: RayCaster) -> GroundShadow:
        """The shadow of a mesh that stands on (or hovers over) its lowest point."""
        import cv2

        size = caster.high - caster.low
        reach = float(size[1])
        low = caster.low[[0, 2]] - 0.35 * reach
        span = size[[0, 2]] + 0.7 * reach
        cell = float(span.max()) / GROUND_CELLS
        columns, rows = np.maximum(np.ceil(span / cell), 2).astype(int)
        x = low[0] + (np.arange(columns) + 0.5) * cell
        z = low[1] + (np.arange(rows) + 0.5) * cell
        points = np.stack(np.broadcast_arrays(x[None, :], caster.low[1] - 1e-3 * reach, z[:, None]), -1).reshape(-1, 3)
        directions = sphere_directions(160)
        directions = directions[directions[:, 1] > 0.2]  # lower ones would only make a haze
        pairs = (len(points), len(directions), 3)
        blocked = caster.occluded(
            np.broadcast_to(points[:, None], pairs).reshape(-1, 3),
            np.broadcast_to(directions, pairs).reshape(-1, 3),
            far=0.4 * reach,
        )
        weight = directions[:, 1] / directions[:, 1].sum()
        darkness = (blocked.reshape(rows, columns, -1) @ weight).astype(np.float32)
        darkness = cv2.GaussianBlur(darkness, (0, 0), 1.6)
        edge = np.minimum.outer(
            np.minimum(np.arange(rows), np.arange(rows)[::-1]), np.minimum(np.arange(columns), np.arange(columns)[::-1])
        )
        return cls(
            float(caster.low[1]), low, cell, darkness * np.clip(edge / (0.15 * GROUND_CELLS), 0, 1).astype(np.float32)
        )

    def at(self, origin: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """(r,) float32 darkness where rays from `origin` (3,) along `directions` (r, 3) meet the ground, else 0."""
        down = directions[:, 1]
        depth = (self.level - origin[1]) / np.where(np.abs(down) < 1e-9, 1e-9, down)
        x = (origin[0] + depth * directions[:, 0] - self.low[0]) / self.cell - 0.5
        z = (origin[2] + depth * directions[:, 2] - self.low[1]) / self.cell - 0.5
        return np.where(depth > 0, bilinear(self.darkness, x, z, outside=0), 0)
