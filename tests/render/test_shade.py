"""Pictures of spheres and boxes: coverage, colours and light that can be told in advance."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from lookalike.camera import Camera
from lookalike.render.light import GroundShadow, sky_seen, sphere_directions
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import RayCaster
from lookalike.render.shade import Studio, decode_srgb, encode_srgb
from lookalike.render.texture import Texture, bilinear
from lookalike.render.view import View, orbit

CAMERA = Camera(300.0, 64, 80, 128, 160)


def ball(radius=0.5, centre=(0, 0, -3)):
    mesh = trimesh.creation.icosphere(4, radius)
    return np.asarray(mesh.vertices) + centre, np.asarray(mesh.faces)


def card(depth=3.0, normal_map=None, colour=None):
    """A square facing the camera, its texture upright on it."""
    vertices = np.array([[-1, -1, -depth], [1, -1, -depth], [1, 1, -depth], [-1, 1, -depth]], np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    uv = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float32)
    if colour is None:
        colour = np.zeros((64, 64, 3), np.uint8)
        colour[:32, :32], colour[:32, 32:], colour[32:, :32], colour[32:, 32:] = (
            (200, 0, 0),
            (0, 200, 0),
            (0, 0, 200),
            (200, 200, 200),
        )
    return Studio(vertices, faces, uv, faces, colour, normal_map)


def test_coverage_of_a_ball_is_that_of_its_outline():
    picture = Studio(*ball()).render(View.of_photo(CAMERA), "clay", background=None, ground=False)
    # A sphere of radius r at distance d is seen as a disc of radius f r / sqrt(d^2 - r^2).
    area = np.pi * (300 * 0.5) ** 2 / (3**2 - 0.5**2)
    assert picture[..., 3].sum() / 255 == pytest.approx(area, rel=0.01)
    edge = (picture[..., 3] > 0) & (picture[..., 3] < 255)
    assert 50 < edge.sum() < 400


def test_clay_is_lit_from_the_upper_left_and_never_black_or_burnt():
    picture = Studio(*ball()).render(View.of_photo(CAMERA), "clay", background=None, ground=False).astype(int)
    inside = picture[..., 3] == 255
    assert picture[55, 45, :3].mean() > picture[100, 85, :3].mean() + 25
    assert picture[inside, :3].min() > 25
    assert (picture[inside, :3].max(1) == 255).mean() < 0.02


def test_background_and_transparency_agree():
    studio = Studio(*ball())
    view = View.of_photo(CAMERA)
    plain = studio.render(view, "clay", background=(10, 20, 200), ground=False)
    clear = studio.render(view, "clay", background=None, ground=False)
    assert plain.shape == (160, 128, 3)
    assert clear.shape == (160, 128, 4)
    assert (plain[clear[..., 3] == 0] == (10, 20, 200)).all()
    full = clear[..., 3] == 255
    assert np.abs(plain[full].astype(int) - clear[full][:, :3]).max() <= 1


def test_texture_is_upright_and_keeps_its_colours():
    picture = card().render(View.of_photo(CAMERA), background=None, ground=False).astype(int)
    upper_left, upper_right = picture[40, 30], picture[40, 100]
    lower_left, lower_right = picture[120, 30], picture[120, 100]
    assert upper_left[:3].argmax() == 0
    assert upper_right[:3].argmax() == 1
    assert lower_left[:3].argmax() == 2
    # A surface that faces the camera is shown at about its own colour.
    assert np.abs(lower_right[:3] - 200).max() < 25


def test_normal_map_follows_gltf():
    """Green above one half leans the normal up the picture, red to the right: towards or away from the key light."""
    grey = np.full((8, 8, 3), 150, np.uint8)

    def brightness(texel):
        relief = np.full((8, 8, 3), texel, np.uint8)
        return card(normal_map=relief, colour=grey).render(View.of_photo(CAMERA), ground=False)[80, 64].mean()

    flat = brightness((128, 128, 255))
    assert brightness((128, 218, 218)) > flat > brightness((128, 38, 218))
    assert brightness((38, 128, 218)) > brightness((218, 128, 218))


def test_without_texture_textured_means_clay():
    studio = Studio(*ball())
    view = View.of_photo(CAMERA)
    assert np.array_equal(studio.render(view, "textured"), studio.render(view, "clay"))


def test_nothing_in_view_is_background():
    studio = Studio(*ball(centre=(0, 0, 3)))
    assert not studio.render(View.of_photo(CAMERA), "clay", background=None, ground=False).any()


def test_sky_seen_on_a_floor_beside_a_wall():
    floor = np.array([[0, 0, -50], [50, 0, -50], [50, 0, 50], [0, 0, 50]], float)
    wall = np.array([[0, 0, -50], [0, 0, 50], [0, 50, 50], [0, 50, -50]], float)
    vertices = np.vstack([floor, wall, [[0.05, 0, 0], [40, 0, 0]]])
    faces = np.array([[0, 2, 1], [0, 3, 2], [4, 6, 5], [4, 7, 6]])
    normals = np.tile([0.0, 1.0, 0.0], (len(vertices), 1))
    seen = sky_seen(RayCaster(vertices, faces), vertices, normals, 30.0, sphere_directions(400))
    # The wall hides half the sky from the foot of it, and is out of reach of a point 40 away.
    assert seen[8] == pytest.approx(0.5, abs=0.04)
    assert seen[9] == pytest.approx(1)


def test_ball_sees_the_whole_sky():
    vertices, faces = ball()
    seen = sky_seen(RayCaster(vertices, faces), vertices, vertex_normals(vertices, faces), 0.3, sphere_directions(64))
    assert seen.min() > 0.999


def test_ground_is_dark_below_and_clear_far_away():
    vertices, faces = ball(centre=(0, 0, 0))
    shadow = GroundShadow.of(RayCaster(vertices, faces))
    down = np.array([[0, -1.0, 0]])
    assert shadow.at(np.array([0.0, 3, 0]), down)[0] > 0.6
    assert shadow.at(np.array([40.0, 3, 0]), down)[0] == 0
    assert shadow.at(np.array([0.0, 3, 0]), -down)[0] == 0


def test_ground_shadow_shows_below_the_figure():
    vertices, faces = ball()
    picture = Studio(vertices, faces).render(orbit(vertices, (120, 160), 0, 20), "clay", background=None)
    clear = (picture[..., 3] > 20) & (picture[..., 3] < 235)
    assert clear[120:].sum() > 3 * clear[:40].sum()


def test_srgb_round_trip():
    values = np.arange(256, dtype=np.uint8)
    assert np.array_equal(encode_srgb(decode_srgb(values)), values)


def test_bilinear_hits_texel_centres_and_their_middle():
    image = np.arange(12, dtype=np.float32).reshape(3, 4)
    found = bilinear(image, np.array([0, 3, 1.5]), np.array([0, 2, 1]))
    assert found.tolist() == [0, 11, 5.5]
    many = bilinear(image, np.full(40_000, 2.0), np.full(40_000, 1.0))
    assert (many == 6).all()


def test_pyramid_keeps_the_mean():
    texture = Texture(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    assert texture.level(3).shape == (8, 8, 3)
    assert np.allclose(texture.level(3).mean((0, 1)), texture.level(0).mean((0, 1)), atol=1)
