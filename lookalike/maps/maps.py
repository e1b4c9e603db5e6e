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


def render_maps(
    vertices: np.ndarray,
    faces: np.ndarray,
    camera: Camera,
    normals: np.ndarray | None = None,
    threads: int | None = None,
    caster: RayCaster | None = None,
) -> Maps:
    """Maps of a mesh, with smooth normals.

    vertices : (n, 3) camera frame, metres.  faces : (m, 3), counter-clockwise from outside. A mesh need not be closed:
    where a ray meets the inside of a face first, its normal is turned around.
    normals : (n, 3) where they are known already.  threads : cores to use, None for all.
    caster : of this mesh, where there is one already.
    """
    caster = caster or RayCaster(vertices, faces, threads)
    if normals is None:
        normals = vertex_normals(vertices, faces)
    rows, columns = caster.outline_box(camera)
    part = camera.window(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start, 1.0)
    front = caster.cast_image(part)
    mask = front.hit
    back = caster.cast_image(part, back=True, where=mask)
    # On the outline a ray may graze the mesh one way and miss it the other: there both are the one surface.
    lost = mask & ~back.hit
    back.face[lost], back.bary[lost], back.depth[lost] = front.face[lost], front.bary[lost], front.depth[lost]

    inner = np.flatnonzero(mask)  # by number: ten times as fast as by mask
    v, u = np.divmod(inner, part.width)
    rays = part.rays(np.stack([u, v], 1).astype(np.float32) + np.float32(0.5))
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    shape = (camera.height, camera.width)
    whole = np.zeros(shape, bool)
    whole[rows, columns] = mask
    outer = np.flatnonzero(whole)
    images = []
    for hits, towards in ((front, -rays), (back, rays)):
        found = Hits(
            hits.face.reshape(-1)[inner], np.take(hits.bary.reshape(-1, 3), inner, 0), hits.depth.reshape(-1)[inner]
        )
        image, depth = np.zeros((*shape, 3), np.float32), np.full(shape, np.nan, np.float32)
        image.reshape(-1, 3)[outer] = facing_normals(found, vertices, faces, normals, towards)
        depth.reshape(-1)[outer] = found.depth
        images.append((image, depth))
    (normals_front, depth_front), (normals_back, depth_back) = images
    return Maps(camera, normals_front, normals_back, depth_front, depth_back, whole)


def facing_normals(
    hits: Hits, vertices: np.ndarray, faces: np.ndarray, normals: np.ndarray, towards: np.ndarray
) -> np.ndarray:
    """(p, 3) unit smooth normals at places on a mesh, made to face the way that its faces there do.

    hits : (p,) all of them hits.  normals : (n, 3) a vertex.  towards : (p, 3) unit, to the side they are seen from.
    """
    out = hits.interpolate(faces, normals)
    corner = np.take(vertices, np.take(faces, hits.face, 0), 0)
    flat = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    out *= np.where(np.einsum("pi,pi->p", flat, towards) < 0, -1, 1).astype(np.float32)[:, None]
    # Smooth normals may lean over the outline; bring those back to a right angle with the ray.
    lean = np.einsum("pi,pi->p", out, towards)
    out -= np.minimum(lean, 0)[:, None] * towards
    out /= np.maximum(np.sqrt(np.einsum("pi,pi->p", out, out)), 1e-12)[:, None]
    return out


def normals_to_image(normals: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Normals as colours (n + 1) / 2, transparent outside.

    normals : (h, w, 3) unit.  mask : (h, w) bool. Returns (h, w, 4) uint8 RGBA.
    """
    image = np.zeros((*mask.shape, 4), np.uint8)
    image[..., :3] = np.round((np.clip(normals, -1, 1) + 1) * 127.5) * mask[..., None]
    image[..., 3] = mask * 255
    return image
