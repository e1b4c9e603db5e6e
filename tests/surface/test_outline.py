"""Rim and gaps of a sphere, whose outline in a pinhole camera is a circle of known radius."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from lookalike.camera import Camera
from lookalike.photo.subject import Photo, Subject
from lookalike.render.raycast import RayCaster
from lookalike.surface.outline import OutlinePicture, find_rim

CAMERA = Camera(focal=600.0, cx=250.0, cy=250.0, width=500, height=500)
DEPTH, RADIUS = 3.0, 0.5
#: Pixels from the centre to the sphere's outline: tan of the cone that touches it.
OUTLINE = 600 * RADIUS / np.sqrt(DEPTH**2 - RADIUS**2)


def sphere() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    mesh = trimesh.creation.icosphere(5, RADIUS)
    return np.asarray(mesh.vertices) + [0, 0, -DEPTH], np.asarray(mesh.faces), np.asarray(mesh.vertices) / RADIUS


def subject_with(matte: np.ndarray) -> Subject:
    rows, columns = np.nonzero(matte > 0.5)
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], float)
    nothing = np.zeros((33, 2))
    height, width = matte.shape
    photo = Photo(np.zeros((height, width, 3), np.uint8))
    return Subject(photo, box, matte, nothing, nothing[:, 0], np.zeros((33, 3)), None, None, None, 1.0)


def disc(radius: float, centre: tuple[float, float] = (250.0, 250.0)) -> np.ndarray:
    v, u = np.mgrid[:500, :500] + 0.5
    distance = np.hypot(u - centre[0], v - centre[1])
    return np.clip(radius - distance + 0.5, 0, 1).astype(np.float32)


def gaps_of(matte: np.ndarray):
    vertices, faces, normals = sphere()
    picture = OutlinePicture(subject_with(matte), CAMERA, vertices)
    rim = find_rim(vertices, faces, normals)
    return rim, picture.match(rim, RayCaster(vertices, faces))


def test_the_rim_is_where_rays_touch():
    vertices, faces, normals = sphere()
    rim = find_rim(vertices, faces, normals)
    np.testing.assert_allclose(np.einsum("ki,ki->k", rim.normals, rim.points), 0, atol=1e-9)
    np.testing.assert_allclose(rim.points[:, 2], -(DEPTH**2 - RADIUS**2) / DEPTH, atol=2e-3)
    circle = 2 * np.pi * RADIUS * np.sqrt(1 - (RADIUS / DEPTH) ** 2)
    assert rim.length.sum() == pytest.approx(circle, rel=0.01)
    np.testing.assert_allclose(rim.matrix(len(vertices)) @ vertices, rim.points, atol=1e-9)


@pytest.mark.parametrize("more", [-15, -5, 0, 5, 40])
def test_gaps_to_a_larger_or_smaller_disc(more):
    rim, gaps = gaps_of(disc(OUTLINE + more))
    metre = 600 / -rim.points[:, 2]
    assert (gaps.weight > 0.9).mean() > 0.98
    known = gaps.weight > 0.5
    np.testing.assert_allclose(gaps.gap[known] * metre[known], more, atol=0.8)


def test_nothing_is_known_where_the_frame_cuts_the_person():
    matte = np.zeros((500, 500), np.float32)
    matte[250:, 100:400] = 1  # goes on below the photo
    camera = Camera(focal=600.0, cx=250.0, cy=400.0, width=500, height=500)
    vertices, faces, normals = sphere()
    picture = OutlinePicture(subject_with(matte), camera, vertices)
    rim = find_rim(vertices, faces, normals)
    gaps = picture.match(rim, RayCaster(vertices, faces))
    below = camera.project(rim.points)[:, 1] > 470
    assert below.any() and not (gaps.weight[below] > 0).any()
    above = camera.project(rim.points)[:, 1] < 310
    assert (gaps.weight[above] > 0.5).mean() > 0.6


def test_two_parts_meet_half_way_where_the_matte_is_filled():
    vertices, faces, normals = sphere()
    apart = 1.2
    both = np.concatenate([vertices - [apart / 2, 0, 0], vertices + [apart / 2, 0, 0]])
    two = np.concatenate([faces, faces + len(vertices)])
    picture = OutlinePicture(subject_with(np.ones((500, 500), np.float32)), CAMERA, both)
    rim = find_rim(both, two, np.concatenate([normals, normals]))
    gaps = picture.match(rim, RayCaster(both, two))
    facing = (np.abs(rim.points[:, 1]) < 0.02) & (np.abs(rim.points[:, 0]) < 0.3)
    assert facing.any() and gaps.met[facing].all()
    np.testing.assert_allclose(gaps.gap[facing], np.abs(rim.points[facing, 0]), atol=0.01)
