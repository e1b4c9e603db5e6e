"""Quick pictures agree with what is known of light, and their buffers with the truth maps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lookalike.camera import Camera
from lookalike.maps import render_maps
from lookalike.people.photography.illumination import Light, light_of
from lookalike.people.photography.picture import Lamp
from lookalike.people.photography.snapshot import look, snapshot
from lookalike.people.scene import Finish, Piece, Scene

MATT = Finish(roughness=1.0, reflectance=0.0)
CAMERA = Camera(96, 32, 32, 64, 64)


def square(z: float, half: float, colour: tuple[int, ...], name: str = "square", label: str = "upper") -> Piece:
    """A square that faces +Z, of one colour."""
    vertices = np.array([(-half, -half, z), (half, -half, z), (half, half, z), (-half, half, z)], float)
    uv = np.array([(0, 1), (1, 1), (1, 0), (0, 0)], np.float32)
    faces = np.array([(0, 1, 2), (0, 2, 3)])
    picture = np.full((8, 8, len(colour)), colour, np.uint8)
    return Piece(name, vertices, faces, uv, faces, picture, finish=MATT, label=label)


def ball(z: float = -3.0, radius: float = 0.8) -> Piece:
    lat, lon = np.meshgrid(np.linspace(0, np.pi, 33), np.linspace(0, 2 * np.pi, 64, endpoint=False), indexing="ij")
    around = np.stack([np.sin(lat) * np.cos(lon), np.cos(lat), np.sin(lat) * np.sin(lon)], -1).reshape(-1, 3)
    i, j = (g.ravel() for g in np.meshgrid(np.arange(32), np.arange(64), indexing="ij"))
    a, b, c, d = i * 64 + j, i * 64 + (j + 1) % 64, (i + 1) * 64 + j, (i + 1) * 64 + (j + 1) % 64
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)])
    uv = np.stack([lon.ravel() / 6.3, lat.ravel() / np.pi], 1).astype(np.float32)
    picture = np.full((8, 8, 3), 188, np.uint8)
    return Piece("ball", radius * around + [0, 0, z], faces, uv, faces, picture, finish=MATT)


def even(level: float, *lamps: Lamp) -> Light:
    return Light("test", np.full(3, level), np.array([(0, 1.0, 0)]), np.ones(1), np.zeros((1, 3)), lamps)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_buffers_are_the_truth_maps():
    piece = ball()
    buffers = look(Scene([piece]), CAMERA)
    truth = render_maps(piece.vertices, piece.faces, CAMERA)
    assert (buffers.mask == truth.mask).mean() > 0.999
    both = buffers.mask & truth.mask
    for back, normals, depth in (
        (False, truth.normals_front, truth.depth_front),
        (True, truth.normals_back, truth.depth_back),
    ):
        side = buffers.back if back else buffers.front
        np.testing.assert_allclose(side.depth[both], depth[both], atol=1e-4)
        np.testing.assert_allclose(buffers.normals(back)[both], normals[both], atol=0.02)
        assert (side.piece[both] == 0).all()


def test_front_and_back_show_the_first_and_the_last_piece():
    scene = Scene([square(-3, 0.5, (255, 0, 0)), square(-2, 0.5, (0, 255, 0)), square(-2.5, 0.5, (0, 0, 255))])
    buffers = look(scene, CAMERA)
    assert buffers.front.piece[32, 32] == 1
    assert buffers.back.piece[32, 32] == 0
    np.testing.assert_allclose(buffers.albedo()[32, 32], (0, 1, 0), atol=1e-3)
    np.testing.assert_allclose(buffers.albedo(back=True)[32, 32], (1, 0, 0), atol=1e-3)
    assert buffers.front.depth[32, 32] == pytest.approx(2, abs=1e-4)
    assert buffers.back.depth[32, 32] == pytest.approx(3, abs=1e-4)
    assert (buffers.albedo()[~buffers.mask] == 0).all()


@pytest.mark.parametrize(("alpha", "seen"), [(90, 0), (160, 1)])
def test_holes_are_passed_where_alpha_is_below_one_half(alpha, seen):
    scene = Scene([square(-3, 0.5, (255, 0, 0)), square(-2, 0.3, (0, 0, 255, alpha), "veil")])
    buffers = look(scene, CAMERA)
    assert buffers.front.piece[32, 32] == seen
    assert buffers.back.piece[32, 32] == 0
    behind = look(Scene([square(-3, 0.5, (0, 0, 255, alpha), "veil"), square(-2, 0.3, (255, 0, 0))]), CAMERA)
    assert behind.back.piece[32, 32] == 1 - seen


def test_even_light_shows_a_white_wall_as_bright_as_itself():
    shot = snapshot(Scene([square(-2, 9, (255, 255, 255))]), CAMERA, even(0.6), rng())
    np.testing.assert_allclose(shot.light, 0.6, atol=2e-3)
    np.testing.assert_allclose(shot.coverage, 1)
    np.testing.assert_allclose(shot.albedo, 1, atol=1e-3)


def test_a_lamp_lights_by_its_cosine():
    """The lamp's light is what white that faces it sends back; here the wall's middle is its aim."""
    scene = Scene([square(-2, 1.0, (255, 255, 255))])
    for degrees in (0, 60):
        a = np.radians(degrees)
        lamp = Lamp((4 * np.sin(a), 0, 4 * np.cos(a)), 0.01, (0.5, 0.25, 0.1))
        shot = snapshot(scene, CAMERA, even(0.0, lamp), rng())
        np.testing.assert_allclose(shot.light[32, 32], np.array([0.5, 0.25, 0.1]) * np.cos(a), rtol=0.03)


def test_shadows_lie_behind_things():
    """A lid half-way to the wall throws its shadow opposite to the lamp."""
    scene = Scene([square(-3, 2, (255, 255, 255)), square(-2, 0.15, (0, 0, 0), "lid")])
    lamp = Lamp((2.0, 0, 3.0), 0.01, (1, 1, 1))
    shot = snapshot(scene, CAMERA, even(0.0, lamp), rng())
    middle = shot.light[32, :, 0]
    # From (2, 0, 0.5) over (0, 0, -2) to the wall at x = -0.8: column 32 - 96 * 0.8 / 3.
    assert middle[5:8].max() < 0.02
    assert middle[45] > 0.3


def test_a_narrow_gap_is_darker_than_open_wall():
    wall, lid = square(-2, 2, (255, 255, 255)), square(-1.97, 0.3, (0, 0, 0), "lid")
    open_ = snapshot(Scene([wall]), CAMERA, even(0.6), rng()).light
    beside = snapshot(Scene([wall, lid]), CAMERA, even(0.6), rng()).light
    # Just beyond the lid's rim, where a part of the hemisphere is behind it.
    assert beside[32, 48].mean() < 0.99 * open_[32, 48].mean()
    np.testing.assert_allclose(beside[32, 62], open_[32, 62], rtol=0.02)


def test_noise_is_averaged_away():
    """A grey ball on even light varies smoothly from pixel to pixel."""
    shot = snapshot(Scene([ball()]), CAMERA, light_of("window", np.random.default_rng(1)), rng())
    inner = shot.light[22:42, 22:42].mean(2)
    ripple = inner[1:-1, 1:-1] - (inner[:-2, 1:-1] + inner[2:, 1:-1] + inner[1:-1, :-2] + inner[1:-1, 2:]) / 4
    assert np.abs(ripple).mean() < 0.004


def test_outlines_are_covered_in_part():
    shot = snapshot(Scene([square(-2, 0.4013, (255, 255, 255))]), CAMERA, even(0.5), rng())
    share = shot.coverage[32]
    assert share[share < 1].max() > 0
    assert share.sum() == pytest.approx(2 * 0.4013 / 2 * 96, abs=0.6)
    np.testing.assert_allclose(shot.light[..., 0], 0.5 * shot.coverage, atol=0.01)


def test_hair_shines_across_its_strands():
    """A card whose strands run down, lit from above the camera, has a highlight that cloth has not."""
    lamp = Lamp((0, 1.0, 4), 0.1, (1, 1, 1))
    hair = square(-2, 0.5, (60, 40, 30, 255), label="hair")
    shots = [
        snapshot(Scene([replace(hair, label=label)]), CAMERA, even(0.0, lamp), rng()) for label in ("hair", "upper")
    ]
    assert shots[0].light.max() > 1.1 * shots[1].light.max()


def test_the_same_seed_takes_the_same_picture_and_nothing_gives_nothing():
    scene, light = Scene([ball()]), light_of("ceiling", np.random.default_rng(3))
    first, again = (snapshot(scene, CAMERA, light, np.random.default_rng(9)) for _ in range(2))
    assert (first.light == again.light).all()
    away = snapshot(Scene([ball(z=3.0)]), CAMERA, light, rng())
    assert away.coverage.max() == 0
    assert away.light.max() == 0
