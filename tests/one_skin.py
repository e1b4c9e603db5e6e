"""A body as one skin: what an implicit function would make of it, a watertight mesh that knows nothing of the body."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from lookalike.body import JOINTS, Body
from lookalike.mesh.polygonise import ArrayField, polygonise
from lookalike.people.solid import Solid, inside

STEP = 0.014


def skin_over(body: Body, skirt: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (n, 3) and faces (m, 3) around a body, limbs that touch melted into one.

    skirt : with a cone from the waist to below the knees, around both legs.
    """
    low, high = body.vertices.min(0) - 4 * STEP, body.vertices.max(0) + 4 * STEP
    axes = [np.arange(a, b, STEP) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    skin = body.vertices.astype(np.float32), body.model.faces
    solid = Solid(*skin, np.zeros(0, np.uint8), np.zeros((0, 3), np.uint8))
    within = inside(solid, grid.reshape(-1, 3)).reshape(grid.shape[:3])
    if skirt:
        hips = body.joints[[JOINTS.index("left_hip"), JOINTS.index("right_hip")]].mean(0)
        knees = body.joints[[JOINTS.index("left_knee"), JOINTS.index("right_knee")]].mean(0)
        down = (hips[1] - grid[..., 1]) / (hips[1] - knees[1])
        away = np.hypot(grid[..., 0] - hips[0], grid[..., 2] - hips[2])
        within |= (away < 0.19 + 0.08 * down) & (down > -0.1) & (down < 1.2)
    mesh = polygonise(ArrayField(gaussian_filter(within.astype(np.float32), 0.8).transpose(2, 1, 0), 0.5))
    return mesh.vertices * STEP + low, mesh.faces
