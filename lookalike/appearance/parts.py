"""What the body knows that painting needs: a surface and its body in, one row of facts a surface vertex out.

The surface's vertices are anchored to the body's, so part labels, the rest pose and the left-right mirror carry over.
A body model without part labels (a user's SMPL file) gets them from its skeleton.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix

from lookalike.body.model import Body, BodyModel
from lookalike.render.normals import vertex_normals
from lookalike.surface.free_mesh import FreeSurface
from lookalike.surface.mesh import Surface

#: What painting distinguishes. Arms and legs of both sides look alike, and left and right differ by the rest pose.
GROUPS = ("head", "neck", "torso", "arm", "hand", "leg", "foot", "eyes", "mouth")
HEAD, NECK, TORSO, ARM, HAND, LEG, FOOT, EYES, MOUTH = range(len(GROUPS))
#: Typical radius in metres at the part's sides: how far the surface curves away from the camera there. Nearly none on
#: heads, whose sides are painted otherwise and whose noses are no outlines.
RADIUS = np.array([0.002, 0.055, 0.085, 0.045, 0.008, 0.065, 0.04, 0.01, 0.01], np.float32)
#: Two points of a part may share a colour "through the body" if their rest positions are no further apart than this.
THICKNESS = np.array([0.12, 0.15, 0.40, 0.17, 0.05, 0.26, 0.12, 0.0, 0.0], np.float32)
#: Which parts may read which: head reads head, hand reads hand, the rest reads the rest; eyes and mouth read nothing.
BODY_KIND, HEAD_KIND, HAND_KIND, NO_KIND = range(4)
KIND = np.array(
    [HEAD_KIND, BODY_KIND, BODY_KIND, BODY_KIND, HAND_KIND, BODY_KIND, BODY_KIND, NO_KIND, NO_KIND], np.uint8
)
#: Smoothing steps of the normals that say how far a point is from the outline: folds and buttons must not count.
SMOOTHING = 12


@dataclass(frozen=True)
class Places:
    """Points whose colour is looked up, vertices or texels.

    Attributes
    ----------
    position, normal : (k, 3) float32 camera frame; the normals are smoothed over a few centimetres.
    rest : (k, 3) float32 rest pose (T-pose, Y up, facing +Z), the model's template, metres.
    radius, thickness : (k,) float32 metres, see `RADIUS` and `THICKNESS`.
    offset : (k, 2) float32 pixels of the photo, added to the projection when colours are looked up (registration.py).
    kind : (k,) uint8, see `KIND`.
    """

    position: np.ndarray
    normal: np.ndarray
    rest: np.ndarray
    radius: np.ndarray
    thickness: np.ndarray
    offset: np.ndarray
    kind: np.ndarray

    #: Numbers a row in `table`.
    WIDTH = 13

    def table(self) -> np.ndarray:
        """(k, WIDTH) float32: everything that may be interpolated, `of_table` takes it apart."""
        columns = (
            self.position,
            self.normal,
            self.rest,
            self.radius[:, None],
            self.thickness[:, None],
            self.offset,
        )
        return np.concatenate(columns, axis=1, dtype=np.float32)

    @classmethod
    def of_table(cls, table: np.ndarray, kind: np.ndarray) -> Places:
        """The places of a table (k, WIDTH)."""
        return cls(table[:, :3], table[:, 3:6], table[:, 6:9], table[:, 9], table[:, 10], table[:, 11:], kind)


@dataclass(frozen=True)
class Facts:
    """One row a surface vertex.

    Attributes
    ----------
    group : (n,) uint8 into `GROUPS`.
    here : the vertices themselves.  mirrored : their mirror images on the body's other side.
    edges : (e, 2) int32, each edge of the mesh once.
    average : (n, n) sparse, rows sum to one: the mean over a vertex's neighbours.
    """

    group: np.ndarray
    here: Places
    mirrored: Places
    edges: np.ndarray
    average: csr_matrix


def gather(surface: Surface, body: Body) -> Facts:
    """The facts of a surface whose anchors refer to `body`."""
    model = body.model
    edges, average = _neighbours(surface.faces, len(surface.vertices))
    group = _groups(surface, model)
    radius, thickness = RADIUS[group], THICKNESS[group]
    for _ in range(SMOOTHING):
        radius, thickness = average @ radius, average @ thickness
    rest = surface.template if isinstance(surface, FreeSurface) else surface.anchors @ model.template
    here = Places(
        position=surface.vertices.astype(np.float32),
        normal=_outwards(surface, average),
        rest=rest.astype(np.float32),
        radius=radius.astype(np.float32),
        thickness=thickness.astype(np.float32),
        offset=np.zeros((len(group), 2), np.float32),
        kind=KIND[group],
    )
    return Facts(group, here, _mirror(here, surface, body), edges, average)


def _outwards(surface: Surface, average: csr_matrix) -> np.ndarray:
    """Smoothed unit normals."""
    normal = sharp = vertex_normals(surface.vertices, surface.faces).astype(np.float64)
    for _ in range(SMOOTHING):
        normal = average @ normal + 0.2 * sharp
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    return normal.astype(np.float32)


def _mirror(here: Places, surface: Surface, body: Body) -> Places:
    model = body.model
    other = np.arange(len(model.template)) if model.mirror is None else model.mirror
    body_normal = body.normals
    # The clothes stand off the body on the other side as they do on this one.
    off = np.einsum("nc,nc->n", surface.vertices - surface.anchors @ body.vertices, surface.anchors @ body_normal)
    normal = surface.anchors @ body_normal[other]
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    return Places(
        position=(surface.anchors @ body.vertices[other] + off[:, None] * normal).astype(np.float32),
        normal=normal.astype(np.float32),
        rest=(surface.anchors @ model.template[other]).astype(np.float32),
        radius=here.radius,
        thickness=here.thickness,
        offset=here.offset,
        kind=here.kind,
    )


def _groups(surface: Surface, model: BodyModel) -> np.ndarray:
    share = np.zeros((len(model.template), len(GROUPS)), np.float32)
    share[np.arange(len(share)), body_groups(model)] = 1
    group = np.argmax(surface.anchors @ share, axis=1).astype(np.uint8)
    if isinstance(surface, FreeSurface):
        # what hangs near a hand is cloth or a thing
        group[(group == HAND) & surface.added] = ARM
    return group


def body_groups(model: BodyModel) -> np.ndarray:
    """(V,) uint8 into `GROUPS` of the body model's own vertices."""
    if model.parts is not None:
        table = np.array([GROUPS.index(name.split("_")[-1]) for name in model.part_names], np.uint8)
        return table[model.parts]
    table = np.array([_group_of_joint(name) for name in model.joint_names], np.uint8)
    return table[np.argmax(model.weights, axis=1)]


def _group_of_joint(name: str) -> int:
    if "eye" in name:
        return EYES
    if ("_" in name and name[-1].isdigit()) or "wrist" in name:
        return HAND
    for word, group in (
        ("head", HEAD), ("jaw", HEAD), ("neck", NECK), ("shoulder", ARM), ("elbow", ARM), ("hip", LEG), ("knee", LEG),
        ("ankle", FOOT), ("foot", FOOT),
    ):  # fmt: skip
        if word in name:
            return group
    return TORSO


def _neighbours(faces: np.ndarray, count: int) -> tuple[np.ndarray, csr_matrix]:
    ends = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1).astype(np.int64)
    key = np.unique(ends[:, 0] * count + ends[:, 1])
    edges = np.stack([key // count, key % count], 1).astype(np.int32)
    both = np.concatenate([edges, edges[:, ::-1]])
    matrix = coo_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(count, count)).tocsr()
    degree = np.maximum(np.diff(matrix.indptr), 1)
    matrix.data /= np.repeat(degree, np.diff(matrix.indptr))
    return edges, matrix
