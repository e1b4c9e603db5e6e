"""The body itself as a surface, as if nothing had been drawn out: what several tests of surfaces begin with."""

from __future__ import annotations

from scipy.sparse import identity

from lookalike.body.model import Body
from lookalike.surface.mesh import Surface


def bare_surface(body: Body) -> Surface:
    """The body's vertices, faces and texture coordinates; each vertex is anchored to itself."""
    model = body.model
    assert model.uv is not None and model.face_uv is not None
    itself = identity(len(body.vertices), format="csr")
    return Surface(body.vertices, model.faces, model.quads, model.uv, model.face_uv, itself)
