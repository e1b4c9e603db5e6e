"""The overlay: the fitted body drawn over the photo, so that one look says whether the fit is right."""

from __future__ import annotations

import numpy as np

from lookalike.body.model import Body
from lookalike.photo.subject import POSE_LANDMARKS, Subject
from lookalike.render.shade import Studio
from lookalike.render.view import View

#: How strongly the body covers the photo.
OPACITY = 0.6

#: Landmarks less visible than this are not drawn.
VISIBLE = 0.3

#: What the clay's colour is multiplied with: blue, which people and their clothes seldom are.
TINT = np.array([0.62, 0.82, 1.12], np.float32)

OUTLINE = (255, 255, 255)
PHOTO_DOT, BODY_DOT, DOT_RIM = (64, 224, 255), (255, 150, 40), (20, 20, 24)


def overlay(body: Body, subject: Subject, longest: int | None = 1280) -> np.ndarray:
    """The photo under the body as translucent, outlined clay; the photo's landmarks in cyan, the body's in orange.

    longest : pixels of the picture's longer side at most; None keeps the photo's size. Returns (h, w, 3) uint8 sRGB.
    """
    import cv2

    width, height = subject.photo.size
    scale = 1.0 if longest is None else min(1.0, longest / max(width, height))
    camera = body.camera.window(0, 0, width, height, scale)
    size = (camera.width, camera.height)
    picture = subject.photo.opaque()
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if scale < 1 else picture

    studio = Studio(body.vertices, body.model.faces)
    figure = studio.render(View.of_photo(camera), "clay", background=None, ground=False)
    tinted = np.minimum(figure[..., :3] * TINT, 255)
    share = OPACITY / 255 * figure[..., 3:].astype(np.float32)
    picture = np.ascontiguousarray(np.round(picture * (1 - share) + tinted * share).astype(np.uint8))

    # Fine work is drawn in sixteenths of a pixel.
    line = max(1, round(max(size) / 1000))
    outlines, _ = cv2.findContours((figure[..., 3] > 127).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outlines, -1, OUTLINE, line, cv2.LINE_AA)
    shown = subject.visibility > VISIBLE
    of_photo = subject.landmarks[shown] * scale
    of_body = camera.project(body.model.landmark_points(body.vertices, POSE_LANDMARKS)[shown])
    radius = max(max(size) / 300, 1.5)
    for start, end in zip(_sixteenths(of_photo), _sixteenths(of_body), strict=True):
        cv2.line(picture, start, end, DOT_RIM, line, cv2.LINE_AA, 4)
    for points, colour in ((of_body, BODY_DOT), (of_photo, PHOTO_DOT)):
        for point in _sixteenths(points):
            cv2.circle(picture, point, round(16 * (radius + 0.8)), DOT_RIM, -1, cv2.LINE_AA, 4)
            cv2.circle(picture, point, round(16 * radius), colour, -1, cv2.LINE_AA, 4)
    return picture


def _sixteenths(points: np.ndarray) -> list[tuple[int, int]]:
    """Pixel coordinates (k, 2) as OpenCV's fixed-point integers with four fractional bits."""
    # OpenCV counts from the centre of the first pixel.
    fixed = np.round((np.clip(points, -4000, 20000) - 0.5) * 16).astype(int)
    return [(int(u), int(v)) for u, v in fixed]
