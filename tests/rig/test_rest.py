"""The A-pose: what a known pose and known clothes must become."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lookalike.rig.mend import doubtful, hanging, mend
from lookalike.rig.rest import Unposing, a_pose, limb_corrections
from lookalike.rig.weights import prune, surface_weights

WILD = {
    "pelvis": (0.2, 0.9, 0.1),
    "left_hip": (-1.7, 0.0, 0.3),
    "left_knee": (2.1, 0.0, 0.0),
    "right_hip": (0.4, 0.2, -0.4),
    "spine2": (0.3, 0.3, 0.1),
    "head": (0.2, 0.5, 0.1),
    "left_shoulder": (0.0, 0.4, 1.2),
    "right_elbow": (0.0, 1.9, 0.0),
    "left_index1": (0.0, 0.0, -1.4),
    "right_middle2": (0.0, 0.0, 1.4),
}


def unposing(body, surface) -> Unposing:
    pose = a_pose(body)
    return Unposing.of(surface, body, pose, *prune(surface_weights(surface, body.model.weights)))


def test_the_person_stands_on_the_ground_in_an_a_pose(avatar):
    vertices, skeleton = avatar.vertices, avatar.skeleton
    at = dict(zip(skeleton.names, skeleton.positions.astype(float), strict=True))
    assert abs(vertices[:, 1].min()) < 1e-4
    assert np.allclose(at["Hips"][[0, 2]], 0, atol=1e-6)
    for side, sign in (("Left", 1), ("Right", -1)):
        arm = at[f"{side}ForeArm"] - at[f"{side}Arm"]
        assert np.degrees(np.arctan2(-arm[1], sign * arm[0])) == pytest.approx(45, abs=0.5)
        foot = at[f"{side}ToeBase"] - at[f"{side}Foot"]
        assert foot[2] > 0.8 * np.linalg.norm(foot)  # toes point to +Z
        assert sign * at[f"{side}Foot"][0] > sign * at[f"{side}UpLeg"][0]  # legs a little apart
    nose = vertices[avatar.surface.anchors.indices == avatar.body.model.landmarks["nose"][0][0]]
    assert nose[0, 2] > at["Head"][2]


def test_a_bare_body_comes_back_from_any_pose(make_body, bare, rigged):
    straight, wild = make_body(), make_body(pose=WILD)
    expected, found = rigged(bare(straight), straight), rigged(bare(wild), wild)
    assert np.abs(found.vertices - expected.vertices).max() < 1e-4
    assert np.abs(found.skeleton.positions - expected.skeleton.positions).max() < 1e-4


def test_skinning_the_a_pose_back_to_the_t_pose_gives_the_model(make_body, bare):
    body = make_body()
    pose = a_pose(body)
    affine = np.concatenate([pose.turns, pose.moves[..., None]], 2)
    blend = np.tensordot(body.model.weights.astype(float), affine, 1)
    back = np.einsum("vab,vb->va", blend[:, :, :3], pose.vertices) + blend[:, :, 3]
    assert np.abs(back - body.vertices).max() < 1e-5  # the test body is in the T-pose


def test_unposing_and_posing_again_gives_the_input(make_body, bare):
    body = make_body(pose=WILD)
    rng = np.random.default_rng(0)
    surface = bare(body)
    surface = replace(
        surface, vertices=surface.vertices + rng.normal(0, 0.02, surface.vertices.shape).astype(np.float32)
    )
    way = unposing(body, surface)
    assert np.abs(way.repose(way.unpose(surface.vertices)) - surface.vertices).max() < 1e-5


def test_clothes_turn_with_their_limb(make_body, bare):
    body = make_body(pose=WILD)
    surface = bare(body)
    knee = list(body.model.joint_names).index("left_knee")
    shin = body.model.weights[:, knee] > 0.999
    thick = np.where(np.arange(len(shin)) % 2 == 0, 0.03, -0.03)[:, None] * body.transforms[knee, :3, 0]
    moved = replace(surface, vertices=np.where(shin[:, None], surface.vertices + thick, surface.vertices))
    difference = unposing(body, moved).unpose(moved.vertices) - unposing(body, surface).unpose(surface.vertices)
    assert shin.sum() > 20
    assert np.allclose(np.abs(difference[shin]), [0.03, 0, 0], atol=2e-4)


def test_a_limb_drawn_out_beside_its_bones_is_found(make_body):
    body = make_body(pose=WILD)
    names = list(body.model.joint_names)
    hand = body.model.weights[:, [j for j, n in enumerate(names) if n.startswith("left_") and n[-1].isdigit()]].sum(1)
    turn = Rotation.from_rotvec([0.0, 0.0, 0.1])
    drawn = np.where(hand[:, None] > 0.5, turn.apply(body.vertices) + [0.03, -0.02, 0.0], body.vertices)
    found = limb_corrections(body.vertices, drawn, body.model.weights, body.model.joint_names)
    assert np.allclose(found[names.index("left_middle2"), :, :3], turn.as_matrix(), atol=2e-3)
    assert np.allclose(found[names.index("right_wrist")], np.eye(3, 4), atol=1e-6)


def test_fingers_are_open_whatever_they_do_in_the_photo(make_body, bare, rigged):
    fist = {f"left_{f}{i}": (0, 0, -1.5) for f in ("index", "middle", "ring", "pinky") for i in (1, 2)}
    straight, closed = make_body(), make_body(pose=fist)
    assert np.abs(rigged(bare(closed), closed).vertices - rigged(bare(straight), straight).vertices).max() < 1e-4


def test_mending_leaves_straight_limbs_alone_and_fills_bent_ones_smoothly(make_body, bare):
    body = make_body()
    faces, height = body.model.faces, body.rest[:, 1]
    offsets = np.stack([np.zeros_like(height), np.zeros_like(height), 0.1 * height], 1).astype(float)
    assert np.array_equal(mend(offsets, np.zeros(len(height)), faces), offsets)
    knee = np.exp(-(((height - body.rest_joints[4, 1]) / 0.05) ** 2))
    spoiled = offsets + (knee > 0.9)[:, None] * np.random.default_rng(1).normal(0, 0.05, offsets.shape)
    mended = mend(spoiled, knee, faces)
    assert np.abs(mended - offsets)[knee > 0.9].max() < 0.01
    assert np.abs(mended - offsets)[knee < 0.04].max() == 0


def test_scale_counts(make_body, bare, rigged):
    one, double = make_body(), make_body(scale=2.0)
    small, large = rigged(bare(one), one), rigged(bare(double), double)
    assert np.allclose(large.vertices, 2 * small.vertices, atol=1e-4)
    speeds = [a.report["motions"]["walk"]["speed"] for a in (small, large)]
    assert speeds[1] / speeds[0] == pytest.approx(np.sqrt(2), rel=0.03)  # Froude


def test_turns_of_a_straight_body_are_the_identity(make_body, bare):
    body = make_body(pose={"pelvis": (0.0, 1.0, 0.0)})
    turned = unposing(body, bare(body)).turn * Rotation.from_rotvec([0, -1.0, 0])
    legs = body.model.weights[:, body.model.joint_names.index("left_knee")] > 0.9
    assert turned[legs].magnitude().max() < 1e-4


def test_what_lies_far_from_the_legs_counts_only_for_somebody_who_stands(make_body, bare):
    squat = {"left_hip": (-1.6, 0, 0), "right_hip": (-1.6, 0, 0), "left_knee": (1.8, 0, 0), "right_knee": (1.8, 0, 0)}
    for pose, doubt in (({}, 0.0), (squat, 1.0)):
        body = make_body(pose=pose)
        shares = surface_weights(bare(body), body.model.weights)
        assert hanging(body) == pytest.approx(1 - doubt)
        offsets = np.tile([0.0, 0.0, 0.1], (len(body.vertices), 1))
        found = doubtful(offsets, shares, body)
        thigh = body.model.weights[:, body.model.joint_names.index("left_hip")] > 0.99
        head = body.model.weights[:, body.model.joint_names.index("head")] > 0.99
        assert np.allclose(found[thigh], doubt, atol=0.02)
        assert not found[head].any()
        assert not doubtful(0.2 * offsets, shares, body).any()
