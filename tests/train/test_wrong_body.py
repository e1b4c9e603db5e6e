"""Wrong bodies: near the true one in the picture, off in space, the same for the same random numbers."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from lookalike.train.wrong_body import BodyNoise, wrong_body

NONE = BodyNoise(severity=(1, 1), **{f.name: 0.0 for f in fields(BodyNoise) if f.name != "severity"})


def test_without_noise_it_is_the_true_body(sample, rng):
    body = sample.body
    assert np.abs(wrong_body(body, rng, NONE).vertices - body.vertices).max() < 1e-4


def test_the_pelvis_stays_and_joints_move(sample):
    body, side = sample.body, sample.camera.width
    moved = []
    for seed in range(12):
        wrong = wrong_body(body, np.random.default_rng(seed))
        pixels = sample.camera.project(wrong.joints) - sample.camera.project(body.joints)
        # 2 of 1.4 % of the side, times 1.5, in each direction
        assert np.abs(pixels[0]).max() < 0.0421 * side
        assert np.linalg.norm(pixels[:22], axis=1).mean() < 0.16 * side
        own, other = (j - j[0] for j in (body.joints, wrong.joints))
        moved.append(np.linalg.norm(own - other, axis=1)[:22].mean())
    assert 0.02 < np.mean(moved) < 0.2


def test_limbs_err_in_depth_more_than_in_the_picture(sample):
    body, camera = sample.body, sample.camera
    names = body.model.joint_names
    ends = [names.index(n) for n in ("left_wrist", "right_wrist", "left_ankle", "right_ankle")]
    across, depth = [], []
    for seed in range(16):
        wrong = wrong_body(body, np.random.default_rng(seed))
        pixels = camera.project(wrong.joints) - camera.project(body.joints)
        across.append(np.abs(pixels[ends] - pixels[0]).mean() * -body.joints[0, 2] / camera.focal)
        off = wrong.joints[:, 2] - body.joints[:, 2]
        depth.append(np.abs(off[ends] - off[0]).mean())
    assert np.mean(depth) > 1.2 * np.mean(across)


def test_its_numbers_give_its_vertices(sample, rng):
    wrong = wrong_body(sample.body, rng)
    again = wrong.model.posed(wrong.betas, wrong.pose, wrong.translation, wrong.camera, wrong.scale)
    assert np.allclose(again.vertices, wrong.vertices, atol=1e-5)
    assert np.allclose(again.transforms, wrong.transforms, atol=1e-5)


def test_the_same_numbers_give_the_same_body(sample):
    a, b = (wrong_body(sample.body, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(a.vertices, b.vertices)
