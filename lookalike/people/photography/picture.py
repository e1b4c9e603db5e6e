"""Taking a picture of a scene: lamps with soft shadows, light from all around, one bounce, and what a camera adds.

Each pixel is the mean of a grid of rays; each ray's surface point asks every lamp at one random place, and one random
direction of the hemisphere for the surrounding light (Monte Carlo, Kajiya, 1986, cut off after one bounce). Light is
linear until `develop`. Gloss is GGX (Walter et al., 2007) with Schlick's Fresnel term.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lookalike.people.scene import STEP, Points, Scene
from lookalike.render.raycast import Hits
from lookalike.render.view import View

#: Steps of a sequence that fills the unit square evenly however many of its points are taken (Roberts, 2018).
STEPS = np.array([0.7548776662466927, 0.5698402909980532])

#: Samples shaded at a time: memory, not speed.
BATCH = 300_000

#: Pixels beyond a figure's outline that still get the full grid of rays.
RIM = 2


@dataclass(frozen=True)
class Lamp:
    """A round lamp.

    place : (3,) its centre, metres.  radius : metres; larger is softer.
    light : (3,) what a surface that faces it receives at `aim`, linear.  aim : (3,).
    focus : how quickly its light falls off to the side: the power of the cosine.
    """

    place: tuple[float, float, float]
    radius: float
    light: tuple[float, float, float]
    aim: tuple[float, float, float] = (0.0, 1.2, 0.0)
    focus: float = 1.0


@dataclass(frozen=True)
class Lighting:
    """All light there is.

    lamps : seen by shadows and gloss.
    surroundings : unit directions (r, 3) -> (r, 3) linear light that comes from there where nothing is in the way.
    bounce : (3,) light that reaches surfaces that only other surfaces see.
    """

    lamps: tuple[Lamp, ...]
    surroundings: Callable[[np.ndarray], np.ndarray]
    bounce: tuple[float, float, float] = (0.4, 0.4, 0.4)


class Dice:
    """Random numbers for groups of samples, spread evenly within each group: soft shadows with little noise.

    groups, each : how many groups, and samples in each; samples of a group lie together.
    """

    def __init__(self, rng: np.random.Generator, groups: int, each: int):
        self.rng = rng
        self._groups = groups
        self._points = (np.arange(each)[:, None] * STEPS % 1).astype(np.float32)

    def pairs(self, of: np.ndarray) -> np.ndarray:
        """(k, 2) in [0, 1), other ones at each call. of : (k,) samples, numbered group by group."""
        shift = self.rng.random((self._groups, 1, 2), np.float32)
        every = (shift + self.rng.permutation(self._points)) % np.float32(1)
        return every.reshape(-1, 2)[of]


def photograph(
    scene: Scene,
    view: View,
    lighting: Lighting,
    seed: int = 0,
    grid: int = 3,
    backdrop: tuple[str, ...] = (),
    backdrop_samples: int = 16,
) -> np.ndarray:
    """The light that reaches a camera: (height, width, 3) float32, linear.

    grid : rays along each side of a pixel.
    backdrop : names of pieces that are plain: their pixels get one ray and `backdrop_samples` times its light.
    """
    rng = np.random.default_rng(seed)
    camera = view.camera
    shape = (camera.height, camera.width)
    plain = np.array([p.name in backdrop for p in scene.pieces] + [True])
    v, u = np.mgrid[: camera.height, : camera.width].astype(np.float32) + 0.5
    centres = np.stack([u, v], -1).reshape(-1, 2)
    first = scene.cast(view.position, _rays(view, centres), rng)
    figure = ~plain[np.where(first.hit, scene.piece[first.face], len(scene.pieces))].reshape(shape)
    fine = _grown(figure, RIM).ravel()
    picture = np.zeros((len(centres), 3), np.float32)

    rest = np.flatnonzero(~fine)
    for part in _parts(rest, BATCH // backdrop_samples):
        hits = Hits(*(np.repeat(a[part], backdrop_samples, 0) for a in (first.face, first.bary, first.depth)))
        rays = np.repeat(_rays(view, centres[part]), backdrop_samples, 0)
        dice = Dice(rng, len(part), backdrop_samples)
        picture[part] = _light(scene, view, lighting, rays, hits, dice).reshape(len(part), -1, 3).mean(1)

    steps = (np.arange(grid, dtype=np.float32)) / grid - 0.5
    corner = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    inside = np.flatnonzero(fine)
    for part in _parts(inside, BATCH // grid**2):
        place = centres[part][:, None] + corner + rng.random((len(part), grid**2, 2), np.float32) / grid
        rays = _rays(view, place.reshape(-1, 2))
        hits = scene.cast(view.position, rays, rng)
        dice = Dice(rng, len(part), grid**2)
        light = np.minimum(_light(scene, view, lighting, rays, hits, dice), 4.0)
        picture[part] = light.reshape(len(part), -1, 3).mean(1)
    return picture.reshape(*shape, 3)


def develop(
    light: np.ndarray,
    rng: np.random.Generator,
    exposure: float = 1.0,
    blur: float = 0.45,
    noise: float = 0.006,
    vignette: float = 0.12,
) -> np.ndarray:
    """What a camera makes of the light: (h, w, 3) uint8 sRGB.

    light : (h, w, 3) linear.  blur : the lens's, Gaussian, in pixels.  vignette : share of light lost in the corners.
    noise : standard deviation at full light; shot noise, so the darker the less, plus a little that is always there.
    """
    import cv2

    from lookalike.render.shade import encode_srgb

    height, width = light.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    lens = 1 - vignette * (x**2 + y**2) / 2
    image = light * (exposure * lens[..., None].astype(np.float32))
    if blur > 0:
        image = cv2.GaussianBlur(image, (0, 0), blur)
    image = _film(image)
    grain = rng.standard_normal(image.shape, np.float32)
    # A sensor's neighbours share their grain a little, because colours are interpolated.
    grain = cv2.GaussianBlur(grain, (0, 0), 0.6) * 1.6
    return encode_srgb(image + grain * noise * np.sqrt(np.maximum(image, 0) + 0.02))


def _film(light: np.ndarray) -> np.ndarray:
    """Straight up to 0.6, then bent so that bright light approaches one without clipping."""
    knee = 0.6
    over = np.maximum(light - knee, 0)
    return np.where(light > knee, knee + (1 - knee) * (1 - np.exp(-over / (1 - knee))), light)


def _light(scene: Scene, view: View, lighting: Lighting, rays: np.ndarray, hits: Hits, dice: Dice) -> np.ndarray:
    """(r, 3) light that comes back along rays from the view's position."""
    out = np.zeros((len(rays), 3), np.float32)
    met = np.flatnonzero(hits.hit)
    missed = np.flatnonzero(~hits.hit)
    if len(missed):
        out[missed] = lighting.surroundings(_unit(rays[missed]))
    if len(met):
        hits = Hits(hits.face[met], hits.bary[met], hits.depth[met])
        points = scene.points(view.position, rays[met], hits)
        out[met] = _shade(scene, lighting, points, _unit(-rays[met]), met, dice)
    return out


