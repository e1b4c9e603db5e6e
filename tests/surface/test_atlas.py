"""The fallback atlas: nothing outside the picture, nothing mirrored, hardly anything on top of each other."""

from __future__ import annotations

import cv2
import numpy as np

from lookalike.body.load import load_body
from lookalike.surface.atlas import flat_atlas


def signed_areas(uv: np.ndarray, face_uv: np.ndarray) -> np.ndarray:
    a, b, c = (uv[face_uv[:, k]].astype(float) for k in range(3))
    return np.cross(b - a, c - a) / 2


def test_an_atlas_for_a_body_without_one():
    model = load_body()
    uv, face_uv = flat_atlas(model.template, model.faces, model.parts)
    assert uv.min() >= 0 and uv.max() <= 1
    assert face_uv.shape == model.faces.shape and face_uv.max() == len(uv) - 1
    area = signed_areas(uv, face_uv)
    # v points down, so faces that are counter-clockwise from outside are clockwise here: none is mirrored.
    assert (area <= 0).all()
    assert np.sign(np.median(area)) == np.sign(np.median(signed_areas(model.uv, model.face_uv)))
    assert -area.sum() > 0.2

    # Draw every face's index; a face that lies under another one disappears.
    side = 2048
    drawn = np.full((side, side), -1, np.int32)
    corners = np.round(uv[face_uv] * (side - 1) * 16).astype(np.int32)
    for face, triangle in enumerate(corners):
        cv2.fillConvexPoly(drawn, triangle, face, shift=4)
    big = np.flatnonzero(-area * side**2 > 6)
    centre = (uv[face_uv[big]].mean(1) * (side - 1) + 0.5).astype(int)
    assert (drawn[centre[:, 1], centre[:, 0]] == big).mean() > 0.9
