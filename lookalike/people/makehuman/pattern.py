"""One MakeHuman garment, made ready to be worn by many bodies: a `.mhclo` file in, a `Pattern` out.

What does not depend on the wearer is worked out once: the refined mesh, skin weights, where on the body each vertex
lies, which faces are shirt, trousers or shoes, and which skin each of these hides. A `Pattern` then gives a body's
garment at rest (`Pattern.rest`), where folds may be added, and `makehuman_body.posed` brings that into the pose.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, diags, identity
from scipy.sparse.csgraph import connected_components

from lookalike.body.load import load_body
from lookalike.body.model import JOINTS, Body
from lookalike.errors import LookalikeError
from lookalike.people.makehuman.assets import Garment, read_garment
from lookalike.people.makehuman.body import BASE_COUNT, base_vertices, load_binding, to_t_pose, unbending
from lookalike.render.normals import vertex_normals
from lookalike.surface.subdivide import catmull_clark, refine_uv, split_quads

#: Garments with more quads than this are fine enough as they are.
REFINED_UP_TO = 4500
#: The same for hair, whose cards overlap a lot.
REFINED_HAIR = 2100
#: How many vertices of the body say where a garment's vertex lies.
NEIGHBOURS = 3
#: Charts whose mean skin weight on the legs (pelvis: a half) is above this are trousers or skirts.
LEGS = 0.5

#: Cloth this far from the skin (metres) begins to span from limb to limb, and does so altogether.
HANGING = (0.025, 0.07)
#: Rounds of smoothing of the skin weights of such cloth; skin weights kept a vertex.
HANGING_ROUNDS, INFLUENCES = 12, 8


@dataclass(frozen=True)
class Pattern:
    """A garment of n vertices (m triangles), refined.

    Attributes
    ----------
    garment : as it was read.
    fine : (n, k) sparse: vertices = fine @ (the k that the file has).
    faces, face_uv : (m, 3) int32.  uv : (t, 2).
    weights : (n, J) sparse float32 skin weights.  coarse : (k, J) of the file's vertices.  unbend : (k, 3, 3).
    near : (n, V) sparse, rows sum to one: the body's vertices about the place where each vertex lies on the body.
    offset : (n,) metres above that place on the mean body.
    mean : (n, n) sparse mean over each vertex's neighbours.
    label : (m,) "upper", "lower", "shoes", "accessory" or "hair".
    hidden : label -> (V,) bool: skin that these faces hide.
    thickness : label -> (V,) metres from skin to the outermost of these faces on the mean body, zero where there is none.
    area : label -> m² on the mean body.
    separable : whether its upper and lower part can be worn with others: not so for dungarees.
    """

    garment: Garment
    fine: csr_matrix
    faces: np.ndarray
    uv: np.ndarray
    face_uv: np.ndarray
    weights: csr_matrix
    coarse: csr_matrix
    unbend: np.ndarray
    near: csr_matrix
    offset: np.ndarray
    mean: csr_matrix
    label: np.ndarray
    hidden: dict[str, np.ndarray]
    thickness: dict[str, np.ndarray]
    area: dict[str, float]
    separable: bool

    def rest(self, body: Body, base: np.ndarray | None = None) -> np.ndarray:
        """(n, 3) the garment on this body's T-pose, metres. base : `base_vertices(body)`, where it is known already."""
        fitted = self.garment.fitted(base_vertices(body) if base is None else base)
        return self.fine @ to_t_pose(fitted, self.coarse, self.unbend, body)

    @cached_property
    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        """Each edge once, (e, 2) int32, and the vertices on open ones."""
        pairs = np.sort(np.concatenate([self.faces[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))]), 1)
        edges, uses = np.unique(pairs, axis=0, return_counts=True)
        return edges.astype(np.int32), np.unique(edges[uses == 1])

    @cached_property
    def uv_per_metre(self) -> float:
        """How much of uv a metre of the garment on the mean body covers, the median over its faces."""
        corner, flat = self.mean_rest[self.faces], self.uv[self.face_uv]
        area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1)
        a, b = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
        covered = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
        return float(np.median(np.sqrt(covered / np.maximum(area, 1e-12))))

    @cached_property
    def mean_rest(self) -> np.ndarray:
        """(n, 3) on the mean body, in hm08's rest pose."""
        return self.fine @ self.garment.fitted(load_binding().posed[0])


