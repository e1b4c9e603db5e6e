"""The two optimisers behind one interface."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lookalike.train.optimizer import Optimizer


def small_net() -> nn.Module:
    torch.manual_seed(3)
    net = nn.Sequential(
        nn.Conv2d(8, 32, 3, padding=1), nn.SiLU(), nn.Conv2d(32, 32, 1), nn.Flatten(), nn.Linear(512, 2)
    )
    return net.to(memory_format=torch.channels_last)


def advance(net: nn.Module, optimizer: Optimizer, steps: int) -> float:
    inputs = torch.randn(16, 8, 4, 4, generator=torch.Generator().manual_seed(1))
    target = inputs.mean((2, 3))[:, :2]
    loss = torch.tensor(0.0)
    for _ in range(steps):
        loss = (net(inputs) - target).square().mean()
        net.zero_grad()
        loss.backward()
        optimizer.step(1e-3)
    return float(loss.detach())


def test_learns_with_both_kinds_of_parameters() -> None:
    net = small_net()
    before = [p.detach().clone() for p in net.parameters()]
    optimizer = Optimizer(net, 0.0)
    assert len(optimizer.kernels) == 2
    first = advance(net, optimizer, 1)
    assert advance(net, optimizer, 150) < 0.1 * first
    assert all(not torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


def spread(matrix: torch.Tensor) -> float:
    """How many directions a matrix has that count: 1 to its rank."""
    values = torch.linalg.svdvals(matrix.flatten(1)).square()
    return float(values.sum() / values.max())


def test_a_kernels_step_goes_in_all_directions_alike() -> None:
    net = small_net()
    kernel = net[2].weight
    before = kernel.detach().clone()
    advance(net, Optimizer(net, 0.0), 1)
    assert kernel.grad is not None
    assert spread(kernel.detach() - before) > 3 * spread(kernel.grad)


def test_goes_on_where_it_was() -> None:
    once, twice = small_net(), small_net()
    optimizer = Optimizer(once, 0.01)
    advance(once, optimizer, 6)
    half = Optimizer(twice, 0.01)
    advance(twice, half, 3)
    again = Optimizer(twice, 0.01)
    again.load_state_dict(half.state_dict())
    advance(twice, again, 3)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(once.parameters(), twice.parameters(), strict=True))


def test_kernels_in_another_order_are_refused() -> None:
    with pytest.raises(ValueError, match="channels_last"):
        Optimizer(small_net().to(memory_format=torch.contiguous_format), 0.0)
