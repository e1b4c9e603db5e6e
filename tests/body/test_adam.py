"""The fit's minimiser against PyTorch's."""

import pytest
import torch

from lookalike.body.adam import cycle, minimise


def test_it_goes_pytorchs_own_way():
    def energy(a, b):
        return ((a - 3) ** 4).sum() + ((a * b + 1) ** 2).sum() + b.abs().sum()

    def start():
        return torch.tensor([0.5, -1.0], requires_grad=True), torch.tensor([2.0, 0.1], requires_grad=True)

    a, b = start()
    minimise(lambda: energy(a, b), {a: 0.04, b: 0.01}, 60)
    c, d = start()
    groups = [dict(params=[c], lr=0.04), dict(params=[d], lr=0.01)]
    optimiser = torch.optim.Adam(groups, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [0.04, 0.01], total_steps=60, pct_start=0.15, div_factor=4, final_div_factor=20
    )
    for _ in range(60):
        optimiser.zero_grad()
        energy(c, d).backward()
        optimiser.step()
        schedule.step()
    torch.testing.assert_close(a, c)
    torch.testing.assert_close(b, d)


def test_the_cycle_rises_and_ends_low():
    rates, momenta = zip(*(cycle(k, 40) for k in range(40)), strict=True)
    assert rates[0] == 0.25 and max(rates) == rates[5] == 1
    assert rates[-1] == pytest.approx(1 / 80)
    assert momenta[5] == 0.85 and momenta[0] == momenta[-1] == 0.95
