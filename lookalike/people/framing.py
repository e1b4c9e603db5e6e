"""Where the camera stands and what of its picture is cut out: a person's vertices in, a crop's camera out.

The pinhole has a real lens: short ones near the person, long ones far away, a little rolled, at any height from hip to
above the head, the person anywhere in the photo. The crop is what the pipeline would cut: a square round what is seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from lookalike.camera import Camera
from lookalike.render.view import View

#: Focal lengths in units of the photo's longer side: phones' wide lenses to portrait lenses.
FOCAL = (0.72, 3.2)
#: The side of the crop over the larger side of the person's box.
MARGIN = (1.06, 1.3)
#: How often the photo's border cuts the person off.
CUT_OFF = 0.14


@dataclass(frozen=True)
class Framing:
    """A crop of a photo.

    view : the crop's camera in the room.  frame : x0, y0, x1, y1 of the photo in pixels of the crop: beyond, there is
    no picture.
    """

    view: View
    frame: tuple[float, float, float, float]


def random_framing(vertices: np.ndarray, size: int, rng: np.random.Generator) -> Framing:
    """A camera for a person. vertices : (n, 3) in the room's axes, Y up, facing +Z, metres.  size : of the crop."""
    vertices = vertices[:: max(1, len(vertices) // 8000)]  # its outline to a pixel or two is enough
    low, high = vertices.min(0), vertices.max(0)
    centre, tall = (low + high) / 2, float(np.linalg.norm(high - low))
    focal = float(np.exp(rng.uniform(*np.log(FOCAL)))) if rng.random() < 0.6 else float(rng.normal(1.2, 0.15))
    share = rng.uniform(0.45, 0.95)  # of the photo's longer side that the person fills
    distance = max(focal * tall / share, 0.75 * tall + 0.3)
    yaw = rng.normal(0, np.radians(32)) if rng.random() < 0.55 else rng.uniform(-np.pi, np.pi)
    pitch = np.radians(rng.normal(3, 6) if rng.random() < 0.85 else rng.uniform(-25, 35))
    roll = np.radians(rng.normal(0, 2))
    # rows: the camera's right, up and backward axes in the room
    turn = Rotation.from_euler("YXZ", [yaw, -pitch, roll]).as_matrix().T
    # the person is not in the middle of the photo
    aside = np.array([rng.normal(0, 0.12), rng.normal(0, 0.06), 0]) * distance / focal
    position = centre + turn.T @ (np.array([0, 0, distance]) + aside)
    local = (vertices - position) @ turn.T
    whole = Camera(1.0, 0.0, 0.0, 1, 1)
    points = whole.project(local)
    (x0, y0), (x1, y1) = points.min(0), points.max(0)
    left, top, right, bottom = -9.0, -9.0, 9.0, 9.0
    if rng.random() < CUT_OFF:
        kind = rng.choice(["feet", "left", "right", "head"], p=[0.6, 0.17, 0.17, 0.06])
        if kind == "feet":
            bottom = y1 - rng.uniform(0.05, 0.55) * (y1 - y0)
        elif kind == "head":
            top = y0 + rng.uniform(0.02, 0.12) * (y1 - y0)
        elif kind == "left":
            left = x0 + rng.uniform(0.05, 0.35) * (x1 - x0)
        else:
            right = x1 - rng.uniform(0.05, 0.35) * (x1 - x0)
    u0, v0, u1, v1 = max(x0, left), max(y0, top), min(x1, right), min(y1, bottom)
    side = max(u1 - u0, v1 - v0) * rng.uniform(*MARGIN)
    middle = np.array([(u0 + u1) / 2, (v0 + v1) / 2]) + rng.normal(0, 0.015, 2) * side
    scale = size / side
    corner = middle - side / 2
    camera = Camera(scale, float(-corner[0] * scale), float(-corner[1] * scale), size, size)
    edges = ((left, top), (right, bottom))
    (a, b), (c, d) = ((np.array(e) - corner) * scale for e in edges)
    frame = (
        float(np.clip(a, 0, size)),
        float(np.clip(b, 0, size)),
        float(np.clip(c, 0, size)),
        float(np.clip(d, 0, size)),
    )
    return Framing(View(camera, turn, position), frame)
