"""Whole outfits on bodies of every size and pose: the body stays inside, cloth stays whole, chance repeats itself."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.body import JOINTS, Body, load_body
from lookalike.camera import Camera
from lookalike.people.poses import random_pose
from lookalike.people.sample import LABELS
from lookalike.people.wardrobe.garment import Fit, make
from lookalike.people.wardrobe.outfits import GARMENTS, OUTFITS, put_on_clothes
from lookalike.people.wardrobe.pattern import Cut
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import RayCaster

MODEL = load_body()


def body_of(seed: int, pose: np.ndarray | None = None) -> Body:
    rng = np.random.default_rng(seed)
    betas = rng.normal(0, 1, 16).clip(-2.5, 2.5)
    pose = random_pose(rng) if pose is None else pose
    return MODEL.posed(betas, pose, np.zeros(3), Camera.for_photo(100, 100))


def poking_out(body: Body, clothes) -> np.ndarray:
    """Which of the covered vertices lie outside: cloth is below them and none above them."""
    vertices = np.concatenate([p.vertices for p in clothes.pieces])
    start = np.cumsum([0, *(len(p.vertices) for p in clothes.pieces)])
    faces = np.concatenate([p.faces + s for p, s in zip(clothes.pieces, start[:-1], strict=True)])
    caster = RayCaster(vertices, faces)
    normal = vertex_normals(body.vertices, MODEL.faces)[clothes.covered]
    place = body.vertices[clothes.covered]
    above, below = caster.cast(place, normal), caster.cast(place, -normal)
    corner = vertices[faces]
    facing = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    shut = above.hit & (above.depth < 0.15) & (np.einsum("ni,ni->n", facing[above.face], normal) > 0)
    out = below.hit & (below.depth < 0.03) & (np.einsum("ni,ni->n", facing[below.face], normal) > 0)
    return out & ~shut


def test_covered_skin_lies_inside_the_clothes():
    outside = [
        poking_out(body, put_on_clothes(body, np.random.default_rng(s))) for s in range(16) for body in [body_of(s)]
    ]
    share = np.concatenate(outside).mean()
    assert share < 0.01
    assert max(o.mean() for o in outside) < 0.03


@pytest.mark.parametrize("kind", sorted(GARMENTS))
def test_every_garment_can_be_made(kind):
    rng = np.random.default_rng(3)
    for seed in range(2):
        design = GARMENTS[kind](rng)
        body = body_of(seed)
        draped = make(body, design.cut, design.fit, rng)
        assert design.label in LABELS
        assert np.isfinite(draped.vertices).all()
        assert draped.covered.sum() > 30
        reach = np.abs(body.vertices).max(0) + 0.6
        assert (np.abs(draped.vertices) < reach).all()
        corner = draped.vertices[draped.quads] if hasattr(draped, "quads") else draped.vertices[draped.faces]
        edge = np.linalg.norm(corner - np.roll(corner, 1, axis=1), axis=2)
        assert np.percentile(edge, 99) < 0.06  # nothing is torn out long


def test_every_outfit_can_be_asked_for_and_others_cannot():
    body = body_of(1)
    for outfit in OUTFITS:
        clothes = put_on_clothes(body, np.random.default_rng(0), outfit)
        assert clothes.pieces
        assert {p.label for p in clothes.pieces} <= {"upper", "lower"}
    with pytest.raises(ValueError, match="outfit is one of"):
        put_on_clothes(body, np.random.default_rng(0), "armour")


def test_chance_repeats_itself():
    body = body_of(5)
    first, second = (put_on_clothes(body, np.random.default_rng(8)) for _ in range(2))
    other = put_on_clothes(body, np.random.default_rng(9))
    assert first.kinds == second.kinds
    assert all(np.array_equal(a.vertices, b.vertices) for a, b in zip(first.pieces, second.pieces, strict=True))
    assert first.kinds != other.kinds or not np.array_equal(first.pieces[0].vertices, other.pieces[0].vertices)


def wrinkled(bend: float, ease: float) -> float:
    """How much the normals of a sleeve vary from one face to its neighbours about a bent elbow."""
    pose = np.zeros((len(JOINTS), 3))
    pose[JOINTS.index("left_shoulder")] = [0, 0, -1.0]
    pose[JOINTS.index("left_elbow")] = [0, -bend, 0]
    body = MODEL.posed(np.zeros(16), pose, np.zeros(3), Camera.for_photo(100, 100))
    fit = Fit(torso=0.015, arm=0.02, ease=ease, folds=0.0, stiffness=0.0)
    draped = make(body, Cut(hull="robe", sleeve=0.5, bottom=0.6), fit, np.random.default_rng(0))
    normals = vertex_normals(draped.vertices, draped.faces)
    elbow = body.joints[JOINTS.index("left_elbow")]
    near = np.linalg.norm(draped.vertices - elbow, axis=1) < 0.12
    rough = np.linalg.norm(draped.panel.mean @ normals - normals, axis=1)
    return float(rough[near].mean())


def test_a_bent_elbow_and_too_much_length_make_folds():
    straight, bent = wrinkled(0.0, 0.0), wrinkled(1.9, 0.0)
    assert bent > 1.15 * straight
    assert wrinkled(0.0, 0.12) > 1.15 * straight


def test_pressed_clothes_are_smooth():
    body = body_of(5)

    def rough(pressed: bool) -> float:
        clothes = put_on_clothes(body, np.random.default_rng(2), "separates", pressed)
        out = []
        for draped in clothes.drapes:
            normals = vertex_normals(draped.vertices, draped.faces)
            out.append(np.linalg.norm(draped.panel.mean @ normals - normals, axis=1).mean())
        return float(np.mean(out))

    assert rough(True) < 0.8 * rough(False)


def test_a_skirt_hangs_over_the_legs_that_walk():
    pose = np.zeros((len(JOINTS), 3))
    pose[JOINTS.index("left_hip")], pose[JOINTS.index("right_hip")] = [-0.7, 0, 0], [0.4, 0, 0]
    body = MODEL.posed(np.zeros(16), pose, np.zeros(3), Camera.for_photo(100, 100))
    cut = Cut(hull="robe", top=0.44, sleeve=None, bottom=0.95)
    draped = make(body, cut, Fit(torso=0.005, skirt=0.01, flare=0.2, waist=True), np.random.default_rng(0))
    part = np.array(MODEL.part_names)[MODEL.parts]
    thigh = np.isin(part, ["left_leg", "right_leg"]) & (body.rest[:, 1] > -0.35)
    caster = RayCaster(draped.vertices, draped.faces)
    normals = vertex_normals(body.vertices, MODEL.faces)
    ahead = thigh & (normals[:, 2] > 0.6)
    hits = caster.cast(body.vertices[ahead], np.tile([0, 0, 1.0], (int(ahead.sum()), 1)))
    assert hits.hit.mean() > 0.97  # from the front, no thigh shows
