"""Stitching on balls, whose form is known: a fine ball's cap in a coarse ball, and what must not be stitched."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import trimesh

from lookalike.body import load_body
from lookalike.surface.implicit.own_parts import CUTS, SIDES, arm_region, face_region, hand_region
from lookalike.surface.implicit.stitch import Stitched, stitch, with_inner_pieces, zip_loops

RADIUS = 0.1


@cache
def ball(subdivisions: int, radius: float = RADIUS) -> trimesh.Trimesh:
    """A ball, turned so that no two of different resolution share a vertex."""
    out = trimesh.creation.icosphere(subdivisions, radius)
    out.apply_transform(trimesh.transformations.rotation_matrix(subdivisions, [1, 2, 3]))
    return out


def cap(vertices: np.ndarray) -> np.ndarray:
    """(n,) a region around +Z: above 0.5 within 45 degrees."""
    cosine = vertices[:, 2] / np.linalg.norm(vertices, axis=1)
    return np.clip(0.5 + 2 * (cosine - np.cos(np.pi / 4)), 0, 1)


def swapped(free: trimesh.Trimesh, base: trimesh.Trimesh, **options) -> Stitched | None:
    """The free mesh with the base mesh's cap."""
    return stitch(free.vertices, free.faces, base.vertices, base.faces, cap(base.vertices), **options)


def is_closed(faces: np.ndarray) -> bool:
    """Whether each directed edge is there once, and so is its twin."""
    ends = np.stack([faces, np.roll(faces, -1, 1)], -1).reshape(-1, 2)
    there, back = set(map(tuple, ends.tolist())), set(map(tuple, ends[:, ::-1].tolist()))
    return len(there) == len(ends) and there == back


@pytest.mark.parametrize(("free", "base"), [(4, 5), (5, 4), (4, 4)])
def test_a_ball_with_another_balls_cap_is_a_ball(free, base):
    one = ball(free)
    out = swapped(one, ball(base))
    assert out is not None
    mesh = trimesh.Trimesh(out.vertices, out.faces, process=False)
    assert is_closed(out.faces)
    assert mesh.euler_number == 2
    assert np.unique(out.faces).size == len(out.vertices)
    assert mesh.volume == pytest.approx(one.volume, rel=0.01)
    assert np.linalg.norm(out.vertices, axis=1) == pytest.approx(RADIUS, rel=0.01)
    # no face is turned over
    assert (np.einsum("ij,ij->i", mesh.face_normals, mesh.triangles_center) > 0.9 * RADIUS).all()


def test_vertices_know_where_they_come_from_and_the_patch_stays_in_place():
    free, base = ball(4), ball(5)
    out = swapped(free, base)
    assert out is not None
    of_base = out.base >= 0
    assert ((out.free >= 0) != of_base).all()
    assert np.array_equal(out.vertices[of_base], base.vertices[out.base[of_base]])
    # all of the cap is there, but for teeth along its rim
    inside = np.flatnonzero(cap(base.vertices) > 0.6)
    assert np.isin(inside, out.base).all()
    # the rest of the free mesh is as it was, but for what is near the seam
    moved = np.linalg.norm(out.vertices - free.vertices[out.free], axis=1) > 1e-9
    assert out.vertices[moved & ~of_base, 2].min() > 0
    assert np.isin(np.flatnonzero(free.vertices[:, 2] < 0.04), out.free).all()


def test_a_step_between_the_meshes_is_made_even():
    out = swapped(ball(5, RADIUS - 0.002), ball(4))
    assert out is not None
    assert is_closed(out.faces)
    mesh = trimesh.Trimesh(out.vertices, out.faces, process=False)
    # a step of 2 mm over a strip of 4 mm would turn the faces by 27 degrees
    assert np.degrees(mesh.face_adjacency_angles).max() < 20


def with_thing(free: trimesh.Trimesh, angle: float) -> trimesh.Trimesh:
    """The ball with a plate, 2 cm thick, on its cap: out to an angle from +Z, in degrees."""
    beyond = free.vertices[:, 2] / np.linalg.norm(free.vertices, axis=1) > np.cos(np.radians(angle))
    return trimesh.Trimesh(free.vertices * np.where(beyond, 1.2, 1.0)[:, None], free.faces, process=False)


def test_a_mesh_stays_as_it_is_where_the_patch_cannot_be_put_cleanly():
    base = ball(4)
    assert swapped(ball(4, RADIUS + 0.05), base) is None  # too far
    assert swapped(with_thing(ball(5), 35), base) is None  # something lies over the patch
    away = ball(4).copy()
    away.apply_translation([1, 0, 0])
    assert swapped(away, base) is None  # not there at all
    nothing = np.zeros(len(base.vertices))
    assert stitch(away.vertices, away.faces, base.vertices, base.faces, nothing) is None
    everything = np.ones(len(base.vertices))
    assert stitch(base.vertices, base.faces, base.vertices, base.faces, everything) is None


