"""What the network says of somebody in a photo: subject and body in, `PredictedMaps` of a crop out."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from lookalike.body.model import Body
from lookalike.camera import Camera
from lookalike.maps.maps import render_maps
from lookalike.maps.network import MapsNetwork, PredictedMaps, infer, load_weights
from lookalike.photo.subject import Subject

#: What comes with the package.
WEIGHTS = Path(__file__).resolve().parents[1] / "assets" / "weights" / "maps.safetensors"
#: Pixels along each side of the crop, as in training.
SIZE = 512
#: The side of the crop over the larger side of the person's box.
MARGIN = 1.12


@lru_cache(maxsize=1)
def maps_network(device: str = "cpu") -> MapsNetwork:
    """The network with the weights that come with the package; read once. Raises LookalikeError."""
    return load_weights(WEIGHTS).to(device)


def crop_camera(camera: Camera, box: np.ndarray, size: int = SIZE) -> Camera:
    """The camera of the square around a person.

    camera : the photo's.  box : (4,) x0, y0, x1, y1 pixels of the matte.
    """
    x0, y0, x1, y1 = (float(v) for v in box)
    side = MARGIN * max(x1 - x0, y1 - y0, 8.0)
    return camera.window((x0 + x1 - side) / 2, (y0 + y1 - side) / 2, side, side, size / side)


def crop_picture(subject: Subject, photo_camera: Camera, crop: Camera) -> np.ndarray:
    """(h, w, 4) uint8 the photo and the matte through a crop's camera; empty beyond the photo's border."""
    import cv2

    scale = crop.focal / photo_camera.focal
    x0, y0 = photo_camera.cx - crop.cx / scale, photo_camera.cy - crop.cy / scale
    across, down = crop.width / scale, crop.height / scale
    # whole pixels of the photo first, so that reducing it can take means of areas
    left, top, right, bottom = int(np.floor(x0)), int(np.floor(y0)), int(np.ceil(x0 + across)), int(np.ceil(y0 + down))
    height, width = subject.matte.shape
    rows, columns = slice(max(top, 0), min(bottom, height)), slice(max(left, 0), min(right, width))
    whole = np.zeros((bottom - top, right - left, 4), np.float32)
    inside = whole[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    inside[..., :3] = subject.photo.opaque()[rows, columns]
    inside[..., 3] = 255 * subject.matte[rows, columns]
    if scale < 1:
        whole = cv2.GaussianBlur(whole, (0, 0), 0.45 * np.sqrt(1 / scale**2 - 1) + 1e-3)
    # pixel (u, v) of the crop lies at (x0 + u / scale, y0 + v / scale) of the photo; OpenCV counts from pixels' middles
    to_crop = np.array([[scale, 0, (left - x0 + 0.5) * scale - 0.5], [0, scale, (top - y0 + 0.5) * scale - 0.5]])
    flags = cv2.INTER_LINEAR if scale < 1 else cv2.INTER_CUBIC
    picture = cv2.warpAffine(whole, to_crop, (crop.width, crop.height), flags=flags)
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)


def predict_maps(subject: Subject, body: Body, net: MapsNetwork) -> PredictedMaps:
    """Normals, depths, parts and the rest of one person, through a square camera around its matte.

    body : fitted to the subject, in the photo's camera. Raises ValueError where the body is not in that square.
    """
    crop = crop_camera(body.camera, subject.box)
    faces = body.model.faces[body.model.outer_faces]
    body_maps = render_maps(body.vertices, faces, crop, body.normals)
    return infer(net, crop_picture(subject, body.camera, crop), body_maps)
