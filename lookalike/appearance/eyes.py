"""Eyeballs and the inside of the mouth, which photos hardly show: rest positions in, colours out."""

from __future__ import annotations

import numpy as np

from lookalike.appearance.photograph import Photograph
from lookalike.appearance.sampling import ramp, sample
from lookalike.photo.subject import Subject

#: Angles from the eye's axis, in degrees: pupil, iris, where the ball turns reddish. A real iris is 12 mm on a ball of
#: 24 mm, so 28 degrees.
PUPIL, IRIS, DEEP = 11.0, 28.0, 70.0
SCLERA = np.array([0.86, 0.84, 0.82], np.float32)
DEEP_SCLERA = np.array([0.74, 0.58, 0.54], np.float32)
BROWN = np.array([0.27, 0.17, 0.11], np.float32)
PUPIL_COLOUR = np.array([0.03, 0.025, 0.025], np.float32)
PALATE = np.array([0.36, 0.13, 0.12], np.float32)
TONGUE = np.array([0.62, 0.30, 0.29], np.float32)
#: MediaPipe's face mesh: an iris's centre followed by four points on its rim.
IRISES = (468, 473)
#: Pixels of the photo that an iris needs for its colour to be read.
LEAST_IRIS = 2.5


def iris_colour(subject: Subject, photograph: Photograph) -> np.ndarray:
    """(3,) sRGB: the ring between pupil and rim of both irises in the photo, or brown where they are too small."""
    if subject.face is None or len(subject.face) < 478:
        return BROWN
    points = photograph.pixels(subject.face)
    rings = []
    for first in IRISES:
        centre, rim = points[first], points[first + 1 : first + 5]
        radius = float(np.linalg.norm(rim - centre, axis=1).mean())
        if radius < LEAST_IRIS * min(1.0, photograph.window[2]):
            return BROWN
        # The lower half: the upper lid and its shadow cover the rest.
        angle = np.linspace(-0.15 * np.pi, 1.15 * np.pi, 24)
        for share in (0.55, 0.7):
            ring = centre + share * radius * np.stack([np.cos(angle), np.sin(angle)], 1)
            rings.append(sample(photograph.colour, ring))
    colour = np.median(np.concatenate(rings), axis=0)
    # Highlights and lashes: never brighter than a light iris, never black.
    return np.clip(colour, 0.06, 0.6).astype(np.float32)


def paint_eyeballs(rest: np.ndarray, ball: np.ndarray, iris: np.ndarray) -> np.ndarray:
    """Colours (k, 3) of points on eyeballs that look along +Z.

    rest : (k, 3) rest positions.  ball : (k, 3) the centre of each point's own ball.  iris : (3,) its colour.
    """
    away = rest - ball
    degrees = np.degrees(np.arctan2(np.hypot(away[:, 0], away[:, 1]), away[:, 2]))
    around = np.arctan2(away[:, 1], away[:, 0])
    colour = SCLERA + (DEEP_SCLERA - SCLERA) * ramp(degrees, IRIS + 8, DEEP)[:, None]
    # Fibres, a lighter collar around the pupil and a dark rim make an iris; lit from above it is lighter below.
    fibre = 1 + 0.10 * np.sin(37 * around) * np.sin(23 * around + 1.3)
    depth = np.clip((degrees - PUPIL) / (IRIS - PUPIL), 0, 1)
    shade = (1.15 - 0.25 * depth) * fibre * (1 - 0.55 * ramp(depth, 0.72, 1.0)) * (1 - 0.12 * np.sin(around))
    inner = np.clip(iris * shade[:, None], 0, 1)
    colour = colour + (inner - colour) * (1 - ramp(degrees, IRIS - 2.5, IRIS + 2.5))[:, None]
    colour = colour + (PUPIL_COLOUR - colour) * (1 - ramp(degrees, PUPIL - 2.5, PUPIL + 1.5))[:, None]
    return colour.astype(np.float32)
