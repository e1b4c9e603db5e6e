"""Where the OBJ, PLY and STL files put the person: the photo's pose, on the floor, above the origin."""

from __future__ import annotations

import numpy as np


def stand(vertices: np.ndarray) -> np.ndarray:
    """The same shape moved, not turned: its lowest point at y = 0, its bounding box centred in x and z.

    vertices : (n, 3) camera frame, metres. Returns (n, 3) float64.
    """
    points = vertices.astype(np.float64)
    low, high = points.min(0), points.max(0)
    middle = (low + high) / 2
    return points - [middle[0], low[1], middle[2]]
