"""Files of a model: parts in; a GLB scene of named, coloured, translucent parts, and STL and PLY for print out.

GLB and PLY are in metres, Y up, the patient facing +Z; STL is in the scanner's own millimetres (x to the patient's left,
y to the back, z to the head), as programs for planning and printing expect. All keep the scanner's origin, so that parts
fit together.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lookalike.anatomy.model import Part
from lookalike.export.gltf import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER, Gltf
from lookalike.export.output import write_bytes
from lookalike.export.ply import write_mesh_ply
from lookalike.export.vertices import smooth_normals, unit
from lookalike.render.shade import decode_srgb

NOTICE = "Made for teaching and illustration from a scan. Not a medical device: not for diagnosis or treatment."


def write_scene(parts: Sequence[Part], path: Path) -> None:
    """Writes all parts as one GLB, a node each under the node "Anatomy". Raises OutputError."""
    gltf = Gltf()
    gltf.root["asset"]["extras"] = {"notice": NOTICE}
    nodes = []
    for part in sorted(parts, key=lambda each: each.opacity, reverse=True):  # viewers draw opaque parts first
        vertices = part.metres
        red, green, blue = decode_srgb(np.array(part.colour, np.uint8)).tolist()
        clear = part.opacity < 1
        material = gltf.add(
            "materials",
            name=part.name,
            pbrMetallicRoughness={
                "baseColorFactor": [round(red, 5), round(green, 5), round(blue, 5), part.opacity],
                "metallicFactor": 0.0,
                "roughnessFactor": 0.55,
            },
            alphaMode="BLEND" if clear else None,
            doubleSided=False,
        )
        kind = np.uint16 if len(vertices) <= 65535 else np.uint32
        mesh = gltf.add(
            "meshes",
            name=part.name,
            primitives=[
                {
                    "attributes": {
                        "POSITION": gltf.accessor(vertices.astype(np.float32), ARRAY_BUFFER, bounds=True),
                        "NORMAL": gltf.accessor(smooth_normals(vertices, part.faces).astype(np.float32), ARRAY_BUFFER),
                    },
                    "indices": gltf.accessor(part.faces.reshape(-1).astype(kind), ELEMENT_ARRAY_BUFFER),
                    "material": material,
                }
            ],
        )
        extras = {key: round(part.report[key], 3) for key in ("volume_ml", "surface_cm2")}
        nodes.append(gltf.add("nodes", name=part.name, mesh=mesh, extras=extras))
    root = gltf.add("nodes", name="Anatomy", children=nodes)
    gltf.add("scenes", name="Anatomy scene", nodes=[root])
    gltf.root["scene"] = 0
    gltf.write(path)


def write_part_stl(part: Part, path: Path) -> None:
    """Writes one part for print: binary STL, the scanner's millimetres. Raises OutputError."""
    corners = part.vertices.astype(np.float32)[part.faces]
    sides = corners[:, 1:].astype(np.float64) - corners[:, :1]
    triangle = np.zeros(len(corners), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    triangle["normal"] = unit(np.cross(sides[:, 0], sides[:, 1]), (0.0, 0.0, 0.0))
    triangle["corners"] = corners
    header = b"Lookalike anatomy, millimetres, LPS".ljust(80) + np.array(len(corners), "<u4").tobytes()
    write_bytes(path, [header, triangle.tobytes()])


def write_part_ply(part: Part, path: Path) -> None:
    """Writes one part as PLY with its colour, in metres, Y up. Raises OutputError."""
    colours = np.tile(np.array(part.colour, np.uint8), (len(part.vertices), 1))
    write_mesh_ply(path, part.metres, part.faces, colours)
