"""What tailors choose: random numbers in, the layers of cloths, patterns and details of clothes out.

Every function adds its layers to a `Tailor`; `fabric.random_fabric` says which of them a garment is likely to have.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lookalike.people.looks.fabric_layers import (
    BACK,
    CHART,
    FEET,
    FRONT,
    LEFT_LEG,
    LEFT_SLEEVE,
    RIGHT_LEG,
    RIGHT_SLEEVE,
    Bands,
    Cables,
    Decal,
    Discs,
    Dots,
    Faded,
    Layer,
    Lines,
    Mottle,
    Panel,
    Patches,
    Threads,
    Tile,
)
from lookalike.people.looks.prints import chest_print, floral_tile, motif_tile
from lookalike.people.scene import Finish
from lookalike.render.shade import decode_srgb

#: Colours that clothes have: name -> how often, sRGB of the middle of them.
DYES: dict[str, tuple[float, tuple[int, int, int]]] = {
    "black": (0.19, (30, 30, 32)),
    "white": (0.14, (236, 235, 232)),
    "light grey": (0.07, (176, 177, 178)),
    "grey": (0.08, (112, 113, 116)),
    "charcoal": (0.07, (62, 63, 67)),
    "navy": (0.09, (36, 42, 68)),
    "blue": (0.04, (58, 92, 158)),
    "light blue": (0.05, (150, 182, 214)),
    "beige": (0.06, (201, 182, 152)),
    "cream": (0.03, (233, 222, 199)),
    "brown": (0.04, (92, 66, 48)),
    "olive": (0.03, (86, 86, 58)),
    "green": (0.02, (46, 98, 72)),
    "burgundy": (0.03, (98, 34, 44)),
    "red": (0.035, (178, 38, 42)),
    "pink": (0.035, (224, 160, 172)),
    "yellow": (0.02, (226, 186, 84)),
    "orange": (0.012, (214, 112, 54)),
    "purple": (0.015, (102, 72, 130)),
    "turquoise": (0.013, (64, 150, 160)),
}
#: Colours of trousers and of shoes, where they differ.
BELOW = {
    "black": 0.28,
    "navy": 0.14,
    "charcoal": 0.1,
    "grey": 0.1,
    "beige": 0.14,
    "brown": 0.06,
    "olive": 0.07,
    "white": 0.06,
}
SHOES = {"black": 0.36, "white": 0.22, "brown": 0.16, "grey": 0.08, "beige": 0.07, "navy": 0.05, "red": 0.03}

#: Denim, from raw to bleached, in sRGB.
DENIM = ((30, 36, 54), (44, 58, 88), (66, 88, 124), (104, 130, 164), (158, 178, 200), (34, 34, 37), (120, 121, 124))

COTTON = Finish(roughness=0.86, reflectance=0.028, fuzz=0.3)
WOOL = Finish(roughness=0.95, reflectance=0.02, fuzz=0.75)
FLEECE = Finish(roughness=1.0, reflectance=0.015, fuzz=1.1)
LEATHER = Finish(roughness=0.4, reflectance=0.04)
SATIN = Finish(roughness=0.36, reflectance=0.05, fuzz=0.1)
NYLON = Finish(roughness=0.5, reflectance=0.04)
RUBBER = Finish(roughness=0.6, reflectance=0.035)


def random_dye(rng: np.random.Generator, dyes: dict[str, float] | None = None) -> np.ndarray:
    """(3,) linear: a colour that clothes have."""
    names = dyes or {name: share for name, (share, _) in DYES.items()}
    code = np.array(DYES[chosen(rng, names)][1], np.uint8)
    colour = decode_srgb(code) * np.exp(rng.normal(0, 0.22)) * np.exp(rng.normal(0, 0.07, 3))
    if rng.random() < 0.04 and dyes is None:
        colour = decode_srgb(rng.integers(15, 235, 3).astype(np.uint8))
    return np.clip(colour, 0.014, 0.84)


class Tailor:
    """Collects a fabric's layers."""

    def __init__(self, rng: np.random.Generator, dyes: dict[str, float] | None):
        self.rng, self.dyes = rng, dyes
        self.ground = np.full(3, 0.5)
        self.layers: list[Layer] = []

    def dye(self) -> np.ndarray:
        return random_dye(self.rng, self.dyes)

    def denim(self) -> np.ndarray:
        code = DENIM[int(self.rng.choice(len(DENIM), p=[0.17, 0.22, 0.22, 0.13, 0.07, 0.14, 0.05]))]
        return np.clip(
            decode_srgb(np.array(code, np.uint8)) * np.exp(self.rng.normal(0, 0.12) + self.rng.normal(0, 0.06, 3)),
            0.014,
            0.8,
        )

    def against(self) -> np.ndarray:
        """A colour that stands out from the ground: most prints are black or white."""
        if self.rng.random() < 0.45:
            light = float(self.ground.mean())
            return np.full(3, 0.02 if light > 0.25 else 0.72) * np.exp(self.rng.normal(0, 0.1, 3))
        for _ in range(6):
            colour = random_dye(self.rng)
            if np.abs(np.sqrt(colour) - np.sqrt(self.ground)).max() > 0.2:
                break
        return colour

    def colours(self, count: int) -> np.ndarray:
        return np.array([self.against() for _ in range(count)])

    def add(self, layer: Layer) -> None:
        self.layers.append(layer)

    def offset(self) -> tuple[float, float]:
        x, y = self.rng.random(2)
        return float(x), float(y)

    def seams(self, ends: list[tuple[float, float, float, float]], stitched: bool = True) -> None:
        gain = float(self.rng.uniform(0.55, 0.85))
        self.add(Lines(np.array(ends), 0.0025, gain=gain))
        if stitched:
            thread = _triple(np.clip(self.ground * self.rng.uniform(0.6, 1.8), 0.02, 0.8))
            moved = np.array(ends) + 0.006 * np.array([1, 1, 1, 1])
            self.add(Lines(moved, 0.0012, thread, dashes=0.003))

    def worn(self) -> None:
        """What wearing and washing leave."""
        rng = self.rng
        self.add(Mottle(rng.uniform(0.12, 0.4), rng.uniform(0.01, 0.05), self.offset()))
        if rng.random() < 0.5:
            tint = _triple(1 + rng.normal(0, 0.5, 3))
            self.add(Mottle(rng.uniform(0.03, 0.12), rng.uniform(0.01, 0.04), self.offset(), 1.0, tint))
        if rng.random() < 0.1:
            for _ in range(int(rng.integers(1, 3))):
                stain = self.ground * rng.uniform(0.35, 0.8) * np.array([1.0, 0.95, 0.85])
                size, level = rng.uniform(0.03, 0.12), rng.uniform(1.8, 2.6)
                self.add(Patches(size, _triple(stain), level, 0.6, rng.uniform(0.2, 0.7), self.offset()))


