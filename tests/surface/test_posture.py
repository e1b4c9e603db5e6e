"""The part of a difference in depth that another pose would make is found again, and clothes are none."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from lookalike.body.load import load_body
from lookalike.body.model import Body
from lookalike.camera import Camera
from lookalike.surface.posture import find_slide
from lookalike.surface.regions import find_regions

PHOTO = Camera.for_photo(600, 800)


@lru_cache
def person() -> Body:
    """Somebody who stands with the arms half down and the legs apart."""
    model = load_body()
    pose = np.zeros((len(model.joint_names), 3), np.float32)
    for side, sign in (("left", 1), ("right", -1)):
        pose[model.joint_names.index(f"{side}_shoulder"), 2] = -sign * np.radians(50)
        pose[model.joint_names.index(f"{side}_hip"), 2] = sign * np.radians(9)
    return model.posed(np.zeros(model.shape_count, np.float32), pose, np.array([0, 0.05, -3.2]), PHOTO)


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
