"""People who face away, taken to face the camera: the body mirrored in depth, and when that is done."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from lookalike.body import JOINTS, load_body
from lookalike.camera import Camera
from lookalike.errors import LookalikeError
from lookalike.maps.facing import (
    HEAD,
    WHOLE,
    FacingNetwork,
    exchanged,
    facing,
    facing_network,
    load_facing,
    person_pictures,
    reflected,
    save_facing,
    turned_round,
)
from lookalike.maps.posture import straight_ahead
from lookalike.photo.subject import POSE_LANDMARKS, Photo
from tests.perfect_subject import perfect_subject

LEFT, RIGHT = (JOINTS.index(f"{side}_wrist") for side in ("left", "right"))


@pytest.fixture(scope="module")
def body():
    model = load_body()
    pose = np.zeros((len(JOINTS), 3), np.float32)
    pose[JOINTS.index("left_shoulder")] = [0, -0.7, -0.5]
    pose[JOINTS.index("right_hip")] = [-0.7, 0, 0]
    return model.posed(np.zeros(model.shape_count), pose, np.array([0.2, 0.0, -6.0]), Camera.for_photo(256, 256))


@pytest.fixture(scope="module")
def subject(body):
    return perfect_subject(body, Photo(np.full((256, 256, 3), 90, np.uint8)))


class Says(FacingNetwork):
    """That somebody faces the camera by so much."""

    def __init__(self, towards):
        super().__init__()
        self.towards = towards

    def forward(self, whole, head):
        return torch.tensor([[0, 0, self.towards] * 2]).float()


def test_a_reflected_body_is_the_same_but_for_depth_and_sides(body):
    other = reflected(body)
    own, mirrored = (straight_ahead(b).apply(b.joints - b.joints[0]) for b in (body, other))
    np.testing.assert_allclose(mirrored[LEFT], own[RIGHT] * [1, 1, -1], atol=2e-3)
    np.testing.assert_allclose(mirrored[RIGHT], own[LEFT] * [1, 1, -1], atol=2e-3)
    assert facing(body)[0, 2] > 0.9 and facing(other)[0, 2] < -0.9
    np.testing.assert_allclose(reflected(other).vertices, body.vertices, atol=1e-3)


def test_landmarks_go_with_the_body(subject, body):
    other, turned = exchanged(subject), reflected(body)
    points = turned.camera.project(turned.model.landmark_points(turned.vertices, list(POSE_LANDMARKS)))
    assert np.abs(points - other.landmarks).max() < 12  # perspective is what differs
    np.testing.assert_array_equal(exchanged(other).landmarks, subject.landmarks)


@pytest.mark.parametrize(("towards", "done"), [(-0.9, True), (-0.2, False), (0.9, False)])
def test_who_is_sure_to_face_away_is_turned_round(subject, body, towards, done):
    found, turned = turned_round(subject, body, Says(towards))
    assert (turned is not body) == done and (found is not subject) == done


def test_who_has_a_face_or_is_seen_from_behind_already_stays(subject, body):
    seen = replace(subject, face=np.zeros((478, 3), np.float32))
    assert turned_round(seen, body, Says(-1.0))[1] is body
    away = reflected(body)
    assert turned_round(subject, away, Says(-1.0))[1] is away


def test_pictures_show_the_person_in_the_middle(subject, body):
    image = np.dstack([subject.photo.rgb, np.rint(255 * subject.matte).astype(np.uint8)])
    joints = body.camera.project(body.joints[:22])
    whole, head = person_pictures(image, joints, JOINTS.index("head"), JOINTS.index("neck"))
    assert whole.shape == (WHOLE, WHOLE, 4) and head.shape == (HEAD, HEAD, 4)
    rows = np.flatnonzero((whole[..., 3] > 127).any(1))
    assert abs((rows[0] + rows[-1] + 1) / 2 - WHOLE / 2) < 1.5
    assert head[HEAD // 2, HEAD // 2, 3] > 200
    assert not whole[whole[..., 3] == 0].any()


def test_weights_come_back(tmp_path, subject, body):
    net = facing_network()
    save_facing(net, tmp_path / "w.safetensors")
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (WHOLE, WHOLE, 4), np.uint8), rng.integers(0, 255, (HEAD, HEAD, 4), np.uint8)
    np.testing.assert_allclose(
        load_facing(tmp_path / "w.safetensors").directions(*pictures), net.directions(*pictures), atol=1e-3
    )
    with pytest.raises(LookalikeError, match="train or fetch"):
        load_facing(tmp_path / "none.safetensors")