# Cloths: the finest structure, and the finish.


def _cotton(t: Tailor) -> Finish:
    t.add(Threads(t.rng.uniform(0.0006, 0.0012), 0.12, 45.0 if t.rng.random() < 0.3 else 0.0))
    t.add(Mottle(0.003, t.rng.uniform(0.02, 0.06), t.offset(), 2.0))
    return COTTON


def _jersey(t: Tailor) -> Finish:
    t.add(Threads(0.0009, 0.12))
    heather = t.rng.uniform(0.08, 0.25) if t.rng.random() < 0.25 else t.rng.uniform(0.01, 0.04)
    t.add(Mottle(0.0025, heather, t.offset(), 3.0))
    return COTTON


def _canvas(t: Tailor) -> Finish:
    t.add(Threads(0.0012, 0.15))
    t.add(Threads(0.0012, 0.15, 90.0))
    return COTTON


def _denim(t: Tailor) -> Finish:
    t.add(Threads(0.0013, 0.2, 35.0))
    t.add(Mottle(0.008, t.rng.uniform(0.03, 0.08), t.offset(), 3.0))
    amount = t.rng.uniform(0.1, 0.6) if t.rng.random() < 0.7 else 0.0
    t.add(Faded(amount, _triple(np.minimum(t.ground * 2.2 + 0.10, 0.75)), t.rng.uniform(0.04, 0.14), t.offset()))
    return COTTON


