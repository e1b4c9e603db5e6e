"""Ray casting against a triangle mesh, on Embree (Wald et al., 2014): vertices and faces in, hits out.

Everything that looks at a mesh (maps, overlays, turntables, visibility of texels) goes through `RayCaster`. Embree
works in float32, so the mesh is centred first: with a person 3 m away, depths are good to about a micrometre and hit
points to 10 micrometres at grazing angles. Embree runs without Python's global lock, so large batches are cast on all
cores.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from lookalike.camera import Camera

#: Rays in one call to Embree; larger batches are split over the cores.
CHUNK = 32768


def available_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class Hits:
    """What rays met first. `...` is the shape of the rays: (r,) for a list, (height, width) for an image.

    Attributes
    ----------
    face : (...) int32, -1 for a miss.
    bary : (..., 3) float32 barycentric coordinates in the face, zero for a miss.
    depth : (...) float32 along the ray in units of its direction's length, inf for a miss. A camera's rays have z = -1,
        so the depth of an image is in metres along -Z.
    """

    face: np.ndarray
    bary: np.ndarray
    depth: np.ndarray

    @property
    def hit(self) -> np.ndarray:
        """(...) bool: whether the ray met the mesh."""
        return self.face >= 0

    def interpolate(self, faces: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Values at the hit points, zero for misses.

        faces : (m, 3) int, the caster's faces or other indices per face corner such as a surface's `face_uv`.
        values : (n,) or (n, k), what the corners carry. Returns (...) or (..., k) float32.
        """
        out = np.zeros((self.face.size, *values.shape[1:]), np.float32)
        hit = np.flatnonzero(self.face >= 0)
        # np.take gathers rows several times as fast as indexing does
        corners = np.take(faces, self.face.reshape(-1)[hit], 0)
        bary = np.take(self.bary.reshape(-1, 3), hit, 0).reshape((-1, 3) + (1,) * (values.ndim - 1))
        values = values.astype(np.float32, copy=False)
        blend = np.take(values, corners[:, 0], 0) * bary[:, 0]
        blend += np.take(values, corners[:, 1], 0) * bary[:, 1]
        blend += np.take(values, corners[:, 2], 0) * bary[:, 2]
        out[hit] = blend
        return out.reshape(self.face.shape + values.shape[1:])


