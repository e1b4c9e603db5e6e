"""Long hair, hanging or tied: a `Groomer` in, forms in the head's frame out, one function a style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lookalike.people.forms import Form, ellipse, frames, joined, loop_sweep, resampled, ripple, sheet, smoothstep, unit
from lookalike.people.hair.grooming import Groomer
from lookalike.people.hair.locks import Locks, grow, lifted, ribbons
from lookalike.people.hair.scalp import directions


def hanging(
    g: Groomer, ends: float | None = None, length=(0.3, 0.55), wave=0.0, front: float | None = None
) -> list[Form]:
    """Hanging hair. ends : height where it is cut, as a share of the head's, or None for by length."""
    comb_scalp = g.parted(back=g.rng.uniform(0.15, 0.5), messy=0.06)
    roots = g.roots(205 if wave and ends is None else 310)
    n = len(roots)
    side = np.arctan2(np.abs(roots[:, 0]), roots[:, 2])  # 0 in front
    share = g.rng.uniform(0.0, 1.0) if front is None else front
    fore = np.where(side < np.pi * (0.25 + 0.3 * share), 1.0, -1.0) * (1.0 if ends is None else 0.3)
    # One side may be put back altogether.
    if ends is None and g.rng.random() < 0.3:
        fore = np.where(roots[:, 0] * g.rng.choice([-1, 1]) > 0, -1.0, fore)
    comb = g.falling(comb_scalp, fore + g.rng.normal(0, 0.15, n))
    long = g.jitter(n, 0.9, 1.05) * g.rng.uniform(*length)
    height = g.jitter(n, 0.006, 0.024) * (0.45 + 0.55 * smoothstep(roots[:, 1], -0.1, 0.05))
    steps = 10 if ends is not None else 20 if wave else 12
    locks = grow(g.head, roots, g.start(roots, comb_scalp, 0.3), long, height, comb, steps, 0.55)
    if ends is not None:
        level = g.head.size * ends + g.rng.normal(0, 0.004, n)
        locks = locks.cut_where(level[:, None] - locks.paths[..., 1], least=0.04)
    if wave:
        phase = 5 * ripple(roots, g.rng, 0.12) + g.rng.normal(0, 0.3, n)
        locks = lifted(g.head, locks.curled(g.jitter(n, 0.6 * wave, wave), g.rng.uniform(0.085, 0.13), phase, 0.35))
    tip = 0.7 if ends is not None else 0.45
    wide = g.jitter(n, 0.018, 0.032) if wave else g.jitter(n, 0.014, 0.026)
    forms = [g.cap(0.005), ribbons(locks, wide, g.jitter(n, 0.003, 0.005), g.rng, tip)]
    if g.rng.random() < 0.3:
        forms.append(g.fringe(g.rng.uniform(0.0, 0.02), aside=g.rng.uniform(-0.5, 0.5)))
    return forms


def bob(g: Groomer) -> list[Form]:
    return hanging(g, ends=(g.head.chin / g.head.size) + g.rng.uniform(-0.05, 0.18), length=(0.33, 0.34))


def lob(g: Groomer) -> list[Form]:
    return hanging(g, ends=(g.head.chin / g.head.size) - g.rng.uniform(0.1, 0.4), length=(0.42, 0.43), wave=0.004)


def wavy(g: Groomer) -> list[Form]:
    return hanging(g, wave=g.rng.uniform(0.006, 0.013))


def long_curls(g: Groomer) -> list[Form]:
    return hanging(g, length=(0.3, 0.45), wave=0.018)


def _tied(
    g: Groomer, places: Sequence[tuple[float, float]], height: float = 0.008
) -> tuple[list[Form], list[np.ndarray]]:
    """Hair combed to where it is tied: places as (azimuth, elevation) in degrees. Returns the forms and the ties."""
    ways = np.stack([directions(np.radians(e), np.radians(a)) for a, e in places])
    ties = g.head.surface(ways, 0.016 * g.s)
    roots = g.past_ears(g.roots(320))
    n = len(roots)
    nearest = ((roots[:, None] - ties[None]) ** 2).sum(2)
    if len(places) == 2:  # by the parting
        mine = np.where((roots[:, 0] > g.part) == (ties[0, 0] > ties[1, 0]), 0, 1)
    else:
        mine = nearest.argmin(1)
    aim = ties[mine]
    comb = g.towards(aim)
    length = 1.15 * np.sqrt(nearest[np.arange(n), mine]) * 1.25 + 0.01
    rise = g.jitter(n, 0.004, 2 * height)
    locks = grow(g.head, roots, g.start(roots, comb, 0.2), length, rise, comb, 9, 0.7)
    gap = np.linalg.norm(locks.paths - aim[:, None], axis=2)
    locks = locks.cut_where(0.014 * g.s - gap, least=0.01)
    # All end in the tie.
    last = smoothstep(np.linspace(0, 1, locks.paths.shape[1]), 0.6, 1.0)[None, :, None]
    locks = replace(locks, paths=(1 - 0.7 * last) * locks.paths + 0.7 * last * aim[:, None])
    forms = [
        g.cap(0.004),
        ribbons(lifted(g.head, locks), g.jitter(n, 0.009, 0.015), g.jitter(n, 0.003, 0.005), g.rng, 0.4),
    ]
    return forms, list(ties)


