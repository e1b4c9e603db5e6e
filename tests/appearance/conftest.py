"""A painted person whose every colour is known: the bundled body under a pattern, photographed by ray casting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.sparse import identity

from lookalike.body import JOINTS, Body, load_body
from lookalike.camera import Camera
from lookalike.photo.subject import Photo, Subject
from lookalike.render.raycast import RayCaster
from lookalike.surface.mesh import Surface

MAGENTA = np.float32([1, 0, 1])


@dataclass(frozen=True)
class Scene:
    """A surface, the subject it is photographed as, and the body, all in one camera frame."""

    surface: Surface
    subject: Subject
    body: Body


@pytest.fixture(scope="session")
def pattern():
    """(k, 3) rest positions -> (k, 3) colours."""
    return smooth_pattern


@pytest.fixture(scope="session")
def photographed():
    """`photograph`, which makes scenes."""
    return photograph


def smooth_pattern(rest: np.ndarray) -> np.ndarray:
    """(k, 3) rest positions -> colours without anything near magenta: green never goes below 0.35."""
    x, y, z = rest.T
    waves = [0.3 + 0.2 * np.sin(30 * x), 0.6 + 0.25 * np.sin(25 * y + 1), 0.3 + 0.2 * np.sin(28 * z + 2)]
    return np.stack(waves, 1).astype(np.float32)


def photograph(pattern=smooth_pattern, *, turn: float = 0.0, arm_across: bool = False) -> Scene:
    """The template body in an A-pose on a magenta ground.

    pattern : (k, 3) rest positions -> (k, 3) colours in [0, 1].  turn : radians about the vertical axis.
    arm_across : the right forearm lies before the belly.
    """
    model = load_body()
    camera = Camera.for_photo(420, 640)
    pose = np.zeros((len(JOINTS), 3), np.float32)
    pose[0, 1] = turn
    pose[JOINTS.index("left_shoulder"), 2], pose[JOINTS.index("right_shoulder"), 2] = -1.1, 1.1
    if arm_across:
        pose[JOINTS.index("right_elbow"), 1] = 1.9
    body = model.posed(np.zeros(model.shape_count), pose, np.float32([0, 0.1, -2.6]), camera)
    hits = RayCaster(body.vertices, model.faces).cast_image(camera)
    rest = hits.interpolate(model.faces, model.template)
    image = np.where(hits.hit[..., None], pattern(rest.reshape(-1, 3)).reshape(rest.shape), MAGENTA)
    rows, columns = np.nonzero(hits.hit)
    subject = Subject(
        photo=Photo(np.rint(image * 255).astype(np.uint8)),
        box=np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], float),
        matte=hits.hit.astype(np.float32),
        landmarks=np.zeros((33, 2), np.float32),
        visibility=np.zeros(33, np.float32),
        world=np.zeros((33, 3), np.float32),
        left_hand=None,
        right_hand=None,
        face=None,
        confidence=1.0,
    )
    anchors = identity(len(model.template), format="csr")
    surface = Surface(body.vertices, model.faces, model.quads, model.uv, model.face_uv, anchors)
    return Scene(surface, subject, body)
