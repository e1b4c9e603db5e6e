"""Reading a predicted mesh: a GLB, OBJ or PLY file in, vertices and triangles out. No colours, skins or morphs."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

#: What predictions may be, in the order they are looked for.
SUFFIXES = (".glb", ".obj", ".ply")
_INDEX_TYPES = {5121: "<u1", 5123: "<u2", 5125: "<u4"}
_TRIANGLES = 4


def read_mesh(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) float64 vertices and (m, 3) int64 faces of all meshes of a file, each at its place in the scene.

    Raises OSError, ValueError or LookalikeError for a file that cannot be read.
    """
    try:
        if path.suffix.lower() == ".glb":
            return _read_glb(path.read_bytes())
        from lookalike.people.datasets.meshes import read_scan_mesh

        mesh = read_scan_mesh(path)
        return np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int64)
    except (KeyError, IndexError, TypeError, struct.error) as error:
        raise ValueError(f"{path.name} is damaged") from error


def file_stem(name: str) -> str:
    """A person's name as that of a file: data sets have slashes in theirs."""
    return name.replace("/", "_").replace("\\", "_")


def find_mesh(folder: Path, name: str) -> Path | None:
    """The file of a person in a folder of predictions, or None."""
    return next((path for suffix in SUFFIXES if (path := folder / f"{file_stem(name)}{suffix}").is_file()), None)


def _read_glb(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    if data[:4] != b"glTF":
        raise ValueError("it is no GLB file")
    (length,) = struct.unpack_from("<I", data, 12)
    document = json.loads(data[20 : 20 + length])
    binary = data[28 + length :]
    nodes, scenes = document.get("nodes", []), document.get("scenes", [])
    waiting = [(n, np.eye(4)) for n in (scenes[document.get("scene", 0)]["nodes"] if scenes else range(len(nodes)))]
    vertices: list[np.ndarray] = []
    faces: list[np.ndarray] = []
    count = 0
    while waiting:
        number, above = waiting.pop(0)
        if len(vertices) > len(document.get("meshes", [])) * len(nodes):
            raise ValueError("its nodes go round in circles")
        node = nodes[number]
        place = above @ _matrix(node)
        waiting += [(child, place) for child in node.get("children", [])]
        if "mesh" not in node:
            continue
        for primitive in document["meshes"][node["mesh"]]["primitives"]:
            if primitive.get("mode", _TRIANGLES) != _TRIANGLES:
                continue
            points = _accessor(document, binary, primitive["attributes"]["POSITION"]).astype(np.float64)
            index = np.arange(len(points))
            if "indices" in primitive:
                index = _accessor(document, binary, primitive["indices"]).astype(np.int64).ravel()
            if len(index) and index.max() >= len(points):
                raise IndexError("a face names a vertex that does not exist")
            if not np.array_equal(place, np.eye(4)):
                points = points @ place[:3, :3].T + place[:3, 3]
            vertices.append(points)
            faces.append(index[: len(index) // 3 * 3].reshape(-1, 3) + count)
            count += len(points)
    if not vertices:
        return np.zeros((0, 3)), np.zeros((0, 3), np.int64)
    return np.concatenate(vertices), np.concatenate(faces)


def _accessor(document: dict[str, Any], binary: bytes, number: int) -> np.ndarray:
    """(count, 3) positions or (count, 1) indices."""
    accessor = document["accessors"][number]
    view = document["bufferViews"][accessor["bufferView"]]
    width = {"SCALAR": 1, "VEC3": 3}[accessor["type"]]
    kind = np.dtype("<f4" if width == 3 else _INDEX_TYPES[accessor["componentType"]])
    start, count = view.get("byteOffset", 0) + accessor.get("byteOffset", 0), accessor["count"]
    step = view.get("byteStride", width * kind.itemsize)
    if count and start + step * (count - 1) + width * kind.itemsize > len(binary):
        raise IndexError("it is cut off")
    return np.ndarray((count, width), kind, binary, start, (step, kind.itemsize)).copy()


def _matrix(node: dict[str, Any]) -> np.ndarray:
    """(4, 4) a node's transform."""
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_quat(node.get("rotation", (0, 0, 0, 1))).as_matrix() * node.get("scale", (1, 1, 1))
    matrix[:3, 3] = node.get("translation", (0, 0, 0))
    return matrix
