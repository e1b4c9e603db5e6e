"""What cameras and mattes do to a picture: linear light and coverage in, an 8-bit photo with a matte out.

The person is put before a background, developed with it, and only then cut out again, with a matte that errs as real
ones do; so colours of the background are left at the edges.
"""

from __future__ import annotations

import cv2
import numpy as np

from lookalike.people.looks.paint import luminance
from lookalike.render.shade import encode_srgb

#: How often each fault is met.
OCCLUDED, SMALLER, MOVED, SHARPENED, GREY = 0.08, 0.3, 0.04, 0.55, 0.02
MATTE_EXACT, MATTE_CLOSED, MATTE_LOST, MATTE_KEPT = 0.25, 0.35, 0.1, 0.12


def develop_photo(rng: np.random.Generator, light: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    """A photo of the picture and a matte: (h, w, 4) uint8 sRGB, straight alpha; the background is left in the colours.

    light : (h, w, 3) float32 linear, multiplied by the coverage.  coverage : (h, w) float32 in [0, 1].
    """
    shape = coverage.shape[0], coverage.shape[1]
    picture = light + (1 - coverage)[..., None] * background(rng, shape)
    matte = coverage
    if rng.random() < OCCLUDED:
        picture, matte = _occluded(rng, picture, matte)
    picture = _exposed(rng, picture, coverage)
    picture = _through_lens(rng, picture)
    picture = _sensed(rng, picture)
    codes = _printed(rng, picture)
    return np.dstack([codes, np.round(imperfect_matte(rng, matte) * 255).astype(np.uint8)])


def background(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """(h, w, 3) linear light: paper, a gradient, a blurred room or street."""
    height, width = shape
    kind = rng.random()
    base = np.exp(rng.normal(np.log(0.35), 0.9)) * np.exp(rng.normal(0, 0.12, 3))
    if kind < 0.4:
        base = np.clip(base, 0.005, 1.0)
        if kind < 0.12:
            # Cut-out pictures: white.
            return np.full((height, width, 3), 1.2, np.float32)
        slope = rng.normal(0, 0.25, 2)
        y, x = np.ogrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j]
        shade = np.clip(1 + slope[0] * y + slope[1] * x, 0.2, 2)[..., None]
        return np.asarray(shade * base, np.float32)
    out = np.zeros((height, width, 3), np.float32) + np.float32(base)
    for cells in (3, 7, 18, 60):
        field = rng.standard_normal((cells, int(cells * rng.uniform(0.7, 1.4)), 3)).astype(np.float32)
        field = 0.85 * field.mean(2, keepdims=True) * np.float32(np.sqrt(3)) + 0.15 * field
        out *= np.exp(
            np.float32(rng.uniform(0.1, 0.6)) * cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC)
        )
    # Windows, doors, posts, other people, the floor's edge.
    for _ in range(int(rng.integers(0, 9))):
        x0, y0 = rng.uniform(-0.2, 1, 2) * [width, height]
        x1, y1 = np.array([x0, y0]) + rng.uniform(0.03, 0.6, 2) * [width, height]
        colour = np.exp(rng.normal(np.log(0.3), 1.1)) * np.exp(rng.normal(0, 0.25, 3))
        corner, end = (int(x0), int(y0)), (int(x1), int(y1))
        if rng.random() < 0.7:
            cv2.rectangle(out, corner, end, colour.tolist(), -1)
        else:
            cv2.circle(out, corner, int(abs(x1 - x0) / 2) + 1, colour.tolist(), -1, cv2.LINE_AA)
    if rng.random() < 0.4:
        floor = int(rng.uniform(0.55, 0.95) * height)
        out[floor:] *= np.exp(rng.normal(0, 0.5)) * np.exp(rng.normal(0, 0.1, 3)).astype(np.float32)
    blur = float(np.exp(rng.uniform(np.log(0.7), np.log(20))))
    return _blurred(np.minimum(out, 3.0), blur)


