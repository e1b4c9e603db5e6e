"""Inside is 1, outside 0, and the level between is the mesh."""

from __future__ import annotations

import numpy as np
import trimesh

from lookalike.surface.implicit.winding import winding_numbers

STEP = 0.05


def at(numbers: np.ndarray, low: np.ndarray, points: np.ndarray) -> np.ndarray:
    i, j, k = np.rint((points - low) / STEP).astype(int).T
    return numbers[i, j, k]


def test_a_ball_holds_one_and_two_balls_two():
    ball = trimesh.creation.icosphere(4, 1.0)
    vertices = np.concatenate([ball.vertices, ball.vertices + [0.8, 0, 0]])
    faces = np.concatenate([ball.faces, ball.faces + len(ball.vertices)])
    low = np.array([-2.0, -2, -2])
    numbers = winding_numbers(vertices, faces, low, (96, 80, 80), STEP)
    assert numbers.shape == (96, 80, 80) and numbers.dtype == np.float32
    inner = at(numbers, low, np.array([[-0.6, 0, 0], [0.4, 0, 0], [1.4, 0, 0], [0.4, 0, 0.6], [0, 1.5, 0]]))
    assert np.allclose(inner, [1, 2, 1, 2, 0], atol=0.04)


def test_the_level_of_one_half_is_the_mesh_also_over_a_small_hole():
    ball = trimesh.creation.icosphere(4, 1.0)
    hole = ball.triangles_center[:, 2] > 0.995  # wider than two cells
    low = np.array([-2.0, -2, -2])
    numbers = winding_numbers(ball.vertices, ball.faces[~hole], low, (80, 80, 80), STEP)
    along = numbers[40, 40, 40:]  # up through the hole
    out = int((along < 0.5).argmax())
    share = (along[out - 1] - 0.5) / (along[out - 1] - along[out])
    assert abs((out - 1 + share) * STEP - 1) < 0.6 * STEP
    side = numbers[40:, 40, 40]
    out = int((side < 0.5).argmax())
    share = (side[out - 1] - 0.5) / (side[out - 1] - side[out])
    assert abs((out - 1 + share) * STEP - 1) < 0.1 * STEP
