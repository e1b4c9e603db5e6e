from __future__ import annotations

import numpy as np
import pytest

from lookalike.export.gltf import Gltf


def test_arrays_come_back_as_they_went_in(tmp_path, open_glb):
    gltf = Gltf()
    bytes_ = gltf.accessor(np.arange(9, dtype=np.uint8).reshape(-1, 3)[:, :1].repeat(4, 1))
    floats = gltf.accessor(np.array([[1.5, -2], [3, 4]], ">f4"), bounds=True)
    matrices = gltf.accessor(np.arange(32, dtype=np.float32).reshape(2, 4, 4))
    gltf.write(tmp_path / "a.glb")
    glb = open_glb(tmp_path / "a.glb")
    assert glb.rows(bytes_).tolist() == [[0] * 4, [3] * 4, [6] * 4]
    assert glb.rows(floats).tolist() == [[1.5, -2], [3, 4]]
    assert glb.json["accessors"][floats]["min"] == [1.5, -2]
    assert glb.json["accessors"][floats]["max"] == [3, 4]
    assert glb.rows(matrices)[0].tolist() == np.arange(16).reshape(4, 4).T.reshape(-1).tolist()  # by columns
    assert all(view["byteOffset"] % 4 == 0 for view in glb.json["bufferViews"])
    assert glb.json["buffers"] == [{"byteLength": len(glb.binary)}]


def test_sparse_rows_are_zero_but_for_the_given_ones(tmp_path, open_glb):
    gltf = Gltf()
    some = gltf.sparse_accessor(np.array([2, 5]), np.array([[1, 2, 3], [4, 5, 6]], np.float32), 8, bounds=True)
    none = gltf.sparse_accessor(np.zeros(0, int), np.zeros((0, 3), np.float32), 8, bounds=True)
    far = gltf.sparse_accessor(np.array([70000]), np.ones((1, 3), np.float32), 70001)
    gltf.write(tmp_path / "a.glb")
    glb = open_glb(tmp_path / "a.glb")
    assert glb.rows(some)[[2, 5]].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert np.count_nonzero(glb.rows(some)) == 6
    assert glb.json["accessors"][some]["min"] == [0, 0, 0]
    assert not glb.rows(none).any()
    assert glb.json["accessors"][none]["max"] == [0, 0, 0]
    assert glb.rows(far)[70000].tolist() == [1, 1, 1]


def test_numbers_must_be_finite():
    with pytest.raises(ValueError, match="finite"):
        Gltf().accessor(np.array([np.nan], np.float32))


def test_a_document_without_data_has_no_binary_chunk(tmp_path):
    Gltf().write(tmp_path / "a.glb")
    assert b"BIN" not in (tmp_path / "a.glb").read_bytes()
