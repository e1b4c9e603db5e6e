"""A person's mesh of any topology made ready for painting and rigging: vertices, faces and body in, FreeSurface out.

mesh ──match──▶ limbs and anchors ──separate──▶ free limbs, watertight ──match──▶ anchors ──atlas──▶ FreeSurface
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix, vstack

from lookalike.body.model import Body
from lookalike.errors import LookalikeError
from lookalike.surface.free_mesh.atlas import free_atlas
from lookalike.surface.free_mesh.fill import fill
from lookalike.surface.free_mesh.ground import Ground
from lookalike.surface.free_mesh.limbs import WHOLE, BodyLimbs, body_limbs
from lookalike.surface.free_mesh.match import Match, anchor, match, smooth_normals
from lookalike.surface.free_mesh.mesh import FreeSurface
from lookalike.surface.free_mesh.separate import Parted, separate
from lookalike.surface.mesh import Surface
from lookalike.surface.smooth import unique_edges

__all__ = ["FreeSurface", "free_surface"]

#: Matches believed at least this much are taken as they are; what is between them is filled in.
BELIEVED = 0.5


def free_surface(
    vertices: np.ndarray, faces: np.ndarray, body: Body, followed: Surface, own: np.ndarray | None = None
) -> FreeSurface:
    """A person's mesh with texture coordinates and ties to the body.

    vertices : (n, 3) camera frame, metres.  faces : (m, 3), counter-clockwise from outside; watertight, of any topology.
    body : the fit, in the same frame.  followed : a surface of the body's topology, near the mesh where that has no more
    than the body has.  own : (n,) which vertex of `followed` a vertex is, -1 for none.

    Where limbs touch in the photo and are one skin, they are cut apart, so vertices and faces are not quite the same.
    Raises LookalikeError for a mesh without faces or one that is not finite.
    """
    vertices, faces = np.asarray(vertices, np.float64), np.asarray(faces, np.int64)
    if len(faces) < 4 or not np.isfinite(vertices).all():
        raise LookalikeError("The person's surface is empty or not finite: try another photo.")
    limbs = body_limbs(body.model)
    edges = unique_edges(faces)
    ties = match(vertices, faces, edges, body, limbs, Ground.of(followed, body), own)
    parted = separate(vertices, faces, edges, ties, body)
    anchors, matched = _carried(parted, ties, body, limbs)
    template = fill(parted.vertices, parted.faces, anchors @ body.model.template, matched > BELIEVED)
    whole = WHOLE[parted.limb]
    uv, face_uv = free_atlas(
        parted.vertices, parted.faces, np.sort(whole[parted.faces], 1)[:, 1], -_middle(parted.vertices)
    )
    return FreeSurface(
        vertices=parted.vertices.astype(np.float32),
        faces=parted.faces.astype(np.int32),
        quads=None,
        uv=uv,
        face_uv=face_uv,
        anchors=anchors,
        limb=parted.limb,
        matched=matched,
        template=template.astype(np.float32),
        added=(parted.source >= 0) & ~ties.tied[parted.source],
    )


def _carried(parted: Parted, ties: Match, body: Body, limbs: BodyLimbs) -> tuple[csr_matrix, np.ndarray]:
    """Anchors (n, V) and belief (n,) of the parted mesh; patches, which were made up, are not believed."""
    fresh = parted.source < 0
    anchors, matched = ties.anchors[parted.source], ties.matched[parted.source]
    if fresh.any():
        normals = smooth_normals(parted.vertices, parted.faces, unique_edges(parted.faces))[fresh]
        own, _ = anchor(parted.vertices[fresh], normals, parted.limb[fresh], body, limbs)
        order = np.argsort(np.concatenate([np.flatnonzero(~fresh), np.flatnonzero(fresh)]))
        anchors = vstack([anchors[~fresh], own]).tocsr()[order]
        matched = np.where(fresh, np.float32(0), matched)
    return anchors, matched


def _middle(vertices: np.ndarray) -> np.ndarray:
    return (vertices.min(0) + vertices.max(0)) / 2
