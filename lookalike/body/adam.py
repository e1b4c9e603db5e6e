"""Adam (Kingma and Ba, 2015) in one cycle (Smith and Topin, 2019), for problems of a few numbers.

`torch.optim.Adam` does the same and loads PyTorch's compiler when it is made, which takes 1 to 2 seconds: as long as the
whole fit of a body.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

#: Momentum at the ends of the cycle and at its peak, and of the squares.
MOMENTUM, AT_PEAK, SQUARES = 0.95, 0.85, 0.98
#: Share of the steps before the peak, and the rates at the start and at the end as shares of the peak's.
RISE, START, END = 0.15, 1 / 4, 1 / 80


def minimise(energy: Callable[[], torch.Tensor], unknowns: dict[torch.Tensor, float], steps: int) -> None:
    """Take so many steps down an energy. Changes the unknowns.

    energy : of the unknowns' present values, a scalar.  unknowns : leaves that need gradients, and each one's largest rate.
    steps : at least 10, so that there is a rise.
    """
    mean, square = ([torch.zeros_like(x) for x in unknowns] for _ in range(2))
    for step in range(steps):
        rate, momentum = cycle(step, steps)
        gradients = torch.autograd.grad(energy(), list(unknowns))
        unbiased = 1 - momentum ** (step + 1), math.sqrt(1 - SQUARES ** (step + 1))
        with torch.no_grad():
            for (x, largest), g, m, s in zip(unknowns.items(), gradients, mean, square, strict=True):
                m.lerp_(g, 1 - momentum)
                s.mul_(SQUARES).addcmul_(g, g, value=1 - SQUARES)
                x.addcdiv_(m, s.sqrt() / unbiased[1] + 1e-8, value=-rate * largest / unbiased[0])


def cycle(step: int, steps: int) -> tuple[float, float]:
    """The rate, as a share of the largest, and the momentum at a step: both go along half cosines up to a peak and down."""
    peak = RISE * steps - 1
    if step <= peak:
        return _eased(START, 1, step / peak), _eased(MOMENTUM, AT_PEAK, step / peak)
    share = (step - peak) / (steps - 1 - peak)
    return _eased(1, END, share), _eased(AT_PEAK, MOMENTUM, share)


def _eased(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
