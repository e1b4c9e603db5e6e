"""Pickled data frames, written here in the layouts of pandas 1.1 and of pandas since 1.3, come back as columns; nothing
that a file asks for is ever run."""

from __future__ import annotations

import contextlib
import io
import os
import pickle

import numpy as np
import pytest

from lookalike.errors import LookalikeError
from lookalike.people.datasets.data_frames import read_data_frame

TABLE = {
    "X": [[1.5, 2.5], [3.0]],
    "camX": np.array([7, 9]),
    "Yaw": [np.array([10.0, 20.0]), np.array([30.0])],
    "camYaw": np.array([0.5, -1.0]),
    "imgPath": ["a.png", "b_hdri.png"],
    "camZ": np.array([1, 2]),
    "isValid": [[True, np.bool_(False)], [True]],
    "age": [None, {"years": (3, 4)}],
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("layout", ["blocks", "state"])
def test_columns_come_back(tmp_path, pandas, protocol, layout):
    file = tmp_path / "a.pkl"
    file.write_bytes(pandas.dumps(TABLE, protocol, layout))
    got = read_data_frame(file)
    assert list(got) == list(TABLE)
    np.testing.assert_array_equal(got.pop("Yaw")[0], [10.0, 20.0])
    assert got == {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in TABLE.items() if k != "Yaw"}
    assert read_data_frame(file, ["imgPath", "camX"]) == {"imgPath": ["a.png", "b_hdri.png"], "camX": [7, 9]}


def test_rows_may_have_numbers_of_their_own(tmp_path, pandas):
    (tmp_path / "a.pkl").write_bytes(pandas.dumps({"a": np.array([4, 5, 6])}, 4, "blocks", rows=[9, 3, 5]))
    assert read_data_frame(tmp_path / "a.pkl") == {"a": [4, 5, 6]}


def test_columns_that_are_not_wanted_are_not_taken_apart(tmp_path, pandas):
    """So that the vertices in some of AGORA's frames cost only their bytes."""
    deep: list = []
    for _ in range(100):
        deep = [deep]
    (tmp_path / "a.pkl").write_bytes(pandas.dumps({"verts": [deep], "imgPath": ["a.png"]}, 4, "blocks"))
    assert read_data_frame(tmp_path / "a.pkl", ["imgPath"]) == {"imgPath": ["a.png"]}
    with pytest.raises(LookalikeError):
        read_data_frame(tmp_path / "a.pkl")


def test_a_missing_column_is_named(tmp_path, pandas):
    (tmp_path / "a.pkl").write_bytes(pandas.dumps({"a": np.array([4])}, 4, "blocks"))
    with pytest.raises(LookalikeError, match="has no column 'camX'"):
        read_data_frame(tmp_path / "a.pkl", ["camX"])


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_files_that_ask_for_more_are_refused_and_not_run(tmp_path, pandas, protocol):
    touched = tmp_path / "touched"
    columns = {"a": [pandas.call_of(os.mkdir, str(touched))]}
    (tmp_path / "a.pkl").write_bytes(pandas.dumps(columns, protocol, "blocks"))
    with pytest.raises(LookalikeError, match=r"asks for '(posix|nt)\.mkdir'"):
        read_data_frame(tmp_path / "a.pkl", ["a"])
    assert not touched.exists()


@pytest.mark.parametrize(
    "function", [eval, getattr, io.open, np.load, pickle.loads, os.system], ids=lambda f: f.__name__
)
def test_dangerous_names_are_refused(tmp_path, pandas, function):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(pandas.call_of(function, "x")))
    with pytest.raises(LookalikeError, match="is refused, because it asks for"):
        read_data_frame(tmp_path / "a.pkl")


def test_other_kinds_of_columns_and_files_are_refused(tmp_path, pandas):
    array = pandas.stand_in("pandas.core.arrays.string_", "StringArray")
    cases = {
        "asks for 'pandas.core.arrays.string_.StringArray'": pandas.dumps({"a": [array()]}, 4, "blocks"),
        "is no data frame": pickle.dumps({"a": 1}),
        "damaged or no pickle": pickle.dumps([1, 2, 3])[:-2],
    }
    for message, data in cases.items():
        (tmp_path / "a.pkl").write_bytes(data)
        with pytest.raises(LookalikeError, match=message):
            read_data_frame(tmp_path / "a.pkl")
    with pytest.raises(LookalikeError, match="cannot be opened"):
        read_data_frame(tmp_path / "b.pkl")


def test_files_cut_anywhere_or_with_a_changed_byte_give_no_other_error(tmp_path, pandas):
    data = pandas.dumps(TABLE, 4, "blocks")
    rng = np.random.default_rng(0)
    for i in range(300):
        bad = bytearray(data[: rng.integers(1, len(data))] if i % 2 else data)
        bad[rng.integers(len(bad))] = rng.integers(256)
        (tmp_path / "a.pkl").write_bytes(bytes(bad))
        with contextlib.suppress(LookalikeError):  # every other error fails
            read_data_frame(tmp_path / "a.pkl")


def test_an_axis_longer_than_any_file_is_refused(tmp_path, pandas):
    axis = pandas.call_of(pandas.new_index, pandas.range, {"start": 0, "stop": 1 << 60, "step": 1})
    frame = pandas.frame()
    names = pandas.call_of(pandas.new_index, pandas.index, {"data": np.array(["a"], object)})
    frame._mgr = pandas.call_of(pandas.manager, (), [names, axis])
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(frame))
    with pytest.raises(LookalikeError, match="damaged"):
        read_data_frame(tmp_path / "a.pkl")
