"""Short hair and hair that stands by itself: a `Groomer` in, forms in the head's frame out, one function a style."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lookalike.people.forms import Form, lumps, smoothstep, unit
from lookalike.people.hair.grooming import Groomer
from lookalike.people.hair.locks import grow, lifted, ribbons


def buzz(g: Groomer) -> list[Form]:
    high = g.rng.uniform(0.0025, 0.005)
    return [g.cap(high, 0.00035, 36)]


def short(
    g: Groomer, high=(0.005, 0.014), long=(0.028, 0.055), lift=0.45, messy=0.25, fade=0.6, count=330
) -> list[Form]:
    """Cropped all round, longer on top."""

    def tall(ways: np.ndarray) -> np.ndarray:
        top = smoothstep(ways[:, 1], 0.1, 0.75)
        return high[0] * (1 - fade * (1 - top)) + (high[1] - high[0]) * top * 0.6

    comb = g.radial(swirl=g.rng.uniform(-0.4, 0.4), messy=messy)
    roots = g.roots(count)
    n = len(roots)
    top = smoothstep(roots[:, 1] / g.head.size, -0.05, 0.3)
    factor = 1 - fade * (1 - top)
    length = g.jitter(n, *long) * factor
    height = (g.s * high[0] + (high[1] - high[0]) * g.s * g.rng.random(n)) * factor
    locks = grow(g.head, roots, g.start(roots, comb, lift), length, height, comb, 5, 0.5, cling=0.6)
    locks = g.clear_of_face(locks)
    body = ribbons(locks, g.jitter(n, 0.009, 0.016) * (0.6 + 0.4 * factor), g.jitter(n, 0.003, 0.006), g.rng, 0.25)
    return [g.cap(tall, 0.0008), body]


def crew(g: Groomer) -> list[Form]:
    return short(g, (0.004, 0.009), (0.016, 0.026), 0.6, 0.1, 0.7)


def textured(g: Groomer) -> list[Form]:
    return short(g, (0.007, 0.022), (0.04, 0.075), 0.55, 0.5, 0.55, 300)


def receding(g: Groomer) -> list[Form]:
    return short(g, (0.003, 0.007), (0.018, 0.03), 0.3, 0.1, 0.6, 220)


def horseshoe(g: Groomer) -> list[Form]:
    """Bald on top."""
    limit = np.radians(g.rng.uniform(22, 40))
    comb = g.radial(0.1, 0.6)
    roots = g.roots(420)
    front = np.arctan2(np.abs(roots[:, 0]), roots[:, 2])
    elevation = np.arctan2(roots[:, 1], np.hypot(roots[:, 0], roots[:, 2]))
    roots = roots[(elevation < limit + g.rng.normal(0, 0.06, len(roots))) & (front > 0.8)]
    n = len(roots)
    locks = grow(g.head, roots, g.start(roots, comb, 0.3), g.jitter(n, 0.02, 0.04), g.jitter(n, 0.003, 0.008), comb, 5)
    body = ribbons(locks, g.jitter(n, 0.009, 0.015), g.jitter(n, 0.003, 0.005), g.rng)
    return [g.cap(0.003, 0.0006, 32, below=limit), body]


def side_part(g: Groomer) -> list[Form]:
    g = replace(g, part=float(g.rng.choice([-1, 1]) * g.rng.uniform(0.03, 0.045)) * g.s)
    comb = g.parted(back=g.rng.uniform(0.3, 0.8), messy=0.1)
    roots = g.roots(320)
    n = len(roots)
    top = smoothstep(roots[:, 1] / g.head.size, -0.05, 0.25)
    length = g.jitter(n, 0.05, 0.09) * (0.35 + 0.65 * top)
    height = g.jitter(n, 0.004, 0.02) * (0.3 + 0.7 * top)
    locks = grow(g.head, roots, g.start(roots, comb, 0.35), length, height, comb, 7, 0.5)
    return [g.cap(0.004), ribbons(locks, g.jitter(n, 0.009, 0.016), g.jitter(n, 0.003, 0.005), g.rng, 0.25)]


def slicked(g: Groomer) -> list[Form]:
    comb = g.backward()
    roots = g.past_ears(g.roots(350))
    n = len(roots)
    length = g.jitter(n, 0.09, 0.15)
    height = g.jitter(n, 0.003, 0.012)
    locks = grow(g.head, roots, g.start(roots, comb, 0.2), length, height, comb, 9, 0.6)
    locks = locks.cut_where(-0.47 * g.head.size - locks.paths[..., 1] + g.rng.normal(0, 0.006, n)[:, None])
    return [g.cap(0.004), ribbons(locks, g.jitter(n, 0.008, 0.014), g.jitter(n, 0.002, 0.004), g.rng, 0.3)]


def quiff(g: Groomer) -> list[Form]:
    """Swept up from the forehead, close at the sides."""
    sides = g.rng.uniform(0.002, 0.005)
    tall = g.rng.uniform(0.025, 0.05)

    def height(ways: np.ndarray) -> np.ndarray:
        return sides + 0.35 * tall * smoothstep(ways[:, 1], 0.35, 0.8)

    comb = g.backward(0.0)
    roots = g.roots(640)
    roots = roots[(np.abs(roots[:, 0]) < 0.25 * g.head.size) & (roots[:, 1] > 0.12 * g.head.size)]
    n = len(roots)
    fore = smoothstep(roots[:, 2], -0.35 * g.head.size, 0.35 * g.head.size)
    length = g.jitter(n, 0.06, 0.085) * (0.7 + 0.5 * fore)
    rise = g.s * tall * (0.3 + 0.7 * fore) * (1 - 1.6 * np.abs(roots[:, 0]) / g.head.size) * g.rng.uniform(0.7, 1.0, n)
    # Up and a little forward, then over to the back, all of it to one side.
    sway = np.zeros((n, 3))
    sway[:, 1], sway[:, 2], sway[:, 0] = 1.0, 0.3 * fore - 0.8 * (1 - fore), g.rng.normal(0, 0.12, n)
    sway[:, 0] += g.rng.normal(0, 0.3) - 1.5 * roots[:, 0] / g.head.size
    locks = grow(g.head, roots, unit(sway), length, rise, comb, 8, 0.55, cling=0.9)
    return [g.cap(height, 0.0006, 32), ribbons(locks, g.jitter(n, 0.017, 0.028), g.jitter(n, 0.005, 0.008), g.rng, 0.5)]


def curly(g: Groomer) -> list[Form]:
    comb = g.radial(0.2, 0.4, 0.3)
    roots = g.roots(250)
    n = len(roots)
    start = g.start(roots, comb, 0.65)
    size = g.rng.uniform(0.7, 1.3)
    length, height = size * g.jitter(n, 0.05, 0.095), size * g.jitter(n, 0.008, 0.03)
    locks = grow(g.head, roots, start, length, height, comb, 20, 0.25, 0.6)
    locks = locks.curled(g.jitter(n, 0.004, 0.008), g.rng.uniform(0.028, 0.045) * g.s, g.rng.uniform(0, 6.28, n))
    locks = g.clear_of_face(lifted(g.head, locks))
    body = ribbons(locks, g.jitter(n, 0.010, 0.017), g.jitter(n, 0.007, 0.011), g.rng, 0.35)
    return [g.cap(0.014 * size, 0.0015), body]


def afro(g: Groomer) -> list[Form]:
    size = g.rng.uniform(0.018, 0.095)
    wide, high = g.rng.uniform(-0.1, 0.3), g.rng.uniform(0.0, 0.25)
    uneven = np.random.default_rng(int(g.rng.integers(2**31)))
    turns, phases = uneven.normal(0, 3, (3, 8)), uneven.uniform(0, 6.28, 8)

    def tall(ways: np.ndarray) -> np.ndarray:
        round_ = 0.8 + wide * np.abs(ways[:, 0]) + high * ways[:, 1] + 0.04 * np.cos(ways @ turns + phases).sum(1)
        # Around the face and above the nape it rises steeply.
        return size * round_ * smoothstep(np.arcsin(ways[:, 1]), -0.75, -0.1)

    roots = g.roots(640)
    n = len(roots)
    way = unit(roots)
    rise = g.s * tall(way)

    def comb(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        return unit(points)

    # Only the outer part of each coil is seen.
    out = unit(way + g.rng.normal(0, 0.2, (n, 3)))
    begin = roots + (0.82 * rise)[:, None] * way
    length = 0.2 * rise * g.rng.uniform(0.9, 1.2, n) + g.jitter(n, 0.008, 0.018)
    locks = grow(g.head, begin, out, length, np.zeros(n), comb, 7, 0.1, cling=0.0)
    # A coil's cross section faces sideways, not along the way outwards.
    locks = replace(locks, out=unit(np.cross(locks.paths, g.rng.normal(0, 1, (n, 1, 3)))))
    locks = locks.curled(
        g.jitter(n, 0.003, 0.006), g.rng.uniform(0.016, 0.024) * g.s, g.rng.uniform(0, 6.28, n), ramp=0.012
    )
    locks = g.clear_of_face(lifted(g.head, locks))
    core = g.cap(lambda ways: 0.9 * tall(ways), 0.0015, 34)
    bumps = lumps(core.vertices, g.rng, 0.016 * g.s)
    air = smoothstep(g.head.clearance(core.vertices)[0], 0.004, 0.02)
    core = core.moved(core.vertices + (0.006 * g.s * (bumps - 0.7) * air)[:, None] * unit(core.vertices))
    return [core, ribbons(locks, g.jitter(n, 0.009, 0.014), g.jitter(n, 0.007, 0.011), g.rng, 0.8, 1.0)]


def bowl(g: Groomer) -> list[Form]:
    """Short with a straight fringe, as children and many young people wear it."""
    forms = short(g, (0.008, 0.016), (0.05, 0.08), 0.3, 0.1, 0.35, 300)
    return [*forms, g.fringe(g.rng.uniform(-0.002, 0.02), 64, aside=g.rng.uniform(-0.3, 0.3))]


def pixie(g: Groomer) -> list[Form]:
    forms = short(g, (0.006, 0.018), (0.05, 0.075), 0.3, 0.2, 0.3, 300)
    return [*forms, g.fringe(g.rng.uniform(0.005, 0.025), 40, aside=float(g.rng.choice([-0.8, 0.8])))]
