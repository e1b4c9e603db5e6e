"""From a mesh with UV seams to the vertex arrays that graphics hardware draws.

In: vertices, triangles, and UVs that are indexed apart from the vertices. Out: smooth normals of the unsplit mesh, and
one drawn vertex for each (vertex, UV) pair that a triangle uses, with tangents where a normal map needs them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class DrawnVertices:
    """One row for each distinct (vertex, UV) pair; the rows of one vertex are neighbours, in the mesh's order.

    source : (d,) int64, the mesh vertex of each drawn vertex.
    uv : (d, 2) float32, origin upper left, or None.
    faces : (m, 3) int64 into the drawn vertices; triangles that use a vertex twice are dropped.
    tangents : (d, 4) float32, unit xyz perpendicular to the normal and w = 1 or -1 with bitangent = w normal x xyz,
        or None.
    """

    source: np.ndarray
    uv: np.ndarray | None
    faces: np.ndarray
    tangents: np.ndarray | None


def corner_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """What each triangle corner adds to its vertex's normal: the triangle's unit normal times the corner's angle.

    Angles as weights make the normal independent of how a flat part is cut into triangles (Thürmer and Wüthrich, 1998).
    vertices : (n, 3).  faces : (m, 3).  Returns (m, 3, 3) float64; degenerate triangles add nothing.
    """
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    ab, bc, ca = b - a, c - b, a - c
    normal = np.cross(ab, -ca)
    twice_area = np.sqrt(np.einsum("ij,ij->i", normal, normal))
    normal /= np.maximum(twice_area, 1e-30)[:, None]
    dots = -np.stack([np.einsum("ij,ij->i", p, q) for p, q in ((ab, ca), (bc, ab), (ca, bc))], 1)
    return np.arctan2(twice_area[:, None], dots)[:, :, None] * normal[:, None, :]


def add_up(rows: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Sums `values` (k, c) that share a row number (k,). Returns (count, c) float64."""
    return np.stack([np.bincount(rows, column, count) for column in values.T], 1)


def unit(vectors: np.ndarray, fallback: tuple[float, float, float] = (0.0, 1.0, 0.0)) -> np.ndarray:
    """Unit vectors (n, 3) float64; those without a length become `fallback`."""
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    return np.where(length > 1e-12, vectors / np.maximum(length, 1e-12), fallback)


def normal_sums(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Vertex normals before their length is made one, (n, 3) float64."""
    return add_up(faces.reshape(-1), corner_normals(vertices, faces).reshape(-1, 3), len(vertices))


def smooth_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit vertex normals, (n, 3) float64. Vertices without a triangle get +Y."""
    return unit(normal_sums(vertices, faces))


def split_at_seams(
    vertices: np.ndarray,
    normals: np.ndarray,
    faces: np.ndarray,
    uv: np.ndarray | None,
    face_uv: np.ndarray | None,
    with_tangents: bool = False,
) -> DrawnVertices:
    """Splits vertices where they have several UVs, and only there.

    With tangents a vertex is also split between triangles whose UVs are mirrored and those whose are not, since the
    sign in `tangents` differs there (as in Mikkelsen's MikkTSpace, 2008).

    vertices, normals : (n, 3).  faces, face_uv : (m, 3).  uv : (t, 2), or None for a mesh without.
    """
    proper = (faces != np.roll(faces, 1, axis=1)).all(1)
    faces = faces[proper].astype(np.int64)
    if uv is None or face_uv is None:
        source, flat = np.unique(faces, return_inverse=True)
        return DrawnVertices(source, None, flat.reshape(-1, 3), None)
    values, same = np.unique(np.ascontiguousarray(uv, np.float32).view(np.uint64)[:, 0], return_inverse=True)
    points = values.view(np.float32).reshape(-1, 2)
    corner_uv = same[face_uv[proper]]
    key = faces * len(points) + corner_uv
    if with_tangents:
        frame = _Frames(vertices, faces, points[corner_uv].astype(np.float64))
        key = key * 2 + frame.mirrored[:, None]
    unique, flat = np.unique(key, return_inverse=True)
    flat = flat.reshape(-1, 3)
    mirrored = unique % 2 if with_tangents else None
    unique = unique // 2 if with_tangents else unique
    source, texel = unique // len(points), unique % len(points)
    tangents = None
    if mirrored is not None:
        tangents = frame.tangents(flat, normals[source], np.where(mirrored, -1.0, 1.0))
    return DrawnVertices(source, points[texel], flat, tangents)


class _Frames:
    """Tangent frames of triangles: the direction of increasing u, and whether the texture is seen mirrored.

    glTF's v grows downwards, so an unmirrored triangle (counter-clockwise, picture the right way round) turns clockwise
    in (u, v); its bitangent, the picture's up, is then normal x tangent, hence w = 1.
    """

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, corners: np.ndarray) -> None:
        points = vertices[faces].astype(np.float64)
        edge1, edge2 = points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]
        (du1, dv1), (du2, dv2) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
        turn = du1 * dv2 - du2 * dv1
        self.mirrored = turn > 0
        self.along_u = np.sign(turn)[:, None] * (dv2[:, None] * edge1 - dv1[:, None] * edge2)
        self.angle = np.linalg.norm(corner_normals(vertices, faces), axis=2)

    def tangents(self, faces: np.ndarray, normals: np.ndarray, sign: np.ndarray) -> np.ndarray:
        """Angle-weighted means of the corners' directions, each laid into its vertex's tangent plane first.

        faces : (m, 3) into the drawn vertices.  normals : (d, 3) and sign : (d,) of those. Returns (d, 4) float32.
        """
        rows = faces.reshape(-1)
        direction = np.repeat(self.along_u, 3, axis=0)
        at = normals[rows]
        direction -= np.einsum("ij,ij->i", direction, at)[:, None] * at
        direction = unit(direction, (0.0, 0.0, 0.0)) * self.angle.reshape(-1, 1)
        total = unit(add_up(rows, direction, len(normals)), (0.0, 0.0, 0.0))
        total -= np.einsum("ij,ij->i", total, normals)[:, None] * normals
        # Where the UVs have no area any direction in the plane will do: the axis that is least along the normal.
        spare = np.eye(3)[np.abs(normals).argmin(1)]
        spare -= np.einsum("ij,ij->i", spare, normals)[:, None] * normals
        lost = np.einsum("ij,ij->i", total, total) < 0.25
        total = unit(np.where(lost[:, None], spare, total))
        return np.concatenate([total, sign[:, None]], 1).astype(np.float32)
