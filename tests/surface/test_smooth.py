"""Energies on a flat grid, where gradients and Laplacians are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import identity

from lookalike.surface.smooth import Factors, Neighbours, energies, unique_edges


def grid(n: int = 21) -> tuple[np.ndarray, np.ndarray]:
    """A unit square in the xy plane, n by n vertices."""
    y, x = np.divmod(np.arange(n * n), n)
    vertices = np.stack([x / (n - 1), y / (n - 1), 0 * x], 1)
    corner = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    lower = np.stack([corner, corner + 1, corner + n + 1], 1)
    upper = np.stack([corner, corner + n + 1, corner + n], 1)
    return vertices, np.concatenate([lower, upper])


def test_a_slope_has_its_squared_gradient_as_membrane_energy():
    vertices, faces = grid()
    e = energies(vertices, faces)
    slope = vertices @ [3.0, 4.0, 0.0]
    assert e.area.sum() == pytest.approx(1)
    assert slope @ e.membrane @ slope == pytest.approx(25)


def test_a_parabola_has_its_squared_laplacian_as_plate_energy():
    vertices, faces = grid(41)
    e = energies(vertices, faces)
    inner = (np.abs(vertices[:, :2] - 0.5) < 0.3).all(1)
    bowl = vertices[:, 0] ** 2 + vertices[:, 1] ** 2
    laplacian = (e.membrane @ bowl)[inner] / e.area[inner]
    np.testing.assert_allclose(laplacian, -4, rtol=1e-6)


def test_stretch_makes_lengths_along_the_axis_count_more():
    vertices, faces = grid()
    axes = np.tile([0.0, 1.5, 0.0], (len(vertices), 1))
    e = energies(vertices, faces, axes)
    along, around = vertices[:, 1], vertices[:, 0]
    assert e.area.sum() == pytest.approx(2.5)
    assert around @ e.membrane @ around == pytest.approx(2.5)  # the same slope over a larger area
    assert along @ e.membrane @ along == pytest.approx(1 / 2.5)  # area 2.5, slope 1 / 2.5


def test_factors_solve():
    vertices, faces = grid()
    e = energies(vertices, faces)
    matrix = e.membrane + 0.1 * e.plate
    matrix.setdiag(matrix.diagonal() + 1)
    x = np.random.default_rng(0).normal(size=len(vertices))
    factors = Factors(matrix)
    np.testing.assert_allclose(factors.solve(matrix @ x), x, atol=1e-8)
    two = np.stack([x, 1 - x], 1)
    np.testing.assert_allclose(factors.solve(matrix @ two), two, atol=1e-8)
    for other in (2 * matrix + e.membrane, e.membrane + identity(len(x))):  # of the same pattern, and of another
        factors.update(other)
        np.testing.assert_allclose(factors.solve(other @ x), x, atol=1e-8)


def test_lower_envelope_rises_no_faster_than_allowed():
    edges = np.stack([np.arange(9), np.arange(1, 10)], 1)
    line = np.stack([np.arange(10) * 0.1, np.zeros(10), np.zeros(10)], 1)
    values = np.full(10, 1.0)
    values[3] = 0.0
    out = Neighbours(edges, 10).lower_envelope(values, line, slope=2.0, rounds=9)
    np.testing.assert_allclose(out, np.minimum(1, 0.2 * np.abs(np.arange(10) - 3)))


def test_edges_are_listed_once():
    edges = unique_edges(np.array([[0, 1, 2], [2, 1, 3]]))
    np.testing.assert_array_equal(edges, [[0, 1], [0, 2], [1, 2], [1, 3], [2, 3]])
