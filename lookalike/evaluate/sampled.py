"""A mesh made ready for measuring: triangles in; samples of its surface, smooth normals, nearest points and rays out.

Truth and prediction are both `SampledMesh`es. What is costly (the tree of sample points, the scene for rays) is built
once, in the frame the mesh came in; moving the mesh by a similarity keeps both and moves the questions back instead.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from lookalike.mesh.triangles import barycentric, closest_on_triangles, dot

#: The 26 directions to the neighbours of a cube's cell: through one of them an outer place can be seen from afar.
_DIRECTIONS = np.array(
    [(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if (x, y, z) != (0, 0, 0)], float
)
_DIRECTIONS /= np.linalg.norm(_DIRECTIONS, axis=1, keepdims=True)

#: Rays that ask whether a place is outer start this far (cm) above their face.
_LIFT = 0.01
#: Cosine between such a ray and its face's normal, at least (87 degrees).
_GRAZING = 0.05
#: Share of samples drawn in excess, because some will turn out to be hidden.
_SPARE = 1.2
#: Samples in the sparse tree for the alignment, where questions come from further away.
_SPARSE = 15_000
#: Face centres join the samples in the dense tree, so that small faces are found too; at most so many.
_CENTRES = 100_000
#: Positions nearer than this (cm) are one vertex for smooth normals.
_WELD = 1e-4


@dataclass(frozen=True)
class Similarity:
    """x -> scale * rotation @ x + translation.  scale : a number.  rotation : (3, 3).  translation : (3,)."""

    scale: float
    rotation: np.ndarray
    translation: np.ndarray

    @classmethod
    def identity(cls) -> Similarity:
        return cls(1.0, np.eye(3), np.zeros(3))

    def apply(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) points, moved."""
        return self.scale * points @ self.rotation.T + self.translation

    def undo(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) points, moved back."""
        return (points - self.translation) @ self.rotation / self.scale

    def after(self, first: Similarity) -> Similarity:
        """The similarity that does `first` and then this one."""
        return Similarity(
            self.scale * first.scale,
            self.rotation @ first.rotation,
            self.scale * self.rotation @ first.translation + self.translation,
        )

    @property
    def turn(self) -> float:
        """Degrees of its rotation."""
        return float(np.degrees(np.arccos(np.clip((np.trace(self.rotation) - 1) / 2, -1, 1))))


@dataclass(frozen=True)
class Nearest:
    """The nearest places on a mesh to q questions.

    distance : (q,) cm.  face : (q,) int.  place : (q, 3).
    """

    distance: np.ndarray
    face: np.ndarray
    place: np.ndarray


class SampledMesh:
    """Triangles in centimetres. Attributes, for m faces that have an area and s samples:

    vertices : (n, 3).  corners : (m, 3, 3).  area : (m,).  flat : (m, 3) unit face normals.
    smooth : (m, 3, 3) unit normals at the corners.  card : (m,) bool, hair cards.
    samples : (s, 3), sample_face : (s,), sample_bary : (s, 3): the surface's samples, in random order.
    """

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, card: np.ndarray | None = None):
        """vertices : (n, 3) cm.  faces : (m, 3).  card : (m,) bool, or None for a mesh without hair cards.

        Raises ValueError where no face has an area.
        """
        self.vertices = np.asarray(vertices, np.float64)
        faces = np.asarray(faces, np.int64)
        corners = self.vertices[faces]
        cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        double = np.linalg.norm(cross, axis=1)
        good = (double > 1e-10) & np.isfinite(double)
        if not good.any():
            raise ValueError("the mesh has no faces with an area")
        self.card = np.zeros(int(good.sum()), bool) if card is None else np.asarray(card, bool)[good]
        self.corners, self.area = corners[good], double[good] / 2
        self.flat = cross[good] / double[good, None]
        self.smooth = _smooth_normals(self.vertices, faces[good], self.flat, self.area)
        self.samples, self.sample_face, self.sample_bary = np.zeros((0, 3)), np.zeros(0, np.int64), np.zeros((0, 3))
        self.moved = Similarity.identity()
        self._rays: Any = None
        self._dense: cKDTree | None = None
        self._sparse: cKDTree | None = None

    def normals(self, face: np.ndarray, bary: np.ndarray) -> np.ndarray:
        """(q, 3) smooth unit normals at barycentric coordinates `bary` (q, 3) of faces (q,)."""
        return unit(np.einsum("ijk,ij->ik", self.smooth[face], bary))

    def barycentric(self, face: np.ndarray, places: np.ndarray) -> np.ndarray:
        """(q, 3) barycentric coordinates of places (q, 3) on faces (q,)."""
        return barycentric(places, self.corners[face])

    def cast(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """(r,) int: the first face along each ray, -1 for none. origins, directions : (r, 3)."""
        start = self.moved.undo(origins).astype(np.float32)
        return self._scene().run(start, (directions @ self.moved.rotation).astype(np.float32), query="INTERSECT")

    def draw(self, count: int, rng: np.random.Generator, outer: bool = True) -> None:
        """Sample the surface evenly by area, before the mesh is moved.

        count : samples; there are fewer where little of the surface is outer.
        outer : leave hidden places out: keep those from which, just above the face, one of 26 directions leads away.
        """
        total = np.cumsum(self.area)
        drawn = int(count * _SPARE)
        at = np.sort(rng.random(drawn)) * total[-1]  # sorted, so that neighbouring rays start near each other
        face = np.minimum(np.searchsorted(total, at), len(total) - 1)
        r = rng.random((drawn, 2))
        over = r.sum(1) > 1
        r[over] = 1 - r[over]
        bary = np.stack([1 - r.sum(1), r[:, 0], r[:, 1]], 1)
        places = np.einsum("ijk,ij->ik", self.corners[face], bary)
        seen = np.flatnonzero(self._outer(places, face)) if outer else np.arange(drawn)
        # A mesh with nothing outer, such as one point of view from within a closed box, keeps everything.
        keep = rng.permutation(seen if len(seen) >= 100 else drawn)[:count]
        self.samples, self.sample_face, self.sample_bary = places[keep], face[keep], bary[keep]

        centres = self.corners.mean(1)
        chosen = np.arange(len(centres))
        if len(centres) > _CENTRES:
            chosen = rng.choice(len(centres), _CENTRES, replace=False)
        if outer:
            chosen = chosen[self._outer(centres[chosen], chosen)]
        points = np.vstack([self.samples, centres[chosen]])
        order = _along_curve(points)
        self._dense_face = np.concatenate([self.sample_face, chosen])[order]
        self._dense = _tree(points[order])
        self._sparse, self._sparse_face = _tree(self.samples[:_SPARSE]), self.sample_face[:_SPARSE]

    def nearest(self, questions: np.ndarray, tries: int = 3, sparse: bool = False) -> Nearest:
        """The nearest place on the faces of the `tries` nearest tree points. questions : (q, 3)."""
        tree, tree_face = (self._sparse, self._sparse_face) if sparse else (self._dense, self._dense_face)
        assert tree is not None, "draw() comes first"
        order = _along_curve(questions)
        found = np.empty((len(questions), tries), np.int64)
        found[order] = tree.query(self.moved.undo(questions[order]), k=tries)[1].reshape(-1, tries)
        found = np.minimum(found, len(tree_face) - 1)  # a tree of fewer points than tries
        face = tree_face[found[:, 0]]
        place = closest_on_triangles(questions, self.corners[face])
        square = dot(place - questions, place - questions)
        for column in found.T[1:]:
            other = tree_face[column]
            there = closest_on_triangles(questions, self.corners[other])
            s = dot(there - questions, there - questions)
            better = s < square
            square[better], face[better], place[better] = s[better], other[better], there[better]
        return Nearest(np.sqrt(square), face, place)

    def transformed(self, move: Similarity) -> SampledMesh:
        """The mesh and its samples, moved."""
        self._scene()  # it must be built in the frame that `moved` counts from
        out = copy.copy(self)
        out.vertices, out.samples = move.apply(self.vertices), move.apply(self.samples)
        out.corners = move.apply(self.corners)
        out.area = self.area * move.scale**2
        out.flat, out.smooth = self.flat @ move.rotation.T, self.smooth @ move.rotation.T
        out.moved = move.after(self.moved)
        return out

    def _scene(self) -> Any:
        if self._rays is None:
            from embreex.mesh_construction import TriangleMesh
            from embreex.rtcore_scene import EmbreeScene

            self._rays = EmbreeScene()
            self._triangles = TriangleMesh(self._rays, self.corners.astype(np.float32))
        return self._rays

    def _outer(self, places: np.ndarray, face: np.ndarray) -> np.ndarray:
        """(q,) bool: whether a place can be seen from afar, by rays in the direction nearest to its normal first."""
        normal = self.flat[face]
        start, directions = (places + _LIFT * normal).astype(np.float32), _DIRECTIONS.astype(np.float32)
        seen = np.zeros(len(places), bool)
        left = np.arange(len(places))
        cosine = normal.astype(np.float32) @ directions.T
        for _ in range(len(directions)):
            best = cosine.argmax(1)
            rows = np.arange(len(left))
            usable = cosine[rows, best] > _GRAZING
            cosine[rows, best] = -1
            left, best, cosine = left[usable], best[usable], cosine[usable]
            if not len(left):
                break
            blocked = self._scene().run(start[left], directions[best], query="OCCLUDED") >= 0
            seen[left[~blocked]] = True
            left, cosine = left[blocked], cosine[blocked]
        return seen


def outwards(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A mesh without vertices that no face uses, turned inside out where its signed volume is negative.

    vertices : (n, 3).  faces : (m, 3). Faces with a corner that is not finite are left out.
    Raises ValueError for a mesh without faces to speak of.
    """
    vertices, faces = np.asarray(vertices, np.float64), np.asarray(faces, np.int64)
    faces = faces[np.isfinite(vertices).all(1)[faces].all(1)] if len(faces) else faces
    used, inverse = np.unique(faces, return_inverse=True)
    vertices, faces = vertices[used], inverse.reshape(-1, 3)
    if len(faces) < 4:
        raise ValueError("the mesh has no faces")
    corners = vertices[faces] - vertices.mean(0)
    if (np.cross(corners[:, 0], corners[:, 1]) * corners[:, 2]).sum() < 0:
        faces = faces[:, ::-1]
    return vertices, faces


