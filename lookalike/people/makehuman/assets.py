"""Reading MakeHuman's assets: `.obj` meshes, `.mhmat` materials and `.mhclo` garments in, frozen dataclasses out.

A garment (clothes, shoes, hair, eyebrows, eyelashes) is bound to the base mesh "hm08": each of its vertices is either a
base vertex or a blend of three, plus an offset that grows with the body. So one garment fits every body shape. The
formats are described at http://www.makehumancommunity.org/wiki/Documentation:Proxy_fileformats. Everything is Y up,
facing +Z, in the unit of the base mesh that is given. Files that cannot be read raise LookalikeError.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lookalike.errors import LookalikeError


@dataclass(frozen=True)
class PolygonMesh:
    """A mesh as modelled: quads, with triangles among them that repeat their last corner.

    Attributes
    ----------
    vertices : (n, 3) float64.
    quads : (q, 4) int32 counter-clockwise from outside.
    uv : (t, 2) float32, origin upper left.  quad_uv : (q, 4) int32.
    groups : names of the groups of faces.  group : (q,) int32 into them.
    """

    vertices: np.ndarray
    quads: np.ndarray
    uv: np.ndarray
    quad_uv: np.ndarray
    groups: tuple[str, ...]
    group: np.ndarray


@dataclass(frozen=True)
class AssetMaterial:
    """What a `.mhmat` says of a surface.

    Attributes
    ----------
    name : its name.
    diffuse, normal, occlusion : image files, or None.
    colour, specular : (3,) in [0, 1].  shininess, opacity : in [0, 1].
    transparent : whether the diffuse image's alpha cuts the surface out.  two_sided : whether its back is seen.
    """

    name: str
    diffuse: Path | None
    normal: Path | None
    occlusion: Path | None
    colour: tuple[float, float, float]
    specular: tuple[float, float, float]
    shininess: float
    opacity: float
    transparent: bool
    two_sided: bool


@dataclass(frozen=True)
class Garment:
    """Something worn, bound to the base mesh.

    Attributes
    ----------
    name : its name.  tags : words about it, such as "Male" and "Casual".
    mesh : its own mesh (n vertices), as it was modelled.  material : its material, or None.
    corners : (n, 3) int32 base vertices that each vertex hangs on.  weights : (n, 3) theirs, summing to about one.
    offsets : (n, 3) what is added, in units of `scales`.
    scales : for x, y and z: two base vertices and the distance between them along that axis at which offsets hold as
        they are; None for an axis without.
    hidden : (k,) int32 base vertices that it hides: draw no skin there.
    depth : the order of layers, larger is further out.
    """

    name: str
    tags: tuple[str, ...]
    mesh: PolygonMesh
    material: AssetMaterial | None
    corners: np.ndarray
    weights: np.ndarray
    offsets: np.ndarray
    scales: tuple[tuple[int, int, float] | None, ...]
    hidden: np.ndarray
    depth: int

    def fitted(self, base: np.ndarray) -> np.ndarray:
        """(n, 3) vertices on a body at rest. base : (V, 3) vertices of the base mesh with that body's shape."""
        scale = np.ones(3)
        for axis, rule in enumerate(self.scales):
            if rule is not None:
                first, second, length = rule
                scale[axis] = abs(base[first, axis] - base[second, axis]) / length
        return np.einsum("nk,nki->ni", self.weights, base[self.corners]) + self.offsets * scale

    def carried(self, values: np.ndarray) -> np.ndarray:
        """(n, k) what the base mesh's vertices know, such as skin weights (V, k), as the garment's vertices have it."""
        weights = np.clip(self.weights, 0, None)
        weights = weights / weights.sum(1, keepdims=True)
        return np.einsum("nc,nck->nk", weights, values[self.corners])


def read_obj(path: str | Path) -> PolygonMesh:
    """A Wavefront OBJ file of triangles and quads; polygons with more corners are cut into a fan of triangles."""
    vertices: list[list[str]] = []
    uv: list[list[str]] = []
    quads: list[tuple[int, ...]] = []
    quad_uv: list[tuple[int, ...]] = []
    groups: dict[str, int] = {}
    group: list[int] = []
    current = 0
    for number, line in enumerate(_lines(path), 1):
        words = line.split()
        kind = words[0] if words else ""
        if kind == "v":
            vertices.append(words[1:4])
        elif kind == "vt":
            uv.append(words[1:3])
        elif kind == "g":
            current = groups.setdefault(words[1] if len(words) > 1 else "", len(groups))
        elif kind == "f":
            try:
                corners = [[int(n) - 1 if n else 0 for n in (*word.split("/"), "")[:2]] for word in words[1:]]
            except ValueError:
                raise LookalikeError(f"{path}, line {number}: a face names its corners by whole numbers.") from None
            if len(corners) < 3:
                raise LookalikeError(f"{path}, line {number}: a face has three corners or more.")
            groups.setdefault("", 0)
            fans = (
                [corners]
                if len(corners) == 4
                else [[corners[0], *corners[i : i + 2]] for i in range(1, len(corners) - 1)]
            )
            for fan in fans:
                fan = [*fan, fan[-1]][:4]
                quads.append(tuple(c[0] for c in fan))
                quad_uv.append(tuple(c[1] for c in fan))
                group.append(current)
    points = _numbers(path, vertices, 3)
    texels = _numbers(path, uv, 2) if uv else np.zeros((1, 2))
    faces, face_uv = np.array(quads, np.int32).reshape(-1, 4), np.array(quad_uv, np.int32).reshape(-1, 4)
    for index, count, what in ((faces, len(points), "vertices"), (face_uv, len(texels), "texture coordinates")):
        if len(index) and (index.min() < 0 or index.max() >= count):
            raise LookalikeError(f"{path}: faces name {what} that do not exist.")
    texels = np.stack([texels[:, 0], 1 - texels[:, 1]], 1).astype(np.float32)
    return PolygonMesh(points, faces, texels, face_uv, tuple(groups), np.array(group, np.int32))


