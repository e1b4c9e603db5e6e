"""What the camera sees of the surface: mesh and camera in; first hit's depth and body coordinates a pixel out.

A texel may take a pixel's colour only where the surface's first hit at that pixel is the texel itself or its own
front side, and where no depth edge is near: mesh and photo disagree by a few pixels, so a strip beside an arm's
outline may show the arm although the mesh says torso.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lookalike.appearance.parts import HAND_KIND, HEAD_KIND, KIND, NO_KIND, Facts
from lookalike.camera import Camera
from lookalike.render.raycast import RayCaster

#: The view is rendered with at most this many pixels a side: its edges are widened by far more than a pixel anyway.
LARGEST = 1024
#: Metres beside an occluder's outline that are not believed, and how far in front it has to be to count.
STRIP = 0.012
BESIDE = 0.025
IN_FRONT = (0.03, 0.05)


@dataclass(frozen=True)
class FrontView:
    """Images of the first hits, (h, w); `scale` is their pixels per pixel of the photograph.

    Attributes
    ----------
    depth : (h, w) float32 metres, `FAR` where there is no surface.
    nearest : (h, w) float32: the smallest depth within `STRIP`.
    rest : (h, w, 3) float32: rest position of the first hit.
    group : (h, w) uint8 of the first hit, `parts.GROUPS`, 255 where there is none.
    kind : (h, w) uint8 of the first hit, see `parts.KIND`; eyes and mouth count as head.
    beside_hand : (h, w) bool: on a hand or within `BESIDE` of one.
    """

    scale: tuple[float, float]
    depth: np.ndarray
    nearest: np.ndarray
    rest: np.ndarray
    group: np.ndarray
    kind: np.ndarray
    beside_hand: np.ndarray

    def pixels(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels of the photograph -> of these images."""
        return pixels * np.array(self.scale, np.float32)


FAR = 1e6


def view_front(faces: np.ndarray, facts: Facts, camera: Camera) -> FrontView:
    """The first hits of a surface seen by `camera`, the photograph's."""
    scale = min(1.0, LARGEST / max(camera.width, camera.height))
    small = camera.window(0, 0, camera.width, camera.height, scale)
    caster = RayCaster(facts.here.position, faces)
    hits = caster.cast_image(small)
    depth = np.where(hits.hit, hits.depth, np.float32(FAR))
    rest = hits.interpolate(faces, facts.here.rest)
    group = facts.group[faces[hits.face, 0]]
    kind = np.where(KIND == NO_KIND, HEAD_KIND, KIND)[group].astype(np.uint8)
    typical = float(np.median(-facts.here.position[:, 2]))
    radius = max(1, int(np.ceil(STRIP * small.focal / typical)))
    hand = (hits.hit & (kind == HAND_KIND)).astype(np.uint8)
    beside = cv2.distanceTransform(1 - hand, cv2.DIST_L2, 3) < BESIDE * small.focal / typical
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    ratio = (small.width / camera.width, small.height / camera.height)
    return FrontView(
        ratio, depth, cv2.erode(depth, disc), rest, np.where(hits.hit, group, 255), kind, beside & bool(hand.any())
    )
