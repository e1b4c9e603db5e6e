"""Beards and moustaches: a posed `Body` and a random generator in, pieces labelled "hair" out.

A thin layer follows jaw and lip; short locks grow from it, hang and keep out of the skin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.body.model import Body
from lookalike.errors import LookalikeError
from lookalike.people.forms import Form, joined, ripple, sheet, smoothstep, unit
from lookalike.people.hair.locks import grow, ribbons
from lookalike.people.hair.scalp import Head, directions, skull_centre
from lookalike.people.looks.hair_paint import HAIR, HairPaint, random_hair_paint
from lookalike.people.scene import Piece


@dataclass(frozen=True)
class BeardStyle:
    """What a beard is like.

    wide : azimuth (degrees) to which it goes; 80 reaches the sideburns.  long : (2,) shortest and longest, metres.
    moustache : whether there is one.  chin : whether there is more than that.  share : how common it is.
    """

    wide: float
    long: tuple[float, float]
    moustache: bool = True
    chin: bool = True
    share: float = 1.0


BEARDS = {
    "short": BeardStyle(80, (0.004, 0.010), share=5),
    "full": BeardStyle(80, (0.015, 0.035), share=3),
    "long": BeardStyle(78, (0.06, 0.16), share=0.6),
    "goatee": BeardStyle(24, (0.006, 0.03), share=1.5),
    "chin curtain": BeardStyle(80, (0.006, 0.02), moustache=False, share=0.5),
    "moustache": BeardStyle(0, (0.006, 0.012), chin=False, share=1.5),
}


def grow_beard(
    body: Body, rng: np.random.Generator, style: str | None = None, paint: HairPaint | None = None
) -> list[Piece]:
    """A beard on a posed body. style : one of `BEARDS`, None for any.  paint : as the hair's, None for any colour."""
    if style is None:
        share = np.array([b.share for b in BEARDS.values()])
        style = list(BEARDS)[int(rng.choice(len(BEARDS), p=share / share.sum()))]
    if style not in BEARDS:
        raise LookalikeError(f"There is no beard '{style}': choose one of {', '.join(BEARDS)}.")
    kind = BEARDS[style]
    head = Head.of(body)
    centre, _ = skull_centre(body)
    names = ["face/61", "face/0", "face/291", "face/2", "face/17"]
    right, lip, left, nose, below = body.model.landmark_points(body.rest, names) - centre
    forms = []
    if kind.chin:
        forms += _jaw(head, rng, kind, float(left[1]), float(below[1]))
    if kind.moustache:
        forms += _moustache(head, rng, kind, (right, lip, left), nose)
    form = joined(forms)
    return [head.placed(form).piece("beard", "hair", paint or random_hair_paint(rng), HAIR)]


def _jaw(head: Head, rng: np.random.Generator, kind: BeardStyle, mouth: float, below: float) -> list[Form]:
    """Chin, cheeks and what grows there. mouth, below : heights of the mouth's corners and of the lower lip's rim."""
    size, wide = head.size, np.radians(kind.wide)
    columns, rows = 61, 15
    azimuth = np.linspace(-wide, wide, columns)
    across = np.degrees(np.abs(azimuth))
    cheek = rng.uniform(-0.02, 0.06) * size
    # Heights of the upper edge by azimuth: under the lip, round the mouth's corner, over the cheek, to the ear.
    corner = mouth + 0.005 * size if kind.moustache else below - 0.03 * size
    places = [0, 7, 13, 20, 40, 60, 74, 80]
    heights = [below - 0.02 * size, below - 0.01 * size, mouth - 0.02 * size, corner, mouth + cheek]
    heights += [mouth + 1.2 * cheek + 0.13 * size, -0.15 * size, -0.13 * size]
    upper = np.interp(across, places, heights) + 0.004 * size * ripple(azimuth[:, None], rng, 0.15)
    lower = np.radians(np.interp(across, [0, 30, 60, 80], [-68, -62, -50, -32]))
    if not kind.moustache:
        lower = np.minimum(lower, np.radians(-40))
    top = _elevation(head, azimuth, upper)
    t = np.linspace(0, 1, rows)[:, None]
    ways = directions(top + t * (np.minimum(lower, top - 0.05) - top), azimuth[None])
    flat = ways.reshape(-1, 3)
    inward = 1 - np.abs(azimuth) / wide
    fade = smoothstep(t, 0.0, 0.25) * smoothstep(1 - t, 0.0, 0.3) * smoothstep(inward, 0.0, 0.15)[None]
    deep = min(kind.long[1], 0.02) * rng.uniform(0.35, 0.6)
    rise = (0.0011 + deep * fade.ravel() * (0.85 + 0.15 * ripple(flat, rng, 0.08))) * head.scale
    points = head.surface(flat)
    for _ in range(2):
        away, normal = head.clearance(points)
        points = points + (rise - away)[:, None] * normal
    layer = sheet(points.reshape(rows, columns, 3)[::-1])

    count = 260 if kind.wide > 40 else 90
    i = rng.integers(1, rows - 2, count)
    j = rng.integers(1, columns - 1, count)
    grid = points.reshape(rows, columns, 3)
    mix = rng.random((count, 2, 1))
    roots = grid[i, j] + mix[:, 0] * (grid[i + 1, j] - grid[i, j]) + mix[:, 1] * (grid[i, j - 1] - grid[i, j])
    long = (
        rng.uniform(0.75, 1.0, count)
        * rng.uniform(*kind.long)
        * (0.25 + 0.75 * inward[j] ** (1.5 if kind.long[1] > 0.05 else 0.7))
    )
    down = -0.7 * head.up - np.array([0, 0.5, 0])

    def comb(places: np.ndarray, normals: np.ndarray) -> np.ndarray:
        wish = down + 0 * places
        wish[:, 0] -= 5.0 * places[:, 0]
        return unit(wish - 0.6 * np.minimum(np.einsum("ni,ni->n", wish, normals), 0)[:, None] * normals)

    start = unit(comb(roots, head.clearance(roots)[1]) + 0.6 * head.clearance(roots)[1])
    long = (0.007 + long) * head.scale
    height = (0.3 * np.minimum(long, 0.03) + deep) * rng.uniform(0.3, 1.0, count)
    locks = grow(head, roots - 0.001 * unit(roots), start, long, height, comb, 6, 0.3, 0.0)
    # Nothing grows over the mouth.
    locks = locks.cut_where(np.where(locks.paths[..., 2] < 0, 0.005, -1.0), least=0.008)
    width = rng.uniform(0.006, 0.011, count) * head.scale
    return [layer, ribbons(locks, width, 0.4 * width, rng, 0.2)]


