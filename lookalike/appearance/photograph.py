"""The photo as paint: a subject in, colours that hold nothing of the background out.

Near the matte's edge a pixel mixes person and background, and the matte itself is a pixel or two off. So only pixels
well inside count, and everything else takes its colour from them by pull-push (Gortler et al., The Lumigraph, 1996):
the person's colours flow outwards over the whole crop. Whatever a texel looks up, it finds no background.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from lookalike.appearance.parts import BODY_KIND, HAND_KIND, HEAD_KIND
from lookalike.appearance.sampling import ramp
from lookalike.camera import Camera
from lookalike.photo.subject import Subject

#: Crop beyond the subject's box, as a share of its longer side.
MARGIN = 0.04
#: The rim that is not believed, from the matte's edge inwards, in shares of the box's longer side, and pixels at least:
#: nothing up to the first, everything from the second on.
RIM = (0.002, 0.006)
RIM_PIXELS = (1.0, 3.0)
#: Core of the person, and how deep the background may reach into the matte, in shares of the box's longer side.
DEEP, NOTCH = 0.012, 0.05
#: How deep mixtures of person and background may reach.
MIXED = 0.01
#: Below this confidence a hand is not used. A found hand's outline lies beyond its landmarks, in palm lengths.
SURE_HAND = 0.5
HAND_BEYOND = 0.3
#: The pose landmarks of nose, eyes and mouth: the face, where no face mesh was found.
FEATURES = [0, 1, 2, 3, 4, 5, 6, 9, 10]


@dataclass(frozen=True)
class Photograph:
    """The crop of the photo around the subject, possibly resampled. (h, w) is its size.

    Attributes
    ----------
    camera : of the crop; its pixels are the crop's.
    window : x0, y0 of the crop in the photo's pixels, and the scale (2 = twice the photo's pixels).
    colour : (h, w, 3) float32 sRGB in [0, 1], the person's colours continued over the whole crop.
    trust : (h, w) float32 in [0, 1], how much of that is the photo itself.
    reach : (h, w) float32, distance to the nearest trusted pixel, pixels of the crop.
    shows : (h, w) uint8, `HAND_KIND` and `HEAD_KIND` on the hands and the face that were found, else `BODY_KIND`.
    hands : whether any hand was found.
    behind : (h, w, 3) float32 like `colour`: what the far side takes (far_side.py).
    """

    camera: Camera
    window: tuple[float, float, float]
    colour: np.ndarray
    trust: np.ndarray
    reach: np.ndarray
    shows: np.ndarray
    hands: bool
    behind: np.ndarray

    def blurred(self, sigma: float) -> Photograph:
        """The same with colours blurred by `sigma` pixels."""
        colour, behind = (cv2.GaussianBlur(a, (0, 0), sigma) for a in (self.colour, self.behind))
        return replace(self, colour=colour, behind=behind)

    def pixels(self, photo_pixels: np.ndarray) -> np.ndarray:
        """(..., 2) pixels of the photo -> pixels of the crop."""
        x0, y0, scale = self.window
        return (np.asarray(photo_pixels, np.float32)[..., :2] - np.array([x0, y0], np.float32)) * np.float32(scale)


def develop(subject: Subject, camera: Camera, scale: float = 1.0) -> Photograph:
    """The subject's crop, by `scale` <= 1 smaller than the photo (averaging, so that fine patterns do not alias).

    camera : the whole photo's.
    """
    width, height = subject.photo.size
    x0, y0, x1, y1 = subject.box
    longer = max(x1 - x0, y1 - y0, 8)
    grow = MARGIN * longer + 4
    left, top = int(max(0, x0 - grow)), int(max(0, y0 - grow))
    right, bottom = int(min(width, np.ceil(x1 + grow))), int(min(height, np.ceil(y1 + grow)))
    rgb = subject.photo.rgb[top:bottom, left:right].astype(np.float32) / 255
    matte = subject.matte[top:bottom, left:right].astype(np.float32)
    window = camera.window(left, top, right - left, bottom - top, scale)
    if scale != 1:
        size = (window.width, window.height)
        rgb, matte = (cv2.resize(a, size, interpolation=cv2.INTER_AREA) for a in (rgb, matte))
    trust = _trust(rgb, matte, longer * scale)
    reach = cv2.distanceTransform((trust < 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    colour = flow_outwards(rgb, trust)
    hands = [h.pixels for h in (subject.left_hand, subject.right_hand) if h is not None and h.confidence > SURE_HAND]
    shows = np.full(matte.shape, BODY_KIND, np.uint8)
    to_crop = lambda p: (np.asarray(p, np.float32)[:, :2] - np.array([left, top], np.float32)) * np.float32(scale)  # noqa: E731
    for pixels in hands:
        palm = float(np.linalg.norm(pixels[9, :2] - pixels[0, :2])) * scale
        _draw(shows, to_crop(pixels), HAND_KIND, HAND_BEYOND * palm)
    if subject.face is not None:
        _draw(shows, to_crop(subject.face), HEAD_KIND, 0)
    elif (subject.visibility[FEATURES] > 0.5).sum() >= 3:
        points = to_crop(subject.landmarks[FEATURES][subject.visibility[FEATURES] > 0.5])
        _draw(shows, points, HEAD_KIND, 0.2 * float(np.ptp(points, axis=0).max()))
    return Photograph(window, (left, top, scale), colour, trust, reach, shows, bool(hands), colour)


def _draw(image: np.ndarray, pixels: np.ndarray, value: int, beyond: float) -> None:
    """Fill the convex hull of pixels (k, 2), and `beyond` pixels around it."""
    hull = np.rint(cv2.convexHull(pixels.astype(np.float32)) - 0.5).astype(np.int32)
    cv2.fillConvexPoly(image, hull, value)
    if beyond >= 1:
        cv2.polylines(image, [hull], True, value, int(round(2 * beyond)))


def _trust(rgb: np.ndarray, matte: np.ndarray, longer: float) -> np.ndarray:
    inside = np.pad((matte > 0.5).astype(np.uint8), 1, mode="edge")  # the photo's frame is no outline
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1]
    low, high = (max(share * longer, least) for share, least in zip(RIM, RIM_PIXELS, strict=True))
    trust = ramp(depth, low, high) * ramp(matte, 0.75, 0.98)
    # Mattes are smooth and miss notches: near the rim, a pixel like the background around is background.
    core = flow_outwards(rgb, (trust * (depth > DEEP * longer)).astype(np.float32))
    outside = cv2.distanceTransform((matte > 0.1).astype(np.uint8), cv2.DIST_L2, 5) == 0
    ground = flow_outwards(rgb, cv2.erode(outside.astype(np.float32), np.ones((3, 3))))
    to_core, to_ground = (np.abs(rgb - a).max(2) for a in (core, ground))
    apart = np.abs(core - ground).max(2)
    like_ground = (1 - ramp(to_ground / np.maximum(apart, 1e-3), 0.2, 0.45)) * ramp(to_core - to_ground, 0.0, 0.08)
    like_ground *= ramp(apart, 0.08, 0.2) * (1 - ramp(depth, 0.7 * NOTCH * longer, NOTCH * longer))
    # At the very rim, pixels on the way from the person's colour to the background's are mixtures.
    way = ground - core
    mixed = np.einsum("hwc,hwc->hw", rgb - core, way) / np.maximum(np.einsum("hwc,hwc->hw", way, way), 1e-4)
    mixed = ramp(mixed, 0.12, 0.35) * ramp(apart, 0.08, 0.2) * (1 - ramp(depth, 0.7 * MIXED * longer, MIXED * longer))
    return (trust * (1 - like_ground) * (1 - mixed)).astype(np.float32)


def flow_outwards(colour: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Fill pixels of little weight from those of much, by pull-push.

    colour : (h, w, c) float32.  weight : (h, w) float32 in [0, 1]. Returns (h, w, c): `colour` where the weight is 1.
    """
    levels = [(colour * weight[..., None], weight)]
    while min(levels[-1][1].shape) > 1:
        part, w = levels[-1]
        size = ((w.shape[1] + 1) // 2, (w.shape[0] + 1) // 2)
        part, w = (cv2.resize(cv2.GaussianBlur(a, (5, 5), 1.0), size, interpolation=cv2.INTER_AREA) for a in (part, w))
        # A coarse pixel is as good as known once a quarter of it is.
        gain = np.minimum(4.0, 1 / np.maximum(w, 1e-6))
        levels.append((part * gain[..., None], np.minimum(w * gain, 1)))
    part, w = levels[-1]
    out = part / np.maximum(w, 1e-6)[..., None]
    for part, w in reversed(levels[:-1]):
        out = cv2.resize(out, (w.shape[1], w.shape[0]), interpolation=cv2.INTER_LINEAR)
        out = part + (1 - w[..., None]) * out.reshape(*w.shape, -1)
    return out
