"""Fewer triangles: as many as asked for, closed, near the mesh, and most where they are emphasised."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from lookalike.render.raycast import RayCaster
from lookalike.surface.free_mesh.decimate import decimate
from lookalike.surface.free_mesh.holes import boundary_loops, split_fans


def bumpy_ball(level: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """A ball of 10 cm with waves of 2 mm, off the origin."""
    ball = trimesh.creation.icosphere(level, 1.0)
    way = np.asarray(ball.vertices)
    height = 0.1 + 0.002 * np.sin(15 * way[:, 0]) * np.sin(15 * way[:, 1]) * np.sin(15 * way[:, 2])
    return way * height[:, None] + [0.3, 0.2, -3.0], np.asarray(ball.faces, np.int32)


def is_whole(faces: np.ndarray) -> bool:
    """Whether each edge has two faces, one each way, each vertex one fan, and no face is there twice."""
    fans, source = split_fans(faces, int(faces.max()) + 1)
    ends = np.sort(np.stack([faces, np.roll(faces, -1, 1)], -1).reshape(-1, 2), 1)
    twice = (np.unique(ends, axis=0, return_counts=True)[1] == 2).all()
    once = len(np.unique(np.sort(faces, 1), axis=0)) == len(faces)
    return bool(twice and once and len(source) == int(faces.max()) + 1 and not boundary_loops(fans))


@pytest.mark.parametrize("target", [20_000, 3000, 800])
def test_as_many_triangles_as_asked_for_closed_and_near(target):
    points, faces = bumpy_ball()
    fewer_points, fewer, source = decimate(points, faces, target)
    assert target <= len(fewer) <= 1.03 * target
    assert is_whole(fewer)
    assert len(fewer_points) == len(source) == fewer.max() + 1
    edge = np.linalg.norm(fewer_points[fewer[:, 0]] - fewer_points[fewer[:, 1]], axis=1).mean()
    assert np.linalg.norm(points[source] - fewer_points, axis=1).max() < edge
    coarse, fine = trimesh.Trimesh(fewer_points, fewer, process=False), trimesh.Trimesh(points, faces, process=False)
    assert coarse.volume == pytest.approx(fine.volume, rel=0.01)
    outwards = np.einsum("mi,mi->m", coarse.face_normals, coarse.triangles_center - points.mean(0))
    assert outwards.min() > 0


def test_what_is_emphasised_keeps_more_triangles_and_its_shape():
    points, faces = bumpy_ball()
    right = points[:, 0] - points[:, 0].mean()
    emphasis = 1 + 4 * np.clip(right / 0.07, 0, 1)
    plain, spared = decimate(points, faces, 3000), decimate(points, faces, 3000, emphasis)
    assert is_whole(spared[1])

    def share(result):
        return (right[result[2]][result[1]].mean(1) > 0.06).mean()

    def off(result):  # along rays from the middle to vertices of the region
        ways = points[right > 0.07] - points.mean(0)
        return np.abs(RayCaster(*result[:2]).cast(points.mean(0), ways).depth - 1).mean()

    assert share(spared) > 1.5 * share(plain)
    assert off(spared) < 0.8 * off(plain)
    assert len(spared[1]) <= 1.03 * 3000
    normals = trimesh.Trimesh(*spared[:2], process=False).face_normals
    assert np.einsum("mi,mi->m", normals, (spared[0][spared[1]].mean(1) - points.mean(0))).min() > 0


def test_pieces_stay_pieces_and_thin_tubes_do_not_close():
    ball, faces = bumpy_ball(5)
    torus = trimesh.creation.torus(0.05, 0.002, major_sections=200, minor_sections=12)
    points = np.concatenate([ball, torus.vertices + [0.6, 0.2, -3.0], ball * 0.2 + [0.3, 0.2, -2.0]])
    faces = np.concatenate([faces, np.int32(torus.faces) + len(ball), faces + len(ball) + len(torus.vertices)])
    emphasis = np.ones(len(points))
    emphasis[-len(ball) :] = 3.0  # a whole piece
    fewer_points, fewer, source = decimate(points, faces, 1500, emphasis)
    assert is_whole(fewer)
    piece = (source >= len(ball)).astype(int) + (source >= len(ball) + len(torus.vertices))
    assert (piece[fewer] == piece[fewer[:, :1]]).all()
    euler = [len(np.unique(fewer[piece[fewer[:, 0]] == k])) - (piece[fewer[:, 0]] == k).sum() // 2 for k in range(3)]
    assert euler == [2, 0, 2]
    assert np.isfinite(fewer_points).all()


def test_a_mesh_with_no_more_is_left_alone():
    points, faces = bumpy_ball(2)
    same_points, same, source = decimate(points, faces, len(faces))
    np.testing.assert_array_equal(same_points, points)
    np.testing.assert_array_equal(same, faces)
    np.testing.assert_array_equal(source, np.arange(len(points)))