def _moustache(
    head: Head,
    rng: np.random.Generator,
    kind: BeardStyle,
    lip: tuple[np.ndarray, np.ndarray, np.ndarray],
    nose: np.ndarray,
) -> list[Form]:
    """The strip between nose and upper lip. lip : its right corner, middle and left corner."""
    right, middle, left = lip
    columns, rows = 33, 7
    x = np.linspace(-1, 1, columns)
    span = rng.uniform(1.05, 1.25)
    droop = rng.uniform(0.0, 0.012) * head.scale
    # A parabola through the corners and the middle of the lip.
    base = middle + (x**2)[:, None] * ((left + right) / 2 - middle) + (x * span)[:, None] * (left - right) / 2
    base[:, 1] += 0.0015 - droop * np.abs(x) ** 3
    gap = 0.72 * (nose[1] - middle[1]) * (1 - 0.75 * np.abs(x) ** 1.5)
    grid = base[None] + np.linspace(0, 1, rows)[:, None, None] * np.array([0, 1.0, 0]) * gap[None, :, None]
    flat = grid.reshape(-1, 3)
    bulge = np.sin(np.linspace(0.15, np.pi, rows))[:, None] * (1 - np.abs(x) ** 3)[None]
    rise = 0.0012 + 0.35 * min(kind.long[1], 0.014) * bulge.ravel() * (0.85 + 0.2 * ripple(flat, rng, 0.01))
    for _ in range(3):
        away, normal = head.clearance(flat)
        flat = flat + (rise * head.scale - away)[:, None] * normal
    layer = sheet(flat.reshape(rows, columns, 3))
    count = 60
    i, j = rng.integers(1, rows - 1, count), rng.integers(1, columns - 1, count)
    roots = flat.reshape(rows, columns, 3)[i, j]
    side = np.sign(x[j] + 1e-3)
    wish = np.stack([side * (0.4 + 0.6 * np.abs(x[j])), np.full(count, -0.7), np.full(count, 0.1)], 1)
    comb = lambda places, normals: unit(wish)  # noqa: E731
    long = rng.uniform(0.008, 0.014, count) * head.scale
    locks = grow(head, roots, unit(wish + 0.4 * head.clearance(roots)[1]), long, 0.3 * long, comb, 4, 0.4, 0.0)
    width = rng.uniform(0.003, 0.006, count) * head.scale
    return [layer, ribbons(locks, width, 0.4 * width, rng, 0.2)]


def _elevation(head: Head, azimuth: np.ndarray, height: np.ndarray) -> np.ndarray:
    """(n,) elevations at which the face has these heights (n,)."""
    steps = np.radians(np.linspace(10, -65, 76))
    y = head.surface(directions(steps[:, None], azimuth[None]))[..., 1]
    return steps[np.clip((y > height).cumprod(0).sum(0), 0, len(steps) - 1)]
