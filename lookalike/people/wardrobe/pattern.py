"""What is cut from a hull: a pattern in, the piece of sheet with clean edges out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, diags

from lookalike.people.wardrobe.hulls import REGIONS, Hull

#: An edge that was cut is straightened this often.
RIM_ROUNDS = 10


@dataclass(frozen=True)
class Cut:
    """A garment's pattern, in metres on the mean body (1.72 m tall), so that it grows with the wearer.

    Attributes
    ----------
    hull : "suit" or "robe".
    top : how far below the base of the neck it begins, None for garments that hang on the shoulders.
    neck : radius of the neckline; deep : how much lower it is in front, over 0.09 as a V; wide : to the sides.
    high : how far it goes up the neck.
    sleeve : length from the shoulder joint, None for a sleeve that ends in the armhole.
    bottom : where torso or skirt end, below the base of the neck; leg : where trouser legs end, from the hip joint, None
        for garments without.
    opening : half the gap in front, above and below, or None for a closed front.
    hood : whether it goes over the head.
    """

    hull: str = "suit"
    top: float | None = None
    neck: float = 0.07
    deep: float = 0.02
    wide: float = 0.0
    high: float = 0.0
    sleeve: float | None = 0.2
    bottom: float = 0.55
    leg: float | None = None
    opening: tuple[float, float] | None = None
    hood: bool = False


@dataclass(frozen=True)
class Panel:
    """The part of a hull that is kept: n vertices.

    Attributes
    ----------
    hull : it is cut from.  used : (n,) its vertices.  source : (q,) its quads.  quads : (q, 4) of the panel's vertices.
    edges, diagonals : (e, 2), (q, 2) pairs of the panel's vertices, one diagonal a quad.
    field : (n,) metres from the cut, negative inside.
    rim : (k,) vertices on open edges.  along_rim : (k, k) sparse mean over the neighbours on the rim.
    mean : (n, n) sparse mean over all neighbours.
    """

    hull: Hull
    used: np.ndarray
    source: np.ndarray
    quads: np.ndarray
    edges: np.ndarray
    diagonals: np.ndarray
    field: np.ndarray
    rim: np.ndarray
    along_rim: csr_matrix
    mean: csr_matrix

    def trimmed(self, *values: np.ndarray) -> list[np.ndarray]:
        """Values (n, c) a vertex as they are once the vertices at the cut were moved along the mesh onto the cut."""
        a, b = self.edges[:, 0], self.edges[:, 1]
        start, end = np.r_[a, b], np.r_[b, a]
        target = np.full(len(self.used), -1)
        order = np.argsort(self.field[end])[::-1]  # the innermost neighbour is written last
        target[start[order]] = end[order]
        inner = self.field[np.maximum(target, 0)]
        outer = (self.field > 0) & (target >= 0) & (inner < 0)
        share = np.where(outer, self.field / np.where(outer, self.field - inner, 1), 0).clip(0, 0.9)[:, None]
        out = []
        for value in values:
            moved = (value + share * (value[target] - value)).astype(np.float32)
            for _ in range(RIM_ROUNDS):
                moved[self.rim] = 0.5 * moved[self.rim] + 0.5 * (self.along_rim @ moved[self.rim])
            out.append(moved)
        return out


def cut_out(hull: Hull, cut: Cut) -> Panel:
    """The panel of a pattern."""
    value = cut_field(hull, cut)
    source = np.flatnonzero((value[hull.quads] < 0).sum(1) >= 3)
    number = np.full(len(value), -1, np.int32)
    used = np.unique(hull.quads[source])
    number[used] = np.arange(len(used))
    quads = number[hull.quads[source]]
    uses = np.bincount(hull.quad_edges[source].reshape(-1), minlength=len(hull.edges))
    edges, open_ = number[hull.edges[uses > 0]], number[hull.edges[uses == 1]]
    rim, ends = np.unique(open_, return_inverse=True)
    count = len(used)
    return Panel(
        hull,
        used,
        source,
        quads,
        edges,
        quads[:, [0, 2]],
        value[used],
        rim,
        _mean(ends.reshape(-1, 2), len(rim)),
        _mean(edges, count),
    )


def _mean(edges: np.ndarray, count: int) -> csr_matrix:
    a, b = edges[:, 0], edges[:, 1]
    link = csr_matrix((np.ones(2 * len(a), np.float32), (np.r_[a, b], np.r_[b, a])), (count, count))
    degree = np.maximum(np.bincount(np.r_[a, b], minlength=count), 1)
    return (diags((1 / degree).astype(np.float32)) @ link).tocsr()


def cut_field(hull: Hull, cut: Cut) -> np.ndarray:
    """(n,) about metres from the cut, negative where the garment is."""
    posed, down, along = hull.posed.astype(np.float64), hull.down, hull.along
    arm, leg, head = hull.within("arm"), hull.within("leg"), hull.region == REGIONS.index("head")
    out = np.full(len(posed), -1.0)

    def keep_below(value: np.ndarray | float, where: np.ndarray) -> None:
        out[where] = np.maximum(out, value)[where]

    if cut.top is not None:
        keep_below(cut.top - down, ~arm)
        keep_below(0.5, arm)
    elif cut.hood:
        middle = np.array([0, posed[:, 1].max() - 0.115, posed[head][:, 2].max()])
        off = (posed - middle) / np.array([0.085, 0.12, 0.105])
        keep_below((1 - np.linalg.norm(off, axis=1)) * 0.08, head)
    else:
        keep_below(_neckline(posed, down, cut), ~arm)
    sleeve = cut.sleeve if cut.sleeve is not None else -0.015
    if cut.top is None:
        keep_below(along - sleeve, arm)
        if cut.sleeve is None:
            keep_below(np.abs(posed[:, 0]) - 0.168, ~arm & (down < 0.16))
    if cut.leg is None:
        keep_below(down - cut.bottom, ~arm)
    else:
        keep_below(along - cut.leg, leg)
    if cut.opening is not None:
        above, below = cut.opening
        gap = above + (below - above) * np.clip(down / max(cut.bottom, 0.1), 0, 1)
        keep_below(gap - np.abs(posed[:, 0]), ~arm & (np.cos(hull.round) > 0.2))
    return out


def _neckline(posed: np.ndarray, down: np.ndarray, cut: Cut) -> np.ndarray:
    """(n,) metres into the neck's hole: a cone about the neck, lower in front."""
    at_neck = np.abs(down) < 0.03
    centre = posed[at_neck & (np.abs(posed[:, 0]) < 0.08)][:, 2].mean()
    x, z = posed[:, 0] * cut.neck / (cut.neck + cut.wide), posed[:, 2] - centre
    front = np.clip(z / 0.07, 0, 1)
    rise = -down + 0.012 - cut.high + front * (cut.deep + 0.018)
    if cut.deep > 0.09:  # a V: straight down from the sides of the neck
        rise = np.where(z > 0, rise - front * 1.25 * np.abs(posed[:, 0]), rise)
    reach = np.hypot(x, np.minimum(z, 0.4 * cut.neck))
    hole = np.minimum(cut.neck + 0.75 * rise - reach, 1.2 * rise + 0.02)
    return np.where(down < 0.03 + cut.deep + 0.05, hole, -1)