def _shade(
    scene: Scene, lighting: Lighting, points: Points, towards: np.ndarray, sample: np.ndarray, dice: Dice
) -> np.ndarray:
    """(r, 3) light that points send `towards` (r, 3) the camera. sample : (r,) their numbers for the dice."""
    finish = [p.finish for p in scene.pieces]
    roughness = np.array([f.roughness for f in finish], np.float32)[points.piece]
    reflectance = np.array([f.reflectance for f in finish], np.float32)[points.piece]
    bleed = np.array([f.bleed for f in finish], np.float32)[points.piece]
    fuzz = np.array([f.fuzz for f in finish], np.float32)[points.piece]
    facing = np.clip(np.einsum("ri,ri->r", points.normal, towards), 0.02, 1)
    # Light inside skin comes out millimetres away: shadows start a little above it.
    start = points.place + points.flat * (STEP + 0.003 * bleed.max(1, keepdims=True))
    out = np.zeros_like(points.colour)
    for lamp in lighting.lamps:
        way, distance, arriving = _towards_lamp(lamp, start, dice.pairs(sample))
        cosine = np.einsum("ri,ri->r", points.normal, way)
        above = np.einsum("ri,ri->r", points.flat, way)
        ask = np.flatnonzero((cosine > -bleed.max(1)) & (above > -bleed.max(1)))
        seen = np.zeros(len(way), np.float32)
        seen[ask] = ~scene.blocked(start[ask], way[ask] * distance[ask, None], 1.0, dice.rng)
        soft = np.clip((cosine[:, None] + bleed) / (1 + bleed), 0, None) / (1 + bleed)
        edge = 1 + fuzz * (1 - facing) ** 3
        body = points.colour * soft * edge[:, None]
        gloss = gloss_of(points.normal, towards, way, facing, np.clip(cosine, 0, 1), roughness, reflectance)
        out += (body + gloss[:, None]) * (arriving * seen)[:, None] * np.array(lamp.light, np.float32)
    return out + points.colour * _from_around(scene, lighting, points, start, sample, dice)


