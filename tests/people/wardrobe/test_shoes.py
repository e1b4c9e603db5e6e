"""Shoes hold the feet of all bodies, stand under them, and move with them."""

from __future__ import annotations

import time

import numpy as np
import pytest

from lookalike.body.model import Body
from lookalike.errors import LookalikeError
from lookalike.people.wardrobe.shoes import STYLES, on_heels, put_on_shoes
from lookalike.render.raycast import RayCaster
from tests.people.bodies import CASES, body_of

SHOES = [name for name in STYLES if name != "barefoot"]


def enclosed(body: Body, covered: np.ndarray, pieces) -> np.ndarray:
    """(n,) bool: of the covered vertices, those from which nearly every way sideways and to the sole leads into the shoe."""
    vertices = np.concatenate([p.vertices for p in pieces])
    start = np.cumsum([0] + [len(p.vertices) for p in pieces])
    faces = np.concatenate([p.faces + s for p, s in zip(pieces, start[:-1], strict=True)])
    caster = RayCaster(vertices, faces)
    ways = np.random.default_rng(0).normal(size=(60, 3))
    ways = ways[ways[:, 1] < -0.1]
    out = []
    for side in ("left", "right"):
        part = [body.model.part_names.index(f"{side}_{n}") for n in ("foot", "leg")]
        points = body.vertices[covered & np.isin(body.model.parts, part)]
        turned = ways @ body.transforms[body.model.joint_names.index(f"{side}_ankle")][:3, :3].T
        met = [caster.occluded(points, np.tile(way, (len(points), 1)), 0.5) for way in turned]
        out.append(np.mean(met, 0) > 0.75)
    return np.concatenate(out)


def is_closed(faces: np.ndarray) -> bool:
    """Whether every edge has one face on each side, the two turned alike."""
    edges = faces.astype(np.int64)
    start, end = edges.ravel(), np.roll(edges, -1, 1).ravel()
    return bool((np.sort(start * 10**7 + end) == np.sort(end * 10**7 + start)).all())


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    """Of a closed surface, positive if its faces are counter-clockwise from outside."""
    a, b, c = (vertices[faces[:, i]].astype(np.float64) for i in range(3))
    return float(np.einsum("mi,mi->m", a, np.cross(b, c)).sum() / 6)


@pytest.mark.parametrize("style", SHOES)
def test_covered_skin_is_inside_on_all_bodies_and_in_all_poses(style):
    for i, (kind, pose) in enumerate(CASES):
        body = body_of(kind, pose)
        pieces, covered = put_on_shoes(body, np.random.default_rng(i), style)
        assert {p.label for p in pieces} == {"shoes"}
        assert all(np.isfinite(p.vertices).all() for p in pieces)
        assert sum(len(p.faces) for p in pieces) < 20_000
        if style == "sandals":
            assert not covered.any()
        else:
            assert covered.sum() > 500
            assert enclosed(body, covered, pieces).mean() >= 0.99, (kind, pose)


@pytest.mark.parametrize("style", SHOES)
def test_every_part_is_a_solid_turned_outwards(style):
    pieces, _ = put_on_shoes(body_of(), np.random.default_rng(1), style)
    for piece in pieces:
        assert is_closed(piece.faces), piece.name
        assert volume(piece.vertices, piece.faces) > 0, piece.name


def test_only_feet_and_shanks_are_covered():
    body = body_of()
    for style in SHOES[::2]:
        _, covered = put_on_shoes(body, np.random.default_rng(0), style)
        assert set(np.unique(body.model.parts[covered])) <= {
            body.model.part_names.index(f"{side}_{part}") for side in ("left", "right") for part in ("foot", "leg")
        }


def test_soles_are_under_the_feet():
    body = body_of()
    floor = body.vertices[:, 1].min()
    for style in SHOES:
        pieces, _ = put_on_shoes(body, np.random.default_rng(0), style)
        lowest = min(p.vertices[:, 1].min() for p in pieces)
        assert floor - 0.13 < lowest < floor, style


def test_knee_boots_are_higher_than_ankle_boots_higher_than_flats():
    body = body_of()
    tops = []
    for style in ("flats", "ankle boots", "calf boots", "knee boots"):
        pieces, _ = put_on_shoes(body, np.random.default_rng(4), style)
        tops.append(max(p.vertices[:, 1].max() for p in pieces))
    assert tops == sorted(tops)


def test_shoes_move_with_the_feet():
    still, moved = body_of(), body_of(pose="jumping")
    a, _ = put_on_shoes(still, np.random.default_rng(0), "oxfords")
    b, _ = put_on_shoes(moved, np.random.default_rng(0), "oxfords")
    # Every part stays as far from the ankle as it was.
    for first, second in zip(a, b, strict=True):
        joint = still.model.joint_names.index("left_ankle")
        before = np.linalg.norm(first.vertices - still.joints[joint], axis=1)
        after = np.linalg.norm(second.vertices - moved.joints[joint], axis=1)
        mine = first.vertices[:, 0] > still.joints[0, 0]
        assert np.abs(before - after)[mine].max() < 0.03


def test_on_heels_raises_the_heels_and_leaves_the_toes_flat():
    body = body_of()
    pose = on_heels(body.pose, body.model.joint_names, 0.07)
    raised = body.model.posed(body.betas, pose, body.translation, body.camera)
    heel, toe = (
        raised.model.landmark_points(raised.vertices - [0, raised.vertices[:, 1].min(), 0], [name])[0, 1]
        for name in ("left_heel", "left_foot_index")
    )
    assert 0.06 < heel - toe < 0.13


def test_the_same_seed_makes_the_same_shoes():
    body = body_of()
    for style in SHOES[::4]:
        (a, first), (b, second) = (put_on_shoes(body, np.random.default_rng(9), style) for _ in range(2))
        assert np.array_equal(first, second)
        assert all(np.array_equal(p.vertices, q.vertices) for p, q in zip(a, b, strict=True))


def test_barefoot_is_nothing_and_unknown_styles_say_what_there_is():
    pieces, covered = put_on_shoes(body_of(), np.random.default_rng(0), "barefoot")
    assert pieces == [] and not covered.any()
    with pytest.raises(LookalikeError, match="choose one of"):
        put_on_shoes(body_of(), np.random.default_rng(0), "skis")


def test_shoes_take_little_time():
    body = body_of()
    put_on_shoes(body, np.random.default_rng(0), "sneakers")
    took = []
    for seed in range(3):
        start = time.process_time()
        put_on_shoes(body, np.random.default_rng(seed), "sneakers")
        took.append(time.process_time() - start)
    assert min(took) < 0.25  # 0.08 s on an idle core
