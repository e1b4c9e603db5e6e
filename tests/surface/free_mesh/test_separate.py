"""Limbs that touch in the photo come apart, closed; a skirt stays one piece."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from lookalike.surface.free_mesh import free_surface
from lookalike.surface.free_mesh.holes import boundary_loops, close, smooth_patch, split_fans
from lookalike.surface.free_mesh.limbs import LIMBS
from lookalike.surface.free_mesh.separate import spans_legs
from lookalike.surface.smooth import unique_edges
from tests.bare_surface import bare_surface


def is_closed(faces: np.ndarray) -> bool:
    """Whether each edge has a face on both sides, and each vertex one fan."""
    whole, source = split_fans(faces, int(faces.max()) + 1)
    return not boundary_loops(whole) and len(source) == len(np.unique(faces))


def test_arms_on_the_hips_come_apart_and_are_closed(one_skin):
    person = one_skin()
    assert is_closed(person.faces)
    surface = free_surface(person.vertices, person.faces, person.body, bare_surface(person.body))
    assert not boundary_loops(split_fans(surface.faces, len(surface.vertices))[0])
    edges = unique_edges(surface.faces)
    ends = surface.limb[edges]
    for side in ("left", "right"):
        forearm = LIMBS.index(f"{side}_forearm")
        others = [k for k, name in enumerate(LIMBS) if k != forearm and name != f"{side}_upper_arm"]
        touch = ((ends[:, 0] == forearm) & np.isin(ends[:, 1], others)) | (
            (ends[:, 1] == forearm) & np.isin(ends[:, 0], others)
        )
        assert not touch.any()
    rest = surface.anchors @ person.body.rest
    torn = np.linalg.norm(rest[edges[:, 0]] - rest[edges[:, 1]], axis=1) > 0.15
    assert torn.mean() < 0.0015


def test_small_pieces_that_were_there_before_stay(one_skin):
    """Eyeballs, which are no crumbs of a cut."""
    person = one_skin()
    eye = trimesh.creation.icosphere(1, 0.012)
    head = person.body.joints[list(person.body.model.joint_names).index("head")]
    vertices = np.concatenate([person.vertices, eye.vertices + head])
    faces = np.concatenate([person.faces, eye.faces + len(person.vertices)])
    surface = free_surface(vertices, faces, person.body, bare_surface(person.body))
    near = np.linalg.norm(surface.vertices[surface.faces] - head, axis=2).max(1) < 0.013
    assert near.sum() == len(eye.faces)


def test_a_skirt_is_not_cut(one_skin):
    person = one_skin(skirt=True)
    surface = free_surface(person.vertices, person.faces, person.body, bare_surface(person.body))
    before = person.vertices[:, 1].min(), len(person.faces)
    assert surface.vertices[:, 1].min() == pytest.approx(before[0], abs=1e-5)
    edges = unique_edges(surface.faces)
    between = edges[spans_legs(edges, surface.limb)]
    knee = person.body.joints[list(person.body.model.joint_names).index("left_knee"), 1]
    height = surface.vertices[between[:, 0], 1]
    assert (height < knee + 0.1).sum() > 4
    assert (height > knee + 0.2).sum() > 10


def test_a_hole_in_a_ball_is_closed_by_a_smooth_cap():
    ball = trimesh.creation.icosphere(4, 1.0)
    faces = ball.faces[ball.triangles_center[:, 2] < 0.9]
    faces, source = split_fans(faces, len(ball.vertices))
    points = ball.vertices[source]
    (loop,) = boundary_loops(faces)
    triangles, extra = close(points, loop)
    everything = np.concatenate([points, extra])
    closed = np.concatenate([faces, triangles])
    assert is_closed(closed)
    smooth = smooth_patch(everything, closed, np.arange(len(everything)) >= len(points))
    mesh = trimesh.Trimesh(smooth, closed, process=False)
    assert mesh.is_winding_consistent
    rim = points[loop, 2]
    assert np.abs(smooth[len(points) :, 2] - rim.mean()).max() < np.ptp(rim)
    assert mesh.volume == pytest.approx(4.189, rel=0.02)


def test_balls_that_share_a_vertex_get_one_each():
    one = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])
    two = np.array([[3, 5, 4], [3, 4, 6], [4, 5, 6], [3, 6, 5]])
    faces, source = split_fans(np.concatenate([one, two]), 7)
    assert sorted(source.tolist()) == [0, 1, 2, 3, 3, 4, 5, 6]
    assert not boundary_loops(faces)
    assert not np.intersect1d(faces[:4], faces[4:]).size
