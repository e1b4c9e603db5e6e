"""How surfaces answer light, quickly: places that rays met and a `Light` in, the light that they send back out.

Diffuse light that creeps into the shadow as in skin, light at grazing angles as on woven cloth, GGX gloss, and for hair
two highlights across its strands (Kajiya and Kay, 1989; Scheuermann, 2004).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.people.photography.illumination import Light
from lookalike.people.photography.picture import STEPS, Lamp, gloss_of
from lookalike.people.scene import STEP, Scene, blend, tangents, unit
from lookalike.render.raycast import Hits

#: Pixels along each side of a tile; rays of each pixel into the surroundings and to each lamp.
TILE, AROUND_RAYS, LAMP_RAYS = 4, 1, 1

#: The order of a tile's pixels, such that neighbours are far apart in it (Bayer, 1973).
ORDER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])

#: How brightly lit, of an open surface, are surfaces that only other surfaces see.
BOUNCE = 0.5

#: Sheer pieces shade only what is this near to them (metres).
SHEER_REACH = 0.12


@dataclass(frozen=True)
class Spots:
    """Places that the camera's rays met, r of them.

    Attributes
    ----------
    place : (r, 3) float32 metres.  depth : (r,) along -Z.  towards : (r, 3) unit, to the camera.
    normal : (r, 3) unit, with relief, smooth : (r, 3) without, flat : (r, 3) the face's: towards the camera.
    colour : (r, 3) linear albedo.  piece : (r,).  strand : (r, 3) unit along uv's -v, for hair; zero elsewhere.
    """

    place: np.ndarray
    depth: np.ndarray
    towards: np.ndarray
    normal: np.ndarray
    smooth: np.ndarray
    flat: np.ndarray
    colour: np.ndarray
    piece: np.ndarray
    strand: np.ndarray


@dataclass(frozen=True)
class Lit:
    """Light that arrives. around : (r, 3) from the surroundings and other surfaces, what white would send back.

    lamps : (lamps, r) share of each lamp that is seen.
    """

    around: np.ndarray
    lamps: np.ndarray


def spots(scene: Scene, rays: np.ndarray, hits: Hits) -> Spots:
    """The places where rays (r, 3) from the origin met the scene; all are hits."""
    points = scene.points(np.zeros(3, np.float32), rays, hits)
    smooth = unit(blend(scene.normals, np.take(scene.faces, hits.face, 0), hits.bary))
    smooth *= np.where(np.einsum("ri,ri->r", smooth, points.flat) < 0, -1, 1).astype(np.float32)[:, None]
    strand = np.zeros_like(smooth)
    hair = np.array([p.label == "hair" for p in scene.pieces])[points.piece]
    if hair.any():
        face = hits.face[hair]
        strand[hair] = tangents(scene.vertices[scene.faces[face]], scene.uv[scene.face_uv[face]])[1]
    return Spots(
        points.place,
        hits.depth,
        unit(-rays),
        points.normal,
        smooth,
        points.flat,
        points.colour,
        points.piece,
        strand,
    )


def gather(
    scene: Scene, here: Spots, light: Light, pixels: np.ndarray, where: np.ndarray, rng: np.random.Generator
) -> Lit:
    """The light that arrives at the pixels of a picture.

    pixels : (r, 2) whole numbers (u, v).  where : (h, w) bool: a window of the picture; its r true pixels in order.
    """
    in_tile = ORDER[pixels[:, 1] % TILE, pixels[:, 0] % TILE]
    bleed = np.array([max(p.finish.bleed) for p in scene.pieces], np.float32)[here.piece]
    start = here.place + here.flat * (STEP + 0.003 * bleed)[:, None] + here.smooth * np.float32(0.0008)
    veil = _Veil.of(scene)
    around = _from_around(scene, here, light, start, in_tile, veil, rng)
    lamps = light.lamps_at(scene.middle)
    values = np.concatenate([around.T, *(_seen(scene, here, lamp, start, in_tile, veil, bleed, rng) for lamp in lamps)])
    values = _tiles_averaged(values, here, where)
    return Lit(np.ascontiguousarray(values[:3].T), values[3:])


def shade(scene: Scene, here: Spots, light: Light, lit: Lit) -> np.ndarray:
    """(r, 3) light sent to the camera."""
    finish = [p.finish for p in scene.pieces]
    roughness, reflectance, fuzz = (
        np.array([getattr(f, name) for f in finish], np.float32)[here.piece]
        for name in ("roughness", "reflectance", "fuzz")
    )
    bleed = np.array([f.bleed for f in finish], np.float32)[here.piece]
    hair = np.flatnonzero(np.array([p.label == "hair" for p in scene.pieces])[here.piece])
    facing = np.clip(np.einsum("ri,ri->r", here.normal, here.towards), 0.02, 1)
    edge = 1 + fuzz * (1 - facing) ** 3
    out = here.colour * lit.around * edge[:, None]
    reflected = 2 * facing[:, None] * here.normal - here.towards
    # Rough surfaces shade themselves at grazing angles.
    fresnel = reflectance + np.maximum(0.5 * (1 - roughness) - reflectance, 0) * (1 - facing) ** 5
    fresnel = np.where(reflectance > 0, fresnel, 0).astype(np.float32)
    whole = float(np.mean(light.on(np.eye(3)))) + 1e-6
    open_ = np.clip((lit.around[:, 0] + lit.around[:, 1] + lit.around[:, 2]) / (3 * whole), 0, 1)
    for value in np.unique(roughness):
        mine = np.flatnonzero((roughness == value) & (fresnel > 0))
        if len(mine):
            shine = light.around(reflected[mine], 0.5 / float(value) ** 4)
            out[mine] += (fresnel[mine] * open_[mine])[:, None] * shine
    for lamp, seen in zip(light.lamps_at(scene.middle), lit.lamps, strict=True):
        colour = np.array(lamp.light, np.float32)
        way, distance, arriving = _towards(lamp, here.place, np.zeros((len(here.place), 2), np.float32))
        cosine = np.einsum("ri,ri->r", here.normal, way)
        body = here.colour * np.clip((cosine[:, None] + bleed) / (1 + bleed) ** 2, 0, None) * edge[:, None]
        # A wide lamp's highlight is as wide as the lamp.
        wide = np.sqrt(roughness**2 + np.minimum(lamp.radius / (2 * distance), 0.5))
        gloss = gloss_of(
            here.normal, here.towards, way, facing, np.clip(cosine, 0, 1), np.minimum(wide, 1), reflectance
        )
        back = body + np.minimum(gloss, 6.0)[:, None]
        if len(hair):
            back[hair] = _hair(here, hair, way[hair], cosine[hair])
        # Light that has passed through the edge of skin is red there.
        through = seen[:, None] ** (1 - 0.6 * bleed)
        out += back * through * arriving[:, None] * colour
    return out


def _hair(here: Spots, rows: np.ndarray, way: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """(k, 3) light that hair sends back of one lamp in the direction `way` (k, 3)."""
    strand, normal, colour = here.strand[rows], here.normal[rows], here.colour[rows]
    half = unit(way + here.towards[rows])

    def across(shift: float, power: float) -> np.ndarray:
        along = unit(strand + np.float32(shift) * normal)
        return np.clip(1 - np.einsum("ki,ki->k", along, half) ** 2, 0, 1) ** (power / 2)

    lit = np.clip(0.25 + 0.75 * cosine, 0, 1)
    diffuse = 0.7 * np.clip((cosine + 0.3) / 1.69, 0, 1)
    first, second = across(0.12, 90), across(-0.1, 18)
    return colour * (diffuse + 0.55 * second * lit)[:, None] + (0.055 * first * lit)[:, None]


@dataclass(frozen=True)
class _Veil:
    """Where pieces with holes are: their box, or None for a scene without. Their holes pass light by chance."""

    low: np.ndarray | None = None
    high: np.ndarray | None = None

    @classmethod
    def of(cls, scene: Scene) -> _Veil:
        used = scene.vertices[np.unique(scene.faces[scene.holes])]
        return cls(used.min(0), used.max(0)) if len(used) else cls()

    def near(self, places: np.ndarray, reach: float) -> np.ndarray:
        """Numbers of the places (r, 3) within reach of the box."""
        if self.low is None or self.high is None:
            return np.empty(0, np.int64)
        return np.flatnonzero(((places > self.low - reach) & (places < self.high + reach)).all(1))


def _from_around(scene, here, light, start, in_tile, veil, rng) -> np.ndarray:
    """(r, 3) light from the surroundings, and from other surfaces where they are in the way."""
    each = AROUND_RAYS
    chance = _tile_points(rng, each)[in_tile].reshape(-1, 2)
    normal = np.repeat(here.normal, each, 0)
    # A point of the unit sphere set upon the normal is a direction in proportion to the cosine.
    z, angle = 1 - 2 * chance[:, 0], chance[:, 1] * np.float32(2 * np.pi)
    ring = np.sqrt(np.maximum(1 - z * z, 0))
    way = unit(normal * np.float32(1.0001) + np.stack([ring * np.cos(angle), ring * np.sin(angle), z], 1))
    flat = np.repeat(here.flat, each, 0)
    below = np.minimum(np.einsum("ri,ri->r", way, flat), 0)
    way -= 2 * below[:, None] * flat
    begin = np.repeat(start, each, 0)
    hits = scene.solid.cast(begin, way)
    out = light.around(way)
    met = np.flatnonzero(hits.hit)
    bounce = scene.mean_colour * (BOUNCE * light.on(np.concatenate([np.eye(3), -np.eye(3)])).mean(0))
    out[met] = bounce[scene.solid_piece(hits.face[met])]
    close = veil.near(begin, SHEER_REACH)
    if len(close):
        ahead = scene.sheer.cast(begin[close], way[close])
        limit = np.minimum(hits.depth[close], 0.3)
        on = np.flatnonzero(ahead.hit & (ahead.depth < limit))
        alpha, piece = scene.sheer_alpha(ahead.face[on], ahead.bary[on])
        row = close[on]
        out[row] += alpha[:, None] * (bounce[piece] - out[row])
    return np.add.reduce([out[k::each] for k in range(each)]) / np.float32(each)


def _seen(scene, here, lamp, start, in_tile, veil, bleed, rng) -> np.ndarray:
    """(1, r) share of a lamp that is in sight."""
    each = LAMP_RAYS
    chance = _tile_points(rng, each)[in_tile].reshape(-1, 2)
    begin = np.repeat(start, each, 0)
    way, distance, _ = _towards(lamp, begin, chance)
    side = np.repeat(bleed, each)
    ask = np.flatnonzero(
        (np.einsum("ri,ri->r", np.repeat(here.normal, each, 0), way) > -side)
        & (np.einsum("ri,ri->r", np.repeat(here.flat, each, 0), way) > -0.3 - side)
    )
    seen = np.zeros(len(way), np.float32)
    reach = np.minimum(distance[ask], 6.0)[:, None]
    seen[ask] = ~scene.solid.occluded(begin[ask], way[ask] * reach, 1.0)
    close = ask[veil.near(begin[ask], 0.5)]
    close = close[seen[close] > 0]
    if len(close):
        ahead = scene.sheer.cast(begin[close] + STEP * way[close], way[close])
        on = np.flatnonzero(ahead.hit & (ahead.depth < 1.0))
        seen[close[on]] = 1 - scene.sheer_alpha(ahead.face[on], ahead.bary[on])[0]
    return np.add.reduce([seen[k::each] for k in range(each)])[None] / np.float32(each)


def _towards(lamp: Lamp, start: np.ndarray, chance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit ways (r, 3) to places of a lamp, their lengths (r,) and the share of its light that arrives (r,).

    chance : (r, 2) in [0, 1), which place of its disc; the radius grows with the first.
    """
    centre, aim = np.array(lamp.place, np.float32), np.array(lamp.aim, np.float32)
    forward = aim - centre
    at_aim = float(np.linalg.norm(forward))
    forward /= at_aim
    side = np.cross(forward, (0.0, 1.0, 0.0) if abs(forward[1]) < 0.9 else (1.0, 0.0, 0.0)).astype(np.float32)
    side /= np.linalg.norm(side)
    up = np.cross(side, forward)
    radius, angle = lamp.radius * np.sqrt(chance[:, :1]), chance[:, 1:] * np.float32(2 * np.pi)
    way = (centre + radius * np.cos(angle) * side + radius * np.sin(angle) * up - start).astype(np.float32)
    distance = np.sqrt(np.einsum("ri,ri->r", way, way))
    way /= distance[:, None]
    arriving = np.float32(at_aim**2) / distance**2
    if lamp.focus:
        arriving *= np.clip(-np.einsum("ri,i->r", way, forward), 0, 1) ** np.float32(lamp.focus)
    return way, distance, arriving


