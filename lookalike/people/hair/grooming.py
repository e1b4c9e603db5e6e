"""What all hair styles work with: ways of combing, the cap on the scalp, roots and fringes. A `Head` in, forms out.

Shapes are drawn in the head's frame for a head of adult size and scaled to the head at hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lookalike.people.forms import Form, ripple, sheet, smoothstep, unit
from lookalike.people.hair.locks import Comb, Locks, elevation_of, grow, ribbons, scattered
from lookalike.people.hair.scalp import Head, directions

#: Where the whorl is: azimuth (to the left) and elevation in degrees.
WHORL = (168.0, 62.0)


@dataclass(frozen=True)
class Groomer:
    """What all styles work with.

    head : the head.  rng : where all chance comes from.  line : (256,) the hairline's elevations by azimuth.
    part : where hair is parted, metres to the left of the middle.
    """

    head: Head
    rng: np.random.Generator
    line: np.ndarray
    part: float

    @property
    def s(self) -> float:
        """The head's scale."""
        return self.head.scale

    # ---- ways of combing -------------------------------------------------------------------------------------------

    def radial(self, swirl: float = 0.35, down: float = 0.25, messy: float = 0.0) -> Comb:
        """Away from the whorl on all sides, as short hair grows."""
        whorl = self.head.surface(directions(np.radians(WHORL[1]), np.radians(WHORL[0]))[None])[0]
        field = np.random.default_rng(int(self.rng.integers(2**31)))
        turns, phases = field.normal(0, 45 / self.s, (3, 3, 4)), field.uniform(0, 6.28, (3, 4))

        def comb(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
            away = unit(points - whorl)
            wish = away + swirl * np.cross(normals, away) - down * self.head.up
            if messy:
                wish = wish + messy * np.cos(np.einsum("ni,ijk->njk", points, turns) + phases).sum(2)
            return _along(wish, normals)

        return comb

    def parted(self, back: float = 0.35, messy: float = 0.0) -> Comb:
        """To both sides of a parting, then down."""
        shake = self.rng.normal(0, messy, (4096, 3)) if messy else None

        def comb(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
            side = np.where(points[:, 0] > self.part, 1.0, -1.0)
            high = smoothstep(points[:, 1], -0.05 * self.head.size, 0.3 * self.head.size)
            behind = smoothstep(-points[:, 2], 0.0, 0.3 * self.head.size)
            wish = np.zeros_like(points)
            wish[:, 0] = side * (0.35 + high) * (1 - 0.75 * behind)
            wish[:, 2] = -back * (0.4 + high)
            wish = wish - (1.0 - 0.5 * high)[:, None] * self.head.up
            if shake is not None:
                wish = wish + shake[: len(wish)]
            return _along(wish, normals)

        return comb

    def backward(self, sink: float = 0.3) -> Comb:
        """From the forehead over the top to the nape."""

        def comb(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
            wish = np.zeros_like(points)
            wish[:, 2] = -1.0
            wish[:, 1] = -sink - 0.8 * smoothstep(-points[:, 2], 0.0, 0.3 * self.head.size)
            return _along(wish, normals)

        return comb

    def towards(self, aim: np.ndarray) -> Comb:
        """To where it is tied: (3,) or (n, 3) one for each lock."""

        def comb(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
            return _along(unit(aim - points), normals)

        return comb

    def falling(self, scalp: Comb, front: np.ndarray, release: float = -0.12) -> Comb:
        """Combed on the scalp, then hanging.

        front : (n,) in [-1, 1], whether a lock comes to lie before or behind the shoulder.
        release : the height below which hair hangs, as a share of the head's.
        """
        head = self.head

        def comb(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
            hang = -head.up + np.zeros_like(points)
            # At the height of the neck hair slips off the shoulder, to the front or to the back.
            fall = points @ -head.up
            low = smoothstep(fall, 0.3 * head.size, 0.55 * head.size)
            low = low * smoothstep(-fall, -1.35 * head.size, -0.9 * head.size)
            near = smoothstep(-front * points[:, 2], -0.4 * head.size, -0.15 * head.size)
            hang[:, 2] += 0.7 * front * low * near
            hang[:, 0] += -0.5 * low * points[:, 0] / head.size
            # Hair keeps out of the face.
            face = (np.abs(points[:, 0]) < 0.34 * head.size) & (points[:, 2] > 0.2 * head.size)
            face &= (points[:, 1] < head.brow + 0.02) & (points[:, 1] > -0.75 * head.size)
            hang[:, 0] += np.where(face, 0.7 * np.sign(points[:, 0]), 0.0)
            free = smoothstep(-points[:, 1], -release * head.size - 0.08 * head.size, -release * head.size)[:, None]
            return unit((1 - free) * scalp(points, normals) + free * hang)

        return comb

    # ---- surfaces --------------------------------------------------------------------------------------------------

    def cap(
        self,
        height: Callable[[np.ndarray], np.ndarray] | float,
        grain: float = 0.0006,
        rows: int = 26,
        below: float = np.pi,
    ) -> Form:
        """The layer on the scalp. height : metres above the skin, or a function of directions (n, 3).

        grain : metres of unevenness along the strands.  below : no higher than this elevation, and none in front.
        """
        columns = 112
        azimuth = -np.pi + 2 * np.pi * np.arange(columns) / columns
        # A ragged edge: the hairline is never one line.
        edge = elevation_of(self.line, azimuth) + self.rng.normal(0, 0.018, columns)
        t = np.linspace(0.02, 1, rows)[:, None]
        ways = directions(np.pi / 2 - t * (np.pi / 2 - edge), azimuth[None])
        flat = ways.reshape(-1, 3)
        tall = height(flat) if callable(height) else np.full(len(flat), height)
        whorl = directions(np.radians(WHORL[1]), np.radians(WHORL[0]))
        aside = np.cross(whorl, [1.0, 0, 0])
        angle = np.arctan2(flat @ unit(aside), flat @ unit(np.cross(whorl, aside)))
        strands = np.zeros(len(flat))
        for waves in (17, 31, 53):
            strands += np.cos(waves * angle + self.rng.uniform(0, 6.28) + 2 * ripple(flat, self.rng, 0.6))
        thin = smoothstep(1 - np.broadcast_to(t, ways.shape[:2]).ravel(), 0.0, 0.16)
        rise = (0.0011 + (tall - 0.0011) * thin + grain * strands * (0.3 + 0.7 * thin)) * self.s
        points = self.head.surface(flat)
        away, normal = self.head.clearance(points)
        points = points + np.maximum(np.maximum(rise, 0.0007) - away, 0)[:, None] * normal
        form = sheet(points.reshape(rows, columns, 3)[::-1], around=True)
        # Strands run from the top to the edge; fine ones, because they get narrower to the top.
        u = np.broadcast_to(np.linspace(0, 2 * np.pi, columns + 1) * 0.35 * self.s, (rows, columns + 1))
        v = np.broadcast_to(t[::-1] * 0.1 * self.s, u.shape)
        form = replace(form, uv=np.stack([u, v], -1).reshape(-1, 2))
        if below >= np.pi / 2:
            return form
        front = np.arctan2(np.abs(points[:, 0]), points[:, 2])
        kept = (np.arcsin(unit(points)[:, 1]) < below + 0.05 * ripple(flat, self.rng, 0.3)) & (front > 0.9)
        kept = kept.reshape(rows, columns)[::-1].ravel()[form.faces].all(1)
        return Form(form.vertices, form.faces[kept], form.uv, form.face_uv[kept])

    def roots(self, count: int, tilt: float = 0.02) -> np.ndarray:
        """(n, 3) points on the scalp."""
        return self.head.surface(scattered(self.head, self.rng, count, self.line, tilt))

    def jitter(self, count: int, low: float, high: float) -> np.ndarray:
        """(count,) numbers between two lengths, scaled to the head."""
        return self.s * self.rng.uniform(low, high, count)

    def start(self, roots: np.ndarray, comb: Comb, lift: float) -> np.ndarray:
        """First directions: along the comb, raised from the skin by `lift` in [0, 1]."""
        normal = self.head.clearance(roots)[1]
        return unit((1 - lift) * comb(roots, normal) + lift * normal)

    def clear_of_face(self, locks: Locks, low: float = 0.008) -> Locks:
        """Locks cut where they would hang into the face. low : metres above the brows."""
        p = locks.paths
        face = (np.abs(p[..., 0]) < 0.31 * self.head.size) & (p[..., 2] > 0.25 * self.head.size)
        end = self.head.brow + self.s * (low + self.rng.uniform(0, 0.02, len(p)))[:, None]
        return locks.cut_where(np.where(face, end - p[..., 1], -1.0))

    def past_ears(self, roots: np.ndarray) -> np.ndarray:
        """Roots without those before and above the ears: hair combed back from there would catch on the ears."""
        ahead = np.arctan2(np.abs(roots[:, 0]), roots[:, 2]) < np.radians(112)
        return roots[~(ahead & (roots[:, 1] < 0.02 * self.head.size))]

    def fringe(self, low: float, count: int = 70, wide: float = 0.26, aside: float = 0.0) -> Form:
        """Hair over the forehead.

        low : how far above the brows it ends, metres.  wide : half its width as a share of the head's height.
        aside : how far it is swept to one side.
        """
        roots = self.roots(900, 0.0)
        roots = roots[(np.abs(roots[:, 0]) < wide * self.head.size) & (roots[:, 2] > 0.1 * self.head.size)]
        roots = roots[: max(count * 3, 1)][self.rng.permutation(len(roots[: count * 3]))[:count]]
        n = len(roots)
        sway = self.rng.normal(aside, 0.1, n)

        def comb(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
            wish = np.zeros_like(points)
            wish[:, 2] = 0.9 * smoothstep(points[:, 1], self.head.brow + 0.03, self.head.brow + 0.08)
            wish[:, 1] = -0.8
            wish[:, 0] = sway + 1.2 * points[:, 0]
            return _along(wish, normals)

        length, height = self.jitter(n, 0.15, 0.18), self.jitter(n, 0.005, 0.016)
        locks = grow(self.head, roots, self.start(roots, comb, 0.35), length, height, comb, 12, 0.6)
        end = self.head.brow + (0.004 + low) * self.s + self.rng.normal(0, 0.003, n)
        locks = locks.cut_where(end[:, None] - locks.paths[..., 1])
        return ribbons(locks, self.jitter(n, 0.011, 0.019), self.jitter(n, 0.003, 0.005), self.rng, tip=0.45)


def _along(wish: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Directions without the part that leads into or away from the skin, unit."""
    return unit(wish - 0.9 * np.einsum("ni,ni->n", wish, normals)[:, None] * normals)