def read_material(path: str | Path) -> AssetMaterial:
    """A `.mhmat` file. Its images must lie where it says, relative to itself."""
    path = Path(path)
    said = _settings(_lines(path))

    def image(key: str) -> Path | None:
        if key not in said:
            return None
        file = path.parent / said[key]
        if not file.is_file():
            raise LookalikeError(f"{path} names an image that is not there: {file}.")
        return file

    def three(key: str, default: float) -> tuple[float, float, float]:
        values = _floats(path, said.get(key, f"{default} {default} {default}"))
        if len(values) != 3:
            raise LookalikeError(f"{path}: {key} needs three numbers.")
        return values[0], values[1], values[2]

    def one(key: str, default: float) -> float:
        return _floats(path, said.get(key, str(default)))[0]

    return AssetMaterial(
        said.get("name", path.stem),
        image("diffuseTexture"),
        image("normalmapTexture"),
        image("aomapTexture"),
        three("diffuseColor", 1.0),
        three("specularColor", 0.0),
        one("shininess", 0.2),
        one("opacity", 1.0),
        said.get("transparent", "false").lower() == "true",
        said.get("backfaceCull", "true").lower() == "false",
    )


def read_garment(path: str | Path, material: str | None = None) -> Garment:
    """A `.mhclo` file with the mesh and the material it names.

    material : the file name of another material in the same folder, for garments that come in several colours.
    """
    path = Path(path)
    head: list[str] = []
    rows: list[list[float]] = []
    hidden: list[str] = []
    section = "head"
    for line in _lines(path):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "verts":
            section = "verts"
        elif words[0] == "delete_verts":
            section = "hidden"
        elif section == "hidden" and (words[0].isdigit() or words[0] == "-"):
            hidden += words
        elif section == "verts" and _is_number(words[0]):
            rows.append(_floats(path, line))
        else:
            head.append(line)
    said = _settings(head)
    if "obj_file" not in said:
        raise LookalikeError(f"{path} does not name its mesh (obj_file).")
    mesh = read_obj(path.parent / said["obj_file"])
    if len(rows) != len(mesh.vertices):
        raise LookalikeError(f"{path} binds {len(rows)} vertices, its mesh has {len(mesh.vertices)}.")
    corners, weights, offsets = _binding(path, rows)
    file = material or said.get("material")
    tags = tuple(line.split(None, 1)[1].strip() for line in head if line.split()[0] == "tag" and len(line.split()) > 1)
    return Garment(
        said.get("name", path.stem),
        tags,
        mesh,
        read_material(path.parent / file) if file else None,
        corners,
        weights,
        offsets,
        tuple(_scale(path, said.get(f"{axis}_scale")) for axis in "xyz"),
        _ranges(path, hidden),
        int(_floats(path, said.get("z_depth", "0"))[0]),
    )


def _binding(path: Path, rows: list[list[float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corners, weights and offsets (n, 3) of lines with one number (a base vertex) or nine."""
    table = np.zeros((len(rows), 9))
    table[:, 3] = 1
    for i, row in enumerate(rows):
        if len(row) == 1:
            table[i, :3] = row[0]
        elif len(row) in (6, 9):
            table[i, : len(row)] = row
        else:
            raise LookalikeError(f"{path}: a vertex is bound by one, six or nine numbers, not {len(row)}.")
    corners = table[:, :3].astype(np.int32)
    if (corners < 0).any():
        raise LookalikeError(f"{path} binds to base vertices below zero.")
    return corners, table[:, 3:6], table[:, 6:]


def _scale(path: Path, words: str | None) -> tuple[int, int, float] | None:
    if words is None:
        return None
    numbers = _floats(path, words)
    if len(numbers) != 3 or numbers[2] <= 0:
        raise LookalikeError(f"{path}: a scale needs two base vertices and a positive length, not '{words}'.")
    return int(numbers[0]), int(numbers[1]), numbers[2]


def _ranges(path: Path, words: list[str]) -> np.ndarray:
    """Sorted numbers of a list such as 3 7 - 9."""
    out: list[int] = []
    through = False
    for word in words:
        if word == "-":
            through = True
        elif not word.isdigit():
            raise LookalikeError(f"{path}: the hidden vertices are a list of numbers and ranges, not '{word}'.")
        else:
            out.extend(range(out[-1] + 1, int(word) + 1) if through and out else [int(word)])
            through = False
    return np.unique(np.array(out, np.int32))


def _settings(lines: list[str]) -> dict[str, str]:
    """First word -> the rest of the line; the last line wins."""
    said = {}
    for line in lines:
        key, _, rest = line.strip().partition(" ")
        if key and not key.startswith(("#", "//")):
            said[key] = rest.strip()
    return said


def _lines(path: str | Path) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise LookalikeError(f"Cannot read {path}: {error.strerror or error}.") from None


def _floats(path: Path, words: str) -> list[float]:
    try:
        return [float(w) for w in words.split()]
    except ValueError:
        raise LookalikeError(f"{path}: expected numbers, not '{words.strip()}'.") from None


def _is_number(word: str) -> bool:
    return word.lstrip("-").replace(".", "", 1).isdigit()


def _numbers(path: str | Path, rows: list[list[str]], width: int) -> np.ndarray:
    try:
        return np.array(rows, np.float64).reshape(-1, width)
    except ValueError:
        raise LookalikeError(f"{path}: a line of coordinates does not hold {width} numbers.") from None
