"""Fill the space between the legs under a skirt, a dress or a long coat: legs and matte in, leg surfaces that meet out.

The body's mesh has two legs and keeps them. Where the matte shows cloth between the legs, each leg takes half of the hull of
both: cut by slices across the legs, a slice's hull is the tightest skirt around the two, the half nearer to a leg is convex
and holds that leg's bone, so pushing the leg's surface away from the bone until it meets the half's border fills the hull
without folds. The two halves touch along a plane between the legs, and above the crotch nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, map_coordinates
from scipy.sparse import csr_matrix, diags
from scipy.spatial import cKDTree

from lookalike.body.model import BodyModel
from lookalike.render.raycast import RayCaster
from lookalike.surface.outline import OutlinePicture
from lookalike.surface.smooth import unique_edges

#: Slices are named by how far down the leg they are: 0 at the hip, 1 at the knee, 2 at the ankle.
TOP, BOTTOM, SLICES = -0.4, 2.0, 97
#: The fill begins at the top slice and is whole this far below it.
FADE = 0.3
#: How firmly the halves of a skirt hold together, against metres of rim, per square metre.
COUPLING = 300.0
#: How stiff the field is at the hem, against elsewhere.
HEM = 0.15
#: Directions in which a slice's extent is measured.
DIRECTIONS = 96
#: A garment is a skirt if it reaches this far down and fills the gap between the legs along this share of the thighs, or
#: this many square metres of it, and if the gap is half filled along at most so many slices.
LEAST_HEM, COVERED, LARGE, PARTING = 0.6, 0.6, 0.04, 0.2
#: Slices are smoothed over this many of them.
SMOOTH = 2.0
#: A skirt is at least this deep for its width, if that takes no more stretching.
ROUND, MOST_ROUNDING = 0.6, 1.4
#: The seam begins this far below the top slice, where the legs are apart.
SEAM = 0.7
#: Vertices beside the seam lie so many radians from it.
BESIDE = 0.025
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
    spine : (2,) int: the pelvis and the joint above.
    twin : (n,) int: the nearest vertex to each vertex's mirror image.
    """

    side: np.ndarray
    down: np.ndarray
    joints: np.ndarray
    spine: np.ndarray
    twin: np.ndarray


def find_legs(model: BodyModel, rest: np.ndarray, rest_joints: np.ndarray, bones: np.ndarray) -> Legs:
    """The legs of a body.

    rest : (n, 3) vertices and rest_joints : (J, 3) in the rest pose.  bones : (n, J) the vertices' skin weights.
    """
    names = list(model.joint_names)
    joints = np.array([[names.index(f"{s}_{j}") for j in ("hip", "knee", "ankle")] for s in ("left", "right")])
    inside = bones[:, _below_waist(names)].sum(1) > 0.5
    side = np.where(inside, (rest[:, 0] < 0).astype(int), -1)
    down = np.zeros(len(rest))
    for k, (hip, knee, ankle) in enumerate(joints):
        heights = rest_joints[[ankle, knee, hip], 1]
        thigh = heights[2] - heights[1]
        down[side == k] = np.interp(rest[side == k, 1], [*heights, heights[2] - TOP * thigh], [2.0, 1.0, 0.0, TOP])
    twin = cKDTree(rest).query(rest * [-1, 1, 1])[1]
    spine = np.array([names.index("pelvis"), names.index("spine1")])
    return Legs(side, down, joints, spine, twin)


def _below_waist(names: list[str]) -> list[int]:
    legs = [f"{s}_{j}" for s in ("left", "right") for j in ("hip", "knee", "ankle", "foot")]
    return [names.index(n) for n in ["pelvis", "spine1", "spine2", *legs]]


