"""Where a hand's finger tips are, from its mesh alone.

In: a T-posed hand (palm down, fingers along X, thumb towards +Z). Out: the five tips, by name.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from lookalike.body.landmarks import FINGERS


def finger_tips(vertices: np.ndarray, faces: np.ndarray, hand: np.ndarray, wrist: np.ndarray) -> dict[str, np.ndarray]:
    """Finger -> (3,) its tip: the five most prominent peaks of the distance from the wrist along the surface.

    vertices : (V, 3).  faces : (F, 3).  hand : (n,) the hand's vertices.  wrist : (3,). Empty where the mesh shows no
    five fingers, as a mitten.
    """
    number = np.full(len(vertices), -1)
    number[hand] = np.arange(len(hand))
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = number[edges[(number[edges] >= 0).all(1)]]
    edges = np.unique(np.sort(edges, 1), axis=0)
    places = vertices[hand]
    lengths = np.linalg.norm(places[edges[:, 0]] - places[edges[:, 1]], axis=1)
    graph = coo_matrix((np.maximum(lengths, 1e-9), (edges[:, 0], edges[:, 1])), (len(hand), len(hand)))
    graph = (graph + graph.T).tocsr()
    start = np.argsort(np.linalg.norm(places - wrist, axis=1))[: max(1, len(hand) // 50)]
    walk = dijkstra(graph, indices=start, min_only=True)
    walk[~np.isfinite(walk)] = 0
    prominence = _prominence(walk, graph.indptr, graph.indices)
    tips = np.argsort(-prominence)[:5]
    if len(tips) < 5 or prominence[tips].min() < 0.1 * walk.max():
        return {}
    ways = places[tips] - wrist
    order = np.argsort(-ways[:, 2] / np.linalg.norm(ways, axis=1))  # from the thumb's edge of the hand to the other
    return {finger: places[tips[i]] for finger, i in zip(FINGERS, order, strict=True)}


def _prominence(height: np.ndarray, indptr: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """(n,) how far one must descend from each vertex to reach a higher one; zero where a neighbour is higher.

    Vertices are flooded from the top; where two islands meet, the lower summit's prominence is known (persistence of
    Edelsbrunner, Letscher and Zomorodian, 2002). height : (n,); indptr, indices : the mesh's graph in CSR form.
    """
    island = np.full(len(height), -1)  # each flooded vertex's way towards its island's summit
    out = np.zeros(len(height))

    def summit(i: int) -> int:
        while island[i] != i:
            island[i] = island[island[i]]
            i = island[i]
        return i

    for i in np.argsort(-height, kind="stable"):
        island[i] = i
        out[i] = height[i]
        for j in indices[indptr[i] : indptr[i + 1]]:
            if island[j] < 0:
                continue
            a, b = summit(i), summit(j)
            if a != b:
                low, high = (a, b) if (height[a], -a) < (height[b], -b) else (b, a)
                out[low] = height[low] - height[i]
                island[low] = high
    return out
