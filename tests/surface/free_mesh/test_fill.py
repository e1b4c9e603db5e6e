"""Filling in: what is smooth comes back."""

from __future__ import annotations

import numpy as np

from lookalike.surface.free_mesh.fill import fill


def sheet(count: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """A square sheet of 0.3 m in the plane z = 0."""
    y, x = np.mgrid[:count, :count] * 0.3 / (count - 1)
    k = np.arange(count * count).reshape(count, count)
    a, b, c, d = k[:-1, :-1].ravel(), k[:-1, 1:].ravel(), k[1:, 1:].ravel(), k[1:, :-1].ravel()
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    return np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], 1), faces


def test_a_ramp_goes_on_as_a_ramp():
    points, faces = sheet()
    truth = points[:, :2] @ np.array([[1.0, 2], [3, -1]])
    known = np.minimum(np.minimum(points[:, 0], points[:, 1]), 0.3 - points[:, :2].max(1)) < 0.03
    found = fill(points, faces, np.where(known[:, None], truth, 7.0), known)
    assert np.abs(found - truth).max() < 0.003


def test_what_is_known_stays_and_constants_go_on_to_the_end():
    points, faces = sheet()
    known = points[:, 0] < 0.1
    values = np.where(known, 0.25, -9.0)[:, None]
    found = fill(points, faces, values, known)
    assert np.allclose(found, 0.25, atol=1e-3)
