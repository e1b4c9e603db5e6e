"""Pictures of a model with translucent parts: meshes with colours in, four views out.

Each pixel's ray goes through the parts from the front (depth peeling by ray casting) until what it met is opaque. A
translucent shell is denser where it is seen edge on, as glass is, so that its outline shows. Light is the studio's; deep
places of opaque parts are darker.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lookalike.anatomy.model import Part
from lookalike.render.light import sky_seen, smoothed, sphere_directions
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import RayCaster
from lookalike.render.shade import BACKDROP, FILL, KEY, RIM, decode_srgb, encode_srgb
from lookalike.render.view import View, orbit

#: Name -> (yaw, elevation) in degrees.
VIEWS = {"front": (0.0, 4.0), "left": (90.0, 4.0), "back": (180.0, 4.0), "above": (25.0, 55.0)}
#: Pixels of a picture, (width, height).
SIZE = (720, 720)
#: Surfaces that one ray may pass.
LAYERS = 8
#: Rays for the light that opaque parts receive: directions a vertex.
SKY = 24


class Stage:
    """Parts made ready for pictures."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.vertices = np.concatenate([part.metres for part in parts]).astype(np.float32)
        start = np.cumsum([0, *(len(part.vertices) for part in parts)])
        faces = [part.faces + first for part, first in zip(parts, start[:-1], strict=True)]
        self.faces = np.concatenate(faces).astype(np.int32)
        part_of = np.repeat(np.arange(len(parts)), [len(part.faces) for part in parts])
        self.colour = decode_srgb(np.array([part.colour for part in parts], np.uint8))[part_of]
        self.opacity = np.array([part.opacity for part in parts], np.float32)[part_of]
        self.caster = RayCaster(self.vertices, self.faces)
        self.normals = vertex_normals(self.vertices, self.faces).astype(np.float32)
        self.size = float((self.caster.high - self.caster.low).max())
        self.sky = np.ones(len(self.vertices), np.float32)
        for part, first, own in zip(parts, start[:-1], faces, strict=True):
            mine = slice(first, first + len(part.vertices))
            if part.opacity < 1:
                continue
            caster = RayCaster(self.vertices[mine], part.faces)
            seen = sky_seen(caster, self.vertices[mine], self.normals[mine], 0.12 * self.size, sphere_directions(SKY))
            self.sky[mine] = smoothed(seen, own - first)

    def render(self, view: View, oversample: int = 2) -> np.ndarray:
        """(height, width, 3) uint8 sRGB.  oversample : rays a pixel, along each side."""
        camera = view.camera.window(0, 0, view.camera.width, view.camera.height, oversample)
        rotation = view.rotation.astype(np.float32)
        rays = camera.rays().reshape(-1, 3) @ rotation
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        light = np.zeros((len(rays), 3), np.float32)
        passed = np.ones(len(rays), np.float32)  # the share of what lies behind that is seen
        depth = np.zeros(len(rays))
        going = np.arange(len(rays))
        for _ in range(LAYERS):
            starts = view.position + depth[going, None] * rays[going]
            hits = self.caster.cast(starts, rays[going])
            met = np.flatnonzero(hits.hit)
            if not len(met):
                break
            going, face = going[met], hits.face[met]
            bary = hits.bary[met]
            normal = _blend(self.normals, self.faces[face], bary)
            normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
            facing = -np.einsum("pi,pi->p", normal, rays[going])
            sky = _blend(self.sky[:, None], self.faces[face], bary)[:, 0]
            colour = self.colour[face] * self._light(normal @ rotation.T, sky, self.opacity[face] < 1)
            opacity = self.opacity[face]
            clear = opacity < 1
            opacity = np.where(clear, opacity * (0.6 + 1.6 * (1 - np.clip(facing, 0, 1)) ** 2.5), 1.0)
            opacity = np.where(clear & (facing < 0), 0.0, np.minimum(opacity, 1.0))  # a shell's far wall
            light[going] += (passed[going] * opacity)[:, None] * np.clip(colour, 0, 1)
            passed[going] *= 1 - opacity
            depth[going] += hits.depth[met] + 2e-6 + 1e-5 * self.size
            going = going[passed[going] > 0.01]
            if not len(going):
                break
        light += passed[:, None] * decode_srgb(np.array(BACKDROP, np.uint8))
        picture = light.reshape(view.camera.height, oversample, view.camera.width, oversample, 3).mean((1, 3))
        return encode_srgb(picture)

    def views(self, size: tuple[int, int] | None = None) -> dict[str, np.ndarray]:
        """The four views: name -> picture of size (width, height), or `SIZE`."""
        size = size or SIZE
        return {
            name: self.render(orbit(self.vertices, size, yaw, elevation)) for name, (yaw, elevation) in VIEWS.items()
        }

    @staticmethod
    def _light(normal: np.ndarray, sky: np.ndarray, clear: np.ndarray) -> np.ndarray:
        """(p, 1) light on surfaces. normal : (p, 3) camera axes.  sky : (p,).  clear : (p,) bool, translucent ones."""
        key = np.clip((normal @ KEY + 0.1) / 1.1, 0, None)
        fill = np.clip((normal @ FILL + 0.3) / 1.3, 0, None)
        rim = np.clip(normal @ RIM, 0, None)
        half = KEY + np.array([0, 0, 1], np.float32)
        shine = np.clip(normal @ (half / np.linalg.norm(half)), 0, 1) ** 40
        light = (0.16 + 0.74 * key + 0.24 * fill + 0.16 * rim) * (0.3 + 0.7 * sky) + 0.12 * shine
        return np.where(clear, 0.35 + 0.75 * light, 1.15 * light)[:, None].astype(np.float32)


def _blend(values: np.ndarray, corners: np.ndarray, bary: np.ndarray) -> np.ndarray:
    """(p, k) values (n, k) at points given by three indices and three weights each."""
    corner = (values[corners[:, k]] * bary[:, k : k + 1] for k in range(3))
    return next(corner) + next(corner) + next(corner)
