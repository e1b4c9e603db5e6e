"""The atlas as a list of texels: UV triangles in, the face and barycentrics behind every covered texel out.

Everything painted is computed for this list (about 60 % of the atlas) and put into an image at the very end, when the
gutters between the islands are filled from the nearest covered texel, so that neither bilinear lookups nor small mip
levels see a seam.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

#: Texels beyond an island's edge that repeat its colour; further out the atlas takes its mean colour.
GUTTER = 24
#: cv2 takes polygon corners as fixed-point numbers with this many fractional bits.
FRACTION = 6
#: The fill takes every texel that an outline touches, so a centre may lie half a texel outside its triangle; there the
#: triangle's plane is extrapolated, by at most this share of the triangle.
BEYOND = 0.3


@dataclass(frozen=True)
class Texels:
    """The covered texels of a square atlas.

    Attributes
    ----------
    size : texels along a side.
    index : (k,) int64, row * size + column, ascending; row 0 is v = 0.
    face : (k,) int32, the triangle that covers the texel's centre, or touches the texel at an island's edge.
    bary : (k, 3) float32 barycentrics of the texel's centre, a little negative where it lies just outside the triangle.
    """

    size: int
    index: np.ndarray
    face: np.ndarray
    bary: np.ndarray

    def interpolate(self, faces: np.ndarray, values: np.ndarray, part: slice | np.ndarray = slice(None)) -> np.ndarray:
        """Values at the texels: faces (m, 3) into values (n, c) -> (k, c) float32, or of `part` of the texels only."""
        corners = np.take(faces, self.face[part], 0)
        bary = self.bary[part]
        values = values.astype(np.float32, copy=False)
        out = np.take(values, corners[:, 0], 0) * bary[:, :1]
        out += np.take(values, corners[:, 1], 0) * bary[:, 1:2]
        out += np.take(values, corners[:, 2], 0) * bary[:, 2:]
        return out

    def image(self, values: np.ndarray) -> np.ndarray:
        """The atlas with `values` (k,) or (k, c): (size, size) or (size, size, c), gutters filled."""
        flat = np.empty((self.size * self.size, *values.shape[1:]), values.dtype)
        flat[:] = values[:: max(1, len(values) // 100_000)].mean(0) if len(values) else 0
        flat[self.index] = values
        target, source = self._gutters
        flat[target] = flat[source]
        return flat.reshape(self.size, self.size, *values.shape[1:])

    @cached_property
    def _gutters(self) -> tuple[np.ndarray, np.ndarray]:
        """Uncovered texels within `GUTTER` of an island, and the nearest covered texel of each."""
        empty = np.ones(self.size * self.size, np.uint8)
        empty[self.index] = 0
        if not len(self.index):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        distance, label = cv2.distanceTransformWithLabels(
            empty.reshape(self.size, self.size), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        owner = np.empty(int(label.max()) + 1, np.int64)
        owner[label.reshape(-1)[self.index]] = self.index
        target = np.flatnonzero((distance > 0) & (distance <= GUTTER))
        return target, owner[label.reshape(-1)[target]]


def texel_map(uv: np.ndarray, face_uv: np.ndarray, size: int) -> Texels:
    """Rasterise an atlas.

    uv : (t, 2) in [0, 1], origin at the upper left.  face_uv : (m, 3) into uv, either orientation; where triangles
    overlap the later one wins.  size : texels along a side.
    """
    corners = uv.astype(np.float64)[face_uv] * size
    owner = np.full((size, size), -1, np.int32)
    # cv2 puts pixel centres on whole numbers.
    fixed = np.rint((corners - 0.5) * (1 << FRACTION)).astype(np.int32)
    fill = cv2.fillConvexPoly
    for number, triangle in enumerate(fixed):
        fill(owner, triangle, number, cv2.LINE_8, FRACTION)
    index = np.flatnonzero(owner.reshape(-1) >= 0)
    face = owner.reshape(-1)[index]
    return Texels(size, index, face, _barycentrics(corners.astype(np.float32), face, index, size))


def _barycentrics(corners: np.ndarray, face: np.ndarray, index: np.ndarray, size: int) -> np.ndarray:
    origin, along, across = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]
    inverse = np.divide(1, area, out=np.zeros_like(area), where=np.abs(area) > 1e-9)
    # Rows of the map from a texel centre to its second and third barycentric coordinate, one pair a triangle.
    second = np.stack([across[:, 1] * inverse, -across[:, 0] * inverse], 1)
    third = np.stack([-along[:, 1] * inverse, along[:, 0] * inverse], 1)
    offset = -np.stack([(second * origin).sum(1), (third * origin).sum(1)], 1)
    table = np.concatenate([second, third, offset], 1)[face]
    x, y = (index % size).astype(np.float32) + 0.5, (index // size).astype(np.float32) + 0.5
    bary = np.empty((len(index), 3), np.float32)
    bary[:, 1] = np.clip(table[:, 0] * x + table[:, 1] * y + table[:, 4], -BEYOND, 1 + BEYOND)
    bary[:, 2] = np.clip(table[:, 2] * x + table[:, 3] * y + table[:, 5], -BEYOND, 1 + BEYOND)
    excess = np.maximum((bary[:, 1] + bary[:, 2]) / (1 + BEYOND), 1)
    bary[:, 1:] /= excess[:, None]
    bary[:, 0] = 1 - bary[:, 1] - bary[:, 2]
    return bary