def imperfect_matte(rng: np.random.Generator, coverage: np.ndarray) -> np.ndarray:
    """(h, w) float32 in [0, 1]: the coverage as a segmentation finds it."""
    if rng.random() < MATTE_EXACT or not (coverage > 0.5).any():
        return np.clip(coverage, 0, 1)
    shape = coverage.shape[0], coverage.shape[1]
    solid = (coverage > 0.5).astype(np.uint8)
    if rng.random() < MATTE_CLOSED:
        solid = _closed(rng, solid)
    if rng.random() < MATTE_LOST:
        solid = solid * (1 - _blob(rng, solid, shape))
    if rng.random() < MATTE_KEPT:
        solid = np.maximum(solid, _blob(rng, solid, shape))
    inside = cv2.distanceTransform(solid, cv2.DIST_L2, 3)
    outside = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 3)
    away = np.where(solid > 0, inside - 0.5, 0.5 - outside)
    scale = max(shape) / 512
    # A steady error all around, and a larger one on some stretches.
    shift = rng.normal(-0.2, 0.5) * scale
    wander = _field(rng, shape, int(rng.integers(6, 24))) * np.float32(rng.uniform(0.2, 1.2) * scale)
    stretches = np.clip(_field(rng, shape, 7) - 1.2, 0, 1) * np.float32(rng.normal(0, 4.0) * scale)
    softness = np.float32(rng.uniform(0.8, 3.5) * scale) * np.exp(0.5 * _field(rng, shape, 6))
    found = np.clip(0.5 + (away + shift + wander + stretches) / softness, 0, 1)
    # Where the matte is right, fine hair stays as it is.
    share = np.float32(rng.uniform(0, 0.6)) * np.clip(1 - np.abs(away) / (4 * scale), 0, 1) * (np.abs(stretches) < 0.2)
    return (found + share * (coverage * (found > 0) - found)).astype(np.float32)


