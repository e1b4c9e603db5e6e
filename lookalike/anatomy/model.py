"""From a tissue to a part of the model: polygonised, cleaned up, smoothed, decimated and measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lookalike.anatomy.decimate import decimated
from lookalike.anatomy.mesh import area, components, is_watertight, piece_volumes, used_only, volume
from lookalike.anatomy.scan_error import ScanError
from lookalike.anatomy.smooth import smoothed, with_volume
from lookalike.anatomy.tissue import Tissue
from lookalike.anatomy.volume import to_gltf
from lookalike.mesh.polygonise import GridMesh, polygonise


@dataclass(frozen=True)
class Part:
    """A finished mesh.

    name : such as "skin".  vertices : (n, 3) float64 scanner millimetres.  faces : (m, 3) int32, counter-clockwise from
    outside.  colour : (3,) sRGB, 0..255.  opacity : 0..1.  report : plain JSON types.
    """

    name: str
    vertices: np.ndarray
    faces: np.ndarray
    colour: tuple[int, int, int]
    opacity: float
    report: dict[str, Any]

    @property
    def metres(self) -> np.ndarray:
        """(n, 3) the vertices in glTF's frame."""
        return to_gltf(self.vertices)


def make_part(tissue: Tissue, most_faces: int | None, tick: Callable[[int, int], None] | None = None) -> Part:
    """The mesh of a tissue.

    most_faces : decimate to about so many triangles; None for all.  tick : told how many slices of how many are done.
    Raises ScanError when there is nothing of it.
    """
    mesh = _cleaned(polygonise(tissue.field, tick), tissue)
    capped = bool(mesh.capped.any())
    vertices, faces = smoothed(mesh, tissue.scan, tissue.rounds, tissue.reach, tissue.cubic_mm)
    whole = volume(vertices, faces)
    found = len(faces)
    if most_faces is not None and found > most_faces:
        vertices, faces = _without_crumbs(*decimated(vertices, faces, most_faces))
        vertices = with_volume(vertices, faces, whole, farthest=0.25 * float(tissue.scan.spacing.min()))
    report = {
        "name": tissue.name,
        "volume_ml": volume(vertices, faces) / 1e3,
        "surface_cm2": area(vertices, faces) / 1e2,
        "watertight": is_watertight(faces),
        "pieces": components(faces, len(vertices))[0],
        "vertices": len(vertices),
        "faces": len(faces),
        "faces_before_decimation": found,
        "box_mm": [vertices.min(0), vertices.max(0)],
        "cut_by_border": capped,
        "threshold": tissue.how,
        "colour": list(tissue.colour),
        "opacity": tissue.opacity,
    }
    return Part(tissue.name, vertices, faces, tissue.colour, tissue.opacity, report)


def _without_crumbs(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A mesh without the pieces, of less than a thousandth, that decimation pinched off."""
    volumes, piece = piece_volumes(vertices, faces)
    tiny = np.abs(volumes) < 1e-3 * np.abs(volumes).max()
    if tiny.any():
        faces, vertices = used_only(faces[~tiny[piece]], vertices)
    return vertices, faces


def _cleaned(mesh: GridMesh, tissue: Tissue) -> GridMesh:
    """Only the pieces that the tissue wants. A cavity's wall is a piece too, of negative volume."""
    nothing = ScanError(f"There is no {tissue.name} in this scan: nothing lies within its threshold.")
    if not len(mesh.faces):
        raise nothing
    cell = tissue.scan.voxel_volume / 1e3
    volumes, piece = piece_volumes(mesh.vertices, mesh.faces)
    volumes = volumes * cell
    keep = (volumes > 0) & (volumes >= tissue.smallest)
    if tissue.only_largest:
        keep &= volumes == volumes.max()
    keep |= (volumes < 0) & (-volumes > tissue.smallest_cavity)
    if not (keep & (volumes > 0)).any():
        raise nothing
    faces, vertices, capped = used_only(mesh.faces[keep[piece]], mesh.vertices, mesh.capped)
    return GridMesh(vertices, faces, capped)
