"""Loading body models: the bundled one, our own files, and what cannot be loaded."""

from __future__ import annotations

import shutil
from time import perf_counter

import numpy as np
import pytest

from lookalike.body import load, load_body
from lookalike.errors import BodyModelError


def test_the_bundled_model_is_read_once():
    assert load_body() is load_body()


def test_the_bundled_model_loads_at_once():
    load._bundled.cache_clear()
    start = perf_counter()
    load_body()
    assert perf_counter() - start < 3  # 0.2 s on an idle core


def test_our_own_file_elsewhere(tmp_path):
    shutil.copy(load.BUNDLED, tmp_path / "mine.npz")
    model, bundled = load_body(tmp_path / "mine.npz"), load_body()
    assert model.name == "lookalike"
    np.testing.assert_array_equal(model.template, bundled.template)
    np.testing.assert_array_equal(model.weights, bundled.weights)
    assert load_body(str(tmp_path / "mine.npz")).name == "lookalike"


def test_quads_are_split_into_triangles():
    quads = np.array([[0, 1, 2, 3], [4, 5, 6, 6]])
    np.testing.assert_array_equal(load._triangles(quads), [[0, 1, 2], [0, 2, 3], [4, 5, 6]])


def test_triangles_and_their_uvs_go_together():
    """A triangle's corners lie where its quad's do: the same vertex, the same place in the picture."""
    model = load_body()
    where = {}
    for quad, places in zip(model.quads, model.quad_uv, strict=True):
        where.update(dict.fromkeys(zip(quad, places, strict=True), True))
    for face, places in zip(model.faces[::50], model.face_uv[::50], strict=True):
        assert all((v, t) in where for v, t in zip(face, places, strict=True))


def test_a_missing_file(tmp_path):
    with pytest.raises(BodyModelError, match="--body-model"):
        load_body(tmp_path / "none.npz")


def test_a_folder_is_no_model(tmp_path):
    with pytest.raises(BodyModelError):
        load_body(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"hello", bytes(1000)])
def test_what_is_no_model(tmp_path, content):
    bad = tmp_path / "bad.npz"
    bad.write_bytes(content)
    with pytest.raises(BodyModelError, match=r"bad\.npz"):
        load_body(bad)


def test_half_of_our_own_file(tmp_path):
    whole = load.BUNDLED.read_bytes()
    (tmp_path / "half.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BodyModelError, match=r"half\.npz"):
        load_body(tmp_path / "half.npz")