def _exposed(rng: np.random.Generator, picture: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    """White balance and exposure as an automatic, with its usual mistakes."""
    whole = float(coverage.sum())
    person = float((luminance(picture) * coverage).sum()) / whole if whole > 1 else 0.2
    gain = np.clip(0.2 / max(person, 1e-3), 0.4, 2.5) ** rng.uniform(0.0, 0.5) * np.exp(rng.normal(0, 0.22))
    warmth = rng.normal(0, 0.08)
    balance = np.exp(np.array([warmth, 0.0, -warmth]) + rng.normal(0, 0.02, 3))
    return picture * (gain * balance).astype(np.float32)


def _through_lens(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    picture = _blurred(picture, rng.uniform(0.25, 0.7) if rng.random() < 0.85 else rng.uniform(0.7, 1.8))
    if rng.random() < MOVED:
        length, angle = rng.uniform(2, 9), rng.uniform(0, np.pi)
        kernel = np.zeros((11, 11), np.float32)
        reach = length / 2 * np.array([np.cos(angle), np.sin(angle)])
        ends = [tuple(int(v) for v in np.round((5 + s * reach) * 16)) for s in (-1, 1)]
        cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_8, 4)
        picture = cv2.filter2D(picture, -1, kernel / max(float(kernel.sum()), 1.0))
    if rng.random() < 0.15:
        # Veiling glare.
        haze = picture.reshape(-1, 3).mean(0) * rng.uniform(0.01, 0.08)
        picture = picture + haze.astype(np.float32)
    if rng.random() < 0.5:
        y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        x0, y0 = rng.uniform(-0.6, 0.6, 2)
        lens = 1 - rng.uniform(0.05, 0.3) * ((x - x0) ** 2 + (y - y0) ** 2) / 2
        picture = picture * np.clip(lens, 0.3, 1)[..., None].astype(np.float32)
    return picture


def _sensed(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Shot noise, and noise that is always there; some of it is smoothed by the camera."""
    strength = np.float32(np.exp(rng.normal(np.log(0.008), 0.7)))
    grain = rng.standard_normal(picture.shape, np.float32)
    size = rng.uniform(0.3, 1.1)
    if size > 0.45:
        grain = cv2.GaussianBlur(grain, (0, 0), size) * np.float32(2.2 * size)
    return picture + grain * (strength * np.sqrt(np.clip(picture, 0, 1) + 0.02))


def _printed(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8: tone curve, colourfulness, sharpening, lower resolution, JPEG."""
    height, width = picture.shape[:2]
    knee = np.float32(rng.uniform(0.45, 0.85))
    over = np.maximum(picture - knee, 0)
    picture = np.where(picture > knee, knee + (1 - knee) * (1 - np.exp(-over / (1 - knee))), picture)
    image = encode_srgb(picture).astype(np.float32) * np.float32(1 / 255)
    # An S about the middle greys, or its opposite.
    curve = np.float32(rng.normal(0.35, 0.28))
    image += curve * image * (1 - image) * (2 * image - 1) * 1.5
    black = np.float32(max(0.0, rng.normal(-0.01, 0.02)))
    image = black + (1 - black) * image
    light = luminance(image)[..., None]
    colourful = 0.0 if rng.random() < GREY else np.exp(rng.normal(0.1, 0.18))
    image = light + np.float32(colourful) * (image - light)
    if rng.random() < SMALLER:
        scale = float(np.exp(rng.uniform(np.log(0.35), np.log(0.95))))
        size = max(8, int(width * scale)), max(8, int(height * scale))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        image = _sharpened(rng, image)
        image = _compressed(rng, image) if rng.random() < 0.5 else image
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
    else:
        image = _sharpened(rng, image)
    image = _compressed(rng, image)
    return np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)


def _sharpened(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    if rng.random() >= SHARPENED:
        return image
    radius, amount = rng.uniform(0.6, 1.8), np.float32(rng.uniform(0.2, 1.1))
    return image + amount * (image - cv2.GaussianBlur(image, (0, 0), radius))


def _compressed(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    quality = int(np.clip(100 - rng.gamma(2.0, 9.0), 28, 99))
    codes = np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", codes, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_COLOR).astype(np.float32) * np.float32(1 / 255)


def _occluded(rng: np.random.Generator, picture: np.ndarray, matte: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Something before the person: what is held, an arm, a plant, a frame. The matte leaves it out, mostly."""
    height, width = matte.shape
    mask = np.zeros((height, width), np.uint8)
    rows, columns = np.nonzero(matte > 0.5)
    if not len(rows):
        return picture, matte
    at = int(rng.integers(len(rows)))
    x, y, size = float(columns[at]), float(rows[at]), rng.uniform(0.04, 0.2) * height
    kind = rng.random()
    if kind < 0.35:
        box = cv2.boxPoints(((x, y), (size, size * rng.uniform(0.4, 2.5)), rng.uniform(0, 180)))
        cv2.fillPoly(mask, [np.round(box * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    elif kind < 0.7:
        bend = np.linspace(0, 1, 12)
        a, turn = rng.uniform(0, 2 * np.pi), rng.normal(0, 1.2)
        reach = rng.uniform(0.3, 0.9) * height
        way = np.stack([np.cos(a + turn * bend), np.sin(a + turn * bend)], 1)
        path = np.array([x, y]) + np.cumsum(way, 0) * reach / 12
        thick = max(2, int(size * rng.uniform(0.1, 0.7)))
        cv2.polylines(mask, [np.round(path * 16).astype(np.int32)], False, 255, thick, cv2.LINE_AA, 4)
    elif kind < 0.85:
        for _ in range(int(rng.integers(3, 14))):
            centre = int(x + rng.normal(0, size)), int(y + rng.normal(0, size))
            axes = int(size * rng.uniform(0.2, 0.7)) + 1, int(size * rng.uniform(0.04, 0.2)) + 1
            cv2.ellipse(mask, centre, axes, rng.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA)
    else:
        radius = int(size * 0.6) + 1
        cv2.circle(mask, (int(x), int(y)), radius, 255, -1 if rng.random() < 0.6 else max(2, radius // 5), cv2.LINE_AA)
    share = mask.astype(np.float32)[..., None] / 255
    colour = np.exp(rng.normal(np.log(0.2), 0.9)) * np.exp(rng.normal(0, 0.3, 3))
    thing = (
        colour.astype(np.float32)
        * np.exp(np.float32(0.35) * _field(rng, (height, width), int(rng.integers(3, 40))))[..., None]
    )
    cut = rng.uniform(0.85, 1.0) if rng.random() < 0.8 else 0.0
    return picture + share * (thing - picture), matte * (1 - np.float32(cut) * share[..., 0])


def _closed(rng: np.random.Generator, solid: np.ndarray) -> np.ndarray:
    """Small gaps between arms and body filled."""
    count, label, stats, _ = cv2.connectedComponentsWithStats(1 - solid, connectivity=4)
    out = solid.copy()
    most = rng.uniform(0.001, 0.02) * max(int(solid.sum()), 1)
    for number in range(1, count):
        if stats[number, cv2.CC_STAT_AREA] < most:
            out[label == number] = 1
    return out


def _blob(rng: np.random.Generator, solid: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """(h, w) uint8: an irregular blob at the outline."""
    rim = solid - cv2.erode(solid, np.ones((3, 3), np.uint8))
    rows, columns = np.nonzero(rim)
    out = np.zeros(shape, np.uint8)
    if len(rows):
        at = int(rng.integers(len(rows)))
        size = rng.uniform(0.008, 0.045) * max(shape)
        for _ in range(4):
            centre = int(columns[at] + rng.normal(0, size)), int(rows[at] + rng.normal(0, size))
            axes = int(size * rng.uniform(0.4, 1.3)) + 1, int(size * rng.uniform(0.4, 1.3)) + 1
            cv2.ellipse(out, centre, axes, rng.uniform(0, 180), 0, 360, 1, -1)
    return out


def _field(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> np.ndarray:
    """(h, w) float32 smooth random numbers, about one at most places."""
    coarse = rng.standard_normal((cells, cells)).astype(np.float32)
    return cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def _blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian; wide ones on a smaller copy."""
    if sigma < 3:
        return cv2.GaussianBlur(picture, (0, 0), sigma)
    factor = int(sigma / 1.5)
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (max(2, width // factor), max(2, height // factor)), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), 1.5), (width, height), interpolation=cv2.INTER_CUBIC)
