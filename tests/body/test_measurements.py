"""Measurements: bodies of cylinders whose girths are known, and the bundled model's people."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pytest

from lookalike.body import JOINTS, PARTS, Body, BodyModel, load_body, measure
from lookalike.body.measurements import ADULT_HEIGHT, typical_height
from lookalike.camera import Camera

CAMERA = Camera.for_photo(100, 100)


def tube(start, end, radius, rings=41, around=128):
    """A cylinder between two points: (n, 3) vertices and (m, 3) faces."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    axis = (end - start) / np.linalg.norm(end - start)
    side = np.cross(axis, [0.3, 0.2, 0.9])
    side /= np.linalg.norm(side)
    turn = np.linspace(0, 2 * np.pi, around, endpoint=False)
    ring = radius * (np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * np.cross(axis, side))
    vertices = np.concatenate([start + t * (end - start) + ring for t in np.linspace(0, 1, rings)])
    i, j = np.meshgrid(np.arange(rings - 1), np.arange(around), indexing="ij")
    a, b = i * around + j, i * around + (j + 1) % around
    faces = np.concatenate([np.stack([a, b, b + around], -1), np.stack([a, b + around, a + around], -1)]).reshape(-1, 3)
    return vertices, faces


#: part -> start, end, radius: a person of tubes, 1.8 m high.
TUBES = {
    "head": ((0, 1.55, 0), (0, 1.80, 0), 0.08),
    "neck": ((0, 1.45, 0), (0, 1.55, 0), 0.05),
    "torso": ((0, 0.85, 0), (0, 1.45, 0), 0.15),
    "left_arm": ((0.15, 1.40, 0), (0.70, 1.40, 0), 0.04),
    "left_hand": ((0.70, 1.40, 0), (0.88, 1.40, 0), 0.03),
    "left_leg": ((0.09, 0.08, 0), (0.09, 0.85, 0), 0.07),
    "left_foot": ((0.09, 0.04, -0.06), (0.09, 0.04, 0.20), 0.04),
}
SPOTS = {
    "pelvis": (0, 0.95, 0),
    "head": (0, 1.58, 0),
    "neck": (0, 1.48, 0),
    "left_hip": (0.09, 0.90, 0),
    "left_knee": (0.09, 0.45, 0),
    "left_shoulder": (0.20, 1.40, 0),
    "left_elbow": (0.45, 1.40, 0),
    "left_wrist": (0.70, 1.40, 0),
}


def tube_body(scale: float = 1.0) -> Body:
    vertices, faces, parts, count = [], [], [], 0
    for name, (start, end, radius) in TUBES.items():
        for side in ("left", "right") if name.startswith("left") else ("",):
            flip = np.array([-1 if side == "right" else 1, 1, 1])
            v, f = tube(start * flip, end * flip, radius)
            vertices.append(v)
            faces.append(f + count)
            parts += [PARTS.index(name.replace("left", side))] * len(v)
            count += len(v)
    template = np.concatenate(vertices).astype(np.float32)
    joints = np.zeros((52, 3), np.float32)
    for name, place in SPOTS.items():
        joints[JOINTS.index(name)] = place
        if name.startswith("left"):
            joints[JOINTS.index(name.replace("left", "right"))] = np.array(place) * [-1, 1, 1]
    model = BodyModel(
        name="tubes",
        template=template,
        shape_basis=np.zeros((1, count, 3), np.float32),
        joint_template=joints,
        joint_basis=np.zeros((1, 52, 3), np.float32),
        parents=load_body().parents,
        joint_names=tuple(JOINTS),
        weights=np.eye(52, dtype=np.float32)[np.zeros(count, int)],
        faces=np.concatenate(faces).astype(np.int32),
        quads=None,
        uv=None,
        face_uv=None,
        quad_uv=None,
        mirror=None,
        parts=np.array(parts, np.uint8),
        part_names=tuple(PARTS),
        face_shapes={},
        landmarks={},
    )
    return model.posed(np.zeros(1), np.zeros((52, 3)), np.zeros(3), CAMERA, scale)


