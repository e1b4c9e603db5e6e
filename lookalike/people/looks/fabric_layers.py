"""What fabrics are made of: threads, stripes, checks, dots, stains, prints, seams. Colours at places in, colours out.

Places are the wardrobe's texture coordinates: metres on the cloth. Each layer changes the colours that lie below it and
knows how far apart the picture's samples are: what is finer is averaged as far as possible exactly, so nothing flickers.
Layers only colour: folds are the geometry's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import numpy as np

from lookalike.people.looks.paint import ImagePaint
from lookalike.render.texture import bilinear

#: Where the charts' middles are along u.
FRONT, BACK, LEFT_SLEEVE, RIGHT_SLEEVE, LEFT_LEG, RIGHT_LEG, SKIRT, HOOD, FEET = (
    0.0,
    5.0,
    10.0,
    20.0,
    30.0,
    40.0,
    50.0,
    60.0,
    70.0,
)

#: Half the width of a chart.
CHART = 1.5

#: Texels of the noise, and how many of them one of its lumps is.
NOISE_SIZE, NOISE_LUMP = 512, 8


class Layer(Protocol):
    """One thing that is done to a cloth's colour."""

    def over(self, colour: np.ndarray, uv: np.ndarray, spacing: float) -> np.ndarray:
        """(r, 3) linear colours with this layer. colour : (r, 3), may be changed.  uv : (r, 2) metres."""
        ...


@dataclass(frozen=True)
class Threads:
    """Darker and lighter rows: ribs, cords, a weave's or a knit's grain, a twill.

    period : metres.  depth : how much darker the grooves are.  way : degrees of the direction across the rows; 0 is u.
    round_ : whether rows are round (cords, ribs) rather than even sines.
    """

    period: float
    depth: float
    way: float = 0.0
    round_: bool = False

    def over(self, colour: np.ndarray, uv: np.ndarray, spacing: float) -> np.ndarray:
        fade = faded(self.period, spacing)
        if fade <= 0:
            return colour
        a = np.radians(self.way)
        phase = (uv[:, 0] * np.float32(np.cos(a)) + uv[:, 1] * np.float32(np.sin(a))) * np.float32(1 / self.period)
        if self.round_:
            wave = 1.27 * np.abs(np.sin(np.pi * phase)) ** 0.6 - 1.0
        else:
            wave = np.sin(2 * np.pi * phase)
        colour *= (1 + np.float32(self.depth * fade) * wave)[:, None]
        return colour


@dataclass(frozen=True)
class Cables:
    """Knitted cables down the cloth. period : metres from cable to cable.  depth : how dark their gaps are."""

    period: float
    depth: float

    def over(self, colour: np.ndarray, uv: np.ndarray, spacing: float) -> np.ndarray:
        across = uv[:, 0] / self.period
        across = across - np.round(across)
        swing = 0.13 * np.sin(2 * np.pi * uv[:, 1] / (0.8 * self.period))
        rope = np.minimum(np.abs(across - swing), np.abs(across + swing))
        groove = np.exp(-((np.minimum(np.abs(np.abs(across) - 0.3), rope) / 0.05) ** 2))
        colour *= (1 - np.float32(self.depth * faded(0.3 * self.period, spacing)) * groove)[:, None].astype(np.float32)
        return colour


class Bands:
    """Stripes across one direction, or two, as in checks and tartans.

    widths : (k,) metres, colours : (k, 3) linear: one repeat.  way : degrees of the direction across them; 0 is u, so
        stripes that run down.  crossed : with the same at right angles, half and half.
    within : (from, to) in v, or None: only there.
    """

    def __init__(
        self,
        widths: Sequence[float],
        colours: np.ndarray,
        way: float = 90.0,
        crossed: bool = False,
        within: tuple[float, float] | None = None,
    ):
        self.period = float(np.sum(widths))
        self.way, self.crossed, self.within = np.radians(way), crossed, within
        #: The colours' integral from zero, which is linear between the stripes' edges.
        self._ends = np.concatenate([[0.0], np.cumsum(widths)])
        steps = np.asarray(widths)[:, None] * np.asarray(colours)
        self._whole = np.concatenate([np.zeros((1, 3)), np.cumsum(steps, 0)])

    def over(self, colour: np.ndarray, uv: np.ndarray, spacing: float) -> np.ndarray:
        out = self._across(uv, self.way, spacing)
        if self.crossed:
            out = (out + self._across(uv, self.way + np.pi / 2, spacing)) / 2
        if self.within is None:
            return out.astype(np.float32)
        share = box(uv[:, 1], *self.within, spacing)[:, None]
        return (colour + share * (out - colour)).astype(np.float32)

    def _across(self, uv: np.ndarray, way: float, spacing: float) -> np.ndarray:
        x = uv[:, 0] * np.cos(way) + uv[:, 1] * np.sin(way)
        width = max(spacing, 1e-4)
        return (self._integral(x + width / 2) - self._integral(x - width / 2)) / width

    def _integral(self, x: np.ndarray) -> np.ndarray:
        turns = np.floor(x / self.period)
        rest = x - turns * self.period
        return np.stack(
            [np.interp(rest, self._ends, self._whole[:, c]) + turns * self._whole[-1, c] for c in range(3)], 1
        )


