"""What the photo's outline says about a surface: mesh, camera and matte in, gaps along the surface's rim out.

The rim is where the surface turns away from the camera (the zero set of the normal's component along the view ray, after
Hertzmann and Zorin, 2000). Where the rim is also the outline of the picture, a walk in the picture along the rim's normal
finds the matte's border; how far the surface would have to move along its normal to reach it is the gap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from lookalike.camera import Camera
from lookalike.photo.subject import Subject
from lookalike.render.raycast import RayCaster

#: Height of the person, in pixels, in the pictures that outlines are compared in.
RESOLUTION = 512
#: Walks end here: metres into the body, and share of the person's height away from it.
INWARD, OUTWARD = 0.16, 0.45
#: Weight of a gap between two parts of the body, against one of the matte's border.
MEETING = 0.3
#: ... which counts less and less for parts that lie further apart than this, metres, from the middle.
FAR_MEETING = 0.12
#: Outlines nearer to the picture's frame than this many pixels are the frame's, not the person's.
FRAME = 2.5


@dataclass(frozen=True)
class Rim:
    """Points of a mesh's rim, one an edge that the rim crosses.

    edges : (k, 2) vertices.  share : (k,) the second vertex's part in the point.  points, normals : (k, 3), the normals unit
    and perpendicular to the view ray.  length : (k,) metres of rim that the point stands for.
    """

    edges: np.ndarray
    share: np.ndarray
    points: np.ndarray
    normals: np.ndarray
    length: np.ndarray

    def matrix(self, count: int) -> csr_matrix:
        """(k, count) sparse: values at rim points from values at a mesh's `count` vertices."""
        rows = np.repeat(np.arange(len(self.edges)), 2)
        values = np.stack([1 - self.share, self.share], 1).ravel()
        return csr_matrix((values, (rows, self.edges.ravel())), shape=(len(self.edges), count))


@dataclass(frozen=True)
class Gaps:
    """How far rim points have to move along their normals.

    gap : (k,) metres, positive outwards.  weight : (k,) in [0, 1], zero where the photo says nothing.
    met : (k,) bool: nothing but the person lies between this point and another part of the body, and the gap is the way to
        the middle between them.
    """

    gap: np.ndarray
    weight: np.ndarray
    met: np.ndarray


