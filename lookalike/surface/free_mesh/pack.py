"""Pack charts into the unit square on a skyline: flat charts in, texture coordinates out."""

from __future__ import annotations

import numpy as np

#: Room between charts, and beside the border, as a share of the atlas: 8 texels of 2048, for three levels of mip-maps.
MARGIN = 0.004
#: Angles that a chart is tried at.
ANGLES = 12


def pack(flat: np.ndarray, chart: np.ndarray, count: int) -> np.ndarray:
    """(t, 2) points of charts moved (and turned by 90 degrees) so that no two charts' boxes meet, in [0, 1].

    flat : (t, 2).  chart : (t,) int in 0..count - 1. All charts are scaled alike. The lowest place of the skyline takes
    each chart, the highest first (the bottom-left rule).
    """
    flat, low, size = _upright(flat, chart, count)
    turned = size[:, 0] > size[:, 1]
    size[turned] = size[turned][:, ::-1]
    local = flat - low[chart]
    swap = turned[chart]
    # a quarter turn, not a mirror image
    local[swap] = np.stack([local[swap, 1], size[chart[swap], 1] - local[swap, 0]], 1)
    best = None
    start = np.sqrt(size.prod(1).sum())
    for stretch in (1.06, 1.14):
        width = max(stretch * start, size.max() * 1.01)
        gap = MARGIN * width
        place, total = _skyline(size + gap, width)
        side = max(total, width)
        if best is None or side < best[1]:
            best = (place, side, gap)
    assert best is not None
    place, side, gap = best
    scale = side + gap
    return (local + place[chart] + gap) / scale


def _upright(flat: np.ndarray, chart: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The charts turned so that their boxes are small: points (t, 2), low corners (c, 2) and sizes (c, 2)."""
    order = np.argsort(chart, kind="stable")
    starts = np.searchsorted(chart[order], np.arange(count))
    points = flat[order]
    angles = np.radians(np.arange(0, 90, 90 / ANGLES))
    lows, sizes = [], []
    for angle in angles:
        turned = points @ _turn(angle)
        low, high = np.minimum.reduceat(turned, starts), np.maximum.reduceat(turned, starts)
        lows.append(low)
        sizes.append(high - low)
    best = np.array(sizes).prod(-1).argmin(0)
    turns = np.stack([_turn(angle) for angle in angles])[best]
    row = np.arange(count)
    return np.einsum("ti,tij->tj", flat, turns[chart]), np.array(lows)[best, row], np.array(sizes)[best, row]


def _turn(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, s], [-s, c]])


def _skyline(size: np.ndarray, width: float) -> tuple[np.ndarray, float]:
    """Places (c, 2) of boxes in a strip, and how high it gets."""
    place = np.zeros((len(size), 2))
    starts, heights, ends = [0.0], [0.0], [width]
    for c in np.lexsort((size[:, 0], -size[:, 1])).tolist():
        w, h = float(size[c, 0]), float(size[c, 1])
        best = (np.inf, 0.0, 0)
        for k, x in enumerate(starts):
            if x + w > width + 1e-9:
                break
            top, j = heights[k], k
            while ends[j] < x + w - 1e-12:
                j += 1
                top = max(top, heights[j])
            if top + h < best[0] - 1e-12:
                best = (top + h, x, k)
        top, x, k = best
        place[c] = x, top - h
        # the box's top replaces the skyline below it
        end = x + w
        j = k
        while j < len(starts) and ends[j] <= end + 1e-12:
            j += 1
        tail = [] if j >= len(starts) else [(max(starts[j], end), heights[j], ends[j])]
        new = [(x, top, end), *tail]
        starts[k : j + 1] = [n[0] for n in new]
        heights[k : j + 1] = [n[1] for n in new]
        ends[k : j + 1] = [n[2] for n in new]
    return place, max(heights)
