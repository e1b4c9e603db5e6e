"""Pictures of a mesh: a clay figure in studio light, or the textured person in gentle light.

A `Studio` holds what does not depend on the view (ray caster, normals, ambient occlusion, ground shadow, texture
pyramid), so that many views of one mesh are cheap. Lights stand with the camera. Light is summed linearly and encoded
as sRGB at the end; pixels on edges are the mean of four rays.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from lookalike.appearance.material import Material
from lookalike.render.light import GroundShadow, sky_seen, smoothed, sphere_directions
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import Hits, RayCaster
from lookalike.render.texture import Texture
from lookalike.render.view import View, orbit
from lookalike.surface.mesh import Surface

Style = Literal["textured", "clay"]

#: Where the rays of a pixel on an edge go, from its centre: a turned square, each with a row and column of its own.
EDGE_RAYS = np.array([(-0.125, -0.375), (0.375, -0.125), (0.125, 0.375), (-0.375, 0.125)], np.float32)

#: Linear albedo of the clay.
CLAY = (0.54, 0.495, 0.455)

#: A calm light grey, for pictures without transparency.
BACKDROP = (236, 237, 240)


def _direction(x: float, y: float, z: float) -> np.ndarray:
    return (np.array([x, y, z]) / np.linalg.norm([x, y, z])).astype(np.float32)


#: Lights in camera axes (x right, y up, z towards the viewer): where they stand.
KEY, FILL, RIM = _direction(-0.55, 0.7, 0.75), _direction(0.85, 0.15, 0.6), _direction(0.45, 0.55, -0.8)

_LINEAR = np.arange(256) / 255.0
_LINEAR = np.where(_LINEAR <= 0.04045, _LINEAR / 12.92, ((_LINEAR + 0.055) / 1.055) ** 2.4).astype(np.float32)
#: sRGB of linear light in steps of 1/4095, fine enough that every one of the 256 codes keeps its place.
_CODE = np.arange(4096) / 4095.0
_CODE = np.where(_CODE <= 0.0031308, _CODE * 12.92, 1.055 * np.power(_CODE, 1 / 2.4) - 0.055)
_CODE = np.round(_CODE * 255).astype(np.uint8)


def decode_srgb(colour: np.ndarray) -> np.ndarray:
    """uint8 sRGB to linear float32 in [0, 1]."""
    return _LINEAR[colour]


def encode_srgb(light: np.ndarray) -> np.ndarray:
    """Linear light to uint8 sRGB, clipped at 1."""
    return _CODE[(np.clip(light, 0, 1) * 4095 + 0.5).astype(np.uint16)]


class Studio:
    """A mesh made ready for pictures.

    vertices : (n, 3), Y up.  faces : (m, 3), counter-clockwise from outside.
    uv : (t, 2) origin upper left, face_uv : (m, 3), base_colour : (h, w, 3) uint8 sRGB, normal_map : (h, w, 3) uint8 in
        glTF's convention; without uv and base_colour there is only clay.
    threads : cores for one picture, None for all.

    hull : (h, 3) the vertices that some view sees at the person's outermost outline.
    """

    def __init__(
        self,
        vertices: np.ndarray,
        faces: np.ndarray,
        uv: np.ndarray | None = None,
        face_uv: np.ndarray | None = None,
        base_colour: np.ndarray | None = None,
        normal_map: np.ndarray | None = None,
        threads: int | None = None,
    ):
        self.vertices, self.faces = np.asarray(vertices, np.float32), np.asarray(faces)
        self.caster = RayCaster(vertices, faces, threads)
        self.normals = vertex_normals(vertices, faces)
        self.hull = self.vertices[_extreme(self.vertices)]
        self.height = float((self.caster.high - self.caster.low).max())
        directions = sphere_directions(64 if len(vertices) <= 20_000 else 36)
        sky = sky_seen(self.caster, self.vertices, self.normals, 0.25 * self.height, directions)
        self._sky = smoothed(sky, self.faces)
        self._ground: GroundShadow | None = None
        self._colour: Texture | None = None
        self._relief: Texture | None = None
        if uv is not None and face_uv is not None and base_colour is not None:
            self._uv, self._face_uv = np.asarray(uv, np.float32), np.asarray(face_uv)
            self._colour = Texture(base_colour[..., :3])
            self._texel_density = _texel_density(self.vertices, self.faces, self._uv * self._colour.size, self._face_uv)
            if normal_map is not None:
                self._relief = Texture(normal_map[..., :3])
                self._tangents = _face_tangents(self.vertices, self.faces, self._uv, self._face_uv)

    @classmethod
    def of(cls, surface: Surface, material: Material | None = None, threads: int | None = None) -> Studio:
        """The studio of a surface, textured if there is a material."""
        if material is None:
            return cls(surface.vertices, surface.faces, threads=threads)
        return cls(
            surface.vertices,
            surface.faces,
            surface.uv,
            surface.face_uv,
            material.base_colour,
            material.normal_map,
            threads,
        )

    def render(
        self,
        view: View,
        style: Style = "textured",
        background: tuple[int, int, int] | None = BACKDROP,
        ground: bool = True,
    ) -> np.ndarray:
        """The picture from a view.

        style : "textured" (clay for a mesh without texture) or "clay".
        background : sRGB, or None for a transparent one.  ground : with a soft shadow on the plane it stands on.
        Returns (height, width, 3) uint8, or (height, width, 4) with straight alpha where the background is None.
        """
        camera = view.camera
        light = np.zeros((camera.height, camera.width, 3), np.float32)  # premultiplied by the coverage
        coverage = np.zeros((camera.height, camera.width), np.float32)
        rows, columns = self._window(view)
        if rows.stop > rows.start and columns.stop > columns.start:
            figure = self._figure(view, rows, columns, style)
            light[rows, columns], coverage[rows, columns] = figure[..., :3], figure[..., 3]
        if ground:
            coverage += (1 - coverage) * self._shadow(view)
        if background is not None:
            behind = 1 - coverage
            for channel, value in enumerate(decode_srgb(np.array(background, np.uint8))):
                light[..., channel] += value * behind
            return encode_srgb(light)
        picture = np.empty((*coverage.shape, 4), np.uint8)
        picture[..., :3] = encode_srgb(light / np.maximum(coverage, 1e-6)[..., None])
        picture[..., 3] = np.round(np.clip(coverage, 0, 1) * 255)
        return picture

    def prepare(self, view: View) -> None:
        """Make now whatever `render` makes when it is first needed, so that threads may share the studio."""
        self._shadow(view)
        if self._colour is not None:
            level = self._level(view)
            for texture in (self._colour, self._relief):
                if texture is not None:
                    texture.level(level)

    def _window(self, view: View) -> tuple[slice, slice]:
        """Rows and columns of the pixels around the mesh."""
        camera = view.camera
        local = view.to_camera(self.hull)
        if local[:, 2].max() > -1e-3:
            return slice(0, camera.height), slice(0, camera.width)
        pixels = camera.project(local)
        first, last = np.floor(pixels.min(0)) - 1, np.ceil(pixels.max(0)) + 1
        (u0, v0), (u1, v1) = np.clip([first, last], 0, [camera.width, camera.height]).astype(int)
        return slice(v0, v1), slice(u0, u1)

    def _figure(self, view: View, rows: slice, columns: slice, style: Style) -> np.ndarray:
        """(rows, columns, 4) linear light and coverage of the mesh, in a window of the picture.

        One ray a pixel, then `EDGE_RAYS` more through each pixel on an edge: the texture's pyramid and the smooth
        normals keep the rest clean.
        """
        v, u = np.mgrid[rows, columns].astype(np.float32) + 0.5
        pixels = np.stack([u, v], -1)
        key = self._key_seen(view) if style == "clay" or self._colour is None else None
        light, hits, normal = self._look(view, pixels.reshape(-1, 2), key)
        light = light.reshape(*u.shape, 4)
        edge = self._edges(hits.depth.reshape(u.shape), normal.reshape(*u.shape, 3))
        fine = (pixels[edge][:, None] + EDGE_RAYS).reshape(-1, 2)
        if len(fine):
            light[edge] = self._look(view, fine, key)[0].reshape(-1, len(EDGE_RAYS), 4).mean(1)
        return light

    def _edges(self, depth: np.ndarray, normal: np.ndarray) -> np.ndarray:
        """(h, w) bool: pixels beside a jump in depth or a crease. depth : (h, w), inf for none.  normal : (h, w, 3)."""
        edge = np.zeros(depth.shape, bool)
        depth = np.where(np.isinf(depth), np.float32(1e9), depth)
        for ahead, behind in (
            ((slice(1, None), slice(None)), (slice(-1), slice(None))),
            ((slice(None), slice(1, None)), (slice(None), slice(-1))),
        ):
            jump = np.abs(depth[ahead] - depth[behind]) > 0.012 * self.height
            jump |= np.einsum("hwi,hwi->hw", normal[ahead], normal[behind]) < 0.75
            jump &= np.minimum(depth[ahead], depth[behind]) < 1e9
            edge[ahead] |= jump
            edge[behind] |= jump
        return edge

    def _look(self, view: View, pixels: np.ndarray, key_seen: np.ndarray | None) -> tuple[np.ndarray, Hits, np.ndarray]:
        """Light and coverage (p, 4), hits and unit normals (p, 3, camera axes, zero for misses) through pixels (p, 2).

        key_seen : (n,) share of the key light that each vertex sees, for clay; None for the textured person.
        """
        rays = view.camera.rays(pixels)
        rotation = view.rotation.astype(np.float32)
        hits = self.caster.cast(view.position, rays @ rotation)
        met = np.flatnonzero(hits.hit)
        face, bary = np.take(hits.face, met), np.take(hits.bary, met, 0)
        corners = np.take(self.faces, face, 0)
        normal = _blend(self.normals, corners, bary)
        sky = _blend(self._sky[:, None], corners, bary)[:, 0]
        if key_seen is None and self._colour is not None:
            level = self._level(view)
            uv = _blend(self._uv, np.take(self._face_uv, face, 0), bary)
            bumped = normal
            if self._relief is not None:
                bumped = self._bumped(normal, face, self._relief.sample(uv, level))
            colour = decode_srgb(self._colour.sample(uv, level))
            colour *= _gentle_light(_unit(bumped) @ rotation.T, sky)[:, None]
            normal = normal @ rotation.T
        else:
            normal = _unit(normal) @ rotation.T
            key = np.ones_like(sky) if key_seen is None else _blend(key_seen[:, None], corners, bary)[:, 0]
            colour = _studio_light(normal, _unit(-rays[met]), sky, key)
        light, normals = np.zeros((len(rays), 4), np.float32), np.zeros((len(rays), 3), np.float32)
        light[met, :3], light[met, 3], normals[met] = np.minimum(colour, 1), 1, normal
        return light, hits, normals

    def _key_seen(self, view: View) -> np.ndarray:
        """(n,) share of a wide key light that each vertex sees: soft shadows."""
        spread = _unit(KEY + 0.22 * sphere_directions(12)) @ view.rotation
        seen = sky_seen(self.caster, self.vertices, self.normals, 0.6 * self.height, spread.astype(np.float32))
        return smoothed(seen, self.faces, 1)

    def _shadow(self, view: View) -> np.ndarray:
        """(height, width) coverage of the ground's shadow."""
        if self._ground is None:
            self._ground = GroundShadow.of(self.caster)
        # The shadow is soft: a ray for every fourth pixel is enough.
        import cv2

        camera = view.camera
        coarse = camera.window(0, 0, camera.width, camera.height, 0.25)
        rays = coarse.rays().reshape(-1, 3) @ view.rotation
        dark = 0.75 * self._ground.at(view.position, rays).reshape(coarse.height, coarse.width)
        return cv2.resize(dark.astype(np.float32), (camera.width, camera.height), interpolation=cv2.INTER_LINEAR)

    def _level(self, view: View) -> int:
        """The pyramid level whose texels are about as large as the picture's pixels."""
        distance = float(np.linalg.norm((self.caster.low + self.caster.high) / 2 - view.position))
        pixels = view.camera.focal / max(distance, 1e-6)
        return int(round(np.log2(max(self._texel_density / pixels, 1)) - 0.2))

    def _bumped(self, normal: np.ndarray, face: np.ndarray, texel: np.ndarray) -> np.ndarray:
        """Normals turned by the normal map. normal : (p, 3) in the mesh's frame.  texel : (p, 3) uint8."""
        bump = texel.astype(np.float32) / 127.5 - 1
        tangent, bitangent = self._tangents[0][face], self._tangents[1][face]
        return _unit(normal) * bump[:, 2:] + tangent * bump[:, :1] + bitangent * bump[:, 1:2]


