"""The optimiser: Muon for convolution kernels, AdamW for the rest.

Muon (Jordan et al., 2024) steps along the orthogonal matrix nearest to the momentum, so all directions that a layer can
learn move alike. From the same start the maps network needs half as many people for the same angles as with AdamW.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

#: Kernels with fewer rows or columns as a matrix than this are left to AdamW.
SMALLEST = 32


class Optimizer:
    """Both optimisers as one.

    net : what to train. Its kernels must be in memory as `torch.channels_last` has them.  weight_decay : of both.
    """

    def __init__(self, net: nn.Module, weight_decay: float):
        self.kernels: list[tuple[nn.Parameter, nn.Parameter]] = []
        rest = []
        for parameter in net.parameters():
            if parameter.ndim == 4 and min(len(parameter), parameter[0].numel()) >= SMALLEST:
                # a matrix that shares the kernel's memory; the order of its columns does not matter
                flat = nn.Parameter(parameter.detach().permute(0, 2, 3, 1).reshape(len(parameter), -1))
                if flat.data_ptr() != parameter.data_ptr():
                    raise ValueError("the network's kernels are not in the order of torch.channels_last")
                self.kernels.append((parameter, flat))
            else:
                rest.append(parameter)
        self.adam = torch.optim.AdamW(rest, betas=(0.9, 0.98), weight_decay=weight_decay)
        # steps as large as AdamW's, so one learning rate serves both
        self.muon = torch.optim.Muon(
            [flat for _, flat in self.kernels], weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"
        )

    def step(self, rate: float) -> None:
        """Follow the gradients that the network's parameters have. rate : the learning rate."""
        for parameter, flat in self.kernels:
            gradient = parameter.grad
            flat.grad = None if gradient is None else gradient.permute(0, 2, 3, 1).reshape(flat.shape)
        for optimizer in (self.adam, self.muon):
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"adam": self.adam.state_dict(), "muon": self.muon.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.adam.load_state_dict(state["adam"])
        self.muon.load_state_dict(state["muon"])