def _tail(g: Groomer, tie: np.ndarray, long: float, thick: float, wave: float = 0.0, count: int = 60) -> Form:
    """A bundle that hangs from a tie. thick : its radius, metres."""
    out = unit(tie)
    aside = unit(np.cross(out, g.head.up))
    turn, reach = g.rng.uniform(0, 6.28, count), np.sqrt(g.rng.random(count))
    spread = (np.cos(turn) * reach)[:, None] * aside + (np.sin(turn) * reach)[:, None] * np.cross(out, aside)
    begin = tie + 0.010 * g.s * spread

    def comb(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        # The bundle keeps together around its middle.
        middle = points.mean(0)
        return unit(-g.head.up + 6 * (middle + thick * g.s * spread - points))

    length = long * g.s * g.rng.uniform(0.75, 1.0, count)
    rise = 0.006 + thick * g.s * (1 + spread @ out)
    locks = grow(g.head, begin, unit(out + 0.5 * spread - 0.2 * g.head.up), length, rise, comb, 14, 0.3, 0.0)
    if wave:
        locks = locks.curled(g.jitter(count, 0.5 * wave, wave), 0.08, g.rng.normal(0, 1.0, count), 0.5)
    around = unit(spread[:, None] + 0.3 * locks.out)
    locks = lifted(g.head, replace(locks, out=around))
    return ribbons(locks, g.jitter(count, 0.012, 0.02), g.jitter(count, 0.006, 0.010), g.rng, 0.2, 0.7, sides=4)


def _band(g: Groomer, tie: np.ndarray, radius: float = 0.013) -> Form:
    """The ring of hair or rubber around a tie."""
    out = unit(tie)
    aside = unit(np.cross(out, [0.0, 1.0, 0.2]))
    angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)[:, None]
    spoke = np.cos(angle) * aside + np.sin(angle) * np.cross(out, aside)
    return loop_sweep(tie + radius * g.s * spoke, spoke, ellipse(0.008 * g.s, 0.006 * g.s, 6))


def ponytail(g: Groomer) -> list[Form]:
    place = (180.0, g.rng.uniform(-25, 45))
    forms, ties = _tied(g, [place])
    forms.append(_tail(g, ties[0], g.rng.uniform(0.16, 0.42), g.rng.uniform(0.014, 0.026), g.rng.uniform(0, 0.012)))
    forms.append(_band(g, ties[0]))
    if g.rng.random() < 0.35:
        forms.append(g.fringe(g.rng.uniform(0.0, 0.02), aside=g.rng.uniform(-0.6, 0.6)))
    return forms


def pigtails(g: Groomer) -> list[Form]:
    g = replace(g, part=0.0)
    a, e = g.rng.uniform(105, 135), g.rng.uniform(-15, 30)
    forms, ties = _tied(g, [(a, e), (-a, e)])
    long, thick, wave = g.rng.uniform(0.12, 0.3), g.rng.uniform(0.012, 0.02), g.rng.uniform(0, 0.012)
    for tie in ties:
        forms += [_tail(g, tie, long, thick, wave, 36), _band(g, tie, 0.011)]
    return forms


def braids(g: Groomer, places: Sequence[tuple[float, float]] | None = None) -> list[Form]:
    g = replace(g, part=0.0)
    a = g.rng.uniform(115, 140)
    forms, ties = _tied(g, places or [(a, -22.0), (-a, -22.0)])
    long, thick = g.rng.uniform(0.2, 0.42), g.rng.uniform(0.012, 0.018) * (1.4 if len(ties) == 1 else 1.0)
    for tie in ties:
        forms.append(_plait(g, tie, long, thick))
    return forms


def braid(g: Groomer) -> list[Form]:
    return braids(g, [(180.0, g.rng.uniform(-30, 0))])


