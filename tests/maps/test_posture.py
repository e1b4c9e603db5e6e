"""The posture correction: conventions of postures, and what a network that knows the error makes of a body."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from lookalike.body import JOINTS, load_body
from lookalike.camera import Camera
from lookalike.errors import LookalikeError
from lookalike.maps.posture import (
    BONES,
    MIRRORED,
    PostureNetwork,
    corrected,
    load_posture,
    posture_network,
    posture_of,
    rotations,
    save_posture,
    softened,
    straight_ahead,
)


def posed(**turns):
    model = load_body()
    pose = np.zeros((len(JOINTS), 3), np.float32)
    for name, turn in turns.items():
        pose[JOINTS.index(name)] = turn
    return model.posed(np.zeros(model.shape_count), pose, np.array([0.3, 0.2, -3.0]), Camera.for_photo(512, 512))


@pytest.fixture(scope="module")
def body():
    return posed(pelvis=[0.1, 0.4, 0], left_hip=[-0.6, 0, 0.1], right_elbow=[0, 0.9, 0])


class Knows(PostureNetwork):
    """Turns the left thigh, and in the mirror image the right one, as told."""

    def __init__(self, turn):
        super().__init__()
        self.turn = torch.tensor(turn, dtype=torch.float32)
        self.asked = 0

    def forward(self, numbers):
        out = torch.zeros(len(numbers), BONES, 3)
        mirror = self.asked % 2 == 0  # the mirror image is asked first
        self.asked += 1
        joint = JOINTS.index("right_hip" if mirror else "left_hip")
        out[:, joint] = self.turn * (torch.tensor([1.0, -1, -1]) if mirror else 1)
        return out


def test_turns_are_those_of_scipy():
    vectors = np.random.default_rng(0).normal(size=(20, 3))
    found = rotations(torch.tensor(vectors).float()).numpy()
    np.testing.assert_allclose(found, Rotation.from_rotvec(vectors).as_matrix(), atol=1e-5)


def test_places_are_the_bodys_joints_seen_straight_ahead(body):
    bones = np.linalg.norm(np.diff(body.rest_joints[np.c_[body.model.parents[1:22], np.arange(1, 22)]], axis=1), axis=2)
    expected = straight_ahead(body).apply(body.joints[:BONES] - body.joints[0]) / bones.sum()
    np.testing.assert_allclose(posture_of(body).places(body.model.parents)[0], expected, atol=1e-5)


def test_the_mirror_image_has_mirrored_places(body):
    given, parents = posture_of(body), body.model.parents
    expected = given.places(parents)[:, MIRRORED] * torch.tensor([-1.0, 1, 1])
    np.testing.assert_allclose(given.mirrored().places(parents), expected, atol=1e-4)


def test_a_fresh_network_leaves_a_body_as_it_is(body):
    same = corrected(body, PostureNetwork().eval())
    np.testing.assert_allclose(same.vertices, body.vertices, atol=1e-4)


def test_a_bone_is_turned_in_the_axes_of_the_view_and_the_body_does_not_lean(body):
    turn = [0.5, 0.0, 0.0]
    better = corrected(body, Knows(turn), free=0.0)
    ahead = [straight_ahead(b).as_matrix() for b in (body, better)]
    before, after = (a @ b.transforms[:BONES, :3, :3] for a, b in zip(ahead, (body, better), strict=True))
    level = after[0] @ before[0].T  # the pelvis is not turned itself
    hip, knee = JOINTS.index("left_hip"), JOINTS.index("left_knee")
    found = Rotation.from_matrix(level.T @ after[hip] @ before[hip].T).as_rotvec()
    np.testing.assert_allclose(found, turn, atol=2e-3)
    # what hangs on it goes on as it did
    np.testing.assert_allclose(level.T @ after[knee], before[knee], atol=2e-3)
    # a leg that goes back takes the rest forward
    joints = [(b.joints[:BONES] - b.joints[0]) @ a.T for a, b in zip(ahead, (body, better), strict=True)]
    common = Rotation.align_vectors(*joints)[0].magnitude()
    assert common < 2e-3 < Rotation.from_matrix(level).magnitude()
    way = better.camera.project(better.joints[:BONES]) - body.camera.project(body.joints[:BONES])
    assert np.abs(way.mean(0)).max() < 0.5


def test_small_corrections_are_not_made(body):
    assert softened(torch.tensor([[0.05, 0, 0]]), 0.1).abs().max() == 0
    np.testing.assert_allclose(softened(torch.tensor([[0.0, 0.3, 0]]), 0.1), [[0, 0.2, 0]], atol=1e-6)
    same = corrected(body, Knows([0.05, 0.0, 0.0]))
    np.testing.assert_allclose(same.vertices, body.vertices, atol=1e-4)


def test_weights_come_back(tmp_path, body):
    net = posture_network()
    save_posture(net, tmp_path / "w.safetensors")
    again = load_posture(tmp_path / "w.safetensors")
    np.testing.assert_allclose(corrected(body, again).vertices, corrected(body, net).vertices, atol=2e-3)
    with pytest.raises(LookalikeError, match="train or fetch"):
        load_posture(tmp_path / "none.safetensors")
