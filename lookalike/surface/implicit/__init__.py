"""The person's surface, free in topology: the followed mesh, body and maps in, one watertight mesh and a FreeSurface out.

followed mesh, maps ──join──▶ Joined ──decimate──▶ fewer triangles, eyes free ──free_surface──▶ limbs apart, ties, atlas
"""

from __future__ import annotations

from lookalike.body.model import Body
from lookalike.surface.free_mesh import FreeSurface, free_surface
from lookalike.surface.free_mesh.decimate import decimate
from lookalike.surface.implicit.eyes import with_free_eyes
from lookalike.surface.implicit.join import Joined, join
from lookalike.surface.implicit.spare import emphasis
from lookalike.surface.mesh import Surface

__all__ = ["Joined", "join", "surface_of"]


#: More than this share too many triangles are not accepted at once.
TOO_MANY = 0.2


def surface_of(joined: Joined, followed: Surface, body: Body, triangles: int) -> FreeSurface:
    """The mesh that `join` made of a followed one, with about so many triangles, ready for painting and rigging."""
    spared = emphasis(joined.vertices, joined.own, followed, body.model)

    def made(target: int) -> FreeSurface:
        vertices, faces, source = decimate(joined.vertices, joined.faces, target, spared)
        own = joined.own[source]
        vertices = with_free_eyes(vertices, faces, own, followed, body.model)
        return free_surface(vertices, faces, body, followed, own)

    surface = made(triangles)
    # where many limbs are cut apart, the patches that close them come on top
    more = len(surface.faces) - triangles
    return surface if more < TOO_MANY * triangles else made(max(triangles - more, triangles // 2))
