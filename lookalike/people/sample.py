"""One training sample: a picture of a clothed person and everything that is true of it.

A `Sample` is the same whether we made the person or a data set brought it. The picture is a square crop and `camera`
is the crop's; everything else is in that camera's frame (see `lookalike.camera`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.body.model import Body
from lookalike.camera import Camera
from lookalike.maps import Maps
from lookalike.people.scene import Piece

#: What a pixel shows. Their numbers are what `Sample.labels` holds.
LABELS = ("background", "skin", "hair", "upper", "lower", "shoes", "accessory")


@dataclass(frozen=True)
class Sample:
    """A picture and the truth.

    Attributes
    ----------
    name : which one it is, such as "7/000012" (seed and number) or a scan's name.
    image : (h, w, 4) uint8 sRGB and matte, straight alpha, as the first stages of the pipeline would hand it on: with a
        camera's and a matte's faults.
    camera : of the picture, which is a square crop of a photo.
    body : the true body, in the camera's frame, or None for data without one.
    body_maps : the bare body through the camera, or None.
    maps : the person through the camera: front and back normals, depths, mask. Outer surface only.
    labels_front, labels_back : (h, w) uint8 into `LABELS`.
    colour_front, colour_back : (h, w, 3) uint8 sRGB albedo: the colours without light and shadow; zero outside.
    pieces : the person's surfaces in the camera's frame; clothes are open sheets with the hidden skin left out.
    """

    name: str
    image: np.ndarray
    camera: Camera
    body: Body | None
    body_maps: Maps | None
    maps: Maps
    labels_front: np.ndarray
    labels_back: np.ndarray
    colour_front: np.ndarray
    colour_back: np.ndarray
    pieces: tuple[Piece, ...]
