"""Things worn sit on the body, are solids, and leave hair only where there is room for it."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.errors import LookalikeError
from lookalike.people.hair.grow import grow_hair
from lookalike.people.hair.scalp import Head
from lookalike.people.wardrobe.accessories import NAMES, random_accessories, wear
from tests.people.bodies import CASES, body_of


def is_closed(faces: np.ndarray) -> bool:
    """Whether every edge has one face on each side, the two turned alike."""
    edges = faces.astype(np.int64)
    start, end = edges.ravel(), np.roll(edges, -1, 1).ravel()
    return bool((np.sort(start * 10**7 + end) == np.sort(end * 10**7 + start)).all())


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    """Of a closed surface, positive if its faces are counter-clockwise from outside."""
    a, b, c = (vertices[faces[:, i]].astype(np.float64) for i in range(3))
    return float(np.einsum("mi,mi->m", a, np.cross(b, c)).sum() / 6)


@pytest.mark.parametrize("name", NAMES)
def test_every_thing_fits_every_body_and_pose(name):
    for i, (kind, pose) in enumerate(CASES):
        body = body_of(kind, pose)
        pieces, hair = wear(body, np.random.default_rng(i), [name], [])
        assert pieces and hair == []
        for piece in pieces:
            assert piece.label == "accessory"
            assert np.isfinite(piece.vertices).all()
            assert len(piece.faces) < 22_000
            # Nothing flies away: all of it is within a stick's length of the skin.
            few = piece.vertices[:: max(len(piece.vertices) // 40, 1)]
            apart = np.linalg.norm(few[:, None] - body.vertices[None, ::7], axis=2).min(1)
            assert apart.max() < (0.75 if name == "umbrella" else 0.55 if name == "handbag" else 0.3), (kind, pose)


@pytest.mark.parametrize("name", [n for n in NAMES if n != "headscarf"])
def test_every_thing_is_a_solid_turned_outwards(name):
    pieces, _ = wear(body_of(), np.random.default_rng(2), [name], [])
    for piece in pieces:
        assert is_closed(piece.faces), piece.name
        assert volume(piece.vertices, piece.faces) > 0, piece.name


@pytest.mark.parametrize("name", ["cap", "beanie", "hat", "helmet"])
def test_hair_stays_under_the_hat(name):
    body = body_of()
    before = grow_hair(body, np.random.default_rng(0), "curly")
    pieces, after = wear(body, np.random.default_rng(0), [name], before)
    head = Head.of(body)
    top = max(p.vertices[:, 1].max() for p in pieces)
    assert after[0].vertices[after[0].faces].max(axis=(0, 1))[1] < top
    # Under the crown, hair is nearer to the skull than the hat is.
    local = (after[0].vertices[np.unique(after[0].faces)] - head.shift) @ head.rotation
    high = local[:, 1] > 0.3 * head.size
    air = np.linalg.norm(local[high], axis=1) - head.radius(local[high] / np.linalg.norm(local[high], axis=1)[:, None])
    assert air.max() < 0.011 * head.scale


def test_a_headscarf_hides_the_hair():
    body = body_of()
    hair = grow_hair(body, np.random.default_rng(0), "long straight")
    _, after = wear(body, np.random.default_rng(0), ["headscarf"], hair)
    assert after == []


def test_a_headscarf_leaves_the_face_free():
    body = body_of()
    (scarf,), _ = wear(body, np.random.default_rng(0), ["headscarf"], [])
    for point in body.model.landmark_points(body.vertices, ["left_eye", "right_eye", "nose", "face/14"]):
        assert np.linalg.norm(scarf.vertices - point, axis=1).min() > 0.02


def test_glasses_are_before_the_eyes():
    body = body_of()
    pieces, _ = wear(body, np.random.default_rng(0), ["sunglasses"], [])
    lenses = next(p for p in pieces if p.name == "lenses")
    eyes = body.model.landmark_points(body.vertices, ["left_eye", "right_eye"])
    assert abs(lenses.vertices[:, 1].mean() - eyes[:, 1].mean()) < 0.012
    assert lenses.vertices[:, 2].min() > eyes[:, 2].min()
    for eye in eyes:
        near = np.abs(lenses.vertices[:, :2] - eye[:2]).max(1) < 0.01
        assert near.any()


def test_most_people_wear_little():
    rng = np.random.default_rng(0)
    body = body_of()
    counts = [len({p.name for p in random_accessories(body, rng, [])[0]}) for _ in range(60)]
    assert np.mean(counts) < 2.0
    assert counts.count(0) > 10


def test_the_same_seed_wears_the_same():
    body = body_of()
    first, again = (
        wear(body, np.random.default_rng(3), ["hat", "scarf", "backpack", "watch"], [])[0] for _ in range(2)
    )
    assert [p.name for p in first] == [p.name for p in again]
    assert all(np.array_equal(p.vertices, q.vertices) for p, q in zip(first, again, strict=True))


def test_unknown_things_say_what_there_is():
    with pytest.raises(LookalikeError, match="choose from"):
        wear(body_of(), np.random.default_rng(0), ["crown jewels"], [])
