"""Wavefront OBJ with its material library and texture, for modelling programs.

The mesh has the photo's pose, moved so that the person stands on y = 0 and is centred in x and z; metres, Y up. Quads
stay quads where the surface has them. Next to `name.obj` are written `name.mtl` and `name.png`; they are named without
their folder, and without blanks, which many readers take for the end of the name.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lookalike.export.images import encode_png
from lookalike.export.output import write_bytes
from lookalike.export.standing import stand
from lookalike.export.vertices import smooth_normals
from lookalike.rig.avatar import Avatar
from lookalike.surface.mesh import Surface


def write_obj(avatar: Avatar, path: Path | str) -> None:
    """Writes `path`, and beside it the material library (.mtl) and the texture (.png). Raises OutputError."""
    path = Path(path)
    stem = "_".join(path.stem.split()) or "avatar"
    surface = avatar.surface
    lines = [f"# {avatar.name}: photo's pose, metres, Y up", f"mtllib {stem}.mtl", f"o {stem}"]
    lines += _rows("v %.6f %.6f %.6f", stand(surface.vertices))
    # OBJ counts v upwards from the lower edge.
    lines += _rows("vt %.6f %.6f", surface.uv.astype(np.float64) * [1, -1] + [0, 1])
    lines += _rows("vn %.4f %.4f %.4f", smooth_normals(surface.vertices, surface.faces))
    lines += [f"usemtl {stem}", "s 1"]
    for corners, corner_uv in quads_with_uv(surface):
        sides = corners.shape[1]
        each = np.stack([corners, corner_uv, corners], 2).reshape(-1, 3 * sides) + 1
        lines += _rows("f" + " %d/%d/%d" * sides, each)
    material = f"newmtl {stem}\nKa 0 0 0\nKd 1 1 1\nKs 0 0 0\nd 1\nillum 1\nmap_Kd {stem}.png\n"
    write_bytes(path, ["\n".join(lines).encode(), b"\n"])
    write_bytes(path.with_name(f"{stem}.mtl"), [material.encode()])
    write_bytes(path.with_name(f"{stem}.png"), [encode_png(avatar.material.base_colour)])


def quads_with_uv(surface: Surface) -> list[tuple[np.ndarray, np.ndarray]]:
    """The surface's polygons, largest first: [(vertices (k, 4), UVs (k, 4)), (vertices (m, 3), UVs (m, 3))].

    The surface lists its quads by vertices only, its UVs by triangles. Going round a quad, each side belongs to one of
    its two triangles, which knows the UV at the side's start. A quad whose sides are not all there, or that a seam cuts
    along the diagonal, stays two triangles.
    """
    faces, face_uv = surface.faces.astype(np.int64), surface.face_uv
    none = np.zeros((0, 4), np.int64)
    if surface.quads is None or not len(surface.quads):
        return [(none, none), (faces, face_uv)]
    count = len(surface.vertices)
    side_key = (faces * count + np.roll(faces, -1, 1)).reshape(-1)
    order = np.argsort(side_key)
    sorted_keys = side_key[order]
    quads = surface.quads.astype(np.int64)
    quads = quads[quads[:, 2] != quads[:, 3]]
    wanted = quads * count + np.roll(quads, -1, 1)
    place = np.searchsorted(sorted_keys, wanted).clip(max=len(order) - 1)
    side = order[place]  # (q, 4) numbers of the triangle sides that lie along the quad's sides
    owner, corner = side // 3, side % 3
    start_uv, end_uv = face_uv[owner, corner], face_uv[owner, (corner + 1) % 3]
    owners = np.sort(owner, 1)
    good = (
        (sorted_keys[place] == wanted).all(1)
        & (np.roll(end_uv, 1, 1) == start_uv).all(1)
        & (owners[:, 0] == owners[:, 1])
        & (owners[:, 1] != owners[:, 2])
        & (owners[:, 2] == owners[:, 3])
    )
    alone = np.ones(len(faces), bool)
    alone[owner[good]] = False
    return [(quads[good], start_uv[good]), (faces[alone], face_uv[alone])]


def _rows(pattern: str, values: np.ndarray) -> list[str]:
    return [pattern % tuple(row) for row in values.tolist()]