def find_hem(legs: Legs, joints: np.ndarray, picture: OutlinePicture, surface: RayCaster) -> float:
    """The slice where cloth between the legs ends, or 0 for trousers and bare legs.

    joints : (J, 3) posed.  surface : the body's, which covers part of the matte.
    """
    down = np.linspace(0, BOTTOM, SLICES)
    (left, _), (right, _) = (_bone_line(joints[chain], joints[legs.spine], down) for chain in legs.joints)
    along = np.linspace(0, 1, 49)[:, None, None]
    points = left + along * (right - left)
    cloth, body = picture.look(points, surface)
    bare = (body < 0.5).mean(0)
    width = bare * np.linalg.norm((right - left)[:, :2], axis=1)
    filled = ((body < 0.5) & (cloth >= 0.5)).mean(0) / np.maximum(bare, 1e-9)
    seen = width > 0.005
    open_ = (width > 0.01) & (filled < 0.6)
    last = int(open_.argmax()) if open_.any() else SLICES - 1
    thigh = (down > 0.3) & (down < min(1.0, max(down[last], 0.5)))
    covered = (seen & (filled > 0.85))[thigh].mean()
    step = np.linalg.norm(np.diff((left + right) / 2, axis=0), axis=1).mean()
    area = (width * filled)[:last].sum() * step
    # The gap of a skirt ends at once; where trousers part it opens little by little.
    parting = (seen & (filled > 0.3) & (filled < 0.85)).sum() * (down[1] - down[0])
    is_skirt = parting < PARTING and down[last] > LEAST_HEM and (covered > COVERED or area > LARGE)
    return float(down[last]) if is_skirt else 0.0


