"""Building a glTF 2.0 document and its binary buffer, and writing both as one GLB file.

Khronos Group, "glTF 2.0 Specification", 2021. Only what our writers need: accessors (plain and sparse), images in the
buffer, and lists of objects that refer to each other by number.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from lookalike import __version__
from lookalike.export.output import write_bytes

ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963
_COMPONENT = {np.dtype(d): c for d, c in (("u1", 5121), ("<u2", 5123), ("<u4", 5125), ("<f4", 5126))}
_SHAPE = {(): "SCALAR", (2,): "VEC2", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}


class Gltf:
    """A glTF document under construction.

    `root` is the document's JSON; `add` appends to one of its lists and returns the number by which others refer to it.
    """

    def __init__(self) -> None:
        self.root: dict[str, Any] = {"asset": {"version": "2.0", "generator": f"Lookalike {__version__}"}}
        self._chunks: list[bytes | memoryview] = []
        self._length = 0

    def add(self, kind: str, **fields: Any) -> int:
        """Appends an object to the list `kind` ("nodes", "meshes", ...); fields that are None are left out."""
        entries = self.root.setdefault(kind, [])
        entries.append({name: value for name, value in fields.items() if value is not None})
        return len(entries) - 1

    def view(self, data: bytes | np.ndarray, target: int | None = None) -> int:
        """A buffer view of the data, which must stay as it is until `write`; starts at a multiple of four bytes."""
        chunk = data if isinstance(data, bytes) else np.ascontiguousarray(data).data.cast("B")
        number = self.add("bufferViews", buffer=0, byteOffset=self._length, byteLength=len(chunk), target=target)
        padding = -len(chunk) % 4
        self._chunks += [chunk, bytes(padding)]
        self._length += len(chunk) + padding
        return number

    def accessor(self, values: np.ndarray, target: int | None = None, bounds: bool = False) -> int:
        """An accessor of values (n, ...) in a view of its own; `bounds` adds min and max.

        Matrices are given as usual, [row, column], and stored by columns. Raises ValueError for numbers that are not
        finite, which no reader accepts.
        """
        values = _little_endian(values)
        low_high = _bounds(values) if bounds else {}
        if values.ndim == 3:
            values = values.swapaxes(1, 2)
        return self.add(
            "accessors",
            bufferView=self.view(values, target),
            componentType=_COMPONENT[values.dtype],
            count=len(values),
            type=_SHAPE[values.shape[1:]],
            **low_high,
        )

    def sparse_accessor(self, index: np.ndarray, values: np.ndarray, count: int, bounds: bool = False) -> int:
        """An accessor of `count` rows that are zero but for `values` (k, c) at the rows `index` (k,), ascending."""
        if not len(index):  # an accessor without any data is legal, but not every reader knows it
            index, values = np.zeros(1, np.int64), np.zeros((1, values.shape[1]), values.dtype)
        values = _little_endian(values)
        extremes = values if len(index) == count else np.concatenate([values, np.zeros_like(values[:1])])
        return self.add(
            "accessors",
            componentType=_COMPONENT[values.dtype],
            count=count,
            type=_SHAPE[values.shape[1:]],
            sparse={
                "count": len(index),
                "indices": {
                    "bufferView": self.view(index.astype("<u2" if count <= 1 << 16 else "<u4")),
                    "componentType": 5123 if count <= 1 << 16 else 5125,
                },
                "values": {"bufferView": self.view(values)},
            },
            **(_bounds(extremes) if bounds else {}),
        )

    def texture(self, data: bytes, mime: str, name: str) -> int:
        """A texture from an encoded picture, clamped at its edges, with mipmaps."""
        if "samplers" not in self.root:
            self.add("samplers", magFilter=9729, minFilter=9987, wrapS=33071, wrapT=33071)
        image = self.add("images", name=name, bufferView=self.view(data), mimeType=mime)
        return self.add("textures", name=name, sampler=0, source=image)

    def write(self, path: Path | str) -> None:
        """Writes the GLB file. Raises OutputError."""
        document = dict(self.root)
        if self._length:
            document["buffers"] = [{"byteLength": self._length}]
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
        text += b" " * (-len(text) % 4)
        chunks: list[bytes | memoryview] = [struct.pack("<I4s", len(text), b"JSON"), text]
        total = 12 + 8 + len(text)
        if self._length:
            chunks += [struct.pack("<I4s", self._length, b"BIN\0"), *self._chunks]
            total += 8 + self._length
        write_bytes(path, [struct.pack("<4sII", b"glTF", 2, total), *chunks])


def _little_endian(values: np.ndarray) -> np.ndarray:
    if not np.isfinite(values).all():
        raise ValueError("glTF numbers must be finite")
    return values.astype(values.dtype.newbyteorder("<"), copy=False)


def _bounds(values: np.ndarray) -> dict[str, list[float]]:
    """min and max of each component; exactly the stored float32 numbers, as the specification asks."""
    rows = values.reshape(len(values), -1)
    return {"min": rows.min(0).tolist(), "max": rows.max(0).tolist()}
