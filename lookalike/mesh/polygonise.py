"""Marching cubes in blocks: a field of numbers in, the closed surface where it is zero out.

The method is Lorensen and Cline's (1987). The table of its 256 cases is made here by rule: on a face of the cell where
the corners' signs alternate, the positive corners are separated. The rule looks at the face alone, so neighbouring
cells agree, and the surface has neither holes nor edges with more than two triangles. Each vertex is known by the edge
of the grid that it lies on, so blocks join exactly, whatever their size.

Around the volume lies one layer of negative samples: what reaches the volume's border is closed by a flat cap half a
voxel beyond the last sample, where the voxel ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Protocol

import numpy as np

#: A vertex stays this share of its edge away from the samples: no two vertices coincide.
SHY = 0.01
#: Samples in one block, about.
BLOCK = 6_000_000


class Field(Protocol):
    """A function on the grid, positive inside; made block by block, so that it need not fit into memory."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(nz, ny, nx)"""

    def block(self, start: int, stop: int) -> np.ndarray:
        """(stop - start, ny, nx) float32: the slices from `start` on."""


@dataclass(frozen=True)
class ArrayField:
    """`values` (nz, ny, nx) minus `level`."""

    values: np.ndarray
    level: float = 0.0

    @property
    def shape(self) -> tuple[int, int, int]:
        nz, ny, nx = self.values.shape
        return nz, ny, nx

    def block(self, start: int, stop: int) -> np.ndarray:
        return self.values[start:stop].astype(np.float32) - np.float32(self.level)


@dataclass(frozen=True)
class GridMesh:
    """A closed triangle mesh in index coordinates.

    vertices : (n, 3) float32 (x, y, z).  faces : (m, 3) int32, counter-clockwise from outside if the axes x, y, z are
    right-handed.  capped : (n,) bool, vertices of the caps at the volume's border.
    """

    vertices: np.ndarray
    faces: np.ndarray
    capped: np.ndarray


