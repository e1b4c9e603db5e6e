"""The derivatives of the skinning agree with small differences of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lookalike.body import load_body
from lookalike.body.derivative import Unknowns, derivative, posed_vertices
from lookalike.body.skinning import Tensors


def in_double(body: Tensors) -> Tensors:
    made = {n: v.double() if isinstance(v, torch.Tensor) else v for n, v in vars(body).items()}
    return Tensors(**made)


@pytest.fixture(scope="module")
def body():
    return in_double(load_body().tensors(np.arange(0, 13000, 97)))


@pytest.fixture(scope="module")
def numbers():
    rng = np.random.default_rng(4)
    model = load_body()
    pose = rng.normal(0, 0.4, (len(model.parents), 3))
    pose[3] = 0  # a joint at rest
    return Unknowns(*(torch.tensor(a) for a in (rng.normal(size=3), pose, rng.normal(size=model.shape_count))))


def test_vertices_move_as_the_derivative_says(body, numbers):
    joints = list(range(22))
    found = derivative(body, numbers, joints)
    torch.testing.assert_close(found.vertices, posed_vertices(body, numbers))
    for number in range(found.jacobian.shape[2]):
        step = torch.zeros(found.jacobian.shape[2], dtype=torch.float64)
        step[number] = 1e-5
        forth, back = (posed_vertices(body, numbers.moved(sign * step, joints)) for sign in (1, -1))
        torch.testing.assert_close(found.jacobian[:, :, number], (forth - back) / 2e-5, rtol=0, atol=1e-8)


def test_joints_turn_as_the_derivative_says(body, numbers):
    joints = [0, 1, 16, 18]
    found = derivative(body, numbers, joints)
    number = 3 + 3 * 2 + 1  # the left shoulder's second number
    step = torch.zeros(found.jacobian.shape[2], dtype=torch.float64)
    step[number] = 1e-5
    forth, back = (derivative(body, numbers.moved(sign * step, joints), joints).turns for sign in (1, -1))
    spin = ((forth - back) / 2e-5) @ found.turns.transpose(1, 2)
    vectors = torch.stack([spin[:, 2, 1], spin[:, 0, 2], spin[:, 1, 0]])
    torch.testing.assert_close(found.turning[:, :, number], vectors, rtol=0, atol=1e-8)
    assert found.turning[:, 0, number].abs().max() == 0  # the pelvis stays
    assert found.turning[:, 20, number].abs().max() > 0.1  # the wrist turns with the shoulder