@dataclass(frozen=True)
class Dots:
    """Round dots on a grid whose every second row is shifted. period, radius : metres.  colour : (3,) linear."""

    period: float
    radius: float
    colour: tuple[float, float, float]

    def over(self, colour: np.ndarray, uv: np.ndarray, spacing: float) -> np.ndarray:
        row = np.round(uv[:, 1] / self.period)
        x = uv[:, 0] / self.period + 0.5 * (row % 2)
        away = self.period * np.hypot(x - np.round(x), uv[:, 1] / self.period - row)
        share = np.clip((self.radius - away) / max(spacing, 1e-4) + 0.5, 0, 1)
        fade = faded(self.period, spacing)
        share = (fade * share + (1 - fade) * np.pi * (self.radius / self.period) ** 2).astype(np.float32)
        return mixed(colour, share, self.colour)


@dataclass(frozen=True)
class Mottle:
    """Uneven dye, wool's mixed fibres, washing: lighter and darker places.

    size : metres of a lump.  depth : standard deviation.  stretch : how much longer lumps are down the cloth.
    tint : (3,) how much each colour channel takes part.
    """

    size: float
    depth: float
    offset: tuple[float, float] = (0.0, 0.0)
    stretch: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def over(self, colour: np.ndarray, uv: np.ndarray, spacing: float) -> np.ndarray:
        value = noise(uv, self.size, self.offset, spacing, self.stretch)
        colour *= np.clip(1 + np.float32(self.depth) * value[:, None] * np.array(self.tint, np.float32), 0.2, 2.5)
        return colour


@dataclass(frozen=True)
class Patches:
    """Places where a noise is high take another colour: camouflage, stains, wear, tie-dye, marbling.

    size : metres.  colour : (3,).  level : in standard deviations.  soft : width of the border in the same.
    strength : how much of the new colour there is inside.
    """

    size: float
    colour: tuple[float, float, float]
    level: float = 0.0
    soft: float = 0.1
    strength: float = 1.0
    offset: tuple[float, float] = (0.0, 0.0)
    stretch: float = 1.0

    def over(self, colour: np.ndarray, uv: np.ndarray, spacing: float) -> np.ndarray:
        value = noise(uv, self.size, self.offset, spacing, self.stretch)
        value = value + 0.45 * noise(uv, self.size * 0.4, self.offset[::-1], spacing, self.stretch)
        border = max(self.soft, 2 * spacing / self.size)
        share = np.float32(self.strength) * np.clip((value - self.level) / border + 0.5, 0, 1)
        return mixed(colour, share, self.colour)


@dataclass(frozen=True)
class Tile:
    """A picture that repeats. period : metres of its side.  turn : degrees."""

    paint: ImagePaint
    period: float
    turn: float = 0.0

    def over(self, colour: np.ndarray, uv: np.ndarray, spacing: float) -> np.ndarray:
        return covered(colour, self.paint.sample(turned(uv, self.turn) / self.period, spacing / self.period))


@dataclass(frozen=True)
class Decal:
    """A picture printed or sewn at one place.

    centre : (u, v).  size : metres (width, height).  turn : degrees.
    """

    paint: ImagePaint
    centre: tuple[float, float]
    size: tuple[float, float]
    turn: float = 0.0

    def over(self, colour: np.ndarray, uv: np.ndarray, spacing: float) -> np.ndarray:
        reach = 0.5 * float(np.hypot(*self.size)) + spacing
        rows = _near(uv, self.centre, reach)
        local = turned(uv[rows] - np.array(self.centre, np.float32), self.turn) / np.array(self.size, np.float32) + 0.5
        inside = (local[:, 0] > 0) & (local[:, 0] < 1) & (local[:, 1] > 0) & (local[:, 1] < 1)
        rows, local = rows[inside], local[inside]
        if len(rows):
            step = spacing / float(np.sqrt(self.size[0] * self.size[1]))
            colour[rows] = covered(colour[rows], self.paint.sample(local, step))
        return colour


