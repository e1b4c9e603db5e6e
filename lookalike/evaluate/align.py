"""Laying a prediction over the truth: two `SampledMesh`es in, the `Similarity` that moves the prediction out.

A picture tells neither how large nor how far away a person is, so size and place are no merit of a reconstruction.
`similarity_icp` also takes the turn out (and the tables print how large it was); `place_and_size` leaves it in.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from lookalike.evaluate.sampled import SampledMesh, Similarity, unit
from lookalike.mesh.triangles import dot

#: Share of the pairs, the nearest ones, that an alignment listens to.
TRIM = 0.9
#: Samples of the first, point to point, stage.
_COARSE = 2000
#: (samples, rounds) of the stages that measure to the surface.
_FINE = ((5000, 10), (30_000, 2))
#: Quantiles of the boxes that starts are made from: the whole mesh, and the mesh without stray parts.
_BOXES = (0.0005, 0.03)
#: Points that tell how much a step moved things lie so far (cm) from the truth's centre.
_REACH = 90.0
#: Damping of the normal-only steps by a share of the plain distance.
_DAMPING = 0.05


def umeyama(source: np.ndarray, target: np.ndarray) -> Similarity:
    """The similarity that moves points (n, 3) nearest to their partners (n, 3) (Umeyama, 1991)."""
    source_mean, target_mean = source.mean(0), target.mean(0)
    x, y = source - source_mean, target - target_mean
    u, s, vt = np.linalg.svd(y.T @ x / len(source))
    mirror = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    rotation = u @ mirror @ vt
    scale = float(np.trace(np.diag(s) @ mirror) / max((x**2).sum() / len(source), 1e-12))
    return Similarity(scale, rotation, target_mean - scale * rotation @ source_mean)


def place_and_size(prediction: SampledMesh, truth: SampledMesh) -> Similarity:
    """Equal extents along y and one centre of the boxes around the two meshes (hair cards apart); no turn."""
    ours, theirs = (mesh.corners[~mesh.card].reshape(-1, 3) for mesh in (prediction, truth))
    (low, high), (their_low, their_high) = ((p.min(0), p.max(0)) for p in (ours, theirs))
    scale = float((their_high[1] - their_low[1]) / max(high[1] - low[1], 1e-9))
    return Similarity(scale, np.eye(3), (their_low + their_high) / 2 - scale * (low + high) / 2)


def similarity_icp(prediction: SampledMesh, truth: SampledMesh) -> Similarity:
    """Symmetric trimmed ICP for rotation, translation and one scale.

    Point to point between a few samples from two starts, of which the better one goes on; then samples to the nearest
    place of the surface, both ways, by Gauss-Newton steps on the part of the distance along the normal.
    """
    move = _point_to_point(prediction, truth)
    for count, rounds in _FINE:
        for _ in range(rounds):
            new = _surface_step(prediction, truth, move, count)
            step = _difference(move, new, truth)
            move = new
            if step < 0.005:
                break
    return move


def _boxes(prediction: SampledMesh, truth: SampledMesh, quantile: float) -> Similarity:
    theirs, ours = (np.quantile(m.samples, [quantile, 1 - quantile], axis=0) for m in (truth, prediction))
    scale = float((theirs[1, 1] - theirs[0, 1]) / max(ours[1, 1] - ours[0, 1], 1e-9))
    return Similarity(scale, np.eye(3), theirs.mean(0) - scale * ours.mean(0))


def _point_to_point(prediction: SampledMesh, truth: SampledMesh) -> Similarity:
    ours, theirs = prediction.samples[:_COARSE], truth.samples[:_COARSE]
    our_tree, their_tree = (cKDTree(p, 24, compact_nodes=False, balanced_tree=False) for p in (ours, theirs))
    best: tuple[float, Similarity] | None = None
    first: Similarity | None = None
    for quantile in _BOXES:
        move = _boxes(prediction, truth, quantile)
        if first is not None and _difference(first, move, truth) < 2:
            break  # the same start again
        first = move
        cost = np.inf
        for _ in range(40):
            there, i = their_tree.query(move.apply(ours))
            back, j = our_tree.query(move.undo(theirs))
            keep, keep_back = _trimmed(there), _trimmed(back)
            cost = float(there[keep].mean() + move.scale * back[keep_back].mean())
            new = umeyama(np.vstack([ours[keep], ours[j][keep_back]]), np.vstack([theirs[i][keep], theirs[keep_back]]))
            if _difference(move, new, truth) < 0.02:
                break
            move = new
        if best is None or cost < best[0] - 0.01:
            best = cost, move
    assert best is not None
    return best[1]


def _surface_step(prediction: SampledMesh, truth: SampledMesh, move: Similarity, count: int) -> Similarity:
    ours, theirs = prediction.samples[:count], truth.samples[:count]
    moved = move.apply(ours)
    there = truth.nearest(moved, 2, sparse=True)
    back = prediction.nearest(move.undo(theirs), 2, sparse=True)
    found = move.apply(back.place)
    a, b = _trimmed(there.distance), _trimmed(back.distance)
    points = np.vstack([moved[a], found[b]])
    off = np.vstack([moved[a] - there.place[a], found[b] - theirs[b]])
    normal = np.vstack([truth.flat[there.face[a]], prediction.flat[back.face[b]] @ move.rotation.T])
    apart = dot(off, off) > 1e-6
    normal[apart] = unit(off[apart])

    centre = points.mean(0)
    arm = points - centre
    jacobian = np.concatenate([np.cross(arm, normal), normal, dot(arm, normal)[:, None]], 1)
    inertia = dot(arm, arm).sum()
    plain = np.diag([0.0] * 3 + [len(arm)] * 3 + [inertia])
    plain[:3, :3] = inertia * np.eye(3) - arm.T @ arm
    step = np.linalg.solve((1 - _DAMPING) * jacobian.T @ jacobian + _DAMPING * plain, -jacobian.T @ dot(off, normal))
    scale, turn = float(np.exp(step[6])), Rotation.from_rotvec(step[:3]).as_matrix()
    return Similarity(
        scale * move.scale,
        turn @ move.rotation,
        scale * turn @ (move.translation - centre) + centre + step[3:6],
    )


def _trimmed(distance: np.ndarray) -> np.ndarray:
    return distance <= np.quantile(distance, TRIM)


def _difference(old: Similarity, new: Similarity, truth: SampledMesh) -> float:
    """How far (cm) the two take points at `_REACH` from the truth's centre apart."""
    six = np.vstack([np.eye(3), -np.eye(3)]) * _REACH + truth.samples.mean(0)
    return float(np.abs(old.apply(six) - new.apply(six)).max())
