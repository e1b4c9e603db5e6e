"""Rays through holes, and pictures whose light is known."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.camera import Camera
from lookalike.people.photography.picture import Lamp, Lighting, develop, photograph
from lookalike.people.scene import Finish, Piece, Scene
from lookalike.render.view import View

FLAT = Finish(roughness=1.0, reflectance=0.0)


def square(z: float, half: float, colour: tuple[int, ...], name: str = "square") -> Piece:
    """A square that faces +Z, of one colour."""
    vertices = np.array([(-half, -half, z), (half, -half, z), (half, half, z), (-half, half, z)], float)
    uv = np.array([(0, 1), (1, 1), (1, 0), (0, 0)], np.float32)
    faces = np.array([(0, 1, 2), (0, 2, 3)])
    return Piece(name, vertices, faces, uv, faces, np.full((8, 8, len(colour)), colour, np.uint8), finish=FLAT)


def rays(count: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate([rng.uniform(-0.2, 0.2, (count, 2)), -np.ones((count, 1))], 1).astype(np.float32)


def test_rays_pass_a_sheer_surface_as_often_as_its_alpha_says():
    scene = Scene([square(-2, 1, (255, 0, 0)), square(-1, 1, (0, 0, 255, 64), "veil")])
    directions, rng = rays(4000), np.random.default_rng(1)
    hits = scene.cast(np.zeros(3), directions, rng)
    assert hits.hit.all()
    behind = scene.piece[hits.face] == 0
    np.testing.assert_allclose(behind.mean(), 1 - 64 / 255, atol=0.03)
    np.testing.assert_allclose(hits.depth[behind], 2, rtol=1e-5)
    np.testing.assert_allclose(hits.depth[~behind], 1, rtol=1e-5)
    blocked = scene.blocked(np.zeros(3), directions, 1.5, rng)
    np.testing.assert_allclose(blocked.mean(), 64 / 255, atol=0.03)
    assert scene.blocked(np.zeros(3), directions, 2.5, rng).all()
    assert not scene.blocked(np.zeros(3), directions, 0.5, rng).any()


def test_light_passes_many_layers():
    scene = Scene([square(-1 - 0.01 * i, 1, (0, 0, 255, 128), "veil") for i in range(3)])
    rng = np.random.default_rng(1)
    np.testing.assert_allclose(scene.cast(np.zeros(3), rays(4000), rng).hit.mean(), 7 / 8, atol=0.03)
    np.testing.assert_allclose(scene.blocked(np.zeros(3), rays(4000), 9.0, rng).mean(), 7 / 8, atol=0.03)


def test_points_face_the_ray_and_know_their_colour():
    scene = Scene([square(-2, 1, (188, 0, 0)), square(-1, 1, (0, 0, 255, 200), "veil")])
    origin = np.array([0.0, 0, -4])
    directions = -rays(50)
    hits = scene.cast(origin, directions, np.random.default_rng(0))
    points = scene.points(origin, directions, hits)
    np.testing.assert_allclose(points.normal, np.tile([0, 0, -1.0], (50, 1)), atol=1e-6)
    np.testing.assert_allclose(points.place[:, 2], -2, atol=1e-5)
    np.testing.assert_allclose(points.colour, np.tile([0.503, 0, 0], (50, 1)), atol=2e-3)
    np.testing.assert_allclose(scene.mean_colour[1], (0, 0, 1), atol=1e-5)


def dark(way: np.ndarray) -> np.ndarray:
    return np.zeros_like(way)


def view(size: int = 24) -> View:
    return View.of_photo(Camera(size, size / 2, size / 2, size, size))


def test_a_lamp_lights_as_it_says():
    """White at the lamp's aim receives its light times the cosine; four times less at twice the distance."""
    lamp = Lamp((0, 0, 0), 1e-3, (0.8, 0.4, 0.2), aim=(0, 0, -2), focus=0)
    near, far = (photograph(Scene([square(z, 9, (255, 255, 255))]), view(), Lighting((lamp,), dark)) for z in (-2, -4))
    np.testing.assert_allclose(near[11:13, 11:13], np.broadcast_to([0.8, 0.4, 0.2], (2, 2, 3)), rtol=0.01)
    np.testing.assert_allclose(far[11:13, 11:13], near[11:13, 11:13] / 4, rtol=0.01)