def render_view(
    surface: Surface,
    material: Material | None = None,
    view: View | None = None,
    *,
    size: tuple[int, int] = (512, 768),
    yaw: float = 0.0,
    elevation: float = 6.0,
    style: Style = "textured",
    background: tuple[int, int, int] | None = BACKDROP,
    ground: bool = True,
) -> np.ndarray:
    """One picture of a surface; for several of the same surface keep a `Studio`.

    view : where to stand; None for an orbit view of `size` (width, height) at `yaw` and `elevation` degrees.
    Returns (height, width, 3) uint8 sRGB, or RGBA where the background is None.
    """
    view = view or orbit(surface.vertices, size, yaw, elevation)
    return Studio.of(surface, material).render(view, style, background, ground)


def _studio_light(normal: np.ndarray, towards: np.ndarray, sky: np.ndarray, key_seen: np.ndarray) -> np.ndarray:
    """(p, 3) light that clay sends to the viewer. normal, towards : (p, 3) unit, camera axes.  sky, key_seen : (p,)."""
    up = 0.5 + 0.5 * normal[:, 1]
    ambient = 0.10 + 0.14 * up
    key = np.clip((normal @ KEY + 0.12) / 1.12, 0, None) * key_seen
    fill = np.clip((normal @ FILL + 0.3) / 1.3, 0, None)
    facing = np.clip(np.einsum("pi,pi->p", normal, towards), 0, 1)
    rim = np.clip(normal @ RIM, 0, None) * (0.3 + 0.7 * (1 - facing) ** 2)
    half = _unit(towards + KEY)
    shine = 0.10 * np.clip(np.einsum("pi,pi->p", normal, half), 0, 1) ** 24 * key_seen
    warm, cool = np.array([1.04, 1.0, 0.94], np.float32), np.array([0.92, 0.98, 1.08], np.float32)
    light = (
        (1.12 * key)[:, None] * warm
        + ((ambient + 0.20 * fill) * sky**1.5)[:, None] * cool
        + (0.75 * rim * sky)[:, None] * cool
    )
    return light * np.array(CLAY, np.float32) + shine[:, None]


