"""The protocols on people and spheres whose distances are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lookalike.camera import Camera
from lookalike.errors import LookalikeError
from lookalike.evaluate.protocols import MEASURES, PENALTY, PROTOCOLS, prepare_truth, score_mesh
from lookalike.people.scan import Scan
from lookalike.render.view import View

from .conftest import sphere


@pytest.fixture(scope="module")
def truths(person):
    return {name: person.truth(name) for name in PROTOCOLS}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_truth_is_right(person, truths, name):
    scores = score_mesh(person.seen, person.scan.faces, truths[name])
    assert scores.chamfer < 0.02
    assert scores.nc > 0.99
    assert scores.f1 == pytest.approx(1, abs=1e-4)
    assert scores.normal_error < 2e-3
    assert scores.alignment.scale == pytest.approx(100 * (1 if name != "ours" else 1.8 / height(person)), rel=1e-3)
    assert scores.turn < 0.1 if name != "icon" else np.isnan(scores.turn)
    if name == "ours":
        assert scores.outline_iou > 0.99
    else:
        assert np.isnan(scores.outline_iou)


def height(person) -> float:
    return float(np.ptp(person.scan.vertices[:, 1]))


@pytest.mark.parametrize("name", ["ours", "sith"])
def test_size_place_and_a_turn_are_forgiven_and_the_turn_is_told(person, truths, name):
    turn = Rotation.from_rotvec(np.radians(15) * np.array([0.2, 0.9, -0.3]) / np.linalg.norm([0.2, 0.9, -0.3]))
    moved = 0.01 * turn.apply(person.seen) + [4.0, -1.0, 7.0]
    scores = score_mesh(moved, person.scan.faces, truths[name])
    assert scores.chamfer < 0.02 and scores.nc > 0.99 and scores.f1 == pytest.approx(1, abs=1e-4)
    assert scores.turn == pytest.approx(15, abs=0.1)


def test_icon_forgives_size_and_place_but_no_turn(person, truths):
    moved = 3.0 * person.seen + [4.0, -1.0, 7.0]
    assert score_mesh(moved, person.scan.faces, truths["icon"]).chamfer < 0.02
    turned = Rotation.from_euler("y", 15, degrees=True).apply(person.seen)
    scores = score_mesh(turned, person.scan.faces, truths["icon"])
    assert scores.chamfer > 1 and scores.normal_error > 0.05


def test_with_a_given_body_icon_moves_nothing(person, truths):
    higher = person.seen + [0.0, 0.03, 0.0]
    still = score_mesh(higher, person.scan.faces, truths["icon"], metric=True)
    assert still.alignment.scale == pytest.approx(100)
    assert still.alignment.translation == pytest.approx(np.zeros(3), abs=1e-9)
    assert 0.5 < still.chamfer < 3
    assert score_mesh(higher, person.scan.faces, truths["icon"]).chamfer < 0.02


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_mesh_that_is_inside_out_scores_the_same(person, truths, name):
    straight = score_mesh(person.seen, person.scan.faces, truths[name])
    inside_out = score_mesh(person.seen, person.scan.faces[:, ::-1], truths[name])
    for measure in ("chamfer", "nc", "f1", "normal_error"):
        assert getattr(inside_out, measure) == pytest.approx(getattr(straight, measure), abs=2e-3)


def ball(radius: float, protocol: str):
    """The truth of a ball of so many metres, 3 m before the camera."""
    vertices, faces = sphere(radius)
    view = View(Camera(500.0, 200.0, 200.0, 400, 400), np.eye(3), np.array([0, 0, 3.0]))
    return vertices - [0, 0, 3.0], faces, prepare_truth(Scan("ball", vertices, faces), view, None, PROTOCOLS[protocol])


def test_a_centimetre_between_spheres_is_a_centimetre():
    """Nothing may be scaled away, so the body counts as given."""
    vertices, faces, truth = ball(0.50, "icon")
    larger = (vertices + [0, 0, 3.0]) * 0.51 / 0.50 - [0, 0, 3.0]
    scores = score_mesh(larger, faces, truth, metric=True)
    assert (scores.p2s, scores.s2p, scores.chamfer) == pytest.approx((1, 1, 1), abs=0.01)
    assert scores.nc > 0.999
    assert scores.f2 == pytest.approx(1)
    assert 0 <= scores.f1 <= 1


def test_f_scores_are_the_shares_within_their_distance():
    vertices, faces, truth = ball(0.50, "icon")
    for gap, f1, f2 in ((0.005, 1, 1), (0.015, 0, 1), (0.025, 0, 0)):
        larger = (vertices + [0, 0, 3.0]) * (0.50 + gap) / 0.50 - [0, 0, 3.0]
        scores = score_mesh(larger, faces, truth, metric=True)
        assert (scores.f1, scores.f2) == pytest.approx((f1, f2))


def test_what_is_missing_shows_in_p2s_and_what_is_too_much_in_s2p(person, truths):
    """P2S goes from the truth, S2P from the prediction."""
    knee = np.median(person.seen[:, 1]) - 0.3
    upper = person.scan.faces[(person.seen[person.scan.faces][..., 1] > knee).all(1)]
    less = score_mesh(person.seen, upper, truths["icon"], metric=True)
    assert less.s2p < 0.02 and less.p2s > 1
    vertices, faces = sphere(0.3, 3)
    both = np.concatenate([person.seen, vertices + person.seen.min(0)])
    more = score_mesh(both, np.concatenate([person.scan.faces, faces + len(person.seen)]), truths["icon"], metric=True)
    assert more.p2s < 0.02 and more.s2p > 1


def test_our_people_are_180_cm_tall(person, truths):
    assert truths["ours"].height == 180
    assert truths["ours"].window == 200
    assert truths["sith"].height == pytest.approx(100 * height(person))
    mesh = truths["ours"].mesh
    assert np.ptp(mesh.vertices @ truths["ours"].view.rotation, axis=0)[1] == pytest.approx(180)


def test_hair_cards_count_for_no_normals_and_only_where_the_picture_shows_them(person):
    """A curtain beside the head is a card: outside the picture's person it is transparent."""
    tall = person.scan.vertices.max(0)
    count = len(person.scan.vertices)
    curtain = np.array([(0.6, 0, 0), (1.0, 0, 0), (1.0, 0.5, 0), (0.6, 0.5, 0)]) + [0, tall[1] - 1.0, 0]
    faces = np.concatenate([person.scan.faces, [(count, count + 1, count + 2), (count, count + 2, count + 3)]])
    cards = np.arange(len(faces)) >= len(person.scan.faces)
    scan = Scan("somebody", np.concatenate([person.scan.vertices, curtain]), faces, cards=cards)
    truth = prepare_truth(scan, person.view, person.alpha, PROTOCOLS["ours"])
    on_card = truth.mesh.card[truth.mesh.sample_face]
    assert on_card.any() and not truth.counted[on_card].any()
    scores = score_mesh(person.seen, person.scan.faces, truth)
    assert scores.p2s < 0.2 and scores.nc > 0.99


def test_what_cannot_be_judged_is_an_error(person, truths):
    with pytest.raises(ValueError, match="no faces"):
        score_mesh(np.zeros((3, 3)), np.zeros((0, 3), int), truths["ours"])
    with pytest.raises(ValueError, match="no faces"):
        score_mesh(np.zeros((8, 3)), np.arange(24).reshape(8, 3) % 8, truths["ours"])
    broken = Scan("somebody", person.scan.vertices * np.nan, person.scan.faces)
    with pytest.raises(LookalikeError, match="somebody is damaged"):
        prepare_truth(broken, person.view, None, PROTOCOLS["ours"])


def test_scores_are_plain_json_and_the_same_again(person, truths):
    first, again = (score_mesh(person.seen * 1.01, person.scan.faces, truths["icon"]).as_json() for _ in range(2))
    assert first == again
    assert first["outline_iou"] is None and first["turn"] is None
    assert set(PENALTY) == set(MEASURES)
