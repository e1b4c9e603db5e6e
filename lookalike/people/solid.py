"""A clothed person as one solid: pieces in, the surface that is seen from outside and signed distances to it out.

Clothes are open sheets over each other, so "inside" needs a meaning: a point is inside if most rays from it meet the
outer surface from behind first. For closed surfaces that is the usual answer; under an open hem it closes the hole as
the generalised winding number does (Jacobson et al., 2013).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from lookalike.mesh.triangles import closest_on_triangles
from lookalike.people.looks.paint import Paint, as_paint
from lookalike.people.scene import Piece
from lookalike.render.light import sphere_directions
from lookalike.render.raycast import RayCaster
from lookalike.render.shade import encode_srgb

#: A place is outer if one of so many directions leads away without meeting anything.
DIRECTIONS = 26
#: Rays that vote whether a point is inside.
VOTES = 16
#: Points on the surface among which the closest is looked for, before the exact triangle is asked.
DENSITY = 60_000
#: Standard deviations of points along the normal, metres, and how many of all points each gets; the rest is anywhere.
BANDS = ((0.008, 0.45), (0.03, 0.4))


@dataclass(frozen=True)
class Solid:
    """The outer surface.

    vertices : (n, 3) float32, faces : (m, 3) int32.  label : (m,) uint8 into `sample.LABELS`.
    colour : (n, 3) uint8 sRGB albedo a vertex.
    """

    vertices: np.ndarray
    faces: np.ndarray
    label: np.ndarray
    colour: np.ndarray


@dataclass(frozen=True)
class Distances:
    """Points (k, 3) float32 and their signed distances (k,) float32 to the outer surface, metres, negative inside."""

    points: np.ndarray
    distance: np.ndarray


def outer_surface(pieces: tuple[Piece, ...] | list[Piece], labels: tuple[str, ...]) -> Solid:
    """What is seen of pieces from anywhere outside; what alpha cuts out does not count.

    Faces that nobody sees (inner layers, skin under clothes, the mouth's inside) are left out.
    """
    start = np.cumsum([0, *(len(p.vertices) for p in pieces)])
    vertices = np.concatenate([p.vertices for p in pieces]).astype(np.float32)
    faces, label, colour = [], [], []
    for piece, first in zip(pieces, start[:-1], strict=True):
        mine = piece.faces
        paint = as_paint(piece.colour)
        if paint.holes:
            middle = piece.uv[piece.face_uv].mean(1)
            mine = mine[paint.sample(middle.astype(np.float32), 1e-4)[:, 3] > 0.5]
        faces.append(mine + first)
        colour.append(_colours(piece, paint))
        label.append(np.full(len(mine), labels.index(piece.label), np.uint8))
    every, name = np.concatenate(faces).astype(np.int32), np.concatenate(label)
    seen = _seen(vertices, every)
    used, kept = np.unique(every[seen], return_inverse=True)
    return Solid(vertices[used], kept.reshape(-1, 3).astype(np.int32), name[seen], np.concatenate(colour)[used])


def _colours(piece: Piece, paint: Paint) -> np.ndarray:
    """(n, 3) uint8 sRGB: the paint at one of each vertex's texture coordinates."""
    uv = np.zeros((len(piece.vertices), 2), np.float32)
    uv[piece.faces.reshape(-1)] = piece.uv[piece.face_uv.reshape(-1)]
    flat = piece.uv[piece.face_uv[:, 0]] - piece.uv[piece.face_uv[:, 1]]
    # as fine as the mesh is, in the texture's unit
    spacing = float(np.median(np.linalg.norm(flat, axis=1))) if len(flat) else 1.0
    return encode_srgb(paint.sample(uv, spacing)[:, :3])


def _seen(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(m,) bool: faces from whose middle, on either side, some direction leads away."""
    corner = vertices[faces]
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    length = np.linalg.norm(normal, axis=1)
    normal /= np.maximum(length, 1e-20)[:, None]
    middle = corner.mean(1)
    caster = RayCaster(vertices, faces)
    ways = sphere_directions(DIRECTIONS).astype(np.float32)
    seen = np.zeros(len(faces), bool)
    pending = np.flatnonzero(length > 1e-14)
    for way in ways:
        facing = normal[pending] @ way
        ask = pending[np.abs(facing) > 0.05]
        side = np.sign(normal[ask] @ way)[:, None]
        free = ~caster.occluded(middle[ask] + 2e-4 * side * normal[ask], np.broadcast_to(way, (len(ask), 3)))
        seen[ask[free]] = True
        pending = pending[~seen[pending]]
    return seen


def signed_distances(solid: Solid, count: int, rng: np.random.Generator) -> Distances:
    """Points near the surface, fewer farther off, and some anywhere around the person."""
    corner = solid.vertices[solid.faces].astype(np.float64)
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    area = np.linalg.norm(normal, axis=1)
    normal /= np.maximum(area, 1e-20)[:, None]
    face = np.searchsorted(np.cumsum(area), rng.random(DENSITY) * area.sum()).clip(0, len(area) - 1)
    place = _on_faces(corner[face], rng.random((DENSITY, 2)))
    points = []
    for deviation, share in BANDS:
        chosen = rng.integers(0, DENSITY, int(share * count))
        points.append(place[chosen] + normal[face[chosen]] * rng.normal(0, deviation, (len(chosen), 1)))
    low, high = solid.vertices.min(0) - 0.1, solid.vertices.max(0) + 0.1
    points.append(rng.uniform(low, high, (count - sum(map(len, points)), 3)))
    every = np.concatenate(points)
    return Distances(every.astype(np.float32), distances_to(solid, every, place, face))


def distances_to(solid: Solid, points: np.ndarray, place: np.ndarray, face: np.ndarray) -> np.ndarray:
    """(k,) float32 signed distances of points (k, 3). place, face : samples on the surface and the faces they lie on."""
    corner = solid.vertices[solid.faces].astype(np.float64)
    index = cKDTree(place).query(points, k=3)[1]
    nearest = np.full(len(points), np.inf)
    for k in range(index.shape[1]):
        close = closest_on_triangles(points, corner[face[index[:, k]]])
        nearest = np.minimum(nearest, np.linalg.norm(points - close, axis=1))
    return np.where(inside(solid, points), -nearest, nearest).astype(np.float32)


def inside(solid: Solid, points: np.ndarray) -> np.ndarray:
    """(k,) bool: whether points (k, 3) are within the person."""
    caster = RayCaster(solid.vertices, solid.faces)
    corner = solid.vertices[solid.faces]
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    votes = np.zeros(len(points))
    for way in sphere_directions(VOTES).astype(np.float32):
        hits = caster.cast(points, np.broadcast_to(way, (len(points), 3)))
        votes += hits.hit & (normal[hits.face] @ way > 0)
    return votes > VOTES / 2


def _on_faces(corner: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """(k, 3) even random points in triangles (k, 3, 3). chance : (k, 2) in [0, 1)."""
    root = np.sqrt(chance[:, :1])
    u, v = 1 - root, root * chance[:, 1:]
    return corner[:, 0] * (1 - u - v) + corner[:, 1] * u + corner[:, 2] * v
