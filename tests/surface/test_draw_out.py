"""Drawing out against people whose clothes are known: a stouter body, a skirt, a picture that cuts the legs off."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from lookalike.body.load import load_body
from lookalike.body.model import Body
from lookalike.camera import Camera
from lookalike.photo.subject import Photo, Subject
from lookalike.render.raycast import RayCaster
from lookalike.surface import Surface, draw_out
from lookalike.surface.regions import find_regions

CAMERA = Camera.for_photo(600, 800)
#: Shape numbers that make our body stout, found by volume at equal height.
STOUT = {3: 1.2, 4: 1.2, 5: -1.2, 6: -1.2, 7: 1.2}


@lru_cache
def person(stout: float) -> Body:
    """Somebody who stands with the arms half down and the legs a little apart."""
    model = load_body()
    pose = np.zeros((len(model.joint_names), 3), np.float32)
    for side, sign in (("left", 1), ("right", -1)):
        pose[model.joint_names.index(f"{side}_shoulder"), 2] = -sign * np.radians(50)
        pose[model.joint_names.index(f"{side}_hip"), 2] = sign * np.radians(6)
    betas = np.zeros(model.shape_count, np.float32)
    for number, value in STOUT.items():
        betas[number] = stout * value
    return model.posed(betas, pose, np.array([0, 0.05, -3.2]), CAMERA)


def seen(*parts: tuple[np.ndarray, np.ndarray], camera: Camera = CAMERA) -> Subject:
    """The subject in a picture of meshes."""
    matte = np.max([RayCaster(v, f).cast_image(camera).hit for v, f in parts], 0).astype(np.float32)
    rows, columns = np.nonzero(matte)
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], float)
    photo = Photo(np.zeros((*matte.shape, 3), np.uint8))
    return Subject(photo, box, matte, np.zeros((33, 2)), np.zeros(33), np.zeros((33, 3)), None, None, None, 1.0)


def outline_iou(vertices: np.ndarray, faces: np.ndarray, subject: Subject, camera: Camera = CAMERA) -> float:
    hit, matte = RayCaster(vertices, faces).cast_image(camera).hit, subject.matte > 0.5
    return (hit & matte).sum() / (hit | matte).sum()


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Mean distance between point sets, both ways, metres."""
    return (cKDTree(a).query(b)[0].mean() + cKDTree(b).query(a)[0].mean()) / 2


def crossings(vertices: np.ndarray, faces: np.ndarray, where: np.ndarray) -> int:
    """How many edges between vertices (n,) bool pierce the surface."""
    edges = trimesh.Trimesh(vertices, faces, process=False).edges_unique
    edges = edges[where[edges].all(1)]
    start, way = vertices[edges[:, 0]].astype(float), (vertices[edges[:, 1]] - vertices[edges[:, 0]]).astype(float)
    hits = RayCaster(vertices, faces).cast(start + 0.02 * way, 0.96 * way)
    met = faces[np.maximum(hits.face, 0)]
    own = (met[:, :, None] == edges[:, None, :]).any((1, 2))
    return int(((hits.depth < 1) & ~own).sum())


def roughness(surface: Surface | Body, faces: np.ndarray) -> float:
    """Mean angle between faces that meet, radians per metre of distance between their centres."""
    mesh = trimesh.Trimesh(surface.vertices, faces, process=False)
    apart = np.linalg.norm(np.diff(mesh.triangles_center[mesh.face_adjacency], axis=1)[:, 0], axis=1)
    return mesh.face_adjacency_angles.sum() / apart.sum()


@lru_cache
def stout_from_slim(topology: str) -> tuple[Surface, Subject]:
    stout, slim = person(1.0), person(-0.3)
    subject = seen((stout.vertices, stout.model.faces))
    return draw_out(slim, subject, topology), subject


@pytest.mark.parametrize("topology", ["fine", "body"])
def test_a_slim_body_is_drawn_out_to_a_stout_person(topology):
    surface, subject = stout_from_slim(topology)
    stout, slim = person(1.0), person(-0.3)
    faces = slim.model.faces
    before = outline_iou(slim.vertices, faces, subject)
    assert before < 0.9 and outline_iou(surface.vertices, surface.faces, subject) > 0.97
    clothed = np.isin(slim.model.parts, [slim.model.part_names.index(n) for n in ("torso", "left_leg", "right_leg")])
    truth = stout.vertices[clothed]
    # Front and back come out too, though only the outline was seen.
    drawn = surface.vertices[: len(clothed)][clothed]
    assert distance(drawn, truth) < 0.6 * distance(slim.vertices[clothed], truth)
    depth = lambda v: np.ptp(v[clothed][:, 2])  # noqa: E731
    assert depth(slim.vertices) < depth(surface.vertices[: len(clothed)])


