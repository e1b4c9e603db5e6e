"""ARKit's face shapes on the surface."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lookalike.rig.face import ARKIT, SMALLEST, face_shapes


def test_all_of_arkits_shapes_are_there(average):
    assert len(ARKIT) == len(set(ARKIT)) == 52
    assert tuple(average.face_shapes) == ARKIT


def test_shapes_are_sparse_and_sorted(average):
    for index, offset in average.face_shapes.values():
        assert len(index) == len(offset) < 0.2 * len(average.vertices)
        assert (np.diff(index) > 0).all()
        assert (np.linalg.norm(offset, axis=1) > SMALLEST).all()


def test_the_template_gets_the_models_own_shapes(make_body, bare):
    body = make_body()
    for name, (index, offset) in face_shapes(bare(body), body).items():
        full = np.zeros_like(body.rest)
        full[index] = offset
        wanted = np.zeros_like(body.rest)
        wanted[body.model.face_shapes[name][0]] = body.model.face_shapes[name][1]
        assert np.abs(full - wanted).max() < 6e-5, name


def test_shapes_grow_with_the_head_and_ignore_its_pose(make_body, bare):
    one = make_body()
    other = make_body(scale=1.5, pose={"head": (0.3, 0.8, 0.1), "pelvis": (0.0, 1.2, 0.0)})
    small, large = face_shapes(bare(one), one)["jawOpen"], face_shapes(bare(other), other)["jawOpen"]
    size = [np.linalg.norm(offset, axis=1).max() for _, offset in (small, large)]
    assert size[1] == pytest.approx(1.5 * size[0], rel=1e-4)
    assert large[1][np.linalg.norm(large[1], axis=1).argmax(), 1] < 0  # the jaw goes down


def test_left_and_right_are_the_persons_own(average):
    for name in ("eyeBlink", "mouthSmile", "browDown"):
        for side, sign in (("Left", 1), ("Right", -1)):
            index, offset = average.face_shapes[f"{name}{side}"]
            x = np.average(average.vertices[index, 0], weights=np.linalg.norm(offset, axis=1))
            assert sign * x > 0.01


@pytest.mark.parametrize("betas", [{}, {0: 1.3}, {0: -2.0}, {1: 2.0, 5: -2.0}, {2: 2.0, 3: 2.0}])
def test_lids_close_in_front_of_the_eyes(make_body, bare, betas):
    """The blinking lids leave no gap, and the eyeballs stay behind them."""
    body = make_body(betas)
    model, shapes = body.model, face_shapes(bare(body), body)
    closed = body.rest.copy()
    for side in ("Left", "Right"):
        index, offset = shapes[f"eyeBlink{side}"]
        closed[index] += offset
    from lookalike.render.raycast import RayCaster

    eyes = np.flatnonzero(model.parts == model.part_names.index("eyes"))
    part = np.isin(model.faces, eyes).all(1)
    front = closed[eyes]
    front = front[front[:, 2] > np.median(front[:, 2])]
    shift = np.array([[0, 0, 0.5]])
    first = RayCaster(closed, model.faces).cast(front + shift, np.tile([0.0, 0.0, -1.0], (len(front), 1)))
    assert part[first.face[first.hit]].mean() < 0.05


def test_a_model_without_shapes_gives_none(make_body, bare):
    body = make_body()
    bald = replace(body, model=replace(body.model, face_shapes={}))
    assert face_shapes(bare(bald), bald) == {}
