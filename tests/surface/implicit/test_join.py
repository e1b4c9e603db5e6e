"""One closed mesh of the followed mesh and of what the picture shows beyond it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from scipy.spatial import cKDTree

from lookalike.body import JOINTS, Body, load_body
from lookalike.camera import Camera
from lookalike.maps.maps import render_maps
from lookalike.maps.network import STEM, PredictedMaps
from lookalike.people.sample import LABELS
from lookalike.render.raycast import RayCaster
from lookalike.surface.free_mesh.ground import Ground
from lookalike.surface.implicit import join
from lookalike.surface.implicit.join import STEP, _close_seam
from lookalike.surface.implicit.sheets import find_sheets
from tests.bare_surface import bare_surface

PHOTO = Camera.for_photo(600, 800)
CROP = PHOTO.window(30, 110, 590, 590, 512 / 590)


@lru_cache
def person() -> Body:
    """Somebody whose hands lie on the thighs."""
    model = load_body()
    pose = np.zeros((len(JOINTS), 3), np.float32)
    for side, sign in (("left", 1), ("right", -1)):
        pose[JOINTS.index(f"{side}_shoulder"), 2] = -sign * 1.48
        pose[JOINTS.index(f"{side}_hip"), 2] = sign * 0.12
    return model.posed(np.zeros(model.shape_count, np.float32), pose, np.array([0, 0.05, -3.2]), PHOTO)


def told(beyond: np.ndarray | None = None, label: str = "hair") -> PredictedMaps:
    """What a network that knows everything says of the bare body. beyond : (h, w) bool, also there is somebody, as deep as
    the head."""
    body = person()
    maps = render_maps(body.vertices, body.model.faces[body.model.outer_faces], CROP, threads=1)
    labels = maps.mask.astype(np.uint8)
    if beyond is not None:
        beyond = beyond & ~maps.mask
        head = body.joints[JOINTS.index("head")]
        front = np.where(beyond, -head[2] - 0.08, maps.depth_front).astype(np.float32)
        back = np.where(beyond, -head[2] + 0.08, maps.depth_back).astype(np.float32)
        labels[beyond] = LABELS.index(label)
        maps = replace(maps, mask=maps.mask | beyond, depth_front=front, depth_back=back)
    height, width = maps.mask.shape
    small = (height // STEM, width // STEM)
    sure = np.repeat(maps.mask[..., None], 2, 2).astype(np.float32)
    motion, spread = np.zeros((6, *small), np.float32), np.ones((4, *small), np.float32)
    return PredictedMaps(maps, labels, np.zeros((height, width, 3), np.uint8), sure, motion, spread)


def hat() -> np.ndarray:
    """(h, w) bool: a disc over the head, 12 cm high and wider than the head."""
    top = person().vertices[:, 1].max()
    u, v = CROP.project(np.array([[0.0, top, person().joints[JOINTS.index("head")][2]]]))[0]
    pixel = 3.2 / CROP.focal
    rows, columns = np.mgrid[: CROP.height, : CROP.width]
    return (np.abs(columns - u) < 0.14 / pixel) & (rows > v - 0.12 / pixel) & (rows < v + 0.04 / pixel)


@lru_cache
def joined(with_hat: bool) -> tuple[np.ndarray, np.ndarray]:
    mesh = join(bare_surface(person()), person(), told(hat() if with_hat else None))
    kept = mesh.own >= 0
    assert np.array_equal(mesh.vertices[kept], person().vertices[mesh.own[kept]].astype(float))
    return mesh.vertices, mesh.faces


@pytest.mark.parametrize("with_hat", [False, True])
def test_the_mesh_is_closed_and_each_edge_runs_there_and_back_once(with_hat):
    _, faces = joined(with_hat)
    ends = np.stack([faces, np.roll(faces, -1, 1)], -1).reshape(-1, 2).astype(np.int64)
    size = int(faces.max()) + 1
    there, back = ends @ [size, 1], ends @ [1, size]
    assert len(np.unique(there)) == len(there)
    assert np.array_equal(np.sort(there), np.sort(back))


@pytest.mark.parametrize("with_hat", [False, True])
def test_no_two_vertices_lie_at_one_place(with_hat):
    vertices, _ = joined(with_hat)
    assert len(np.unique(vertices.astype(np.float32), axis=0)) == len(vertices)


def test_the_body_comes_back():
    body, (vertices, faces) = person(), joined(False)
    skin = np.unique(body.model.faces[body.model.outer_faces])
    near = cKDTree(vertices).query(body.vertices[skin])[0]
    assert np.median(near) < 0.6 * STEP and np.percentile(near, 98) < 1.5 * STEP
    # hands lie on the thighs and are still the body's own
    hand = np.flatnonzero(np.char.find(np.array(body.model.part_names), "hand")[body.model.parts] >= 0)
    assert (cKDTree(vertices).query(body.vertices[hand])[0] < 1e-6).mean() > 0.95
    assert RayCaster(vertices, faces).cast_image(CROP).hit.sum() == pytest.approx(told().maps.mask.sum(), rel=0.01)


def test_a_hat_is_added_and_skin_that_lies_elsewhere_is_not():
    body = person()
    vertices, faces = joined(True)
    seen = RayCaster(vertices, faces).cast_image(CROP).hit
    wanted = told(hat()).maps.mask
    assert (seen & wanted).sum() / (seen | wanted).sum() > 0.985
    above = vertices[vertices[:, 1] > body.vertices[:, 1].max() + 0.03]
    assert len(above) > 300
    head = body.joints[JOINTS.index("head")]
    assert 0.1 < np.ptp(above[:, 2]) < 0.2 and abs(above[:, 2].mean() - head[2]) < 0.05
    ground = Ground.of(bare_surface(body), body)
    assert find_sheets(ground, body, told(hat(), "skin"))[0] is None
    assert find_sheets(ground, body, told())[0] is None


def test_what_is_missing_at_an_arm_makes_a_wide_sleeve_if_it_is_much():
    body = person()
    ground = Ground.of(bare_surface(body), body)
    arm = (body.model.weights[:, JOINTS.index("left_elbow")] > 0.5)[ground.faces].all(1)
    u, v = CROP.project(body.joints[[JOINTS.index("left_elbow"), JOINTS.index("left_wrist")]]).mean(0)
    rows, columns = np.mgrid[: CROP.height, : CROP.width]
    for half, wide in ((0.042, False), (0.1, True)):
        beside = (np.abs(columns - u) < half * CROP.focal / 3.2) & (np.abs(rows - v) < 0.05 * CROP.focal / 3.2)
        found = find_sheets(ground, body, told(beside, "upper"), (arm, ~arm & False))
        assert found[1] == (wide, False)


def test_a_seam_is_levelled_and_what_is_far_from_it_stays():
    x, y, z = (np.arange(0, size, STEP) for size in (0.4, 0.24, 0.2))
    grid = np.stack(np.meshgrid(x, y, z, indexing="ij"), -1)
    inside = (grid[..., 2] < 0.1).astype(np.float32)  # a floor with two grooves 12 mm wide and 32 mm deep
    grooves = [np.abs(grid[..., 0] - at) < 0.006 for at in (0.12, 0.34)]
    for groove in grooves:
        inside[groove & (grid[..., 2] > 0.068)] = 0
    seam = grid[grooves[0] & (grid[..., 2] < 0.06)]
    before = inside.copy()
    _close_seam(inside, seam / STEP)
    at = round(0.12 / STEP), slice(round(0.06 / STEP), round(0.18 / STEP)), round(0.08 / STEP)
    assert (inside[at] > 0.5).all() and (before[at] == 0).all()
    far = round(0.32 / STEP)
    assert np.array_equal(inside[far:], before[far:])
