"""Lips and eyebrows for a face that the photo does not show: plain skin in, skin with features out."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from lookalike.appearance.registration import face_marks
from lookalike.appearance.sampling import ramp
from lookalike.body.model import BodyModel

#: MediaPipe's face mesh: rows of points across each lip, and along each eyebrow (upper row, lower row).
LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146,
        78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)  # fmt: skip
EYEBROWS = ((70, 63, 105, 66, 107, 46, 53, 52, 65, 55), (300, 293, 334, 296, 336, 276, 283, 282, 295, 285))
#: Metres from these points to which lips and brows reach: fully, not at all.
LIP_REACH, BROW_REACH = (0.0025, 0.005), (0.002, 0.005)
#: Lips against skin, channel by channel, and how dense a brow is.
LIP_TINT = np.array([0.86, 0.62, 0.62], np.float32)
BROW = 0.65


def add_features(
    colour: np.ndarray, amount: np.ndarray, rest: np.ndarray, model: BodyModel, hair: np.ndarray
) -> np.ndarray:
    """Colours (n, 3) with lips and brows drawn in.

    amount : (n,) in [0, 1], how much: 1 where nothing is known.  rest : (n, 3).  hair : (3,).
    """
    marks = face_marks(model)
    rows = np.flatnonzero(amount > 0.01)
    if not len(rows) or any(n not in marks for n in LIPS):
        return colour
    out = colour.copy()

    def near(numbers: tuple[int, ...], reach: tuple[float, float]) -> np.ndarray:
        points = np.stack([marks[n][1] @ model.template[marks[n][0]] for n in numbers])
        half = len(points) // 2  # the two rows, and the middle between them
        points = np.concatenate([points, (points[:half] + points[half:]) / 2])
        return (1 - ramp(cKDTree(points).query(rest[rows])[0], *reach)) * amount[rows]

    out[rows] *= 1 - near(LIPS, LIP_REACH)[:, None] * (1 - LIP_TINT)
    brows = np.maximum(*(near(numbers, BROW_REACH) for numbers in EYEBROWS))
    out[rows] += BROW * brows[:, None] * (np.minimum(hair, out[rows]) - out[rows])
    return out
