"""Binary STL for 3D printing, in millimetres, because STL names no unit and printers take it for millimetres.

The mesh has the photo's pose and stands on z = 0, centred in x and y: Z up, unlike all our other files, since a print's
bed is its floor. Every triangle of the surface is written as it is, so the print is as watertight as the surface.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from lookalike.export.output import write_bytes
from lookalike.export.standing import stand
from lookalike.export.vertices import unit
from lookalike.rig.avatar import Avatar

MILLIMETRES_PER_METRE = 1000.0


def write_stl(avatar: Avatar, path: Path | str, up: Literal["y", "z"] = "z") -> None:
    """Writes the mesh; `up="y"` stands it on y = 0 instead, like our other files.

    Raises OutputError.
    """
    surface = avatar.surface
    points = (stand(surface.vertices) * MILLIMETRES_PER_METRE).astype(np.float32)
    if up == "z":
        points = np.stack([points[:, 0], -points[:, 2], points[:, 1]], 1)
    corners = points[surface.faces]
    sides = corners[:, 1:].astype(np.float64) - corners[:, :1]
    triangle = np.zeros(len(corners), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    triangle["normal"] = unit(np.cross(sides[:, 0], sides[:, 1]), (0.0, 0.0, 0.0))
    triangle["corners"] = corners
    # The header must not begin with "solid", by which readers know the text form.
    header = b"Lookalike, millimetres".ljust(80) + np.array(len(corners), "<u4").tobytes()
    write_bytes(path, [header, triangle.tobytes()])
