"""The last: the form of one foot that a shoe is built on, in the T-pose. A `Body` in, rings from the sole to the knee out.

A shoe is drawn on a grid around the foot: columns go from the heel's back along the inner side (of the left foot) to
the toes and back, rows go from the sole's edge up over the foot to the ankle and on along the shank.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull, cKDTree

from lookalike.body.model import Body
from lookalike.people.forms import Form, sheet, smoothstep, unit
from lookalike.people.hair.scalp import parts_of
from lookalike.render.normals import vertex_normals

#: Columns around the foot, rows from the sole to the ankle, rows from the ankle to the knee.
COLUMNS, LOW, HIGH = 52, 15, 11

#: From heel to toe tip of an average adult; sizes of shoes are meant for such a foot.
ADULT_FOOT = 0.26


@dataclass(frozen=True)
class Limb:
    """A foot and its shank in the T-pose.

    Attributes
    ----------
    index : (n,) its vertices among the body's.  points : (n, 3) and normals : (n, 3).  weights : (n, J).
    floor : height of what it stands on.  ankle, knee : (3,) joints.  length : of the foot, metres.
    """

    index: np.ndarray
    points: np.ndarray
    normals: np.ndarray
    weights: np.ndarray
    floor: float
    ankle: np.ndarray
    knee: np.ndarray
    length: float
    foot: np.ndarray
    _tree: cKDTree

    @classmethod
    def of(cls, body: Body, side: str) -> Limb:
        """side : "left" or "right"."""
        model = body.model
        parts = [model.part_names.index(f"{side}_{name}") for name in ("foot", "leg")]
        mine = np.isin(parts_of(body), parts)
        new = np.cumsum(mine) - 1
        faces = new[model.faces[mine[model.faces].all(1)]]
        points = body.rest[mine].astype(np.float64)
        foot = parts_of(body)[mine] == parts[0]
        ankle, knee = (
            body.rest_joints[model.joint_names.index(f"{side}_{n}")].astype(np.float64) for n in ("ankle", "knee")
        )
        z = points[foot, 2]
        return cls(
            np.flatnonzero(mine),
            points,
            vertex_normals(points, faces).astype(np.float64),
            model.weights[mine],
            float(points[foot, 1].min()),
            ankle,
            knee,
            float(z.max() - z.min()),
            foot,
            cKDTree(points),
        )

    @property
    def scale(self) -> float:
        """How large the foot is beside an average adult's."""
        return self.length / ADULT_FOOT

    def clearance(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Signed distance (n,) of points (n, 3) from the skin, positive outside, and its direction (n, 3)."""
        distance, index = self._tree.query(points, k=4)
        weight = 1 / (distance**2 + 4e-6)
        weight /= weight.sum(1, keepdims=True)
        away = np.einsum("nki,nki->nk", points[:, None] - self.points[index], self.normals[index])
        return (weight * away).sum(1), unit((weight[..., None] * self.normals[index]).sum(1))

    def section(self, height: float, tilt: float = 0.0) -> np.ndarray:
        """(COLUMNS, 3) the outline of the leg at a height. tilt : how much it rises for each metre forward."""
        level = self.points[:, 1] - tilt * (self.points[:, 2] - self.ankle[2])
        for band in (0.012, 0.02, 0.04, 0.08):
            near = np.abs(level - height) < band * max(self.scale, 0.6)
            if near.sum() > 10:
                break
        ring = self.points[near][:, [0, 2]]
        hull = ring[ConvexHull(ring).vertices]
        outline = _resampled_outline(hull)
        y = height + tilt * (outline[:, 1] - self.ankle[2])
        return np.stack([outline[:, 0], y, outline[:, 1]], 1)

    def carried(self, form: Form, transforms: np.ndarray) -> Form:
        """A form of the T-pose in the body's pose, with the skin's weights. transforms : (J, 4, 4) of the body."""
        distance, index = self._tree.query(form.vertices, k=8)
        near = 1 / (distance + 0.006) ** 2
        near /= near.sum(1, keepdims=True)
        used = np.flatnonzero(self.weights.any(0))
        weights = np.einsum("nk,nkj->nj", near, self.weights[index][..., used])
        blend = np.tensordot(weights, transforms[used].astype(np.float64), 1)
        return form.moved(np.einsum("nij,nj->ni", blend[:, :3, :3], form.vertices) + blend[:, :3, 3])


@dataclass(frozen=True)
class Last:
    """A grid around a foot.

    Attributes
    ----------
    limb : the foot.  rows : (LOW + HIGH, COLUMNS, 3): row 0 is the sole's edge, row LOW - 1 the ankle.
    """

    limb: Limb
    rows: np.ndarray

    @classmethod
    def of(cls, limb: Limb, ease: float, toe: float, point: float = 0.0, shank: float = 0.006) -> Last:
        """ease : metres between skin and shoe.  toe : metres of room before the toes.

        point : 0 for a round toe, 1 for a pointed one, below 0 for a square one.  shank : ease along the leg.
        """
        s = limb.scale
        low = limb.points[limb.foot & (limb.points[:, 1] < limb.floor + 0.06 * s)][:, [0, 2]]
        hull = low[ConvexHull(low).vertices]
        outline = _resampled_outline(hull)
        middle = outline.mean(0)
        front = smoothstep(outline[:, 1], middle[1] + 0.1 * limb.length, outline[:, 1].max())
        normal = _outward(outline)
        outline = _around(outline + (0.8 * ease * s) * normal, hull, ease * s)
        outline[:, 1] += front * toe * s
        tip = outline[np.argmax(outline[:, 1]), 0]
        outline[:, 0] += front**1.5 * point * 0.55 * (tip - outline[:, 0])
        outline = _around(_resampled_outline(outline), hull, 0.9 * ease * s)
        sole = np.stack([outline[:, 0], np.full(COLUMNS, limb.floor), outline[:, 1]], 1)
        ankle = limb.section(limb.ankle[1] + 0.022 * s, -0.12)
        flat = _outward(ankle[:, [0, 2]])
        ankle = ankle + (ease * s) * np.stack([flat[:, 0], 0 * flat[:, 0], flat[:, 1]], 1)
        # From the sole's edge upwards first, then over the foot.
        t = np.linspace(0, 1, LOW)[:, None, None]
        lead = np.clip(ankle - sole, -0.03, 0.03) * [0.4, 0, 0.4]
        handle = sole + lead + [0, 0.035 * s, 0]
        grid = (1 - t) ** 2 * sole + 2 * t * (1 - t) * handle + t**2 * ankle
        # Before the toes there is room, less the higher up.
        ahead = smoothstep(outline[:, 1], middle[1] + 0.22 * limb.length, outline[:, 1].max())
        room = ease * s + toe * s * ahead[None] * smoothstep(1 - t[:, :, 0], 0.5, 0.9)
        for turn in range(9):
            inner = grid[1:-1].reshape(-1, 3)
            away, out = limb.clearance(inner)
            wanted = room[1:-1].ravel()
            lack = np.maximum(wanted - away, 0) - 0.5 * np.maximum(away - wanted - 0.006 * s, 0)
            grid[1:-1] = (inner + np.clip(lack, -0.01, 0.02)[:, None] * out).reshape(LOW - 2, COLUMNS, 3)
            _keep_over(grid[1:], outline)
            if turn < 8:
                around = 0.5 * (np.roll(grid, 1, 1) + np.roll(grid, -1, 1))[1:-1]
                along = 0.5 * (grid[:-2] + grid[2:])
                grid[1:-1] = 0.4 * grid[1:-1] + 0.3 * around + 0.3 * along
                grid[1:-1, :, 1] = np.maximum(grid[1:-1, :, 1], limb.floor + 0.002 * s)
        shafts = []
        for y in np.linspace(ankle[:, 1].mean() + 0.02 * s, limb.knee[1] - 0.02 * s, HIGH):
            ring = limb.section(float(y))
            flat = _outward(ring[:, [0, 2]])
            shafts.append(ring + (shank * s) * np.stack([flat[:, 0], 0 * flat[:, 0], flat[:, 1]], 1))
        shaft = np.stack(shafts)
        for _ in range(3):
            shaft[1:-1] = 0.5 * shaft[1:-1] + 0.25 * (shaft[:-2] + shaft[2:])
        rows = np.concatenate([grid, shaft])
        _contain(limb, rows, max(0.45 * min(ease, shank) * s, 0.0014))
        low = rows[: LOW + 1]
        for _ in range(2):
            around, along = 0.5 * (np.roll(low, 1, 1) + np.roll(low, -1, 1)), 0.5 * (low[:-2] + low[2:])
            low[1:-1] = 0.4 * low[1:-1] + 0.4 * around[1:-1] + 0.2 * along
        _contain(limb, rows, max(0.3 * min(ease, shank) * s, 0.0014), 3)
        _keep_over(rows[1:6], outline, 0.0018)
        # The sole is no wider than the upper that stands on it.
        rows[0][:, [0, 2]] += 0.8 * (rows[1] - rows[0])[:, [0, 2]]
        return cls(limb, rows)

    def at(self, column: np.ndarray, row: np.ndarray) -> np.ndarray:
        """(..., 3) points of the grid. column : (...) in turns, 0 the heel and 0.5 the toes.

        row : (...), 0 the sole, 1 the ankle, 2 the knee.
        """
        row = np.asarray(row, float)
        y = np.where(row <= 1, row * (LOW - 1), LOW - 1 + (row - 1) * HIGH)
        y = np.clip(y, 0, LOW + HIGH - 1.0001)
        x = (np.asarray(column, float) % 1) * COLUMNS
        x, y = np.broadcast_arrays(x, y)
        i, j = y.astype(int), x.astype(int) % COLUMNS
        a, b = (y - i)[..., None], (x - np.floor(x))[..., None]
        k, r = (j + 1) % COLUMNS, self.rows
        return (1 - a) * ((1 - b) * r[i, j] + b * r[i, k]) + a * ((1 - b) * r[i + 1, j] + b * r[i + 1, k])

    def out(self, column: np.ndarray, row: np.ndarray) -> np.ndarray:
        """(..., 3) unit, away from the foot, at the same places as `at`."""
        d = 0.01
        across = self.at(np.asarray(column) + d, row) - self.at(np.asarray(column) - d, row)
        up = self.at(column, np.minimum(np.asarray(row) + 0.04, 2)) - self.at(
            column, np.maximum(np.asarray(row) - 0.04, 0)
        )
        return unit(np.cross(across, up))

    @property
    def sole(self) -> np.ndarray:
        """(COLUMNS, 3) the edge of the sole."""
        return self.rows[0]

    def column_at(self, share: float) -> float:
        """Half the turns around the toes at which the sole's edge is this share of the foot's length from the heel."""
        z = self.sole[:, 2]
        goal = z.min() + share * (z.max() - z.min())
        half = z[: COLUMNS // 2 + 1]
        return float(0.5 - np.argmin(np.abs(half - goal)) / COLUMNS)


def _around(outline: np.ndarray, points: np.ndarray, air: float) -> np.ndarray:
    """An outline (n, 2) widened so that points (k, 2) are inside it with so much air."""
    centre = outline.mean(0)
    spoke, other = outline - centre, points - centre
    angle, at = np.arctan2(spoke[:, 0], spoke[:, 1]), np.arctan2(other[:, 0], other[:, 1])
    order = np.argsort(angle, kind="stable")
    radius = np.linalg.norm(spoke, axis=1)
    lack = np.linalg.norm(other, axis=1) + air - np.interp(at, angle[order], radius[order], period=2 * np.pi)
    apart = np.abs((angle[:, None] - at[None] + np.pi) % (2 * np.pi) - np.pi)
    more = np.maximum((lack[None] * (1 - smoothstep(apart, 0.06, 0.3))).max(1), 0)
    more = 0.5 * more + 0.25 * (np.roll(more, 1) + np.roll(more, -1))
    return centre + spoke * (1 + more / radius)[:, None]


def _keep_over(rows: np.ndarray, outline: np.ndarray, slack: float = 0.0) -> None:
    """Bring points of rows (k, n, 3), in place, back over the sole, outline (n, 2): a shoe does not bulge past it."""
    centre = outline.mean(0)
    spoke = outline - centre
    angle = np.arctan2(spoke[:, 0], spoke[:, 1])
    order = np.argsort(angle, kind="stable")
    place = rows[..., [0, 2]] - centre
    limit = (
        np.interp(
            np.arctan2(place[..., 0], place[..., 1]),
            angle[order],
            np.linalg.norm(spoke, axis=1)[order],
            period=2 * np.pi,
        )
        + slack
    )
    shrink = np.minimum(limit / np.maximum(np.linalg.norm(place, axis=-1), 1e-9), 1)
    rows[..., [0, 2]] = centre + shrink[..., None] * place


def _contain(limb: Limb, rows: np.ndarray, least: float, turns: int = 5) -> None:
    """Move a grid out, in place, where skin still shows through. rows : (k, COLUMNS, 3).  least : metres of air."""
    faces = sheet(rows, around=True).faces
    low, high = rows[0, :, 1].mean() + 0.004 * limb.scale, rows[-1, :, 1].mean()
    skin = limb.points[(limb.points[:, 1] > low) & (limb.points[:, 1] < high)]
    for _ in range(turns):
        flat = rows.reshape(-1, 3)
        normals = vertex_normals(flat, faces).astype(np.float64)
        distance, index = cKDTree(flat).query(skin, k=3)
        depth = np.einsum("nki,nki->nk", skin[:, None] - flat[index], normals[index])
        lack = np.where(distance < 0.02, np.clip(depth + least, 0, 0.008), 0)
        push = np.zeros(len(flat))
        np.maximum.at(push, index.ravel(), lack.ravel())
        push[:COLUMNS] = 0
        rows += (push[:, None] * normals).reshape(rows.shape)


def _resampled_outline(points: np.ndarray) -> np.ndarray:
    """(COLUMNS, 2) a closed outline (x, z), evenly spaced from the heel's middle on, from -z by -x to +z."""
    centre = points.mean(0)
    angle = np.arctan2(points[:, 0] - centre[0], points[:, 1] - centre[1])
    points = points[np.argsort(angle, kind="stable")]
    fine = np.concatenate([points, points[:1]])
    place = np.r_[0, np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))]
    at = np.linspace(0, place[-1], 8 * COLUMNS, endpoint=False)
    dense = np.stack([np.interp(at, place, fine[:, i]) for i in range(2)], 1)
    # Rounded, because a hull has corners, and started where it is furthest back.
    kernel = np.hanning(33)[1:-1]
    kernel /= kernel.sum()
    wide = np.concatenate([dense[-15:], dense, dense[:15]])
    dense = np.stack([np.convolve(wide[:, i], kernel, "valid") for i in range(2)], 1)
    begin = int(np.argmin(dense[:, 1]))
    return np.roll(dense, -begin, 0)[::8]


def _outward(outline: np.ndarray) -> np.ndarray:
    """(n, 2) unit normals of an outline (x, z) that runs from -z by -x to +z."""
    ahead = np.roll(outline, -1, 0) - np.roll(outline, 1, 0)
    normal = np.stack([-ahead[:, 1], ahead[:, 0]], 1)
    return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
