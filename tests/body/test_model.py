"""The bundled body model: its layout, its symmetry, and what posing promises."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lookalike.body import JOINTS, PARTS, load_body
from lookalike.camera import Camera
from lookalike.photo.subject import HAND_LANDMARKS, POSE_LANDMARKS

CAMERA = Camera.for_photo(100, 100)
FLIP = np.array([-1, 1, 1])
MODEL = load_body()


def other_side(name: str) -> str:
    swap = {"left": "right", "right": "left", "Left": "Right", "Right": "Left"}
    return re.sub("left|right|Left|Right", lambda m: swap[m[0]], name)


MIRRORED_JOINTS = [JOINTS.index(other_side(n)) for n in JOINTS]


def posed(pose, betas=None, move=(0, 0, 0), scale=1.0):
    betas = np.zeros(MODEL.shape_count) if betas is None else betas
    return MODEL.posed(betas, pose, np.array(move, float), CAMERA, scale)


def test_layout():
    count = len(MODEL.template)
    assert count == 13718
    assert MODEL.shape_basis.shape == (16, count, 3)
    assert MODEL.joint_template.shape == (52, 3)
    assert list(MODEL.joint_names) == JOINTS
    assert list(MODEL.part_names) == PARTS
    assert MODEL.faces.max() < count
    assert MODEL.quads.max() < count
    assert MODEL.face_uv.max() < len(MODEL.uv)
    assert MODEL.uv.min() >= 0
    assert MODEL.uv.max() <= 1
    np.testing.assert_allclose(MODEL.weights.sum(1), 1, atol=1e-6)
    assert (MODEL.parents[1:] < np.arange(1, 52)).all()
    assert MODEL.parents[0] == -1
    assert len(MODEL.face_shapes) == 52


def test_it_stands_upright_in_a_t_pose_facing_z():
    spot = dict(zip(JOINTS, MODEL.joint_template, strict=True))
    assert spot["head"][1] > spot["pelvis"][1] > spot["left_ankle"][1]
    for name in ("elbow", "wrist"):
        np.testing.assert_allclose(spot[f"left_{name}"][1:], spot["left_shoulder"][1:], atol=1e-3)
    assert spot["left_wrist"][0] > spot["left_elbow"][0] > spot["left_shoulder"][0] > 0
    nose, heel = MODEL.landmark_points(MODEL.template, ["nose", "left_heel"])
    assert nose[2] > spot["head"][2]
    assert heel[2] < MODEL.landmark_points(MODEL.template, ["left_foot_index"])[0, 2]


def test_it_is_exactly_symmetric():
    np.testing.assert_array_equal(MODEL.mirror[MODEL.mirror], np.arange(len(MODEL.mirror)))
    np.testing.assert_array_equal(MODEL.template, MODEL.template[MODEL.mirror] * np.float32(FLIP))
    np.testing.assert_array_equal(MODEL.shape_basis, MODEL.shape_basis[:, MODEL.mirror] * np.float32(FLIP))
    np.testing.assert_array_equal(MODEL.joint_template, MODEL.joint_template[MIRRORED_JOINTS] * FLIP)
    np.testing.assert_array_equal(MODEL.joint_basis, MODEL.joint_basis[:, MIRRORED_JOINTS] * FLIP)
    np.testing.assert_array_equal(MODEL.weights, MODEL.weights[MODEL.mirror][:, MIRRORED_JOINTS])
    swapped = np.array([PARTS.index(other_side(n)) for n in PARTS])
    np.testing.assert_array_equal(MODEL.parts, swapped[MODEL.parts[MODEL.mirror]])


def test_landmarks_are_symmetric():
    names = [n for n in MODEL.landmarks if not n.startswith("face/")]
    points = MODEL.landmark_points(MODEL.template, names)
    mirrored = MODEL.landmark_points(MODEL.template, [other_side(n) for n in names]) * FLIP
    np.testing.assert_allclose(points, mirrored, atol=1e-4)


def test_face_shapes_are_symmetric():
    def dense(name):
        out = np.zeros_like(MODEL.template)
        index, offset = MODEL.face_shapes[name]
        out[index] = offset
        return out

    for name in MODEL.face_shapes:
        np.testing.assert_array_equal(dense(name), dense(other_side(name))[MODEL.mirror] * np.float32(FLIP))


def test_every_landmark_is_there_and_convex():
    wanted = [*POSE_LANDMARKS, *(f"{s}_hand/{n}" for s in ("left", "right") for n in HAND_LANDMARKS)]
    assert set(wanted) <= set(MODEL.landmarks)
    for index, weight in MODEL.landmarks.values():
        assert weight.min() >= 0
        assert weight.sum() == pytest.approx(1, abs=1e-4)
        assert index.max() < len(MODEL.template)


def test_triangles_and_quads_are_one_closed_surface_each():
    """Every edge has a face on either side, so inside and outside are well defined."""
    edges = np.concatenate([MODEL.faces[:, [0, 1]], MODEL.faces[:, [1, 2]], MODEL.faces[:, [2, 0]]])
    there = {tuple(e) for e in edges.tolist()}
    assert len(there) == len(edges)
    assert sum((b, a) not in there for a, b in there) < 0.01 * len(edges)
    assert len(MODEL.faces) == 2 * len(MODEL.quads) - (MODEL.quads[:, 2] == MODEL.quads[:, 3]).sum()


def test_the_rest_pose_is_the_shaped_template():
    betas = np.random.default_rng(0).normal(size=MODEL.shape_count)
    body = posed(np.zeros((52, 3)), betas)
    truth = MODEL.template + np.tensordot(betas, MODEL.shape_basis, 1)
    np.testing.assert_allclose(body.vertices, truth, atol=1e-5)
    np.testing.assert_allclose(body.rest, truth, atol=1e-5)
    np.testing.assert_allclose(body.joints, body.rest_joints, atol=1e-5)


def test_turning_the_root_turns_the_body():
    pose = np.zeros((52, 3))
    pose[0] = [0, np.pi / 2, 0]
    body = posed(pose)
    turned = (MODEL.template - MODEL.joint_template[0]) @ Rotation.from_rotvec(pose[0]).as_matrix().T
    np.testing.assert_allclose(body.vertices, turned + MODEL.joint_template[0], atol=1e-5)


def test_bending_an_elbow_moves_the_forearm_about_it():
    pose = np.zeros((52, 3))
    pose[JOINTS.index("left_elbow")] = [0, -np.pi / 2, 0]  # about the downward axis: +X goes to +Z
    body = posed(pose)
    elbow, wrist = MODEL.joint_template[[JOINTS.index("left_elbow"), JOINTS.index("left_wrist")]]
    reach = np.linalg.norm(wrist - elbow)
    np.testing.assert_allclose(body.joints[JOINTS.index("left_wrist")], elbow + [0, 0, reach], atol=1e-3)
    still = MODEL.weights[:, JOINTS.index("right_knee")] > 0.9
    np.testing.assert_allclose(body.vertices[still], MODEL.template[still], atol=1e-6)


def test_transforms_carry_the_rest_shape_to_the_pose():
    rng = np.random.default_rng(1)
    pose, betas = rng.normal(0, 0.4, (52, 3)), rng.normal(size=MODEL.shape_count)
    body = posed(pose, betas, (0.3, -0.1, -4), 0.7)
    blend = np.einsum("vj,jab->vab", MODEL.weights, body.transforms)
    carried = np.einsum("vab,vb->va", blend[:, :3, :3], body.rest) + blend[:, :3, 3]
    np.testing.assert_allclose(carried, body.vertices, atol=1e-5)
    joints = np.einsum("jab,jb->ja", body.transforms[:, :3, :3], body.rest_joints) + body.transforms[:, :3, 3]
    np.testing.assert_allclose(joints, body.joints, atol=1e-5)


def test_scale_and_translation():
    pose = np.random.default_rng(2).normal(0, 0.3, (52, 3))
    plain, moved = posed(pose), posed(pose, None, (1, 2, -3), 0.5)
    np.testing.assert_allclose(moved.vertices, 0.5 * plain.vertices + [1, 2, -3], atol=1e-5)
    np.testing.assert_allclose(moved.joints, 0.5 * plain.joints + [1, 2, -3], atol=1e-5)
    np.testing.assert_allclose(moved.rest, 0.5 * plain.rest, atol=1e-6)


def test_a_mirrored_pose_gives_the_mirrored_body():
    pose = np.random.default_rng(3).normal(0, 0.4, (52, 3))
    mirrored = pose[MIRRORED_JOINTS] * [1, -1, -1]
    np.testing.assert_allclose(posed(mirrored).vertices[MODEL.mirror] * FLIP, posed(pose).vertices, atol=1e-5)


def test_tensors_of_some_vertices_are_those_vertices():
    rows = np.array([5, 100, 9000])
    some, every = MODEL.tensors(rows), MODEL.tensors()
    np.testing.assert_array_equal(some.template, every.template[rows])
    np.testing.assert_array_equal(some.shape_basis, every.shape_basis[:, rows])
    np.testing.assert_array_equal(some.weights, every.weights[rows])
