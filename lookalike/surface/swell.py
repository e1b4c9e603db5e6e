"""Swell a surface along its normals until its outline meets the matte's: one round of matching and solving.

The unknown is a scalar field, metres along the smoothed normals. It is known at the rim and a thin plate under tension
elsewhere, in a metric that is short around limbs, so that the front and back of a coat go out with its sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_matrix, diags
from scipy.sparse.linalg import SuperLU

from lookalike.render.normals import vertex_normals
from lookalike.surface.gaps import CLEARANCE, free_way
from lookalike.surface.outline import OutlinePicture, Rim, find_rim
from lookalike.surface.skirt import SkirtFlow
from lookalike.surface.smooth import Energies, energies, factorise, lower_envelope

#: Length over which the field fades where nothing is known, metres, and over which tension damps overshoots.
FADE, TENSION = 0.4, 0.1
#: The same on the feet: what lies around them is seldom a shoe.
FADE_SHOE = 0.05
#: How much stiffer the field is against moving what keeps the body's form; what keeps it more than `FIXED` does not move.
HOLD, FIXED = 1e6, 0.98
#: Normals are smoothed over this length, metres.
NORMALS = 0.02
#: Rim points that disagree with their surroundings by more metres than this count little.
OUTLIER = 0.06
#: What lies further outside the foot than this is not the shoe, metres.
LOOSE_SHOE = 0.03
#: Largest move of one round, metres.
STEP = 0.06
#: Steepest rise of a step next to a vertex that must not move.
SLOPE = 0.5


@dataclass
class Swelling:
    """A mesh while it is drawn out: n vertices, m faces. `vertices` and `field` change from round to round.

    vertices : (n, 3) posed, camera frame.  field : (n,) metres so far.  faces : (m, 3).  edges : (e, 2).
    keep : (n,) in [0, 1], 1 keeps the body's form.  foot : (n,) in [0, 1].  free : (f,) vertices that may move.
    plain : energies in the rest pose.  plate : (f, f) the field's smoothness energy.  normal_factors : of the matrix that smooths normals.
    """

    vertices: np.ndarray
    field: np.ndarray
    faces: np.ndarray
    edges: np.ndarray
    keep: np.ndarray
    foot: np.ndarray
    free: np.ndarray
    plain: Energies
    plate: csc_matrix
    normal_factors: SuperLU

    @classmethod
    def start(
        cls,
        vertices: np.ndarray,
        faces: np.ndarray,
        rest: np.ndarray,
        axes: np.ndarray,
        keep: np.ndarray,
        foot: np.ndarray,
        field: np.ndarray | None = None,
    ) -> Swelling:
        """A mesh before the first round. rest : (n, 3) in the rest pose.  axes : (n, 3) limb axes there."""
        pairs = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1)
        plain, stretched = energies(rest, faces), energies(rest, faces, axes)
        free = np.flatnonzero(keep < FIXED)
        hold = FADE**-4 + HOLD * keep**4 + FADE_SHOE**-4 * foot
        plate = stretched.plate + stretched.membrane / TENSION**2 + diags(stretched.area * hold)
        return cls(
            vertices=np.asarray(vertices, float),
            field=np.zeros(len(vertices)) if field is None else field,
            faces=faces,
            edges=np.unique(pairs, axis=0),
            keep=keep,
            foot=foot,
            free=free,
            plain=plain,
            plate=plate.tocsr()[free][:, free].tocsc(),
            normal_factors=factorise(diags(plain.area) + NORMALS**2 * plain.membrane),
        )

    def rim(self) -> Rim:
        """The rim of the mesh as it is now."""
        return find_rim(self.vertices, self.faces, self.normals())

    def normals(self) -> np.ndarray:
        """(n, 3) unit normals of the mesh as it is now."""
        return vertex_normals(self.vertices, self.faces).astype(float)

    def smooth_normals(self, normals: np.ndarray) -> np.ndarray:
        """(n, 3) unit, `normals` averaged over the surface around."""
        smooth = self.normal_factors.solve(self.plain.area[:, None] * normals)
        return smooth / np.maximum(np.linalg.norm(smooth, axis=1, keepdims=True), 1e-9)


def swell(
    mesh: Swelling, picture: OutlinePicture, length: float, skirt: SkirtFlow | None = None
) -> None:
    """One round, with a field that is smooth over `length` metres. Changes `mesh`.

    skirt : how a skirt's surface moves instead of along its normals, or None for people without.
    """
    normals = mesh.normals()
    directions = mesh.smooth_normals(normals)
    if skirt is not None:
        directions += skirt.share[:, None] * (skirt.directions - directions)
    rim = find_rim(mesh.vertices, mesh.faces, normals)
    gaps = picture.match(rim, mesh.vertices, mesh.faces)
    rows = rim.matrix(len(mesh.vertices))
    # A vertex that moves along a smoothed normal takes the rim a little less far along the rim's own.
    slope = np.clip(np.einsum("ki,ki->k", rows @ directions, rim.normals), 0.3, 1)
    rows = diags(slope) @ rows
    target = rows @ mesh.field + gaps.gap
    rows = rows.tocsc()[:, mesh.free]
    smooth = length**3 * mesh.plate
    if skirt is not None:
        smooth = smooth + skirt.coupling[mesh.free][:, mesh.free]
    bulge = np.clip(gaps.gap, 0, None) * (rows @ mesh.foot[mesh.free]) / LOOSE_SHOE
    trust = gaps.weight * rim.length * np.exp(-(bulge**2)) * (1 - np.clip(rows @ mesh.keep[mesh.free], 0, 1))
    weight = trust
    wanted = mesh.field.copy()
    for _ in range(2):
        factors = factorise(smooth + rows.T @ diags(weight) @ rows)
        wanted[mesh.free] = factors.solve(rows.T @ (weight * target))
        rest = rows @ wanted[mesh.free] - target
        weight = trust / (1 + (rest / max(2 * length, OUTLIER)) ** 2) ** 2
    step = np.clip(wanted - mesh.field, -STEP, STEP)
    step = without_crossing(mesh, normals, directions, step)
    mesh.field = mesh.field + step
    mesh.vertices = mesh.vertices + step[:, None] * directions


def without_crossing(mesh: Swelling, normals: np.ndarray, directions: np.ndarray, step: np.ndarray) -> np.ndarray:
    """(n,) the step, cut so that no vertex goes more than half way to what it would meet."""
    way = free_way(mesh.vertices, mesh.faces, normals, directions * np.where(step < 0, -1, 1)[:, None])
    ends = mesh.vertices[mesh.edges]
    lengths = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
    limit = np.minimum(np.maximum(0.45 * way - CLEARANCE, 0), 2 * STEP)
    limit = lower_envelope(limit, mesh.edges, lengths, SLOPE, rounds=8)
    return np.clip(step, -limit, limit)