class OutlinePicture:
    """The matte around one person, at the resolution that outlines are compared in."""

    def __init__(self, subject: Subject, camera: Camera, vertices: np.ndarray):
        import cv2

        pixels = camera.project(vertices)
        x0, y0, x1, y1 = np.concatenate(
            [np.minimum(pixels.min(0), subject.box[:2]), np.maximum(pixels.max(0), subject.box[2:])]
        )
        tall = max(y1 - y0, x1 - x0, 1.0)
        margin = 0.05 * tall
        size = np.array([camera.width, camera.height])
        low = np.clip(np.floor([x0 - margin, y0 - margin]), 0, size - 1).astype(int)
        high = np.clip(np.ceil([x1 + margin, y1 + margin]), low + 1, size).astype(int)
        scale = min(1.0, RESOLUTION / tall)
        width, height = np.maximum(np.round((high - low) * scale), 1).astype(int)
        crop = np.ascontiguousarray(subject.matte[low[1] : high[1], low[0] : high[0]], np.float32)
        self.matte = cv2.resize(crop, (int(width), int(height)), interpolation=cv2.INTER_AREA)
        self.camera = camera.window(low[0], low[1], high[0] - low[0], high[1] - low[1], scale)
        self.tall = tall * scale
        soft = cv2.GaussianBlur(self.matte, (0, 0), 2.0)
        self._slope = np.stack([cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)], -1)

    def match(self, rim: Rim, surface: RayCaster, inward: np.ndarray | float = INWARD) -> Gaps:
        """The gaps of a mesh's rim.

        surface : the mesh.  inward : (k,) metres; the matte's border is looked for as far inside the mesh.
        """
        camera = self.camera
        count = len(rim.points)
        gap, ok, met = np.zeros(count), np.zeros(count, bool), np.zeros(count, bool)
        covered = surface.cast_image(camera).hit.astype(np.float32)
        pixel = camera.project(rim.points)
        ahead = camera.project(rim.points + 1e-3 * rim.normals) - pixel
        way = ahead / np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
        metre = camera.focal / -rim.points[:, 2]  # pixels in a metre at the point's depth
        here = np.zeros(1)
        inside = _sample(self.matte, pixel, way, here)[:, 0] >= 0.5
        on_outline = (_sample(covered, pixel + 2 * way, way, here)[:, 0] < 0.5) & self._in_frame(pixel)

        out = np.flatnonzero(on_outline & inside)
        steps = np.arange(int(OUTWARD * self.tall) + 1)
        matte = _sample(self.matte, pixel[out], way[out], steps)
        exit_, has_exit = _first(matte < 0.5)
        block, has_block = _first(_sample(covered, pixel[out], way[out], steps[2:]) > 0.5)
        meets = has_block & (~has_exit | (block + 2 < exit_))
        met[out] = meets
        gap[out] = np.where(meets, (block + 2) / 2, _crossing(matte, exit_))
        # A person cut by the photo's frame has no outline there.
        ok[out] = meets | (has_exit & self._in_frame(pixel[out] + gap[out, None] * way[out]))

        off = np.flatnonzero(on_outline & ~inside)
        reach = (np.broadcast_to(inward, count) * metre)[off]
        steps = -np.arange(int(np.ceil(reach.max(initial=1))) + 1)
        matte = _sample(self.matte, pixel[off], way[off], steps)
        entry, has_entry = _first(matte >= 0.5)
        end, has_end = _first(_sample(covered, pixel[off], way[off], steps[2:]) < 0.5)  # the other side of the limb
        gap[off] = -_crossing(-matte, entry, -0.5)
        ok[off] = has_entry & (~has_end | (entry < end + 2)) & (entry <= reach)

        agreement = self._agreement(pixel + gap[:, None] * way, way)
        meeting = MEETING * np.exp(-((gap / metre / FAR_MEETING) ** 2))
        weight = np.where(met, meeting, np.clip(agreement, 0, 1) ** 2) * ok
        return Gaps(np.where(ok, gap / metre, 0), weight, met)

    def look(self, points: np.ndarray, surface: RayCaster) -> tuple[np.ndarray, np.ndarray]:
        """Matte and the surface's coverage, each (...) float32, where points (..., 3) of the camera frame appear."""
        covered = surface.cast_image(self.camera).hit.astype(np.float32)
        pixel = self.camera.project(points)
        still, here = np.zeros((pixel.size // 2, 2)), np.zeros(1)
        sample = lambda image: _sample(image, pixel.reshape(-1, 2), still, here).reshape(pixel.shape[:-1])  # noqa: E731
        return sample(self.matte), sample(covered)

    def _in_frame(self, pixels: np.ndarray) -> np.ndarray:
        size = np.array([self.camera.width, self.camera.height])
        return ((pixels > FRAME) & (pixels < size - FRAME)).all(-1)

    def _agreement(self, pixels: np.ndarray, ways: np.ndarray) -> np.ndarray:
        """(k,) cosine between a direction and the matte's outward normal at these pixels."""
        import cv2

        at = (pixels - 0.5).astype(np.float32)[None]
        slope = cv2.remap(self._slope, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
        return -np.einsum("ki,ki->k", slope, ways) / np.maximum(np.linalg.norm(slope, axis=1), 1e-6)


def find_rim(vertices: np.ndarray, faces: np.ndarray, normals: np.ndarray) -> Rim:
    """The rim of a mesh seen from the origin.

    vertices : (n, 3) camera frame.  faces : (m, 3).  normals : (n, 3) unit.
    """
    facing = np.einsum("ni,ni->n", normals, vertices)
    facing = np.where(np.abs(facing) < 1e-9, 1e-9, facing)
    away = (facing > 0)[faces]
    crossed = faces[away.any(1) & ~away.all(1)]
    # In a crossed triangle one corner stands alone; the rim crosses the two edges that leave it.
    sign = facing[crossed] > 0
    alone = np.where(sign.sum(1) == 1, sign.argmax(1), (~sign).argmax(1))
    apex = np.take_along_axis(crossed, alone[:, None], 1)
    others = np.stack([np.take_along_axis(crossed, (alone[:, None] + k) % 3, 1) for k in (1, 2)], 1)[..., 0]
    pairs = np.sort(np.stack([np.broadcast_to(apex, others.shape), others], -1), -1)
    edges, inverse = np.unique(pairs.reshape(-1, 2), axis=0, return_inverse=True)
    share = facing[edges[:, 0]] / (facing[edges[:, 0]] - facing[edges[:, 1]])
    blend = lambda a: a[edges[:, 0]] * (1 - share)[:, None] + a[edges[:, 1]] * share[:, None]  # noqa: E731
    points, direction = blend(vertices), blend(normals)
    ray = points / np.linalg.norm(points, axis=1, keepdims=True)
    direction = direction - np.einsum("ki,ki->k", direction, ray)[:, None] * ray
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9)
    ends = inverse.reshape(-1, 2)
    piece = np.linalg.norm(points[ends[:, 0]] - points[ends[:, 1]], axis=1) / 2
    length = np.bincount(ends.ravel(), np.repeat(piece, 2), len(edges))
    return Rim(edges, share, points, direction, length)


def _sample(image: np.ndarray, pixel: np.ndarray, way: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """(k, s) values of an image along walks from `pixel` (k, 2) in directions `way` (k, 2); its border goes on outside."""
    import cv2

    at = (pixel[:, None] + steps[None, :, None] * way[:, None] - 0.5).astype(np.float32)
    if not at.size:
        return np.zeros(at.shape[:2], np.float32)
    rows = [  # OpenCV takes at most 32767 rows
        cv2.remap(image, part[..., 0], part[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for part in np.array_split(at, len(at) // 30000 + 1)
    ]
    return np.concatenate(rows)


def _first(where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(k,) the first True of each row of (k, s), and whether there is one."""
    return (where.argmax(1) if where.size else np.zeros(len(where), int)), where.any(1)


def _crossing(values: np.ndarray, index: np.ndarray, level: float = 0.5) -> np.ndarray:
    """(k,) where values (k, s) cross `level` between index - 1 and index (k,), in steps."""
    rows = np.arange(len(values))
    after, before = values[rows, index], values[rows, np.maximum(index - 1, 0)]
    return index - np.clip((after - level) / np.where(np.abs(after - before) < 1e-6, 1.0, after - before), 0, 1)
