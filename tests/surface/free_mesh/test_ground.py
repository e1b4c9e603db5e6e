"""Where a mesh lies on the followed one, it goes back onto it."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix, identity

from lookalike.render.normals import vertex_normals
from lookalike.surface.free_mesh.ground import Ground
from lookalike.surface.smooth import neighbour_mean, unique_edges

COUNT, STEP = 41, 0.005


def sheet(height: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A square sheet that looks up: vertices and faces. height : (COUNT, COUNT) metres."""
    y, x = np.mgrid[:COUNT, :COUNT] * STEP
    number = np.arange(COUNT * COUNT).reshape(COUNT, COUNT)
    a, b, c, d = (
        number[rows, columns].ravel() for rows in (slice(-1), slice(1, None)) for columns in (slice(-1), slice(1, None))
    )
    return np.stack([x, y, height], -1).reshape(-1, 3), np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)])


def ground(height: np.ndarray) -> Ground:
    vertices, faces = sheet(height)
    return Ground(vertices, vertex_normals(vertices, faces).astype(float), faces, identity(len(vertices), format="csr"))


def mean(faces: np.ndarray) -> csr_matrix:
    return neighbour_mean(unique_edges(faces), COUNT * COUNT)


def test_what_lies_near_goes_onto_it_and_what_is_far_stays():
    y, x = np.mgrid[:COUNT, :COUNT] * STEP
    hills = 0.004 * np.sin(x / 0.03) * np.cos(y / 0.03)
    points, faces = sheet(hills + 0.002)
    drawn = ground(hills).drawn_to(points, faces, mean(faces)).reshape(COUNT, COUNT, 3)
    inner = (slice(3, -3), slice(3, -3))
    assert np.abs(drawn[..., 2] - hills)[inner].max() < 0.0004
    points, faces = sheet(np.full((COUNT, COUNT), 0.02))
    np.testing.assert_allclose(ground(hills).drawn_to(points, faces, mean(faces))[:, 2], 0.02)


def test_pits_of_a_torn_ground_do_not_come_through():
    torn = np.zeros((COUNT, COUNT))
    torn[20, 20] = -0.008
    torn[10, 12] = 0.008
    points, faces = sheet(np.full((COUNT, COUNT), 0.001))
    drawn = ground(torn).drawn_to(points, faces, mean(faces)).reshape(COUNT, COUNT, 3)
    inner = (slice(3, -3), slice(3, -3))
    assert np.abs(drawn[..., 2])[inner].max() < 0.0015
    assert np.median(np.abs(drawn[..., 2])[inner]) < 0.0002