def _knit(t: Tailor) -> Finish:
    kind = t.rng.random()
    if kind < 0.4:
        t.add(Threads(t.rng.uniform(0.004, 0.012), t.rng.uniform(0.06, 0.22), round_=True))
    elif kind < 0.6:
        t.add(Cables(t.rng.uniform(0.05, 0.11), t.rng.uniform(0.2, 0.45)))
    t.add(Threads(t.rng.uniform(0.002, 0.005), 0.15, 90.0, round_=True))
    t.add(Mottle(0.004, t.rng.uniform(0.03, 0.12), t.offset()))
    return WOOL


def _wool(t: Tailor) -> Finish:
    t.add(Mottle(0.003, t.rng.uniform(0.03, 0.16), t.offset()))
    if t.rng.random() < 0.2:
        t.add(Threads(t.rng.uniform(0.01, 0.02), 0.12, 45.0))
    return WOOL


def _fleece(t: Tailor) -> Finish:
    t.add(Mottle(t.rng.uniform(0.006, 0.02), t.rng.uniform(0.05, 0.16), t.offset()))
    return FLEECE


def _corduroy(t: Tailor) -> Finish:
    t.add(Threads(t.rng.uniform(0.002, 0.006), t.rng.uniform(0.15, 0.3), round_=True))
    return WOOL


def _leather(t: Tailor) -> Finish:
    t.ground = np.minimum(t.ground, 0.5)
    t.add(Mottle(0.012, t.rng.uniform(0.02, 0.08), t.offset()))
    t.add(Mottle(0.08, t.rng.uniform(0.03, 0.12), t.offset()))
    return LEATHER


def _satin(t: Tailor) -> Finish:
    t.add(Mottle(0.05, 0.03, t.offset()))
    return SATIN


def _nylon(t: Tailor) -> Finish:
    t.add(Mottle(0.02, 0.02, t.offset()))
    return NYLON


def _lace(t: Tailor) -> Finish:
    below = np.clip(t.ground * t.rng.uniform(0.35, 0.7), 0.014, 0.8)
    tile = floral_tile(t.rng, np.clip(t.ground * np.array([[1.0], [1.1], [0.95]]), 0.014, 0.84))
    thread = t.ground
    t.ground = below
    t.add(Dots(0.008, 0.0026, _triple(thread)))
    t.add(Tile(tile, t.rng.uniform(0.12, 0.25)))
    return COTTON


# Patterns: what is dyed, woven in or printed all over.


def _plain(t: Tailor) -> None:
    pass


def _stripes(t: Tailor) -> None:
    count = int(t.rng.choice([2, 3, 4, 6]))
    colours = np.concatenate([t.ground[None], t.colours(count - 1)])
    if t.rng.random() < 0.4:
        colours = colours[np.arange(count) % 2]
    widths = np.exp(t.rng.uniform(np.log(0.006), np.log(0.07), count))
    t.add(Bands(widths, colours, 90.0 if t.rng.random() < 0.7 else 0.0))


def _breton(t: Tailor) -> None:
    t.ground, stripe = (
        random_dye(t.rng, d) for d in ({"white": 1, "cream": 0.5}, {"navy": 1, "black": 0.6, "red": 0.3})
    )
    if t.rng.random() < 0.25:
        t.ground, stripe = stripe, t.ground
    widths = [t.rng.uniform(0.012, 0.024), t.rng.uniform(0.006, 0.014)]
    inside = (t.rng.uniform(0.06, 0.16), 9.0) if t.rng.random() < 0.4 else None
    t.add(Bands(widths, np.array([t.ground, stripe]), within=inside))


def _pinstripes(t: Tailor) -> None:
    line = t.ground + t.rng.uniform(0.15, 0.6) * (t.against() - t.ground)
    t.add(Bands([t.rng.uniform(0.006, 0.024), 0.001], np.array([t.ground, line]), 0.0))


def _tartan(t: Tailor) -> None:
    count = int(t.rng.integers(3, 7))
    colours = np.concatenate([t.ground[None], t.colours(count - 1)])
    widths = np.exp(t.rng.uniform(np.log(0.002), np.log(0.03), count))
    widths[0] += 0.02
    # A sett is mirrored at its pivots.
    order = np.r_[0:count, count - 2 : 0 : -1]
    t.add(Bands(widths[order] * t.rng.uniform(0.6, 2.0), colours[order], 0.0, crossed=True))