@pytest.mark.parametrize("scale", [1.0, 0.4])
def test_a_person_of_tubes(scale):
    got = measure(tube_body(scale))
    hips = 2 * np.pi * 0.07 + 4 * 0.09  # a tape around two tubes
    truth = {
        "height": 1.80,
        "head_height": 0.25,
        "neck": 2 * np.pi * 0.05,
        "chest": 2 * np.pi * 0.15,
        "waist": 2 * np.pi * 0.15,
        "hip": max(hips, 2 * np.pi * 0.15),
        "thigh": 2 * np.pi * 0.07,
        "shoulder_width": 0.40 + 0.04,
        "arm_length": 0.50 + 0.04,
        "inseam": 0.85,
        "foot_length": 0.26,
    }
    assert got.keys() == truth.keys()
    for name, value in truth.items():
        assert got[name] == pytest.approx(scale * value, rel=0.01), name


def person(betas=(), scale=1.0) -> Body:
    model = load_body()
    numbers = np.zeros(model.shape_count)
    numbers[: len(betas)] = betas
    return model.posed(numbers, np.zeros((52, 3)), np.zeros(3), CAMERA, scale)


def test_the_average_body_is_plausible():
    got = measure(person(scale=1.7 / measure(person())["height"]))
    ranges = {
        "height": (1.699, 1.701),
        "head_height": (0.21, 0.25),
        "neck": (0.31, 0.40),
        "shoulder_width": (0.34, 0.42),
        "chest": (0.82, 1.02),
        "waist": (0.65, 0.90),
        "hip": (0.86, 1.04),
        "thigh": (0.46, 0.60),
        "arm_length": (0.50, 0.62),
        "inseam": (0.74, 0.86),
        "foot_length": (0.23, 0.28),
    }
    for name, (low, high) in ranges.items():
        assert low < got[name] < high, name


def test_measurements_do_not_depend_on_pose_or_place():
    model = load_body()
    rng = np.random.default_rng(0)
    posed = model.posed(np.zeros(model.shape_count), rng.normal(0, 0.3, (52, 3)), np.array([0.1, 0.2, -3]), CAMERA)
    assert measure(posed) == pytest.approx(measure(person()), rel=1e-5)


def test_a_fatter_body_measures_more():
    """Pushing the trunk's skin outwards by 3 cm makes every girth of it larger, and no length."""
    body = person()
    model = body.model
    trunk = np.isin(model.parts, [PARTS.index(n) for n in ("torso", "left_leg", "right_leg")])
    bigger = body.rest.copy()
    bigger[trunk] *= [1.2, 1, 1.2]
    fat = Body(**{**body.__dict__, "rest": bigger})
    thin, fat = measure(body), measure(fat)
    for name in ("chest", "waist", "hip"):
        assert fat[name] == pytest.approx(1.2 * thin[name], rel=0.02)
    assert fat["height"] == thin["height"]
    assert fat["inseam"] == thin["inseam"]


def test_measuring_is_fast():
    body = person()
    measure(body)
    best = min((lambda t: measure(body) and perf_counter() - t)(perf_counter()) for _ in range(3))
    assert best < 0.3  # 0.06 s on an idle core


def test_adults_are_170_and_children_as_tall_as_the_model():
    model = load_body()
    assert typical_height(model, np.zeros(model.shape_count)) == ADULT_HEIGHT
    heights, heads = [], []
    for size in np.linspace(0, -2.5, 26):  # the first number is size: small bodies are children
        betas = np.zeros(model.shape_count)
        betas[0] = size
        got = measure(person(betas))
        heights.append(typical_height(model, betas))
        heads.append(got["head_height"] / got["height"])
        if heads[-1] > 0.161:
            assert heights[-1] == pytest.approx(got["height"], rel=1e-3)
    assert heads == sorted(heads)
    assert heights == sorted(heights, reverse=True)
    assert heads[-1] > 0.161
    assert heights[-1] < 1.2
