"""Skirts, dresses and long coats: cloth that belongs to both legs at once.

The surface has the body's two legs. Where a garment spans them, drawing out lays each leg's surface on its half of the
garment, and the halves touch along a plane between the legs. Followed by one leg each, the halves would part like
trousers in the first step. So here the weights go over from leg to leg across the garment: on the plane both halves
follow both legs alike, and stay together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.sparse import csr_matrix, diags
from scipy.spatial import cKDTree

from lookalike.body.model import Body
from lookalike.rig.mend import hanging
from lookalike.surface.mesh import Surface

#: Halves of a garment touch when they are this close, metres, and this far from the body.
TOUCH, LOOSE = 0.012, 0.025
#: A level of the legs is under a skirt where this share of its vertices touches, and a skirt is at least this long, as
#: parts of the leg.
LEAST_SHARE, LEAST_LENGTH = 0.12, 0.12
LEVELS = 40
#: Weights go over from one leg to the other from this far outside the one bone, in distances between the bones.
OUTSIDE = 0.8
#: Cloth this far from the body, metres, bends at the knees with it, and swings from the hips in one piece.
NEAR, FAR = 0.03, 0.15
#: How much of the swing of the thighs a wide skirt follows.
SWING = 0.65


@dataclass(frozen=True)
class Skirt:
    """A garment that spans both legs.

    share : (n,) in [0, 1], how much each vertex belongs to it.
    weights : (n, J) the weights of all vertices, those of the garment joined.
    pose_weights : (n, J) those by which the garment follows the legs in the photo, which are bent as they will: closer
        to the body's, and a wide garment hangs from the hips.
    stride : how long steps are in it, 1 for free legs.
    """

    share: np.ndarray
    weights: csr_matrix
    pose_weights: csr_matrix
    stride: float


def find_skirt(surface: Surface, body: Body, weights: csr_matrix) -> Skirt | None:
    """The garment of a surface that spans both legs, if there is one.

    weights : (n, J), each vertex's share of every joint, as it follows from the body.
    """
    legs = _Legs(surface, body, weights)
    if not legs.left.any() or not legs.right.any():
        return None
    offset = np.linalg.norm(surface.vertices - surface.anchors @ body.vertices, axis=1)
    both = legs.left | legs.right
    loose = both & (offset > LOOSE)
    touching = loose & _touching(surface, legs)
    level = np.clip((legs.down * LEVELS).astype(int), 0, LEVELS - 1)
    total = np.maximum(np.bincount(level[both], minlength=LEVELS), 1)
    share = np.bincount(level[touching], minlength=LEVELS) / total
    seated = 1 - hanging(body)
    if (share > LEAST_SHARE).sum() < LEAST_LENGTH * LEVELS or seated == 1:
        return None
    wide = np.bincount(level[loose], minlength=LEVELS) / total
    under = np.maximum(share / LEAST_SHARE, 10 * wide - 9)  # near a wide hem the halves' points lie far apart
    first = int((share > LEAST_SHARE).argmax())
    bare = np.flatnonzero(uniform_filter1d(under, 3)[first:] < 0.5)
    hem = first + bare[0] if len(bare) else LEVELS
    under[hem:], under[:first] = 0, 1
    middle = (np.arange(LEVELS) + 0.5) / LEVELS
    belongs = np.interp(legs.down, middle, np.clip(under, 0, 1))
    # At the hem and down at the feet what lies well off the body is cloth, and nothing else.
    off = np.clip(offset / LOOSE - 1, 0, 1)
    belongs = np.where(legs.down < hem / LEVELS + 0.15, np.maximum(belongs, off), belongs)
    belongs *= np.maximum(off, _ramp(-legs.down, -0.95, -0.85)) * np.clip(legs.share / 0.3 - 0.5, 0, 1)
    belongs *= both * (1 - seated)

    mean = np.bincount(level[both], offset[both], minlength=LEVELS) / total
    reach = np.interp(legs.down, middle, uniform_filter1d(mean, 5))
    moving, posed = (
        _joined(legs, body, weights, belongs, np.clip((reach - near) / (far - near), 0, 1), swing)
        for near, far, swing in ((NEAR, FAR, SWING), (FAR, 2.5 * FAR, 0.4 * SWING))
    )
    return Skirt(belongs, moving, posed, float(1 - 0.35 * np.clip((hem / LEVELS - 0.3) / 0.7, 0, 1)))


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


def _joined(
    legs: _Legs, body: Body, weights: csr_matrix, belongs: np.ndarray, stiff: np.ndarray, swing: float
) -> csr_matrix:
    """The weights (n, J), joined where a garment follows both legs.

    belongs : (n,) as `Skirt.share`.  stiff : (n,) in [0, 1], how much of the cloth swings from the hips in one piece,
    by `swing` of the thighs' swing.
    """
    rows = np.flatnonzero(belongs)
    names = list(body.model.joint_names)
    down, left, over = (x[rows] for x in (legs.down, legs.left, legs.over()))
    to_leg = swing * _ramp(down, -0.1, 0.35)
    smooth = np.zeros((len(rows), len(names)))
    smooth[:, names.index("pelvis")] = 1 - to_leg
    for side, mine in (("left", left), ("right", ~left)):
        smooth[mine, legs.chains[side][0]] = to_leg[mine]
    own = weights[rows].toarray()
    new = own + stiff[rows, None] * (smooth - own)
    twin = [names.index(_mirrored(name)) if _mirrored(name) in names else j for j, name in enumerate(names)]
    new += np.where(left, over, 1 - over)[:, None] * (new[:, twin] - new)
    joined = csr_matrix(own + belongs[rows, None] * (new - own))
    free = np.ones(len(belongs))
    free[rows] = 0
    place = csr_matrix((np.ones(len(rows)), (rows, np.arange(len(rows)))), shape=(len(belongs), len(rows)))
    return (diags(free) @ weights + place @ joined).tocsr()


def _ramp(x: np.ndarray, start: float, end: float) -> np.ndarray:
    """0 up to `start`, 1 from `end`, smooth between."""
    part = np.clip((x - start) / (end - start), 0, 1)
    return part * part * (3 - 2 * part)


def _mirrored(name: str) -> str:
    for a, b in (("left", "right"), ("right", "left")):
        if name.startswith(a):
            return b + name[len(a) :]
    return name


class _Legs:
    """The legs' vertices.

    left, right : (n,) bool.  share : (n,) how much of a vertex follows its leg.
    down : (n,) how far down the leg, 0 at the hip, 1 at the ankle.
    """

    def __init__(self, surface: Surface, body: Body, weights: csr_matrix):
        names = list(body.model.joint_names)
        self.chains = {s: [names.index(f"{s}_{part}") for part in ("hip", "knee", "ankle")] for s in ("left", "right")}
        share = {s: np.asarray(weights[:, chain].sum(1)).ravel() for s, chain in self.chains.items()}
        self.share = np.maximum(share["left"], share["right"])
        self.left = (self.share > 0.15) & (share["left"] >= share["right"])
        self.right = (self.share > 0.15) & ~self.left
        self.surface, self.body = surface, body
        at = surface.anchors @ np.asarray(body.rest, np.float64)[:, 1]
        hip, ankle = (body.rest_joints[[c[k] for c in self.chains.values()], 1].mean() for k in (0, 2))
        self.down = np.clip((hip - at) / (hip - ankle), 0, 1)

    def over(self) -> np.ndarray:
        """(n,) from 0 well outside the left leg's bone to 1 outside the right's, smooth, a half midway."""
        points = []
        for chain in self.chains.values():
            height = self.body.rest_joints[chain, 1]
            knots = (height[0] - height) / (height[0] - height[2])
            points.append(np.stack([np.interp(self.down, knots, self.body.joints[chain, k]) for k in range(3)], 1))
        left, right = points
        apart = right - left
        length = np.maximum(np.linalg.norm(apart, axis=1), 0.05)
        along = np.einsum("ni,ni->n", self.surface.vertices - (left + right) / 2, apart) / length**2
        return _ramp(along, -0.5 - OUTSIDE, 0.5 + OUTSIDE)
