"""Meshes of scans: OBJ and PLY files of half a million faces in, arrays out.

`people.makehuman.read_obj` reads what artists model, quads and groups, line by line; here numpy parses whole columns of
text at once, which takes a second for a scan, and polygons become triangles.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lookalike.errors import LookalikeError


@dataclass(frozen=True)
class ScanMesh:
    """What a file holds.

    vertices : (n, 3) float64 in the file's unit.  faces : (m, 3) int32.
    uv : (t, 2) float32 origin upper left and face_uv : (m, 3) int32, or None.
    colours : (n, 3) uint8 a vertex, or None.
    material : the material library that an OBJ names, or None.
    """

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray | None = None
    face_uv: np.ndarray | None = None
    colours: np.ndarray | None = None
    material: str | None = None


def read_scan_mesh(path: str | Path) -> ScanMesh:
    """The mesh in an `.obj` or `.ply` file; polygons are cut into fans of triangles."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LookalikeError(f"Cannot read the mesh {path}: {error.strerror or error}.") from None
    try:
        mesh = _read_ply(data) if path.suffix.lower() == ".ply" else _read_obj(data)
        _check(mesh)
    except (ValueError, IndexError, KeyError, OverflowError) as error:
        raise LookalikeError(f"The mesh {path} is damaged or cut short ({error}): please copy it again.") from None
    return mesh


def read_texture(path: str | Path, longest: int = 4096) -> np.ndarray:
    """(h, w, 3) uint8 sRGB of an image file. longest : pixels of its longer side, at most."""
    from PIL import Image

    # Textures of scans are larger than the size at which Pillow suspects an attack; they are bounded all the same.
    most = 1 << 28
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                if image.width * image.height > most:
                    raise LookalikeError(f"The texture {path} is larger than any scan's.")
                image.draft("RGB", (longest, longest))
                picture = image.convert("RGB")
        if max(picture.size) > longest:
            scale = longest / max(picture.size)
            size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
            picture = picture.resize(size, Image.Resampling.BOX)
        return np.array(picture)
    except (OSError, SyntaxError) as error:
        raise LookalikeError(f"Cannot read the texture {path}: {error}.") from None


def texture_of(mesh_file: Path, mesh: ScanMesh, usual: tuple[str, ...]) -> Path:
    """The texture file of an OBJ: what its material library names, else the first of the `usual` names that exists."""
    folder = mesh_file.parent
    names: list[str] = []
    if mesh.material is not None and (folder / mesh.material).is_file():
        for line in (folder / mesh.material).read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, rest = line.strip().partition(" ")
            if key == "map_Kd" and rest.strip():
                # Only the file's own name, so that no library leads out of the folder.
                names.append(Path(rest.strip().replace("\\", "/")).name)
    for name in (*names, *usual):
        if (folder / name).is_file():
            return folder / name
    raise LookalikeError(f"{folder} lacks the texture of {mesh_file.name} ({(*names, *usual)[0]}).")


def _check(mesh: ScanMesh) -> None:
    if not len(mesh.vertices) or not len(mesh.faces):
        raise ValueError("it has no faces")
    if not np.isfinite(mesh.vertices).all():
        raise ValueError("coordinates that are not finite")
    pairs = [(mesh.faces, len(mesh.vertices))]
    if mesh.uv is not None and mesh.face_uv is not None:
        pairs.append((mesh.face_uv, len(mesh.uv)))
    for faces, count in pairs:
        if faces.min() < 0 or faces.max() >= count:
            raise ValueError("faces name vertices that do not exist")


def _numbers(text: bytes, kind: type) -> np.ndarray:
    """All the numbers of a text."""
    with warnings.catch_warnings():
        # What is no number ends the parse with a warning; here it is an error.
        warnings.simplefilter("error", DeprecationWarning)
        try:
            return np.fromstring(text, kind, sep=" ")  # text, not binary, which alone is deprecated
        except DeprecationWarning:
            raise ValueError("something that is no number") from None


def _table(lines: list[bytes], kind: type = np.float64) -> np.ndarray:
    """(lines, columns) of lines with equally many numbers."""
    values = _numbers(b" ".join(lines), kind)
    columns = len(lines[0].split())
    if len(values) != columns * len(lines):
        raise ValueError("a line with too few or too many numbers")
    return values.reshape(len(lines), columns)


def _read_obj(data: bytes) -> ScanMesh:
    points, coordinates, polygons, material = [], [], [], None
    for line in data.split(b"\n"):
        head = line[:2]
        if head == b"v ":
            points.append(line[2:])
        elif head == b"f ":
            polygons.append(line[2:])
        elif head == b"vt":
            coordinates.append(line[3:])
        elif head == b"mt" and line.startswith(b"mtllib "):
            material = line[7:].decode("utf-8", "replace").strip()
    if not points or not polygons:
        raise ValueError("no vertices and faces")
    table = _table(points)
    if table.shape[1] not in (3, 4, 6, 7):
        raise ValueError("a vertex without three coordinates")
    colours = None
    if table.shape[1] >= 6:  # MeshLab's colours, behind the coordinates, in [0, 1]
        colours = np.clip(np.round(255 * table[:, -3:]), 0, 255).astype(np.uint8)
    faces, face_uv = _obj_faces(polygons)
    uv = None
    if coordinates and face_uv is not None:
        uv = _table(coordinates)[:, :2].astype(np.float32)
        uv[:, 1] = 1 - uv[:, 1]
    return ScanMesh(
        np.ascontiguousarray(table[:, :3]), faces, uv, face_uv if uv is not None else None, colours, material
    )


