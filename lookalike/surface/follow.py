"""Let a drawn-out surface follow predicted maps: mesh, body and `PredictedMaps` in, the same mesh with folds and relief out.

Every vertex moves along its view ray, so the outline in the picture stays as it is, no triangle turns over in the picture,
and what could go wrong is the order of the layers along a ray. The moves are one number a vertex and come from linear least
squares that combines positions and normals (Nehab, Rusinkiewicz, Davis, Ramamoorthi, 2005):

0. *Slide* limbs part of the way to where the predicted depths have them, as another pose of the body would
   (`field.posture`).
1. *Carry* the mesh, as a smooth field on the body's own vertices, to where the predicted depths are.
2. *Carve* the fine mesh: edges at right angles to the predicted normals, long waves from the predicted depths, and what
   neither side shows stays with the smooth field.
3. *Part* what would come to lie on the wrong side of the next layer on its ray.

The mesh's front is compared with the front maps and the last layer on each ray with the back maps; what lies between follows
its surroundings. Hands go as a whole, and the face, which the mesh knows finer than the maps, keeps its details.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix, diags
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from lookalike.body.model import Body, BodyModel
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import RayCaster
from lookalike.surface.layers import JUMP, Gaps, Seen, look
from lookalike.surface.mesh import Surface
from lookalike.surface.posture import find_slide
from lookalike.surface.regions import Regions, find_regions
from lookalike.surface.smooth import Energies, Factors, energies, neighbour_mean, unique_edges

if TYPE_CHECKING:
    from lookalike.maps.network import PredictedMaps

#: Share of the predicted posture that is followed, and of what long waves of predicted depth are left. More brings surfaces
#: nearer to the truth once they are aligned, but turns them away from how the person stands; limbs that are where the fit
#: has them look better than limbs that a network pulls in all directions.
POSTURE, FOLLOW = 0.5, 0.1
#: Joints of a leg, and how near legs are to slide together, metres.
LEG, TOGETHER = ("hip", "knee", "ankle", "foot"), 0.12
#: Length, metres, that the first field is smooth over, and the scales of its rounds: depths that disagree by more count little.
CARRY, CARRY_ROUNDS = 0.04, (0.15, 0.06)
#: Length over which tension damps that field's overshoots, and over which it fades where nothing is known, metres.
TENSION, FADE = 0.05, 0.5
#: Waves shorter than about 2 pi times this many metres come from the normals, longer ones from the depths.
CROSSOVER = 0.08
#: Depths that disagree with the smooth field by more metres count little in the fine solve.
MISFIT = 0.03
#: Stiffness of the move against its own changes, in units of the normals' weight: anywhere, and more on hands, the
#: face and the feet, whose toes fold over each other.
STIFF, HAND_STIFF, FACE_STIFF, FOOT_STIFF = 0.02, 50.0, 0.5, 0.1
#: How much stiffer the first field is on hands and on the face.
KEEP_STIFF = 100.0
#: Metres: how far a hand or a face has to reach to be tilted.
TILT = 0.03
#: Metres of depth a metre across that it may be tilted by.
STEEPEST = 0.6
#: Length, metres, over which what neither side shows comes back to the smooth field.
HIDDEN = 0.05
#: Edges over which weights fall off at the border of what is seen.
FEATHER = 3
#: Length, metres, over which a face's normals are compared with the maps: what is smaller stays the mesh's.
FACE_DETAIL = 0.03


def follow_maps(
    surface: Surface, body: Body, predicted: PredictedMaps, depth: float = FOLLOW, posture: float = POSTURE
) -> Surface:
    """The surface with its vertices moved to what was predicted; all else stays.

    surface : as `draw_out` makes it of the body, in the camera frame of the maps.  predicted : its camera may be any window
    of the photo's.  posture : share, 0..1, of the limbs' slide along the view that the predicted depths ask for.
    depth : the same of what other long waves the predicted depths have.
    """
    vertices = surface.vertices.astype(float)
    rays = vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    normals = vertex_normals(vertices, surface.faces).astype(float)
    caster = RayCaster(vertices, surface.faces)
    seen = look(vertices, normals, caster, predicted)
    if not (seen.weight > 0).any():
        return surface
    parts = _Parts.of(surface, body.model)
    edges = unique_edges(surface.faces)
    count = surface.anchors.shape[1]  # the first vertices are the body's
    slid = _slide(surface, body, vertices, seen)
    seen = replace(seen, move=np.where(seen.side != 0, seen.move - slid, 0))
    coarse = energies(vertices[:count], body.model.faces, stiffness=1 + KEEP_STIFF * parts.keep**2)
    carried = _as_wholes(surface.anchors @ _carry(coarse, seen), vertices, seen, [*parts.hands, parts.face])
    seen = replace(seen, move=seen.move - (1 - depth) * carried)
    carried = depth * carried
    # What lies far from the smooth field is another layer, which the mesh has elsewhere.
    misfit = (seen.move - carried) / MISFIT
    seen = replace(seen, weight=feathered(seen.weight / (1 + misfit**2) ** 2, edges))
    seen = _keep_details(seen, normals, coarse, surface.anchors, parts)
    move = _carve(areas(vertices, surface.faces), edges, seen, carried, parts, Rows.of(vertices, edges, seen))
    move = _with_loose_parts(move + posture * slid, vertices, edges)
    move = Gaps.find(vertices, normals, caster).parted(move, np.maximum(parts.hand, parts.foot) > 0.3)
    return replace(surface, vertices=(vertices + move[:, None] * rays).astype(np.float32))


@dataclass(frozen=True)
class _Parts:
    """Parts that do not follow as cloth does, n vertices: numbers in [0, 1].

    face, foot, hand : (n,), the face with the ears.  hands : (2, n), left and right.  keep : (V,) of the body's vertices.
    """

    face: np.ndarray
    foot: np.ndarray
    hands: np.ndarray
    keep: np.ndarray

    @classmethod
    def of(cls, surface: Surface, model: BodyModel) -> _Parts:
        """The parts of a body's surface."""
        regions = find_regions(model)
        owners = regions.bone_of_joint
        wrists = [owners[model.joint_names.index(f"{side}_wrist")] for side in ("left", "right")]
        hands = np.clip(surface.anchors @ regions.bones[:, wrists], 0, 1).T
        face = np.clip(surface.anchors @ regions.keep - hands.sum(0), 0, 1)
        return cls(face, surface.anchors @ regions.foot, hands, regions.keep)

    @property
    def hand(self) -> np.ndarray:
        """(n,) either hand."""
        return self.hands.sum(0)


