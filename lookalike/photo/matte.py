"""Mattes: which pixels are this person, clothes, hair and worn things included.

Two networks are asked. The pose network's mask knows what a person is, and which one, but is coarse and leaves wide
robes and hats out; U²-Net-p's outline is sharp and keeps them, but it keeps held and neighbouring things too and fails
on busy backgrounds. Where the two agree over an area, the sharp one draws the outline; where they differ, the pose mask
decides, except that regions in the person's own colours may be added. The narrow band that stays open is solved by
closed-form matting at a working size, then carried to the photo's pixels by a guided filter (He, Sun and Tang, 2013).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.photo.claims import claim
from lookalike.photo.closed_form import solve_alpha
from lookalike.photo.detect import Person
from lookalike.photo.patch import Frame, Pyramid
from lookalike.photo.saliency import SIZE, salient_mask

#: Longer side of the working picture, pixels.
WORKING_SIZE = 448


@dataclass(frozen=True)
class _View:
    """A person's rectangle at working size.

    picture : (H, W, 3) uint8. own, others : (H, W) soft pose masks. share : (H, W) how much rather than another's a
    pixel is the person's. radius : half the body's square, in its pixels.
    """

    picture: np.ndarray
    own: np.ndarray
    others: np.ndarray
    share: np.ndarray
    radius: float


def find_mattes(
    pyramid: Pyramid, people: list[Person], wanted: list[int], alpha: np.ndarray | None = None
) -> list[np.ndarray]:
    """The mattes, (height, width) float32 in [0, 1], of the `wanted` ones among all people of a photo.

    alpha : the file's own transparency, which then is the matte, shared out among the people.
    """
    if alpha is not None:
        return [alpha * share for share in _shares_of_all(pyramid, people, wanted)]
    return [_matte(pyramid, people, i) for i in wanted]


def _shares_of_all(pyramid: Pyramid, people: list[Person], wanted: list[int]) -> list[np.ndarray]:
    """For each wanted person, (height, width) float32, 1 where the photo's pixels are the person's and 0 elsewhere."""
    import cv2

    width, height = pyramid.size
    if len(people) == 1:
        return [np.ones((height, width), np.float32)]
    frame = Frame.whole(width, height, 1024)
    owner = np.argmax([claim(person, frame) for person in people], 0)
    return [
        cv2.resize((owner == i).astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) for i in wanted
    ]


def _matte(pyramid: Pyramid, people: list[Person], index: int) -> np.ndarray:
    import cv2

    width, height = pyramid.size
    matte = np.zeros((height, width), np.float32)
    person = people[index]
    frame = _surroundings(person, width, height)
    own = person.patch.paste(person.mask, frame)
    others, share = np.zeros_like(own), np.ones_like(own)
    for other in (*people[:index], *people[index + 1 :]):
        mask = other.patch.paste(other.mask, frame)
        if (mask > 0.2).any():
            others = np.maximum(others, mask)
            share = np.minimum(share, 1 / (1 + np.exp(-2 * np.clip(claim(person, frame) - claim(other, frame), -9, 9))))
    picture = pyramid.levels[0][frame.box]
    small = cv2.resize(picture, frame.size, interpolation=cv2.INTER_AREA)
    view = _View(small, own, others, share.astype(np.float32), person.radius * frame.scale)
    solved = _tidied(_outlined(view, _coarse(view)), view)
    matte[frame.box] = _sharpened(solved, picture, 1 / frame.scale)
    return matte


def _surroundings(person: Person, width: int, height: int) -> Frame:
    """The person's rectangle with a margin, at working size."""
    rows, columns = np.nonzero(person.mask > 0.3)
    outline = person.patch.to_photo(np.stack([columns, rows], 1) + 0.5, person.mask.shape[0])
    outline = np.clip(outline, 0, [width, height]) if len(outline) else np.array([[0, 0], [width, height]])
    margin = 0.16 * float(np.ptp(outline, axis=0).max()) + 2
    left, top = np.maximum(np.floor(outline.min(0) - margin), 0).astype(int).tolist()
    right, bottom = np.minimum(np.ceil(outline.max(0) + margin), [width, height]).astype(int).tolist()
    scale = min(1.0, WORKING_SIZE / max(right - left, bottom - top))
    size = (max(3, round((right - left) * scale)), max(3, round((bottom - top) * scale)))
    return Frame(left, top, right - left, bottom - top, size)


