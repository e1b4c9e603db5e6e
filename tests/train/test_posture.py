"""Training of the posture correction: made-up errors are real ones, and what is systematic in them is learnt."""

from __future__ import annotations

import numpy as np
import torch

from lookalike.body import JOINTS, load_body
from lookalike.maps.posture import BONES, Postures
from lookalike.train.posture import Pairs, _seen, distance, made_up, train_posture

PARENTS = load_body().parents
LEAN = torch.tensor([0.3, 0.0, 0.0])


def leaning(count: int, rng: np.random.Generator) -> Pairs:
    """People who all were found to lean by the same turn."""
    turns = torch.from_numpy(
        np.stack([_seen(rng.normal(0, 0.2, (BONES, 3)), PARENTS, rng) for _ in range(count)])
    ).float()
    bones = torch.zeros(count, BONES, 3)
    bones[:, 1:, 1] = 1 / (BONES - 1)
    true = Postures(turns, bones)
    return Pairs(true.turned(LEAN.expand(count, BONES, 3)), true)


def test_made_up_people_err_as_their_donors_do(rng):
    pairs = leaning(30, rng)
    made = made_up(pairs, 20, None, rng)
    assert len(made) == 20
    errors = made.found.turns @ made.true.turns.mT
    np.testing.assert_allclose(errors, (pairs.found.turns @ pairs.true.turns.mT)[:1].expand(20, -1, -1, -1), atol=1e-4)


def test_a_common_error_is_unlearnt(rng):
    pairs = leaning(200, rng)
    net = train_posture(pairs, None, steps=120, made=0)
    test = leaning(50, rng)
    better = test.found.turned(net.corrections(test.found, PARENTS))
    before, after = (distance(p, test.true, PARENTS).mean() for p in (test.found, better))
    assert after < 0.5 * before


def test_sides_are_those_of_the_body():
    assert JOINTS[1] == "left_hip" and JOINTS[2] == "right_hip"