def _tile_points(rng: np.random.Generator, each: int) -> np.ndarray:
    """(TILE^2, each, 2) points of the unit square that fill it evenly all together and for every pixel alone."""
    every = (np.arange(TILE * TILE * each)[:, None] * STEPS + rng.random(2)) % 1
    return every.astype(np.float32).reshape(TILE * TILE, each, 2)


def _tiles_averaged(values: np.ndarray, here: Spots, where: np.ndarray) -> np.ndarray:
    """Values (c, r) averaged over the 4 x 4 pixels around, those of the same surface, along rows, then along columns."""
    planes = np.zeros((len(values), *where.shape), np.float32)
    planes[:, where] = values
    depth = np.full(where.shape, -1e3, np.float32)
    depth[where] = here.depth
    normal = np.zeros((3, *where.shape), np.float32)
    normal[:, where] = here.normal.T
    for axis in (1, 0):
        total, weight = planes.copy(), np.ones(where.shape, np.float32)
        for shift in (-2, -1, 1):
            size = where.shape[axis]
            here_, there = slice(max(0, -shift), size - max(0, shift)), slice(max(0, shift), size - max(0, -shift))
            a = (here_, slice(None)) if axis == 0 else (slice(None), here_)
            b = (there, slice(None)) if axis == 0 else (slice(None), there)
            alike = np.einsum("ihw,ihw->hw", normal[:, a[0], a[1]], normal[:, b[0], b[1]])
            share = np.clip((alike - 0.7) * 5, 0, 1)
            share *= np.abs(depth[a] - depth[b]) < 0.012 * np.abs(depth[a])
            total[:, a[0], a[1]] += share * planes[:, b[0], b[1]]
            weight[a] += share
        planes = total / weight
    return planes[:, where]
