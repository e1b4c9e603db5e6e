"""Smoothing that keeps the volume: a mesh on the grid in, the same mesh without staircase in scanner millimetres out.

Taubin (1995): a step that smooths and a slightly larger step back, so that fine steps go and the form stays. No vertex
may leave its place by more than a given part of a voxel (Gibson, 1998), which keeps thin structures; what the rounds
have changed in volume is given back along the normals. Caps at the volume's border stay flat.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from lookalike.anatomy.mesh import area, volume
from lookalike.anatomy.volume import Volume
from lookalike.export.vertices import smooth_normals
from lookalike.mesh.polygonise import GridMesh

#: Taubin's two factors: shrink, and swell a little more. Forms longer than about eight edges pass unchanged.
SHRINK, SWELL = 0.5, -0.526


def smoothed(
    mesh: GridMesh, scan: Volume, rounds: int, reach: float = 0.5, cubic_mm: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """A smooth closed mesh.

    rounds : pairs of steps; none keeps the surface as it is.  reach : voxels that a vertex may move along each axis.
    cubic_mm : the volume to have at the end; None for the volume before.

    Returns vertices (n, 3) float64 in scanner millimetres and faces (m, 3), counter-clockwise from outside.
    """
    faces = mesh.faces
    if np.linalg.det(scan.affine[:, :3]) < 0:
        faces = faces[:, ::-1]
    start = scan.points(mesh.vertices.astype(np.float64))
    goal = volume(start, faces) if cubic_mm is None else cubic_mm
    if not rounds or not len(faces):
        return start, faces
    mean = _neighbour_mean(faces, len(start))
    free = ~mesh.capped
    inverse = np.linalg.inv(scan.affine[:, :3])
    centre = start.mean(0)
    begin = (start - centre).astype(np.float32)
    at = begin.copy()
    for factor in (SHRINK, SWELL) * rounds:
        step = np.float32(factor) * (mean @ at - at)
        at[free] += step[free]
    move = np.clip((at - begin) @ inverse.T, -reach, reach) @ scan.affine[:, :3].T
    return with_volume(start + move, faces, goal, free, 0.5 * reach * float(scan.spacing.min())), faces


def with_volume(
    vertices: np.ndarray, faces: np.ndarray, cubic_mm: float, free: np.ndarray | None = None, farthest: float = np.inf
) -> np.ndarray:
    """Vertices (n, 3) moved evenly along their normals until the mesh has a volume.

    free : (n,) bool, those that may move.  farthest : millimetres.
    """
    moved = 0.0
    for _ in range(3):
        step = (cubic_mm - volume(vertices, faces)) / max(area(vertices, faces), 1e-9)
        step = float(np.clip(step, -farthest - moved, farthest - moved))
        normals = smooth_normals(vertices, faces)
        vertices = vertices + step * (normals if free is None else normals * free[:, None])
        moved += step
        if abs(step) < 1e-4:
            break
    return vertices


def _neighbour_mean(faces: np.ndarray, count: int) -> csr_matrix:
    """(n, n) float32 sparse: the mean over each vertex's neighbours. Each edge of a closed mesh runs both ways once."""
    start, end = faces.reshape(-1), np.roll(faces, -1, axis=1).reshape(-1)
    weight = (1 / np.maximum(np.bincount(start, minlength=count), 1)).astype(np.float32)
    return csr_matrix((weight[start], (start, end)), (count, count))
