"""Following maps: of the surface itself, of a rippled one, of one that leans, of one with an arm in another place."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from lookalike.body.load import load_body
from lookalike.body.model import Body
from lookalike.camera import Camera
from lookalike.evaluate.maps import score_maps
from lookalike.maps.maps import Maps, render_maps
from lookalike.maps.network import STEM, PredictedMaps
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import RayCaster
from lookalike.surface.follow import follow_maps
from lookalike.surface.layers import Gaps, look
from lookalike.surface.mesh import Surface
from tests.bare_surface import bare_surface

PHOTO = Camera.for_photo(600, 800)
#: A square crop of the photo around the person.
CROP = PHOTO.window(90, 130, 460, 460, 512 / 460)


@lru_cache
def person(across: float = 0.0) -> Body:
    """Somebody who stands with the arms half down; the left forearm across the belly, turned by `across` degrees."""
    model = load_body()
    pose = np.zeros((len(model.joint_names), 3), np.float32)
    for side, sign in (("left", 1), ("right", -1)):
        pose[model.joint_names.index(f"{side}_shoulder"), 2] = -sign * np.radians(55)
        pose[model.joint_names.index(f"{side}_hip"), 2] = sign * np.radians(6)
    if across:
        pose[model.joint_names.index("left_elbow"), 1] = -np.radians(110)
        pose[model.joint_names.index("left_elbow"), 2] = -np.radians(across)
    return model.posed(np.zeros(model.shape_count, np.float32), pose, np.array([0, 0.05, -3.2]), PHOTO)


def maps_of(vertices: np.ndarray, faces: np.ndarray) -> Maps:
    return render_maps(vertices, faces, CROP, threads=1)


def told(maps: Maps, confidence: float = 1.0) -> PredictedMaps:
    """Maps as if a network had predicted them."""
    height, width = maps.mask.shape
    sure = (confidence * np.repeat(maps.mask[..., None], 2, 2)).astype(np.float32)
    small = (height // STEM, width // STEM)
    return PredictedMaps(
        maps,
        maps.mask.astype(np.uint8),
        np.zeros((height, width, 3), np.uint8),
        sure,
        np.zeros((6, *small), np.float32),
        np.ones((4, *small), np.float32),
    )


def along_rays(vertices: np.ndarray, metres: np.ndarray) -> np.ndarray:
    rays = vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    return (vertices + metres[:, None] * rays).astype(np.float32)


def moves(surface: Surface, body: Body) -> np.ndarray:
    """(n,) metres along the rays, away from the camera."""
    return np.linalg.norm(surface.vertices.astype(float), axis=1) - np.linalg.norm(body.vertices.astype(float), axis=1)


def rows_of(body: Body, *names: str) -> np.ndarray:
    return np.isin(body.model.parts, [body.model.part_names.index(n) for n in names])


def rippled(body: Body, size: float = 0.014, wave: float = 0.16) -> np.ndarray:
    """The body with level folds on the torso and the legs, `wave` metres apart."""
    cloth = rows_of(body, "torso", "left_leg", "right_leg")
    return along_rays(body.vertices, size * cloth * np.sin(2 * np.pi * body.vertices[:, 1] / wave))


@lru_cache
def followed() -> tuple[Body, np.ndarray, Surface]:
    body = person()
    truth = rippled(body)
    return body, truth, follow_maps(bare_surface(body), body, told(maps_of(truth, body.model.faces)))


def test_what_is_right_already_stays():
    body = person()
    surface = follow_maps(bare_surface(body), body, told(maps_of(body.vertices, body.model.faces)))
    moved = np.abs(moves(surface, body))
    assert np.median(moved) < 0.0007 and np.percentile(moved, 99) < 0.004


def test_folds_come_out_in_front_and_behind():
    body, truth, surface = followed()
    faces = body.model.faces
    true_maps = maps_of(truth, faces)
    before = score_maps(maps_of(body.vertices, faces), true_maps)
    after = score_maps(maps_of(surface.vertices, faces), true_maps)
    for side in ("front", "back"):
        assert getattr(before, side).mean > 6
        assert getattr(after, side).mean < 0.5 * getattr(before, side).mean
        assert getattr(after, f"depth_{side}").raw < 0.5 * getattr(before, f"depth_{side}").raw


def test_the_outline_in_the_picture_stays():
    body, _, surface = followed()
    np.testing.assert_allclose(PHOTO.project(surface.vertices), PHOTO.project(body.vertices), atol=0.01)
    np.testing.assert_array_equal(surface.faces, body.model.faces)
    assert surface.vertices.dtype == np.float32


def test_normals_alone_bring_the_folds():
    body, truth, _ = followed()
    faces = body.model.faces
    true_maps, own = maps_of(truth, faces), maps_of(body.vertices, faces)
    flat = replace(true_maps, depth_front=own.depth_front, depth_back=own.depth_back)
    surface = follow_maps(bare_surface(body), body, told(flat))
    score = score_maps(maps_of(surface.vertices, faces), true_maps)
    before = score_maps(own, true_maps)
    assert score.front.mean < 0.6 * before.front.mean and score.back.mean < 0.6 * before.back.mean


def test_normals_that_are_not_trusted_bring_none():
    body, truth, _ = followed()
    faces = body.model.faces
    true_maps, own = maps_of(truth, faces), maps_of(body.vertices, faces)
    flat = replace(true_maps, depth_front=own.depth_front, depth_back=own.depth_back)
    surface = follow_maps(bare_surface(body), body, told(flat, confidence=0.0))
    assert np.percentile(np.abs(moves(surface, body)), 99) < 0.004


def test_how_far_away_the_person_stands_is_not_taken_from_the_maps():
    body, truth, surface = followed()
    maps = maps_of(truth, body.model.faces)
    farther = replace(maps, depth_front=maps.depth_front + 0.3, depth_back=maps.depth_back + 0.3)
    again = follow_maps(bare_surface(body), body, told(farther))
    np.testing.assert_allclose(again.vertices, surface.vertices, atol=2e-4)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_how_the_whole_person_leans_is_left_to_the_body(share):
    body = person()
    lean = 0.05 * (body.vertices[:, 1] - body.joints[0, 1]) / 0.6  # metres away from the camera, head and feet by 5 cm
    truth = along_rays(body.vertices, lean)
    surface = follow_maps(bare_surface(body), body, told(maps_of(truth, body.model.faces)), depth=share)
    rest = moves(surface, body)
    trunk = rows_of(body, "torso", "left_leg", "right_leg", "head")
    assert np.abs(rest[trunk] - np.median(rest[trunk])).mean() < 0.006


def test_hands_stay_whole_and_eyes_go_with_the_head():
    body, _, _ = followed()
    rng = np.random.default_rng(0)
    maps = maps_of(rippled(body), body.model.faces)
    wild = maps.normals_front + 0.5 * rng.normal(size=maps.normals_front.shape) * maps.mask[..., None]
    wild = wild / np.maximum(np.linalg.norm(wild, axis=2, keepdims=True), 1e-9)
    surface = follow_maps(bare_surface(body), body, told(replace(maps, normals_front=wild.astype(np.float32))))
    move = moves(surface, body)
    for part in ("left_hand", "right_hand"):
        mine = rows_of(body, part)
        base = np.column_stack([np.ones(mine.sum()), body.vertices[mine, :2]])
        plane = np.linalg.lstsq(base, move[mine], rcond=None)[0]
        assert np.abs(base @ plane - move[mine]).max() < 0.004
    assert np.ptp(move[rows_of(body, "eyes")]) < 0.004


def test_an_arm_elsewhere_in_the_picture_does_not_pull_the_belly_out():
    body, other = person(15.0), person(5.0)
    surface = follow_maps(bare_surface(body), body, told(maps_of(other.vertices, body.model.faces)))
    move = moves(surface, body)
    belly = rows_of(body, "torso")
    assert np.median(np.abs(move[belly])) < 0.002 and np.abs(move[belly]).max() < 0.025
    # Nothing joins: the forearm is as far before the belly as it was.
    arm = rows_of(body, "left_arm")
    assert np.median(np.abs(move[arm])) < 0.015


def test_front_and_back_do_not_change_places():
    body = person()
    maps = maps_of(body.vertices, body.model.faces)
    # Maps of a person of paper.
    middle = (maps.depth_front + maps.depth_back) / 2
    paper = replace(maps, depth_front=middle, depth_back=middle)
    surface = follow_maps(bare_surface(body), body, told(paper, confidence=0.0), depth=1.0)
    after = maps_of(surface.vertices, body.model.faces)
    both = maps.mask & after.mask
    thick = (maps.depth_back - maps.depth_front)[both]
    left = (after.depth_back - after.depth_front)[both]
    assert np.median(left) < 0.3 * np.median(thick)
    assert (left[thick > 0.05] > 0.003).mean() > 0.99


def test_maps_that_show_nobody_change_nothing():
    surface, maps = bare_surface(person()), maps_of(person().vertices, person().model.faces)
    empty = np.zeros_like(maps.mask)
    nothing = np.full(maps.mask.shape, np.nan, np.float32)
    zero = np.zeros_like(maps.normals_front)
    nobody = Maps(CROP, zero, zero, nothing, nothing, empty)
    np.testing.assert_array_equal(follow_maps(surface, person(), told(nobody)).vertices, surface.vertices)


def sheets(depths: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Square sheets, facing the camera and away from it in turn, as the sides of slabs do."""
    y, x = np.divmod(np.arange(21 * 21), 21)
    corner = (np.arange(20)[:, None] * 21 + np.arange(20)).ravel()
    faces = np.concatenate(
        [np.stack([corner, corner + 1, corner + 22], 1), np.stack([corner, corner + 22, corner + 21], 1)]
    )
    flat = np.stack([0.04 * (x - 10), 0.04 * (y - 10), np.full(len(x), -1.0)], 1)
    vertices = np.concatenate([flat * depth for depth in depths])
    ways = [faces if number % 2 == 0 else faces[:, ::-1] for number in range(len(depths))]
    return vertices, np.concatenate([way + 441 * number for number, way in enumerate(ways)])


