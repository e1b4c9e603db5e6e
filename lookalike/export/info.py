"""What a GLB file holds, ours or anybody's, without loading it into a 3D program."""

from __future__ import annotations

import json
import struct
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.errors import LookalikeError

_WIDTH = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
#: How a texture's use is named, by where the material refers to it.
_USES = {
    "baseColorTexture": "base colour",
    "metallicRoughnessTexture": "roughness",
    "normalTexture": "normal",
    "occlusionTexture": "occlusion",
    "emissiveTexture": "emission",
}


def read_info(path: Path | str) -> dict[str, Any]:
    """Facts about a GLB file as plain JSON types.

    Returns
    -------
    file, bytes, generator (text or None), meshes, vertices, triangles : counts over all meshes.
    height : metres, the default scene's extent in y as the file shows it before any animation; None without geometry.
    size : [x, y, z] extents in metres, or None.
    joints : the number of distinct joints of all skins.   materials : the number of materials.
    face_shapes : names of the morph targets of the mesh that has most of them.
    animations : [{"name", "seconds"}].
    textures : [{"use", "width", "height", "format", "bytes"}]; "use" is the picture's name where no material uses
        it. What cannot be told, as of pictures outside the file, is None.

    Raises LookalikeError when the file is missing, is no GLB, or is damaged.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise LookalikeError(f"Cannot read {path}: {reason}; give the path of a GLB file.") from error
    if data[:4] != b"glTF":
        raise LookalikeError(f"{path} is not a GLB file; give a file that Lookalike or a 3D program wrote as .glb.")
    try:
        document, binary = _chunks(data)
        return {"file": path.name, "bytes": len(data)} | _facts(_Reader(document, binary))
    except (
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
        struct.error,
    ) as error:
        raise LookalikeError(f"{path} is damaged and cannot be read; export or download it again.") from error


def _chunks(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The JSON document and the binary buffer. Raises on a malformed container."""
    _, version, total = struct.unpack_from("<4sII", data)
    if version != 2 or total > len(data):
        raise ValueError("not a complete GLB of version 2")
    at, document, binary = 12, None, b""
    while at + 8 <= total:
        length, kind = struct.unpack_from("<I4s", data, at)
        chunk = data[at + 8 : at + 8 + length]
        if len(chunk) != length:
            raise ValueError("a chunk is cut off")
        if kind == b"JSON" and document is None:
            document = json.loads(chunk)
        elif kind == b"BIN\0":
            binary = chunk
        at += 8 + length
    if not isinstance(document, dict) or not isinstance(document["asset"], dict):
        raise TypeError("the document is not an object")
    return document, binary


def _facts(reader: _Reader) -> dict[str, Any]:
    document = reader.document
    meshes = document.get("meshes", [])
    primitives = [primitive for mesh in meshes for primitive in mesh["primitives"]]
    accessors = document.get("accessors", [])
    positions = {primitive["attributes"]["POSITION"] for primitive in primitives}
    low, high = reader.bounds()
    extent = [round(float(x), 4) for x in high - low] if np.isfinite(low).all() else None
    return {
        "generator": document["asset"].get("generator"),
        "meshes": len(meshes),
        "vertices": sum(int(accessors[number]["count"]) for number in positions),
        "triangles": sum(_triangles(primitive, accessors) for primitive in primitives),
        "height": extent[1] if extent else None,
        "size": extent,
        "joints": len({joint for skin in document.get("skins", []) for joint in skin["joints"]}),
        "materials": len(document.get("materials", [])),
        "face_shapes": max((_target_names(mesh) for mesh in meshes), key=len, default=[]),
        "animations": [
            _animation(number, clip, accessors) for number, clip in enumerate(document.get("animations", []))
        ],
        "textures": reader.textures(),
    }


def _triangles(primitive: dict[str, Any], accessors: list[dict[str, Any]]) -> int:
    count = int(accessors[primitive.get("indices", primitive["attributes"]["POSITION"])]["count"])
    mode = primitive.get("mode", 4)
    return count // 3 if mode == 4 else max(count - 2, 0) if mode in (5, 6) else 0


def _target_names(mesh: dict[str, Any]) -> list[str]:
    count = len(mesh["primitives"][0].get("targets", []))
    names = (mesh.get("extras") or {}).get("targetNames") or []
    return [str(names[k]) if k < len(names) else f"target {k}" for k in range(count)]


