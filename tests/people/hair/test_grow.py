"""Hair grows on heads of all kinds, outside the skin, and hangs towards the ground."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.spatial import cKDTree

from lookalike.body.model import Body
from lookalike.errors import LookalikeError
from lookalike.people.hair.beard import BEARDS, grow_beard
from lookalike.people.hair.grow import STYLES, grow_hair
from lookalike.people.hair.scalp import Head
from lookalike.people.looks.hair_paint import NATURAL, random_hair_paint
from lookalike.people.scene import Piece
from lookalike.render.normals import vertex_normals
from tests.people.bodies import CASES, body_of

WITH_HAIR = [name for name in STYLES if name != "bald"]


def share_outside(body: Body, points: np.ndarray, most: float = 0.002) -> float:
    """Of points (n, 3), how many are outside the body, or inside by no more than `most` metres."""
    away, _ = Head.of(body).clearance((points - Head.of(body).shift) @ Head.of(body).rotation)
    return float((away > -most).mean())


@pytest.mark.parametrize("style", WITH_HAIR)
def test_every_style_grows_outside_every_body(style):
    for i, (kind, pose) in enumerate(CASES):
        body = body_of(kind, pose)
        (hair,) = grow_hair(body, np.random.default_rng(i), style)
        assert hair.label == "hair"
        assert np.isfinite(hair.vertices).all()
        assert hair.faces.max() < len(hair.vertices) and hair.face_uv.max() < len(hair.uv)
        assert 3_000 < len(hair.faces) <= 41_000
        assert share_outside(body, hair.vertices) >= 0.98, (kind, pose)


@pytest.mark.parametrize("style", list(BEARDS))
def test_every_beard_grows_outside_every_body(style):
    for i, (kind, pose) in enumerate(CASES):
        body = body_of(kind, pose)
        (beard,) = grow_beard(body, np.random.default_rng(i), style)
        assert share_outside(body, beard.vertices) >= 0.98, (kind, pose)


def test_the_same_seed_grows_the_same_hair_and_another_seed_another():
    body = body_of()
    first, again, other = (grow_hair(body, np.random.default_rng(seed), "long wavy")[0] for seed in (5, 5, 6))
    assert np.array_equal(first.vertices, again.vertices) and np.array_equal(first.uv, again.uv)
    assert first.colour == again.colour
    assert first.vertices.shape != other.vertices.shape or not np.allclose(first.vertices, other.vertices)


def test_nobody_has_hair_in_the_eyes_or_on_the_cheeks_of_a_crop():
    body = body_of()
    (hair,) = grow_hair(body, np.random.default_rng(1), "crew cut")
    eyes = body.model.landmark_points(body.vertices, ["left_eye", "right_eye", "nose"])
    for point in eyes:
        assert np.linalg.norm(hair.vertices - point, axis=1).min() > 0.03


def test_a_bob_ends_above_the_shoulders_and_long_hair_below():
    body = body_of()
    shoulder = body.joints[body.model.joint_names.index("left_shoulder"), 1]
    (bob,) = grow_hair(body, np.random.default_rng(2), "bob")
    (long,) = grow_hair(body, np.random.default_rng(2), "long straight")
    assert bob.vertices[:, 1].min() > shoulder - 0.02
    assert long.vertices[:, 1].min() < shoulder - 0.05


def test_hair_hangs_down_from_a_bowed_head():
    body = body_of(pose="head bowed")
    (hair,) = grow_hair(body, np.random.default_rng(3), "ponytail")
    head = body.joints[body.model.joint_names.index("head")]
    assert hair.vertices[:, 1].min() < head[1]


def test_long_hair_lies_on_a_shirt_not_under_it():
    body = body_of("heavy", "head bowed")
    model = body.model
    mine = np.isin(model.parts, [model.part_names.index(n) for n in ("torso", "left_arm", "right_arm")])
    faces = model.faces[mine[model.faces].all(1)]
    normals = vertex_normals(body.vertices, model.faces)
    cloth = body.vertices + 0.015 * normals
    shirt = Piece("shirt", cloth, faces, cloth[:, :2], faces, np.zeros((4, 4, 3), np.uint8), label="upper")
    (hair,) = grow_hair(body, np.random.default_rng(3), "long straight", over=[shirt])
    # The shirt is as long as the trunk, so whatever is near it is measured by its nearest vertex.
    used = np.unique(faces)
    distance, nearest = cKDTree(cloth[used]).query(hair.vertices)
    near = (distance < 0.03) & (hair.vertices[:, 1] < body.joints[model.joint_names.index("neck"), 1] - 0.05)
    apart = np.einsum("ni,ni->n", hair.vertices - cloth[used][nearest], normals[used][nearest])[near]
    assert near.sum() > 200
    assert (apart > -0.004).mean() > 0.98


def test_a_cap_of_hair_faces_outwards():
    body = body_of()
    (hair,) = grow_hair(body, np.random.default_rng(0), "buzz")
    normals = vertex_normals(hair.vertices, hair.faces)
    centre = hair.vertices.mean(0) - [0, 0.03, 0]
    assert (np.einsum("ni,ni->n", normals, hair.vertices - centre) > 0).mean() > 0.95


def test_hair_takes_little_time():
    body = body_of()
    grow_hair(body, np.random.default_rng(0), "long wavy")
    took = []
    for seed in range(3):
        start = time.process_time()
        grow_hair(body, np.random.default_rng(seed), "long wavy")
        took.append(time.process_time() - start)
    assert min(took) < 0.15  # 0.06 s on an idle core


def test_bald_people_have_no_hair_and_unknown_styles_say_what_there_is():
    assert grow_hair(body_of(), np.random.default_rng(0), "bald") == []
    with pytest.raises(LookalikeError, match="choose one of"):
        grow_hair(body_of(), np.random.default_rng(0), "mullet of doom")


@pytest.mark.parametrize("kind", [*NATURAL, "dyed"])
def test_paint_has_the_colour_it_is_named_for(kind):
    paint = random_hair_paint(np.random.default_rng(0), kind)
    uv = np.random.default_rng(1).uniform(0, 0.3, (5000, 2))
    fine, coarse = paint.sample(uv, 1e-4), paint.sample(uv, 0.05)
    assert fine.shape == (5000, 3) and fine.min() >= 0 and fine.max() <= 1
    assert np.allclose(fine.mean(0), paint.mean, rtol=0.6, atol=0.01)
    # Strands too fine to see blur away.
    assert coarse.std() <= fine.std() + 1e-6