def _obj_faces(lines: list[bytes]) -> tuple[np.ndarray, np.ndarray | None]:
    """(m, 3) vertices and, if there are any, texture coordinates of the triangles of "f" lines, from zero."""
    form = lines[0].split()[0]
    fields = 1 + form.count(b"/") if b"//" not in form else 2
    text = [line.replace(b"//", b" ").replace(b"/", b" ") for line in lines] if fields > 1 else lines
    try:
        table = _table(text, np.int64)
        groups = [table.reshape(len(lines), -1, fields)]
    except ValueError:
        # Polygons of several sizes: those of one size at a time.
        sizes = np.array([len(line.split()) for line in text])
        groups = []
        for size in np.unique(sizes):
            table = _table([text[i] for i in np.flatnonzero(sizes == size)], np.int64)
            groups.append(table.reshape(len(table), -1, fields))
    fans = []
    for group in groups:
        if group.shape[1] < 3:
            raise ValueError("a face with fewer than three corners")
        fans += [group[:, [0, i, i + 1]] for i in range(1, group.shape[1] - 1)]
    corners = np.concatenate(fans) - 1
    has_uv = fields > 1 and b"//" not in form
    return corners[..., 0].astype(np.int32), corners[..., 1].astype(np.int32) if has_uv else None


_PLY_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip


def _read_ply(data: bytes) -> ScanMesh:
    end = data.find(b"end_header")
    if not data.startswith(b"ply") or end < 0:
        raise ValueError("no PLY header")
    body = data[data.index(b"\n", end) + 1 :]
    form = ""
    elements: list[tuple[str, int, list[list[str]]]] = []
    for line in data[:end].decode("ascii", "replace").splitlines():
        words = line.split()
        if words[:1] == ["format"]:
            form = words[1]
        elif words[:1] == ["element"]:
            elements.append((words[1], int(words[2]), []))
        elif words[:1] == ["property"]:
            elements[-1][2].append(words[1:])
    if form not in ("ascii", "binary_little_endian", "binary_big_endian"):
        raise ValueError(f"the unknown format '{form}'")
    tables: dict[str, dict[str, np.ndarray]] = {}
    for name, count, properties in elements:
        if count < 0 or count > len(data):
            raise ValueError("more elements than bytes")
        if form == "ascii":
            tables[name], body = _ply_text(body, count, properties)
        else:
            tables[name], body = _ply_binary(body, count, properties, "<" if "little" in form else ">")
        if {"vertex", "face"} <= tables.keys():
            break
    vertex, face = tables["vertex"], tables["face"]
    lists = next((face[k] for k in ("vertex_indices", "vertex_index") if k in face), None)
    if lists is None:
        raise ValueError("faces without corners")
    fans = [lists[:, [0, i, i + 1]] for i in range(1, lists.shape[1] - 1)]
    colours = None
    if {"red", "green", "blue"} <= vertex.keys():
        colours = np.stack([vertex[c] for c in ("red", "green", "blue")], 1)
        colours = np.clip(np.round(255 * colours) if colours.dtype.kind == "f" else colours, 0, 255).astype(np.uint8)
    points = np.stack([vertex[c] for c in "xyz"], 1).astype(np.float64)
    faces = np.concatenate(fans).astype(np.int32) if fans else np.zeros((0, 3), np.int32)
    return ScanMesh(points, faces, colours=colours)


def _ply_text(body: bytes, count: int, properties: list[list[str]]) -> tuple[dict[str, np.ndarray], bytes]:
    lines = body.split(b"\n", count)
    if len(lines) < count or (len(lines) == count and not lines[-1].strip()):
        raise ValueError("fewer lines than elements")
    rest = lines[count] if len(lines) > count else b""
    if not count:
        return {}, body
    table = _table(lines[:count])
    out, column = {}, 0
    for p in properties:
        if p[0] == "list":
            width = int(table[0, column])
            if (table[:, column] != width).any():
                raise ValueError("polygons of several sizes")
            out[p[3]] = table[:, column + 1 : column + 1 + width].astype(np.int64)
            column += 1 + width
        else:
            values = table[:, column]
            out[p[1]] = values if _PLY_TYPES[p[0]][0] == "f" else values.astype(np.int64)
            column += 1
    if column != table.shape[1]:
        raise ValueError("a line with too few or too many numbers")
    return out, rest


def _ply_binary(body: bytes, count: int, properties: list[list[str]], order: str) -> tuple[dict, bytes]:
    fields: list[tuple] = []
    offset = 0
    for p in properties:
        if p[0] == "list":
            # All polygons of a scan have as many corners as its first.
            kind = np.dtype(order + _PLY_TYPES[p[1]])
            width = int(np.frombuffer(body, kind, 1, offset)[0]) if count else 0
            fields += [(f"{p[3]} count", kind), (p[3], order + _PLY_TYPES[p[2]], (width,))]
        else:
            fields.append((p[1], order + _PLY_TYPES[p[0]]))
        offset = np.dtype(fields).itemsize
    row = np.dtype(fields)
    if len(body) < count * row.itemsize:
        raise ValueError("it ends too early")
    table = np.frombuffer(body, row, count)
    for p in properties:
        if p[0] == "list" and count and (table[f"{p[3]} count"] != table[f"{p[3]} count"][0]).any():
            raise ValueError("polygons of several sizes")
    return {str(n): table[n] for n in row.names or () if not str(n).endswith(" count")}, body[count * row.itemsize :]
