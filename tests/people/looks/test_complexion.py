"""Painted skin: lips where lips are, eyes where eyes are, and tones as people have them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lookalike.appearance.registration import face_marks
from lookalike.body.load import load_body
from lookalike.body.model import PARTS, BodyModel
from lookalike.errors import LookalikeError
from lookalike.people.looks.complexion import SkinPaint, skin_paint
from lookalike.people.looks.complexion_masks import Masks
from lookalike.people.looks.paint import LUMINANCE

#: MediaPipe's face mesh: the lower lip's rims, a cheek, between the brows, an eyebrow's middle.
LOWER_LIP, CHEEK, BETWEEN, BROW = (17, 14), (205,), (9,), (105, 52)
NEAR = 2e-4


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return load_body()


@pytest.fixture(scope="module")
def plain(body: BodyModel) -> SkinPaint:
    return SkinPaint(Masks.of(body))


def uv_at(body: BodyModel, point: np.ndarray, part: str | None = None) -> np.ndarray:
    """(1, 2) texture coordinates of the vertex (of a part) nearest to a point at rest."""
    away = np.linalg.norm(body.template - point, axis=1)
    if part is not None:
        away[body.parts != PARTS.index(part)] = np.inf
    vertex = int(away.argmin())
    face, corner = np.argwhere(body.faces == vertex)[0]
    return body.uv[body.face_uv[face, corner]][None]


def mark(body: BodyModel, *numbers: int) -> np.ndarray:
    """(1, 2) texture coordinates of the middle of some marks."""
    blends = [face_marks(body)[number] for number in numbers]
    return uv_at(body, np.mean([weight @ body.template[index] for index, weight in blends], axis=0))


def test_lips_are_redder_than_the_skin_around(body, plain):
    lip, skin = (plain.sample(mark(body, *n), NEAR)[0] for n in (LOWER_LIP, BETWEEN))
    assert lip[0] / lip[1] > 1.15 * skin[0] / skin[1]
    painted = replace(plain, lipstick=(0.4, 0.01, 0.02, 0.9))
    assert painted.sample(mark(body, *LOWER_LIP), NEAR)[0, 1] < 0.6 * lip[1]


def test_brows_are_dark_and_cheeks_are_not(body, plain):
    brow, cheek = (plain.sample(mark(body, *n), NEAR)[0] @ LUMINANCE for n in (BROW, CHEEK))
    assert brow < 0.6 * cheek


def test_a_beard_grows_on_the_chin_and_not_on_the_cheekbones(body, plain):
    bearded = replace(plain, beard=1.0)
    chin, high = (mark(body, n) for n in (199, 118))
    assert bearded.sample(chin, NEAR).mean() < 0.5 * plain.sample(chin, NEAR).mean()
    np.testing.assert_allclose(bearded.sample(high, NEAR), plain.sample(high, NEAR), atol=0.02)


def test_eyes_have_pupils_in_front_and_white_at_their_sides(body, plain):
    eyes = np.flatnonzero(body.parts == PARTS.index("eyes"))
    left = eyes[body.template[eyes, 0] > 0]
    corner = body.template[left]
    middle = (corner.min(0) + corner.max(0)) / 2
    radius = np.ptp(corner, axis=0).max() / 2
    pupil = uv_at(body, middle + [0, 0, radius], "eyes")
    aside = middle + radius * np.array([np.sin(1.0), 0, np.cos(1.0)])
    assert plain.sample(pupil, NEAR).max() < 0.15
    assert plain.sample(uv_at(body, aside, "eyes"), NEAR).min() > 0.25


def test_palms_of_dark_hands_are_pale(body, plain):
    dark = replace(plain, tone=5.5)
    hand = np.flatnonzero(body.parts == PARTS.index("left_hand"))
    middle = body.template[hand].mean(0)
    palm, back = (uv_at(body, middle + [0, s * 0.05, 0]) for s in (-1, 1))
    assert dark.sample(palm, 0.004).mean() > 1.5 * dark.sample(back, 0.004).mean()


def test_tones_go_from_pale_to_dark(plain):
    light = [replace(plain, tone=float(t)).mean @ LUMINANCE for t in range(7)]
    assert (np.diff(light) < 0).all()
    assert light[0] > 0.5
    assert light[-1] < 0.08


def test_everybody_looks_human_and_the_same_again(body):
    uv = np.random.default_rng(0).random((4000, 2)).astype(np.float32)
    means = []
    for seed in range(25):
        paint = skin_paint(np.random.default_rng(seed), body)
        found = paint.sample(uv, 0.002)
        assert found.dtype == np.float32
        assert np.isfinite(found).all()
        means.append(paint.mean)
        again = skin_paint(np.random.default_rng(seed), body)
        assert (again.sample(uv, 0.002) == found).all()
    means = np.array(means)
    # Skin of all tones reflects more red than green, and more green than blue.
    assert (means[:, 0] > means[:, 1]).all()
    assert (means[:, 1] > means[:, 2]).all()
    assert np.ptp(means @ LUMINANCE) > 0.3


def test_brows_take_the_hair_s_colour(body):
    fair = skin_paint(np.random.default_rng(1), body, hair=np.array([0.4, 0.25, 0.1]))
    assert isinstance(fair, SkinPaint)
    assert fair.hair == (0.4, 0.25, 0.1)
    women = [skin_paint(np.random.default_rng(s), body, male=0.0) for s in range(20)]
    assert all(isinstance(w, SkinPaint) and w.beard == 0 for w in women)


def test_bodies_without_texture_coordinates_are_refused(body):
    with pytest.raises(LookalikeError, match="texture coordinates"):
        Masks.of(replace(body, name="bare", uv=None))