def test_only_the_first_and_the_last_layer_of_a_ray_see_the_maps():
    vertices, faces = sheets([2.0, 2.1, 2.3, 2.4])
    camera = Camera(300.0, 150, 150, 300, 300)
    maps = render_maps(*sheets([2.05, 2.1, 2.3, 2.35]), camera, threads=1)
    seen = look(vertices, vertex_normals(vertices, faces).astype(float), RayCaster(vertices, faces), told(maps))
    inner = (np.abs(vertices[:, :2] / -vertices[:, 2:]) < 0.3).all(1)
    layer = np.repeat(np.arange(4), 441)
    for number, side, move in ((0, 1, 0.05), (3, -1, -0.05)):
        mine = inner & (layer == number)
        assert (seen.side[mine] == side).all() and (seen.weight[mine] > 0.9).all()
        length = np.linalg.norm(vertices[mine] / -vertices[mine, 2:], axis=1)
        np.testing.assert_allclose(seen.move[mine] / length, move, atol=2e-3)
    assert not seen.weight[inner & ((layer == 1) | (layer == 2))].any()


def test_layers_are_parted_where_they_would_pass_each_other():
    vertices, faces = sheets([2.0, 2.1])
    normals = vertex_normals(vertices, faces).astype(float)
    gaps = Gaps.find(vertices, normals, RayCaster(vertices, faces))
    move = np.repeat([0.2, 0.0], 441)  # the first goes through the second
    parted = gaps.parted(move, np.zeros(len(move), bool))
    depth = (vertices + parted[:, None] * vertices / np.linalg.norm(vertices, axis=1, keepdims=True))[:, 2]
    inner = (np.abs(vertices[:441, :2]) < 0.6).all(1)
    assert (depth[:441] - depth[441:])[inner].min() > 0.004
    held = gaps.parted(move, np.repeat([False, True], 441))
    np.testing.assert_array_equal(held[441:], 0)
    np.testing.assert_array_equal(gaps.parted(0.02 * np.sign(move), np.zeros(len(move), bool)), 0.02 * np.sign(move))
