"""Samples on disk: nothing that matters is lost."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.errors import LookalikeError
from lookalike.people.store import from_octahedron, read_sample, to_octahedron, write_sample
from lookalike.people.synthesis import Recipe, SyntheticPeople


@pytest.fixture(scope="module")
def sample():
    return SyntheticPeople(2, Recipe(size=256))[0]


def test_octahedral_normals_are_exact_to_a_hundredth_of_a_degree():
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(5000, 3))
    normals = np.concatenate([normals, np.eye(3), -np.eye(3)])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    back = from_octahedron(to_octahedron(normals.astype(np.float32))).astype(float)
    off = np.degrees(np.arcsin(np.clip(np.linalg.norm(np.cross(normals, back), axis=1), 0, 1)))
    assert off.max() < 0.01
    assert (np.einsum("ni,ni->n", normals, back) > 0).all()


def test_what_was_written_is_read(sample, tmp_path):
    path = tmp_path / "sample.npz"
    write_sample(sample, path)
    back = read_sample(path)
    assert back.name == sample.name
    assert back.camera == sample.camera
    assert np.array_equal(back.image[..., 3], sample.image[..., 3])
    shown = sample.image[..., 3] > 0
    assert np.array_equal(back.image[shown], sample.image[shown])
    for name in ("labels_front", "labels_back", "colour_front", "colour_back"):
        assert np.array_equal(getattr(back, name), getattr(sample, name))
    assert np.allclose(back.body.vertices, sample.body.vertices, atol=2e-6)
    for own, kept in ((sample.maps, back.maps), (sample.body_maps, back.body_maps)):
        assert np.array_equal(own.mask, kept.mask)
        assert np.isnan(kept.depth_front[~kept.mask]).all()
        for side in ("front", "back"):
            depth = getattr(own, f"depth_{side}") - getattr(kept, f"depth_{side}")
            assert np.nanmax(np.abs(depth)) < 6e-5
            cosine = (getattr(own, f"normals_{side}") * getattr(kept, f"normals_{side}")).sum(2)[own.mask]
            assert cosine.min() > 1 - 1e-5
    assert not list(tmp_path.glob(".*"))


def test_a_sample_without_a_body(sample, tmp_path):
    from dataclasses import replace

    write_sample(replace(sample, body=None, body_maps=None), tmp_path / "x.npz")
    back = read_sample(tmp_path / "x.npz")
    assert back.body is None
    assert back.body_maps is None


def test_damaged_files_are_refused(sample, tmp_path):
    path = tmp_path / "sample.npz"
    write_sample(sample, path)
    data = path.read_bytes()
    for damaged in (b"", b"nothing", data[: len(data) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(LookalikeError, match="Cannot read the sample"):
            read_sample(path)
    with pytest.raises(LookalikeError, match="Cannot read the sample"):
        read_sample(tmp_path / "missing.npz")