def test_a_small_thing_on_the_patch_goes_with_what_it_lies_on():
    out = swapped(with_thing(ball(5), 10), ball(4))
    assert out is not None
    assert is_closed(out.faces)
    assert np.linalg.norm(out.vertices, axis=1).max() < 1.02 * RADIUS


def test_a_stump_gets_its_limb():
    limb = trimesh.creation.capsule(0.3, 0.04, count=[24, 24]).subdivide_to_size(0.012)  # z from -0.19 to 0.19
    short = trimesh.creation.cylinder(0.04, 0.2, sections=24).subdivide_to_size(0.01)
    short.apply_translation([0, 0, -0.09])
    short.merge_vertices()
    limb.merge_vertices()
    region = np.clip(0.5 + limb.vertices[:, 2] / 0.02, 0, 1)
    out = stitch(short.vertices, short.faces, limb.vertices, limb.faces, region, stump=True)
    assert out is not None
    assert is_closed(out.faces)
    assert out.vertices[:, 2].max() == pytest.approx(limb.vertices[:, 2].max())
    assert out.vertices[:, 2].min() == pytest.approx(short.vertices[:, 2].min())


def test_pieces_within_come_along():
    free, skin, inner = ball(4), ball(5), ball(2, 0.02)
    base = trimesh.util.concatenate([skin, inner])
    out = swapped(free, base)
    assert out is not None
    vertices, faces, own = with_inner_pieces(out.vertices, out.faces, base.vertices, base.faces)
    assert is_closed(faces)
    assert len(faces) == len(out.faces) + len(inner.faces)
    assert np.array_equal(own, np.arange(len(skin.vertices), len(base.vertices)))
    assert np.array_equal(vertices[len(out.vertices) :], base.vertices[own])


def test_rings_of_different_counts_are_zipped_with_each_edge_once():
    angle = [np.linspace(0, 2 * np.pi, count, endpoint=False) for count in (31, 50)]
    one, two = (r * np.stack([np.cos(a), np.sin(a), 0 * a], 1) for r, a in zip((1.2, 1.0), angle, strict=True))
    strip = zip_loops(one, two)
    assert len(strip) == 81
    points = np.concatenate([one, two])
    area = np.cross(*(points[strip[:, k]] - points[strip[:, 0]] for k in (1, 2)))[:, 2] / 2
    assert (area > 0).all() or (area < 0).all()
    inner, outer = (n / 2 * r**2 * np.sin(2 * np.pi / n) for n, r in ((50, 1.0), (31, 1.2)))
    assert np.abs(area.sum()) == pytest.approx(outer - inner)


def test_the_bodys_own_regions():
    model = load_body()
    face, left, right = face_region(model), hand_region(model, "left"), hand_region(model, "right")
    inside = model.template[face > 0.5]
    part = np.array(model.part_names)[model.parts]
    assert set(part[face > 0.5]) <= {"head", "mouth", "eyes"}
    ears = model.landmark_points(model.template, ["left_ear", "right_ear"])
    assert np.linalg.norm(inside[:, None] - ears, axis=2).min() > 0.02
    for name in ("eyeBlinkLeft", "eyeBlinkRight", "mouthPucker"):
        index, offset = model.face_shapes[name]
        moves = np.linalg.norm(offset, axis=1)
        assert (face[index[moves > 0.5 * moves.max()]] > 0.5).all(), name
    wrist = model.joint_template[model.joint_names.index("left_wrist"), 0]
    x = model.template[:, 0]  # arms lie along X
    assert np.array_equal(left > 0.5, x > x[left > 0.5].min() - 1e-6)
    assert wrist < x[left > 0.5].min() < wrist + 0.03
    assert x[right > 0.5].max() == pytest.approx(-x[left > 0.5].min(), abs=1e-4)
    for side, hand in (("left", left), ("right", right)):
        whole, part_of_it = (arm_region(model, side, cut) for cut in CUTS)
        assert (whole >= part_of_it).all()
        assert (part_of_it[hand > 0.5] > 0.5).all()


def test_models_that_know_less_have_fewer_regions():
    model = load_body()
    bare = replace(model, parts=None, face_shapes={}, landmarks={})
    assert not face_region(bare).any()
    assert np.array_equal(hand_region(bare, "left"), hand_region(model, "left"))
    assert hand_region(bare, "right").any()
    nameless = replace(bare, joint_names=tuple(f"joint{k}" for k in range(len(model.joint_names))))
    assert not any(hand_region(nameless, side).any() or arm_region(nameless, side, CUTS[0]).any() for side in SIDES)


@pytest.mark.parametrize("part", ["face", "left", "right"])
def test_a_body_gets_its_own_parts_back(part):
    model = load_body()
    region = face_region(model) if part == "face" else hand_region(model, part)
    vertices = model.template.astype(float)
    out = stitch(vertices, model.faces, vertices, model.faces, region)
    assert out is not None and is_closed(out.faces)
    skin = np.unique(model.faces[model.outer_faces])
    assert np.isin(skin[region[skin] > 0.7], out.base).mean() > 0.9  # not the insides of lids and lips
    of_base = out.base >= 0
    assert np.array_equal(out.vertices[of_base], vertices[out.base[of_base]])
