"""Where landmarks sit on a body: points on and inside a T-posed mesh as convex blends of its vertices.

In: vertices, skin weights and joints of a T-pose (Y up, facing +Z, the left arm to +X). Out: `BodyModel.landmarks`,
each one (index (k,) int32, weight (k,) float32). tools/build_body.py makes our own model's with these,
transfer.py carries them to SMPL-family files.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from lookalike.body.model import JOINTS

Landmark = tuple[np.ndarray, np.ndarray]

FINGERS = ("thumb", "index", "middle", "ring", "pinky")


def mean_of(index: np.ndarray) -> Landmark:
    """The mean of some vertices."""
    return index.astype(np.int32), np.full(len(index), 1 / len(index), np.float32)


def furthest(vertices: np.ndarray, allowed: np.ndarray, way: np.ndarray, k: int) -> Landmark:
    """The mean of the k vertices among `allowed` (n,) that lie furthest along the direction `way` (3,)."""
    return mean_of(allowed[np.argsort(-(vertices[allowed] @ np.asarray(way, np.float64)), kind="stable")[:k]])


def blend_at(point: np.ndarray, vertices: np.ndarray, allowed: np.ndarray, k: int = 40) -> Landmark:
    """A convex blend of vertices that lies at `point` (3,), or as near as can be: a joint inside a limb.

    Non-negative least squares over the k nearest of the vertices `allowed` (n,), with a little weight on spreading the
    blend over many of them. Where those lie all on one side of the point, over the nearest in every direction instead.
    """
    away = vertices[allowed] - point
    order = np.argsort(np.einsum("ni,ni->n", away, away), kind="stable")
    found = _blend(point, vertices, allowed[order[:k]])
    if np.linalg.norm(found[1] @ vertices[found[0]] - point) > 0.003:
        octant = (away[order] > 0) @ [1, 2, 4]
        around = np.concatenate([order[octant == i][: max(1, k // 8)] for i in range(8)])
        found = _blend(point, vertices, allowed[around])
    return found


def _blend(point: np.ndarray, vertices: np.ndarray, near: np.ndarray) -> Landmark:
    k = len(near)
    reach = max(np.linalg.norm(vertices[near] - point, axis=1).mean(), 1e-9)
    system = np.vstack([vertices[near].T - point[:, None], np.full((1, k), reach), 0.02 * reach * np.eye(k)])
    weight, _ = nnls(system, np.concatenate([np.zeros(3), [reach], np.zeros(k)]))
    keep = weight > 1e-4
    if not keep.any():
        return mean_of(near[:1])
    return near[keep].astype(np.int32), (weight[keep] / weight[keep].sum()).astype(np.float32)


def hand_landmarks(
    side: str, vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray, allowed: np.ndarray
) -> dict[str, Landmark]:
    """MediaPipe's 20 finger landmarks of one hand ("left" or "right") and the pose landmarks that repeat four of them.

    vertices : (V, 3).  joints : (J, 3) and weights : (V, J) in the order of `JOINTS`.  allowed : (n,) vertices of the
    hand and the arm. Finger tips are the furthest vertices that follow the last joint; joints lie inside the finger.
    """
    marks: dict[str, Landmark] = {}
    for finger in FINGERS:
        chain = [JOINTS.index(f"{side}_{finger}{i}") for i in (1, 2, 3)]
        for i, joint in enumerate(chain, 1):
            marks[f"{side}_hand/{finger}{i}"] = blend_at(joints[joint], vertices, allowed)
        mine = allowed[weights[allowed, chain[2]] > 0.5]
        marks[f"{side}_hand/{finger}4"] = furthest(vertices, mine, joints[chain[2]] - joints[chain[1]], 6)
    for name, same in (("pinky", "pinky1"), ("index", "index1"), ("thumb", "thumb2")):
        marks[f"{side}_{name}"] = marks[f"{side}_hand/{same}"]
    return marks


def mirrored(landmark: Landmark, mirror: np.ndarray) -> Landmark:
    """The same landmark on the body's other side. mirror : (V,)."""
    return mirror[landmark[0]].astype(np.int32), landmark[1]
