"""A tube of cloth around both legs stays closed; legs in trousers stay apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lookalike.rig.kinematics import joint_transforms, skinned
from lookalike.rig.skirt import find_skirt
from lookalike.rig.weights import surface_weights


def in_a_skirt(body, surface):
    """The body with its legs, from crotch to shin, drawn out to the halves of a box that meet in the middle.

    Returns the surface and the pairs of vertices, left and right, that touch in the middle.
    """
    vertices = surface.vertices.copy()
    hip, ankle = body.joints[1], body.joints[7]
    down = (hip[1] - vertices[:, 1]) / (hip[1] - ankle[1])
    legs = surface_weights(surface, body.model.weights)[:, [1, 2, 4, 5]].sum(1).A1 > 0.9
    mine = legs & (down > 0.2) & (down < 0.8)
    middle, side = body.joints[0, 0], np.sign(vertices[:, 0] - body.joints[0, 0])
    bone = np.where(side > 0, 1, -1) * 0.13 + middle
    inner = mine & ((vertices[:, 0] - bone) * side < 0)
    vertices[mine & ~inner, 0] += 0.05 * side[mine & ~inner]
    vertices[mine, 2] = body.joints[0, 2] + 2.5 * (vertices[mine, 2] - body.joints[0, 2])
    vertices[inner, 0] = middle
    left = np.flatnonzero(inner & (side > 0))
    return replace(surface, vertices=vertices), left, body.model.mirror[left]


def test_the_halves_of_a_skirt_walk_together(make_body, bare, rigged):
    body = make_body()
    surface, left, right = in_a_skirt(body, bare(body))
    avatar = rigged(surface, body)
    walk = avatar.motions[0]
    worst = 0.0
    for x in joint_transforms(avatar.skeleton, walk.rotations, walk.root)[::5]:
        moved = skinned(avatar.vertices, avatar.skin_joints, avatar.skin_weights, x)
        worst = max(worst, np.percentile(np.linalg.norm(moved[left] - moved[right], axis=1), 90))
    assert worst < 0.02
    free = rigged(bare(body), body).report["motions"]["walk"]
    assert avatar.report["motions"]["walk"]["stride"] < 0.95 * free["stride"]


def test_bare_legs_are_no_skirt(make_body, bare):
    for pose in ({}, {"left_hip": (0, 0, -0.2), "right_hip": (0, 0, 0.2)}):
        body = make_body(pose=pose)
        surface = bare(body)
        assert find_skirt(surface, body, surface_weights(surface, body.model.weights)) is None
