"""Ray casting against a plane, a cube and a sphere whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from lookalike.camera import Camera
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import RayCaster

CAMERA = Camera(focal=220.0, cx=64.3, cy=70.1, width=128, height=144)


def cube(centre=(0.0, 0.0, 0.0), size=1.0):
    mesh = trimesh.creation.box((size, size, size))
    return np.asarray(mesh.vertices) + centre, np.asarray(mesh.faces)


def sphere(centre, radius, subdivisions=5):
    mesh = trimesh.creation.icosphere(subdivisions, radius)
    return np.asarray(mesh.vertices) + centre, np.asarray(mesh.faces)


def test_plane_depth_and_barycentrics_are_exact():
    vertices = np.array([[-2, -2, -3], [2, -2, -3], [0, 3, -4]], float)
    faces = np.array([[0, 1, 2]])
    hits = RayCaster(vertices, faces).cast_image(CAMERA)
    rays = CAMERA.rays()
    points = hits.interpolate(faces, vertices)
    plane = np.linalg.solve(vertices, np.ones(3))
    depth = 1 / (rays @ plane)
    assert hits.hit.mean() > 0.5
    assert np.allclose(hits.depth[hits.hit], depth[hits.hit], atol=3e-6)
    assert np.allclose(points[hits.hit], (depth[..., None] * rays)[hits.hit], atol=5e-6)
    assert np.allclose(hits.bary[hits.hit].sum(-1), 1, atol=1e-6)
    assert np.isinf(hits.depth[~hits.hit]).all()
    assert not hits.bary[~hits.hit].any()


def test_cube_front_and_back_depths():
    vertices, faces = cube((0, 0, -3), 1.0)
    caster = RayCaster(vertices, faces)
    front, back = caster.depth_pass(CAMERA), caster.depth_pass(CAMERA, back=True)
    centre = (slice(60, 80), slice(56, 72))
    assert np.allclose(front[centre], 2.5, atol=2e-6)
    assert np.allclose(back[centre], 3.5, atol=2e-6)
    assert (np.isfinite(front) == np.isfinite(back)).mean() > 0.999
    assert (back[np.isfinite(back)] >= front[np.isfinite(back)] - 1e-4).all()


@pytest.mark.parametrize("unit", [0.001, 1.0, 1000.0])
def test_sphere_depth_is_analytic_at_any_scale(unit):
    centre, radius = np.array([0.1, -0.05, -3.0]) * unit, 0.6 * unit
    vertices, faces = sphere(centre, radius, 6)
    caster = RayCaster(vertices, faces)
    rays = CAMERA.rays().astype(float)
    a, b = (rays**2).sum(-1), rays @ centre
    root = b**2 - a * (centre @ centre - radius**2)
    well_inside = root > 0.15 * root.max()
    near = ((b - np.sqrt(np.maximum(root, 0))) / a)[well_inside]
    far = ((b + np.sqrt(np.maximum(root, 0))) / a)[well_inside]
    front = caster.cast_image(CAMERA, near=1e-4 * unit)
    back = caster.cast_image(CAMERA, back=True, near=1e-4 * unit)
    # Five subdivisions leave the flat faces this far inside the sphere.
    assert np.abs(front.depth[well_inside] - near).max() < 8e-4 * unit
    assert np.abs(back.depth[well_inside] - far).max() < 8e-4 * unit
    assert (front.hit == (root > 0)).mean() > 0.99


def test_image_equals_rays_cast_one_by_one():
    vertices, faces = sphere((0.2, 0.3, -2.5), 0.5, 3)
    caster = RayCaster(vertices, faces)
    image = caster.cast_image(CAMERA)
    every = caster.cast((0, 0, 0), CAMERA.rays().reshape(-1, 3))
    assert (image.face.reshape(-1) == every.face).mean() > 0.9999
    assert np.allclose(np.where(image.hit, image.depth, 0).reshape(-1), np.where(every.hit, every.depth, 0), atol=2e-6)


def test_no_ray_slips_through_edges():
    vertices, faces = cube((0, 0, -3), 2.0)
    step = np.linspace(-0.3, 0.3, 1001)
    # Along the diagonal of the front face, which is an edge between two triangles.
    for sign in (1, -1):
        rays = np.stack([step, sign * step, -np.ones_like(step)], 1)
        assert RayCaster(vertices, faces).cast((0, 0, 0), rays).hit.all()


def test_far_from_the_origin_nothing_is_lost():
    vertices, faces = cube((1000, 500, -2000), 1.0)
    caster = RayCaster(vertices, faces)
    hits = caster.cast(np.array([[1000.2, 500.1, -1997.0]]), np.array([[0, 0, -2.0]]))
    assert hits.depth[0] == pytest.approx(1.25, abs=1e-6)


def test_occlusion_respects_the_far_limit():
    vertices, faces = cube((0, 0, -3), 1.0)
    caster = RayCaster(vertices, faces)
    directions = np.array([[0, 0, -1.0], [0, 0, 1.0], [1, 0, 0]])
    assert caster.occluded((0, 0, 0), directions).tolist() == [True, False, False]
    assert caster.occluded((0, 0, 0), directions, far=2.4).tolist() == [False, False, False]
    assert caster.occluded((0, 0, 0), directions, far=2.6).tolist() == [True, False, False]


def test_camera_inside_the_mesh_sees_its_inside():
    vertices, faces = cube((0, 0, 0), 4.0)
    hits = RayCaster(vertices, faces).cast_image(CAMERA)
    assert hits.hit.all()
    assert np.allclose(hits.depth, 2.0, atol=1e-5)


def test_mesh_behind_the_camera_and_empty_mesh_are_misses():
    vertices, faces = cube((0, 0, 3), 1.0)
    assert not RayCaster(vertices, faces).cast_image(CAMERA).hit.any()
    assert not RayCaster(vertices, faces).cast_image(CAMERA, back=True).hit.any()
    assert not RayCaster(vertices, faces[:0]).cast_image(CAMERA).hit.any()


def test_threads_do_not_change_the_answer():
    vertices, faces = sphere((0, 0, -3), 0.8, 4)
    camera = Camera(400.0, 256, 256, 512, 512)
    one = RayCaster(vertices, faces, threads=1).cast_image(camera)
    two = RayCaster(vertices, faces, threads=3).cast_image(camera)
    assert np.array_equal(one.face, two.face)
    assert np.array_equal(one.depth, two.depth)


def test_interpolates_scalars_vectors_and_leaves_misses_zero():
    vertices, faces = cube((0, 0, -3), 1.0)
    hits = RayCaster(vertices, faces).cast_image(CAMERA)
    scalar = hits.interpolate(faces, vertices[:, 0])
    vector = hits.interpolate(faces, vertices)
    assert np.array_equal(scalar, vector[..., 0])
    assert not vector[~hits.hit].any()


def test_bad_meshes_are_refused():
    vertices, faces = cube()
    with pytest.raises(ValueError, match="vertices"):
        RayCaster(vertices[:3], faces)
    with pytest.raises(ValueError, match="finite"):
        RayCaster(vertices * np.nan, faces)
    with pytest.raises(ValueError, match="expected"):
        RayCaster(vertices[:, :2], faces)


def test_vertex_normals_of_a_cube_do_not_depend_on_its_diagonals():
    vertices, faces = cube()
    expected = vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    assert np.allclose(vertex_normals(vertices, faces), expected, atol=1e-6)


def test_vertex_normals_of_a_sphere():
    vertices, faces = sphere((0, 0, 0), 2.0, 4)
    assert np.allclose(vertex_normals(vertices, faces), vertices / 2, atol=5e-3)
    assert vertex_normals(np.zeros((1, 3)), faces[:0]).tolist() == [[0, 0, 1]]
