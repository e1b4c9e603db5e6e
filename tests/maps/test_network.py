"""The maps network: its budget, its shapes, and that a fresh one returns the body."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh
from torch.utils.flop_counter import FlopCounterMode

from lookalike.camera import Camera
from lookalike.errors import LookalikeError
from lookalike.maps.inputs import CHANNELS
from lookalike.maps.maps import render_maps
from lookalike.maps.network import LABELS, MapsNetwork, NetworkConfig, infer, load_weights, save_weights
from lookalike.people import sample

SMALL = NetworkConfig(widths=(16, 24), down=(1, 1), up=(1,), features=4, detail=8)


def small_network(spread: float = 0.0) -> MapsNetwork:
    """Tiny, fresh; `spread` stirs its last layer, whose zeros return the body."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        net = MapsNetwork(SMALL).eval()
        torch.nn.init.normal_(net.heads.weight, std=spread)
    return net


def scene(height: int = 64, width: int = 64):
    mesh = trimesh.creation.icosphere(4, 0.4)
    camera = Camera(150.0, width / 2, height / 2, width, height)
    body = render_maps(mesh.vertices + (0, 0, -3), mesh.faces, camera)
    image = np.random.default_rng(0).integers(0, 256, (height, width, 4), np.uint8)
    image[..., 3] = 255 * body.mask
    return image, body


def test_budget_at_512():
    with torch.device("meta"):
        net, inputs = MapsNetwork(), torch.empty(1, CHANNELS, 512, 512)
    with FlopCounterMode(display=False) as counter:
        net(inputs)
    assert sum(p.numel() for p in net.parameters()) <= 12e6
    assert counter.get_total_flops() <= 60e9


@pytest.mark.parametrize("size", [128, 256, 512])
def test_shapes(size):
    with torch.device("meta"):
        raw = MapsNetwork()(torch.empty(2, CHANNELS, size, size))
    channels = {"normals": 6, "depths": 2, "labels": LABELS, "colour": 3, "log_error": 2}
    for name, count in channels.items():
        assert getattr(raw, name).shape == (2, count, size, size)


def test_parts_are_those_of_samples():
    assert len(sample.LABELS) == LABELS


def test_normals_have_length_one():
    inputs = torch.randn(1, CHANNELS, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        raw = small_network(0.5)(inputs)
    for side in raw.normals.split(3, 1):
        assert torch.allclose(side.norm(dim=1), torch.ones(()), atol=1e-5)


def test_a_fresh_network_returns_the_body():
    image, body = scene()
    found = infer(small_network(), image, body, reduced=False)
    assert np.array_equal(found.maps.mask, body.mask)
    for name in ("normals_front", "normals_back", "depth_front", "depth_back"):
        assert np.nanmax(np.abs(getattr(found.maps, name) - getattr(body, name))) < 1e-5
    assert found.maps.camera == body.camera
    opaque = body.mask
    assert np.abs(found.colour_back[opaque].astype(int) - image[opaque][:, :3]).max() <= 1


def test_where_there_is_no_body_a_fresh_network_faces_the_camera():
    image, body = scene()
    image[..., 3] = 255
    found = infer(small_network(), image, body, reduced=False).maps
    assert np.allclose(found.normals_front[~body.mask], (0, 0, 1))
    assert np.allclose(found.normals_back[~body.mask], (0, 0, -1))
    assert np.isfinite(found.depth_front).all()


def test_what_users_get():
    image, body = scene(50, 71)  # no multiple of anything
    found = infer(small_network(0.5), image, body)
    assert found.maps.normals_front.shape == (50, 71, 3)
    assert found.labels.shape == (50, 71) and found.labels.dtype == np.uint8
    assert found.colour_back.shape == (50, 71, 3) and found.colour_back.dtype == np.uint8
    assert found.confidence.shape == (50, 71, 2)
    inside = found.confidence[found.maps.mask]
    assert inside.min() > 0 and inside.max() < 1
    for values in (found.labels, found.colour_back, found.confidence, found.maps.normals_back):
        assert not values[~found.maps.mask].any()


def test_weights_come_back_to_half_precision(tmp_path):
    net = small_network(0.5)
    save_weights(net, tmp_path / "w.safetensors")
    back = load_weights(tmp_path / "w.safetensors")
    assert back.config == SMALL
    for name, tensor in net.state_dict().items():
        assert torch.equal(back.state_dict()[name], tensor.half().float()), name
    image, body = scene()
    a, b = (infer(n, image, body, reduced=False).maps for n in (net, back))
    assert np.abs(a.normals_front - b.normals_front).max() < 0.02


def test_other_files_are_refused(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "w.safetensors"
    with pytest.raises(LookalikeError, match="Cannot read the weights"):
        load_weights(path)
    path.write_bytes(b"nothing")
    with pytest.raises(LookalikeError, match="Cannot read the weights"):
        load_weights(path)
    save_file({"x": torch.zeros(3)}, path)
    with pytest.raises(LookalikeError, match="no weights of a maps network"):
        load_weights(path)


def test_impossible_networks_are_refused():
    for wrong in ({"widths": (96, 160)}, {"widths": (90, 160, 256, 320)}, {"features": 0}):
        with pytest.raises(ValueError, match="network"):
            NetworkConfig(**wrong)


def test_a_network_without_the_body_is_told_nothing_of_it():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        net = MapsNetwork(replace(SMALL, body=False)).eval()
        torch.nn.init.normal_(net.heads.weight, std=0.5)
    inputs = torch.randn(1, CHANNELS, 64, 64, generator=torch.Generator().manual_seed(0))
    other = inputs.clone()
    other[:, 4:] = 0.3
    with torch.no_grad():
        a, b = net(inputs), net(other)
    assert torch.equal(a.normals, b.normals) and torch.equal(a.depths, b.depths)
