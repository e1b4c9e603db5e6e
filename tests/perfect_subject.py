"""What perfect landmarks and a perfect matte would say of a body."""

from __future__ import annotations

import numpy as np

from lookalike.body.model import Body
from lookalike.photo.subject import POSE_LANDMARKS, Photo, Subject
from lookalike.render.raycast import RayCaster


def perfect_subject(body: Body, photo: Photo) -> Subject:
    """The subject of a photo that the body's own camera took; hands and face are not read."""
    points = body.model.landmark_points(body.vertices, list(POSE_LANDMARKS))
    matte = RayCaster(body.vertices, body.model.faces).cast_image(body.camera).hit.astype(np.float32)
    rows, columns = np.where(matte > 0.5)
    return Subject(
        photo=photo,
        box=np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], float),
        matte=matte,
        landmarks=body.camera.project(points).astype(np.float32),
        visibility=np.ones(33, np.float32),
        world=(points - points[[23, 24]].mean(0)).astype(np.float32),
        left_hand=None,
        right_hand=None,
        face=None,
        confidence=1.0,
    )
