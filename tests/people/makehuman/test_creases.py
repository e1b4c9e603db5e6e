"""Garments that were modelled smooth get folds, stay over the skin, and keep their form."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.body import JOINTS
from lookalike.people.makehuman.body import posed
from lookalike.people.makehuman.creases import creased
from lookalike.people.makehuman.pattern import read_pattern
from lookalike.render.normals import vertex_normals
from tests.people.makehuman.test_body import somebody
from tests.people.makehuman.test_pattern import SHIRT, sew


@pytest.fixture(scope="module")
def shirt(tmp_path_factory):
    """A shirt on somebody whose elbows are bent: pattern, body, T-pose and posed vertices."""
    pattern = read_pattern(sew(tmp_path_factory.mktemp("sewn"), "shirt", SHIRT))
    pose = np.zeros((len(JOINTS), 3))
    for side, x in (("left", 1), ("right", -1)):
        pose[JOINTS.index(f"{side}_shoulder")] = [0, 0, -0.9 * x]
        pose[JOINTS.index(f"{side}_elbow")] = [0, -1.6 * x, 0]
    body = somebody(1, pose)
    rest = pattern.rest(body)
    smooth = posed(rest, pattern.weights, body)
    outward = vertex_normals(smooth, pattern.faces)
    return pattern, body, rest, smooth + 0.012 * outward  # not skin-tight: cloth needs room to fold


def test_folds_are_in_the_geometry(shirt):
    pattern, body, rest, smooth = shirt
    folded = creased(smooth, rest, pattern, body, np.zeros(len(body.vertices)), np.random.default_rng(3))
    turned = np.einsum("ni,ni->n", *(vertex_normals(v, pattern.faces) for v in (smooth, folded)))
    angle = np.degrees(np.arccos(np.clip(turned, -1, 1)))
    assert np.percentile(angle, 75) > 4
    assert np.linalg.norm(folded - smooth, axis=1).max() < 0.08
    assert np.isfinite(folded).all()


def test_cloth_stays_over_the_skin_and_over_what_is_worn_below(shirt):
    pattern, body, rest, smooth = shirt
    under = np.full(len(body.vertices), 0.006)
    folded = creased(smooth, rest, pattern, body, under, np.random.default_rng(3))
    place, normal = pattern.near @ body.vertices, pattern.near @ body.normals
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    above = np.einsum("ni,ni->n", folded - place, normal)
    assert (above > 0.006).mean() > 0.995


def test_the_generator_alone_decides(shirt):
    pattern, body, rest, smooth = shirt
    none = np.zeros(len(body.vertices))
    first, again, other = (
        creased(smooth, rest, pattern, body, none, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
