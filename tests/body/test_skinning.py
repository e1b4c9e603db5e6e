"""Skinning in torch: rotations, the joint chain and pose correctives against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from lookalike.body.skinning import Tensors, chain, rest_shape, rotations, skin


def random_body(seed=0, joints=6, count=30, corrected=False) -> Tensors:
    rng = np.random.default_rng(seed)
    tensor = lambda *shape: torch.tensor(rng.normal(size=shape), dtype=torch.float64)  # noqa: E731
    weights = torch.softmax(3 * tensor(count, joints), 1)
    return Tensors(
        template=tensor(count, 3),
        shape_basis=tensor(4, count, 3),
        joint_template=tensor(joints, 3),
        joint_basis=tensor(4, joints, 3),
        parents=[-1, 0, 0, 1, 3, 2][:joints],
        weights=weights,
        pose_basis=0.1 * tensor(9 * (joints - 1), count, 3) if corrected else None,
    )


def test_rotations_are_rodrigues():
    vectors = np.random.default_rng(0).normal(0, 2, (50, 3))
    np.testing.assert_allclose(
        rotations(torch.from_numpy(vectors)), Rotation.from_rotvec(vectors).as_matrix(), atol=1e-9
    )


def test_rotations_are_smooth_at_zero():
    zero = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    turn = rotations(zero)
    np.testing.assert_allclose(turn.detach()[0], np.eye(3), atol=1e-12)
    (slope,) = torch.autograd.grad(turn[0, 1, 0], zero)
    np.testing.assert_allclose(slope[0], [0, 0, 1], atol=1e-6)  # d sin(z) / dz


def test_the_rest_shape_is_linear():
    body, betas = random_body(), torch.tensor([1.0, -2, 0.5, 0], dtype=torch.float64)
    rest, joints = rest_shape(body, betas)
    np.testing.assert_allclose(rest, body.template + sum(b * s for b, s in zip(betas, body.shape_basis, strict=True)))
    np.testing.assert_allclose(
        joints, body.joint_template + sum(b * s for b, s in zip(betas, body.joint_basis, strict=True))
    )


def test_the_chain_is_the_product_of_its_links():
    body = random_body()
    local = rotations(torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    turns, places = chain(body.parents, local, body.joint_template)
    for j in range(6):
        link, path = j, []
        while link >= 0:
            path.insert(0, link)
            link = body.parents[link]
        world = np.eye(4)
        for i, k in enumerate(path):
            step = np.eye(4)
            step[:3, :3] = local[k]
            step[:3, 3] = body.joint_template[k] - (body.joint_template[path[i - 1]] if i else 0)
            world = world @ step
        np.testing.assert_allclose(turns[j], world[:3, :3], atol=1e-9)
        np.testing.assert_allclose(places[j], world[:3, 3], atol=1e-9)


@pytest.mark.parametrize("corrected", [False, True])
def test_skinning_blends_the_joints_transforms(corrected):
    body = random_body(1, corrected=corrected)
    rest, joints = rest_shape(body, torch.zeros(4, dtype=torch.float64))
    pose = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    vertices, places, transforms = skin(body, rest, joints, pose)
    shaped = rest.numpy().copy()
    if corrected:
        bend = (Rotation.from_rotvec(pose[1:]).as_matrix() - np.eye(3)).reshape(-1)
        shaped += np.einsum("p,pvc->vc", bend, body.pose_basis)
    for v in range(len(shaped)):
        blend = sum(float(w) * t for w, t in zip(body.weights[v], transforms.double().numpy(), strict=True))
        np.testing.assert_allclose(vertices[v], (blend @ [*shaped[v], 1])[:3], atol=1e-9)
    ends = np.einsum("jab,jb->ja", transforms[:, :3, :3], joints) + transforms[:, :3, 3].numpy()
    np.testing.assert_allclose(places, ends, atol=1e-9)


def test_no_pose_changes_nothing():
    body = random_body(2, corrected=True)
    vertices, joints, _ = skin(body, body.template, body.joint_template, torch.zeros(6, 3, dtype=torch.float64))
    np.testing.assert_allclose(vertices, body.template, atol=1e-9)
    np.testing.assert_allclose(joints, body.joint_template, atol=1e-9)


def test_gradients_reach_shape_and_pose():
    body = random_body(3, corrected=True)

    def middle(betas, pose):
        rest, joints = rest_shape(body, betas)
        return skin(body, rest, joints, pose)[0].mean(0)

    betas = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    pose = (0.3 * torch.ones(6, 3, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(middle, (betas, pose))
