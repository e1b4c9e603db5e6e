"""The network of the implicit surface: local features in, a signed distance out."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from lookalike.surface.field.local import FAR, GROUPS, LocalMaps

#: Distances, metres, beyond which a point is just far.
REACH = 0.05
#: The drawn-out surface's distance among the features.
DRAWN = 11


class FieldNetwork(nn.Module):
    """A perceptron with a residual block or two.

    width : of the hidden layers.  blocks : residual blocks.  groups : the features it reads; the others are ignored.
    squeezed : how many numbers it makes of the maps network's features, pixel by pixel before points read them.
    """

    chosen: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, width: int = 128, blocks: int = 2, groups: tuple[str, ...] = tuple(GROUPS), squeezed: int = 24):
        super().__init__()
        self.width, self.blocks_, self.groups = width, blocks, groups
        starts = dict(zip(GROUPS, torch.tensor([0, *GROUPS.values()]).cumsum(0)[:-1].tolist(), strict=True))
        chosen = [i for g in groups if g != "image" for i in range(starts[g], starts[g] + GROUPS[g])]
        self.register_buffer("chosen", torch.tensor(chosen), persistent=False)
        self.register_buffer("mean", torch.zeros(len(chosen)))
        self.register_buffer("scale", torch.ones(len(chosen)))
        self.squeeze = nn.Linear(GROUPS["image"], squeezed) if "image" in groups else None
        self.first = nn.Linear(len(chosen) + (squeezed if self.squeeze else 0), width)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width)) for _ in range(blocks)
        )
        self.last = nn.Linear(width, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def prepared(self, local: LocalMaps) -> LocalMaps:
        """What pixels say, with the image features squeezed already: points then have fewer to read."""
        if self.squeeze is None:
            return replace(local, image=local.image[:, :0])
        image = functional.linear(local.image.movedim(1, 3), self.squeeze.weight, self.squeeze.bias)
        return replace(local, image=image.movedim(3, 1).contiguous())

    def forward(self, features: Tensor) -> Tensor:
        """(n,) metres, within `REACH`, of features (n, F), squeezed or not."""
        plain = sum(GROUPS.values()) - GROUPS["image"]
        x = (features[:, self.chosen] - self.mean) * self.scale
        if self.squeeze is not None:
            image = features[:, plain:]
            x = torch.cat([x, image if image.shape[1] == self.squeeze.out_features else self.squeeze(image)], 1)
        x = functional.silu(self.first(x))
        for block in self.blocks:
            x = functional.silu(x + block(x))
        # what was drawn out, corrected
        drawn = FAR * torch.atanh(features[:, DRAWN].float().clamp(-0.99, 0.99))
        return REACH * torch.tanh(drawn / REACH + self.last(x)[:, 0].float())