class RayCaster:
    """A mesh made ready for ray casting.

    vertices : (n, 3) float, any unit.  faces : (m, 3) int.  threads : cores to use, None for all.
    Raises ValueError for arrays of other shapes, faces that name missing vertices and coordinates that are not finite.
    """

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, threads: int | None = None):
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene

        vertices, faces = np.asarray(vertices), np.asarray(faces)
        if vertices.ndim != 2 or vertices.shape[1] != 3 or faces.ndim != 2 or faces.shape[1] != 3:
            raise ValueError(f"expected (n, 3) vertices and (m, 3) faces, got {vertices.shape} and {faces.shape}")
        if not np.isfinite(vertices).all():
            raise ValueError("vertices are not finite")
        if len(faces) and (faces.min() < 0 or faces.max() >= len(vertices)):
            raise ValueError("faces name vertices that do not exist")
        self.low = vertices.min(0).astype(np.float64) if len(vertices) else np.zeros(3)
        self.high = vertices.max(0).astype(np.float64) if len(vertices) else np.zeros(3)
        self.faces = faces
        self._centre = (self.low + self.high) / 2
        self._threads = threads or available_cores()
        self._scene: Any = None
        if len(faces):
            # Robust: neither a ray through an edge nor one through a vertex slips between the triangles.
            self._scene = EmbreeScene(robust=True)
            # embreex copies each vertex and face slowly: those that no face uses stay out.
            used = np.zeros(len(vertices), bool)
            used[faces.reshape(-1)] = True
            number = np.cumsum(used, dtype=np.int32) - 1
            centred = np.ascontiguousarray(vertices[used] - self._centre, np.float32)
            self._mesh = TriangleMesh(self._scene, centred, np.ascontiguousarray(np.take(number, faces), np.int32))
            # The first ray builds the hierarchy; afterwards the scene may be used from several threads.
            self._scene.run(np.zeros((1, 3), np.float32), np.ones((1, 3), np.float32))

    def cast(self, origins: np.ndarray, directions: np.ndarray) -> Hits:
        """The first surface along each ray, from either side.

        origins : (r, 3) or (3,) for a common one.  directions : (r, 3), any length but zero.
        """
        directions = np.ascontiguousarray(directions, np.float32)
        count = len(directions)
        starts = self._starts(origins, count)
        face, depth = np.full(count, -1, np.int32), np.full(count, np.inf, np.float32)
        bary = np.zeros((count, 3), np.float32)

        def run(part: slice) -> None:
            found = self._scene.run(starts(part), directions[part], output=1)
            hit = found["primID"] >= 0
            face[part] = found["primID"]
            depth[part] = np.where(hit, found["tfar"], np.float32(np.inf))
            u, v = found["u"] * hit, found["v"] * hit
            bary[part, 0], bary[part, 1], bary[part, 2] = hit - u - v, u, v

        self._in_parts(run, count)
        return Hits(face, bary, depth)

    def occluded(self, origins: np.ndarray, directions: np.ndarray, far: float = np.inf) -> np.ndarray:
        """(r,) bool: whether anything lies on the ray before `far` direction lengths.

        origins : (r, 3) or (3,).  directions : (r, 3).  Start rays from a surface a little above it.
        """
        directions = np.ascontiguousarray(directions, np.float32)
        count = len(directions)
        starts = self._starts(origins, count)
        blocked = np.zeros(count, bool)

        def run(part: slice) -> None:
            limit = None if np.isinf(far) else np.full(len(directions[part]), far, np.float32)
            blocked[part] = self._scene.run(starts(part), directions[part], limit, query="OCCLUDED") >= 0

        self._in_parts(run, count)
        return blocked

    def cast_image(
        self, camera: Camera, back: bool = False, near: float = 1e-3, where: np.ndarray | None = None
    ) -> Hits:
        """Hits (height, width) through all pixel centres of a camera at the origin of the mesh's frame.

        back : the last surface along each ray instead of the first: what is seen from behind through the same pixels.
        near : metres; nothing nearer than this depth is seen. Only rays inside the mesh's outline box are cast.
        where : (height, width) bool, the pixels to look through; None for all.
        """
        shape = (camera.height, camera.width)
        image = Hits(
            np.full(shape, -1, np.int32), np.zeros((*shape, 3), np.float32), np.full(shape, np.inf, np.float32)
        )
        rows, columns = self.outline_box(camera, near)
        v, u = np.mgrid[rows, columns].astype(np.float32) + 0.5
        if u.size == 0 or -self.low[2] <= near:
            return image
        asked = np.ones(u.shape, bool) if where is None else where[rows, columns]
        rays = camera.rays(np.stack([u[asked], v[asked]], -1))
        if back:
            # Walk the same lines from a plane just behind the mesh towards the camera.
            far = -self.low[2] + 0.01 * (self.high - self.low).max()
            found = self.cast(rays.astype(np.float64) * far, -rays)
            depth = np.float32(far) - found.depth
            missed = ~found.hit | (depth < near)
        else:
            found = self.cast(rays.astype(np.float64) * near, rays)
            depth = found.depth + np.float32(near)
            missed = ~found.hit
        found.face[missed], found.bary[missed], depth[missed] = -1, 0, np.inf
        image.face[rows, columns][asked] = found.face
        image.bary[rows, columns][asked] = found.bary
        image.depth[rows, columns][asked] = depth
        return image

    def depth_pass(self, camera: Camera, back: bool = False) -> np.ndarray:
        """(height, width) float32 depth in metres along -Z of the first (or last) surface, inf where there is none."""
        return self.cast_image(camera, back).depth

    def _starts(self, origins: np.ndarray, count: int) -> Callable[[slice], np.ndarray]:
        """A function that gives some of the rays' origins in the centred mesh's frame, (k, 3) float32."""
        origins = np.broadcast_to(np.asarray(origins), (count, 3))
        return lambda part: np.subtract(origins[part], self._centre, dtype=np.float64).astype(np.float32)

    def _in_parts(self, run: Callable[[slice], None], count: int) -> None:
        if self._scene is None or count == 0:
            return
        parts = [slice(i, i + CHUNK) for i in range(0, count, CHUNK)]
        if len(parts) == 1 or self._threads == 1:
            for part in parts:
                run(part)
            return
        with ThreadPoolExecutor(min(self._threads, len(parts))) as pool:
            list(pool.map(run, parts))

    def outline_box(self, camera: Camera, near: float = 1e-3) -> tuple[slice, slice]:
        """Rows and columns of the pixels that can see the mesh's bounding box."""
        low, high = self.low, self.high
        if -high[2] <= near:
            # Part of the box is beside or behind the camera, where a projection says nothing.
            return slice(0, camera.height), slice(0, camera.width)
        corners = np.array([(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
        pixels = camera.project(corners)
        first, last = np.floor(pixels.min(0)) - 1, np.ceil(pixels.max(0)) + 1
        (u0, v0), (u1, v1) = np.clip([first, last], 0, [camera.width, camera.height]).astype(int)
        return slice(v0, v1), slice(u0, u1)