@dataclass(frozen=True)
class Lines:
    """Seams, stitches, zips, pockets' rims: straight lines on the charts.

    ends : (k, 4) u, v of both ends.  width : metres.  colour : (3,), or `gain` for a multiple of the cloth's own.
    dashes : length of stitches, 0 for a whole line.
    """

    ends: np.ndarray
    width: float
    colour: tuple[float, float, float] | None = None
    gain: float = 0.75
    dashes: float = 0.0

    def over(self, colour: np.ndarray, uv: np.ndarray, spacing: float) -> np.ndarray:
        width = max(spacing, 1e-4)
        # A line thinner than the spacing is as faint as it is thin.
        strength = min(1.0, self.width / width)
        half = max(self.width, width) / 2
        for u0, v0, u1, v1 in np.asarray(self.ends, np.float32):
            low = np.array([min(u0, u1), min(v0, v1)]) - half - width
            high = np.array([max(u0, u1), max(v0, v1)]) + half + width
            rows = np.flatnonzero(
                (uv[:, 0] > low[0]) & (uv[:, 0] < high[0]) & (uv[:, 1] > low[1]) & (uv[:, 1] < high[1])
            )
            if not len(rows):
                continue
            along = np.array([u1 - u0, v1 - v0])
            length = max(float(np.hypot(*along)), 1e-6)
            along /= length
            u, v = uv[rows, 0] - u0, uv[rows, 1] - v0
            place = u * along[0] + v * along[1]
            away = np.abs(v * along[0] - u * along[1])
            share = strength * np.clip((half - away) / width + 0.5, 0, 1) * box(place, 0, length, width)
            if self.dashes:
                fade = faded(2 * self.dashes, spacing)
                share *= 1 - fade * 0.9 * (np.sin(np.pi * place / self.dashes) < 0)
            own = colour[rows] * np.float32(self.gain) if self.colour is None else np.array(self.colour, np.float32)
            colour[rows] += share[:, None].astype(np.float32) * (own - colour[rows])
        return colour


@dataclass(frozen=True)
class Panel:
    """A part of the garment in another colour: yokes, sleeves, blocks, plackets, pockets.

    low, high : (u, v) corners.  colour : (3,), or None for a `gain` of the cloth's own.  soft : width of its rims.
    """

    low: tuple[float, float]
    high: tuple[float, float]
    colour: tuple[float, float, float] | None = None
    gain: float = 1.0
    soft: float = 0.0

    def over(self, colour: np.ndarray, uv: np.ndarray, spacing: float) -> np.ndarray:
        spacing = max(spacing, self.soft)
        rows = np.flatnonzero((uv[:, 0] > self.low[0] - spacing) & (uv[:, 0] < self.high[0] + spacing))
        if not len(rows):
            return colour
        share = box(uv[rows, 0], self.low[0], self.high[0], spacing) * box(
            uv[rows, 1], self.low[1], self.high[1], spacing
        )
        own = colour[rows] * np.float32(self.gain) if self.colour is None else np.array(self.colour, np.float32)
        colour[rows] += share[:, None].astype(np.float32) * (own - colour[rows])
        return colour


@dataclass(frozen=True)
class Discs:
    """Buttons, studs, eyelets. centres : (k, 2).  radius : metres.  colour : (3,)."""

    centres: np.ndarray
    radius: float
    colour: tuple[float, float, float]

    def over(self, colour: np.ndarray, uv: np.ndarray, spacing: float) -> np.ndarray:
        width = max(spacing, 1e-4)
        reach = self.radius + 2 * width
        centres = np.asarray(self.centres, np.float32)
        # Buttons mostly lie in a row: only the strip around it is asked again for each.
        low, high = centres[:, 0].min() - reach, centres[:, 0].max() + reach
        strip = np.flatnonzero((uv[:, 0] > low) & (uv[:, 0] < high))
        for centre in centres:
            rows = strip[_near(uv[strip], centre, reach)]
            if not len(rows):
                continue
            away = np.hypot(*(uv[rows] - centre).T)
            share = np.clip((max(self.radius, width / 2) - away) / width + 0.5, 0, 1)
            share *= min(1.0, (2 * self.radius / width) ** 2)
            # A thin shadow around it sets it off.
            ring = 0.25 * np.exp(-(((away - self.radius) / (0.35 * self.radius + 0.5 * width)) ** 2))
            colour[rows] *= (1 - ring)[:, None].astype(np.float32)
            colour[rows] = mixed(colour[rows], share, self.colour)
        return colour