class Skirt:
    """The slices of one skirt: legs in a pose, with a hem."""

    def __init__(self, legs: Legs, joints: np.ndarray, hem: float, faces: np.ndarray):
        """joints : (J, 3) posed.  hem : slice, from `find_hem`.  faces : (m, 3) of the mesh."""
        down = np.linspace(TOP, BOTTOM, SLICES)
        (left, left_axis), (right, right_axis) = (
            _bone_line(joints[chain], joints[legs.spine], down) for chain in legs.joints
        )
        axis = _unit(left_axis + right_axis)
        apart = right - left
        apart -= np.einsum("si,si->s", apart, axis)[:, None] * axis

        self.mine = np.flatnonzero((legs.side >= 0) & (legs.down > TOP) & (legs.down < BOTTOM))
        mine = self.mine
        place = np.full(len(legs.side), -1)
        place[mine] = np.arange(len(mine))
        self.edges = place[unique_edges(faces)]
        self.edges = self.edges[(self.edges >= 0).all(1)]
        self.edges = self.edges[legs.side[mine][self.edges].ptp(1) == 0]
        self.slice = (legs.down[mine] - TOP) / (BOTTOM - TOP) * (SLICES - 1)
        nearest = np.clip(np.round(self.slice).astype(int), 0, SLICES - 1) + 1
        order = np.argsort(nearest, kind="stable")
        rows, starts = np.unique(nearest[order], return_index=True)
        self.rows = order, starts, rows
        self.right = legs.side[mine] == 1
        self.centre = np.where(self.right[:, None], _blend(right, self.slice), _blend(left, self.slice))
        self.across = _unit(_blend(apart, self.slice))
        through = np.cross(_blend(axis, self.slice), self.across)
        self.through = _unit(through - np.einsum("ki,ki->k", through, self.across)[:, None] * self.across)
        self.slice_between = np.linalg.norm(apart, axis=1)
        self.between = _blend(self.slice_between, self.slice)
        self.below, above = legs.down[mine] - hem, legs.down[mine] - TOP
        self.above = above
        above = np.clip(above / FADE, 0, 1)
        self.share = np.clip(-self.below / 0.03, 0, 1) * above * above * (3 - 2 * above)
        self.count = len(legs.side)
        self.twin = legs.twin[mine]
        self.angle = np.linspace(0, 2 * np.pi, DIRECTIONS, endpoint=False)

    def fill(self, vertices: np.ndarray, seam: bool = False) -> np.ndarray:
        """Vertices (n, 3) after each leg has been laid on its half of the hull; once, at last, with a `seam`."""
        x, z = self._local(vertices)
        support = self._support(x + self.between * self.right, z)  # from the left leg's bone
        support = _rounded(support)
        towards = np.where(self.right, -1.0, 1.0)
        direction = np.arctan2(z, towards * x)  # 0 points at the other leg
        tables, corners = [], np.empty(len(x))
        for leg in (0, 1):
            mine = self.right == leg
            own = support - leg * self.slice_between[:, None] * np.cos(self.angle)
            table = _reach(own if leg == 0 else _mirrored(own))
            tables.append(table)
            front, back = _corners(table, (self.slice_between - SLIT) / 2)
            corners[mine] = np.where(direction > 0, _blend(front, self.slice), _blend(back, self.slice))[mine]
        if seam:
            direction = np.where(self.above > SEAM, self._seam(direction, corners), direction)
        hull = np.where(self.right, *(_look_up(t, self.slice, direction) for t in reversed(tables)))
        plane = np.maximum((self.between - SLIT) / 2, 0.01) / np.maximum(np.cos(direction), 1e-3)
        radius = np.where(np.cos(direction) > 1e-3, np.minimum(hull, plane), hull)
        shift_x = towards * radius * np.cos(direction) - x
        shift_z = radius * np.sin(direction) - z
        result = vertices.copy()
        shift = shift_x[:, None] * self.across + shift_z[:, None] * self.through
        result[self.mine] += self.share[:, None] * shift
        return result

    def _seam(self, direction: np.ndarray, corner: np.ndarray) -> np.ndarray:
        """Directions (k,) with an edge of the mesh along the corners, where the hull meets the plane between the legs.

        Of an edge that crosses the corner, the nearer end goes there; the next vertices draw near, for shading rounds the
        corner off as far as they are.
        """
        off = np.abs(direction) - corner
        outer = off > 0
        split = self.edges[outer[self.edges[:, 0]] != outer[self.edges[:, 1]]]
        nearer = np.abs(off[split]).argmin(1)
        at_seam = np.zeros(len(direction), bool)
        at_seam[np.take_along_axis(split, nearer[:, None], 1)] = True
        beside = np.zeros(len(direction), bool)
        beside[self.edges[at_seam[self.edges].any(1)].ravel()] = True
        usual = np.median(np.abs(off[split[:, 0]] - off[split[:, 1]])) if len(split) else 1.0
        drawn = np.minimum(off, BESIDE + 2 * np.clip(off - usual, 0, None))  # where the mesh steps sideways, less
        off = np.where(beside & outer, drawn, off)
        off = np.where(at_seam, 0.0, off)
        return np.sign(direction) * np.clip(corner + off, 0, np.pi)

    def flow(self, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How the filled skirt (n, 3) moves when its field grows: away from its axis, all of it alike.

        Returns share (n,) in [0, 1], how much a vertex belongs to the skirt, and its directions (n, 3), of length one on
        the skirt's outside and less within.
        """
        x, z = self._from_middle(vertices)
        table = _reach(self._support(x, z))
        size = np.maximum(_look_up(table, self.slice, np.arctan2(z, x)), 0.02)
        scale = np.minimum(1 / size, 1 / np.maximum(np.hypot(x, z), 1e-6))
        share, directions = np.zeros(self.count), np.zeros((self.count, 3))
        share[self.mine] = self.share
        directions[self.mine] = scale[:, None] * (x[:, None] * self.across + z[:, None] * self.through)
        return share, directions

    def coupling(self, vertices: np.ndarray, area: np.ndarray) -> csr_matrix:
        """(n, n) energy that holds the fields of the two halves together where they touch.

        vertices : (n, 3).  area : (n,) the vertices' shares of the surface, square metres.
        """
        x, _ = self._from_middle(vertices)
        near = self.share * np.exp(-((x / np.maximum(0.2 * self.between, 0.01)) ** 2))
        rows = np.arange(len(self.mine))
        difference = csr_matrix(
            (np.repeat([1.0, -1.0], len(rows)), (np.tile(rows, 2), np.concatenate([self.mine, self.twin]))),
            shape=(len(rows), self.count),
        )
        return (difference.T @ diags(COUPLING * near * area[self.mine]) @ difference).tocsr()

    def crease(self) -> np.ndarray:
        """(n,) in (0, 1]: how stiff the field is at a vertex; hardly at the hem, where it may jump."""
        stiff = np.ones(self.count)
        stiff[self.mine] -= (1 - HEM) * np.exp(-((self.below / 0.05) ** 2))
        return stiff

    def _from_middle(self, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Across and through coordinates (k,) from the middle between the legs."""
        x, z = self._local(vertices)
        return x + self.between * self.right - self.between / 2, z

    def _local(self, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Across and through coordinates (k,) from each vertex's own bone."""
        offset = vertices[self.mine] - self.centre
        return np.einsum("ki,ki->k", offset, self.across), np.einsum("ki,ki->k", offset, self.through)

    def _support(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """(SLICES, DIRECTIONS) how far slices with these points reach in each direction."""
        reach = x[:, None] * np.cos(self.angle) + z[:, None] * np.sin(self.angle)
        extent = np.full((SLICES + 2, DIRECTIONS), -np.inf)
        order, starts, rows = self.rows
        extent[rows] = np.maximum.reduceat(reach[order], starts)
        return _smooth_rows(np.maximum.reduce([extent[:-2], extent[1:-1], extent[2:]]), SMOOTH)


def _rounded(support: np.ndarray) -> np.ndarray:
    """Support values (s, d) of shapes stretched from front to back where they are flat for a skirt."""
    count = support.shape[1]
    across, through = support[:, 0] + support[:, count // 2], support[:, count // 4] + support[:, 3 * count // 4]
    stretch = np.clip(ROUND * across / np.maximum(through, 1e-3), 1, MOST_ROUNDING)
    stretch = gaussian_filter1d(stretch, 5 * SMOOTH, mode="nearest")
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    # A convex shape stretched by q along z reaches as far towards (x, z) as it did towards (x, q z).
    x, z = np.cos(angle)[None], stretch[:, None] * np.sin(angle)
    rows = np.repeat(np.arange(len(support), dtype=float), count)
    return _look_up(support, rows, np.arctan2(z, x).ravel()).reshape(support.shape) * np.hypot(x, z)


def _reach(support: np.ndarray) -> np.ndarray:
    """(s, d) how far convex shapes with these support values (s, d) reach from the origin, both at d even angles."""
    angle = np.linspace(0, 2 * np.pi, support.shape[1], endpoint=False)
    cosine = np.cos(angle[:, None] - angle)
    reach = np.where(cosine > 0.05, support[:, None] / np.maximum(cosine, 0.05), np.inf).min(2)
    return gaussian_filter1d(np.maximum(reach, 0.01), 1.0, axis=1, mode="wrap")


def _mirrored(table: np.ndarray) -> np.ndarray:
    """A table (s, d) over even angles, with its shapes mirrored at the axis of angle pi / 2."""
    return np.roll(table[:, ::-1], table.shape[1] // 2 + 1, 1)


def _corners(table: np.ndarray, plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(s,) angles between 0 and pi / 2, before and behind, at which shapes (s, d) cross the line x = plane (s,)."""
    fan = np.linspace(0.02, 0.5, 97) * np.pi
    rows = np.repeat(np.arange(len(table), dtype=float), len(fan))
    found = []
    for sign in (1, -1):
        reach = _look_up(table, rows, np.tile(sign * fan, len(table))).reshape(len(table), -1)
        found.append(fan[(reach * np.cos(fan) <= plane[:, None]).argmax(1)])
    return found[0], found[1]


def _look_up(table: np.ndarray, slice_: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Values (k,) of a table (s, d) at fractional slices and at directions in radians."""
    column = direction / (2 * np.pi) * table.shape[1] % table.shape[1]
    rows = np.stack([slice_, column])
    return map_coordinates(np.concatenate([table, table[:, :1]], 1), rows, order=1, mode="nearest")


def _bone_line(chain: np.ndarray, spine: np.ndarray, down: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (s, 3) on a leg's bones at slices `down` (s,), and the directions (s, 3) there, rounded at the joints.

    chain : (3, 3) hip, knee, ankle.  spine : (2, 3) the pelvis and the joint above; the line goes on upwards along it.
    """
    up = _unit(spine[1] - spine[0])
    above = chain[0] - TOP * np.linalg.norm(chain[1] - chain[0]) * up
    line = np.concatenate([above[None], chain])
    points = np.stack([np.interp(down, [TOP, 0, 1, 2], line[:, k]) for k in range(3)], 1)
    knots = [-0.2, 0.2, 0.7, 1.3]
    turns = np.stack([-up, *(_unit(chain[1:] - chain[:-1]))])[[0, 1, 1, 2]]
    return points, _unit(np.stack([np.interp(down, knots, turns[:, k]) for k in range(3)], 1))


def _blend(values: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Rows of `values` (s, ...) at fractional rows `position` (k,)."""
    low = np.clip(np.floor(position).astype(int), 0, len(values) - 2)
    part = (position - low).reshape((-1,) + (1,) * (values.ndim - 1))
    return values[low] * (1 - part) + values[low + 1] * part


def _smooth_rows(values: np.ndarray, sigma: float) -> np.ndarray:
    known = np.isfinite(values).astype(float)
    total = gaussian_filter1d(np.where(known > 0, values, 0.0), sigma, axis=0, mode="nearest")
    return total / np.maximum(gaussian_filter1d(known, sigma, axis=0, mode="nearest"), 1e-6)


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)
