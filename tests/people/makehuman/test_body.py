"""The base mesh on our body: what is skin in both stays the same, in hm08's rest pose, in ours and in any other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lookalike.body import JOINTS, Body, load_body
from lookalike.camera import Camera
from lookalike.errors import LookalikeError
from lookalike.people.makehuman.body import (
    BASE_COUNT,
    base_vertices,
    guessed_looks,
    load_binding,
    posed,
    to_t_pose,
    unbending,
)

CAMERA = Camera(500.0, 128.0, 128.0, 256, 256)


def somebody(seed: int = 0, pose: np.ndarray | None = None, scale: float = 1.0) -> Body:
    model, rng = load_body(), np.random.default_rng(seed)
    pose = rng.normal(0, 0.3, (len(JOINTS), 3)) if pose is None else pose
    return model.posed(rng.normal(0, 0.9, model.shape_count), pose, np.array([0.1, 0.2, -3.0]), CAMERA, scale)


def rest_pose() -> np.ndarray:
    """(J, 3) our pose that is hm08's rest pose."""
    turn, parents = load_binding().turn, load_body().parents
    local = np.stack([t if p < 0 else turn[p].T @ t for t, p in zip(turn, parents, strict=True)])
    return Rotation.from_matrix(local).as_rotvec()


def test_our_body_in_hm08s_rest_pose_is_hm08():
    body = somebody(1, rest_pose())
    base = base_vertices(body)
    assert base.shape == (BASE_COUNT, 3)
    np.testing.assert_allclose(base[load_binding().same], body.vertices - body.translation, atol=2e-5)


def test_what_is_skin_follows_the_skin_in_any_pose():
    body, binding = somebody(2, scale=1.1), load_binding()
    rest = to_t_pose(base_vertices(body), binding.weights, unbending(binding.weights), body)
    np.testing.assert_allclose(rest[binding.same], body.rest, atol=2e-5)
    np.testing.assert_allclose(posed(rest, binding.weights, body)[binding.same], body.vertices, atol=3e-5)


def test_helpers_lie_about_the_body():
    binding = load_binding()
    mean = binding.posed[0]
    tights, hair = mean[15328:18002], mean[18722:19150]
    skin = mean[binding.same]
    from scipy.spatial import cKDTree

    assert np.quantile(cKDTree(skin).query(tights)[0], 0.99) < 0.03
    neck = load_body().joint_template[JOINTS.index("neck"), 1]
    assert hair[:, 1].max() > skin[:, 1].max() - 0.01
    assert np.median(hair[:, 1]) > neck - 0.3
    weights = np.asarray(binding.weights.sum(1)).ravel()
    np.testing.assert_allclose(weights, 1, atol=1e-5)


def test_a_larger_scale_is_a_larger_base():
    body = somebody(3)
    np.testing.assert_allclose(base_vertices(replace(body, scale=2.0)), 2 * base_vertices(body), rtol=1e-6)


def test_looks_are_shares():
    looks = np.array([guessed_looks(somebody(seed)) for seed in range(30)])
    assert looks.min() >= 0
    assert looks.max() <= 1
    assert np.ptp(looks[:, 0]) > 0.5


def test_other_body_models_are_refused():
    body = somebody(4)
    with pytest.raises(LookalikeError, match="--body-model"):
        base_vertices(replace(body, model=replace(body.model, name="smplx")))