@dataclass(frozen=True)
class Faded:
    """Denim worn pale: thighs, knees and seat, and lengthwise slubs.

    amount : how much paler, as a power of light.  colour : (3,) of the bare thread.
    """

    amount: float
    colour: tuple[float, float, float] = (0.55, 0.62, 0.7)
    slub: float = field(default=0.10)
    offset: tuple[float, float] = (0.0, 0.0)

    def over(self, colour: np.ndarray, uv: np.ndarray, spacing: float) -> np.ndarray:
        share = np.zeros(len(uv), np.float32)
        for middle in (LEFT_LEG, RIGHT_LEG):
            rows = np.flatnonzero(np.abs(uv[:, 0] - middle) < CHART)
            u, v = uv[rows, 0] - middle, uv[rows, 1]
            front = np.exp(-((u / 0.09) ** 2))
            thigh, knee = np.exp(-(((v - 0.33) / 0.18) ** 2)), 0.6 * np.exp(-(((v - 0.6) / 0.1) ** 2))
            share[rows] = front * np.maximum(thigh, knee)
        value = noise(uv, 0.03, self.offset, spacing, 1.5)
        share = np.clip(np.float32(self.amount) * share * (1 + 0.25 * value), 0, 0.9)
        fine = noise(uv, 0.0022, self.offset[::-1], spacing, 14.0)
        colour *= (1 + np.float32(self.slub) * fine)[:, None]
        return mixed(np.maximum(colour, 0), share, self.colour)


def _near(uv: np.ndarray, centre: Sequence[float], reach: float) -> np.ndarray:
    """Numbers of the places (r, 2) in the square around a centre."""
    return np.flatnonzero((np.abs(uv[:, 0] - centre[0]) < reach) & (np.abs(uv[:, 1] - centre[1]) < reach))


def faded(period: float, spacing: float) -> float:
    """How much of a pattern of this period remains: all where it is four samples long, nothing where it is less than two."""
    return float(np.clip(period / max(2 * spacing, 1e-9) - 1, 0, 1))


def box(x: np.ndarray, low: float, high: float, spacing: float) -> np.ndarray:
    """(r,) how much of a sample's width around x lies between two values."""
    width = max(spacing, 1e-6)
    return np.clip((np.minimum(x + width / 2, high) - np.maximum(x - width / 2, low)) / width, 0, 1)


def mixed(colour: np.ndarray, share: np.ndarray, other: Sequence[float]) -> np.ndarray:
    return colour + share[:, None].astype(np.float32) * (np.array(other, np.float32) - colour)


def covered(colour: np.ndarray, print_: np.ndarray) -> np.ndarray:
    """Colours (r, 3) under a print (r, 3), or (r, 4) with alpha."""
    return print_ if print_.shape[1] == 3 else colour + print_[:, 3:] * (print_[:, :3] - colour)


def turned(uv: np.ndarray, degrees: float) -> np.ndarray:
    if not degrees:
        return uv
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    u, v = uv[:, 0], uv[:, 1]
    return np.stack([c * u - s * v, s * u + c * v], 1).astype(np.float32)


def noise(uv: np.ndarray, size: float, offset: tuple[float, float], spacing: float, stretch: float = 1.0) -> np.ndarray:
    """(r,) smooth random numbers of standard deviation one. size : metres of a lump; finer than the spacing fades."""
    fade = faded(2 * size, spacing)
    if fade <= 0:
        return np.zeros(len(uv), np.float32)
    table = _noise_table()
    x = (uv[:, 0] / size * NOISE_LUMP + NOISE_SIZE * offset[0]) % NOISE_SIZE
    y = (uv[:, 1] / (size * stretch) * NOISE_LUMP + NOISE_SIZE * offset[1]) % NOISE_SIZE
    return np.float32(fade) * bilinear(table, x, y)


@lru_cache(maxsize=1)
def _noise_table() -> np.ndarray:
    """(NOISE_SIZE + 1, NOISE_SIZE + 1) float32, its last row and column the first again."""
    import cv2

    raw = np.random.default_rng(20).standard_normal((NOISE_SIZE, NOISE_SIZE)).astype(np.float32)
    pad = 4 * NOISE_LUMP
    out = cv2.GaussianBlur(np.pad(raw, pad, mode="wrap"), (0, 0), NOISE_LUMP / 2.5)[pad:-pad, pad:-pad]
    out = (out - out.mean()) / out.std()
    return np.pad(out, (0, 1), mode="wrap")
