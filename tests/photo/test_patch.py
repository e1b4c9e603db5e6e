"""Windows of a photo: to the window and back."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.photo.patch import Frame, Patch, Pyramid

PATCHES = [Patch(40, 30, 20), Patch(50.5, 41, 37, 0.6), Patch(33, 70, 60, -2.5, mirrored=True)]


@pytest.mark.parametrize("patch", PATCHES)
def test_to_photo_undoes_the_matrix(patch):
    points = np.random.default_rng(0).uniform(0, 100, (20, 2))
    matrix = patch.matrix(64)
    inside = points @ matrix[:, :2].T + matrix[:, 2]
    assert np.allclose(patch.to_photo(inside, 64), points, atol=1e-3)


@pytest.mark.parametrize("patch", PATCHES)
def test_vectors_turn_as_points_do(patch):
    ends = np.array([[10.0, 10.0], [17.0, 4.0]])
    moved = patch.to_photo(ends, 64) * (64 / patch.side)
    vector = np.append(ends[1] - ends[0], 5.0)
    assert np.allclose(patch.turn_to_photo(vector), np.append(moved[1] - moved[0], 5.0), atol=1e-3)


def test_a_person_who_leans_stands_upright_in_the_window():
    patch = Patch.around(np.array([50.0, 60.0]), np.array([70.0, 60.0]))  # the head points to the right
    assert patch.side == pytest.approx(50)
    matrix = patch.matrix(100)
    up = matrix @ [70, 60, 1] - matrix @ [50, 60, 1]
    assert np.allclose(up, [0, -40], atol=1e-6)


@pytest.mark.parametrize("side", [30.0, 61.0, 200.0])
@pytest.mark.parametrize("angle", [0.0, 0.4, np.pi])
def test_a_dot_is_cut_out_where_the_matrix_says(side, angle):
    v, u = np.mgrid[0:160, 0:200] + 0.5
    dot = np.exp(-((u - 90) ** 2 + (v - 70) ** 2) / 2 / 9**2) * 255
    patch = Patch(95, 77, side, angle)
    cut = Pyramid(dot[..., None].repeat(3, 2).astype(np.uint8)).cut(patch, 64, "black")[..., 0].astype(float)
    y, x = np.mgrid[0:64, 0:64] + 0.5
    seen = np.array([(cut * x).sum(), (cut * y).sum()]) / cut.sum()
    expected = patch.matrix(64) @ [90, 70, 1]
    if side == 200.0:  # the whole dot is in the window
        assert np.allclose(seen, expected, atol=0.15)
    assert np.unravel_index(cut.argmax(), cut.shape) == pytest.approx(tuple(expected[::-1]), abs=4)


def test_paste_brings_a_map_back():
    v, u = np.mgrid[0:120, 0:160] + 0.5
    disc = ((u - 80) ** 2 + (v - 60) ** 2 < 30**2).astype(np.uint8) * 255
    patch = Patch(78, 63, 90, 0.3, mirrored=True)
    cut = Pyramid(disc[..., None].repeat(3, 2)).cut(patch, 128, "black")[..., 0].astype(np.float32) / 255
    assert np.abs(patch.paste(cut, Frame.whole(160, 120)) - disc / 255).mean() < 0.004
    part = patch.paste(cut, Frame(40, 20, 80, 80, (160, 160)))
    assert np.abs(part[1::2, 1::2] - disc[20:100, 40:120] / 255).mean() < 0.02
