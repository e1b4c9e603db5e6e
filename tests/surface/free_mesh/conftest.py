"""People as one skin: the bundled body, with or without a skirt, as a watertight mesh that knows nothing of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from lookalike.body import JOINTS, Body, load_body
from lookalike.camera import Camera
from tests.one_skin import skin_over


@dataclass(frozen=True)
class Skinned:
    """vertices (n, 3) and faces (m, 3) of a mesh in the camera's frame, and the body inside."""

    vertices: np.ndarray
    faces: np.ndarray
    body: Body


@cache
def one_skin(skirt: bool = False) -> Skinned:
    """The average body with its arms hanging so that upper arms and hands lie on it; with a skirt they are held out."""
    model = load_body()
    pose = np.zeros((len(JOINTS), 3), np.float32)
    for side, sign in (("left", 1), ("right", -1)):
        pose[JOINTS.index(f"{side}_shoulder"), 2] = -sign * (0.6 if skirt else 1.48)
    body = model.posed(np.zeros(model.shape_count), pose, np.float32([0.1, 0, -3]), Camera.for_photo(600, 900))
    return Skinned(*skin_over(body, skirt), body)


@pytest.fixture(scope="session", name="one_skin")
def _one_skin():
    """`one_skin`."""
    return one_skin