def unit(vectors: np.ndarray) -> np.ndarray:
    """(..., 3) vectors at length one; zero stays zero."""
    length = np.sqrt(np.einsum("...i,...i", vectors, vectors))
    return vectors / np.maximum(length, 1e-12)[..., None]


def _smooth_normals(vertices: np.ndarray, faces: np.ndarray, flat: np.ndarray, area: np.ndarray) -> np.ndarray:
    """(m, 3, 3) corner normals, weighted by area after vertices at one place have become one.

    Where they say nothing (folds, the two sides of a sheet) the face's own normal stands in.
    """
    grid = np.round((vertices - vertices.min(0)) / _WELD).astype(np.int64)
    _, place = np.unique((grid[:, 0] << 42) ^ (grid[:, 1] << 21) ^ grid[:, 2], return_inverse=True)
    corner = place.reshape(-1)[faces]
    count = corner.max() + 1
    weighted = flat * area[:, None]
    total = np.stack([np.bincount(corner.ravel(), np.repeat(weighted[:, k], 3), count) for k in range(3)], 1)
    all_area = np.bincount(corner.ravel(), np.repeat(area, 3), count)
    length = np.linalg.norm(total, axis=1)
    smooth = (total / np.maximum(length, 1e-12)[:, None])[corner]
    folded = (length < 0.3 * all_area)[corner] | ((smooth * flat[:, None]).sum(2) < 0.1)
    return np.where(folded[..., None], flat[:, None], smooth)


def _along_curve(points: np.ndarray, cell: float = 2.0) -> np.ndarray:
    """(n,) order along a Morton curve: a tree answers neighbouring questions several times faster."""
    if not len(points):
        return np.zeros(0, np.int64)
    cells = np.clip((points - points.min(0)) / cell, 0, 255).astype(np.int64)
    key = np.zeros(len(points), np.int64)
    for bit in range(8):
        for axis in range(3):
            key |= ((cells[:, axis] >> bit) & 1) << (3 * bit + axis)
    return np.argsort(key)


def _tree(points: np.ndarray) -> cKDTree:
    # These options are the fastest where questions lie far from the points.
    return cKDTree(points, 24, compact_nodes=False, balanced_tree=False)
