"""Fill the space between the legs under a skirt, a dress or a long coat: legs and matte in, leg surfaces that meet out.

The body's mesh has two legs and keeps them. Where the matte shows cloth between the legs, each leg takes half of the hull of
both: cut by slices across the legs, a slice's hull is the tightest skirt around the two, the half nearer to a leg is convex
and holds that leg's bone, so pushing the leg's surface away from the bone until it meets the half's border fills the hull
without folds. The two halves touch along a plane between the legs, and above the crotch nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.body.model import BodyModel
from lookalike.surface.outline import OutlinePicture

#: Slices are named by how far down the leg they are: 0 at the hip, 1 at the knee, 2 at the ankle.
TOP, BOTTOM, SLICES = 0.0, 2.0, 81
#: Directions in which a slice's extent is measured.
DIRECTIONS = 64
#: A garment counts as a skirt from this much uncovered cloth between the legs, square metres, reaching this far down.
LEAST_AREA, LEAST_HEM = 0.003, 0.4
#: The halves keep this much between them, metres.
SLIT = 1e-3


@dataclass(frozen=True)
class Legs:
    """Where vertices lie on the legs of the rest pose.

    Attributes
    ----------
    side : (n,) int: 0 left, 1 right, -1 elsewhere.
    down : (n,) slice of each vertex, 0 at the hip, 1 at the knee, 2 at the ankle.
    joints : (2, 3) int: hip, knee and ankle of each leg.
    """

    side: np.ndarray
    down: np.ndarray
    joints: np.ndarray


def find_legs(model: BodyModel, rest: np.ndarray, rest_joints: np.ndarray, bones: np.ndarray) -> Legs:
    """The legs of a body.

    rest : (n, 3) vertices and rest_joints : (J, 3) in the rest pose.  bones : (n, J) the vertices' skin weights.
    """
    names = list(model.joint_names)
    joints = np.array([[names.index(f"{s}_{j}") for j in ("hip", "knee", "ankle")] for s in ("left", "right")])
    side, down = np.full(len(rest), -1), np.zeros(len(rest))
    for k, (hip, knee, ankle) in enumerate(joints):
        toes = names.index(f"{names[hip].split('_')[0]}_foot")
        inside = bones[:, [hip, knee, ankle, toes]].sum(1) > 0.5
        heights = rest_joints[[ankle, knee, hip], 1]
        side[inside] = k
        down[inside] = np.interp(rest[inside, 1], heights, [2.0, 1.0, 0.0])
    return Legs(side, down, joints)


def find_hem(legs: Legs, joints: np.ndarray, picture: OutlinePicture, vertices: np.ndarray, faces: np.ndarray) -> float:
    """The slice where cloth between the legs ends, or 0 for trousers and bare legs.

    joints : (J, 3) posed.  vertices : (n, 3), faces : (m, 3) the body's surface, which covers part of the matte.
    """
    down = np.linspace(TOP, BOTTOM, SLICES)
    (left, _), (right, _) = (_bone_line(joints[chain], down) for chain in legs.joints)
    along = np.linspace(0, 1, 49)[:, None, None]
    points = left + along * (right - left)
    cloth, body = picture.look(points, vertices, faces)
    bare = (body < 0.5).mean(0)
    width = bare * np.linalg.norm((right - left)[:, :2], axis=1)
    filled = ((body < 0.5) & (cloth >= 0.5)).mean(0) / np.maximum(bare, 1e-9)
    open_ = (width > 0.01) & (filled < 0.6)
    last = int(open_.argmax()) if open_.any() else SLICES - 1
    step = np.linalg.norm(np.diff((left + right) / 2, axis=0), axis=1).mean()
    area = (width * filled)[:last].sum() * step
    shown = np.flatnonzero((width * filled)[:last] > 0.005)
    if area < LEAST_AREA or not len(shown) or down[shown[-1]] < LEAST_HEM:
        return 0.0
    return float(down[last])


def fill(legs: Legs, joints: np.ndarray, vertices: np.ndarray, hem: float) -> np.ndarray:
    """Moves (n, 3) that make the legs fill their common hull down to the hem.

    joints : (J, 3) posed.  vertices : (n, 3).  hem : slice, from `find_hem`.
    """
    down = np.linspace(TOP, BOTTOM, SLICES)
    (left, left_axis), (right, right_axis) = (_bone_line(joints[chain], down) for chain in legs.joints)
    axis = _unit(left_axis + right_axis)
    apart = right - left
    apart -= np.einsum("si,si->s", apart, axis)[:, None] * axis
    distance = np.linalg.norm(apart, axis=1)
    across = _unit(apart)
    through = np.cross(axis, across)

    move = np.zeros_like(vertices)
    mine = np.flatnonzero((legs.side >= 0) & (legs.down > TOP) & (legs.down < BOTTOM))
    slice_ = legs.down[mine] / (BOTTOM - TOP) * (SLICES - 1)
    at = lambda values: _blend(values, slice_)  # noqa: E731
    is_right = legs.side[mine] == 1
    centre = np.where(is_right[:, None], at(right), at(left))
    u, w = _unit(at(across)), at(through)
    w = _unit(w - np.einsum("ki,ki->k", w, u)[:, None] * u)
    offset = vertices[mine] - centre
    x, z = np.einsum("ki,ki->k", offset, u), np.einsum("ki,ki->k", offset, w)
    between = at(distance)

    # How far each slice of both legs reaches in each direction, from the left leg's bone.
    angle = np.linspace(0, 2 * np.pi, DIRECTIONS, endpoint=False)
    reach = (x + between * is_right)[:, None] * np.cos(angle) + z[:, None] * np.sin(angle)
    extent = np.full((SLICES, DIRECTIONS), -np.inf)
    for shift in (-1, 0, 1):
        np.maximum.at(extent, np.clip(np.round(slice_).astype(int) + shift, 0, SLICES - 1), reach)
    extent = _smooth_rows(extent, 2.0)
    support = at(extent) - (between * is_right)[:, None] * np.cos(angle)  # from the vertex's own bone

    radius = np.hypot(x, z)
    direction = np.arctan2(z, x)
    cosine = np.cos(direction[:, None] - angle)
    hull = np.where(cosine > 0.05, support / np.maximum(cosine, 0.05), np.inf).min(1)
    towards = np.where(is_right, -1, 1) * np.cos(direction)
    plane = np.where(towards > 1e-3, (between / 2 - SLIT) / np.maximum(towards, 1e-3), np.inf)
    target = np.minimum(hull, plane)
    share = np.clip((hem - legs.down[mine]) / 0.03, 0, 1) * np.clip(legs.down[mine] / 0.15, 0, 1)
    gain = share * np.where(target < radius, np.minimum(target, plane) - radius, target - radius)
    gain = np.where((gain < 0) & (plane > radius), 0, gain)  # only what lies beyond the plane comes back
    move[mine] = (gain / np.maximum(radius, 1e-6))[:, None] * (x[:, None] * u + z[:, None] * w)
    return move


def _bone_line(chain: np.ndarray, down: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (s, 3) on a leg's bones (3, 3) at slices `down` (s,), and the directions (s, 3) there, rounded at the knee."""
    points = np.stack([np.interp(down, [0, 1, 2], chain[:, k]) for k in range(3)], 1)
    bend = np.clip((down - 0.7) / 0.6, 0, 1)[:, None]
    return points, _unit(_unit(chain[1] - chain[0]) * (1 - bend) + _unit(chain[2] - chain[1]) * bend)


def _blend(values: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Rows of `values` (s, ...) at fractional rows `position` (k,)."""
    low = np.clip(np.floor(position).astype(int), 0, len(values) - 2)
    part = (position - low).reshape((-1,) + (1,) * (values.ndim - 1))
    return values[low] * (1 - part) + values[low + 1] * part


def _smooth_rows(values: np.ndarray, sigma: float) -> np.ndarray:
    from scipy.ndimage import gaussian_filter1d

    known = np.isfinite(values).astype(float)
    total = gaussian_filter1d(np.where(known > 0, values, 0.0), sigma, axis=0, mode="nearest")
    return total / np.maximum(gaussian_filter1d(known, sigma, axis=0, mode="nearest"), 1e-6)


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)
