"""Solids of known shape as scans: an oblique, anisotropic grid, and how much of each voxel is inside."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial.transform import Rotation

from lookalike.anatomy.volume import Volume

Shape = Callable[[np.ndarray], np.ndarray]


def sphere(radius: float, centre: tuple[float, float, float] = (0, 0, 0)) -> Shape:
    """Millimetres inside the surface, positive inside, at points (..., 3)."""
    return lambda points: radius - np.linalg.norm(points - np.array(centre), axis=-1)


def torus(radius: float, tube: float) -> Shape:
    return lambda points: tube - np.hypot(np.hypot(points[..., 0], points[..., 1]) - radius, points[..., 2])


def oblique_grid(size: tuple[int, int, int], spacing: tuple[float, float, float], turn=(12, -25, 33)) -> np.ndarray:
    """(3, 4) affine of a turned grid of size (nx, ny, nz) around the origin."""
    axes = Rotation.from_euler("xyz", turn, degrees=True).as_matrix() * np.array(spacing)
    return np.concatenate([axes, (-axes @ ((np.array(size) - 1) / 2))[:, None]], 1)


def grid_points(size: tuple[int, int, int], affine: np.ndarray, shift=(0.0, 0.0, 0.0)) -> np.ndarray:
    """(nz, ny, nx, 3) the samples' places."""
    z, y, x = (np.arange(n) + s for n, s in zip(size[::-1], shift[::-1], strict=True))
    index = np.stack(np.meshgrid(z, y, x, indexing="ij")[::-1], -1)
    return (index @ affine[:, :3].T + affine[:, 3]).astype(np.float32)


def occupancy(shape: Shape, size: tuple[int, int, int], affine: np.ndarray, sub: int = 3) -> np.ndarray:
    """(nz, ny, nx) float32: the share of each voxel that is inside, as a scanner averages over it."""
    offsets = (np.arange(sub) + 0.5) / sub - 0.5
    total = np.zeros(size[::-1], np.float32)
    for dx in offsets:
        for dy in offsets:
            for dz in offsets:
                total += shape(grid_points(size, affine, (dx, dy, dz))) > 0
    return total / sub**3


def ct_of(shape: Shape, size: tuple[int, int, int], affine: np.ndarray, inside: float = 40.0) -> Volume:
    """A CT of a solid in air."""
    share = occupancy(shape, size, affine)
    return Volume(np.rint(-1000 + (inside + 1000) * share).astype(np.int16), affine, "CT")


def voxel_errors(shape: Shape, vertices: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """(n,) how far vertices lie from the true surface, in voxels along the surface's normal."""
    step = 1e-3 * np.eye(3)
    slope = np.stack([(shape(vertices + d) - shape(vertices - d)) / 2e-3 for d in step], 1)
    return np.abs(shape(vertices)) / np.linalg.norm(slope @ affine[:, :3], axis=1)
