"""Whose pixel it is, where people of a group touch and cover each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from lookalike.photo.detect import Person
    from lookalike.photo.patch import Frame

#: Bones between MediaPipe's pose landmarks, with the thickness of the limb about them in half body heights.
_LIMBS = (
    *((a, b, 0.10) for a, b in ((11, 13), (12, 14), (23, 25), (24, 26))),
    *((a, b, 0.07) for a, b in ((13, 15), (14, 16), (25, 27), (26, 28))),
    *((a, b, 0.06) for a, b in ((15, 19), (16, 20), (27, 31), (28, 32), (27, 29), (28, 30))),
)
#: Landmarks less visible than this do not claim pixels.
_VISIBLE = 0.3


def claim(person: Person, frame: Frame) -> np.ndarray:
    """How strongly a person claims each pixel of a frame, (rows, columns) float32; the strongest has it.

    The logarithmic odds of the person's own mask, less the distance from the limbs, torso and head.
    """
    import cv2

    mask = np.clip(person.patch.paste(person.mask, frame), 0.01, 0.99)
    radius = person.radius * frame.scale
    away = cv2.distanceTransform(1 - figure(person, frame), cv2.DIST_L2, 5)
    return np.log(mask / (1 - mask)) - away / (0.05 * radius)


def figure(person: Person, frame: Frame) -> np.ndarray:
    """A jointed doll as thick as a person, drawn over the pose: (rows, columns) uint8, 1 inside."""
    import cv2

    doll = np.zeros(frame.size[::-1], np.uint8)
    points = np.clip(frame.points(person.landmarks), -1e4, 1e4)
    radius = person.radius * frame.scale

    def at(point: np.ndarray) -> tuple[int, int]:
        return int(point[0]), int(point[1])

    torso = points[[11, 12, 24, 23]].astype(np.int32)
    cv2.fillConvexPoly(doll, cv2.convexHull(torso), 1)
    cv2.polylines(doll, [torso], True, 1, max(1, int(0.08 * radius)))
    neck, head = points[[11, 12]].mean(0), points[:11].mean(0)
    cv2.line(doll, at(neck), at(head), 1, max(1, int(0.08 * radius)))
    cv2.circle(doll, at(head), max(1, int(0.1 * radius)), 1, -1)
    for a, b, thickness in _LIMBS:
        if min(person.visibility[[a, b]]) > _VISIBLE:
            cv2.line(doll, at(points[a]), at(points[b]), 1, max(1, int(thickness * radius)))
    return doll