def _animation(number: int, clip: dict[str, Any], accessors: list[dict[str, Any]]) -> dict[str, Any]:
    ends = [float(accessors[sampler["input"]]["max"][0]) for sampler in clip["samplers"]]
    return {"name": clip.get("name", f"animation {number}"), "seconds": round(max(ends, default=0.0), 3)}


class _Reader:
    """Follows the document's references: where meshes stand in the scene, and what textures hold."""

    def __init__(self, document: dict[str, Any], binary: bytes) -> None:
        self.document = document
        self.binary = binary

    def _list(self, kind: str) -> list[Any]:
        return self.document.get(kind, [])

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest corner (3,) of the default scene; infinite when it shows nothing."""
        nodes, scenes = self._list("nodes"), self._list("scenes")
        roots = scenes[self.document.get("scene", 0)].get("nodes", []) if scenes else range(len(nodes))
        world: dict[int, np.ndarray] = {}
        waiting = [(root, np.eye(4)) for root in roots]
        while waiting:
            number, above = waiting.pop()
            if number in world:
                raise ValueError("a node has two parents")
            world[number] = above @ _local_matrix(nodes[number])
            waiting += [(child, world[number]) for child in nodes[number].get("children", [])]
        low, high = np.full(3, np.inf), np.full(3, -np.inf)
        for number, matrix in world.items():
            if "mesh" not in nodes[number]:
                continue
            if "skin" in nodes[number]:
                matrix = self._bind_matrix(self._list("skins")[nodes[number]["skin"]], world)
            for primitive in self._list("meshes")[nodes[number]["mesh"]]["primitives"]:
                box = self._list("accessors")[primitive["attributes"]["POSITION"]]
                corners = np.array(list(product(*zip(box["min"], box["max"], strict=True))), float)
                corners = corners @ matrix[:3, :3].T + matrix[:3, 3]
                low, high = np.minimum(low, corners.min(0)), np.maximum(high, corners.max(0))
        return low, high

    def _bind_matrix(self, skin: dict[str, Any], world: dict[int, np.ndarray]) -> np.ndarray:
        """Where a skinned mesh is drawn: not at its own node but where its joints carry it, here by the first one."""
        joint = world.get(skin["joints"][0], np.eye(4))
        if "inverseBindMatrices" not in skin:
            return joint
        return joint @ self._floats(skin["inverseBindMatrices"])[0].reshape(4, 4).T

    def _floats(self, number: int) -> np.ndarray:
        """A tightly packed float accessor, (count, width)."""
        accessor = self._list("accessors")[number]
        view = self._list("bufferViews")[accessor["bufferView"]]
        start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        width = _WIDTH[accessor["type"]]
        values = np.frombuffer(self.binary, "<f4", accessor["count"] * width, start)
        return values.reshape(-1, width).astype(np.float64)

    def textures(self) -> list[dict[str, Any]]:
        """One entry a picture, in the file's order."""
        uses: dict[int, str] = {}
        for material in self._list("materials"):
            for name, slot in (material | material.get("pbrMetallicRoughness", {})).items():
                if name in _USES:
                    source = self._list("textures")[slot["index"]].get("source")
                    uses.setdefault(source, _USES[name])
        return [self._picture(number, image, uses.get(number)) for number, image in enumerate(self._list("images"))]

    def _picture(self, number: int, image: dict[str, Any], use: str | None) -> dict[str, Any]:
        from PIL import Image

        entry: dict[str, Any] = {"use": use or image.get("name", f"image {number}")}
        entry |= {"width": None, "height": None, "format": None, "bytes": None}
        if "bufferView" in image:
            view = self._list("bufferViews")[image["bufferView"]]
            start = view.get("byteOffset", 0)
            data = self.binary[start : start + view["byteLength"]]
            entry["bytes"] = len(data)
            try:
                with Image.open(BytesIO(data)) as picture:
                    entry["width"], entry["height"] = picture.size
                    entry["format"] = picture.format
            except (OSError, Image.DecompressionBombError):
                pass  # a format that Pillow does not read, such as KTX2
        return entry


def _local_matrix(node: dict[str, Any]) -> np.ndarray:
    """A node's transform, (4, 4)."""
    if "matrix" in node:
        return np.array(node["matrix"], float).reshape(4, 4).T
    matrix = np.eye(4)
    x, y, z, w = node.get("rotation", (0.0, 0.0, 0.0, 1.0))
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, :3] *= np.array(node.get("scale", (1.0, 1.0, 1.0)), float)
    matrix[:3, 3] = node.get("translation", (0.0, 0.0, 0.0))
    return matrix
