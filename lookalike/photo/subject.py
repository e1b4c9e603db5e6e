"""What the photo room hands on: the photo itself, and one Subject for each person in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

#: MediaPipe's 33 pose landmarks, in order. "left" is the person's own left.
POSE_LANDMARKS = (
    "nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer left_ear right_ear "
    "mouth_left mouth_right left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist left_pinky "
    "right_pinky left_index right_index left_thumb right_thumb left_hip right_hip left_knee right_knee left_ankle "
    "right_ankle left_heel right_heel left_foot_index right_foot_index"
).split()

#: MediaPipe's 21 hand landmarks, in order.
HAND_LANDMARKS = (
    "wrist " + " ".join(f"{f}{i}" for f in ("thumb", "index", "middle", "ring", "pinky") for i in range(1, 5))
).split()


@dataclass(frozen=True)
class Photo:
    """A decoded, upright photo.

    Attributes
    ----------
    rgb : (height, width, 3) uint8, sRGB.
    alpha : (height, width) float32 in [0, 1], the file's own transparency, or None where it says nothing.
    focal : focal length in pixels from EXIF, or None.
    path : where it came from, or None.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None = None
    focal: float | None = None
    path: Path | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.rgb.shape[1], self.rgb.shape[0]

    def opaque(self) -> np.ndarray:
        """(height, width, 3) uint8: the colours over middle gray. What a file holds where it is transparent is noise."""
        if self.alpha is None:
            return self.rgb
        alpha = self.alpha[..., None]
        return (self.rgb * alpha + 128.0 * (1 - alpha)).astype(np.uint8)


@dataclass(frozen=True)
class Hand:
    """One hand's landmarks (`HAND_LANDMARKS`).

    pixels : (21, 2) in the photo. world : (21, 3) metres, camera axes (x right, y up, z towards the camera), centred on
    the hand. confidence : 0..1.
    """

    pixels: np.ndarray
    world: np.ndarray
    confidence: float


@dataclass(frozen=True)
class Subject:
    """One person of a photo. Image arrays cover the whole photo, so that pixels mean the same everywhere.

    Attributes
    ----------
    photo : the photo.
    box : (4,) float x0, y0, x1, y1 in pixels: the matte's bounds.
    matte : (height, width) float32, the share of the pixel that is this person (clothes, hair, worn things included).
    landmarks : (33, 2) float32 pixels, `POSE_LANDMARKS`; may lie outside the frame.
    visibility : (33,) float32 in [0, 1], how likely the landmark is in the frame and not hidden.
    world : (33, 3) float32 metres, camera axes (x right, y up, z towards the camera), centred between the hips.
    left_hand, right_hand : `Hand` or None.
    face : (478, 3) float32 or None: MediaPipe's face mesh with irises, pixels (u, v) and relative depth in pixels
        (larger is nearer to the camera).
    confidence : 0..1, of the detection.
    """

    photo: Photo
    box: np.ndarray
    matte: np.ndarray
    landmarks: np.ndarray
    visibility: np.ndarray
    world: np.ndarray
    left_hand: Hand | None
    right_hand: Hand | None
    face: np.ndarray | None
    confidence: float
