"""Collars, lapels and hoods that hang down: a draped garment in, strips of cloth along its neckline out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.body import JOINTS, Body
from lookalike.people.wardrobe.garment import Draped, pattern_scale
from lookalike.people.wardrobe.hulls import CHARTS
from lookalike.surface.subdivide import split_quads

#: Points along a neckline, metres between rows where it matters little.
POINTS = 72

#: Cross sections from the neckline outwards: (away from the neck, up) in metres; at the back of the neck and in front.
PROFILES = {
    "stand": (((0, 0), (-0.002, 0.012), (-0.003, 0.024), (-0.004, 0.034)),) * 2,
    "shirt": (
        ((0, 0), (-0.002, 0.014), (-0.002, 0.028), (0.003, 0.036), (0.010, 0.030), (0.016, 0.016), (0.020, 0.002)),
        ((0, 0), (0.000, 0.010), (0.001, 0.020), (0.006, 0.026), (0.015, 0.016), (0.026, -0.010), (0.034, -0.040)),
    ),
    "ribbed": (((0, 0), (0.001, 0.005), (0.000, 0.011), (-0.003, 0.017)),) * 2,
    "roll": (
        (
            (0, 0),
            (-0.004, 0.03),
            (-0.004, 0.06),
            (0.004, 0.078),
            (0.014, 0.074),
            (0.019, 0.05),
            (0.019, 0.025),
            (0.017, 0.012),
        ),
    )
    * 2,
    "hood": (
        (
            (0, 0),
            (0.005, 0.03),
            (0.02, 0.055),
            (0.05, 0.065),
            (0.085, 0.05),
            (0.105, 0.01),
            (0.105, -0.05),
            (0.09, -0.11),
            (0.07, -0.14),
            (0.045, -0.13),
        ),
        (
            (0, 0),
            (0.002, 0.008),
            (0.004, 0.014),
            (0.009, 0.017),
            (0.014, 0.014),
            (0.017, 0.007),
            (0.017, 0.0),
            (0.015, -0.006),
            (0.012, -0.009),
            (0.009, -0.009),
        ),
    ),
}


@dataclass(frozen=True)
class Strip:
    """Cloth added to a garment: vertices (n, 3) float32, faces (m, 3), uv (n, 2) in metres."""

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray


def collar(body: Body, draped: Draped, kind: str, rng: np.random.Generator, open_front: bool = False) -> Strip | None:
    """A collar along the neckline, or None where the garment has none.

    kind : of `PROFILES`.  open_front : whether it ends in front on both sides, as at a placket or an open coat.
    """
    hull, used = draped.panel.hull, draped.panel.used
    rim = draped.panel.rim
    near = (hull.down[used[rim]] < 0.10) & ~hull.within("arm")[used[rim]]
    rim = rim[near]
    if len(rim) < 16:
        return None
    neck, head = body.joints[JOINTS.index("neck")], body.joints[JOINTS.index("head")]
    up = (head - neck) / np.linalg.norm(head - neck)
    front = body.transforms[JOINTS.index("neck")][:3, 2]
    front = front - (front @ up) * up
    front /= np.linalg.norm(front)
    left = np.cross(up, front)
    points = draped.vertices[rim]
    off = points - neck
    angle = np.arctan2(off @ left, off @ front) % (2 * np.pi)
    order = np.argsort(angle)
    angle, points = angle[order], points[order]
    gap = rng.uniform(0.06, 0.22) if open_front else 0.0
    if open_front:
        inside = (angle > gap) & (angle < 2 * np.pi - gap)
        angle, points = angle[inside], points[inside]
        if len(angle) < 16:
            return None
        at = np.linspace(angle[0], angle[-1], POINTS)
    else:
        at = np.arange(POINTS) * 2 * np.pi / POINTS
    line = np.stack([np.interp(at, angle, points[:, i], period=None if open_front else 2 * np.pi) for i in range(3)], 1)
    for _ in range(6):
        mean = 0.5 * (np.roll(line, 1, 0) + np.roll(line, -1, 0))
        if open_front:
            mean[0], mean[-1] = line[0], line[-1]
        line = 0.5 * line + 0.5 * mean
    outward = line - neck - ((line - neck) @ up)[:, None] * up
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-9)
    back, fore = (np.array(p, float) for p in PROFILES[kind])
    frontness = 0.5 + 0.5 * np.cos(at)
    frontness = frontness**3 if kind != "hood" else frontness
    size = pattern_scale(body) * rng.uniform(0.85, 1.25)
    wave = 1 + 0.12 * np.sin(at * rng.integers(2, 6) + rng.uniform(0, 6.3))
    rows = back[:, None] * (1 - frontness[None, :, None]) + fore[:, None] * frontness[None, :, None]
    rows = rows * size * np.where(np.arange(len(back)) > 2, 1, 0)[:, None, None] * wave[None, :, None] + rows * size * (
        np.arange(len(back)) <= 2
    ).reshape(-1, 1, 1)
    grid = line + rows[..., :1] * outward + rows[..., 1:] * up
    strip = _strip(grid, closed=not open_front)
    # A collar that is folded down shows the other side than one that stands.
    return strip if len(back) > 4 else Strip(strip.vertices, strip.faces[:, ::-1], strip.uv)


def lapels(body: Body, draped: Draped, rng: np.random.Generator) -> list[Strip]:
    """The two turned-back edges of an open jacket or coat, from the neck down to its first button."""
    hull, used = draped.panel.hull, draped.panel.used
    rim = draped.panel.rim
    size = pattern_scale(body)
    end, widest = rng.uniform(0.25, 0.42), rng.uniform(0.045, 0.085) * size
    normals = draped.normals
    out = []
    for way in (1, -1):
        down = hull.down[used[rim]]
        mine = (hull.posed[used[rim]][:, 0] * way > 0) & (down < end) & (np.cos(hull.round[used[rim]]) > 0.3)
        mine &= (down > -0.01) & (draped.panel.field[rim] > -0.02)
        index = rim[mine]
        if len(index) < 8:
            continue
        order = np.argsort(hull.down[used[index]])
        index = index[order]
        depth = np.linspace(0, 1, 24)
        place = (hull.down[used[index]] - hull.down[used[index]].min()) / max(np.ptp(hull.down[used[index]]), 1e-6)
        line, normal = (
            np.stack([np.interp(depth, place, v[index][:, i]) for i in range(3)], 1) for v in (draped.vertices, normals)
        )
        for _ in range(3):
            line[1:-1] = 0.5 * line[1:-1] + 0.25 * (line[:-2] + line[2:])
        spine = body.transforms[JOINTS.index("spine3")][:3, 0]
        aside = way * spine - (normal @ (way * spine))[:, None] * normal
        aside /= np.maximum(np.linalg.norm(aside, axis=1, keepdims=True), 1e-9)
        peak = rng.uniform(0.25, 0.4)
        width = widest * np.where(depth < peak, 0.55 + 0.45 * depth / peak, (1 - depth) / (1 - peak))
        across = np.linspace(0, 1, 5)
        lift = (0.004 + 0.010 * np.sin(np.pi * np.clip(across * 0.8, 0, 1))) * size
        grid = line + across[:, None, None] * width[None, :, None] * aside + lift[:, None, None] * normal
        strip = _strip(grid, closed=False)
        out.append(strip if way < 0 else Strip(strip.vertices, strip.faces[:, ::-1], strip.uv))
    return out


def _strip(grid: np.ndarray, closed: bool) -> Strip:
    """Quads between the rows of a grid (r, p, 3), joined end to end if closed."""
    rows, points = grid.shape[:2]
    r, p = np.meshgrid(np.arange(rows - 1), np.arange(points if closed else points - 1), indexing="ij")
    ahead = (p + 1) % points
    quads = np.stack([r * points + p, (r + 1) * points + p, (r + 1) * points + ahead, r * points + ahead], -1)
    u = np.linspace(-0.22, 0.22, points)
    v = np.cumsum(np.r_[0, np.linalg.norm(np.diff(grid, axis=0), axis=2).mean(1)])
    uv = np.stack(np.meshgrid(CHARTS["collar"] + u, v), -1).reshape(-1, 2)
    return Strip(grid.reshape(-1, 3).astype(np.float32), split_quads(quads.reshape(-1, 4)), uv.astype(np.float32))