def _gingham(t: Tailor) -> None:
    white = random_dye(t.rng, {"white": 1})
    width = t.rng.uniform(0.003, 0.02)
    t.add(Bands([width, width], np.array([white, t.ground]), 0.0, crossed=True))


def _dots(t: Tailor) -> None:
    period = np.exp(t.rng.uniform(np.log(0.008), np.log(0.06)))
    t.add(Dots(period, period * t.rng.uniform(0.15, 0.33), _triple(t.against())))


def _floral(t: Tailor) -> None:
    t.add(Tile(floral_tile(t.rng, t.colours(4)), t.rng.uniform(0.12, 0.5), t.rng.uniform(-30, 30)))


def _motifs(t: Tailor) -> None:
    t.add(Tile(motif_tile(t.rng, t.colours(3)), t.rng.uniform(0.1, 0.5), t.rng.choice([0.0, 0.0, 45.0])))


def _camouflage(t: Tailor) -> None:
    if t.rng.random() < 0.7:
        t.ground = random_dye(t.rng, {"beige": 1, "olive": 1, "light grey": 0.3})
        others = [random_dye(t.rng, {"olive": 1, "brown": 1, "black": 0.7, "green": 0.4}) for _ in range(3)]
    else:
        others = list(t.colours(3))
    size = t.rng.uniform(0.04, 0.12)
    for colour in others:
        t.add(Patches(size, _triple(colour), t.rng.uniform(0.2, 0.8), 0.05, 1.0, t.offset(), t.rng.uniform(0.5, 1)))


def _tie_dye(t: Tailor) -> None:
    for colour in t.colours(3):
        t.add(Patches(t.rng.uniform(0.08, 0.3), _triple(colour), t.rng.uniform(0, 0.7), 0.9, 0.9, t.offset()))


def _blocks(t: Tailor) -> None:
    """Sleeves, sides, a yoke or a band in another colour."""
    other = _triple(t.against())
    kind = t.rng.random()
    if kind < 0.35:
        for middle in (LEFT_SLEEVE, RIGHT_SLEEVE):
            t.add(Panel((middle - CHART, -1), (middle + CHART, 9), other))
    elif kind < 0.55:
        low = t.rng.uniform(0.05, 0.2)
        for middle in (FRONT, BACK):
            t.add(Panel((middle - CHART, -1), (middle + CHART, low), other))
    elif kind < 0.8:
        low = t.rng.uniform(0.12, 0.35)
        high = low + t.rng.uniform(0.04, 0.2)
        for middle in (FRONT, BACK):
            t.add(Panel((middle - CHART, low), (middle + CHART, high), other))
    else:
        t.add(Panel((FRONT, -1), (FRONT + CHART, 9), other))
        t.add(Panel((BACK - CHART, -1), (BACK, 9), other))
        t.add(Panel((LEFT_SLEEVE - CHART, -1), (LEFT_SLEEVE + CHART, 9), other))


def _gradient(t: Tailor) -> None:
    other, low, soft = _triple(t.against()), t.rng.uniform(0.2, 0.45), t.rng.uniform(0.15, 0.5)
    for middle in (FRONT, BACK):
        t.add(Panel((middle - CHART, low), (middle + CHART, 9), other, soft=soft))


# Details: what is sewn or printed at one place.


def _print(t: Tailor) -> None:
    picture, tall = chest_print(t.rng, t.colours(4))
    width = t.rng.uniform(0.14, 0.32)
    middle = BACK if t.rng.random() < 0.2 else FRONT
    top = t.rng.uniform(0.09, 0.15)
    t.add(Decal(picture, (middle + t.rng.normal(0, 0.004), top + width * tall / 2), (width, width * tall)))


def _logo(t: Tailor) -> None:
    picture, tall = chest_print(t.rng, t.colours(2))
    width = t.rng.uniform(0.03, 0.09)
    u = FRONT + (0.09 if t.rng.random() < 0.8 else -0.09)
    t.add(Decal(picture, (u, t.rng.uniform(0.12, 0.18)), (width, width * min(tall, 1.0))))


