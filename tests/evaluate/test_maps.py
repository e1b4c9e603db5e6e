"""Scores of maps whose errors are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lookalike.camera import Camera
from lookalike.evaluate.maps import angles, score_maps
from lookalike.maps import Maps, render_maps

from .conftest import sphere


@pytest.fixture(scope="module")
def ball() -> Maps:
    vertices, faces = sphere(0.5, 5)
    return render_maps(vertices - [0, 0, 3.0], faces, Camera(200.0, 60.0, 60.0, 120, 120))


def turned(maps: Maps, degrees: float) -> Maps:
    """The maps with every normal turned by so much, each about an axis of its own at a right angle to it."""
    out = {}
    for name in ("normals_front", "normals_back"):
        normals = getattr(maps, name).astype(np.float64)
        inside = normals[maps.mask]
        axis = np.cross(inside, np.where(np.abs(inside[:, :1]) < 0.7, [[1.0, 0, 0]], [[0, 1.0, 0]]))
        axis *= np.radians(degrees) / np.linalg.norm(axis, axis=1, keepdims=True)
        normals[maps.mask] = Rotation.from_rotvec(axis).apply(inside)
        out[name] = normals.astype(np.float32)
    return replace(maps, **out)


def test_the_truth_has_no_error(ball):
    scores = score_maps(ball, ball)
    assert scores.front.mean == pytest.approx(0, abs=1e-4)
    assert (scores.front.within_11, scores.back.within_30, scores.mask_iou) == (1, 1, 1)
    assert scores.depth_front.raw == scores.depth_back.relative == scores.depth_offset == 0
    assert scores.pixels == ball.mask.sum()


@pytest.mark.parametrize(("degrees", "shares"), [(8, (1, 1, 1)), (20, (0, 1, 1)), (25, (0, 0, 1)), (170, (0, 0, 0))])
def test_a_known_turn_is_the_angular_error(ball, degrees, shares):
    scores = score_maps(turned(ball, degrees), ball)
    for side in (scores.front, scores.back):
        assert (side.mean, side.median) == pytest.approx((degrees, degrees), abs=1e-3)
        assert (side.within_11, side.within_22, side.within_30) == shares


def test_front_and_back_are_told_apart(ball):
    scores = score_maps(replace(ball, normals_back=turned(ball, 40).normals_back), ball)
    assert scores.front.mean == pytest.approx(0, abs=1e-4)
    assert scores.back.mean == pytest.approx(40, abs=1e-3)


def test_depth_forgives_the_distance_but_not_the_thickness(ball):
    nearer = replace(ball, depth_front=ball.depth_front - 0.03, depth_back=ball.depth_back - 0.03)
    scores = score_maps(nearer, ball)
    assert scores.depth_offset == pytest.approx(-30, abs=1e-3)
    assert scores.depth_front.raw == pytest.approx(30, abs=1e-3)
    assert scores.depth_back.relative == pytest.approx(0, abs=1e-3)
    thicker = score_maps(replace(ball, depth_front=ball.depth_front - 0.02, depth_back=ball.depth_back + 0.02), ball)
    assert thicker.depth_front.relative == pytest.approx(20, abs=1e-2)


def test_half_a_mask_is_compared_where_it_is_unless_the_whole_is_asked_for(ball):
    half = ball.mask.copy()
    half[:, :60] = False
    part = replace(ball, mask=half, depth_front=np.where(half, ball.depth_front, np.nan).astype(np.float32))
    scores = score_maps(part, ball)
    assert scores.mask_iou == pytest.approx(0.5)
    assert scores.front.mean == pytest.approx(0, abs=1e-4)
    assert scores.pixels == half.sum()
    whole = score_maps(part, ball, whole=True)
    assert whole.front.mean == pytest.approx(45, abs=1e-3)
    assert whole.front.within_30 == pytest.approx(0.5)
    assert whole.pixels == ball.mask.sum()


def test_nothing_in_common_is_not_a_number(ball):
    nothing = replace(ball, mask=np.zeros_like(ball.mask))
    scores = score_maps(nothing, ball)
    assert np.isnan(scores.front.mean) and np.isnan(scores.depth_front.raw)
    assert scores.mask_iou == 0 and scores.pixels == 0


def test_maps_of_two_sizes_are_refused(ball):
    with pytest.raises(ValueError, match="cannot be compared"):
        score_maps(replace(ball, mask=ball.mask[:50]), ball)


def test_small_angles_are_exact():
    a = np.array([[0.0, 0, 1]])
    assert angles(a, [[1e-7, 0, 1]] * a * [[0, 0, 1]] + [[1e-7, 0, 0]])[0] == pytest.approx(np.degrees(1e-7))
    assert angles(a, -a)[0] == pytest.approx(180)
