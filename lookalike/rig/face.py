"""Apple's 52 ARKit face shapes, carried from the body model to the surface.

The model's shapes fit its template's head. A shape's offset is a difference of two nearby points, so it follows the
template's head into the person's by the local linear map between them, which is fitted around each vertex: lids that
closed on the template's eye close on the person's.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from lookalike.body.model import Body, BodyModel
from lookalike.mesh.matrices import inverses
from lookalike.surface.mesh import Surface

#: https://developer.apple.com/documentation/arkit/arfaceanchor/blendshapelocation
ARKIT = (
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff"),
    *("cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight"),
    *("eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight"),
    *("eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight"),
    *("mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel"),
    *("mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker"),
    *("mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft"),
    *("mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight"),
    *("noseSneerLeft", "noseSneerRight", "tongueOut"),
)

#: Offsets shorter than this are dropped, metres.
SMALLEST = 5e-5
#: The local map is fitted to this many vertices around, and drawn to the whole head's scale with this length, metres.
AROUND, STIFFNESS = 48, 0.004


def face_shapes(surface: Surface, body: Body) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """ARKit name -> (index (k,) int32 ascending, offset (k, 3) float32 metres), for the surface with its head upright.

    Empty for a body model without face shapes.
    """
    model = body.model
    names = [name for name in ARKIT if name in model.face_shapes]
    if not names:
        return {}
    rows, offsets = _stack(model)
    moved = np.einsum("rab,nrb->nra", _local_maps(model.template[rows], body.rest[rows]), offsets)
    picked = surface.anchors[:, rows].astype(np.float32)
    touched = np.flatnonzero(np.diff(picked.indptr)).astype(np.int32)
    flat = moved.transpose(1, 0, 2).reshape(len(rows), -1).astype(np.float32)
    on_surface = (picked[touched] @ flat).reshape(len(touched), len(names), 3)
    shapes = {}
    for k, name in enumerate(names):
        offset = on_surface[:, k]
        keep = np.einsum("ni,ni->n", offset, offset) > SMALLEST**2
        shapes[name] = touched[keep], np.ascontiguousarray(offset[keep])
    return shapes


def _stack(model: BodyModel) -> tuple[np.ndarray, np.ndarray]:
    """The vertices (r,) that any shape moves, and all shapes' offsets of them, (names, r, 3)."""
    names = [name for name in ARKIT if name in model.face_shapes]
    rows = np.unique(np.concatenate([model.face_shapes[name][0] for name in names]))
    offsets = np.zeros((len(names), len(rows), 3))
    for k, name in enumerate(names):
        index, offset = model.face_shapes[name]
        offsets[k, np.searchsorted(rows, index)] = offset
    return rows, offsets


def _local_maps(template: np.ndarray, person: np.ndarray) -> np.ndarray:
    """(r, 3, 3) linear maps from the template's head to the person's around each vertex.

    template, person : (r, 3), the same vertices of both heads. Each map is the least squares fit to the differences
    to the nearest vertices, drawn to the whole head's similarity where those lie in a plane.
    """
    template, person = template.astype(np.float64), person.astype(np.float64)
    spread = [np.sqrt(((x - x.mean(0)) ** 2).sum(1).mean()) for x in (template, person)]
    scale = spread[1] / spread[0]
    _, near = cKDTree(template).query(template, AROUND)
    before = template[near] - template[near].mean(1, keepdims=True)
    after = person[near] - person[near].mean(1, keepdims=True)
    hold = AROUND * STIFFNESS**2 * np.eye(3)
    both = np.einsum("rki,rkj->rij", after, before) + scale * hold
    return both @ inverses(np.einsum("rki,rkj->rij", before, before) + hold)
