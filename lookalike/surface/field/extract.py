"""From the field to a mesh: coarse to fine, only where the surface may be.

Grids are aligned with the camera's axes. Each level has half the spacing of the one before; a node is asked only where the
level before says that the surface is near, so a person costs a few hundred thousand questions instead of fifty million.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import binary_dilation, map_coordinates
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from lookalike.anatomy.polygonise import ArrayField
from lookalike.anatomy.polygonise import polygonise as grid_surface
from lookalike.surface.field.local import LocalMaps, Prior, features
from lookalike.surface.field.network import REACH, FieldNetwork

#: Nodes along the longest side of a person at the finest level, and levels.
RESOLUTION, LEVELS = 384, 3
#: Metres around body and predicted sides in which there may be a surface.
AROUND = 0.10
#: Questions in one go.
CHUNK = 65536


class Field:
    """Signed distances around a person, metres, negative inside."""

    def __init__(self, prior: Prior, local: LocalMaps, net: FieldNetwork):
        self.prior, self.local, self.net = prior, net.prepared(local), net

    def ask(self, points: np.ndarray, around: np.ndarray) -> np.ndarray:
        """(n,) at points (n, 3). around : (n, 11) of the prior."""
        out = np.empty(len(points), np.float32)
        with torch.inference_mode():
            for start in range(0, len(points), CHUNK):
                part = slice(start, start + CHUNK)
                values = features(points[part], self.local, around[part])
                with torch.autocast("cpu", torch.bfloat16):
                    out[part] = self.net(values).numpy()
        return out

    def outline(self, points: np.ndarray) -> np.ndarray:
        """(n,) metres outside the matte in the picture, negative inside."""
        camera = self.local.camera
        u, v = (camera.project(points) - 0.5).T
        edge = map_coordinates(self.local.stack[0, 12].numpy(), (v, u), order=1, mode="nearest")
        return -edge


def box_of(vertices: np.ndarray, local: LocalMaps) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the box in which the person is, camera frame. vertices : (n, 3) of the prior."""
    maps, camera = local.maps, local.maps.camera
    rows, columns = np.nonzero(maps.mask)
    rays = camera.rays(np.column_stack([columns, rows]) + 0.5)
    sides = [rays * getattr(maps, d)[rows, columns][:, None] for d in ("depth_front", "depth_back")]
    seen = np.concatenate(sides)
    low, high = np.percentile(seen, 0.2, 0), np.percentile(seen, 99.8, 0)
    pixels = camera.project(vertices)
    framed = ((pixels > 0) & (pixels < (camera.width, camera.height))).all(1)
    inside = vertices[framed]
    both = np.stack([low, high, inside.min(0), inside.max(0)])
    return both.min(0) - 0.06, both.max(0) + 0.06


def polygonise(field: Field, resolution: int = RESOLUTION) -> tuple[np.ndarray, np.ndarray]:
    """vertices (n, 3) metres, camera frame, and faces (m, 3), counter-clockwise from outside: one closed piece."""
    low, high = box_of(field.prior.drawn.vertices, field.local)
    step = float((high - low).max()) / resolution * 2 ** (LEVELS - 1)
    shape = np.ceil((high - low) / step).astype(int) + 2
    nodes = np.stack(np.meshgrid(*(low[k] + step * np.arange(shape[k]) for k in range(3)), indexing="ij"), -1)
    flat = nodes.reshape(-1, 3)
    edge = field.outline(flat)
    maybe = np.flatnonzero(edge < 2 * step)
    around = np.zeros((len(flat), 11), np.float32)
    around[:, [0, 7]] = AROUND
    around[maybe] = field.prior.at(flat[maybe])
    values = np.full(len(flat), REACH, np.float32)
    pixels = (field.local.camera.project(flat[maybe]) - 0.5).T[::-1]
    depth = -flat[maybe, 2]
    near, far = (map_coordinates(field.local.stack[0, k].numpy(), pixels, order=1, mode="nearest") for k in (0, 1))
    worth = maybe[
        (around[maybe][:, [0, 7]].min(1) < AROUND) | ((depth > near - AROUND / 2) & (depth < far + AROUND / 2))
    ]
    values[worth] = field.ask(flat[worth], around[worth])
    values = np.maximum(values.reshape(shape), np.clip(edge.reshape(shape), -REACH, REACH))
    around = around.reshape(*shape, 11)
    coarse_step = step
    for _ in range(LEVELS - 1):
        fine = _doubled(values)
        ask = _crossing(fine)
        step /= 2
        index = np.argwhere(ask)
        points = low + step * index
        at = (index * (step / coarse_step)).T
        context = np.column_stack([map_coordinates(around[..., k], at, order=1) for k in range(11)])
        for normal in (context[:, 1:4], context[:, 8:11]):
            normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
        asked = np.maximum(field.ask(points, context), np.clip(field.outline(points), -REACH, REACH))
        fine[tuple(index.T)] = asked
        values = fine
    values[[0, -1]] = values[:, [0, -1]] = values[:, :, [0, -1]] = REACH
    mesh = grid_surface(ArrayField(-values.transpose(2, 1, 0)))
    vertices, faces = largest_piece(mesh.vertices, mesh.faces)
    return low + step * vertices.astype(float), faces


def _doubled(values: np.ndarray) -> np.ndarray:
    """Linear between nodes, twice as many less one."""
    out = values
    for axis in range(3):
        a = np.moveaxis(out, axis, 0)
        new = np.empty((2 * len(a) - 1, *a.shape[1:]), a.dtype)
        new[::2] = a
        new[1::2] = 0.5 * (a[1:] + a[:-1])
        out = np.moveaxis(new, 0, axis)
    return np.ascontiguousarray(out)


def _crossing(values: np.ndarray) -> np.ndarray:
    """Nodes at or next to the surface, along any axis."""
    inside = values < 0
    return binary_dilation(inside) & binary_dilation(~inside)


def largest_piece(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The connected piece with the largest volume."""
    count = len(vertices)
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    graph = csr_matrix((np.ones(len(pairs)), pairs.T), shape=(count, count))
    _, piece = connected_components(graph, directed=False)
    a, b, c = (vertices[faces[:, k]].astype(float) for k in range(3))
    volume = np.bincount(piece[faces[:, 0]], np.einsum("ni,ni->n", a, np.cross(b, c)))
    mine = piece[faces[:, 0]] == np.abs(volume).argmax()
    kept, index = np.unique(faces[mine], return_inverse=True)
    return vertices[kept], index.reshape(-1, 3)
