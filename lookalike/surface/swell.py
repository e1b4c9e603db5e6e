"""Swell a surface along its normals until its outline meets the matte's: one round of matching and solving.

The unknown is a scalar field, metres along the smoothed normals. It is known at the rim and a thin plate under tension
elsewhere, in a metric that is short around limbs, so that the front and back of a coat go out with its sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, diags

from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import RayCaster
from lookalike.surface.gaps import CLEARANCE, free_way
from lookalike.surface.outline import OutlinePicture, find_rim
from lookalike.surface.skirt import Skirt
from lookalike.surface.smooth import Factors, Neighbours, energies, unique_edges

#: Length over which the field fades where nothing is known, metres, and over which tension damps overshoots.
FADE, TENSION = 0.4, 0.1
#: The same on the feet: what lies around them is seldom a shoe.
FADE_SHOE = 0.05
#: How much stiffer the field is against moving what keeps the body's form; what keeps it more than `FIXED` does not move.
HOLD, FIXED = 1e6, 0.98
#: Normals are smoothed over this length, metres.
NORMALS = 0.02
#: Rim points that disagree with their surroundings by more metres than this count little.
OUTLIER = 0.12
#: What lies further outside the foot than this is not the shoe, metres.
LOOSE_SHOE = 0.03
#: Cloth and hair that stand off further than this many metres are doubted, but for skirts.
FAR = 0.25
#: The matte may lie this far inside the body, metres.
DENT = 0.05
#: Largest move of one round, metres.
STEP = 0.06
#: Steepest rise of a step next to a vertex that must not move.
SLOPE = 0.5


class Sheet:
    """What stays the same about a body's mesh while it is drawn out: V vertices, in the rest pose.

    keep : (V,) in [0, 1], 1 keeps the body's form.  foot : (V,) in [0, 1].  plain : energies without stretch.
    """

    def __init__(self, rest: np.ndarray, faces: np.ndarray, axes: np.ndarray, keep: np.ndarray, foot: np.ndarray):
        """rest : (V, 3).  faces : (F, 3).  axes : (V, 3) limb axes."""
        self.rest, self.faces, self.axes, self.keep, self.foot = rest, faces, axes, keep, foot
        self.plain = energies(rest, faces)
        self.free = np.flatnonzero(keep < FIXED)
        self._normal_factors = Factors(diags(self.plain.area) + NORMALS**2 * self.plain.membrane)
        self.plate = self._plate(1.0)
        self.coupling: csr_matrix | None = None

    def crease(self, stiffness: np.ndarray, coupling: csr_matrix) -> None:
        """Let the field jump where `stiffness` (V,) is low, and hold it together by an energy (V, V)."""
        self.plate = self._plate(stiffness)
        self.coupling = coupling[self.free][:, self.free]

    def smoothed(self, values: np.ndarray) -> np.ndarray:
        """(V, k) values averaged over the surface around."""
        return self._normal_factors.solve(self.plain.area[:, None] * values)

    def _plate(self, stiffness: np.ndarray | float) -> csr_matrix:
        stretched = energies(self.rest, self.faces, self.axes, stiffness)
        hold = FADE**-4 + HOLD * self.keep**4 + FADE_SHOE**-4 * self.foot
        plate = stretched.plate + stretched.membrane / TENSION**2 + diags(stretched.area * hold)
        return plate.tocsr()[self.free][:, self.free]


@dataclass
class Swelling:
    """A mesh of n vertices while it is drawn out. `vertices` and `field` change from round to round.

    sheet : the body's mesh of V vertices.  vertices : (n, 3) posed, camera frame.  before : (n, 3) the body, before it is
    drawn out.  faces : (m, 3).
    field : (V,) metres so far, on the body's mesh.  weights : (n, V) from the body's vertices; the first V of the n are
    the body's.  neighbours : of the n.
    """

    sheet: Sheet
    vertices: np.ndarray
    faces: np.ndarray
    before: np.ndarray
    field: np.ndarray
    weights: csr_matrix
    neighbours: Neighbours
    _cast: tuple[np.ndarray, RayCaster] | None = None

    @classmethod
    def start(
        cls,
        sheet: Sheet,
        vertices: np.ndarray,
        before: np.ndarray,
        faces: np.ndarray,
        weights: csr_matrix,
        field: np.ndarray | None = None,
    ) -> Swelling:
        """A mesh before its first round."""
        field = np.zeros(len(sheet.rest)) if field is None else field
        neighbours = Neighbours(unique_edges(faces), len(vertices))
        return cls(sheet, np.asarray(vertices, float), faces, before, field, weights, neighbours)

    def normals(self) -> np.ndarray:
        """(n, 3) unit normals of the mesh as it is now."""
        return vertex_normals(self.vertices, self.faces).astype(float)

    def surface(self) -> RayCaster:
        """The mesh as it is now, for rays."""
        if self._cast is None or self._cast[0] is not self.vertices:
            self._cast = self.vertices, RayCaster(self.vertices, self.faces)
        return self._cast[1]


def swell(mesh: Swelling, picture: OutlinePicture, length: float, skirt: Skirt | None = None) -> None:
    """One round, with a field that is smooth over `length` metres. Changes `mesh`.

    skirt : moves apart as a whole instead of along its normals; None for people without.
    """
    sheet, surface, normals = mesh.sheet, mesh.surface(), mesh.normals()
    directions = mesh.weights @ sheet.smoothed(normals[: len(sheet.rest)])
    directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-9)
    if skirt is not None:
        share, apart = skirt.flow(mesh.vertices)
        directions += share[:, None] * (apart - directions)
    rim = find_rim(mesh.vertices, mesh.faces, normals)
    at_rim = rim.matrix(len(mesh.vertices))
    # A vertex that moves along a smoothed normal takes the rim a little less far along the rim's own.
    slope = np.clip(dot(at_rim @ directions, rim.normals), 0.3, 1)
    rows = at_rim @ mesh.weights
    so_far = rows @ mesh.field
    drawn = np.linalg.norm(at_rim @ (mesh.vertices - mesh.before), axis=1)
    gaps = picture.match(rim, surface, DENT + drawn)

    bulge = np.clip(gaps.gap, 0, None) * (rows @ sheet.foot) / LOOSE_SHOE
    far = np.clip(gaps.gap, 0, None) / (FAR if skirt is None else FAR + at_rim @ share)
    trust = gaps.weight * rim.length * np.exp(-(bulge**2) - far**2) * (1 - np.clip(rows @ sheet.keep, 0, 1))
    # What has been drawn out too far comes back, whatever its surroundings say.
    firm = (gaps.gap < 0) & (gaps.gap > -drawn)
    target = slope * so_far + gaps.gap
    wanted = _solve(sheet, (diags(slope) @ rows)[:, sheet.free], trust, firm, target, length)
    field_step = np.zeros(len(mesh.field))
    field_step[sheet.free] = np.clip(wanted - mesh.field[sheet.free], -STEP, STEP)
    # Within a skirt the two halves slide along each other.
    sliding = np.zeros(len(normals), bool) if skirt is None else (share > 0.5) & (dot(normals, directions) < 0.6)
    step = without_crossing(mesh, surface, normals, directions, mesh.weights @ field_step, sliding)
    mesh.field = mesh.field + step[: len(mesh.field)]
    mesh.vertices = mesh.vertices + step[:, None] * directions


def _solve(
    sheet: Sheet, rows: csr_matrix, trust: np.ndarray, firm: np.ndarray, target: np.ndarray, length: float
) -> np.ndarray:
    """(f,) the field on the free vertices that comes near `target` (k,) at the rim; points not `firm` that disagree go."""
    smooth = length**3 * sheet.plate
    if sheet.coupling is not None:
        smooth = smooth + sheet.coupling

    factors = Factors(smooth + rows.T @ diags(trust) @ rows)
    rest = rows @ factors.solve(rows.T @ (trust * target)) - target
    trust = trust / np.where(firm, 1, (1 + (rest / max(2 * length, OUTLIER)) ** 2) ** 2)
    factors.update(smooth + rows.T @ diags(trust) @ rows)
    return factors.solve(rows.T @ (trust * target))


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n,) inner products of rows (n, 3)."""
    return np.einsum("ni,ni->n", a, b)


def without_crossing(
    mesh: Swelling,
    surface: RayCaster,
    normals: np.ndarray,
    directions: np.ndarray,
    step: np.ndarray,
    sliding: np.ndarray | None = None,
) -> np.ndarray:
    """(n,) the step, cut so that no vertex goes more than half way to what it would meet nor neighbours fold over.

    sliding : (n,) bool, vertices that may pass close to others.
    """
    way = free_way(surface, mesh.vertices, normals, directions * np.where(step < 0, -1, 1)[:, None])
    if sliding is not None:
        way[sliding] = np.inf
    limit = np.minimum(np.maximum(0.45 * way - CLEARANCE, 0), 2 * STEP)
    limit = np.minimum(limit, mesh.neighbours.room(mesh.vertices, directions * np.where(step < 0, -1, 1)[:, None]))
    limit = mesh.neighbours.lower_envelope(limit, mesh.vertices, SLOPE, rounds=8)
    return np.clip(step, -limit, limit)