def _gentle_light(normal: np.ndarray, sky: np.ndarray) -> np.ndarray:
    """(p,) light on a textured person: close to one, because the photo's own light is in the texture."""
    key = np.clip((normal @ KEY + 0.35) / 1.35, 0, None)
    fill = np.clip((normal @ FILL + 0.35) / 1.35, 0, None)
    return (0.58 + 0.34 * key + 0.16 * fill) * (0.45 + 0.55 * sky)


def _blend(values: np.ndarray, corners: np.ndarray, bary: np.ndarray) -> np.ndarray:
    """(p, k) values of (n, k) at points given by three indices and three weights each."""
    # np.take gathers rows several times as fast as indexing does
    out = np.take(values, corners[:, 0], 0) * bary[:, :1]
    out += np.take(values, corners[:, 1], 0) * bary[:, 1:2]
    out += np.take(values, corners[:, 2], 0) * bary[:, 2:]
    return out


def _extreme(vertices: np.ndarray) -> np.ndarray:
    """The indices of the vertices that one of many views may see at its picture's border."""
    try:
        return ConvexHull(vertices).vertices
    except (QhullError, ValueError):  # a flat mesh, or too few points
        return np.arange(len(vertices))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.sqrt(np.einsum("pi,pi->p", vectors, vectors)), 1e-12)[:, None]


