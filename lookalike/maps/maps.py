"""The Maps: what is in front and what is behind along every ray of a camera, as normals and depths.

`render_maps` makes them from a mesh by ray casting. The same dataclass holds maps that come from elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.camera import Camera
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import Hits, RayCaster


@dataclass(frozen=True)
class Maps:
    """Front and back of a person through one camera. Pixel (u, v) of front and back is one ray.

    Attributes
    ----------
    camera : the camera of the maps' own pixels.
    normals_front, normals_back : (h, w, 3) float32 outward unit normals in camera axes, zero outside the mask. Front
        normals face the camera along their ray, back normals face away from it; the back map is not mirrored.
    depth_front, depth_back : (h, w) float32 metres along -Z, positive. nan outside the mask: arithmetic on it stays
        silent, and a forgotten mask shows.
    mask : (h, w) bool, where the ray meets the surface.
    """

    camera: Camera
    normals_front: np.ndarray
    normals_back: np.ndarray
    depth_front: np.ndarray
    depth_back: np.ndarray
    mask: np.ndarray


def render_maps(vertices: np.ndarray, faces: np.ndarray, camera: Camera) -> Maps:
    """Maps of a mesh, with smooth normals.

    vertices : (n, 3) camera frame, metres.  faces : (m, 3), counter-clockwise from outside. A mesh need not be closed:
    where a ray meets the inside of a face first, its normal is turned around.
    """
    caster = RayCaster(vertices, faces)
    normals = vertex_normals(vertices, faces)
    front = caster.cast_image(camera)
    back = caster.cast_image(camera, back=True)
    mask = front.hit
    # On the outline a ray may graze the mesh one way and miss it the other: there both are the one surface.
    lost = mask & ~back.hit
    back.face[lost], back.bary[lost], back.depth[lost] = front.face[lost], front.bary[lost], front.depth[lost]
    back.face[~mask] = -1

    rays = camera.rays(np.argwhere(mask)[:, ::-1].astype(np.float32) + 0.5)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    return Maps(
        camera=camera,
        normals_front=_facing(front, mask, vertices, faces, normals, -rays),
        normals_back=_facing(back, mask, vertices, faces, normals, rays),
        depth_front=np.where(mask, front.depth, np.float32(np.nan)),
        depth_back=np.where(mask, back.depth, np.float32(np.nan)),
        mask=mask,
    )


def _facing(hits: Hits, mask: np.ndarray, vertices, faces, normals: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """(h, w, 3) unit normals of an image of hits, made to face `towards`, (pixels of the mask, 3) unit directions."""
    image = hits.interpolate(faces, normals)
    inside = image[mask]
    corner = vertices[faces[hits.face[mask]]]
    flat = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    inside *= np.where(np.einsum("pi,pi->p", flat, towards) < 0, -1, 1)[:, None]
    # Smooth normals may lean over the outline; bring those back to a right angle with the ray.
    lean = np.einsum("pi,pi->p", inside, towards)
    inside -= np.minimum(lean, 0)[:, None] * towards
    inside /= np.maximum(np.linalg.norm(inside, axis=1, keepdims=True), 1e-12)
    image[mask] = inside
    return image


def normals_to_image(normals: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Normals as colours (n + 1) / 2, transparent outside.

    normals : (h, w, 3) unit.  mask : (h, w) bool. Returns (h, w, 4) uint8 RGBA.
    """
    image = np.zeros((*mask.shape, 4), np.uint8)
    image[..., :3] = np.round((np.clip(normals, -1, 1) + 1) * 127.5) * mask[..., None]
    image[..., 3] = mask * 255
    return image
