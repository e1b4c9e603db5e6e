"""What the maps network reads: a picture and the body's `Maps` in, one stack of channels out; and the way back.

Nothing in it is in metres. Depths are counted from the body's median depth in *units of the crop*: half of the crop's
longer side, at that depth. A person twice as far off under twice the focal length gives the same numbers.

| channels | what |
|---|---|
| `PICTURE` 0-2 | sRGB in -1..1 times the matte, so zero outside |
| `MATTE` 3 | the matte, 0..1 |
| `NORMALS` 4-9 | the body's normals in front, then behind; zero outside the body |
| `DEPTHS` 10-11 | the body's depths in front and behind in units of the crop; beyond the body they go on smoothly |
| `BODY` 12 | one on the body |
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.camera import Camera
from lookalike.maps.maps import Maps

PICTURE, MATTE, NORMALS, DEPTHS, BODY = slice(0, 3), slice(3, 4), slice(4, 10), slice(10, 12), slice(12, 13)
CHANNELS = 13
#: Pixels around the person in a window, and what its place is a multiple of.
MARGIN, STEP = 8, 4


@dataclass(frozen=True)
class CropUnit:
    """How depths are counted.

    middle : metres, the body's median depth.  size : metres in one unit, half of the crop's longer side at that depth.
    """

    middle: float
    size: float

    @classmethod
    def of(cls, body: Maps) -> CropUnit:
        """The unit of a body's maps. Raises ValueError where the body is not in the picture."""
        if not body.mask.any():
            raise ValueError("the body is outside of the picture")
        middle = float(np.median(np.concatenate([body.depth_front[body.mask], body.depth_back[body.mask]])))
        return cls(middle, 0.5 * max(body.camera.width, body.camera.height) * middle / body.camera.focal)

    def from_metres(self, depth: np.ndarray) -> np.ndarray:
        """Depths in metres -> units of the crop, larger is farther."""
        return ((depth - self.middle) / self.size).astype(np.float32)

    def to_metres(self, depth: np.ndarray) -> np.ndarray:
        """Units of the crop -> metres."""
        return (depth * self.size + self.middle).astype(np.float32)


def network_inputs(image: np.ndarray, body: Maps, unit: CropUnit | None = None) -> np.ndarray:
    """(13, h, w) float32, channels as in the module's table.

    image : (h, w, 4) uint8 sRGB and matte, straight alpha.  body : through the same camera.
    unit : `CropUnit.of(body)` where it is known already.
    """
    if image.shape != (*body.mask.shape, 4):
        raise ValueError(f"a picture of {image.shape} and a body's maps of {body.mask.shape} do not belong together")
    unit = unit or CropUnit.of(body)
    out = np.empty((CHANNELS, *body.mask.shape), np.float32)
    out[MATTE] = image[..., 3] * np.float32(1 / 255)
    out[PICTURE] = (np.moveaxis(image[..., :3], 2, 0) * np.float32(2 / 255) - 1) * out[MATTE]
    out[NORMALS] = stacked_normals(body)
    out[DEPTHS] = extended(unit.from_metres(np.stack([body.depth_front, body.depth_back])), body.mask)
    out[BODY] = body.mask
    return out


def person_window(image: np.ndarray, body: np.ndarray, step: int = 32) -> tuple[slice, slice]:
    """Rows and columns of the part of a picture that has the person in it: what a network has to read.

    image : (h, w, 4) uint8 picture and matte.  body : (h, w) bool, where the body is.  step : the sides of the part are
    multiples of it, or the picture's own sides where those are shorter.
    """
    there = body | (image[..., 3] > 0)
    return _span(there.any(1), step), _span(there.any(0), step)


def _span(there: np.ndarray, step: int) -> slice:
    count, inside = len(there), np.flatnonzero(there)
    first, last = (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, count)
    length = -(-(last - first + 2 * MARGIN) // step) * step
    if length >= count:
        return slice(0, count)
    start = min(max((first + last - length) // 2, 0), count - length) // STEP * STEP
    return slice(start, start + length)


def stacked_normals(maps: Maps) -> np.ndarray:
    """(6, h, w) normals in front, then behind."""
    return np.concatenate([np.moveaxis(n, 2, 0) for n in (maps.normals_front, maps.normals_back)])


def maps_of(normals: np.ndarray, depths: np.ndarray, mask: np.ndarray, camera: Camera, unit: CropUnit) -> Maps:
    """`Maps` of what the network says.

    normals : (6, h, w) unit.  depths : (2, h, w) in units of the crop.  mask : (h, w) bool, where there is somebody.
    """
    front, back = (
        np.where(mask[..., None], np.moveaxis(n, 0, 2), 0).astype(np.float32) for n in (normals[:3], normals[3:])
    )
    near, far = np.where(mask, unit.to_metres(depths), np.float32(np.nan)).astype(np.float32)
    return Maps(camera, front, back, near, far, mask)


def extended(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Values (k, h, w) kept in the mask and continued beyond it, ever smoother the farther (pull-push).

    Gortler, Grzeszczuk, Szeliski, Cohen: The lumigraph. SIGGRAPH 1996.
    """
    height, width = mask.shape
    if mask.all():
        return values
    if min(height, width) == 1:
        return np.where(mask, values, values[:, mask].mean(1)[:, None, None]).astype(np.float32)
    padded = np.zeros((len(values) + 1, height + height % 2, width + width % 2), np.float32)
    padded[:-1, :height, :width] = np.where(mask, values, 0)
    padded[-1, :height, :width] = mask
    rows, columns = padded.shape[1] // 2, padded.shape[2] // 2
    sums = padded.reshape(-1, rows, 2, columns, 2).sum((2, 4))
    known = sums[-1] > 0
    coarse = extended(sums[:-1] / np.maximum(sums[-1], 1), known)
    # bilinear: a pixel's four quarters have their nearest coarse neighbours at weights 3 and 1
    edge = np.pad(coarse, ((0, 0), (1, 1), (1, 1)), mode="edge")
    tall = np.stack([0.75 * edge[:, 1:-1] + 0.25 * edge[:, :-2], 0.75 * edge[:, 1:-1] + 0.25 * edge[:, 2:]], 2)
    tall = tall.reshape(len(values), 2 * rows, columns + 2)
    fine = np.stack([0.75 * tall[..., 1:-1] + 0.25 * tall[..., :-2], 0.75 * tall[..., 1:-1] + 0.25 * tall[..., 2:]], 3)
    fine = fine.reshape(len(values), 2 * rows, 2 * columns)[:, :height, :width]
    return np.where(mask, values, fine).astype(np.float32)
