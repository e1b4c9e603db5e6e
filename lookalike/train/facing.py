"""Training of the facing network: folders of synthetic people in, a `FacingNetwork` out.

Pictures are moved, turned, scaled, brightened and mirrored at random.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lookalike.maps.facing import MIRROR, FacingNetwork, facing, network_pictures, person_pictures
from lookalike.people.data_folder import dataset_folders
from lookalike.people.store import read_sample

#: How far pictures are moved at random, in half sides: the fit is not sure of where the head is.
MOVED = {"whole": 0.06, "head": 0.12}


@dataclass(frozen=True)
class Seen:
    """People's pictures and which way they face.

    whole : (n, 96, 96, 4) uint8.  head : (n, 48, 48, 4) uint8.  facing : (n, 6) float32, pelvis and head.
    """

    whole: Tensor
    head: Tensor
    facing: Tensor


def read_seen(folders: list[Path]) -> Seen:
    """Everybody of some folders of `lookalike synthesize` who is in their picture."""
    pictures, answers = [], []
    for folder in folders:
        for one in dataset_folders(folder):
            sample = read_sample(one / "sample.npz")
            body = sample.body
            assert body is not None
            if (sample.image[..., 3] > 127).any():
                names = body.model.joint_names
                joints = sample.camera.project(body.joints[:22])
                pictures.append(person_pictures(sample.image, joints, names.index("head"), names.index("neck")))
                answers.append(facing(body).reshape(6))
    whole, head = (torch.from_numpy(np.stack(p)) for p in zip(*pictures, strict=True))
    return Seen(whole, head, torch.from_numpy(np.stack(answers)).float())


def train_facing(seen: Seen, steps: int = 1200, batch: int = 64, seed: int = 0) -> FacingNetwork:
    """0.3 s a step of one core."""
    torch.manual_seed(seed)
    net = FacingNetwork()
    optimiser = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    net.train()
    for _ in range(steps):
        rows = torch.randint(len(seen.facing), (batch,))
        flip = torch.rand(batch) < 0.5
        pictures = []
        for name in ("whole", "head"):
            varied = _varied(network_pictures(getattr(seen, name)[rows]), MOVED[name])
            pictures.append(torch.where(flip[:, None, None, None], varied.flip(3), varied))
        answer = torch.where(flip[:, None], seen.facing[rows] * MIRROR, seen.facing[rows])
        loss = (net(*pictures) - answer).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return net.eval()


def _varied(pictures: Tensor, moved: float) -> Tensor:
    """As `network_pictures` has them, in another light and from a little elsewhere."""
    count = len(pictures)
    matte = pictures[:, 3:] + 0.5
    colour = pictures[:, :3] + 0.5 * matte
    colour = colour * (1 + 0.25 * torch.randn(count, 3, 1, 1)) + 0.1 * torch.randn(count, 1, 1, 1) * matte
    pictures = torch.cat([colour.clamp(0, 1) - 0.5 * matte, matte - 0.5], 1)
    scale, angle = 1 + 0.15 * torch.randn(count), 0.12 * torch.randn(count)
    shift = moved * torch.randn(count, 2)
    rows = [
        torch.stack([scale * angle.cos(), -scale * angle.sin(), shift[:, 0]], 1),
        torch.stack([scale * angle.sin(), scale * angle.cos(), shift[:, 1]], 1),
    ]
    grid = functional.affine_grid(torch.stack(rows, 1), list(pictures.shape), align_corners=False)
    return functional.grid_sample(pictures, grid, align_corners=False, padding_mode="border")
