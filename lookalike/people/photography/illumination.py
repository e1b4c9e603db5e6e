"""Light as photographs have it: random numbers in, the light around a person and up to two lamps out.

The surroundings are a sum of spherical Gaussians (Wang et al., 2009): a lobe `colour * exp(sharpness * (axis . way - 1))`
for the sky, the ground, a window, a wall. They are cheap to ask for single directions and to blur for gloss. What is
small and strong enough to throw shadows with an edge is a lamp.

Light is in units of what a white surface sends back: 1 is white paper in a well exposed picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lookalike.people.looks.paint import LUMINANCE
from lookalike.people.photography.picture import Lamp
from lookalike.render.light import sphere_directions


@dataclass(frozen=True)
class Light:
    """All light on a person, in camera axes, relative to the person's middle.

    Attributes
    ----------
    name : what kind of place, such as "overcast".
    base : (3,) light from everywhere.
    axes : (k, 3) unit, sharpness : (k,), colours : (k, 3): the lobes.
    lamps : with places in metres from the person's middle, which is their aim.
    """

    name: str
    base: np.ndarray
    axes: np.ndarray
    sharpness: np.ndarray
    colours: np.ndarray
    lamps: tuple[Lamp, ...] = ()

    def around(self, ways: np.ndarray, blur: float = np.inf) -> np.ndarray:
        """(r, 3) light from directions (r, 3) unit.

        blur : sharpness of a lobe by which it is blurred, as gloss does; infinite for none.
        """
        sharpness, colours = self.sharpness.astype(np.float32), self.colours
        if np.isfinite(blur):
            # Blurring keeps a lobe's whole light.
            wide = sharpness * np.float32(blur) / (sharpness + np.float32(blur))
            colours = colours * (_whole(sharpness) / _whole(wide))[:, None]
            sharpness = wide
        # One lobe after another, not by matrix products: those differ in the last bit with the number of threads.
        x, y, z = np.ascontiguousarray(ways.T, np.float32)
        out = np.empty((3, len(ways)), np.float32)
        out[:] = self.base[:, None]
        for (a, b, c), sharp, colour in zip(self.axes.astype(np.float32), sharpness, colours, strict=True):
            strength = np.exp(sharp * (x * a + y * b + z * c - np.float32(1)))
            for channel in range(3):
                out[channel] += strength * np.float32(colour[channel])
        return np.ascontiguousarray(out.T)

    def on(self, normals: np.ndarray) -> np.ndarray:
        """(r, 3) what a white surface with these normals (r, 3) at the person's middle sends back, nothing in the way."""
        ways = sphere_directions(512)
        cosine = np.clip(np.einsum("ri,wi->rw", normals.astype(np.float32), ways), 0, None)
        out = np.einsum("rw,wc->rc", cosine, self.around(ways)) * np.float32(4 / len(ways))
        for lamp in self.lamps:
            way = np.array(lamp.place, np.float32)
            way /= np.linalg.norm(way)
            out += np.clip(normals @ way, 0, None)[:, None] * np.array(lamp.light, np.float32)
        return out.astype(np.float32)

    def scaled(self, gain: np.ndarray | float) -> Light:
        """This light with its colours multiplied. gain : (3,) or one number."""
        gain = np.ones(3) * gain
        lamps = tuple(replace(lamp, light=_triple(np.array(lamp.light) * gain)) for lamp in self.lamps)
        return replace(self, base=self.base * gain, colours=self.colours * gain, lamps=lamps)

    def lamps_at(self, middle: np.ndarray) -> tuple[Lamp, ...]:
        """The lamps around a person whose middle is at `middle` (3,)."""
        return tuple(
            replace(lamp, place=_triple(np.array(lamp.place) + middle), aim=_triple(middle)) for lamp in self.lamps
        )


#: How often each kind of place is met.
PLACES = {
    "overcast": 0.17,
    "sunny": 0.17,
    "backlit": 0.08,
    "window": 0.15,
    "ceiling": 0.15,
    "studio": 0.18,
    "flash": 0.04,
    "flat": 0.06,
}


def random_light(rng: np.random.Generator) -> Light:
    """Light as one meets it in photographs, exposed and balanced about as a camera would."""
    names = tuple(PLACES)
    name = names[int(rng.choice(len(names), p=np.array(list(PLACES.values())) / sum(PLACES.values())))]
    return light_of(name, rng)


def light_of(name: str, rng: np.random.Generator) -> Light:
    """Light of one kind of place, one of `PLACES`."""
    draft = _Draft(rng)
    getattr(draft, name)()
    return _exposed(draft.light(name), rng)


