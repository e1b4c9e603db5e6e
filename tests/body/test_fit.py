"""The fit finds a body again whose pose, shape and camera are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lookalike.body import JOINTS, fit, load_body
from lookalike.body.fit import fit_body, towards
from lookalike.body.outline import OutlineTerm
from lookalike.camera import Camera
from lookalike.photo.subject import HAND_LANDMARKS, POSE_LANDMARKS, Hand, Photo, Subject
from lookalike.render.raycast import RayCaster

WIDTH, HEIGHT = 600, 800


def a_pose() -> np.ndarray:
    """Somebody who waves, one knee bent, turned a little."""
    pose = np.zeros((len(JOINTS), 3))
    pose[0] = [0.05, 0.4, 0.0]
    pose[JOINTS.index("left_shoulder")] = [0, 0, -1.1]
    pose[JOINTS.index("right_shoulder")] = [0, 0, 0.4]
    pose[JOINTS.index("right_elbow")] = [0, 1.2, 0]
    pose[JOINTS.index("left_hip")] = [-0.7, 0, 0.1]
    pose[JOINTS.index("left_knee")] = [0.9, 0, 0]
    return pose


def subject_of(body) -> Subject:
    """What perfect landmarks and a perfect matte would say of a body."""
    model, camera = body.model, body.camera
    points = model.landmark_points(body.vertices, list(POSE_LANDMARKS))
    hips = points[[POSE_LANDMARKS.index(f"{s}_hip") for s in ("left", "right")]].mean(0)
    pixels = camera.project(points).astype(np.float32)
    hands = []
    for side in ("left", "right"):
        hand = model.landmark_points(body.vertices, [f"{side}_hand/{n}" for n in HAND_LANDMARKS])
        hands.append(Hand(camera.project(hand), hand - hand.mean(0), 1.0))
    matte = (RayCaster(body.vertices, model.faces).cast_image(camera).face >= 0).astype(np.float32)
    rows, columns = np.where(matte > 0.5)
    return Subject(
        photo=Photo(np.zeros((camera.height, camera.width, 3), np.uint8), focal=camera.focal),
        box=np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], float),
        matte=matte,
        landmarks=pixels,
        visibility=np.ones(33, np.float32),
        world=towards(camera, pixels).inv().apply(points - hips).astype(np.float32),
        left_hand=hands[0],
        right_hand=hands[1],
        face=None,
        confidence=1.0,
    )


@pytest.fixture(scope="module")
def truth():
    model = load_body()
    betas = np.zeros(model.shape_count)
    betas[:3] = [0.5, -0.8, 0.6]
    camera = Camera.for_photo(WIDTH, HEIGHT)
    return model.posed(betas, a_pose(), np.array([0.1, -0.05, -3.0]), camera)


@pytest.fixture(scope="module", autouse=True)
def exact():
    """The lift corrects MediaPipe's errors; made-up landmarks have none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "lift", lambda landmarks, visibility, world: world)
        yield


@pytest.fixture(scope="module")
def found(truth):
    return fit_body(subject_of(truth), truth.model)


def test_a_known_body_is_found_again(truth, found):
    assert found.landmark_error < 0.006
    # one photo does not tell the size: compare after the similarity that fits best
    a, b = found.vertices - found.vertices.mean(0), truth.vertices - truth.vertices.mean(0)
    turn, _ = Rotation.align_vectors(b, a)
    assert np.degrees(turn.magnitude()) < 5
    scale = (b * turn.apply(a)).sum() / (a * a).sum()
    assert np.linalg.norm(scale * turn.apply(a) - b, axis=1).mean() < 0.03


def test_the_same_seed_gives_the_same_body(truth, found):
    np.testing.assert_array_equal(fit_body(subject_of(truth), truth.model).vertices, found.vertices)


def test_height_scales_the_body_and_its_distance_but_not_the_picture(truth, found):
    small = fit_body(subject_of(truth), truth.model, height=1.2)
    assert np.ptp(small.rest[:, 1]) == pytest.approx(1.2, abs=1e-3)
    np.testing.assert_allclose(found.vertices / small.vertices, found.scale / small.scale, rtol=2e-3)
    np.testing.assert_allclose(
        small.camera.project(small.vertices), found.camera.project(found.vertices), rtol=0, atol=0.05
    )


def test_half_a_person_still_gives_a_whole_body(truth):
    subject = subject_of(truth)
    cut = 450
    below = subject.landmarks[:, 1] > cut
    matte = subject.matte[:cut]
    half = replace(
        subject,
        photo=Photo(subject.photo.rgb[:cut], focal=subject.photo.focal),
        matte=matte,
        box=np.array([subject.box[0], subject.box[1], subject.box[2], cut]),
        visibility=np.where(below, 0.02, 1).astype(np.float32),
    )
    body = fit_body(half, truth.model)
    assert np.isfinite(body.vertices).all()
    seen = np.linalg.norm(
        body.camera.project(truth.model.landmark_points(body.vertices, list(POSE_LANDMARKS))) - subject.landmarks,
        axis=1,
    )[~below]
    assert np.median(seen) < 8


def test_outline_term_is_least_where_the_body_is(truth):
    subject = subject_of(truth)
    import torch

    term = OutlineTerm(subject, truth.model, 400.0, seed=0)
    pixels = torch.from_numpy(truth.camera.project(truth.vertices[term.vertices]))
    here = float(term(pixels))
    assert here < 1e-4
    for shift in ([30, 0], [-30, 0], [0, 30], [0, -30]):
        assert float(term(pixels + torch.tensor(shift))) > 3 * here
