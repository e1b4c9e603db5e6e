"""The implicit surface: a fresh network gives back what was drawn out, sharpening brings folds, a slide is found again."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
import trimesh
from scipy.spatial import cKDTree

from lookalike.body.load import load_body
from lookalike.body.model import Body
from lookalike.camera import Camera
from lookalike.maps.maps import render_maps
from lookalike.maps.network import STEM, PredictedMaps
from lookalike.surface.field.extract import Field, polygonise
from lookalike.surface.field.local import GROUPS, LocalMaps, Prior, features, local_maps
from lookalike.surface.field.network import FieldNetwork
from lookalike.surface.field.posture import find_slide
from lookalike.surface.field.sharpen import sharpen, smoothed
from lookalike.surface.regions import find_regions
from tests.bare_surface import bare_surface

PHOTO = Camera.for_photo(600, 800)
CROP = PHOTO.window(30, 110, 590, 590, 256 / 590)


@lru_cache
def person() -> Body:
    """Somebody who stands with the arms half down and the legs apart."""
    model = load_body()
    pose = np.zeros((len(model.joint_names), 3), np.float32)
    for side, sign in (("left", 1), ("right", -1)):
        pose[model.joint_names.index(f"{side}_shoulder"), 2] = -sign * np.radians(50)
        pose[model.joint_names.index(f"{side}_hip"), 2] = sign * np.radians(9)
    return model.posed(np.zeros(model.shape_count, np.float32), pose, np.array([0, 0.05, -3.2]), PHOTO)


def told(vertices: np.ndarray, body: Body) -> PredictedMaps:
    """What a network that knows everything says of somebody with the body's faces."""
    maps = render_maps(vertices, body.model.faces[body.model.outer_faces], CROP, threads=1)
    height, width = maps.mask.shape
    sure = np.repeat(maps.mask[..., None], 2, 2).astype(np.float32)
    small = (height // STEM, width // STEM)
    image = np.zeros((GROUPS["image"], *small), np.float32)
    motion, spread = np.zeros((6, *small), np.float32), np.ones((4, *small), np.float32)
    colour = np.zeros((height, width, 3), np.uint8)
    return PredictedMaps(maps, maps.mask.astype(np.uint8), colour, sure, motion, spread, image)


@lru_cache
def known() -> tuple[Prior, PredictedMaps, LocalMaps]:
    body = person()
    prior, predicted = Prior(body, bare_surface(body)), told(body.vertices, body)
    assert predicted.features is not None
    return prior, predicted, local_maps(prior, predicted, predicted.maps.mask.astype(np.float32), predicted.features)


@lru_cache
def fresh_mesh() -> tuple[np.ndarray, np.ndarray]:
    prior, _, local = known()
    torch.manual_seed(0)
    return polygonise(Field(prior, local, FieldNetwork().eval()), resolution=192)


def test_a_fresh_network_gives_back_what_was_drawn_out():
    vertices, faces = fresh_mesh()
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    assert mesh.is_watertight and mesh.body_count == 1 and mesh.volume > 0.03
    body = person()
    limbs = np.isin(body.model.parts, [body.model.part_names.index(n) for n in ("torso", "left_leg", "right_leg")])
    apart = cKDTree(vertices).query(body.vertices[limbs])[0]
    assert np.median(apart) < 0.006 and np.percentile(apart, 98) < 0.015


def test_features_are_told_in_the_order_of_their_groups():
    prior, _, local = known()
    points = person().vertices[::500].astype(float) + [0, 0, 0.05]
    values = features(points, local, prior.at(points))
    assert values.shape == (len(points), sum(GROUPS.values()))
    start = dict(zip(GROUPS, np.cumsum([0, *GROUPS.values()])[:-1], strict=True))
    same = slice(start["distance"], start["distance"] + 3), slice(start["drawn"], start["drawn"] + 3)
    assert torch.allclose(values[:, same[0]], values[:, same[1]], atol=1e-4)  # the drawn-out surface is the body
    assert torch.isfinite(values).all()


def test_a_leg_that_was_put_elsewhere_in_depth_is_found():
    body = person()
    regions = find_regions(body.model)
    points = body.vertices.astype(float)
    knee = list(regions.bone_joints).index(body.model.joint_names.index("left_knee"))
    share = regions.bones[:, [knee]].sum(1)
    drop = 0.3 * share * np.clip(body.joints[body.model.joint_names.index("left_knee"), 1] - points[:, 1], 0, None)
    rng = np.random.default_rng(0)
    noisy = drop + rng.normal(0, 0.01, len(points)) + 0.3 * (rng.random(len(points)) < 0.05)
    slide = find_slide(body, regions, points, regions.bones, noisy, np.ones(len(points)))
    assert np.abs(slide.at(points, regions.bones) - drop).mean() < 0.004


def test_clothes_are_no_slide():
    body = person()
    regions = find_regions(body.model)
    side = np.where(body.normals[:, 2] > 0, 1, -1)
    slide = find_slide(
        body, regions, body.vertices.astype(float), regions.bones, -0.03 * side, np.ones(len(side)), side
    )
    assert np.abs(slide.at(body.vertices.astype(float), regions.bones)).mean() < 0.006


def test_sharpening_brings_folds():
    body = person()
    cloth = np.isin(body.model.parts, [body.model.part_names.index(n) for n in ("torso", "left_leg", "right_leg")])
    ripple = 0.006 * cloth * np.sin(2 * np.pi * body.vertices[:, 1] / 0.08)
    rays = body.vertices / np.linalg.norm(body.vertices, axis=1, keepdims=True)
    predicted = told((body.vertices + ripple[:, None] * rays).astype(np.float32), body)
    vertices, faces = fresh_mesh()
    plain = smoothed(vertices, faces)
    sharp = sharpen(plain, faces, predicted)

    def apart(mesh: np.ndarray) -> float:
        found = render_maps(mesh.astype(np.float32), faces, CROP, threads=1)
        both = found.mask & predicted.maps.mask
        cosine = (found.normals_front * predicted.maps.normals_front).sum(2)[both]
        return float(np.degrees(np.arccos(cosine.clip(-1, 1))).mean())

    assert apart(sharp) < 0.7 * apart(plain)
    assert np.linalg.norm(sharp - plain, axis=1).max() < 0.05
