"""Skirts, dresses and long coats: cloth that belongs to both legs at once.

The surface has the body's two legs. Where a garment spans them, drawing out lays each leg's surface on its half of the
garment, and the halves touch along a plane between the legs. Followed by one leg each, the halves would part like
trousers in the first step. So here the weights go over from leg to leg across the garment: on the plane both halves
follow both legs alike, and stay together.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.sparse import csr_matrix, diags
from scipy.spatial import cKDTree

from lookalike.body.model import Body
from lookalike.surface.mesh import Surface

#: Halves of a garment touch when they are this close, metres, and this far from the body.
TOUCH, LOOSE = 0.012, 0.025
#: A level of the legs is under a skirt where this share of its vertices touches, and a skirt is at least this long, as
#: parts of the leg.
LEAST_SHARE, LEAST_LENGTH = 0.12, 0.12
#: Weights go over from one leg to the other from this far outside the one bone, in distances between the bones.
OUTSIDE = 0.8
LEVELS = 40
#: How much of a skirt's lower part follows the hips instead of the legs.
CALM = 0.3


def find_skirt(surface: Surface, body: Body, weights: csr_matrix) -> np.ndarray:
    """(n,) in [0, 1], how much each vertex belongs to a garment that spans both legs; all zero without one.

    weights : (n, J), each vertex's share of every joint.
    """
    legs = _Legs(surface, body, weights)
    if not legs.left.any() or not legs.right.any():
        return np.zeros(len(surface.vertices))
    offset = np.linalg.norm(surface.vertices - surface.anchors @ body.vertices, axis=1)
    both = legs.left | legs.right
    loose = both & (offset > LOOSE)
    touching = loose & _touching(surface, legs)
    level = np.clip((legs.down * LEVELS).astype(int), 0, LEVELS - 1)
    total = np.maximum(np.bincount(level[both], minlength=LEVELS), 1)
    share = np.bincount(level[touching], minlength=LEVELS) / total
    wide = np.bincount(level[loose], minlength=LEVELS) / total
    under = np.maximum(share / LEAST_SHARE, 10 * wide - 9)  # near a wide hem the halves' points lie far apart
    if (share > LEAST_SHARE).sum() < LEAST_LENGTH * LEVELS:
        return np.zeros(len(surface.vertices))
    first = int((share > LEAST_SHARE).argmax())
    bare = np.flatnonzero(uniform_filter1d(under, 3)[first:] < 0.5)
    under[first + bare[0] if len(bare) else LEVELS :] = 0
    under[:first] = 1
    middle = (np.arange(LEVELS) + 0.5) / LEVELS
    belongs = np.interp(legs.down, middle, np.clip(under, 0, 1)) * np.clip(legs.down / 0.08, 0, 1)
    return np.where(both, belongs, 0.0)


def _touching(surface: Surface, legs: _Legs) -> np.ndarray:
    """(n,) bool: the vertices of either leg that the other leg's surface is close to."""
    edges = np.linalg.norm(np.diff(surface.vertices[surface.faces], axis=1), axis=2).max(1)
    longest = np.zeros(len(surface.vertices))
    np.maximum.at(longest, surface.faces.ravel(), np.repeat(edges, 3))
    touching = np.zeros(len(surface.vertices), bool)
    for mine, other in ((legs.left, legs.right), (legs.right, legs.left)):
        near, _ = cKDTree(surface.vertices[other]).query(surface.vertices[mine])
        touching[mine] = near < np.maximum(TOUCH, 0.7 * longest[mine])
    return touching


def stride_in(surface: Surface, body: Body, weights: csr_matrix, skirt: np.ndarray) -> float:
    """How long steps are in this skirt, 1 for free legs: a hem at the ankles takes a third."""
    if not skirt.any():
        return 1.0
    hem = _Legs(surface, body, weights).down[skirt > 0.5].max(initial=0.0)
    return float(1 - 0.35 * np.clip((hem - 0.3) / 0.7, 0, 1))


def join_legs(surface: Surface, body: Body, weights: csr_matrix, skirt: np.ndarray) -> csr_matrix:
    """The weights (n, J) where the garment follows both legs. skirt : (n,) from `find_skirt`."""
    rows = np.flatnonzero(skirt)
    if not len(rows):
        return weights
    legs = _Legs(surface, body, weights)
    over = legs.over(body)[rows]
    names = list(body.model.joint_names)
    twin = [names.index(_mirrored(name)) if _mirrored(name) in names else j for j, name in enumerate(names)]
    own = weights[rows]
    share = diags(skirt[rows] * np.where(legs.left[rows], over, 1 - over))
    joined = own + share @ (own[:, twin] - own)
    calm = diags(skirt[rows] * CALM * np.clip(legs.down[rows] / 0.5, 0, 1))
    hips = csr_matrix(
        (np.ones(len(rows)), (np.arange(len(rows)), np.full(len(rows), names.index("pelvis")))), own.shape
    )
    joined = joined + calm @ (hips - joined)
    pick = csr_matrix((np.ones(len(rows)), (rows, np.arange(len(rows)))), shape=(len(skirt), len(rows)))
    rest = np.ones(len(skirt))
    rest[rows] = 0
    return (diags(rest) @ weights + pick @ joined).tocsr()


def _mirrored(name: str) -> str:
    for a, b in (("left", "right"), ("right", "left")):
        if name.startswith(a):
            return b + name[len(a) :]
    return name


class _Legs:
    """The legs' vertices. left, right : (n,) bool.  down : (n,) how far down the leg, 0 at the hip, 1 at the ankle."""

    def __init__(self, surface: Surface, body: Body, weights: csr_matrix):
        names = list(body.model.joint_names)
        self.chains = {s: [names.index(f"{s}_{part}") for part in ("hip", "knee", "ankle")] for s in ("left", "right")}
        share = {s: np.asarray(weights[:, chain].sum(1)).ravel() for s, chain in self.chains.items()}
        self.left = (share["left"] > 0.2) & (share["left"] > share["right"])
        self.right = (share["right"] > 0.2) & ~self.left
        self.surface, self.body = surface, body
        at = surface.anchors @ np.asarray(body.rest, np.float64)[:, 1]
        hip, ankle = (body.rest_joints[[c[k] for c in self.chains.values()], 1].mean() for k in (0, 2))
        self.down = np.clip((hip - at) / (hip - ankle), 0, 1)

    def over(self, body: Body) -> np.ndarray:
        """(n,) from 0 well outside the left leg's bone to 1 outside the right's, smooth, a half midway."""
        points = []
        for chain in self.chains.values():
            knots = [0, np.interp(body.rest_joints[chain[1], 1], *self._scale(chain)), 1]
            points.append(np.stack([np.interp(self.down, knots, body.joints[chain, k]) for k in range(3)], 1))
        left, right = points
        apart = right - left
        length = np.maximum(np.linalg.norm(apart, axis=1), 0.05)
        along = np.einsum("ni,ni->n", self.surface.vertices - (left + right) / 2, apart) / length**2
        part = np.clip(along / (1 + 2 * OUTSIDE) + 0.5, 0, 1)
        return part * part * (3 - 2 * part)

    def _scale(self, chain: list[int]) -> tuple[list[float], list[float]]:
        hip, ankle = self.body.rest_joints[chain[0], 1], self.body.rest_joints[chain[2], 1]
        return [float(ankle), float(hip)], [1.0, 0.0]
