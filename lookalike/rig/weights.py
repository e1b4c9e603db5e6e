"""Skin weights: the body's, carried over to the surface by its anchors, at most four a vertex."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from lookalike.surface.mesh import Surface

#: Joints a vertex may follow; what every engine and viewer supports.
INFLUENCES = 4


def surface_weights(surface: Surface, body_weights: np.ndarray) -> csr_matrix:
    """(n, J) each vertex's share of every joint. body_weights : (V, J), rows sum to one."""
    return (surface.anchors @ csr_matrix(np.asarray(body_weights, np.float64))).tocsr()


def prune(weights: csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """The four largest weights of each row of (n, J).

    Returns (n, 4) uint8 joints and (n, 4) float32 weights, largest first; rows sum to one and unused slots are joint 0
    with weight 0.

    The fifth largest weight is taken off those four before they are scaled to sum to one, so that a joint leaves the
    four with weight zero: the pruned weights are as continuous over the surface as the full ones.
    """
    count = weights.shape[0]
    weights.sum_duplicates()
    lengths = np.diff(weights.indptr)
    width = max(INFLUENCES + 1, int(lengths.max(initial=0)))
    slot = np.arange(weights.nnz) - np.repeat(weights.indptr[:-1], lengths)
    row = np.repeat(np.arange(count), lengths)
    value = np.zeros((count, width), np.float64)
    joint = np.zeros((count, width), np.uint8)
    value[row, slot], joint[row, slot] = weights.data, weights.indices
    order = np.argsort(-value, axis=1, kind="stable")[:, : INFLUENCES + 1]
    value, joint = np.take_along_axis(value, order, 1), np.take_along_axis(joint, order, 1)
    kept = np.maximum(value[:, :INFLUENCES] - np.maximum(value[:, INFLUENCES:], 0), 0)
    flat = kept.sum(1) <= 0  # five equal weights, or none at all
    kept[flat] = np.maximum(value[flat, :INFLUENCES], 0)
    kept[kept.sum(1) <= 0, 0] = 1
    kept = (kept / kept.sum(1, keepdims=True)).astype(np.float32)
    kept[:, 0] = 1 - kept[:, 1:].sum(1)  # exactly one in float32 too
    joints = np.where(kept > 0, joint[:, :INFLUENCES], 0).astype(np.uint8)
    return joints, kept


def dense(joints: np.ndarray, weights: np.ndarray, count: int) -> np.ndarray:
    """(n, count) float32: a column for each joint, from (n, 4) joints and weights."""
    out = np.zeros((len(joints), count), np.float32)
    for k in range(joints.shape[1]):
        out[np.arange(len(joints)), joints[:, k]] += weights[:, k]
    return out
