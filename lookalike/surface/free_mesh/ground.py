"""The followed mesh under a free one: where on it a point lies, and what that says of the point."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from lookalike.body.model import Body
from lookalike.mesh.triangles import barycentric, closest_on_triangles, dot
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import RayCaster
from lookalike.surface.mesh import Surface
from lookalike.surface.smooth import taubin

#: Up to this far from the ground a point lies on it, and less and less so from this share of it on, metres.
REACH, FULL = 0.006, 0.6
#: Cosine between both normals, from which on and for all of it.
ALIKE = (0.5, 0.7)
#: Faces that may be the nearest one, and how far away their middles are looked for, metres.
CANDIDATES, FAR = 4, 0.03
#: How much of their way onto the ground vertices go: of two with the same nearest corner, neither comes to lie on the other.
ALMOST = 0.98
#: Metres by which a vertex's way onto the ground may differ from its neighbours' before it counts little, and how many
#: edges away whoever stays is felt.
TORN, RINGS = 0.0015, 2
#: Rounds of smoothing of what does not lie on the ground.
ROUNDS = 4
#: How much of Phong tessellation is used.
CURVED = 0.75


@dataclass(frozen=True)
class Footing:
    """Where n points lie on the ground.

    face : (n,) of the ground's.  bary : (n, 3).  way : (n, 3) metres from the point to the ground, which is curved.
    share : (n,) in [0, 1] how much a point lies on the ground.
    """

    face: np.ndarray
    bary: np.ndarray
    way: np.ndarray
    share: np.ndarray


@dataclass(frozen=True)
class Ground:
    """A surface's outer skin.

    vertices, normals : (k, 3) of the surface.  faces : (m, 3) those of neither eyes nor mouth.  anchors : (k, V).
    """

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    anchors: csr_matrix

    @classmethod
    def of(cls, surface: Surface, body: Body) -> Ground:
        model = body.model
        outer = np.zeros(len(model.template), bool)
        outer[model.faces[model.outer_faces]] = True
        outer = np.asarray(surface.anchors[:, outer].sum(1)).ravel() > 0.5
        vertices = surface.vertices.astype(np.float64)
        normals = vertex_normals(vertices, surface.faces).astype(np.float64)
        return cls(vertices, normals, surface.faces[outer[surface.faces].all(1)], surface.anchors)

    @cached_property
    def caster(self) -> RayCaster:
        """The skin for rays; its hits name `faces`."""
        return RayCaster(self.vertices, self.faces)

    def footing(self, points: np.ndarray, normals: np.ndarray) -> Footing:
        """Of points (n, 3) whose surface has normals (n, 3).

        The ground is the curved surface that its triangles stand for (Boubekeur, Alexa: Phong tessellation, 2008), or its
        facets would show.
        """
        corners = self.vertices[self.faces]
        found = cKDTree(corners.mean(1)).query(points, CANDIDATES, workers=-1, distance_upper_bound=FAR)[1]
        near = found[:, 0] < len(self.faces)
        found, p = np.minimum(found[near], len(self.faces) - 1), points[near]
        flats = np.stack([closest_on_triangles(p, corners[face]) for face in found.T], 1)
        nearest = np.square(flats - p[:, None]).sum(2).argmin(1)
        row = np.arange(len(p))
        face, flat = found[row, nearest], flats[row, nearest]
        triangle, normal = corners[face], self.normals[self.faces[face]]
        weights = barycentric(flat, triangle)
        above = np.einsum("nkc,nkc->nk", flat[:, None] - triangle, normal)
        way = flat - CURVED * np.einsum("nk,nk,nkc->nc", weights, above, normal) - p
        mean = np.einsum("nk,nkc->nc", weights, normal)
        mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-9)
        share = np.clip((1 - np.linalg.norm(way, axis=1) / REACH) / (1 - FULL), 0, 1)
        share *= np.clip((dot(normals[near], mean) - ALIKE[0]) / (ALIKE[1] - ALIKE[0]), 0, 1)
        out = Footing(
            np.zeros(len(points), np.int64),
            np.zeros((len(points), 3)),
            np.zeros((len(points), 3)),
            np.zeros(len(points)),
        )
        for all_of, mine in zip((out.face, out.bary, out.way, out.share), (face, weights, way, share), strict=True):
            all_of[near] = mine
        return out

    def drawn_to(self, vertices: np.ndarray, faces: np.ndarray, mean: csr_matrix) -> np.ndarray:
        """(n, 3) the vertices of a mesh moved onto the ground where they lie on it. mean : (n, n) of neighbours.

        Where neighbours have ways that differ, the ground is torn or has several layers, and they stay; so do, more and
        more, those beside whoever stays, and there the mesh is smoothed (Taubin, 1995).
        """
        found = self.footing(vertices, vertex_normals(vertices, faces).astype(np.float64))
        apart = np.linalg.norm(found.way - mean @ found.way, axis=1)
        alone = np.minimum(found.share, ALMOST) / (1 + (apart / TORN) ** 2) ** 2
        share = alone
        for _ in range(RINGS):
            share = np.minimum(share, mean @ share)
        for _ in range(RINGS // 2):
            share = mean @ share
        share = np.minimum(share, alone)[:, None]
        return taubin(vertices + share * found.way, mean, ROUNDS, 1 - share)