def test_surroundings_light_a_white_wall_fully_and_a_hidden_one_by_the_bounce():
    def bright(way: np.ndarray) -> np.ndarray:
        return np.full_like(way, 0.6)

    wall = square(-2, 9, (255, 255, 255))
    open_ = photograph(Scene([wall]), view(), Lighting((), bright))
    np.testing.assert_allclose(open_[12, 12], 0.6, atol=1e-5)
    # A black lid close above the middle, seen from the side by nothing: the wall under it gets next to no light.
    lid = square(-1.98, 0.5, (0, 0, 0), "lid")
    between = View(Camera(24, 12, 12, 24, 24), np.eye(3), np.array([0, 0, -1.985]))
    hidden = photograph(Scene([wall, lid]), between, Lighting((), bright))
    assert hidden[12, 12].max() < 0.05


def test_shadows_lie_behind_things_and_soften_with_the_lamp():
    """A lid at (0, 0, -1) throws its shadow from a lamp at x = 0.75 to x = -0.75 on the wall, which is column 8 of 64."""
    scene = Scene([square(-2, 9, (255, 255, 255)), square(-1, 0.1, (0, 0, 0), "lid")])

    def row(radius: float) -> np.ndarray:
        lamp = Lamp((0.75, 0, 0), radius, (1, 1, 1), aim=(0, 0, -2))
        return photograph(scene, view(64), Lighting((lamp,), dark), grid=4)[32, :, 0]

    hard, soft = row(1e-3), row(0.4)
    assert hard[7:9].max() == 0
    assert hard[0] > 0.05
    assert 0.3 * hard[0] < soft[7:9].mean() < 0.98 * hard[0]


def test_backdrop_pixels_agree_with_the_full_grid():
    lamp = Lamp((1, 1, 0), 0.3, (1, 1, 1), aim=(0, 0, -2))
    scene = Scene([square(-2, 9, (200, 200, 200), "paper"), square(-1.9, 0.2, (90, 20, 20))])
    full = photograph(scene, view(), Lighting((lamp,), dark), grid=4)
    quick = photograph(scene, view(), Lighting((lamp,), dark), grid=4, backdrop=("paper",))
    assert np.abs(full - quick).mean() < 0.01


def test_the_same_seed_takes_the_same_picture():
    scene = Scene([square(-2, 9, (200, 200, 200)), square(-1, 0.2, (0, 0, 0, 99), "veil")])
    lighting = Lighting((Lamp((1, 1, 0), 0.3, (1, 1, 1), aim=(0, 0, -2)),), dark)
    first, again, other = (photograph(scene, view(), lighting, seed) for seed in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize(("light", "srgb"), [(0.0, 0), (0.2140, 127.5), (0.5, 188)])
def test_development_is_srgb_below_the_knee(light, srgb):
    picture = develop(np.full((16, 16, 3), light, np.float32), np.random.default_rng(0), noise=0, vignette=0)
    np.testing.assert_allclose(picture, srgb, atol=1)


def test_development_keeps_highlights_apart_and_adds_grain():
    rng = np.random.default_rng(0)
    bright = [develop(np.full((8, 8, 3), x, np.float32), rng, noise=0, vignette=0).mean() for x in (0.9, 1.2, 1.6)]
    assert bright[0] < bright[1] < bright[2] < 255
    grainy = develop(np.full((64, 64, 3), 0.4, np.float32), rng, vignette=0)
    assert 0.3 < grainy.std() < 4