def test_the_surface_is_whole():
    surface, _ = stout_from_slim("fine")
    model = load_body()
    mesh = trimesh.Trimesh(surface.vertices, surface.faces, process=False)
    assert mesh.is_watertight and mesh.is_winding_consistent
    assert len(surface.faces) == 4 * len(model.faces) and len(surface.vertices) == surface.anchors.shape[0]
    assert surface.anchors.shape[1] == len(model.template) and surface.anchors.data.min() >= 0
    np.testing.assert_allclose(surface.anchors.sum(1), 1, atol=1e-6)
    assert surface.face_uv.shape == surface.faces.shape and surface.face_uv.max() < len(surface.uv)
    assert surface.vertices.dtype == np.float32 and surface.quads.shape == (len(surface.faces) // 2, 4)


def test_the_bodys_own_topology_can_be_kept():
    surface, _ = stout_from_slim("body")
    model = load_body()
    np.testing.assert_array_equal(surface.faces, model.faces)
    assert (surface.anchors != surface.anchors.T).nnz == 0 and surface.anchors.nnz == len(model.template)


def test_the_same_input_gives_the_same_surface():
    surface, subject = stout_from_slim("body")
    np.testing.assert_array_equal(surface.vertices, draw_out(person(-0.3), subject, "body").vertices)


def test_a_body_that_fits_stays_as_it_is():
    body = person(0.0)
    surface = draw_out(body, seen((body.vertices, body.model.faces)), "body")
    moved = np.linalg.norm(surface.vertices - body.vertices, axis=1)
    regions = find_regions(body.model)
    assert np.median(moved) < 0.002
    assert moved[regions.keep > 0.98].max() < 0.01


def test_face_and_hands_keep_their_form():
    surface, _ = stout_from_slim("body")
    slim = person(-0.3)
    keep = find_regions(slim.model).keep > 0.98
    for part in ("head", "left_hand", "right_hand"):
        rows = keep & (slim.model.parts == slim.model.part_names.index(part))
        a, b = (v[rows] - v[rows].mean(0) for v in (slim.vertices.astype(float), surface.vertices.astype(float)))
        u, _, vt = np.linalg.svd(a.T @ b)
        assert np.abs(a @ (u @ vt) - b).max() < 0.012  # rigid


def test_nothing_new_crosses_and_nothing_is_rough():
    surface, _ = stout_from_slim("body")
    slim = person(-0.3)
    faces = slim.model.faces
    limbs = np.isin(
        slim.model.parts,
        [slim.model.part_names.index(n) for n in ("torso", "left_arm", "right_arm", "left_leg", "right_leg")],
    )
    # A few edges in the armpits and the crotch touch, of forty thousand.
    assert crossings(surface.vertices, faces, limbs) <= crossings(slim.vertices, faces, limbs) + 80
    assert roughness(surface, faces) < 1.05 * roughness(slim, faces)


def cone(body: Body, length: float, hem: float) -> tuple[np.ndarray, np.ndarray]:
    """A skirt from the waist down, `hem` metres in radius below, around the pelvis."""
    x, y, z = body.joints[0]
    share, angle = np.meshgrid(np.linspace(0, 1, 40), np.linspace(0, 2 * np.pi, 64, endpoint=False), indexing="ij")
    radius = 0.13 + (hem - 0.13) * share
    height = y + 0.1 - length * share
    vertices = np.stack([x + radius * np.cos(angle), height, z + 0.8 * radius * np.sin(angle)], -1).reshape(-1, 3)
    a = (np.arange(39)[:, None] * 64 + np.arange(64)).ravel()
    b = (np.arange(39)[:, None] * 64 + (np.arange(64) + 1) % 64).ravel()
    return vertices, np.concatenate([np.stack([a, a + 64, b], 1), np.stack([b, a + 64, b + 64], 1)])


def test_a_skirt_fills_the_space_between_the_legs():
    body = person(0.0)
    subject = seen((body.vertices, body.model.faces), cone(body, 0.6, 0.34))
    surface = draw_out(body, subject, "body")
    assert outline_iou(body.vertices, body.model.faces, subject) < 0.85
    assert outline_iou(surface.vertices, surface.faces, subject) > 0.95
    # A skirt is round: as deep as it is wide, or nearly.
    thigh = (body.joints[4] + body.joints[5]) / 2 + [0, 0.1, 0]
    level = np.abs(surface.vertices[:, 1] - thigh[1]) < 0.03
    ring = surface.vertices[level & (np.abs(surface.vertices[:, 0] - thigh[0]) < 0.4)]
    assert np.ptp(ring[:, 2]) > 0.5 * np.ptp(ring[:, 0])


def test_what_the_photo_cuts_off_stays_the_bodys():
    body, stout = person(-0.3), person(1.0)
    camera = replace(CAMERA, height=430)  # down to the hips
    subject = seen((stout.vertices, stout.model.faces), camera=camera)
    surface = draw_out(replace(body, camera=camera), subject, "body")
    below = camera.project(body.vertices)[:, 1] > 520
    moved = np.linalg.norm(surface.vertices - body.vertices, axis=1)
    assert below.any() and moved[below].max() < 0.035
    assert outline_iou(surface.vertices, surface.faces, subject, camera) > 0.95


def test_a_bite_out_of_the_matte_does_not_bite_the_surface():
    body = person(0.0)
    subject = seen((body.vertices, body.model.faces))
    x, y = CAMERA.project(body.joints[4]).astype(int)  # something hides a knee
    matte = subject.matte.copy()
    matte[y - 30 : y + 30, x - 60 : x + 60] = 0
    surface = draw_out(body, replace(subject, matte=matte), "body")
    assert np.linalg.norm(surface.vertices - body.vertices, axis=1).max() < 0.06


def test_a_model_without_texture_coordinates_gets_some():
    body = person(0.0)
    bare = replace(body.model, uv=None, face_uv=None, quads=None, quad_uv=None)
    surface = draw_out(replace(body, model=bare), seen((body.vertices, bare.faces)))
    assert surface.quads is None
    assert len(surface.faces) == 4 * len(bare.faces) == len(surface.face_uv)
    assert surface.uv.min() >= 0 and surface.uv.max() <= 1
