"""What the maps network is punished for: its `RawMaps` and a batch of the truth in, numbers out.

Everything is a mean over the pixels where there is a truth and something to see of it, so that the size of the person in
the picture does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from lookalike.maps.network import RawMaps

#: Label of pixels that no part is asked of.
IGNORED = 255


@dataclass(frozen=True)
class LossWeights:
    """How much each term counts.

    Attributes
    ----------
    angle : radians between normals.  difference : absolute difference of their components.
    edges : absolute difference between the steps from pixel to pixel of predicted and true normals.
    back : all of these behind, against 1 in front.
    depth : absolute difference in units of the crop.  parts : cross-entropy.  colour : absolute difference, 0..1.
    confidence : negative log likelihood of the angles under the error that the network expects (Laplace's
        distribution). It moves the expectation only, not the normals.
    motion : absolute difference of the body's motions in units of the crop.  spread : as `confidence`, of the motions.
    """

    angle: float = 1.0
    difference: float = 0.5
    edges: float = 0.5
    back: float = 0.7
    depth: float = 2.0
    parts: float = 0.5
    colour: float = 1.0
    confidence: float = 0.05
    motion: float = 2.0
    spread: float = 0.05


@dataclass(frozen=True)
class Targets:
    """The truth of a batch.

    Attributes
    ----------
    normals : (b, 6, h, w) unit.  depths : (b, 2, h, w) in units of the crop, zero outside the mask.
    labels : (b, h, w) int64 parts in front, `IGNORED` where none is asked.  colour : (b, 3, h, w) 0..1 behind.
    mask : (b, 1, h, w) one where there is somebody and something to see of them, else zero.
    motion : (b, 6, h / 4, w / 4) where the given body's points belong, units of the crop.  shown : (b, 1, h / 4, w / 4) one
        where the given body shows.
    """

    normals: Tensor
    depths: Tensor
    labels: Tensor
    colour: Tensor
    mask: Tensor
    motion: Tensor
    shown: Tensor


def losses(raw: RawMaps, truth: Targets, weights: LossWeights) -> dict[str, Tensor]:
    """Terms by name, already weighted, and their sum as "total"."""
    mask = truth.mask
    terms: dict[str, Tensor] = {}
    for side, part, share in (("front", slice(0, 3), 1.0), ("back", slice(3, 6), weights.back)):
        n, t = raw.normals[:, part], truth.normals[:, part]
        angle = angles(n, t)
        terms[f"angle_{side}"] = share * weights.angle * masked_mean(angle, mask)
        terms[f"difference_{side}"] = share * weights.difference * masked_mean((n - t).abs().sum(1, True), mask)
        terms[f"edges_{side}"] = share * weights.edges * _edges(n, t, mask)
        expected = raw.log_error[:, :1] if side == "front" else raw.log_error[:, 1:]
        likelihood = angle.detach() * torch.exp(-expected) + expected
        terms[f"confidence_{side}"] = weights.confidence * masked_mean(likelihood, mask)
    terms["depth"] = weights.depth * masked_mean((raw.depths - truth.depths).abs().mean(1, True), mask)
    asked = (truth.labels != IGNORED).sum().clamp_min(1)
    terms["parts"] = (
        weights.parts
        * functional.cross_entropy(raw.labels, truth.labels, ignore_index=IGNORED, reduction="sum")
        / asked
    )
    terms["colour"] = weights.colour * masked_mean((raw.colour - truth.colour).abs().mean(1, True), mask)
    off = (raw.motion - truth.motion).abs()
    # to the right and down together, and away from the camera
    ways = torch.stack([off[:, [0, 3]] + off[:, [1, 4]], off[:, [2, 5]]], 2).flatten(1, 2)
    terms["motion"] = weights.motion * masked_mean(off.mean(1, True), truth.shown)
    likelihood = ways.detach() * torch.exp(-raw.log_spread) + raw.log_spread
    terms["spread"] = weights.spread * masked_mean(likelihood.mean(1, True), truth.shown)
    terms["total"] = torch.stack(list(terms.values())).sum()
    return terms


def angles(a: Tensor, b: Tensor) -> Tensor:
    """(b, 1, h, w) radians between vectors (b, 3, h, w), with a gradient that stays finite where they agree."""
    cross = torch.linalg.cross(a, b, dim=1)
    return torch.atan2((cross.square().sum(1, True) + 1e-8).sqrt(), (a * b).sum(1, True))


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of (b, 1, h, w) over the mask of the whole batch; zero without any."""
    return (values * mask).sum() / mask.sum().clamp_min(1)


def _edges(n: Tensor, t: Tensor, mask: Tensor) -> Tensor:
    off = n - t  # the difference of steps is the step of the difference
    across = (off[..., 1:] - off[..., :-1]).abs().sum(1, True), mask[..., 1:] * mask[..., :-1]
    down = (off[..., 1:, :] - off[..., :-1, :]).abs().sum(1, True), mask[..., 1:, :] * mask[..., :-1, :]
    return masked_mean(*across) + masked_mean(*down)
