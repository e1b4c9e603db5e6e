"""Tie a free mesh to the body: vertices and faces in, for each vertex its limb and its point on the body out.

What lies on the *ground*, the followed mesh, has its ties: its vertices are the body's own. For the rest, hair, hems and
bags, the closest point alone is wrong where limbs meet: a sleeve that hangs on the hip would be anchored to the hip. So
their limb is decided first, all vertices together: near a limb, facing as its skin does, and as its neighbours on the
mesh, except across creases, where one limb touches another (a mean field of Potts' model, as in Krähenbühl and Koltun,
2011). Then the closest point is looked for on that limb.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, vstack
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from lookalike.body.model import Body
from lookalike.mesh.triangles import barycentric, closest_on_triangles
from lookalike.render.normals import vertex_normals
from lookalike.surface.free_mesh.ground import Ground
from lookalike.surface.free_mesh.limbs import LIMBS, BodyLimbs, vertex_limbs
from lookalike.surface.smooth import neighbour_mean

#: Distance that weighs as much as normals at right angles, metres; and on hands, which wear nothing loose.
APART, APART_HAND = 0.035, 0.02
#: What is not the body's own is rather not a hand's: cloth is held, and gloves are tight.
NO_HAND = 1.0
#: Strength of the neighbours' say, rounds, and how much less it counts across a crease.
TOGETHER, ROUNDS, CREASE = 5.0, 30, 6.0
#: A piece of a limb with a smaller share of its vertices than this is a mistake.
PIECE = 0.12
#: Smoothing of the normals, for folds say nothing about the body below.
SMOOTHING = 4
#: Candidates that the closest point is chosen from.
NEAREST = 10
#: Distances from which a match is believed less and not at all, metres, and the same for the cosine of the normals.
NEAR, FACING = (0.035, 0.07), (0.75, 0.35)
#: Share of a point on the ground from which on it has the ground's ties, and the distances from the body, metres, from which
#: those are believed less and not at all.
TIED, TIED_NEAR = 0.3, (0.06, 0.12)


@dataclass(frozen=True)
class Match:
    """The mesh's ties. limb : (n,) uint8.  anchors : (n, V).  matched : (n,) float32 in [0, 1].  tied : (n,) bool, what
    lies on the ground."""

    limb: np.ndarray
    anchors: csr_matrix
    matched: np.ndarray
    tied: np.ndarray


def match(
    vertices: np.ndarray,
    faces: np.ndarray,
    edges: np.ndarray,
    body: Body,
    limbs: BodyLimbs,
    ground: Ground,
    own: np.ndarray | None = None,
) -> Match:
    """The ties of a mesh in the photo's pose to a body there. vertices : (n, 3) metres.  faces : (m, 3).  edges : (e, 2).

    own : (n,) which vertices are those of the ground's surface, and which: -1 for all others. None: none of them.
    """
    own = np.full(len(vertices), -1) if own is None else own
    found = ground.footing(vertices, vertex_normals(vertices, faces).astype(np.float64))
    tied = np.flatnonzero((found.share > TIED) | (own >= 0))
    bary, corners = found.bary[tied], ground.faces[found.face[tied]]
    exact = own[tied] >= 0
    bary[exact], corners[exact, 0] = (1, 0, 0), own[tied][exact]
    shape = (len(tied), ground.anchors.shape[0])
    on_ground = csr_matrix((bary.ravel(), corners.ravel(), 3 * np.arange(len(tied) + 1)), shape=shape)
    on_ground = on_ground @ ground.anchors
    limb = np.full(len(vertices), len(LIMBS), np.uint8)
    limb[tied] = (on_ground @ np.eye(len(LIMBS))[vertex_limbs(body.model)]).argmax(1)
    normals = smooth_normals(vertices, faces, edges)
    limb = assign_limbs(vertices, edges, normals, body, limbs, limb)
    free = np.setdiff1d(np.arange(len(vertices)), tied)
    anchors, matched = anchor(vertices[free], normals[free], limb[free], body, limbs)
    belief = np.empty(len(vertices), np.float32)
    belief[free] = matched
    off = np.linalg.norm(vertices[tied] - on_ground @ np.asarray(body.vertices, np.float64), axis=1)
    belief[tied] = ramp(off, TIED_NEAR[1], TIED_NEAR[0])
    order = np.argsort(np.concatenate([tied, free]))
    return Match(limb, vstack([on_ground, anchors]).tocsr()[order], belief, np.isin(np.arange(len(order)), tied))


def smooth_normals(vertices: np.ndarray, faces: np.ndarray, edges: np.ndarray, rounds: int = SMOOTHING) -> np.ndarray:
    """(n, 3) unit normals, smoothed over `rounds` edges (e, 2)."""
    normals = vertex_normals(vertices, faces).astype(np.float64)
    average = neighbour_mean(edges, len(vertices))
    for _ in range(rounds):
        normals = average @ normals + 0.3 * normals
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return normals


def assign_limbs(
    vertices: np.ndarray, edges: np.ndarray, normals: np.ndarray, body: Body, limbs: BodyLimbs, known: np.ndarray
) -> np.ndarray:
    """(n,) uint8 into `LIMBS`.

    edges : (e, 2).  normals : (n, 3) smoothed.  known : (n,) the limbs that are, `len(LIMBS)` elsewhere.
    """
    free = np.flatnonzero(known == len(LIMBS))
    if not len(free):
        return known
    cost = _costs(vertices[free], normals[free], body, limbs)
    along = vertices[edges[:, 1]] - vertices[edges[:, 0]]
    turn = normals[edges[:, 1]] - normals[edges[:, 0]]
    # negative where the surface is hollow: there limbs meet
    bend = np.einsum("ei,ei->e", along, turn) / np.maximum(np.linalg.norm(along, axis=1), 1e-9)
    mean = neighbour_mean(edges, len(vertices), 1 / (1 + CREASE * np.maximum(-bend, 0)))[free]
    given = mean @ np.eye(len(LIMBS) + 1)[known][:, :-1]
    mean = mean[:, free]
    limb = known.copy()
    limb[free] = _mean_field(cost, mean, given)
    stray = _strays(limb, edges)[free]
    if stray.any():
        cost[stray, limb[free][stray]] += 1e3
        limb[free] = _mean_field(cost, mean, given)
    return limb


def _costs(vertices: np.ndarray, normals: np.ndarray, body: Body, limbs: BodyLimbs) -> np.ndarray:
    """(n, len(LIMBS)) how far each limb is from being the vertex's."""
    middle = body.vertices[limbs.faces].mean(1).astype(np.float64)
    facing = _face_normals(body.vertices, limbs.faces)
    scale = np.where(limbs.hand, APART_HAND, APART)
    cost = np.full((len(vertices), len(LIMBS)), 50.0)
    for number in range(len(LIMBS)):
        rows = np.flatnonzero(limbs.own == number)
        if not len(rows):
            continue
        distance, index = cKDTree(middle[rows]).query(vertices, k=4)
        agree = np.einsum("nki,ni->nk", facing[rows][index], normals)
        cost[:, number] = (distance / scale[rows][index] + 1 - agree + NO_HAND * limbs.hand[rows][index]).min(1)
    return cost


