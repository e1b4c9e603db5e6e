"""Maps of a sphere and a cube, whose normals and depths are known."""

from __future__ import annotations

import numpy as np
import trimesh

from lookalike.camera import Camera
from lookalike.maps.maps import normals_to_image, render_maps

CAMERA = Camera(focal=240.0, cx=60.0, cy=66.0, width=120, height=132)
CENTRE, RADIUS = np.array([0.1, -0.05, -3.0]), 0.6


def sphere_maps():
    mesh = trimesh.creation.icosphere(5, RADIUS)
    return render_maps(mesh.vertices + CENTRE, mesh.faces, CAMERA)


def test_sphere_normals_point_away_from_its_centre():
    maps = sphere_maps()
    rays = CAMERA.rays()
    for depth, normals in ((maps.depth_front, maps.normals_front), (maps.depth_back, maps.normals_back)):
        points = (depth[..., None] * rays)[maps.mask]
        outward = (points - CENTRE) / np.linalg.norm(points - CENTRE, axis=1, keepdims=True)
        cosine = (outward * normals[maps.mask]).sum(1)
        assert np.quantile(cosine, 0.01) > 0.999
        assert np.allclose(np.linalg.norm(normals[maps.mask], axis=1), 1, atol=1e-5)


def test_front_faces_the_camera_and_back_turns_away():
    maps = sphere_maps()
    rays = CAMERA.rays()[maps.mask]
    assert ((maps.normals_front[maps.mask] * rays).sum(1) < 1e-5).all()
    assert ((maps.normals_back[maps.mask] * rays).sum(1) > -1e-5).all()
    assert (maps.depth_back[maps.mask] >= maps.depth_front[maps.mask] - 1e-4).all()


def test_back_map_is_not_mirrored():
    """A normal that points to +X shows on the right of the front and of the back map alike."""
    maps = sphere_maps()
    row = int(CAMERA.project(CENTRE)[1])
    columns = np.flatnonzero(maps.mask[row])
    for normals in (maps.normals_front, maps.normals_back):
        assert normals[row, columns[-1], 0] > 0.9
        assert normals[row, columns[0], 0] < -0.9


def test_outside_is_empty():
    maps = sphere_maps()
    outside = ~maps.mask
    assert outside.any()
    assert maps.mask.any()
    assert not maps.normals_front[outside].any()
    assert not maps.normals_back[outside].any()
    assert np.isnan(maps.depth_front[outside]).all()
    assert np.isnan(maps.depth_back[outside]).all()
    assert np.isfinite(maps.depth_front[maps.mask]).all()
    assert np.isfinite(maps.depth_back[maps.mask]).all()


def test_inside_of_an_open_mesh_is_turned_towards_the_camera():
    vertices = np.array([[-1, -1, -3], [1, -1, -3], [0, 1, -3]], float)
    for faces in (np.array([[0, 1, 2]]), np.array([[0, 2, 1]])):
        maps = render_maps(vertices, faces, CAMERA)
        assert np.allclose(maps.normals_front[maps.mask], (0, 0, 1), atol=1e-6)
        assert np.allclose(maps.normals_back[maps.mask], (0, 0, -1), atol=1e-6)


def test_colours():
    normals = np.array([[[0, 0, 1.0], [1, 0, 0]], [[0, -1, 0], [0, 0, 0]]])
    mask = np.array([[True, True], [True, False]])
    image = normals_to_image(normals, mask)
    assert image.dtype == np.uint8
    assert image[0, 0].tolist() == [128, 128, 255, 255]
    assert image[0, 1].tolist() == [255, 128, 128, 255]
    assert image[1, 0].tolist() == [128, 0, 128, 255]
    assert image[1, 1].tolist() == [0, 0, 0, 0]
