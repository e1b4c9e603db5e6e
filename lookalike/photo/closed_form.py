"""Closed-form matting (Levin, Lischinski and Weiss, A Closed-Form Solution to Natural Image Matting, 2006) of the band
along an outline, with a soft prior."""

from __future__ import annotations

import numpy as np

from lookalike.mesh.matrices import inverses


def solve_alpha(
    picture: np.ndarray, prior: np.ndarray, confidence: np.ndarray, unknown: np.ndarray, epsilon: float = 1e-5
) -> np.ndarray:
    """Alpha that is locally a linear function of the colours and stays near a prior.

    picture : (H, W, 3) float32 in [0, 1]. prior : (H, W) in [0, 1]. confidence : (H, W) >= 0, how strongly alpha is
    drawn to the prior, against 1 for the colours. unknown : (H, W) bool, the pixels to be solved for; the others keep
    the prior. Returns (H, W) float32 in [0, 1].
    """
    import cv2
    from scipy.sparse import csr_matrix, diags
    from scipy.sparse.linalg import cg

    alpha = prior.astype(np.float32).copy()
    height, width = unknown.shape
    if min(height, width) < 3 or not unknown.any():
        return alpha
    centres = cv2.dilate(unknown.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    centres[[0, -1]] = centres[:, [0, -1]] = False
    v, u = np.nonzero(centres)
    around = np.arange(-1, 2)
    index = ((v[:, None, None] + around[:, None]) * width + u[:, None, None] + around).reshape(-1, 9)
    blocks = _window_laplacians(picture.reshape(-1, 3)[index], epsilon)

    number = np.full(height * width, -1, np.int64)
    number[unknown.ravel()] = np.arange(np.count_nonzero(unknown))
    local = number[index]
    rows, columns = np.repeat(local, 9, 1).ravel(), np.tile(local, (1, 9)).ravel()
    entries = blocks.reshape(-1)
    solved = rows >= 0
    among = solved & (columns >= 0)
    count = int(np.count_nonzero(unknown))
    matrix = csr_matrix((entries[among], (rows[among], columns[among])), shape=(count, count))
    # What known pixels contribute goes to the right-hand side.
    given = solved & (columns < 0)
    known = prior.ravel()[np.tile(index, (1, 9)).ravel()[given]]
    right = -np.bincount(rows[given], entries[given] * known, minlength=count).astype(np.float64)

    pull = confidence[unknown].astype(np.float64) + 1e-6
    matrix = matrix + diags(pull)
    right += pull * prior[unknown]
    jacobi = diags(1.0 / np.maximum(matrix.diagonal(), 1e-8))
    solution, _ = cg(
        matrix,
        right,
        x0=prior[unknown].astype(np.float64),
        atol=1e-4 * float(np.linalg.norm(right)),
        maxiter=150,
        M=jacobi,
    )
    alpha[unknown] = np.clip(solution, 0, 1)
    return alpha


def _window_laplacians(colours: np.ndarray, epsilon: float) -> np.ndarray:
    """(n, 9, 3) colours of 3 x 3 windows -> (n, 9, 9) float32: I - (1 + x (C + epsilon/9 I)^-1 x^T) / 9."""
    x = colours.astype(np.float32) - colours.mean(1, keepdims=True)
    covariance = np.einsum("nki,nkj->nij", x, x) / 9 + np.float32(epsilon / 9) * np.eye(3, dtype=np.float32)
    inverse = inverses(covariance).astype(np.float32)
    weights = np.einsum("nki,nij,nlj->nkl", x, inverse, x, optimize=True)
    return np.eye(9, dtype=np.float32) - (1 + weights) / 9
