"""One step of smooth subdivision as a sparse linear map: a mesh in, a mesh with four times the faces out.

Quads are refined by Catmull and Clark's scheme (1978), triangles by Loop's (1987). The map's rows are non-negative and sum
to one, so it carries whatever the coarse mesh knows per vertex (skin weights, face shapes) over to the fine one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, diags, vstack


@dataclass(frozen=True)
class Refinement:
    """A finer mesh and how it comes from the coarse one.

    Attributes
    ----------
    weights : (n, V) sparse: fine vertices = weights @ coarse vertices. The first V rows are the coarse vertices, then one
        row an edge, then (quads only) one a face.
    faces : (m, 3) int32 triangles.
    quads : (q, 4) int32, or None where triangles were refined.
    """

    weights: csr_matrix
    faces: np.ndarray
    quads: np.ndarray | None

    def apply(self, vertices: np.ndarray) -> np.ndarray:
        """Fine positions (n, 3) that do not shrink.

        Smoothing pulls the coarse vertices inwards, fingers most; moving them outwards by as much beforehand brings them
        back to second order. vertices : (V, 3).
        """
        smoothed = self.weights[: len(vertices)] @ vertices
        return self.weights @ (2 * vertices - smoothed)


def catmull_clark(quads: np.ndarray, count: int) -> Refinement:
    """Refine quads once. quads : (Q, 4) int, each edge in at most two of them.  count : V, vertices there are."""
    edges, face_edges, uses = _edges(quads)
    faces_of_vertex = _incidence(quads.reshape(-1), np.repeat(np.arange(len(quads)), 4), (count, len(quads)))
    face_points = _incidence(np.repeat(np.arange(len(quads)), 4), quads.reshape(-1), (len(quads), count)) / 4
    middles = _incidence(np.repeat(np.arange(len(edges)), 2), edges.reshape(-1), (len(edges), count)) / 2
    faces_of_edge = _incidence(face_edges.reshape(-1), np.repeat(np.arange(len(quads)), 4), (len(edges), len(quads)))
    border = uses != 2
    edge_points = _choose(border, middles, middles / 2 + faces_of_edge @ face_points / 4)

    edges_of_vertex = _incidence(edges.reshape(-1), np.repeat(np.arange(len(edges)), 2), (count, len(edges)))
    valence = np.maximum(np.asarray(edges_of_vertex.sum(1)).ravel(), 1)
    per = diags(1 / valence)
    points = per @ per @ (faces_of_vertex @ face_points + 2 * edges_of_vertex @ middles) + diags(1 - 3 / valence)
    fixed = np.zeros(count, bool)
    fixed[edges[border].reshape(-1)] = True
    fixed |= valence < 3
    vertex_points = _choose(fixed, diags(np.ones(count)), points)

    edge_at = count + face_edges
    centre = count + len(edges) + np.arange(len(quads))
    fine = np.stack([np.stack([quads[:, k], edge_at[:, k], centre, edge_at[:, k - 1]], 1) for k in range(4)], 1)
    fine = fine.reshape(-1, 4).astype(np.int32)
    weights = vstack([vertex_points, edge_points, face_points]).tocsr()
    return Refinement(weights, split_quads(fine), fine)


def loop(faces: np.ndarray, count: int) -> Refinement:
    """Refine triangles once. faces : (F, 3) int, each edge in at most two of them.  count : V, vertices there are."""
    edges, face_edges, uses = _edges(faces)
    middles = _incidence(np.repeat(np.arange(len(edges)), 2), edges.reshape(-1), (len(edges), count)) / 2
    corners = _incidence(np.repeat(np.arange(len(faces)), 3), faces.reshape(-1), (len(faces), count))
    faces_of_edge = _incidence(face_edges.reshape(-1), np.repeat(np.arange(len(faces)), 3), (len(edges), len(faces)))
    border = uses != 2
    # Both faces' corners hold the edge's ends twice and the two opposite corners once.
    edge_points = _choose(border, middles, middles / 4 + faces_of_edge @ corners / 8)

    edges_of_vertex = _incidence(edges.reshape(-1), np.repeat(np.arange(len(edges)), 2), (count, len(edges)))
    valence = np.maximum(np.asarray(edges_of_vertex.sum(1)).ravel(), 1)
    share = (5 / 8 - (3 / 8 + np.cos(2 * np.pi / valence) / 4) ** 2) / valence
    around = 2 * edges_of_vertex @ middles - diags(valence)
    fixed = np.zeros(count, bool)
    fixed[edges[border].reshape(-1)] = True
    fixed |= valence < 3
    vertex_points = _choose(fixed, diags(np.ones(count)), diags(share) @ around + diags(1 - valence * share))

    a, b, c = (count + face_edges).T
    u, v, w = faces.T
    fine = np.stack([np.stack(t, 1) for t in ((u, a, c), (v, b, a), (w, c, b), (a, b, c))], 1)
    return Refinement(vstack([vertex_points, edge_points]).tocsr(), fine.reshape(-1, 3).astype(np.int32), None)


def refine_uv(uv: np.ndarray, polygons: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Texture coordinates of the refined mesh: edges get their middles, quads their means.

    uv : (T, 2).  polygons : (Q, 4) or (F, 3) into `uv`, in the order of the mesh that was refined. Returns uv (t, 2) float32
    and the refined mesh's triangles (m, 3) int32 into it, in its order.
    """
    edges, polygon_edges, _ = _edges(polygons)
    parts = [uv, uv[edges].mean(1)]
    at = len(uv) + polygon_edges
    if polygons.shape[1] == 4:
        parts.append(uv[polygons].mean(1))
        centre = len(uv) + len(edges) + np.arange(len(polygons))
        fine = np.stack([np.stack([polygons[:, k], at[:, k], centre, at[:, k - 1]], 1) for k in range(4)], 1)
        triangles = split_quads(fine.reshape(-1, 4))
    else:
        u, v, w = polygons.T
        a, b, c = at.T
        triangles = np.stack([np.stack(t, 1) for t in ((u, a, c), (v, b, a), (w, c, b), (a, b, c))], 1).reshape(-1, 3)
    return np.concatenate(parts).astype(np.float32), triangles.astype(np.int32)


def split_quads(quads: np.ndarray) -> np.ndarray:
    """(Q, 4) quads -> (2 Q, 3) int32 triangles, two by two, cut from the first corner to the third."""
    return np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], 1).reshape(-1, 3).astype(np.int32)


def _edges(polygons: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges (E, 2), each polygon's edges (Q, k) starting at its corners in turn, and in how many polygons each edge is."""
    ends = np.sort(np.stack([polygons, np.roll(polygons, -1, 1)], -1).reshape(-1, 2), 1).astype(np.int64)
    key = ends[:, 0] * (int(polygons.max()) + 1) + ends[:, 1]
    _, first, inverse, uses = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    return ends[first], inverse.reshape(polygons.shape), uses


def _incidence(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> csr_matrix:
    return csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)


def _choose(where: np.ndarray, yes, no) -> csr_matrix:
    """Rows of `yes` where `where` (r,) holds, else rows of `no`."""
    mask = where.astype(float)
    return (diags(mask) @ yes + diags(1 - mask) @ no).tocsr()
