"""The person's surface, free in topology: the followed mesh, body and maps in, one watertight mesh and a FreeSurface out.

followed mesh, maps ──join──▶ Joined ──decimate──▶ fewer triangles ──free_surface──▶ limbs apart, ties, atlas
"""

from __future__ import annotations

from lookalike.body.model import Body
from lookalike.surface.free_mesh import FreeSurface, free_surface
from lookalike.surface.free_mesh.decimate import decimate
from lookalike.surface.implicit.join import Joined, join
from lookalike.surface.implicit.spare import emphasis
from lookalike.surface.mesh import Surface

__all__ = ["Joined", "join", "surface_of"]


def surface_of(joined: Joined, followed: Surface, body: Body, triangles: int) -> FreeSurface:
    """The mesh that `join` made of a followed one, with about so many triangles, ready for painting and rigging."""
    spared = emphasis(joined.vertices, joined.own, followed, body.model)
    vertices, faces, source = decimate(joined.vertices, joined.faces, triangles, spared)
    return free_surface(vertices, faces, body, followed, joined.own[source])
