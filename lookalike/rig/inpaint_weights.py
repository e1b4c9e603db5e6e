"""Skin weights of a free surface: a surface with its ties to the body in, every vertex's share of every joint out.

Where the surface lies on the body, the weights are the body's at the closest compatible point; the rest is filled in
smoothly over the mesh (Abdrashitov, Raichstat, Monsen, Hill: Robust skin weights transfer via weight inpainting, 2023).
Cloth that spans both legs is given weights of its own, which go over from leg to leg across the garment: filled in
between two thighs and two shoes, a hem would follow the shoes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from lookalike.body.model import Body
from lookalike.render.normals import vertex_normals
from lookalike.rig.mend import hanging
from lookalike.rig.skirt import FAR, NEAR, OUTSIDE, SWING
from lookalike.surface.free_mesh import BELIEVED, FreeSurface
from lookalike.surface.free_mesh.fill import fill
from lookalike.surface.free_mesh.limbs import LEFT_LEG, RIGHT_LEG
from lookalike.surface.free_mesh.match import ramp
from lookalike.surface.free_mesh.separate import spans_legs
from lookalike.surface.smooth import neighbour_mean, unique_edges

#: Cloth begins this far from the leg, and is nothing else from here on, metres.
LOOSE = (0.012, 0.035)
#: A skirt has so many edges from leg to leg, this far below the hips, as a share of the leg.
LEAST_EDGES, BELOW = 12, 0.16
#: What is below a skirt's hem on the average is still cloth this far from the legs, metres: hems are not level.
FAR_BELOW = (0.04, 0.08)
LEVELS = 40
#: Rounds of smoothing of what belongs to a skirt.
SOFT = 25
#: Cloth that looks down so steeply is the floor of a skirt, between hem and legs.
FLOOR = -0.6


@dataclass(frozen=True)
class FreeSkin:
    """weights : (n, J) each vertex's share of every joint.  loose : (n,) in [0, 1], how much is a skirt.  stride : how
    long steps may be, 1 for free legs."""

    weights: csr_matrix
    loose: np.ndarray
    stride: float


def inpaint_weights(surface: FreeSurface, body: Body) -> FreeSkin:
    """The skin of a free surface."""
    vertices = surface.vertices.astype(np.float64)
    own = surface.anchors @ np.asarray(body.model.weights, np.float64)
    known = surface.matched > BELIEVED
    skirt, under, hem = _skirt(surface, body)
    if hem > 0:
        own = own + skirt[:, None] * (_skirt_weights(surface, body, skirt) - own)
        known = known | (skirt > 0.5)
        known &= ~((skirt > 0.05) & (skirt < 0.5))  # the way over is filled in too
        known &= ~under
    used = np.flatnonzero(own.max(0) > 0)
    filled = own.copy()
    filled[:, used] = fill(vertices, surface.faces, own[:, used], known)
    filled = np.clip(filled, 0, None)
    filled[filled < 1e-3] = 0
    total = filled.sum(1, keepdims=True)
    filled = np.where(total > 1e-6, filled / np.maximum(total, 1e-6), own)
    stride = 1.0 if hem <= 0 else float(1 - 0.35 * np.clip((hem - 0.3) / 0.7, 0, 1))
    return FreeSkin(csr_matrix(filled), skirt, stride)


def _skirt(surface: FreeSurface, body: Body) -> tuple[np.ndarray, np.ndarray, float]:
    """How much each vertex is of a garment that spans both legs, (n,); which lie under it, between hem and legs, (n,)
    bool; and how far down the legs it goes, 0 without one."""
    count = len(surface.vertices)
    edges = unique_edges(surface.faces)
    down = _down(surface.vertices, body)
    between = edges[spans_legs(edges, surface.limb)]
    between = between[down[between].mean(1) > BELOW]
    hang = hanging(body)
    if len(between) < LEAST_EDGES or hang == 0:
        return np.zeros(count), np.zeros(count, bool), 0.0
    hem = float(np.percentile(down[between].mean(1), 97))
    leg = np.isin(surface.limb, (*LEFT_LEG, *RIGHT_LEG))
    apart = np.linalg.norm(surface.vertices - surface.anchors @ np.asarray(body.vertices, np.float64), axis=1)
    mean = neighbour_mean(edges, count)
    floor = leg & (down > 0.2) & (vertex_normals(surface.vertices, surface.faces)[:, 1] < FLOOR)
    cloth = leg & ~floor & _reached(edges, leg & ~floor, between)
    near = np.zeros(count)
    near[between] = 1
    for _ in range(6):
        near = np.maximum(near, 0.9 * (mean @ near > 1e-3) * (apart > LOOSE[0] / 2))
    above = np.maximum(ramp(apart, *LOOSE), near) * (1 - ramp(down, hem + 0.03, hem + 0.10))
    below = ramp(apart, *FAR_BELOW) * (1 - ramp(down, hem + 0.20, hem + 0.30))
    belongs = np.maximum(above, below) * cloth
    share = np.asarray(mean @ cloth.astype(float))
    for _ in range(SOFT):  # within the cloth: nothing goes over the hem
        belongs = np.where(cloth & (share > 0), (belongs + mean @ belongs / np.maximum(share, 1e-6)) / 2, 0)
    under = floor & (down > hem - 0.35) & (down < hem + 0.3)
    return belongs * hang, under, hem


def _reached(edges: np.ndarray, allowed: np.ndarray, start: np.ndarray) -> np.ndarray:
    """(n,) bool: vertices that edges between `allowed` (n,) vertices lead to from `start`, edges (k, 2)."""
    some = edges[allowed[edges].all(1)]
    link = coo_matrix((np.ones(len(some)), some.T), shape=(len(allowed),) * 2)
    piece = connected_components(link, directed=False)[1]
    size = np.bincount(piece[start.ravel()], allowed[start.ravel()], int(piece.max()) + 1)
    return allowed & (size[piece] > 0)


def _skirt_weights(surface: FreeSurface, body: Body, belongs: np.ndarray) -> np.ndarray:
    """(n, J) the weights of cloth that spans both legs, wherever it is on them."""
    names = list(body.model.joint_names)
    down = _down(surface.vertices, body)
    apart = np.linalg.norm(surface.vertices - surface.anchors @ np.asarray(body.vertices, np.float64), axis=1)
    level = np.clip((down * LEVELS).astype(int), 0, LEVELS - 1)
    total = np.bincount(level, belongs, LEVELS)
    reach = np.bincount(level, belongs * apart, LEVELS) / np.maximum(total, 1e-6)
    reach = np.interp(down, (np.arange(LEVELS) + 0.5) / LEVELS, uniform_filter1d(reach, 7, mode="nearest"))
    stiff = np.clip((reach - NEAR) / (FAR - NEAR), 0, 1)
    chain = {s: [names.index(f"{s}_{part}") for part in ("hip", "knee", "ankle")] for s in ("left", "right")}
    points = {}
    for side, joints in chain.items():
        knots = np.array([0, 0.5, 1.0])
        points[side] = np.stack([np.interp(down, knots, body.joints[joints, k]) for k in range(3)], 1)
    across = points["right"] - points["left"]
    length = np.maximum(np.linalg.norm(across, axis=1), 0.05)
    along = np.einsum("ni,ni->n", surface.vertices - (points["left"] + points["right"]) / 2, across) / length**2
    over = ramp(along, -0.5 - OUTSIDE, 0.5 + OUTSIDE)
    # tight cloth bends at the knees, wide cloth swings from the hips in one piece and less than the legs do
    to_leg = ramp(down, -0.1, 0.22) * (1 - stiff) + SWING * ramp(down, -0.1, 0.35) * stiff
    to_shin = ramp(down, 0.4, 0.6) * (1 - stiff)
    out = np.zeros((len(down), len(names)))
    out[:, names.index("pelvis")] = 1 - to_leg
    for side, share in (("left", 1 - over), ("right", over)):
        hip, knee, _ = chain[side]
        out[:, hip] = to_leg * share * (1 - to_shin)
        out[:, knee] = to_leg * share * to_shin
    return out


def _down(vertices: np.ndarray, body: Body) -> np.ndarray:
    """(n,) how far down the legs: 0 at the hips' height, 1 at the ankles', in the direction in which the legs hang."""
    names = list(body.model.joint_names)
    hips, ankles = (body.joints[[names.index(f"{s}_{p}") for s in ("left", "right")]].mean(0) for p in ("hip", "ankle"))
    way = (ankles - hips).astype(np.float64)
    return (vertices - hips) @ way / max(float(way @ way), 1e-9)
