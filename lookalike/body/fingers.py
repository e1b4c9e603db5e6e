"""Where a hand's finger tips are, from its mesh alone.

In: a T-posed hand (palm down, fingers along X, thumb towards +Z). Out: the five tips, by name.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from lookalike.body.landmarks import FINGERS


def finger_tips(vertices: np.ndarray, faces: np.ndarray, hand: np.ndarray, wrist: np.ndarray) -> dict[str, np.ndarray]:
    """Finger -> (3,) its tip: the five vertices locally furthest from the wrist along the surface.

    vertices : (V, 3).  faces : (F, 3).  hand : (n,) the hand's vertices.  wrist : (3,). Empty where the mesh shows no
    five tips, as a mitten.
    """
    if len(hand) < 50:
        return {}
    number = np.full(len(vertices), -1)
    number[hand] = np.arange(len(hand))
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = number[edges[(number[edges] >= 0).all(1)]]
    places = vertices[hand]
    lengths = np.linalg.norm(places[edges[:, 0]] - places[edges[:, 1]], axis=1)
    both = np.concatenate([edges, edges[:, ::-1]])
    longest = dict(zip(map(tuple, both.tolist()), np.tile(lengths, 2).tolist(), strict=True))
    pairs = np.array(list(longest), int).reshape(-1, 2)
    graph = coo_matrix((list(longest.values()), (pairs[:, 0], pairs[:, 1])), (len(hand), len(hand))).tocsr()
    away = np.linalg.norm(places - wrist, axis=1)
    start = np.argsort(away)[: max(1, len(hand) // 50)]
    walk = dijkstra(graph, indices=start, min_only=True)
    walk[~np.isfinite(walk)] = 0
    peak = np.ones(len(hand), bool)
    np.logical_and.at(peak, pairs[:, 0], walk[pairs[:, 0]] >= walk[pairs[:, 1]])
    apart = 0.08 * away.max()
    found: list[int] = []
    for i in np.flatnonzero(peak)[np.argsort(-walk[peak])]:
        if walk[i] > 0.4 * walk.max() and all(np.linalg.norm(places[i] - places[j]) > apart for j in found):
            found.append(int(i))
    if len(found) < 5:
        return {}
    ways = places[found[:5]] - wrist
    order = np.argsort(-ways[:, 2] / np.linalg.norm(ways, axis=1))  # from the thumb's edge of the hand to the other
    return {finger: places[found[i]] for finger, i in zip(FINGERS, order, strict=True)}
