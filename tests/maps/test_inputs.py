"""The network's channels: what they hold of a sphere before a camera, and that metres and lenses do not matter."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from lookalike.camera import Camera
from lookalike.maps.inputs import (
    BODY,
    CHANNELS,
    DEPTHS,
    MATTE,
    NORMALS,
    PICTURE,
    CropUnit,
    maps_of,
    network_inputs,
    stacked_normals,
)
from lookalike.maps.maps import Maps, render_maps

SIZE = 96


def sphere(distance: float = 3.0, focal: float = 240.0, scale: float = 1.0, segments: int = 4) -> Maps:
    mesh = trimesh.creation.icosphere(segments, 0.4 * scale)
    camera = Camera(focal, SIZE / 2, SIZE / 2, SIZE, SIZE)
    return render_maps(mesh.vertices + (0, 0, -distance * scale), mesh.faces, camera)


def picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (SIZE, SIZE, 4), np.uint8)


def test_channels():
    body, image = sphere(), picture()
    x = network_inputs(image, body)
    assert x.shape == (CHANNELS, SIZE, SIZE) and x.dtype == np.float32
    assert np.isfinite(x).all()
    alpha = image[..., 3] / 255
    assert np.allclose(x[MATTE][0], alpha, atol=1e-6)
    assert np.allclose(x[PICTURE], np.moveaxis((image[..., :3] / 127.5 - 1) * alpha[..., None], 2, 0), atol=1e-5)
    assert np.array_equal(x[NORMALS][3:], np.moveaxis(body.normals_back, 2, 0))
    assert np.array_equal(x[BODY][0], body.mask)


def test_a_pixel_without_matte_shows_nothing():
    image = picture()
    image[..., 3] = 0
    assert not network_inputs(image, sphere())[PICTURE].any()


def test_depths_count_in_half_crops():
    """The sphere is 0.4 m of 3 m * 96 pixels / 240 pixels / 2 = 0.6 m in radius."""
    body = sphere()
    x = network_inputs(picture(), body)
    near, far = (d[SIZE // 2, SIZE // 2] for d in x[DEPTHS])
    assert far - near == pytest.approx(0.8 / 0.6, rel=0.02)


def test_metres_do_not_matter():
    image = picture()
    assert np.allclose(network_inputs(image, sphere()), network_inputs(image, sphere(scale=37.0)), atol=2e-4)


def test_a_long_lens_from_afar_gives_nearly_the_same():
    image = picture()
    near, far = (network_inputs(image, sphere(3.0 * k, 240.0 * k)) for k in (10, 20))
    both = (near[BODY] * far[BODY])[0] > 0
    assert np.abs(near - far)[DEPTHS][:, both].mean() < 0.01


def test_depths_go_on_beyond_the_body():
    body = sphere()
    x = network_inputs(picture(), body)[DEPTHS]
    unit = CropUnit.of(body)
    assert np.array_equal(x[0][body.mask], unit.from_metres(body.depth_front)[body.mask])
    for values in x:
        inside = values[body.mask]
        assert values.min() >= inside.min() - 1e-5 and values.max() <= inside.max() + 1e-5
    rim = x[0][~body.mask].mean()
    assert rim > x[0][body.mask].mean()  # a sphere's rim is farther than its middle


def test_the_way_back():
    body = sphere()
    unit = CropUnit.of(body)
    depths = unit.from_metres(np.stack([body.depth_front, body.depth_back]))
    back = maps_of(stacked_normals(body), depths, body.mask, body.camera, unit)
    assert np.array_equal(back.normals_front, body.normals_front)
    assert np.array_equal(back.normals_back, body.normals_back)
    assert np.nanmax(np.abs(back.depth_front - body.depth_front)) < 1e-5
    assert np.nanmax(np.abs(back.depth_back - body.depth_back)) < 1e-5
    assert np.isnan(back.depth_front[~body.mask]).all()


def test_what_does_not_belong_together_is_refused():
    with pytest.raises(ValueError, match="belong together"):
        network_inputs(picture()[:50], sphere())
    away = sphere(distance=-3.0)
    with pytest.raises(ValueError, match="outside of the picture"):
        network_inputs(picture(), away)
