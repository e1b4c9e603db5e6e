"""Looking things up in images: a picture and pixel positions in, values out; and the smooth step that weights use."""

from __future__ import annotations

import cv2
import numpy as np

#: Width of the table that a list of positions is folded into: cv2 wants images, no longer than 32767 a side.
FOLD = 4096


def sample(image: np.ndarray, pixels: np.ndarray, cubic: bool = False) -> np.ndarray:
    """Bilinear (or bicubic) lookup.

    image : (h, w) or (h, w, c) float32.  pixels : (k, 2) as (u, v), pixel centres at one half; beyond the edge the edge
    is repeated. Returns (k,) or (k, c) float32.
    """
    count = len(pixels)
    rows = max(1, -(-count // FOLD))
    table = np.full((rows * FOLD, 2), 0.5, np.float32)
    table[:count] = pixels
    table = table.reshape(rows, FOLD, 2) - np.float32(0.5)
    how = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    out = cv2.remap(image, table, None, how, borderMode=cv2.BORDER_REPLICATE)
    return out.reshape(rows * FOLD, *image.shape[2:])[:count]


def nearest(image: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """The value of the pixel that holds each position; image (h, w, ...), pixels (k, 2) as (u, v), clipped inside."""
    height, width = image.shape[:2]
    u = np.clip(pixels[:, 0], 0, width - 1).astype(np.int32)
    v = np.clip(pixels[:, 1], 0, height - 1).astype(np.int32)
    return image[v, u]


def ramp(x, low, high):
    """0 up to `low`, 1 from `high` on, a smooth cubic between; falls instead where high < low."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
