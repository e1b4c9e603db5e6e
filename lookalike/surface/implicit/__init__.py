"""The person's surface, free in topology: the followed mesh, body and maps in, a FreeSurface out.

followed mesh, maps ──join──▶ one watertight mesh ──free_surface──▶ limbs apart, ties to the body, atlas
"""

from __future__ import annotations

from lookalike.body.model import Body
from lookalike.maps.network import PredictedMaps
from lookalike.surface.free_mesh import FreeSurface, free_surface
from lookalike.surface.implicit.join import join
from lookalike.surface.mesh import Surface

__all__ = ["clothed_surface", "join"]


def clothed_surface(followed: Surface, body: Body, predicted: PredictedMaps, triangles: int) -> FreeSurface:
    """The person with hair, hems, hats and bags that the body's topology has no room for.

    followed : the surface of the body's topology that follows the maps.  predicted : the maps, of `body`.
    triangles : about how many the mesh is to have.
    """
    vertices, faces = join(followed, body, predicted)
    return free_surface(vertices, faces, body, followed)