def _opening(t: Tailor, low: float) -> None:
    half = t.rng.uniform(0.012, 0.02)
    if t.rng.random() < 0.2:
        t.add(Panel((FRONT - half, -0.1), (FRONT + half, low), gain=t.rng.uniform(0.7, 1.3)))
    t.seams([(FRONT - half, -0.1, FRONT - half, low), (FRONT + half, -0.1, FRONT + half, low)], False)


def _buttons(t: Tailor, low: float = 1.2) -> None:
    _opening(t, low)
    step = t.rng.uniform(0.07, 0.11)
    v = np.arange(0.03, low, step)
    colour = t.against() if t.rng.random() < 0.6 else t.ground * 1.25 + 0.02
    t.add(Discs(np.stack([np.full(len(v), FRONT), v], 1), t.rng.uniform(0.004, 0.011), _triple(colour)))


def _placket(t: Tailor) -> None:
    _buttons(t, t.rng.uniform(0.1, 0.17))


def _zip(t: Tailor) -> None:
    low = t.rng.uniform(0.5, 1.2)
    metal = np.full(3, 0.45) if t.rng.random() < 0.5 else t.ground * 0.5
    t.add(Lines(np.array([(FRONT, -0.1, FRONT, low)]), t.rng.uniform(0.004, 0.009), _triple(metal), dashes=0.002))
    t.add(
        Lines(
            np.array([(FRONT - 0.011, -0.1, FRONT - 0.011, low), (FRONT + 0.011, -0.1, FRONT + 0.011, low)]),
            0.002,
            gain=0.6,
        )
    )


def _pocket(t: Tailor) -> None:
    u, v, w, h = FRONT + 0.085, 0.15, 0.11, 0.12
    sides = [(u - w / 2, v, u - w / 2, v + h), (u + w / 2, v, u + w / 2, v + h), (u - w / 2, v + h, u, v + h + 0.015)]
    t.seams([(u - w / 2, v, u + w / 2, v), (u, v + h + 0.015, u + w / 2, v + h), *sides], False)


def _pockets(t: Tailor) -> None:
    v = t.rng.uniform(0.33, 0.45)
    t.seams([(s * 0.08, v, s * 0.15, v + 0.13) for s in (-1, 1)])


def _pouch(t: Tailor) -> None:
    v = t.rng.uniform(0.32, 0.4)
    t.seams([(-0.09, v, 0.09, v), (-0.09, v, -0.15, v + 0.15), (0.09, v, 0.15, v + 0.15)], False)


def _lapel(t: Tailor) -> None:
    low = t.rng.uniform(0.2, 0.35)
    t.seams(
        [(s * 0.01, low, s * 0.1, 0.02) for s in (-1, 1)] + [(s * 0.1, 0.02, s * 0.045, 0.06) for s in (-1, 1)], False
    )


def _fly(t: Tailor) -> None:
    # Left and right leg's charts both begin at the waist; the fly lies at their inner rims.
    gain = float(t.rng.uniform(0.6, 0.85))
    t.add(
        Lines(
            np.array([(LEFT_LEG - 0.14, 0.0, LEFT_LEG - 0.14, 0.2), (RIGHT_LEG + 0.14, 0.0, RIGHT_LEG + 0.14, 0.2)]),
            0.004,
            gain=gain,
        )
    )
    for middle in (LEFT_LEG, RIGHT_LEG):
        t.add(Panel((middle - CHART, -0.2), (middle + CHART, t.rng.uniform(0.025, 0.04)), gain=gain))
    if t.rng.random() < 0.35:
        belt = random_dye(t.rng, {"black": 1, "brown": 0.8})
        for middle in (LEFT_LEG, RIGHT_LEG):
            t.add(Panel((middle - CHART, -0.05), (middle + CHART, 0.035), _triple(belt)))


def _legs(t: Tailor) -> None:
    """Side seams and pockets of trousers."""
    out = 0.125
    ends = []
    for middle, s in ((LEFT_LEG, 1), (RIGHT_LEG, -1)):
        ends += [(middle + s * out, 0, middle + s * out, 1.3), (middle - s * out, 0.25, middle - s * out, 1.3)]
        ends += [(middle + s * 0.03, 0.03, middle + s * 0.11, 0.15)]
    t.seams(ends)