def _exposed(light: Light, rng: np.random.Generator) -> Light:
    """As bright as an automatic exposure makes it, most of its colour cast taken away."""
    normals = np.array([(0, 0, 1), (0.5, 0.3, 0.81), (-0.5, 0.3, 0.81), (0.8, 0, 0.6), (-0.8, 0, 0.6), (0, 0.8, 0.6)])
    white = light.on(normals / np.linalg.norm(normals, axis=1, keepdims=True))
    # The brighter places count more: cameras keep them from burning out.
    mean = np.sqrt((white**2).mean(0))
    level = float(mean @ LUMINANCE)
    cast = mean / max(level, 1e-6)
    gain = rng.uniform(0.72, 1.08) / max(level, 1e-6)
    return light.scaled(gain / np.clip(cast, 0.2, 5) ** rng.uniform(0.6, 1.0))


class _Draft:
    """Collects lobes and lamps of one place."""

    def __init__(self, rng: np.random.Generator):
        self.rng = rng
        self.base = np.zeros(3)
        self.lobes: list[tuple[np.ndarray, float, np.ndarray]] = []
        self.lamps: list[Lamp] = []

    def light(self, name: str) -> Light:
        lobes = self.lobes or [(np.array((0.0, 1.0, 0.0)), 1.0, np.zeros(3))]
        axes, sharpness, colours = (np.array([lobe[i] for lobe in lobes], float) for i in range(3))
        return Light(name, np.array(self.base, float), axes, sharpness, colours, tuple(self.lamps))

    def lobe(self, way: np.ndarray, sharpness: float, colour: np.ndarray) -> None:
        self.lobes.append((way / np.linalg.norm(way), sharpness, colour))

    def lamp(self, way: np.ndarray, distance: float, radius: float, colour: np.ndarray, focus: float = 1.0) -> None:
        place = _triple(way / np.linalg.norm(way) * distance)
        self.lamps.append(Lamp(place, radius, _triple(colour), (0.0, 0.0, 0.0), focus))

    def way(self, yaw: tuple[float, float], pitch: tuple[float, float]) -> np.ndarray:
        """A direction; degrees from the camera's side towards either side, and upwards."""
        side = 1.0 if self.rng.random() < 0.5 else -1.0
        a, b = side * np.radians(self.rng.uniform(*yaw)), np.radians(self.rng.uniform(*pitch))
        return np.array([np.sin(a) * np.cos(b), np.sin(b), np.cos(a) * np.cos(b)])

    def warm(self, low: float, high: float) -> np.ndarray:
        """(3,) a colour of luminance one; 0 is neutral, 1 a light bulb, -1 a blue sky."""
        amount = self.rng.uniform(low, high)
        colour = (
            np.exp(amount * np.array([0.42, 0.02, -0.55]))
            if amount > 0
            else np.exp(-amount * np.array([-0.42, -0.02, 0.42]))
        )
        return colour / float(colour @ LUMINANCE)

    def ground(self, strength: tuple[float, float]) -> None:
        """Light from below: grass, sand, asphalt, boards."""
        kinds = np.array([(0.96, 1.0, 0.72), (1.12, 1.0, 0.8), (1.0, 1.0, 1.0), (1.2, 0.95, 0.72)])
        colour = kinds[int(self.rng.integers(len(kinds)))] * self.rng.uniform(*strength)
        self.lobe(np.array([0.0, -1.0, 0.0]), self.rng.uniform(1.0, 2.5), colour)

    def clutter(self, count: int, strength: float, tint: float = 0.15) -> None:
        """Walls, trees, furniture, people: broad lobes of slightly different colours, some darker than all around."""
        for _ in range(count):
            colour = np.exp(self.rng.normal(0, tint, 3)) * strength * self.rng.uniform(0.1, 1.0)
            self.lobe(self.way((0, 180), (-20, 30)), self.rng.uniform(2, 9), colour)

    def overcast(self) -> None:
        self.base = self.warm(-0.3, 0.1) * self.rng.uniform(0.12, 0.3)
        self.lobe(self.way((0, 180), (60, 90)), self.rng.uniform(0.8, 2.0), self.warm(-0.35, 0.05))
        self.lobe(
            self.way((0, 180), (10, 50)), self.rng.uniform(1.5, 5), self.warm(-0.2, 0.1) * self.rng.uniform(0.1, 0.7)
        )
        self.ground((0.08, 0.3))
        self.clutter(2, 0.25)

    def sunny(self) -> None:
        sun = self.way((10, 110), (22, 68))
        self.base = self.warm(-0.5, 0.0) * self.rng.uniform(0.08, 0.18)
        self.lobe(
            np.array([0.0, 1.0, 0.0]), self.rng.uniform(0.8, 2.0), self.warm(-0.9, -0.3) * self.rng.uniform(0.2, 0.5)
        )
        self.lobe(sun, self.rng.uniform(4, 12), self.warm(0.0, 0.2) * self.rng.uniform(0.1, 0.4))
        self.ground((0.15, 0.4))
        self.clutter(2, 0.2)
        self.lamp(sun, 40.0, 40 * np.tan(np.radians(self.rng.uniform(0.3, 1.6))), self.warm(0.05, 0.4), 0.0)

    def backlit(self) -> None:
        sun = self.way((125, 175), (12, 50))
        self.base = self.warm(-0.3, 0.2) * self.rng.uniform(0.2, 0.35)
        self.lobe(
            np.array([0.0, 1.0, 0.0]), self.rng.uniform(0.7, 1.5), self.warm(-0.6, 0.0) * self.rng.uniform(0.2, 0.5)
        )
        self.lobe(sun, self.rng.uniform(1.5, 6), self.warm(0.0, 0.6) * self.rng.uniform(0.3, 0.8))
        self.lobe(
            self.way((0, 50), (-10, 40)), self.rng.uniform(1, 3), self.warm(-0.1, 0.2) * self.rng.uniform(0.1, 0.4)
        )
        self.ground((0.15, 0.45))
        self.lamp(sun, 40.0, self.rng.uniform(0.3, 1.2), self.warm(0.1, 0.7) * self.rng.uniform(0.6, 1.4), 0.0)

    def window(self) -> None:
        way = self.way((25, 120), (0, 30))
        self.base = self.warm(0.0, 0.4) * self.rng.uniform(0.05, 0.28)
        self.lobe(way, self.rng.uniform(2, 8), self.warm(-0.4, 0.1) * self.rng.uniform(0.2, 0.6))
        self.lobe(-way * [1, 0, 1], self.rng.uniform(1, 3), self.warm(0, 0.4) * self.rng.uniform(0.05, 0.3))
        self.ground((0.05, 0.25))
        self.clutter(3, 0.25, 0.25)
        self.lamp(way, self.rng.uniform(1.6, 3.5), self.rng.uniform(0.35, 0.9), self.warm(-0.4, 0.15), 1.0)
        if self.rng.random() < 0.3:
            self.lamp(self.way((0, 180), (40, 80)), 1.8, 0.2, self.warm(0.3, 0.9) * self.rng.uniform(0.1, 0.4))

    def ceiling(self) -> None:
        self.base = self.warm(0.0, 0.5) * self.rng.uniform(0.08, 0.28)
        self.lobe(np.array([0.0, 1.0, 0.0]), self.rng.uniform(1, 3), self.warm(0, 0.5) * self.rng.uniform(0.3, 0.8))
        self.lobe(self.way((0, 60), (0, 40)), self.rng.uniform(1, 4), self.warm(0, 0.4) * self.rng.uniform(0.1, 0.5))
        self.ground((0.05, 0.25))
        self.clutter(4, 0.3, 0.25)
        for _ in range(int(self.rng.integers(1, 3))):
            way = self.way((0, 120), (35, 75))
            self.lamp(
                way, self.rng.uniform(1.5, 3), self.rng.uniform(0.1, 0.6), self.warm(0, 0.6) * self.rng.uniform(0.3, 1)
            )

    def studio(self) -> None:
        self.base = np.ones(3) * self.rng.uniform(0.05, 0.4)
        self.lobe(self.way((0, 90), (0, 60)), self.rng.uniform(1, 4), np.ones(3) * self.rng.uniform(0.1, 0.5))
        self.lobe(
            self.way((20, 100), (0, 50)), self.rng.uniform(1, 5), self.warm(-0.1, 0.1) * self.rng.uniform(0.1, 0.4)
        )
        self.ground((0.05, 0.35))
        self.lamp(
            self.way((10, 70), (10, 55)), self.rng.uniform(1.8, 3), self.rng.uniform(0.2, 0.8), self.warm(-0.1, 0.2)
        )
        if self.rng.random() < 0.5:
            colour = self.warm(-0.3, 0.3)
            if self.rng.random() < 0.1:
                colour = np.exp(self.rng.normal(0, 0.7, 3))
            self.lamp(
                self.way((110, 170), (10, 60)),
                2.2,
                self.rng.uniform(0.1, 0.5),
                colour * self.rng.uniform(0.2, 0.9),
                3.0,
            )

    def flash(self) -> None:
        self.base = self.warm(0.0, 0.6) * self.rng.uniform(0.05, 0.2)
        self.lobe(np.array([0.0, 1.0, 0.0]), 1.5, self.warm(0.0, 0.6) * self.rng.uniform(0.02, 0.25))
        self.clutter(2, 0.1)
        self.lamp(
            self.way((0, 8), (2, 12)), self.rng.uniform(2, 3.5), self.rng.uniform(0.02, 0.06), self.warm(-0.2, 0.1), 0.0
        )

    def flat(self) -> None:
        self.base = self.warm(-0.2, 0.2) * self.rng.uniform(0.5, 0.9)
        self.lobe(
            self.way((0, 90), (-10, 60)), self.rng.uniform(0.8, 2.5), self.warm(-0.2, 0.2) * self.rng.uniform(0.1, 0.5)
        )
        self.lobe(
            self.way((0, 180), (20, 90)), self.rng.uniform(0.8, 2.5), self.warm(-0.2, 0.2) * self.rng.uniform(0.0, 0.4)
        )


def _whole(sharpness: np.ndarray) -> np.ndarray:
    """A lobe's integral over the sphere, but for 2 pi."""
    return (1 - np.exp(-2 * sharpness)) / np.maximum(sharpness, 1e-6)


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