def _plait(g: Groomer, tie: np.ndarray, long: float, thick: float) -> Form:
    """Three strands woven around a hanging curve. thick : half the braid's width."""
    out = unit(tie)
    fore = np.where(np.abs(tie[0]) > 0.02, 0.6, -0.2)

    def comb(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        low = smoothstep(-points[:, 1], 0.4 * g.head.size, 0.7 * g.head.size)[:, None]
        return unit(-g.head.up + fore * low * np.array([0, 0, 1.0]))

    start = unit(out[None] - g.head.up)
    guide = grow(g.head, tie[None], start, np.array([long * g.s]), np.array([1.3 * thick * g.s]), comb, 20, 0.5, 0.0)
    path = resampled(guide.paths[0], 72)
    away = np.stack([np.interp(np.linspace(0, 1, 72), np.linspace(0, 1, 21), guide.out[0, :, i]) for i in range(3)], 1)
    _, across, away = frames(path, away)
    taper = (1 - 0.45 * smoothstep(np.linspace(0, 1, 72), 0.3, 1))[:, None] * thick * g.s
    turn = np.linspace(0, 2 * np.pi * long / (5.2 * thick), 72)[:, None]
    strands = []
    for shift in (0, 2 * np.pi / 3, 4 * np.pi / 3):
        phase = turn + shift
        strands.append(path + taper * (0.62 * np.sin(phase) * across + 0.42 * np.sin(2 * phase) * away))
    paths = np.stack(strands)
    locks = Locks(paths, np.broadcast_to(away, paths.shape))
    width = np.full(3, 1.15 * thick * g.s)
    braid = ribbons(locks, width, 0.95 * width, g.rng, tip=0.5, root=0.8, sides=8)
    # Below the last band a tuft.
    end, down = path[-1], unit(path[-1] - path[-6])
    count = 14
    spread = g.rng.normal(0, 0.3, (count, 3))
    t = np.linspace(0, 1, 5)[None, :, None] * 0.045 * g.s
    tuft = Locks(
        end + t * unit(down + 0.5 * spread)[:, None] + 0.004 * spread[:, None], np.repeat(unit(spread)[:, None], 5, 1)
    )
    return joined([braid, ribbons(tuft, g.jitter(count, 0.006, 0.009), g.jitter(count, 0.004, 0.006), g.rng, 0.1)])


def bun(g: Groomer, place: tuple[float, float] | None = None, radius: float | None = None) -> list[Form]:
    place = place or (180.0, g.rng.uniform(-15, 40))
    forms, ties = _tied(g, [place])
    size = (radius or g.rng.uniform(0.026, 0.042)) * g.s
    out = unit(ties[0])
    centre = ties[0] + 0.45 * size * out
    aside = unit(np.cross(out, [0.0, 1.0, 0.31]))
    upright = np.cross(out, aside)
    # Coils that wind around the tie from the base to the top of the bun, one over the other.
    count, k = 13, 18
    level = np.linspace(-0.5, 1.0, count) + g.rng.normal(0, 0.05, count)
    begin, sweep = g.rng.uniform(0, 6.28, count), g.rng.uniform(3.4, 6.6, count)
    angle = begin[:, None] + sweep[:, None] * np.linspace(0, 1, k)
    rise = level[:, None] + np.linspace(-0.22, 0.22, k) * g.rng.choice([-1, 1], (count, 1))
    polar = np.clip(rise, -0.7, 1.1) * np.pi / 2.4
    spoke = np.cos(angle)[..., None] * aside + np.sin(angle)[..., None] * upright
    ways = np.cos(polar)[..., None] * spoke + 0.75 * np.sin(polar)[..., None] * out
    paths = centre + size * g.rng.uniform(0.85, 1.0, (count, 1, 1)) * ways
    coils = lifted(g.head, Locks(paths, unit(ways)))
    forms.append(ribbons(coils, np.full(count, 0.62 * size), np.full(count, 0.42 * size), g.rng, 0.4, 0.5, sides=6))
    azimuth = np.linspace(0, 2 * np.pi, 21)[None, :-1]
    polar = np.linspace(-1.2, np.pi / 2 - 0.01, 10)[:, None]
    ball = np.cos(polar)[..., None] * (np.cos(azimuth)[..., None] * aside + np.sin(azimuth)[..., None] * upright)
    ball = centre + 0.93 * size * (ball + 0.75 * np.sin(polar)[..., None] * out)
    flat = ball.reshape(-1, 3)
    away, normal = g.head.clearance(flat)
    flat = flat + np.maximum(0.001 - away, 0)[:, None] * normal
    forms.append(sheet(flat.reshape(ball.shape), around=True))
    if g.rng.random() < 0.25:
        forms.append(g.fringe(g.rng.uniform(0.0, 0.02)))
    return forms


def top_knot(g: Groomer) -> list[Form]:
    return bun(g, (180.0, g.rng.uniform(55, 80)), g.rng.uniform(0.022, 0.036))
