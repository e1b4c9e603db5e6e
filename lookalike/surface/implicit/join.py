"""The person's surface as a level of a function of space: the followed mesh and what the picture shows beyond it, in one
watertight mesh of any topology.

    followed mesh without limbs ─winding──▶ inside or not ─┐
    maps, matte ──sheets──▶ what the mesh lacks ───────────┴▶ function on a grid ──polygonise──▶ mesh ──▶ drawn back onto
    the followed mesh ──stitch──▶ arms, head or face, hands of the followed mesh

A grid knows nothing finer than its cells, so where the new mesh lies along the followed one, which has been carved to the
predicted normals, its vertices go back onto that. Arms lie on torso and skirts, and within one function they would melt
into them. So they are left out, unless they wear wide sleeves, and sewn on as they are; so is the head if no hair or hat
is missing, and else the face; and a hand whose arm was not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import fft
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from lookalike.body.model import Body
from lookalike.maps.network import PredictedMaps
from lookalike.mesh.polygonise import ArrayField, polygonise
from lookalike.surface.free_mesh.ground import Ground
from lookalike.surface.free_mesh.limbs import LEFT_LEG, RIGHT_LEG, vertex_limbs
from lookalike.surface.implicit.own_parts import SIDES, face_region, hand_region, limb_regions
from lookalike.surface.implicit.sheets import Sheets, find_sheets
from lookalike.surface.implicit.stitch import stitch, with_inner_pieces
from lookalike.surface.implicit.winding import winding_numbers
from lookalike.surface.mesh import Surface
from lookalike.surface.smooth import neighbour_mean, taubin, unique_edges

#: Edge of a cell of the grid, metres: a person stands 300 cells high, and cells are a few times as fine as the body's mesh.
STEP = 0.006
#: Halves of a skirt are no farther than this from each other, metres.
AGAINST = 0.008
#: Square metres of such faces that make a skirt.  How far around its seam the cloth is levelled, metres, and over which
#: length that fades; the radius of the ball that must not get in; and nodes over which the cloth is smooth there.
SKIRT, SEAM, FADE, BALL, EVEN = 0.1, 0.06, 0.04, 0.04, 2.0
#: Nodes around the person.
MARGIN = 10
#: Metres over which a sheet goes over from inside to outside.
SOFT = 0.012
#: Rounds of smoothing of the grid's steps.
ROUNDS = 2


@dataclass(frozen=True)
class Joined:
    """A closed mesh: the skin, and where the face is the body's own eyeballs and the mouth's inside.

    vertices : (n, 3) metres, camera frame.  faces : (m, 3) int32, counter-clockwise from outside.
    own : (n,) which vertex of the followed mesh a vertex is, -1 for the function's.
    """

    vertices: np.ndarray
    faces: np.ndarray
    own: np.ndarray

    @classmethod
    def of(cls, vertices: np.ndarray, faces: np.ndarray) -> Joined:
        return cls(vertices, faces, np.full(len(vertices), -1))

    def stitched(self, followed: Surface, region: np.ndarray, stump: bool = False) -> Joined | None:
        """With the followed mesh's part of a region (k,), None if it cannot be sewn in."""
        more = stitch(self.vertices, self.faces, followed.vertices, followed.faces, region, stump)
        if more is None:
            return None
        kept = more.free >= 0
        return Joined(more.vertices, more.faces, np.where(kept, self.own[np.where(kept, more.free, 0)], more.base))

    def with_inner_pieces(self, followed: Surface) -> Joined:
        """With the followed mesh's pieces other than its skin."""
        vertices, faces, own = with_inner_pieces(self.vertices, self.faces, followed.vertices, followed.faces)
        return Joined(vertices, faces, np.concatenate([self.own, own]))


def join(followed: Surface, body: Body, predicted: PredictedMaps) -> Joined:
    """The followed mesh with what the picture shows beyond it.

    followed : the surface of `body`'s topology that follows the maps.  predicted : the maps.
    """
    ground = Ground.of(followed, body)
    walls = between_legs(ground, body)
    seam = ground.vertices[ground.faces[walls]].mean(1) if walls.any() else None
    if walls.any():
        ground = replace(ground, faces=ground.faces[~walls])
    limbs = [[followed.anchors @ cut for cut in cuts] for cuts in limb_regions(body.model)]
    on_limb = [[(limb > 0.5)[ground.faces].all(1) for limb in cuts] for cuts in limbs]
    sheets, wide = find_sheets(ground, body, predicted, tuple(cuts[0] for cuts in on_limb))
    # the cut of each limb that is tried; one that cannot be sewn on anywhere stays in the function
    cut = [len(cuts) if wide[k] or not on_limb[k][0].any() else 0 for k, cuts in enumerate(limbs)]
    while True:
        sewn = [k for k in range(len(limbs)) if cut[k] < len(limbs[k])]
        mesh = Joined.of(*_trunk(ground, sheets, seam, [on_limb[k][cut[k]] for k in sewn]))
        failed = []
        for k in sewn:
            more = mesh.stitched(followed, limbs[k][cut[k]], stump=True)
            if more is None:
                failed.append(k)
            mesh = more or mesh
        if not failed:
            break
        for k in failed:
            cut[k] += 1
    for k, side in enumerate(SIDES):
        if k not in sewn:
            mesh = mesh.stitched(followed, followed.anchors @ hand_region(body.model, side)) or mesh
    if len(SIDES) in sewn:
        return mesh.with_inner_pieces(followed)
    with_face = mesh.stitched(followed, followed.anchors @ face_region(body.model))
    return with_face.with_inner_pieces(followed) if with_face else mesh