@dataclass(frozen=True)
class Rows:
    """Equations rows (k, n) @ move = target (k,) with weights (k,): edges lie at right angles to the normals."""

    rows: csr_matrix
    target: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, vertices: np.ndarray, edges: np.ndarray, seen: Seen) -> Rows:
        """Of edges (e, 2) between vertices (n, 3) that move along their view rays."""
        rays = vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
        i, j = edges.T
        strength = seen.weight * seen.confidence
        weight = np.minimum(strength[i], strength[j]) * (seen.side[i] == seen.side[j])
        way = vertices[j] - vertices[i]
        # An edge across a step in depth is no part of the surface that the normals belong to.
        step = np.abs(seen.move[j] - seen.move[i]) / (JUMP + 2 * np.linalg.norm(way, axis=1))
        weight = weight / (1 + step**2) ** 2
        kept = np.flatnonzero(weight > 1e-3)
        i, j, way, weight = i[kept], j[kept], way[kept], weight[kept]
        normal = seen.normals[i] + seen.normals[j]
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        a, b = (np.einsum("ki,ki->k", normal, rays[k]) for k in (i, j))
        place = (np.tile(np.arange(len(kept)), 2), np.concatenate([i, j]))
        rows = csr_matrix((np.concatenate([-a, b]), place), shape=(len(kept), len(vertices)))
        return cls(rows, -np.einsum("ki,ki->k", normal, way), weight)