def polygonise(field: Field, tick: Callable[[int, int], None] | None = None, block_size: int = BLOCK) -> GridMesh:
    """The surface where the field changes its sign.

    tick : told how many slices of how many are done.  block_size : samples in one block.
    """
    nz, ny, nx = field.shape
    thick = max(1, block_size // max(ny * nx, 1))
    keys: list[np.ndarray] = []
    points: list[np.ndarray] = []
    corners: list[np.ndarray] = []
    for first, block in _padded_blocks(field, thick):
        owned = len(block) - 1 if first + len(block) < nz + 2 else len(block)  # the last slice is the next block's
        key, point = _vertices(block, first, owned)
        keys.append(key)
        points.append(point)
        corners.append(_triangles(block, first))
        if tick:
            tick(min(first + thick, nz), nz)
    key = np.concatenate(keys)
    vertices = np.concatenate(points)
    faces = np.concatenate([np.searchsorted(key, part).astype(np.int32) for part in corners]).reshape(-1, 3)
    low, high = vertices.min(1, initial=0.0), (vertices - np.array([nx - 1, ny - 1, nz - 1])).max(1, initial=0.0)
    return GridMesh(vertices, faces, (low < 0) | (high > 0))


def _padded_blocks(field: Field, thick: int) -> Iterator[tuple[int, np.ndarray]]:
    """Blocks (k, ny + 2, nx + 2) of the padded field and the number of their first padded slice; neighbours share one
    slice."""
    nz = field.shape[0]
    last: np.ndarray | None = None
    for start in range(0, nz, thick):
        stop = min(start + thick, nz)
        part = _pad_sides(field.block(start, stop))
        pieces = [_beyond(part[:1]) if last is None else last, part]
        first = start  # padded slice s + 1 is slice s; the shared one comes first
        if stop == nz:
            pieces.append(_beyond(part[-1:]))
        yield first, np.concatenate(pieces)
        last = part[-1:]


def _beyond(layer: np.ndarray) -> np.ndarray:
    """The negative samples next to a layer at the border: the zero lies half way where the layer is inside."""
    return np.minimum(-np.abs(layer), np.float32(-1e-6))


def _pad_sides(part: np.ndarray) -> np.ndarray:
    part = np.concatenate([_beyond(part[:, :1]), part, _beyond(part[:, -1:])], 1)
    return np.concatenate([_beyond(part[:, :, :1]), part, _beyond(part[:, :, -1:])], 2)


def _vertices(block: np.ndarray, first: int, owned: int) -> tuple[np.ndarray, np.ndarray]:
    """Keys (n,) int64, ascending, and index coordinates (n, 3) float32 of the vertices on edges that start in the first
    `owned` slices. A key is three times the number of the padded sample where the edge starts, plus its axis."""
    _, ny, nx = block.shape
    inside = block > 0
    keys, points = [], []
    for axis in range(3):  # 0 is x
        step = [1, nx, ny * nx][axis]
        ahead = tuple(slice(1, None) if 2 - axis == each else slice(None) for each in range(3))
        behind = tuple(slice(-1) if 2 - axis == each else slice(None) for each in range(3))
        crossed = inside[ahead] != inside[behind]
        crossed[owned:] = False
        z, y, x = np.nonzero(crossed)
        start = (z * ny + y) * nx + x
        near, far = block.reshape(-1)[start], block.reshape(-1)[start + step]
        share = np.clip(near / (near - far), SHY, 1 - SHY)
        point = np.stack([x - 1, y - 1, z + first - 1], 1).astype(np.float32)
        point[:, axis] += share
        keys.append((start + first * ny * nx) * 3 + axis)
        points.append(point)
    key = np.concatenate(keys)
    order = np.argsort(key)
    return key[order], np.concatenate(points)[order]


def _triangles(block: np.ndarray, first: int) -> np.ndarray:
    """(m * 3,) int64 keys of the triangles' corners, for the cells of a block."""
    _, ny, nx = block.shape
    case: np.ndarray = (block > 0).view(np.uint8)
    case = case[:, :, :-1] | case[:, :, 1:] << 1
    case = case[:, :-1] | case[:, 1:] << 2
    case = case[:-1] | case[1:] << 4
    z, y, x = np.nonzero((case - np.uint8(1)) < 254)
    case = case[z, y, x]
    count, edges, _ = cases()
    offset = np.array([(dx + nx * (dy + ny * dz)) * 3 + axis for dx, dy, dz, axis in EDGES])
    base = ((z + first) * ny + y) * nx + x
    each = count[case]
    cell = np.repeat(np.arange(len(case)), each)
    which = np.arange(len(cell)) - np.repeat(np.cumsum(each) - each, each)
    return (base[cell, None] * 3 + offset[edges[case[cell], which]]).reshape(-1)


def _edges() -> list[tuple[int, int, int, int]]:
    """The twelve edges of a cell: the corner where each starts (x, y, z), and its axis."""
    starts = ((x, y, z) for z in (0, 1) for y in (0, 1) for x in (0, 1))
    return [(*start, axis) for start in starts for axis in range(3) if not start[axis]]


EDGES = _edges()


@cache
def cases() -> tuple[np.ndarray, np.ndarray, int]:
    """The table of marching cubes.

    Returns (256,) the number of triangles of each case, (256, t, 3) the cell's edges that their corners lie on, and how
    many diagonals had to lie in a face of the cell (none). Bit x + 2 y + 4 z of a case is set where that corner is
    inside.
    """
    found = [_triangulated(_loops(case)) for case in range(256)]
    most = max(len(triangles) for triangles, _ in found)
    table = np.zeros((256, most, 3), np.int64)
    for case, (triangles, _) in enumerate(found):
        if triangles:
            table[case, : len(triangles)] = triangles
    return np.array([len(triangles) for triangles, _ in found]), table, sum(flat for _, flat in found)


@cache
def _faces() -> list[list[int]]:
    """The corners of a cell's six faces, counter-clockwise from outside."""
    faces = []
    for axis in range(3):
        a, b = 1 << (axis + 1) % 3, 1 << (axis + 2) % 3
        ring = [0, a, a + b, b]
        faces.append([corner + (1 << axis) for corner in ring])
        faces.append(ring[::-1])
    return faces


@cache
def _edge_between(one: int, other: int) -> int:
    low, axis = min(one, other), (one ^ other).bit_length() - 1
    return EDGES.index((low & 1, low >> 1 & 1, low >> 2 & 1, axis))


@cache
def _in_one_face(one: int, other: int) -> bool:
    """Whether two edges lie in one face of the cell."""
    on_face = [{_edge_between(ring[i - 1], ring[i]) for i in range(4)} for ring in _faces()]
    return any(one in face and other in face for face in on_face)


def _loops(case: int) -> list[list[int]]:
    """The closed polygons of edges that separate inside from outside corners, counter-clockwise from outside."""
    follow = {}
    for ring in _faces():
        inside = [bool(case >> corner & 1) for corner in ring]
        for i in range(4):
            if inside[i] and not inside[(i + 1) % 4]:  # a run of inside corners ends at i: where does it begin?
                j = i
                while inside[j - 1]:
                    j -= 1
                follow[_edge_between(ring[j - 1], ring[j])] = _edge_between(ring[i], ring[(i + 1) % 4])
    loops = []
    while follow:
        start, edge = follow.popitem()
        loop = [start]
        while edge != start:
            loop.append(edge)
            edge = follow.pop(edge)
        loops.append(loop)
    return loops


def _triangulated(loops: list[list[int]]) -> tuple[list[tuple[int, ...]], int]:
    """Triangles of polygons, and how many of their inner edges lie in a face of the cell."""
    triangles: list[tuple[int, ...]] = []
    bad = 0
    for loop in loops:
        choices = []
        for choice in _polygon_triangulations(tuple(range(len(loop)))):
            sides = [pair for triangle in choice for pair in combinations(sorted(triangle), 2)]
            inner = {(i, j) for i, j in sides if j - i not in (1, len(loop) - 1)}
            named = [tuple(loop[i] for i in triangle) for triangle in choice]
            choices.append(
                (
                    -sum(_in_one_face(loop[i], loop[j]) for i, j in inner),
                    min(_blunt(*sorted(triangle)) for triangle in named),
                    named,
                )
            )
        in_face, _, best = max(choices, key=lambda each: each[:2])
        bad -= in_face
        triangles += best
    return triangles, bad


@cache
def _blunt(*edges: int) -> float:
    """How far a triangle between the middles of three edges is from a line: twice its area over its longest side squared."""
    middle = np.array([np.array(EDGES[edge][:3]) + 0.5 * np.eye(3)[EDGES[edge][3]] for edge in edges])
    sides = middle - np.roll(middle, 1, axis=0)
    return float(np.linalg.norm(np.cross(sides[0], sides[1])) / np.square(sides).sum(1).max())


def _polygon_triangulations(polygon: tuple[int, ...]) -> list[list[tuple[int, ...]]]:
    """All ways to cut a convex polygon into triangles."""
    if len(polygon) < 3:
        return [[]]
    out = []
    for k in range(1, len(polygon) - 1):
        for left in _polygon_triangulations(polygon[: k + 1]):
            for right in _polygon_triangulations(polygon[k:]):
                out.append([(polygon[0], polygon[k], polygon[-1]), *left, *right])
    return out