def _blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    import cv2

    return cv2.GaussianBlur(image.astype(np.float32), (0, 0), max(sigma, 0.5))


def _disc(radius: float) -> np.ndarray:
    import cv2

    k = max(1, int(round(radius)))
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * k + 1, 2 * k + 1))


def _grown(mask: np.ndarray, radius: float) -> np.ndarray:
    import cv2

    return cv2.dilate(mask.astype(np.uint8), _disc(radius)).astype(bool)


def _shrunk(mask: np.ndarray, radius: float) -> np.ndarray:
    import cv2

    return cv2.erode(mask.astype(np.uint8), _disc(radius)).astype(bool)


def _logit(p: np.ndarray) -> np.ndarray:
    p = np.clip(p, 0.01, 0.99)
    return np.log(p / (1 - p))


def _salient(picture: np.ndarray, body: np.ndarray, margin: float) -> np.ndarray:
    """U²-Net-p's mask of the rectangle round `body` with a margin (share of its longer side)."""
    import cv2

    height, width = body.shape
    rows, columns = np.nonzero(body.any(1))[0], np.nonzero(body.any(0))[0]
    if len(rows) == 0:
        rows, columns = np.array([0, height - 1]), np.array([0, width - 1])
    pad = int(margin * max(rows[-1] - rows[0], columns[-1] - columns[0]))
    box = (
        slice(max(0, rows[0] - pad), min(height, rows[-1] + 1 + pad)),
        slice(max(0, columns[0] - pad), min(width, columns[-1] + 1 + pad)),
    )
    cut = picture[box]
    mask = salient_mask(cv2.resize(cut, (SIZE, SIZE), interpolation=cv2.INTER_AREA))
    whole = np.zeros((height, width), np.float32)
    whole[box] = cv2.resize(mask, (cut.shape[1], cut.shape[0]), interpolation=cv2.INTER_LINEAR)
    return whole


def _coarse(view: _View) -> np.ndarray:
    """The probability that a pixel is this person, from both networks and the colours."""
    body = _extent(view)
    near = _blurred(_grown(body | (view.own > 0.3), 0.06 * view.radius), 0.03 * view.radius)[..., None]
    away = view.picture * near + _blurred(view.picture, 0.1 * view.radius) * (1 - near)
    salient = [_salient(view.picture, body, 0.08), _salient(away.astype(np.uint8), body, 0.12)]

    # Each salient mask counts where it agrees with the pose mask over an area a few per cent of the body wide.
    total = 0.5 * _logit(view.own)
    for mask in salient:
        trust = np.clip(1 - 2 * _blurred(np.abs(mask - view.own), 0.04 * view.radius), 0, 1)
        total = total + trust * _logit(mask)
    fused = 1 / (1 + np.exp(-total))

    # Beyond the pose mask both must agree, or nearly so where the colours hang together.
    both = np.where(body, np.sqrt(salient[0] * salient[1]), np.min(salient, 0))
    added = both * _own_colour(view, fused, np.max(salient, 0))
    if view.others.any():
        added = added * ~_grown((view.others > 0.3) & (view.share < 0.5), 0.04 * view.radius)
        near = _grown(view.others > 0.2, 0.03 * view.radius)
        added, fused = (np.where(near, np.minimum(map_, view.share), map_) for map_ in (added, fused))
    return np.maximum(fused, added).astype(np.float32)


def _extent(view: _View) -> np.ndarray:
    """Where the person may be: (H, W) bool, the pose mask and what hangs on to it in the person's own colours.

    The pose network takes a leg kicked out under a robe for background; its colour tells.
    """
    import cv2

    body = view.own > 0.5
    near = _blurred(_own_colour(view, view.own, view.own), 0.015 * view.radius) > 0.5
    near &= _grown(body, 0.5 * view.radius) & ~(view.others > 0.3)
    near = _grown(_shrunk(near | body, 0.03 * view.radius), 0.03 * view.radius) | body
    _, labels = cv2.connectedComponents(near.astype(np.uint8))
    touched = np.isin(labels, np.unique(labels[body]))
    hung = near & touched
    # Colours that the background shares spread everywhere: they tell nothing.
    return hung if hung.sum() < 1.5 * body.sum() else body