def _towards_lamp(lamp: Lamp, start: np.ndarray, chance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit ways (r, 3) to random places of a lamp, their lengths (r,) and the share of its light that arrives (r,)."""
    centre, aim = np.array(lamp.place, np.float32), np.array(lamp.aim, np.float32)
    forward = (aim - centre) / np.linalg.norm(aim - centre)
    side = np.cross(forward, np.array((0.0, 1.0, 0.0) if abs(forward[1]) < 0.9 else (1.0, 0.0, 0.0)))
    side = side / np.linalg.norm(side)
    radius = lamp.radius * np.sqrt(chance[:, 0])
    angle = chance[:, 1] * np.float32(2 * np.pi)
    spot = (
        centre + (radius * np.cos(angle))[:, None] * side + (radius * np.sin(angle))[:, None] * np.cross(side, forward)
    )
    way = (spot - start).astype(np.float32)
    distance = np.sqrt(np.einsum("ri,ri->r", way, way))
    way /= distance[:, None]
    at_aim = float(np.linalg.norm(aim - centre))
    arriving = (at_aim / distance) ** 2 * np.clip(-(way @ forward.astype(np.float32)), 0, 1) ** lamp.focus
    return way, distance, arriving


def _from_around(
    scene: Scene, lighting: Lighting, points: Points, start: np.ndarray, sample: np.ndarray, dice: Dice
) -> np.ndarray:
    """(r, 3) light from one random direction each, chosen in proportion to the cosine, so that it needs no weight."""
    way = _cosine_directions(points.normal, dice.pairs(sample))
    below = np.einsum("ri,ri->r", way, points.flat)
    way -= np.minimum(2 * below, 0)[:, None] * points.flat
    hits = scene.cast(start, way, dice.rng)
    out = lighting.surroundings(way)
    met = np.flatnonzero(hits.hit)
    out[met] = scene.mean_colour[scene.piece[hits.face[met]]] * np.array(lighting.bounce, np.float32)
    return out


def gloss_of(normal, towards, way, facing, cosine, roughness, reflectance) -> np.ndarray:
    """(r,) GGX reflection times the cosine and pi, as lamps' light is what a white surface sends back."""
    half = _unit(towards + way)
    nh = np.clip(np.einsum("ri,ri->r", normal, half), 0, 1)
    vh = np.clip(np.einsum("ri,ri->r", towards, half), 0, 1)
    a2 = roughness**4
    spread = a2 / (np.pi * (nh * nh * (a2 - 1) + 1) ** 2)
    k = (roughness + 1) ** 2 / 8
    masking = 1 / ((facing * (1 - k) + k) * (cosine * (1 - k) + k))
    fresnel = reflectance + (1 - reflectance) * (1 - vh) ** 5
    return np.pi * spread * masking * fresnel * cosine / 4


def _cosine_directions(normal: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """(r, 3) unit directions about normals, denser near them: a point of the unit sphere set upon the normal."""
    z = 1 - 2 * chance[:, 0]
    angle = chance[:, 1] * np.float32(2 * np.pi)
    ring = np.sqrt(np.maximum(1 - z * z, 0))
    return _unit(normal * 1.0001 + np.stack([ring * np.cos(angle), ring * np.sin(angle), z], 1))


def _rays(view: View, pixels: np.ndarray) -> np.ndarray:
    return view.camera.rays(pixels) @ view.rotation.astype(np.float32)


def _parts(index: np.ndarray, size: int):
    return (index[i : i + size] for i in range(0, len(index), size))


def _grown(mask: np.ndarray, by: int) -> np.ndarray:
    import cv2

    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * by + 1, 2 * by + 1), np.uint8)).astype(bool)


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.sqrt(np.einsum("ri,ri->r", vectors, vectors))
    return (vectors / np.maximum(length, 1e-12)[:, None]).astype(np.float32)
