"""The photo as the torso's back would have it: no print, tie, buttons or opened jacket; photo in, photo out.

The back of a garment shows what its sides show. On each height of torso and legs the colours of the middle are compared
with those of the sides (histograms in CIE Lab); what is common in the middle and rare at the sides goes, and the
sides' own colours take its place. Checks, stripes and flowers are as common at the sides, so they stay.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter, median_filter

from lookalike.appearance.front import FrontView
from lookalike.appearance.parts import LEG, NECK, TORSO
from lookalike.appearance.photograph import Photograph, flow_outwards
from lookalike.appearance.sampling import ramp

#: Histogram: bins of height, lightness and the two colour axes, and their smoothing in bins.
BINS = (32, 12, 12, 12)
SMOOTH = (1.5, 1.0, 0.6, 0.6)
#: A colour is the garment's if it is this much as common at the sides as in the middle: no, yes.
COMMON = (0.2, 0.45)
RARE = 0.0003
#: Sides whose colours stray by more than this from their median are a pattern, which is left alone; and how far the
#: garment's own colour may stray.
BUSY, ALIKE = 0.16, 0.2
#: Below the second of these, above the first, cloth is plain, and a colour that strays so far from it is not cloth.
PLAIN, DIFFERS = (0.09, 0.06), (0.14, 0.24)
#: The sides begin at this share of the half width, and need so many pixels.
SIDES, LEAST = 0.6, 300
#: Where this share of the middle is to go, all of it goes; and metres around what goes that goes with it.
MOSTLY = (0.12, 0.25)
AROUND = 0.015


def far_side(photograph: Photograph, front: FrontView) -> np.ndarray:
    """(h, w, 3) float32: the photograph's colours, cleaned on the torso. Unchanged where both sides are not seen."""
    size = (front.depth.shape[1], front.depth.shape[0])
    colour, trust = (cv2.resize(a, size, interpolation=cv2.INTER_AREA) for a in (photograph.colour, photograph.trust))
    torso = np.isin(front.group, (TORSO, NECK, LEG)) & (trust > 0.5)
    shown = torso & (photograph_kind(photograph, size) == 0)
    rows, columns = np.nonzero(shown)
    if len(rows) < 4 * LEAST:
        return photograph.colour
    across, height = front.rest[rows, columns, 0], front.rest[rows, columns, 1]
    left = float((across > 0.02).mean()), float((across < -0.02).mean())
    if min(left) < 0.25:
        return photograph.colour
    low, high = np.percentile(height, (1, 99))
    level = np.clip((height - low) / max(high - low, 1e-3) * BINS[0], 0, BINS[0] - 1e-3).astype(np.int32)
    half = np.array(
        [np.percentile(np.abs(across[level == k]), 95) if (level == k).any() else 1 for k in range(BINS[0])]
    )
    side = np.abs(across) > SIDES * gaussian_filter(half, 1.0)[level]
    if side.sum() < LEAST or (~side).sum() < LEAST:
        return photograph.colour
    lab = cv2.cvtColor(colour, cv2.COLOR_RGB2LAB)[rows, columns]
    place = (lab + np.float32([0, 72, 72])) / np.float32([100, 144, 144]) * BINS[1:]
    place = np.clip(place, 0, np.array(BINS[1:]) - 1e-3).astype(np.int32)
    index = np.ravel_multi_index((level, *place.T), BINS)
    common = _shares(index[side])[index] + RARE, _shares(index[~side])[index] + RARE
    odd = np.zeros(shown.shape, np.float32)
    strange = 1 - ramp(common[0] / common[1], *COMMON)
    own = colour[rows, columns]
    plain = side & (strange < 0.3)
    usual = _medians(level[plain], own[plain], 7)
    if usual is None:
        return photograph.colour
    stray = np.abs(own - usual[level]).max(1)
    busy = float(np.median(stray[plain]))
    if busy > BUSY:
        return photograph.colour
    plain &= stray < ALIKE
    ends = [_medians(level[plain & way], own[plain & way], 3) for way in (across < 0, across > 0)]
    ends = [usual if end is None else end for end in ends]
    hem = front.group[rows, columns] == LEG
    # On a plain top whatever differs is no cloth; a skirt or trousers have hems.
    stray = np.minimum(*(np.abs(own - end[level]).max(1) for end in ends))
    strange = np.maximum(strange, ramp(stray, *DIFFERS) * ramp(busy, *PLAIN) * ~hem)
    middles, stranges = (
        np.bincount(level[~side & ~hem], w[~side & ~hem], BINS[0]) for w in (np.ones(len(level)), strange)
    )
    share = gaussian_filter(stranges, 1.0) / np.maximum(gaussian_filter(middles, 1.0), 1)
    odd[rows, columns] = np.maximum(strange, ramp(share, *MOSTLY)[level] * ~side * ~hem)
    fill = np.zeros_like(colour)
    where = np.isin(front.group, (TORSO, NECK, LEG))
    place = np.clip((front.rest[where][:, 1] - low) / max(high - low, 1e-3) * BINS[0] - 0.5, 0, BINS[0] - 1)
    turn = ramp(front.rest[where][:, 0] / float(np.median(half)), -SIDES, SIDES)[:, None]
    levels = np.arange(BINS[0])
    left, right = (np.stack([np.interp(place, levels, e[:, c]) for c in range(3)], 1) for e in ends)
    fill[where] = left + turn * (right - left)
    return _cleaned(photograph, front, odd, flow_outwards(fill, where.astype(np.float32)))


