"""PLY (binary, little endian) with a colour a vertex, for scan software.

The mesh has the photo's pose, moved so that the person stands on y = 0 and is centred in x and z; metres, Y up.
Vertices are not split at UV seams, so the mesh is as closed as the surface is. Colours are sRGB.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lookalike.export.output import write_bytes
from lookalike.export.standing import stand
from lookalike.export.vertices import add_up, smooth_normals
from lookalike.rig.avatar import Avatar
from lookalike.surface.mesh import Surface


def write_ply(avatar: Avatar, path: Path | str) -> None:
    """Writes the coloured mesh. Raises OutputError."""
    surface = avatar.surface
    colours = vertex_colours(surface, avatar.material.base_colour)
    write_mesh_ply(path, stand(surface.vertices), surface.faces, colours, "photo's pose, metres, Y up")


def write_mesh_ply(
    path: Path | str, vertices: np.ndarray, faces: np.ndarray, colours: np.ndarray, comment: str = "metres, Y up"
) -> None:
    """Writes any mesh with a colour a vertex. vertices : (n, 3).  faces : (m, 3).  colours : (n, 3) uint8 sRGB.

    Raises OutputError.
    """
    vertex = np.zeros(len(vertices), [("point", "<f4", 3), ("normal", "<f4", 3), ("colour", "u1", 3)])
    vertex["point"], vertex["colour"] = vertices, colours
    vertex["normal"] = smooth_normals(vertices, faces)
    face = np.zeros(len(faces), [("count", "u1"), ("corners", "<i4", 3)])
    face["count"] = 3
    face["corners"] = faces
    header = [
        "ply",
        "format binary_little_endian 1.0",
        f"comment {comment}",
        f"element vertex {len(vertex)}",
        *(f"property float {name}" for name in ("x", "y", "z", "nx", "ny", "nz")),
        *(f"property uchar {name}" for name in ("red", "green", "blue")),
        f"element face {len(face)}",
        "property list uchar int vertex_indices",
        "end_header",
    ]
    write_bytes(path, ["\n".join(header).encode() + b"\n", vertex.tobytes(), face.tobytes()])


def vertex_colours(surface: Surface, texture: np.ndarray) -> np.ndarray:
    """The texture at each vertex, bilinear; the mean over its UVs where it has several, mid-grey where it has none.

    texture : (h, w, 3) uint8, row 0 is v = 0. Returns (n, 3) uint8.
    """
    pairs = surface.faces.astype(np.int64).reshape(-1) * len(surface.uv) + surface.face_uv.reshape(-1)
    pairs = np.unique(pairs)
    vertex, row = pairs // len(surface.uv), pairs % len(surface.uv)
    colours = add_up(vertex, _sample(texture, surface.uv[row]), len(surface.vertices))
    count = np.bincount(vertex, minlength=len(surface.vertices))[:, None]
    return np.where(count > 0, np.rint(colours / np.maximum(count, 1)), 128).astype(np.uint8)


def _sample(texture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Bilinear samples, clamped at the edges. uv : (k, 2). Returns (k, 3) float64."""
    size = np.array(texture.shape[1::-1])
    at = (uv.astype(np.float64) * size - 0.5).clip(0, size - 1)
    low = np.floor(at).astype(np.int64)
    high = np.minimum(low + 1, size - 1)
    right, down = (at - low).T[:, :, None]
    top = texture[low[:, 1], low[:, 0]] * (1 - right) + texture[low[:, 1], high[:, 0]] * right
    bottom = texture[high[:, 1], low[:, 0]] * (1 - right) + texture[high[:, 1], high[:, 0]] * right
    return top * (1 - down) + bottom * down