def _side(t: Tailor) -> None:
    colour = _triple(t.against())
    count, width = int(t.rng.integers(1, 4)), t.rng.uniform(0.006, 0.025)
    for middle, s in ((LEFT_LEG, 1), (RIGHT_LEG, -1)):
        u = middle + s * 0.12 + (np.arange(count) - (count - 1) / 2) * 1.9 * width
        t.add(Lines(np.stack([u, np.full(count, -0.1), u, np.full(count, 1.4)], 1), width, colour))


def _crease(t: Tailor) -> None:
    t.add(Lines(np.array([(m, 0.15, m, 1.3) for m in (LEFT_LEG, RIGHT_LEG)]), 0.003, gain=1.12))


def _cargo(t: Tailor) -> None:
    ends = []
    for middle, s in ((LEFT_LEG, 1), (RIGHT_LEG, -1)):
        a, b, v = middle + s * 0.04, middle + s * 0.19, 0.42
        ends += [
            (a, v, b, v),
            (a, v + 0.05, b, v + 0.05),
            (a, v, a, v + 0.18),
            (b, v, b, v + 0.18),
            (a, v + 0.18, b, v + 0.18),
        ]
    t.seams(ends)


def _rips(t: Tailor) -> None:
    pale = _triple(np.minimum(t.ground * 3 + 0.25, 0.8))
    ends = []
    for middle in (LEFT_LEG, RIGHT_LEG):
        for _ in range(int(t.rng.integers(1, 6))):
            u, v, w = middle + t.rng.normal(0, 0.04), t.rng.uniform(0.25, 0.65), t.rng.uniform(0.02, 0.07)
            ends.append((u - w, v, u + w, v + t.rng.normal(0, 0.006)))
    t.add(Lines(np.array(ends), t.rng.uniform(0.003, 0.012), pale))


def _laces(t: Tailor) -> None:
    colour = _triple(t.against())
    v = np.arange(0.0, 0.1, 0.014)
    t.add(Lines(np.stack([np.full(len(v), FEET - 0.02), v, np.full(len(v), FEET + 0.02), v + 0.006], 1), 0.005, colour))


def _shoe(t: Tailor) -> None:
    """Toe, heel and stripes in other colours."""
    other = t.against() if t.rng.random() < 0.5 else t.ground * t.rng.uniform(0.4, 1.8)
    colour = _triple(np.clip(other, 0.014, 0.84))
    for low, high in t.rng.uniform(-0.14, 0.14, (int(t.rng.integers(1, 4)), 2)):
        u, v = FEET + min(low, high), t.rng.uniform(-0.02, 0.1)
        t.add(Panel((u, v), (u + t.rng.uniform(0.01, 0.09), v + t.rng.uniform(0.01, 0.1)), colour))


CLOTHS: dict[str, Callable[[Tailor], Finish]] = {
    "cotton": _cotton, "jersey": _jersey, "canvas": _canvas, "denim": _denim, "knit": _knit, "wool": _wool,
    "fleece": _fleece, "corduroy": _corduroy, "leather": _leather, "satin": _satin, "nylon": _nylon, "lace": _lace,
}  # fmt: skip
PATTERNS: dict[str, Callable[[Tailor], None]] = {
    "plain": _plain, "stripes": _stripes, "breton": _breton, "pinstripes": _pinstripes, "tartan": _tartan,
    "gingham": _gingham, "dots": _dots, "floral": _floral, "motifs": _motifs, "camouflage": _camouflage,
    "tie-dye": _tie_dye, "blocks": _blocks, "gradient": _gradient,
}  # fmt: skip
DETAILS: dict[str, Callable[[Tailor], None]] = {
    "print": _print, "logo": _logo, "buttons": _buttons, "placket": _placket, "zip": _zip, "pocket": _pocket,
    "pockets": _pockets, "pouch": _pouch, "lapel": _lapel, "fly": _fly, "legs": _legs, "side": _side,
    "crease": _crease, "cargo": _cargo, "rips": _rips, "laces": _laces, "shoe": _shoe,
}  # fmt: skip


def chosen(rng: np.random.Generator, shares: dict[str, float]) -> str:
    names = tuple(shares)
    share = np.array([shares[n] for n in names], float)
    return names[int(rng.choice(len(names), p=share / share.sum()))]


def _triple(colour: np.ndarray) -> tuple[float, float, float]:
    return float(colour[0]), float(colour[1]), float(colour[2])