@lru_cache(maxsize=128)
def read_pattern(path: Path, hair: bool = False) -> Pattern:
    """The garment in a `.mhclo` file; read once a process. hair : whether it is hair, brows or lashes."""
    garment = read_garment(path)
    if garment.corners.max() >= BASE_COUNT or garment.hidden.max(initial=0) >= BASE_COUNT:
        raise LookalikeError(f"{path} is made for another base mesh than hm08: leave it out.")
    binding, model = load_binding(), load_body()
    mesh, count = garment.mesh, len(garment.mesh.vertices)
    if len(mesh.quads) <= (REFINED_HAIR if hair else REFINED_UP_TO) and _manifold(mesh.quads):
        refined = catmull_clark(mesh.quads, count)
        fine = refined.weights.tocsr()
        # smoothing pulls the file's vertices inwards; they are moved out by as much first
        back = 2 * identity(count, format="csr") - fine[:count]
        uv, face_uv = refine_uv(mesh.uv, mesh.quad_uv)
        faces = refined.faces
        smooth = fine
        fine = (fine @ back).tocsr()
    else:
        fine = identity(count, format="csr")
        smooth, uv = fine, mesh.uv
        faces, face_uv = split_quads(mesh.quads), split_quads(mesh.quad_uv)
    solid = (faces != np.roll(faces, 1, axis=1)).all(1)
    faces, face_uv = faces[solid], face_uv[solid]

    bare = binding.posed[0][binding.same]
    fitted = garment.fitted(binding.posed[0])
    carried = garment.carried(binding.weights.toarray())
    if not hair:
        carried = _hanging(
            carried, mesh.quads, np.linalg.norm(fitted - nearest(fitted, bare, solid_skin()) @ bare, axis=1)
        )
    coarse = csr_matrix(carried.astype(np.float32))
    weights = (smooth @ coarse).tocsr().astype(np.float32)
    place = fine @ fitted
    near = nearest(place, bare, solid_skin())
    normals = near @ vertex_normals(bare, model.faces)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    offset = np.einsum("ni,ni->n", place - near @ bare, normals)
    corners = place[faces]
    size = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    label = np.full(len(faces), "hair", "U9") if hair else _labels(weights.toarray(), faces, face_uv, len(uv), size)
    kinds = [str(k) for k in np.unique(label)]
    thickness = {k: _thickness(near, offset, np.unique(faces[label == k])) for k in kinds}
    gone = np.zeros(len(bare), bool)
    mine = binding.skin[garment.hidden]
    gone[mine[mine >= 0]] = True
    return Pattern(
        garment,
        fine,
        faces.astype(np.int32),
        uv.astype(np.float32),
        face_uv.astype(np.int32),
        weights,
        coarse,
        unbending(coarse),
        near,
        offset,
        _neighbours(faces, len(place)),
        label,
        _hidden(gone, bare, place, faces, label, kinds),
        thickness,
        {k: float(size[label == k].sum()) for k in kinds},
        _separable(weights, faces, label, size),
    )


@lru_cache(maxsize=1)
def solid_skin() -> np.ndarray:
    """(k,) int32: the body's vertices that clothes lie on: neither eyes nor the inside of the mouth."""
    model = load_body()
    assert model.parts is not None
    return np.flatnonzero(~np.isin(model.parts, [model.part_names.index(p) for p in ("eyes", "mouth")]))


def nearest(points: np.ndarray, body: np.ndarray, among: np.ndarray) -> csr_matrix:
    """(n, V) sparse: the few of the body's vertices (V, 3) next to each point (n, 3), the nearer the heavier."""
    from scipy.spatial import cKDTree

    distance, index = cKDTree(body[among]).query(points, NEIGHBOURS)
    weight = 1 / (distance**2 + 1e-6)
    weight /= weight.sum(1, keepdims=True)
    rows = np.repeat(np.arange(len(points)), NEIGHBOURS)
    return csr_matrix((weight.ravel(), (rows, among[index].ravel())), (len(points), len(body)))


def _manifold(quads: np.ndarray) -> bool:
    """Whether no edge has more than two faces, as refinement needs it, and all faces have four corners."""
    if (quads[:, 2] == quads[:, 3]).any():
        return False
    ends = np.sort(np.stack([quads, np.roll(quads, -1, 1)], -1).reshape(-1, 2), 1)
    return bool(np.unique(ends, axis=0, return_counts=True)[1].max() <= 2)


