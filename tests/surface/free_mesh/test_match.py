"""Ties to the body: what lies on it is tied to the place that it lies on."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.render.normals import vertex_normals
from lookalike.surface.free_mesh.ground import Ground
from lookalike.surface.free_mesh.limbs import LIMBS, body_limbs, vertex_limbs
from lookalike.surface.free_mesh.match import Match, match
from lookalike.surface.smooth import unique_edges
from tests.bare_surface import bare_surface


def ties_of(person) -> Match:
    body = person.body
    ground = Ground.of(bare_surface(body), body)
    return match(person.vertices, person.faces, unique_edges(person.faces), body, body_limbs(body.model), ground)


@pytest.mark.parametrize("off", [0.0, 0.012])
def test_the_skin_and_tight_cloth_are_tied_to_themselves(one_skin, off):
    """Also where a hand lies on the hip: its own skin. Hands wear no loose cloth."""
    body = one_skin().body
    limbs = body_limbs(body.model)
    used = np.unique(limbs.faces)
    number = np.full(len(body.vertices), -1)
    number[used] = np.arange(len(used))
    faces = number[limbs.faces]
    points = body.vertices[used] + off * vertex_normals(body.vertices[used], faces)
    ties = match(points, faces, unique_edges(faces), body, limbs, Ground.of(bare_surface(body), body))
    away = np.linalg.norm((ties.anchors @ body.model.template) - body.model.template[used], axis=1)
    cloth = ~np.isin(used, limbs.faces[limbs.hand]) if off else np.ones(len(used), bool)
    assert np.percentile(away[cloth], 95) < 0.004 + 1.1 * off
    assert (away[cloth] < 0.05).mean() > 0.995
    assert np.allclose(np.asarray(ties.anchors.sum(1)), 1)
    assert ties.matched[cloth].mean() > (0.95 if off == 0 else 0.85)
    own = vertex_limbs(body.model)[used]
    assert (ties.limb == own)[cloth].mean() > 0.93


def test_a_skin_that_holds_arms_and_torso_is_divided_between_them(one_skin):
    person = one_skin()
    ties = ties_of(person)
    for name, joint in (("left_forearm", "left_wrist"), ("right_forearm", "right_wrist")):
        wrist = person.body.joints[list(person.body.model.joint_names).index(joint)]
        mine = ties.limb == LIMBS.index(name)
        assert np.linalg.norm(person.vertices[mine] - wrist, axis=1).max() < 0.36
        around = np.linalg.norm(person.vertices - wrist, axis=1) < 0.05
        outer = around & (np.abs(person.vertices[:, 0] - 0.1) > np.abs(wrist[0] - 0.1))
        assert mine[outer].mean() > 0.95


def test_only_what_is_near_and_faces_alike_is_believed(one_skin):
    person = one_skin(skirt=True)
    ties = ties_of(person)
    apart = np.linalg.norm(person.vertices - ties.anchors @ person.body.vertices, axis=1)
    assert ties.matched[apart < 0.01].mean() > 0.85
    assert (ties.matched[apart > 0.07] == 0).all()
    assert (apart > 0.07).sum() > 100  # the skirt