def _mean_field(cost: np.ndarray, mean: csr_matrix, given: np.ndarray) -> np.ndarray:
    """(k,) the labels. mean : (k, k) of neighbours.  given : (k, labels) the part of the mean that is known."""
    belief = _softmax(-cost)
    for _ in range(ROUNDS):
        belief = _softmax(TOGETHER * (mean @ belief + given) - cost)
    return belief.argmax(1)


def _softmax(x: np.ndarray) -> np.ndarray:
    x = np.exp(x - x.max(1, keepdims=True))
    return x / x.sum(1, keepdims=True)


def _strays(limb: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(n,) bool: small pieces of a limb apart from its main one."""
    same = edges[limb[edges[:, 0]] == limb[edges[:, 1]]]
    link = coo_matrix((np.ones(len(same)), same.T), shape=(len(limb),) * 2)
    count, piece = connected_components(link, directed=False)
    size, total = np.bincount(piece, minlength=count), np.bincount(limb, minlength=len(LIMBS))
    return size[piece] < PIECE * total[limb]


def anchor(
    vertices: np.ndarray, normals: np.ndarray, limb: np.ndarray, body: Body, limbs: BodyLimbs
) -> tuple[csr_matrix, np.ndarray]:
    """The closest compatible body points of vertices whose limb is known: anchors (n, V), and belief in them (n,)."""
    corners = body.vertices[limbs.faces].astype(np.float64)
    facing = _face_normals(body.vertices, limbs.faces)
    face, apart, agree = (np.zeros(len(vertices), t) for t in (np.int64, float, float))
    place = np.zeros((len(vertices), 3))
    for number in np.unique(limb):
        mine = np.flatnonzero(limb == number)
        target = np.flatnonzero(limbs.open_to[:, number])
        if not len(target):
            target = np.arange(len(limbs.faces))
        near = target[cKDTree(corners[target].mean(1)).query(vertices[mine], k=min(NEAREST, len(target)))[1]]
        point = np.repeat(vertices[mine], near.shape[1], 0).astype(np.float64)
        closest = closest_on_triangles(point, corners[near.ravel()])
        distance = np.linalg.norm(point - closest, axis=1).reshape(near.shape)
        cosine = np.einsum("nki,ni->nk", facing[near], normals[mine])
        pick = (distance / APART + 1 - cosine).argmin(1)
        row = np.arange(len(mine))
        face[mine], apart[mine], agree[mine] = near[row, pick], distance[row, pick], cosine[row, pick]
        place[mine] = closest.reshape(*near.shape, 3)[row, pick]
    weight = barycentric(place, corners[face])
    shape = (len(vertices), len(body.vertices))
    rows = np.repeat(np.arange(len(vertices)), 3)
    anchors = coo_matrix((weight.ravel(), (rows, limbs.faces[face].ravel())), shape=shape).tocsr()
    matched = ramp(apart, NEAR[1], NEAR[0]) * ramp(agree, FACING[1], FACING[0])
    return anchors, matched.astype(np.float32)


def _face_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    normal = np.cross(b - a, c - a)
    return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)


def ramp(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 at `low` and beyond, 1 at `high` and beyond, smooth between; either may be the larger one."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
