"""Rigging a mesh that is not the body's own: truth from bodies in known poses."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.body import JOINTS
from lookalike.render.motion import find_motion, pose_at, pose_avatar
from lookalike.rig.free_rest import free_rest
from lookalike.rig.inpaint_weights import inpaint_weights
from lookalike.rig.rest import a_pose
from lookalike.rig.weights import prune
from lookalike.surface.free_mesh import free_surface
from lookalike.surface.free_mesh.limbs import LIMBS
from lookalike.surface.smooth import unique_edges
from tests.bare_surface import bare_surface
from tests.one_skin import skin_over
from tests.rig.conftest import make_body


@pytest.fixture(scope="module")
def stroller():
    """A striding body as a mesh of its own, with one arm bent: surface and body."""
    pose = {
        "left_hip": (-0.5, 0, 0),
        "right_hip": (0.3, 0, 0),
        "right_knee": (0.5, 0, 0),
        "left_shoulder": (0, 0, -1.1),
    }
    body = make_body(pose=pose | {"left_elbow": (0, -0.7, 0), "right_shoulder": (0, 0, 0.9)})
    return free_surface(*skin_over(body), body, bare_surface(body)), body


@pytest.fixture(scope="module")
def skirted():
    """A body with its arms held out in a wide skirt that ends under the knees: surface and body."""
    body = make_body(pose={"left_shoulder": (0, 0, -0.6), "right_shoulder": (0, 0, 0.6)})
    return free_surface(*skin_over(body, skirt=True), body, bare_surface(body)), body


def test_a_bare_body_comes_back_to_the_a_pose(stroller):
    surface, body = stroller
    pose = a_pose(body)
    skin = inpaint_weights(surface, body)
    vertices = free_rest(surface, body, pose, *prune(skin.weights), skin.loose)
    truth = surface.anchors @ pose.vertices
    off = np.linalg.norm(surface.vertices - surface.anchors @ body.vertices, axis=1)
    away = np.linalg.norm(vertices - truth, axis=1)[surface.matched > 0.9]
    assert np.median(off) < 0.006  # the polygonised skin itself
    assert np.median(away) < 0.010
    assert np.percentile(away, 98) < 0.04


def test_weights_are_the_bodys_on_the_body(stroller):
    surface, body = stroller
    weights = inpaint_weights(surface, body).weights
    assert np.allclose(np.asarray(weights.sum(1)), 1)
    truth = surface.anchors @ body.model.weights
    differ = np.abs(weights.toarray() - truth).sum(1)[surface.matched > 0.9]
    assert np.percentile(differ, 99) < 0.05


def test_a_skirt_goes_over_smoothly_from_leg_to_leg(skirted):
    surface, body = skirted
    skin = inpaint_weights(surface, body)
    share = {name: np.asarray(skin.weights[:, JOINTS.index(name)].todense()).ravel() for name in JOINTS}
    left, right = (share[f"{s}_hip"] + share[f"{s}_knee"] for s in ("left", "right"))
    hips = body.joints[[JOINTS.index("left_hip"), JOINTS.index("right_hip")]].mean(0)
    knee = body.joints[JOINTS.index("left_knee"), 1]
    front = (np.abs(surface.vertices[:, 0] - hips[0]) < 0.02) & (surface.vertices[:, 2] > hips[2] + 0.15)
    hem = np.abs(surface.vertices[:, 1] - knee) < 0.05
    assert (front & hem).sum() > 5
    assert np.abs(left - right)[front & hem].max() < 0.2
    assert (skin.loose[front & hem] > 0.8).all()
    feet = share["left_ankle"] + share["right_ankle"]
    wide = hem & (np.hypot(*(surface.vertices - hips)[:, [0, 2]].T) > 0.2)
    assert feet[wide].max() < 0.02
    edges = unique_edges(surface.faces)
    cloth = (skin.loose[edges] > 0.5).all(1)
    assert np.abs(left[edges[cloth, 0]] - left[edges[cloth, 1]]).max() < 0.2
    assert skin.stride < 1


@pytest.mark.parametrize("who", ["stroller", "skirted"])
def test_walking_tears_nothing(who, request, rigged):
    surface, body = request.getfixturevalue(who)
    avatar = rigged(surface, body)
    edges = unique_edges(surface.faces)
    rest = np.linalg.norm(np.diff(avatar.vertices[edges], axis=1)[:, 0], axis=1)
    motion = find_motion(avatar, "walk")
    for time in np.linspace(0, motion.times[-1], 5)[:4]:
        moved = np.linalg.norm(np.diff(pose_avatar(avatar, *pose_at(motion, time))[edges], axis=1)[:, 0], axis=1)
        assert np.percentile(moved / np.maximum(rest, 0.004), 99.5) < 2.5
        assert moved.max() < 0.15
    assert "jawOpen" in avatar.face_shapes
    index, offset = avatar.face_shapes["jawOpen"]
    assert np.isin(surface.limb[index], [LIMBS.index(n) for n in ("head", "torso")]).all()
    assert 0.005 < np.linalg.norm(offset, axis=1).max() < 0.06
