"""How far a surface can move before it meets itself: a mesh and directions in, distances out."""

from __future__ import annotations

import numpy as np

from lookalike.render.raycast import RayCaster

#: Rays start this far above the surface, metres, and parts that face each other keep as much between them.
CLEARANCE = 5e-4


def free_way(surface: RayCaster, vertices: np.ndarray, normals: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """(n,) metres from each vertex to the surface that its direction meets first, inf where there is none.

    surface : the mesh of the vertices (n, 3).  normals, directions : (n, 3) unit; a direction against the normal looks
    inwards.
    """
    side = np.sign(np.einsum("ni,ni->n", normals, directions))
    start = vertices + CLEARANCE * np.where(side == 0, 1, side)[:, None] * normals
    return surface.cast(start, directions).depth.astype(float)
