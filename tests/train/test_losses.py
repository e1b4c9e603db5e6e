"""Losses: nothing for the truth, the known angle for a known turn, and nothing asked outside the mask."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from lookalike.maps.network import RawMaps
from lookalike.train.losses import IGNORED, LossWeights, Targets, angles, losses


def truth_and_answer() -> tuple[Targets, RawMaps]:
    draw = torch.Generator().manual_seed(0)
    shape = (2, 6, 8, 8)
    normals = torch.randn(shape, generator=draw)
    normals = torch.cat([torch.nn.functional.normalize(n, dim=1) for n in normals.split(3, 1)], 1)
    depths = torch.randn(2, 2, 8, 8, generator=draw)
    labels = torch.randint(0, 7, (2, 8, 8), generator=draw)
    colour = torch.rand(2, 3, 8, 8, generator=draw)
    mask = (torch.rand(2, 1, 8, 8, generator=draw) < 0.7).float()
    sure = 40.0 * torch.nn.functional.one_hot(labels, 7).permute(0, 3, 1, 2)
    motion, shown = torch.randn(2, 6, 2, 2, generator=draw), torch.ones(2, 1, 2, 2)
    spread = torch.zeros(2, 4, 2, 2)
    raw = RawMaps(
        normals.clone(), depths.clone(), sure, colour.clone(), torch.zeros(2, 2, 8, 8), motion.clone(), spread, spread
    )
    return Targets(normals, depths, labels, colour, mask, motion, shown), raw


def test_the_truth_costs_nothing():
    truth, raw = truth_and_answer()
    terms = losses(raw, truth, LossWeights(confidence=0, spread=0))
    assert float(terms["total"]) < 1e-3


def test_a_turn_of_thirty_degrees_costs_thirty_degrees():
    truth, raw = truth_and_answer()
    side = truth.normals[:, :3]
    helper = torch.nn.functional.normalize(torch.linalg.cross(side, side.roll(1, 1), dim=1), dim=1)
    turned = math.cos(math.pi / 6) * side + math.sin(math.pi / 6) * helper
    assert torch.allclose(angles(turned, side), torch.tensor(math.pi / 6), atol=1e-3)
    raw = replace(raw, normals=torch.cat([turned, truth.normals[:, 3:]], 1))
    terms = losses(raw, truth, LossWeights())
    assert float(terms["angle_front"]) == pytest.approx(math.pi / 6, abs=1e-3)
    assert float(terms["angle_back"]) < 1e-3


def test_outside_the_mask_anything_goes():
    truth, raw = truth_and_answer()
    outside = truth.mask == 0
    depths = torch.where(outside, 1e3, raw.depths)
    normals = torch.where(outside, -raw.normals, raw.normals)
    labels = truth.labels.masked_fill(outside[:, 0], IGNORED)
    free = replace(truth, labels=labels)
    answer = replace(raw, normals=normals, depths=depths)
    assert float(losses(answer, free, LossWeights(confidence=0, spread=0))["total"]) < 1e-3


def test_gradients_are_finite_at_the_truth_and_opposite_to_it():
    truth, raw = truth_and_answer()
    for sign in (1.0, -1.0):
        n = (sign * truth.normals).requires_grad_()
        answer = replace(raw, normals=n)
        losses(answer, truth, LossWeights())["total"].backward()
        assert n.grad is not None and torch.isfinite(n.grad).all()


def test_the_expected_error_tends_to_the_error_and_leaves_the_normals_alone():
    truth, raw = truth_and_answer()
    n, log_error = (-truth.normals).requires_grad_(), torch.full((2, 2, 8, 8), math.log(math.pi), requires_grad=True)
    only = LossWeights(angle=0, difference=0, edges=0, depth=0, parts=0, colour=0, confidence=1, motion=0, spread=0)
    losses(replace(raw, normals=n, log_error=log_error), truth, only)["total"].backward()
    assert n.grad is None or not n.grad.any()
    assert log_error.grad is not None and log_error.grad.abs().max() < 1e-4  # pi off, pi expected: at rest