def _slide(surface: Surface, body: Body, vertices: np.ndarray, seen: Seen) -> np.ndarray:
    """(n,) metres along the rays: what of the moves another pose of the body would explain."""
    regions, known = find_regions(body.model), seen.weight > 0.05
    bones, along = surface.anchors @ regions.bones, -vertices[:, 2] / np.linalg.norm(vertices, axis=1)
    if not known.any():
        return np.zeros(len(vertices))
    slide = find_slide(
        body, regions, vertices[known], bones[known], (seen.move * along)[known], seen.weight[known], seen.side[known]
    )
    return _legs_together(slide.at(vertices, bones), vertices, bones, body, regions) / along


def _legs_together(
    slid: np.ndarray, vertices: np.ndarray, bones: np.ndarray, body: Body, regions: Regions
) -> np.ndarray:
    """Slides (n,) that agree where the legs come near each other: the two halves of a skirt must not part."""
    names = body.model.joint_names
    legs = []
    for side in ("left", "right"):
        mine = [b for b, j in enumerate(regions.bone_joints) if names[j] in {f"{side}_{n}" for n in LEG}]
        legs.append(np.flatnonzero(bones[:, mine].sum(1) > 0.5))
    if not all(map(len, legs)):
        return slid
    out = slid.copy()
    for own, other in (legs, legs[::-1]):
        distance, nearest = cKDTree(vertices[other]).query(vertices[own])
        share = np.clip(1 - distance / TOGETHER, 0, 1)
        out[own] += 0.5 * share * (slid[other[nearest]] - slid[own])
    return out


def _carry(energy: Energies, seen: Seen) -> np.ndarray:
    """(V,) metres along the rays: a smooth field near the predicted depths, however wrong the mesh or they are in places.

    energy : of the body's V vertices, which are the first of those seen.
    """
    count = len(energy.area)
    smooth = CARRY**4 * (energy.plate + energy.membrane / TENSION**2 + diags(energy.area / FADE**4))
    weight, move = seen.weight[:count], seen.move[:count]
    field = np.zeros(count)
    for scale in CARRY_ROUNDS:
        robust = weight / (1 + ((move - field) / scale) ** 2) ** 2
        pull = energy.area * robust
        field = Factors(smooth + diags(pull)).solve(pull * move)
    return field


def areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(n,) each vertex's share of the surface, square metres."""
    a, b, c = (np.take(vertices, corner, 0) for corner in faces.T)
    double = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    return np.maximum(np.bincount(faces.ravel(), np.repeat(double / 6, 3), len(vertices)), 1e-9)


