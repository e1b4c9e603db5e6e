"""The relief that a coarse mesh lost as a normal map: a coarse surface and the fine mesh in, tangent-space normals out.

What a viewer will do with the map is turned round. It interpolates the vertices' normals and tangents over a triangle,
takes their cross product as the third direction (glTF 2.0, section 3.7.2.1; Mikkelsen's MikkTSpace, 2008), and mixes the
three by the map's numbers. So those are what gives the fine mesh's normal there. Tangents come from the same place as
those that are written to files (`export/vertices.py`).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from lookalike.appearance.material import Material
from lookalike.appearance.texels import texel_map
from lookalike.export.vertices import split_at_seams
from lookalike.mesh.triangles import dot
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import RayCaster, available_cores
from lookalike.surface.mesh import Surface

#: Texels along a side: as fine as the grid that a free mesh comes from.
SIZE = 1024
#: The fine surface is looked for this far off along the normal, metres; and close by first, for most of it is.
REACH, CLOSE = 0.008, 0.0004
#: Rays start this far on the other side of the surface, metres, or they would miss what lies on it.
BEFORE = 0.00005
#: Least cosine between the coarse normal and that of the same surface's fine form.
ALIKE = 0.2
#: No normal of the map leans further than to this height.
LOWEST = 0.1
#: Texels at a time.
CHUNK = 1 << 18


def with_relief(material: Material, surface: Surface, fine_vertices: np.ndarray, fine_faces: np.ndarray) -> Material:
    """The material of a coarse surface with a normal map of the fine mesh that it was made from.

    fine_vertices : (n, 3) metres and fine_faces : (m, 3), in the surface's frame.
    """
    return replace(material, normal_map=bake_normals(surface, fine_vertices, fine_faces, SIZE))


def bake_normals(surface: Surface, fine_vertices: np.ndarray, fine_faces: np.ndarray, size: int) -> np.ndarray:
    """The normal map that lets a coarse surface look like a fine mesh.

    surface : coarse.  fine_vertices : (n, 3) metres, fine_faces : (m, 3), what it was made from, in the same place.
    size : texels along a side.

    Returns (size, size, 3) uint8 on the surface's atlas in glTF's convention: x to the right of the picture, y up, z out
    of the surface, each 255 / 2 (1 + x). Where there is no fine surface it is flat, (128, 128, 255).
    """
    vertices, faces, face_uv = surface.vertices, surface.faces, surface.face_uv
    proper = (faces != np.roll(faces, 1, axis=1)).all(1)  # the others are not drawn
    faces, face_uv = faces[proper], face_uv[proper]
    normals = vertex_normals(vertices, faces)
    drawn = split_at_seams(vertices, normals, faces, surface.uv, face_uv, with_tangents=True)
    assert drawn.tangents is not None
    table = np.concatenate([vertices[drawn.source], normals[drawn.source], drawn.tangents[:, :3]], axis=1)
    mirrored = drawn.tangents[drawn.faces[:, 0], 3]
    texels = texel_map(surface.uv, face_uv, size)
    fine = _Fine(fine_vertices, fine_faces)
    out = np.empty((len(texels.index), 3), np.uint8)

    def run(part: slice) -> None:
        place, normal, tangent = np.split(texels.interpolate(drawn.faces, table, part), 3, axis=1)
        normal, tangent = _unit(normal), _unit(tangent)
        relief = _in_frame(fine.normals_at(place, normal), normal, tangent, mirrored[texels.face[part]])
        out[part] = np.rint(127.5 * relief + 127.5)

    count = len(texels.index)
    parts = [slice(i, min(i + CHUNK, count)) for i in range(0, count, CHUNK)]
    with ThreadPoolExecutor(max(1, min(len(parts), available_cores()))) as pool:
        list(pool.map(run, parts))
    return texels.image(out)


class _Fine:
    """The fine mesh, asked for its normals."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray):
        self._faces, self._normals = faces, vertex_normals(vertices, faces)
        self._caster = RayCaster(vertices, faces, threads=1)

    def normals_at(self, places: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """(k, 3) unit normals of the fine surface at places (k, 3) of the coarse one, which has unit normals (k, 3).

        The nearest fine surface before or behind that faces alike counts; without one it is the coarse normal.
        """
        out, apart = self._first(places, normals, -1, CLOSE)
        far = np.flatnonzero(apart > CLOSE)
        places, normals = places[far], normals[far]
        (above, height), (below, depth) = (self._first(places, normals, side, BEFORE) for side in (1, -1))
        nearest = np.where((height < depth)[:, None], above, below)
        out[far] = np.where((np.minimum(height, depth) < REACH)[:, None], nearest, normals)
        return _unit(out)

    def _first(
        self, places: np.ndarray, normals: np.ndarray, side: int, before: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Normals (k, 3) of what rays along `side` times the normals meet, and how far from the places (k,).

        before : metres, how much earlier rays start. What does not face alike is infinitely far.
        """
        ways = side * normals
        hits = self._caster.cast(places - before * ways, ways)
        found = _unit(hits.interpolate(self._faces, self._normals))
        apart = np.abs(hits.depth - np.float32(before))
        return found, np.where(dot(found, normals) > ALIKE, apart, np.float32(np.inf))


def _in_frame(wanted: np.ndarray, normal: np.ndarray, tangent: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """(k, 3) unit: how much of a tangent, of the bitangent sign x normal x tangent and of a normal make a wanted one.

    wanted, normal, tangent : (k, 3) unit; tangents need not be perpendicular to the normals.  sign : (k,), 1 or -1.
    """
    up = sign[:, None] * _unit(np.cross(normal, tangent))
    lean = dot(normal, tangent)
    along, out = dot(wanted, tangent), dot(wanted, normal)
    square = np.maximum(1 - lean * lean, 1e-6)
    relief = np.stack([(along - lean * out) / square, dot(wanted, up), (out - lean * along) / square], 1)
    relief[:, 2] = np.maximum(relief[:, 2], LOWEST)
    return _unit(relief)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