def _hanging(weights: np.ndarray, quads: np.ndarray, away: np.ndarray) -> np.ndarray:
    """Skin weights (k, J), smoothed over the cloth where it is far from the skin: there it spans from limb to limb.

    away : (k,) metres from the skin.
    """
    link = _neighbours(quads, len(weights))
    smooth = csr_matrix(weights)
    for _ in range(HANGING_ROUNDS):
        smooth = 0.5 * smooth + 0.5 * (link @ smooth)
    share = np.clip((away - HANGING[0]) / (HANGING[1] - HANGING[0]), 0, 1)[:, None]
    out = (1 - share) * weights + share * smooth.toarray()
    top = np.sort(out, axis=1)[:, -INFLUENCES][:, None]
    out[out < np.maximum(top, 1e-3)] = 0
    return out / out.sum(1, keepdims=True)


def _neighbours(faces: np.ndarray, count: int) -> csr_matrix:
    """(count, count) sparse: the mean over the vertices that share an edge with each."""
    a, b = faces.ravel(), np.roll(faces, -1, 1).ravel()
    link = coo_matrix((np.ones(2 * len(a)), (np.r_[a, b], np.r_[b, a])), (count, count)).tocsr()
    link.data[:] = 1
    return (diags(1 / np.maximum(np.asarray(link.sum(1)).ravel(), 1)) @ link).tocsr()


def _labels(weights: np.ndarray, faces: np.ndarray, face_uv: np.ndarray, texels: int, size: np.ndarray) -> np.ndarray:
    """(m,) what each face is, chart by chart of the texture, from the joints that its vertices follow.

    An outfit is one mesh, but its shirt and its trousers are never sewn together in the texture.
    """
    edges = np.concatenate([face_uv[:, [0, 1]], face_uv[:, [1, 2]]])
    chart = connected_components(coo_matrix((np.ones(len(edges)), edges.T), (texels, texels)), False)[1][face_uv[:, 0]]
    kind = np.array([_kind(j) for j in JOINTS])
    share = {k: weights[:, kind == k].sum(1)[faces].mean(1) for k in ("head", "foot", "leg", "pelvis")}
    total = np.maximum(np.bincount(chart, size), 1e-12)
    mean = {k: np.bincount(chart, size * v) / total for k, v in share.items()}
    of_chart = np.full(len(total), "upper", "U9")
    of_chart[mean["leg"] + 0.5 * mean["pelvis"] + mean["foot"] > LEGS] = "lower"
    of_chart[mean["foot"] > 0.5] = "shoes"
    of_chart[mean["head"] > 0.6] = "accessory"
    label = of_chart[chart]
    if size[label == "shoes"].sum() > 0.5 * size.sum():
        label[:] = "shoes"  # socks and boot legs come with the shoe
    return label


def _separable(weights: csr_matrix, faces: np.ndarray, label: np.ndarray, size: np.ndarray) -> bool:
    chest = [JOINTS.index(j) for j in ("spine2", "spine3", "left_collar", "right_collar")]
    on_chest = np.asarray(weights[:, chest].sum(1)).ravel()[faces].mean(1) > 0.5
    lower = label == "lower"
    return bool(size[lower & on_chest].sum() < 0.02 * max(size[lower].sum(), 1e-9))


def _kind(joint: str) -> str:
    name = joint.split("_")[-1]
    if name in ("head", "neck", "pelvis"):
        return "head" if name == "neck" else name
    if name in ("ankle", "foot"):
        return "foot"
    return "leg" if name in ("hip", "knee") else "other"


def _thickness(near: csr_matrix, offset: np.ndarray, used: np.ndarray) -> np.ndarray:
    """(V,) the largest offset of garment vertices `used` that lie at each of the body's vertices, and next to it."""
    out = np.zeros(near.shape[1])
    some = near[used]
    np.maximum.at(out, some.indices, np.repeat(np.clip(offset[used], 0, 0.1), np.diff(some.indptr)))
    faces = load_body().faces
    grown = out.copy()
    np.maximum.at(grown, faces.ravel(), np.repeat(out[faces].max(1), 3))
    return grown


def _hidden(
    gone: np.ndarray, bare: np.ndarray, place: np.ndarray, faces: np.ndarray, label: np.ndarray, kinds: list[str]
) -> dict[str, np.ndarray]:
    """Each kind's share of the hidden skin `gone` (V,): what its faces are nearest to."""
    from scipy.spatial import cKDTree

    index = np.flatnonzero(gone)
    out = {k: np.zeros(len(bare), bool) for k in kinds}
    if len(index):
        whose = label[cKDTree(place[faces].mean(1)).query(bare[index])[1]]
        for kind in kinds:
            out[kind][index[whose == kind]] = True
    return out