def between_legs(ground: Ground, body: Body) -> np.ndarray:
    """(f,) bool: the walls between the halves of a skirt, which the legs hold: faces of one leg that lie against the
    other's. Without them the halves are one. None where legs only touch."""
    limb = vertex_limbs(body.model)
    legs = np.stack([np.isin(limb, LEFT_LEG), np.isin(limb, RIGHT_LEG)], 1)
    corners = ground.vertices[ground.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    side = (ground.anchors @ legs.astype(float))[ground.faces].mean(1)
    out = np.zeros(len(ground.faces), bool)
    mine = np.flatnonzero(side.max(1) > 0.5)
    for sign in (1, -1):  # the other side may also have come to lie a little behind this one
        hits = ground.caster.cast(corners[mine].mean(1) + sign * 1e-5 * normal[mine], sign * normal[mine])
        near = hits.hit & (hits.depth < AGAINST)
        other = hits.face[near]
        facing = np.einsum("ni,ni->n", normal[mine[near]], normal[other]) < -0.5
        out[mine[near]] |= facing & (np.einsum("ni,ni->n", side[mine[near]], side[other]) < 0.25)
    a, b, c = corners[out].transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    return out & (area > SKIRT)


def _trunk(
    ground: Ground, sheets: Sheets | None, seam: np.ndarray | None, left_out: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The function's mesh: vertices (n, 3) and faces (m, 3), one closed piece.

    seam : (k, 3) points between the halves of a skirt.  left_out : (f,) bool each, of the ground's faces.
    """
    faces = ground.faces[~np.any(left_out, 0)] if left_out else ground.faces
    points = ground.vertices[np.unique(faces)]
    if sheets is not None:
        points = np.concatenate([points, sheets.corners()])
    low = points.min(0) - MARGIN * STEP
    x, y, z = (fft.next_fast_len(int(n), real=True) for n in np.ceil((points.max(0) - low) / STEP) + MARGIN)
    inside = winding_numbers(*_closed(ground.vertices, faces), low, (x, y, z), STEP)
    if seam is not None:
        _close_seam(inside, (seam - low) / STEP)
    if sheets is not None:
        _add(inside, sheets, low)
    mesh = polygonise(ArrayField(inside.transpose(2, 1, 0), 0.5))
    points, triangles = largest_piece(mesh.vertices, mesh.faces)
    mean = neighbour_mean(unique_edges(triangles), len(points))
    points = taubin(low + STEP * points.astype(np.float64), mean, ROUNDS)  # without the grid's steps
    if seam is not None:  # the ground is rough there
        faces = faces[cKDTree(seam).query(ground.vertices[faces].mean(1), distance_upper_bound=SEAM)[0] == np.inf]
    return replace(ground, faces=faces).drawn_to(points, triangles, mean), triangles


def _closed(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mesh with a fan over each of its openings: lids, lips, and where arms are left out."""
    ends = np.stack([faces, np.roll(faces, -1, 1)], -1).reshape(-1, 2).astype(np.int64)
    count = len(vertices)
    open_ = ends[~np.isin(ends @ [count, 1], ends @ [1, count])]
    if not len(open_):
        return vertices, faces
    link = csr_matrix((np.ones(len(open_)), open_.T), shape=(count, count))
    loop = connected_components(link, directed=False)[1][open_[:, 0]]
    _, loop = np.unique(loop, return_inverse=True)
    middles = np.stack([vertices[open_[loop == k, 0]].mean(0) for k in range(loop.max() + 1)])
    fans = np.column_stack([open_[:, ::-1], count + loop])
    return np.concatenate([vertices, middles]), np.concatenate([faces, fans])


def _close_seam(inside: np.ndarray, seam: np.ndarray) -> None:
    """Level and smooth the cloth around the seam of a skirt, at nodes (k, 3): what a ball cannot get into is filled."""
    reach = int(np.ceil((SEAM + FADE + BALL) / STEP))
    nodes = np.rint(seam).astype(int)
    low = np.maximum(nodes.min(0) - reach, 0)
    high = np.minimum(nodes.max(0) + reach + 1, inside.shape)
    part = inside[tuple(slice(*ends) for ends in zip(low, high, strict=True))]
    there = np.ones(part.shape, bool)
    there[tuple((nodes - low).T)] = False
    share = np.clip((SEAM + FADE - STEP * distance_transform_edt(there)) / FADE, 0, 1)
    swollen = STEP * distance_transform_edt(part < 0.5) <= BALL
    closed = STEP * distance_transform_edt(swollen) > BALL
    part += share * (gaussian_filter(closed.astype(np.float32), EVEN) - part)


def _add(inside: np.ndarray, sheets: Sheets, low: np.ndarray) -> None:
    """Raise the function to 1 within the sheets."""
    x, y = (low[axis] + STEP * np.arange(inside.shape[axis]) for axis in (0, 1))
    across, up = np.meshgrid(x, y, indexing="ij")
    for k in range(inside.shape[2]):
        near, outside = sheets.outside(across, up, -(low[2] + STEP * k), SOFT)
        layer = inside[:, :, k]
        layer[near] = np.maximum(layer[near], np.clip(0.5 - outside / SOFT, 0, 1))


def largest_piece(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The connected piece of the largest volume: vertices (n, 3), faces (m, 3)."""
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    graph = csr_matrix((np.ones(len(pairs)), pairs.T), shape=(len(vertices),) * 2)
    piece = connected_components(graph, directed=False)[1][faces[:, 0]]
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    volume = np.bincount(piece, np.einsum("ni,ni->n", a, np.cross(b, c)))
    kept, faces = np.unique(faces[piece == volume.argmax()], return_inverse=True)
    return vertices[kept], faces.reshape(-1, 3).astype(np.int32)
