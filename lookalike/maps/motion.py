"""Where the points of a body that show in a picture belong: a given body and the true one in, their way in crop space out.

A picture corrects a body best point by point. Both bodies have the same vertices, so each pixel that shows the given
body, in front or behind, has a *motion*: to the right, down and away from the camera, in units of the crop
(`inputs.CropUnit`), each body's depths counted from its own middle. So neither distance nor size nor focal length
matter. Motions are smooth, and one for each square of `STEP` pixels tells all.
"""

from __future__ import annotations

import numpy as np

from lookalike.camera import Camera
from lookalike.maps.inputs import STEP, CropUnit
from lookalike.render.raycast import Hits, RayCaster


def shown_points(caster: RayCaster, camera: Camera) -> tuple[Hits, Hits]:
    """What of a body's mesh shows at the middle of each square, in front and behind: (h / STEP, w / STEP) each."""
    coarse = camera.window(0, 0, camera.width, camera.height, 1 / STEP)
    front = caster.cast_image(coarse)
    return front, caster.cast_image(coarse, back=True, where=front.hit)


def crop_places(vertices: np.ndarray, camera: Camera, unit: CropUnit) -> np.ndarray:
    """(V, 3) float32 right, down and away from the camera in units of the crop, counted from the crop's middle.

    vertices : (V, 3) metres, camera frame.  unit : of the body they belong to.
    """
    half = 0.5 * max(camera.width, camera.height)
    pixels = (camera.project(vertices) - (camera.width / 2, camera.height / 2)) / half
    return np.column_stack([pixels, unit.from_metres(-vertices[:, 2])]).astype(np.float32)


def motion_of(places: np.ndarray, true_places: np.ndarray, faces: np.ndarray, shown: tuple[Hits, Hits]) -> np.ndarray:
    """(6, h, w) float32: of the points in front, then of those behind; zero where no body shows.

    places, true_places : (V, 3) as `crop_places` gives them.  faces : (F, 3) of the mesh that `shown` met.
    """
    way = true_places - places
    return np.concatenate([np.moveaxis(hits.interpolate(faces, way), 2, 0) for hits in shown]).astype(np.float32)