def _texel_density(vertices: np.ndarray, faces: np.ndarray, texels: np.ndarray, face_uv: np.ndarray) -> float:
    """Texels per unit of length on the mesh, on average. texels : (t, 2), uv times the texture's size."""
    corners, flat = vertices[faces], texels[face_uv]
    e, d = corners[:, 1:] - corners[:, :1], flat[:, 1:] - flat[:, :1]
    area = np.linalg.norm(np.cross(e[:, 0], e[:, 1]), axis=1).sum()
    flat_area = np.abs(d[:, 0, 0] * d[:, 1, 1] - d[:, 0, 1] * d[:, 1, 0]).sum()
    return float(np.sqrt(flat_area / max(area, 1e-12)))


def _face_tangents(vertices, faces, uv, face_uv) -> tuple[np.ndarray, np.ndarray]:
    """Unit directions (m, 3) along +u and against +v (glTF's +Y of a normal map) in each face's plane."""
    corners, flat = vertices[faces], uv[face_uv]
    e1, e2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    d1, d2 = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    sign = np.where(d1[:, 0] * d2[:, 1] - d1[:, 1] * d2[:, 0] < 0, -1, 1)[:, None]
    along_u = (e1 * d2[:, 1:] - e2 * d1[:, 1:]) * sign
    along_v = (e2 * d1[:, :1] - e1 * d2[:, :1]) * sign
    return _unit(along_u), -_unit(along_v)
