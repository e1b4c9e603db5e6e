"""Locks of hair: roots and a way of combing in, curves that lie on the head and hang from it, and their surface, out.

A lock grows step by step: it turns towards where it is combed, or once free of the head towards the ground, and is kept
out of skin and clothes. Everything is in the head's frame (`lookalike.people.hair.scalp`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lookalike.people.forms import Form, frames, smoothstep, unit
from lookalike.people.hair.scalp import Head, directions

#: Where a lock at points (n, 3) with skin normals (n, 3) is combed to: (n, 3).
Comb = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Locks:
    """Curves of hair.

    paths : (n, k, 3).  out : (n, k, 3) unit, away from the skin.
    """

    paths: np.ndarray
    out: np.ndarray

    def pick(self, chosen: np.ndarray) -> Locks:
        """Some of them. chosen : (m,) int or (n,) bool."""
        return Locks(self.paths[chosen], self.out[chosen])

    @property
    def lengths(self) -> np.ndarray:
        """(n, k) length from the root to each point."""
        step = np.linalg.norm(np.diff(self.paths, axis=1), axis=2)
        return np.concatenate([np.zeros((len(step), 1)), np.cumsum(step, 1)], 1)

    def cut(self, at: np.ndarray) -> Locks:
        """Shortened. at : (n,) lengths, no effect where longer than the lock."""
        length = self.lengths
        n, k = length.shape
        goal = np.linspace(0, 1, k)[None] * np.minimum(at, length[:, -1])[:, None]
        i = np.clip((length[:, None, :] <= goal[:, :, None]).sum(2) - 1, 0, k - 2)
        row = np.arange(n)[:, None]
        part = ((goal - length[row, i]) / np.maximum(length[row, i + 1] - length[row, i], 1e-9))[..., None]
        mix = lambda a: (1 - part) * a[row, i] + part * a[row, i + 1]  # noqa: E731
        return Locks(mix(self.paths), unit(mix(self.out)))

    def cut_where(self, beyond: np.ndarray, least: float = 0.02) -> Locks:
        """Cut where `beyond` (n, k), growing along a lock, first passes zero. least : metres that are left anyway."""
        length = self.lengths
        over = beyond > 0
        first = np.argmax(over, 1)
        row = np.arange(len(first))
        before = np.maximum(first - 1, 0)
        a, b = beyond[row, before], beyond[row, first]
        part = np.clip(-a / np.maximum(b - a, 1e-9), 0, 1)
        place = length[row, before] + part * (length[row, first] - length[row, before])
        return self.cut(np.where(over.any(1), np.maximum(place, least), np.inf))

    def curled(
        self, amplitude: np.ndarray, wavelength: float, phase: np.ndarray, flat: float = 1.0, ramp: float = 0.06
    ) -> Locks:
        """Wound about itself.

        amplitude : (n,) metres.  wavelength : metres.  phase : (n,).  flat : 1 for curls, 0 for waves across only.
        ramp : metres from the root over which the winding sets in.
        """
        _, across, out = frames(self.paths, self.out)
        length = self.lengths
        turn = 2 * np.pi * length / wavelength + phase[:, None]
        size = amplitude[:, None] * smoothstep(length, 0.0, ramp)
        move = np.sin(turn)[..., None] * across + flat * (1 + np.cos(turn))[..., None] * out
        return replace(self, paths=self.paths + size[..., None] * move)


def grow(
    head: Head,
    roots: np.ndarray,
    start: np.ndarray,
    length: np.ndarray,
    height: np.ndarray,
    comb: Comb,
    steps: int = 9,
    follow: float = 0.5,
    cling: float = 1.0,
) -> Locks:
    """Locks from their roots on.

    roots : (n, 3) on the skin.  start : (n, 3) first directions.  length : (n,) metres.
    height : (n,) metres above the skin that each lock keeps.
    follow : in (0, 1], how fast hair turns to where it is combed.  cling : how strongly it returns to its height.
    """
    away, normal = head.clearance(roots)
    place = roots + np.maximum(0.001 - away, 0)[:, None] * normal
    heading = unit(start)
    step = (length / steps)[:, None]
    paths, out = [place], [normal]
    walked = np.zeros(len(roots))
    keep = 0.001 + 0 * walked
    for _ in range(steps):
        wish = comb(place, normal)
        pull = np.clip((away - keep) / 0.015, -1.0, 1.4) * cling * np.exp(-np.maximum(away - 0.045, 0) / 0.02)
        wish = unit(wish - pull[:, None] * normal)
        heading = unit((1 - follow) * heading + follow * wish)
        ahead = place + step * heading
        walked = walked + step[:, 0]
        keep = 0.001 + (height - 0.001) * smoothstep(walked, 0.0, 0.035)
        away, normal = head.clearance(ahead)
        ahead = ahead + np.maximum(keep - away, 0)[:, None] * normal
        away = np.maximum(away, keep)
        heading = unit(0.4 * heading + 0.6 * unit(ahead - place))
        place = ahead
        paths.append(place)
        out.append(normal)
    path, outward = np.stack(paths, 1), np.stack(out, 1)
    for _ in range(2):
        path[:, 1:-1] = 0.5 * path[:, 1:-1] + 0.25 * (path[:, :-2] + path[:, 2:])
        outward[:, 1:-1] = 0.5 * outward[:, 1:-1] + 0.25 * (outward[:, :-2] + outward[:, 2:])
    return Locks(path, unit(outward))


def lifted(head: Head, locks: Locks, least: np.ndarray | float = 0.0015) -> Locks:
    """Locks moved out of the skin and the clothes where they touch them. least : (n,) metres of air, or one number."""
    flat = locks.paths.reshape(-1, 3)
    away, normal = head.clearance(flat)
    air = np.broadcast_to(np.asarray(least).reshape(-1, 1), locks.paths.shape[:2]).reshape(-1)
    return replace(locks, paths=(flat + np.maximum(air - away, 0)[:, None] * normal).reshape(locks.paths.shape))


def ribbons(
    locks: Locks,
    width: np.ndarray,
    thickness: np.ndarray,
    rng: np.random.Generator,
    tip: float = 0.15,
    root: float = 0.7,
    sides: int = 3,
) -> Form:
    """The surface of locks: tubes with a rounded back, thinner towards the tip.

    width, thickness : (n,) metres.  tip, root : what is left of the width at the ends.
    sides : points of a cross section: 3, or more for thick strands seen from all sides.
    """
    n, k = locks.paths.shape[:2]
    _, across, out = frames(locks.paths, locks.out)
    t = np.linspace(0, 1, k)
    taper = np.minimum(root + (1 - root) * t / 0.25, 1) * (1 - (1 - tip) * smoothstep(t, 0.35, 1.0))
    if sides == 3:
        profile = np.array([(-0.5, 0.0), (0.5, 0.0), (0.0, 1.0)])
    else:
        angle = 2 * np.pi * (np.arange(sides) + 0.5) / sides
        profile = 0.5 * np.stack([np.cos(angle), np.sin(angle)], 1)
    w, h = width[:, None] * taper, thickness[:, None] * taper
    rings = (
        locks.paths[:, :, None]
        + (w[..., None] * profile[:, 0])[..., None] * across[:, :, None]
        + (h[..., None] * profile[:, 1])[..., None] * out[:, :, None]
    )
    m = len(profile)
    i, j = np.mgrid[: k - 1, :m]
    a, b = i * m + j, i * m + (j + 1) % m
    faces = np.concatenate([np.stack([a, b, b + m], -1).reshape(-1, 3), np.stack([a, b + m, a + m], -1).reshape(-1, 3)])
    faces = (faces[None] + (np.arange(n) * k * m)[:, None, None]).reshape(-1, 3)
    # Each lock has its own stretch of u, so that no two have the same strands.
    u = (rng.uniform(0, 10, n)[:, None, None] + width[:, None, None] * profile[:, 0]) + np.zeros((n, k, m))
    v = np.broadcast_to(locks.lengths[:, :, None], u.shape)
    return Form(rings.reshape(-1, 3), faces, np.stack([u, v], -1).reshape(-1, 2), faces)


def scattered(head: Head, rng: np.random.Generator, count: int, line: np.ndarray, tilt: float = 0.0) -> np.ndarray:
    """(about count, 3) unit directions evenly over the scalp.

    line : (256,) elevations of the hairline, for azimuths evenly from -180 to 180 degrees.
    tilt : keeps roots this far (radians) inside the hairline.
    """
    # A spiral of even density (Vogel, 1979), shaken so that it does not show.
    total = int(count * 2 / (1 - np.sin(np.mean(line))))
    index = np.arange(total) + rng.uniform(-0.4, 0.4, total)
    sine = np.clip(1 - 2 * (index + 0.5) / total, -1, 1)
    azimuth = (index * 2.399963 + rng.uniform(0, 6.28)) % (2 * np.pi) - np.pi
    azimuth += rng.normal(0, 0.6, total) / np.sqrt(total)
    elevation = np.arcsin(sine)
    inside = elevation > elevation_of(line, azimuth) + tilt
    return directions(elevation[inside], azimuth[inside])


def elevation_of(line: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    """(n,) the hairline's elevation at azimuths (n,), both in radians."""
    return np.interp(np.mod(azimuth + np.pi, 2 * np.pi), np.linspace(0, 2 * np.pi, len(line)), line)
