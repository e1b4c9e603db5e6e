"""Refinement follows what the network says: with a network that knows the truth, the true body comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from lookalike.body import JOINTS, load_body
from lookalike.body.fit import Evidence, Weights
from lookalike.body.model import Body
from lookalike.camera import Camera
from lookalike.maps import render_maps
from lookalike.maps.inputs import CropUnit
from lookalike.maps.motion import crop_places, motion_of, shown_points
from lookalike.maps.network import PredictedMaps
from lookalike.maps.posture import PostureNetwork, corrected
from lookalike.maps.refine import RefineWeights, _Problem, _Round, refine_body
from lookalike.people.sample import LABELS
from lookalike.photo.subject import Photo, Subject
from lookalike.render.raycast import RayCaster
from lookalike.train.wrong_body import BodyNoise, wrong_body
from tests.perfect_subject import perfect_subject

SIZE = 256


def the_camera() -> Camera:
    return Camera.for_photo(SIZE, SIZE)


def predictor(truth: Body, wrong_by: np.ndarray | None = None) -> Callable[[Body], PredictedMaps]:
    """A network that knows the true body, who wears nothing. wrong_by : (6,) added to its motions."""
    camera, faces = the_camera(), truth.model.faces[truth.model.outer_faces]
    true_maps = render_maps(truth.vertices, faces, camera, truth.normals)
    true_unit = CropUnit.of(true_maps)
    true_places = crop_places(truth.vertices, camera, true_unit)

    def predict(body: Body) -> PredictedMaps:
        caster = RayCaster(body.vertices, faces, threads=1)
        unit = CropUnit.of(render_maps(body.vertices, faces, camera, body.normals, caster=caster))
        shown = shown_points(caster, camera)
        motion = motion_of(crop_places(body.vertices, camera, unit), true_places, faces, shown)
        if wrong_by is not None:
            motion = motion + wrong_by[:, None, None].astype(np.float32)
        near, far = (unit.to_metres(true_unit.from_metres(d)) for d in (true_maps.depth_front, true_maps.depth_back))
        shape = true_maps.mask.shape
        return PredictedMaps(
            replace(true_maps, depth_front=near, depth_back=far),
            np.where(true_maps.mask, LABELS.index("skin"), 0).astype(np.uint8),
            np.zeros((*shape, 3), np.uint8),
            np.full((*shape, 2), 0.8, np.float32),
            motion,
            np.full((4, *motion.shape[1:]), 0.02, np.float32),
        )

    return predict


def subject_of(truth: Body) -> Subject:
    """What perfect landmarks and a perfect matte would say of a body."""
    return perfect_subject(truth, Photo(np.zeros((SIZE, SIZE, 3), np.uint8), focal=truth.camera.focal))


def off(body: Body, truth: Body) -> float:
    """Mean distance of the vertices in mm, pelvis on pelvis, of one size."""
    own, true = body.vertices - body.joints[0], truth.vertices - truth.joints[0]
    size = np.linalg.norm(truth.joints[:22] - truth.joints[0]) / np.linalg.norm(body.joints[:22] - body.joints[0])
    return float(1000 * np.linalg.norm(own * size - true, axis=1).mean())


@pytest.fixture(scope="module")
def truth() -> Body:
    model = load_body()
    pose = np.zeros((len(JOINTS), 3))
    pose[0] = [0.05, 0.5, 0]
    for name, turn in (("left_shoulder", [0, 0, -1.1]), ("right_shoulder", [0, 0.3, 0.9]), ("left_hip", [-0.5, 0, 0])):
        pose[JOINTS.index(name)] = turn
    betas = np.zeros(model.shape_count)
    betas[:3] = [0.5, -0.8, 0.6]
    return model.posed(betas, pose, np.array([0.05, 0.0, -3.0]), the_camera())


@pytest.fixture(scope="module")
def given(truth) -> Body:
    noise = BodyNoise(severity=(1, 1), fingers=0, ends=5)
    return wrong_body(truth, np.random.default_rng(3), noise)


@pytest.fixture(scope="module")
def refined(truth, given):
    return refine_body(subject_of(truth), given, predictor(truth), rounds=2)


def test_the_true_body_is_found_where_the_network_knows_it(truth, given, refined):
    assert off(given, truth) > 40
    assert off(refined.body, truth) < 0.35 * off(given, truth)
    turn = Rotation.from_rotvec(refined.body.pose[0]) * Rotation.from_rotvec(truth.pose[0]).inv()
    assert np.degrees(turn.magnitude()) < 4


def test_no_round_that_is_kept_raises_the_energy(refined):
    assert len(refined.energies) == len(refined.accepted) + 1
    kept = [refined.energies[0], *(e for e, ok in zip(refined.energies[1:], refined.accepted, strict=True) if ok)]
    assert refined.accepted[0] and (np.diff(kept) <= 0).all()


def test_maps_belong_to_the_body_that_is_returned(truth, refined):
    np.testing.assert_array_equal(refined.predicted.motion, predictor(truth)(refined.body).motion)


def test_a_round_that_makes_it_worse_is_thrown_away(truth, given):
    asked = []

    def predict(body: Body) -> PredictedMaps:
        """Says that the arms are fine, and calls every other body worse."""
        asked.append(body)
        return predictor(given, wrong_by=np.array([0.1 * len(asked), 0, 0] * 2))(body)

    found = refine_body(subject_of(truth), given, predict, rounds=3)
    assert found.accepted == (False,)
    assert found.body is given


def test_an_error_common_to_all_motions_hardly_bends_the_true_body(truth):
    found = refine_body(subject_of(truth), truth, predictor(truth, wrong_by=np.full(6, 0.015)), rounds=1)
    assert found.accepted == (True,)
    assert off(found.body, truth) < 10


def test_a_network_that_says_no_more_than_its_own_errors_changes_nothing(truth):
    found = refine_body(subject_of(truth), truth, predictor(truth), rounds=3)
    assert found.body is truth and found.accepted == () and len(found.energies) == 1


def test_nobody_knows_the_size_so_it_stays_what_was_asked_for(truth, given):
    found = refine_body(subject_of(truth), given, predictor(truth), rounds=1, height=1.2)
    assert np.ptp(found.body.rest[:, 1]) == pytest.approx(1.2, abs=1e-3)
    np.testing.assert_allclose(
        found.body.camera.project(found.body.joints[0]), truth.camera.project(truth.joints[0]), atol=3
    )


def test_the_gradient_is_that_of_the_energy(truth, given):
    weights = RefineWeights(fit=Weights())
    problem = _Problem(Evidence(subject_of(truth), truth.model, 0, torch.device("cpu")), given, None, weights)
    round_ = _Round(problem, given, predictor(truth)(given))
    extra = round_._first_extra() + torch.tensor([0.1, 0.02])
    with torch.no_grad():
        _, gradient = round_._normal_equations(round_.start, extra)
    for number in (0, 2, 4, 20, 45, 60, 70, len(gradient) - 2, len(gradient) - 1):
        step = torch.zeros(len(gradient))
        step[number] = 1e-3
        forth, back = (
            round_._energy(round_.start.moved(s * step[:-2], problem.joints), extra + s * step[-2:]) for s in (1, -1)
        )
        assert (forth - back) / 2e-3 == pytest.approx(float(gradient[number]), rel=0.05, abs=2e-5)


def test_with_a_posture_network_one_round_is_asked_for_and_a_true_body_stays(truth):
    found = refine_body(subject_of(truth), truth, predictor(truth), rounds=1, posture=PostureNetwork().eval())
    assert len(found.accepted) == 1
    assert off(found.body, truth) < 10


def test_the_corrected_body_is_what_the_rounds_begin_with(truth):
    asked = []

    def predict(body: Body) -> PredictedMaps:
        asked.append(body)
        return predictor(truth)(body)

    net = PostureNetwork().eval()
    with torch.no_grad():
        net.last.bias[3 * JOINTS.index("left_knee")] = net.last.bias[3 * JOINTS.index("right_knee")] = 1.5
    refine_body(subject_of(truth), truth, predict, rounds=1, posture=net)
    np.testing.assert_allclose(asked[0].vertices, corrected(truth, net).vertices, atol=1e-5)
    assert off(asked[0], truth) > 10