def _own_colour(view: _View, fused: np.ndarray, salient: np.ndarray) -> np.ndarray:
    """How much more a pixel's colour is found on the person than around: (H, W) in [0, 1]; unseen colours give 0."""
    import cv2

    lab = cv2.cvtColor(view.picture, cv2.COLOR_RGB2LAB)
    bins = (lab >> 3).astype(np.int32)
    code = (bins[..., 0] << 10) | (bins[..., 1] << 5) | bins[..., 2]
    inside = _shrunk(fused > 0.8, 0.02 * view.radius)
    outside = ~_grown(np.maximum(fused, salient) > 0.3, 0.03 * view.radius)
    densities = []
    for region in (inside, outside):
        counts = np.bincount(code[region], minlength=32**3).reshape(32, 32, 32).astype(np.float32)
        for axis in range(3):
            counts = counts + 0.5 * (np.roll(counts, 1, axis) + np.roll(counts, -1, axis))
        densities.append(counts.ravel()[code] / max(counts.sum(), 1.0))
    own, around = densities
    return own / (own + around + 1e-4)


def _outlined(view: _View, coarse: np.ndarray) -> np.ndarray:
    """Solve the open band: along the outline, and wherever the coarse answer is in doubt."""
    sure = (coarse > 0.95) | (coarse < 0.05)
    body = coarse > 0.5
    width = max(2.0, 0.012 * view.radius)
    edge = _grown(body, width) & ~_shrunk(body, width)
    unknown = edge | (~sure & _grown(body, 0.05 * view.radius))
    prior = np.where(unknown, coarse, body.astype(np.float32))
    confidence = 0.05 * np.square(2 * prior - 1)
    return solve_alpha(view.picture.astype(np.float32) / 255, prior, confidence, unknown)


def _tidied(alpha: np.ndarray, view: _View) -> np.ndarray:
    """Without specks that float beside the person and without holes inside of it."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > 0.3).astype(np.uint8), connectivity=8)
    if count > 2:
        areas = stats[:, cv2.CC_STAT_AREA].astype(float)
        held = np.bincount(labels.ravel(), view.own.ravel(), minlength=count) / areas
        largest = 1 + int(np.argmax(areas[1:] * held[1:]))
        keep = (held > 0.5) & (areas > 0.003 * areas[largest])
        keep[[0, largest]] = True
        alpha = np.where(keep[labels], alpha, 0)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha < 0.7).astype(np.uint8), connectivity=4)
    areas = stats[:, cv2.CC_STAT_AREA].astype(float)
    held = np.bincount(labels.ravel(), view.own.ravel(), minlength=count) / np.maximum(areas, 1)
    height, width = alpha.shape
    open_ = (
        (stats[:, 0] == 0)
        | (stats[:, 1] == 0)
        | (stats[:, 0] + stats[:, 2] == width)
        | (stats[:, 1] + stats[:, 3] == height)
    )
    tiny = areas < 4e-4 * float((alpha > 0.5).sum())
    hole = ~open_ & ((held > 0.85) | (tiny & (held > 0.5)))
    hole[0] = False
    return np.where(hole[labels], 1.0, alpha).astype(np.float32)


def _sharpened(alpha: np.ndarray, picture: np.ndarray, scale: float) -> np.ndarray:
    """Carry alpha from working size to the picture's own pixels, along the picture's edges."""
    import cv2

    height, width = picture.shape[:2]
    large = np.clip(cv2.resize(alpha, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
    if scale > 1.05:
        guided = cv2.ximgproc.guidedFilter(picture, large, max(2, int(np.ceil(1.5 * scale))), 30.0)
        large = np.where((large > 0.004) & (large < 0.996), guided, large)
    # Nearly clear and nearly full pixels are: a veil of one per cent would be seen in the texture.
    return np.clip((large - 0.03) / 0.94, 0, 1).astype(np.float32)
