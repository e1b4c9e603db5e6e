"""What is to become a mesh: a field with a name, a colour, and how its surface is cleaned up."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as default
from typing import Any

from lookalike.anatomy.volume import Volume
from lookalike.mesh.polygonise import Field


@dataclass(frozen=True)
class Tissue:
    """A surface to be made.

    name : of the part, such as "skin".
    scan : the grid that the field lies on.  field : positive inside.
    colour : (3,) sRGB, 0..255.  opacity : 0..1; less than 1 lets the parts inside show.
    rounds : of smoothing.  reach : voxels that smoothing may move a vertex.
    only_largest : keep only the largest piece.  smallest : millilitres of the smallest piece that is kept.
    smallest_cavity : millilitres of the smallest cavity inside that is kept; smaller ones are filled.
    cubic_mm : the volume that the mesh is to have, or None for that of its field's surface.
    how : what the report says about thresholds and methods.
    """

    name: str
    scan: Volume
    field: Field
    colour: tuple[int, int, int]
    opacity: float = 1.0
    rounds: int = 8
    reach: float = 0.5
    only_largest: bool = False
    smallest: float = 0.0
    smallest_cavity: float = 0.0
    cubic_mm: float | None = None
    how: dict[str, Any] = default(default_factory=dict)
