"""Draped cloth against what is known of it: it falls, holds its length, stays out of things and buckles."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.people.wardrobe.cloth import FARTHEST, Obstacles, Sheet, drape
from lookalike.people.wardrobe.hulls import neighbours_mean

CELL = 0.02


def grid(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """A flat sheet in the plane y = 0: vertices and quads."""
    x, z = np.meshgrid(np.arange(columns) * CELL, np.arange(rows) * CELL)
    vertices = np.stack([x.ravel(), np.zeros(x.size), z.ravel()], 1).astype(np.float32)
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij")
    first = (r * columns + c).ravel()
    return vertices, np.stack([first, first + columns, first + columns + 1, first + 1], 1)


def sheet_of(vertices, quads, hold, ease=1.0) -> Sheet:
    edges = np.unique(np.sort(np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)]), 1), axis=0)
    springs = np.concatenate([edges, quads[:, [0, 2]], quads[:, [1, 3]]]).astype(np.int32)
    lengths = np.linalg.norm(vertices[springs[:, 0]] - vertices[springs[:, 1]], axis=1).astype(np.float32) * ease
    one = np.ones(len(springs), np.float32)
    return Sheet(springs, lengths, one, one, neighbours_mean(quads, len(vertices)), 0.0, hold.astype(np.float32))


def far_away(count: int, loose=(), points=(), normals=(), gaps=()) -> Obstacles:
    """Nothing below any vertex, but perhaps a cloud."""
    up = np.tile(np.array([0, 1, 0], np.float32), (count, 1))
    empty = np.empty((0, 3), np.float32)
    return Obstacles(
        up * -100,
        up,
        np.zeros(count, np.float32),
        np.array(loose, np.intp),
        np.array(points, np.float32) if len(points) else empty,
        np.array(normals, np.float32) if len(points) else empty,
        np.array(gaps, np.float32),
    )


def test_free_cloth_falls_and_keeps_its_form():
    vertices, quads = grid(8, 8)
    hold = np.zeros(len(vertices))
    fall = np.array([0, -1e-4, 0])
    out = drape(vertices, vertices, sheet_of(vertices, quads, hold), far_away(len(vertices)), 20, fall)
    assert np.ptp(out[:, 1]) < 1e-5
    assert out[:, 1].max() < -0.005
    assert np.allclose(out[:, [0, 2]], vertices[:, [0, 2]], atol=1e-5)


def test_hung_cloth_holds_on_to_its_edge_and_does_not_stretch_far():
    vertices, quads = grid(12, 12)
    hold = (vertices[:, 2] < CELL / 2) * 1.0
    sheet = sheet_of(vertices, quads, hold)
    out = drape(vertices, vertices, sheet, far_away(len(vertices)), 60, np.array([0, -1e-4, 0]))
    held = hold > 0
    assert np.abs(out[held] - vertices[held]).max() < 1e-6
    assert out[~held, 1].min() < -0.03
    length = np.linalg.norm(out[sheet.springs[:, 0]] - out[sheet.springs[:, 1]], axis=1)
    assert np.percentile(length / sheet.lengths, 99) < 1.1


def test_cloth_stays_above_what_lies_below_it():
    vertices, quads = grid(10, 10)
    count = len(vertices)
    obstacles = far_away(count)
    floor = Obstacles(
        vertices - [0, 0.03, 0],
        obstacles.normal,
        np.full(count, 0.01, np.float32),
        obstacles.loose,
        obstacles.points,
        obstacles.normals,
        obstacles.gaps,
    )
    sheet = sheet_of(vertices, quads, np.zeros(count))
    out = drape(vertices, vertices, sheet, floor, 60, np.array([0, -4e-4, 0]))
    assert np.abs(out[:, 1] + 0.02).max() < 1e-4  # 3 cm down to the floor, 1 cm above it


def test_loose_cloth_rests_on_a_ball():
    vertices, quads = grid(15, 15)
    vertices = vertices - [7 * CELL, 0, 7 * CELL]
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(4000, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    radius = 0.06
    middle = np.array([0, -radius - 0.01, 0])
    every = np.arange(len(vertices))
    obstacles = far_away(len(vertices), every, middle + radius * normals, normals, np.full(4000, 0.004))
    sheet = sheet_of(vertices, quads, np.zeros(len(vertices)))
    out = drape(vertices.astype(np.float32), vertices, sheet, obstacles, 80, np.array([0, -2e-4, 0]))
    away = np.linalg.norm(out - middle, axis=1)
    assert away.min() > radius + 0.001
    assert out[:, 1].max() == pytest.approx(-0.01 + 0.004, abs=0.003)
    assert out[:, 1].min() < -0.06  # the corners hang down


def test_too_much_length_buckles():
    vertices, quads = grid(10, 30)
    edge = (vertices[:, 0] < CELL / 2) | (vertices[:, 0] > 28.5 * CELL)
    start = vertices + (1e-3 * np.sin(vertices[:, :1] * 60)) * [0, 1, 0]
    sheet = sheet_of(vertices, quads, edge * 1.0, ease=1.06)
    out = drape(start.astype(np.float32), vertices, sheet, far_away(len(vertices)), 60, np.zeros(3))
    assert np.ptp(out[:, 1]) > 0.012


def test_a_tangled_start_does_not_explode():
    vertices, quads = grid(10, 10)
    rng = np.random.default_rng(1)
    start = (vertices + rng.normal(0, 0.05, vertices.shape)).astype(np.float32)
    sheet = sheet_of(vertices, quads, np.full(len(vertices), 0.01))
    out = drape(start, vertices, sheet, far_away(len(vertices)), 50, np.zeros(3))
    assert np.isfinite(out).all()
    assert np.abs(out - start).max() < 50 * 2 * FARTHEST
    assert np.linalg.norm(out - vertices, axis=1).mean() < 0.08
