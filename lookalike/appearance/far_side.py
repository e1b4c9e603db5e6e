"""The photo as the torso's back would have it: no print, tie, buttons or opened jacket; photo in, photo out.

The back of a garment shows what its sides show. On each height of torso and legs the colours of the middle are compared
with those of the sides (histograms in CIE Lab); what is common in the middle and rare at the sides goes, and the
sides' own colours take its place. Checks, stripes and flowers are as common at the sides, so they stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter, median_filter

from lookalike.appearance.front import FrontView
from lookalike.appearance.parts import BODY_KIND, LEG, NECK, TORSO
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


@dataclass(frozen=True)
class _Garment:
    """Pixels of torso and legs, (k,) each, and their cloth.

    level : int, its height among `BINS[0]`.  across : metres to the person's left.  side : bool, near the outline.
    leg : bool.  colour : (k, 3).
    """

    level: np.ndarray
    across: np.ndarray
    side: np.ndarray
    leg: np.ndarray
    colour: np.ndarray


def far_side(photograph: Photograph, front: FrontView) -> np.ndarray:
    """(h, w, 3) float32: the photograph's colours, cleaned on torso and legs.

    Unchanged where not both sides of the person are seen, and where the cloth is a busy pattern.
    """
    size = (front.depth.shape[1], front.depth.shape[0])
    colour, trust = (cv2.resize(a, size, interpolation=cv2.INTER_AREA) for a in (photograph.colour, photograph.trust))
    shows = cv2.resize(photograph.shows, size, interpolation=cv2.INTER_NEAREST)
    body = np.isin(front.group, (TORSO, NECK, LEG))
    rows, columns = np.nonzero(body & (trust > 0.5) & (shows == BODY_KIND))
    if len(rows) < 4 * LEAST:
        return photograph.colour
    across, height = front.rest[rows, columns, 0], front.rest[rows, columns, 1]
    if min((across > 0.02).mean(), (across < -0.02).mean()) < 0.25:
        return photograph.colour
    low, high = np.percentile(height, (1, 99))
    place = np.clip((front.rest[..., 1] - low) / max(high - low, 1e-3) * BINS[0], 0, BINS[0] - 1e-3)
    level = place[rows, columns].astype(np.int32)
    half = np.array(
        [np.percentile(np.abs(across[level == k]), 95) if (level == k).any() else 1 for k in range(BINS[0])]
    )
    side = np.abs(across) > SIDES * gaussian_filter(half, 1.0)[level]
    if side.sum() < LEAST or (~side).sum() < LEAST:
        return photograph.colour
    leg = front.group[rows, columns] == LEG
    strange, ends = _judge(_Garment(level, across, side, leg, colour[rows, columns]))
    if strange is None or ends is None:
        return photograph.colour
    odd = np.zeros(body.shape, np.float32)
    odd[rows, columns] = strange
    fill = np.zeros_like(colour)
    turn = ramp(front.rest[body][:, 0] / float(np.median(half)), -SIDES, SIDES)[:, None]
    levels = np.arange(BINS[0]) + 0.5
    right, left = (np.stack([np.interp(place[body], levels, end[:, c]) for c in range(3)], 1) for end in ends)
    fill[body] = right + turn * (left - right)
    return _cleaned(photograph, front, odd, flow_outwards(fill, body.astype(np.float32)))


def _judge(cloth: _Garment) -> tuple[np.ndarray | None, tuple[np.ndarray, np.ndarray] | None]:
    """How much each pixel has to go, (k,), and the cloth's colours by height at the right and the left, (BINS[0], 3).

    None, None for a pattern.
    """
    level, side, colour = cloth.level, cloth.side, cloth.colour
    lab = cv2.cvtColor(colour[None], cv2.COLOR_RGB2LAB)[0]
    place = (lab + np.array([0, 72, 72], np.float32)) / np.array([100, 144, 144], np.float32) * BINS[1:]
    place = np.clip(place, 0, np.array(BINS[1:]) - 1e-3).astype(np.int32)
    index = np.ravel_multi_index((level, *place.T), BINS)
    at_sides, amid = _shares(index[side])[index] + RARE, _shares(index[~side])[index] + RARE
    strange = 1 - ramp(at_sides / amid, *COMMON)
    plain = side & (strange < 0.3)
    usual = _medians(level[plain], colour[plain], 7)
    if usual is None:
        return None, None
    stray = np.abs(colour - usual[level]).max(1)
    busy = float(np.median(stray[plain]))
    if busy > BUSY:
        return None, None
    plain &= stray < ALIKE
    right, left = (_medians(level[plain & way], colour[plain & way], 3) for way in (cloth.across < 0, cloth.across > 0))
    right, left = usual if right is None else right, usual if left is None else left
    # On a plain top whatever differs is no cloth; a skirt or trousers have hems.
    stray = np.minimum(np.abs(colour - right[level]).max(1), np.abs(colour - left[level]).max(1))
    strange = np.maximum(strange, ramp(stray, *DIFFERS) * ramp(busy, *PLAIN) * ~cloth.leg)
    middle = ~side & ~cloth.leg
    every, strangers = (np.bincount(level[middle], w[middle], BINS[0]) for w in (np.ones(len(level)), strange))
    share = gaussian_filter(strangers, 1.0) / np.maximum(gaussian_filter(every, 1.0), 1)
    return np.maximum(strange, ramp(share, *MOSTLY)[level] * middle), (right, left)


def _medians(level: np.ndarray, colour: np.ndarray, window: int) -> np.ndarray | None:
    """(BINS[0], 3) median colour of each height and over `window` heights, gaps filled; None without pixels."""
    some = [k for k in range(BINS[0]) if (level == k).sum() > 8]
    if not some:
        return None
    found = np.stack([np.median(colour[level == k], axis=0) for k in some])
    full = np.stack([np.interp(np.arange(BINS[0]), some, found[:, c]) for c in range(3)], 1)
    return gaussian_filter(median_filter(full, (window, 1), mode="nearest"), (0.7, 0), mode="nearest")


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
