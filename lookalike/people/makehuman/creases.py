"""Folds for garments that artists modelled smooth: a posed garment in, the same draped as cloth out.

MakeHuman's clothes have their wrinkles painted. A network that learns normals must find them in the geometry, so the
mesh is taken as a cloth with a little more length than it needs, most where the pose bends it.
"""

from __future__ import annotations

import numpy as np

from lookalike.body import JOINTS, Body
from lookalike.people.makehuman.pattern import Pattern
from lookalike.people.wardrobe.cloth import Obstacles, Sheet, drape
from lookalike.people.wardrobe.garment import FALL, GATHERS, pattern_scale, waves
from lookalike.render.normals import vertex_normals

ROUNDS = 16
#: Least distance from what lies below (metres).
GAP = 0.003
#: How much a vertex is drawn back to where skinning puts it, a round.
HOLD = 0.012


def creased(
    posed: np.ndarray,
    rest: np.ndarray,
    pattern: Pattern,
    body: Body,
    under: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """(n, 3) the garment with folds.

    posed, rest : (n, 3) the garment in the pose and on the T-pose.  under : (V,) metres that garments further in take up.
    """
    edges, rim = pattern.edges
    size = pattern_scale(body)
    lively = rng.beta(1.7, 1.2)
    lengths = np.linalg.norm(rest[edges[:, 0]] - rest[edges[:, 1]], axis=1)
    much = np.clip(0.35 + 0.75 * waves(rng, rest / size, 0.22), 0, 1.5)
    ease = 0.07 * lively * much + 0.2 * lively * _gathers(rest, body, size, rng)
    lengths = lengths * (1 + ease[edges].mean(1))
    place = pattern.near @ body.vertices
    normal = pattern.near @ body.normals
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    gap = GAP + pattern.near @ under
    # Cloth that hangs far from the skin is held by its own length alone.
    gap[np.linalg.norm(posed - place, axis=1) > 0.08] = -1.0
    hold = np.full(len(rest), HOLD)
    hold[rim] = 0.1
    none = np.empty((0, 3), np.float32)
    obstacles = Obstacles(
        place.astype(np.float32),
        normal.astype(np.float32),
        gap.astype(np.float32),
        np.empty(0, np.intp),
        none,
        none,
        np.empty(0, np.float32),
    )
    sheet = Sheet(
        edges,
        lengths.astype(np.float32),
        np.ones(len(edges), np.float32),
        np.full(len(edges), 0.8, np.float32),
        pattern.mean,
        float(rng.uniform(0.004, 0.03)),
        hold,
    )
    bumps = 0.004 * lively * waves(rng, rest / size, rng.uniform(0.06, 0.12)) * size
    start = posed + bumps[:, None] * vertex_normals(posed, pattern.faces)
    return drape(start.astype(np.float32), posed, sheet, obstacles, ROUNDS, size * np.array([0, -FALL, 0]))


def _gathers(rest: np.ndarray, body: Body, size: float, rng: np.random.Generator) -> np.ndarray:
    """(n,) from 0 to about 1: nearness to the joints about which cloth gathers."""
    out = np.zeros(len(rest))
    for name, reach in GATHERS.items():
        for side in ("left", "right"):
            off = rest - body.rest_joints[JOINTS.index(f"{side}_{name}")]
            out += rng.uniform(0.2, 1.3) * np.exp(-np.einsum("ni,ni->n", off, off) / (reach * size) ** 2)
    return out
