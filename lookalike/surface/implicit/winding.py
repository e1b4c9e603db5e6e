"""Inside or not, as a smooth function of space: a closed mesh in, its winding numbers on a grid out.

The winding number is 1 inside of a closed surface, 0 outside, and 2 where two limbs overlap. Its gradient is the surface's
normals, so it solves a Poisson equation (Kazhdan, Bolitho, Hoppe: Poisson surface reconstruction, 2006), and on a grid
that is a Fourier transform there and one back (Peng et al.: Shape as points, 2021). Holes as small as lids and lips close
by themselves, and where two surfaces touch or cross there is one smooth surface around both.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy import fft

from lookalike.mesh.triangles import dot
from lookalike.render.raycast import available_cores

#: Standard deviation, in nodes, of the Gaussian that the mesh is seen through.
BLUR = 1.0
#: A face is divided until its parts are no larger than this many squares of the grid; at most so many along an edge.
PART, MOST_PARTS = 0.7, 12


def winding_numbers(
    vertices: np.ndarray, faces: np.ndarray, low: np.ndarray, shape: tuple[int, int, int], step: float
) -> np.ndarray:
    """(x, y, z) float32 numbers at the nodes low + step * (i, j, k).

    vertices : (n, 3).  faces : (m, 3), counter-clockwise seen from outside; closed, but for small holes.  low : (3,).
    shape : nodes along x, y, z. The grid is thought to go on periodically: leave ten nodes around the mesh.
    """
    places, normals = _samples(vertices[faces].astype(np.float64), step)
    away = _divergence((places - low) / step, normals / step**2, shape)
    spectrum = fft.rfftn(away, workers=available_cores())
    x, y = (2 * np.pi * fft.fftfreq(n).astype(np.float32) for n in shape[:2])
    z = 2 * np.pi * fft.rfftfreq(shape[2]).astype(np.float32)
    squared = (x**2)[:, None, None] + (y**2)[None, :, None] + (z**2)[None, None, :]
    squared[0, 0, 0] = 1
    gauss = [np.exp(-0.5 * BLUR**2 * k**2) for k in (x, y, z)]
    spectrum *= gauss[0][:, None, None] * gauss[1][None, :, None] * (gauss[2] / squared)
    numbers = fft.irfftn(spectrum, shape, workers=available_cores())
    return numbers - numbers[0, 0, 0]


def _samples(corners: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Points (s, 3) on triangles (m, 3, 3) and the normals (s, 3) of their parts, as long as the parts are large."""
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2
    area = np.sqrt(dot(normal, normal))
    along = np.clip(np.ceil(np.sqrt(area / (PART * step**2))).astype(int), 1, MOST_PARTS)
    places, normals = [], []
    for count in np.unique(along):
        mine = along == count
        bary = _middles(int(count))
        places.append((bary @ corners[mine]).reshape(-1, 3))
        normals.append(np.repeat(normal[mine] / len(bary), len(bary), 0))
    return np.concatenate(places), np.concatenate(normals)


def _middles(count: int) -> np.ndarray:
    """(count ** 2, 3) barycentric coordinates of the middles of a triangle's even parts."""
    i, j = (a.ravel() for a in np.mgrid[:count, :count])
    upright, turned = i + j < count, i + j < count - 1
    first = np.column_stack([i, j])[upright] + 1 / 3
    second = np.column_stack([i, j])[turned] + 2 / 3
    at = np.concatenate([first, second]) / count
    return np.column_stack([1 - at.sum(1), at])


def _divergence(nodes: np.ndarray, normals: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """(x, y, z) float32 the divergence of vectors (s, 3) at places (s, 3), counted in nodes."""
    start = np.floor(nodes).astype(np.int64)
    part = nodes - start
    strides = np.array([shape[1] * shape[2], shape[2], 1])
    first = start @ strides
    touched = np.zeros(int(np.prod(shape)), bool)
    for corner in product((0, 1), repeat=3):
        touched[first + strides @ corner] = True
    number = np.cumsum(touched, dtype=np.int32) - 1  # sums over the nodes next to the mesh are shorter
    node = np.flatnonzero(touched)
    density = np.zeros((3, len(node)))
    for corner in product((0, 1), repeat=3):
        weight = np.prod(np.where(corner, part, 1 - part), axis=1)
        index = number[first + strides @ corner]
        for axis in range(3):
            density[axis] += np.bincount(index, weight * normals[:, axis], len(node))
    away = np.zeros(touched.shape, np.float32)
    for axis in range(3):  # central differences
        away[node - strides[axis]] += density[axis] / 2
        away[node + strides[axis]] -= density[axis] / 2
    return away.reshape(shape)