def _medians(level: np.ndarray, colour: np.ndarray, window: int) -> np.ndarray | None:
    """(BINS[0], 3) median colour of each height and over `window` heights, gaps filled; None without pixels."""
    some = [k for k in range(BINS[0]) if (level == k).sum() > 8]
    if not some:
        return None
    found = np.stack([np.median(colour[level == k], axis=0) for k in some])
    full = np.stack([np.interp(np.arange(BINS[0]), some, found[:, c]) for c in range(3)], 1)
    return gaussian_filter(median_filter(full, (window, 1), mode="nearest"), (0.7, 0), mode="nearest")


def photograph_kind(photograph: Photograph, size: tuple[int, int]) -> np.ndarray:
    """The photograph's `shows` at another size."""
    return cv2.resize(photograph.shows, size, interpolation=cv2.INTER_NEAREST)


def _shares(index: np.ndarray) -> np.ndarray:
    """(prod(BINS),) share of each colour among those of its height."""
    counts = np.bincount(index, minlength=int(np.prod(BINS))).reshape(BINS).astype(np.float32)
    counts = gaussian_filter(counts, SMOOTH, mode="nearest")
    return (counts / np.maximum(counts.sum((1, 2, 3), keepdims=True), 1)).reshape(-1)


def _cleaned(photograph: Photograph, front: FrontView, odd: np.ndarray, fill: np.ndarray) -> np.ndarray:
    metre = photograph.camera.focal * front.scale[0] / float(np.median(front.depth[front.group != 255]))
    radius = max(1, round(AROUND * metre))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    # Specks are fabric; what fills a neighbourhood is a print, and takes its outlines with it.
    odd = (cv2.GaussianBlur(odd, (0, 0), 0.5 * radius) > 0.35).astype(np.uint8)
    odd = cv2.morphologyEx(cv2.dilate(odd, disc), cv2.MORPH_CLOSE, disc, iterations=2)
    odd = cv2.GaussianBlur(odd.astype(np.float32), (0, 0), 0.6 * radius)
    size = (photograph.camera.width, photograph.camera.height)
    odd, fill = (cv2.resize(a, size, interpolation=cv2.INTER_LINEAR) for a in (odd, fill))
    return photograph.colour + odd[..., None] * (fill - photograph.colour)