def feathered(weight: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Weights (n,) that fall off over a few edges towards what neither side shows."""
    mean = neighbour_mean(edges, len(weight))
    out = weight
    for _ in range(FEATHER):
        out = np.minimum(out, mean @ out)
    return out


def _as_wholes(carried: np.ndarray, vertices: np.ndarray, seen: Seen, wholes: list[np.ndarray]) -> np.ndarray:
    """The carried field (n,) with each of the wholes, (n,) in [0, 1], shifted and tilted only.

    A tilt is a move that grows evenly across the picture; what it does to a head that looks the wrong way is to turn it.
    """
    out = carried.copy()
    for whole in wholes:
        mine = np.flatnonzero(whole > 0.01)
        share, place, move = whole[mine], vertices[mine, :2], seen.move[mine]
        known, joined = share * seen.weight[mine], 4 * share * (1 - share) + 1e-3
        # Where it joins the rest it goes with the rest: a hand turns about its wrist.
        joined *= max(known.sum(), 1.0) / joined.sum()
        centre = (known + joined) @ place / (known + joined).sum()
        base = np.column_stack([np.ones(len(mine)), place - centre])
        plane = np.array([joined @ carried[mine] / joined.sum(), 0, 0])
        for scale in CARRY_ROUNDS:
            weight = known / (1 + ((move - base @ plane) / scale) ** 2) ** 2
            ridge = np.diag([0, TILT**2, TILT**2]) * known.sum()
            matrix = base.T @ ((weight + joined)[:, None] * base) + ridge
            plane = np.linalg.solve(matrix, base.T @ (weight * move + joined * carried[mine]))
            plane[1:] *= min(1.0, STEEPEST / max(float(np.linalg.norm(plane[1:])), 1e-9))
        out[mine] += share * (base @ plane - out[mine])
    return out


def _keep_details(seen: Seen, normals: np.ndarray, energy: Energies, anchors: csr_matrix, parts: _Parts) -> Seen:
    """On the face the mesh's own normals, turned as much as the maps turn them on average around; on hands nothing.

    energy : of the body's V vertices, which are the first of the n.
    """
    count, face = anchors.shape[1], parts.face
    known = (energy.area * seen.weight[:count] * seen.confidence[:count])[:, None]
    change = np.column_stack([known * (seen.normals - normals)[:count], known])
    near = np.flatnonzero(face[:count] > 0)
    if not len(near):
        return replace(seen, confidence=seen.confidence * (1 - np.clip(2 * parts.hand, 0, 1)))
    smooth = diags(energy.area[near]) + FACE_DETAIL**2 * energy.membrane[near][:, near]
    blurred = np.zeros_like(change)
    blurred[near] = Factors(smooth).solve(change[near])
    blurred = anchors @ blurred
    out = seen.normals.copy()
    turned = normals + blurred[:, :3] / np.maximum(blurred[:, 3:], 1e-2)
    out += face[:, None] * (turned - out)
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)
    return replace(seen, normals=out, confidence=seen.confidence * (1 - np.clip(2 * parts.hand, 0, 1)))


def _carve(
    area: np.ndarray, edges: np.ndarray, seen: Seen, carried: np.ndarray, parts: _Parts, normals: Rows
) -> np.ndarray:
    """(n,) the fine move, metres along the rays.

    area : (n,) each vertex's share of the surface.  carried : (n,) the smooth field.
    """
    stiffness = STIFF + HAND_STIFF * parts.hand**2 + FACE_STIFF * parts.face + FOOT_STIFF * parts.foot
    i, j = edges.T
    each = np.sqrt(stiffness[i] * stiffness[j])
    spring = csr_matrix((np.tile(each, 2), (np.r_[i, j], np.r_[j, i])), shape=(len(area), len(area)))
    spring = diags(np.asarray(spring.sum(1)).ravel()) - spring
    # The long waves of hands and face are the smooth field's alone.
    depth = area * seen.weight * (1 - np.clip(np.maximum(parts.face, parts.hand), 0, 1)) / CROSSOVER**2
    hidden = stiffness * area * np.clip(1 - seen.weight, 1e-3, 1) / HIDDEN**2
    pull = normals.rows.T @ diags(normals.weight)
    right = pull @ normals.target + spring @ carried + depth * seen.move + hidden * carried
    return Factors(pull @ normals.rows + spring + diags(depth + hidden)).solve(right)


def _with_loose_parts(move: np.ndarray, vertices: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The move with eyeballs, teeth and tongue, which no edge ties to the rest, going as wholes with what is around them."""
    count = len(vertices)
    graph = csr_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(count, count))
    pieces, piece = connected_components(graph, directed=False)
    if pieces == 1:
        return move
    largest = np.bincount(piece).argmax()
    main = np.flatnonzero(piece == largest)
    tree, out = cKDTree(vertices[main]), move.copy()
    for number in range(pieces):
        if number != largest:
            mine = np.flatnonzero(piece == number)
            out[mine] = move[main[np.unique(tree.query(vertices[mine])[1])]].mean()
    return out
