"""The pickle reader: what SMPL files hold comes back as data, and nothing that a file asks for is ever run."""

from __future__ import annotations

import collections
import io
import os
import pickle
import sys
import types

import numpy as np
import pytest
import scipy.sparse

from lookalike.body.restricted_pickle import read_pickle
from lookalike.errors import BodyModelError

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def save(path, data, protocol=2):
    path.write_bytes(pickle.dumps(data, protocol))
    return path


def python2_array(array: np.ndarray) -> bytes:
    """The opcodes that Python 2's cPickle writes for an array at protocol 2: byte strings, names under numpy.core."""
    data = array.tobytes()

    def text(t: str) -> bytes:
        return b"U" + bytes([len(t)]) + t.encode()

    dtype = b"cnumpy\ndtype\n" + text(array.dtype.str[1:]) + b"K\x00K\x01\x87R(K\x03" + text("<")
    dtype += b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    shape = b"(" + b"".join(b"M" + n.to_bytes(2, "little") for n in array.shape) + b"t"
    head = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    return head + b"(K\x01" + shape + dtype + b"\x89T" + len(data).to_bytes(4, "little") + data + b"tb"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_data_comes_back(tmp_path, protocol):
    data = {
        "text": "naïve",
        "bytes": b"\x00\xff",
        "numbers": [1, -2, 300, 70000, 2**40, -(2**70), 1.5, float("inf"), True, False, None],
        "nested": {"a": (1, 2), 3: [(), [], {}], "long": (1, 2, 3, 4)},
        "ordered": collections.OrderedDict([("x", 1), ("y", 2)]),
    }
    assert read_pickle(save(tmp_path / "a.pkl", data, protocol)) == {**data, "ordered": {"x": 1, "y": 2}}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_sets_come_back_as_lists(tmp_path, protocol):
    got = read_pickle(save(tmp_path / "a.pkl", {"s": {1, 2}, "f": frozenset([3])}, protocol))
    assert sorted(got["s"]) == [1, 2]
    assert got["f"] == [3]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("dtype", ["f8", "f4", ">f4", "f2", "i8", "u4", "u1", "bool", "U7", "S3"])
def test_arrays_of_every_kind(tmp_path, protocol, dtype):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    data = {
        "c": array,
        "fortran": np.asfortranarray(array),
        "slice": array[:, ::2],
        "none": array[:0],
        "scalar": array.reshape(-1)[-1],
    }
    got = read_pickle(save(tmp_path / "a.pkl", data, protocol))
    for name, truth in data.items():
        np.testing.assert_array_equal(got[name], truth)
        assert got[name].dtype == truth.dtype.newbyteorder("=")
    assert got["c"].flags.writeable


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", ["csc_matrix", "csr_matrix", "coo_matrix", "csr_array"])
def test_sparse_matrices_come_back_dense(tmp_path, protocol, kind):
    dense = np.random.default_rng(0).random((5, 9)) * (np.arange(9) % 3 == 0)
    got = read_pickle(save(tmp_path / "a.pkl", {"J_regressor": getattr(scipy.sparse, kind)(dense)}, protocol))
    np.testing.assert_array_equal(got["J_regressor"], dense)


@pytest.mark.parametrize("core", ["numpy.core", "numpy._core"])
def test_both_homes_of_numpys_internals(tmp_path, core):
    pickled = pickle.dumps(np.arange(3.0), 2)
    mine = b"cnumpy." + (b"_core" if b"cnumpy._core." in pickled else b"core") + b".multiarray"
    assert mine in pickled
    (tmp_path / "a.pkl").write_bytes(pickled.replace(mine, f"c{core}.multiarray".encode()))
    np.testing.assert_array_equal(read_pickle(tmp_path / "a.pkl"), [0, 1, 2])


def test_a_python2_pickle_with_byte_strings(tmp_path):
    array = np.linspace(-1, 1, 12).reshape(3, 4)
    pickled = b"\x80\x02}q\x00(U\x0bJ_regressor" + python2_array(array) + b"U\x08bs_styleU\x03lbsU\x04shotL7L\nu."
    (tmp_path / "a.pkl").write_bytes(pickled)
    got = read_pickle(tmp_path / "a.pkl")
    np.testing.assert_array_equal(got["J_regressor"], array)
    assert got["bs_style"] == "lbs"
    assert got["shot"] == 7
    truth = pickle.loads(pickled, encoding="latin1")  # noqa: S301  our own bytes: they are what Python 2 writes
    np.testing.assert_array_equal(truth["J_regressor"], array)


def test_a_python2_protocol_0_text(tmp_path):
    (tmp_path / "a.pkl").write_bytes(b"(dp0\nS'x'\np1\nS'\\x00\\xffa\\'b\\\\'\np2\nsS'n'\nL12L\nsS'yes'\nI01\ns.")
    assert read_pickle(tmp_path / "a.pkl") == {"x": "\x00ÿa'b\\", "n": 12, "yes": True}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_chumpy_objects_give_their_array(tmp_path, protocol, monkeypatch):
    chumpy, ch = types.ModuleType("chumpy"), types.ModuleType("chumpy.ch")
    ch.Ch = type("Ch", (), {"__module__": "chumpy.ch"})
    monkeypatch.setitem(sys.modules, "chumpy", chumpy)
    monkeypatch.setitem(sys.modules, "chumpy.ch", ch)
    wrapped, empty = ch.Ch(), ch.Ch()
    wrapped.x, wrapped._dirty_vars, wrapped._itr = np.arange(6.0).reshape(2, 3), {"x"}, None
    save(tmp_path / "a.pkl", {"v_template": wrapped, "same": wrapped, "J": empty}, protocol)
    monkeypatch.undo()
    assert "chumpy" not in sys.modules
    got = read_pickle(tmp_path / "a.pkl")
    np.testing.assert_array_equal(got["v_template"], wrapped.x)
    assert got["same"] is got["v_template"]
    assert got["J"] is None
    assert "chumpy" not in sys.modules


class Runs:
    """Pickles as a call of `function` with `args`."""

    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


def attacks(marker: str) -> dict[str, bytes]:
    """Pickles that create the file `marker` when they are loaded carelessly."""
    make = f"open({marker!r}, 'w').close()"
    code = make.encode()
    out = {
        "os.system": pickle.dumps({"v_template": Runs(os.system, f"touch {marker}")}, 0),
        "os.system at protocol 4": pickle.dumps([Runs(os.system, f"touch {marker}")], 4),
        "eval": pickle.dumps(Runs(eval, make), 2),
        "exec": pickle.dumps(Runs(exec, make), 5),
        "python 2 eval": b"c__builtin__\neval\n(V" + code + b"\ntR.",
        "old-style instance": b"(V" + code + b"\ni__builtin__\neval\n.",
        "object opcode": b"(cbuiltins\neval\nV" + code + b"\no.",
        "new object": b"cbuiltins\neval\n(V" + code + b"\nt\x81.",
        "getattr": pickle.dumps(Runs(getattr, "", "format"), 2),
        "dotted attribute": b"\x80\x04\x8c\x05numpy\x8c\x14load.__globals__.eval\x93V" + code + b"\n\x85R.",
        "through numpy's own modules": b"cnumpy.core.multiarray\nos.system\n(Vtouch " + marker.encode() + b"\ntR.",
        "through chumpy": b"cchumpy.ch\n__builtins__.eval\n(V" + code + b"\ntR.",
        "module of chumpy": b"cchumpy ch\nCh\n(tR.",
        "arguments for chumpy": b"cchumpy.ch\nCh\n(V" + code + b"\ntR.",
        "numpy.load": pickle.dumps(Runs(np.load, marker), 2),
        "numpy.fromfile": pickle.dumps(Runs(np.fromfile, marker), 2),
        "numpy.memmap": b"cnumpy\nmemmap\n(V" + marker.encode() + b"\nVu1\nVw+\nI0\nI1\ntR.",
        "numpy's runstring": b"cnumpy.testing._private.utils\nrunstring\n(V" + code + b"\n}tR.",
        "lazy open": pickle.dumps(Runs(open, marker, "w"), 2),
        "importlib": b"cimportlib\nimport_module\n(Vthis\ntR.",
        "extension code": b"\x80\x02\x82\x01.",
        "persistent id": b"Pos.system\n.",
        "state of a name": b"cnumpy\nndarray\n}Vx\nI1\nsb.",
        "call of a call": b"ccollections\nOrderedDict\n)R)R.",
        "call of a text": b"Vos.system\n(Vtouch\ntR.",
        "object array": pickle.dumps(np.array([Runs(os.system, f"touch {marker}"), None], object), 2),
        "object array of plain things": pickle.dumps({"x": np.array([1, "a", None], object)}, 2),
        "record array": pickle.dumps(np.zeros(2, [("a", "f4"), ("b", "i2")]), 2),
    }
    return out


@pytest.mark.parametrize("name", list(attacks("")))
def test_no_attack_runs(tmp_path, name):
    marker = tmp_path / "ran"
    bad = tmp_path / "bad.pkl"
    bad.write_bytes(attacks(str(marker))[name])
    with pytest.raises(BodyModelError) as caught:
        read_pickle(bad)
    assert not marker.exists()
    message = str(caught.value)
    assert str(bad) in message
    assert "\n" not in message


def test_the_attacks_are_real(tmp_path):
    """Loaded by Python's own pickle, the first of them does create its file: the test above proves something."""
    marker = tmp_path / "ran"
    for name in ("os.system", "eval", "exec", "python 2 eval", "object opcode", "object array"):
        pickle.load(io.BytesIO(attacks(str(marker))[name]))  # noqa: S301  our own bytes
        assert marker.exists(), name
        marker.unlink()


def test_a_refusal_names_what_was_asked_for(tmp_path):
    with pytest.raises(BodyModelError, match=r"refused, because it asks for '\w+\.system'"):
        read_pickle(save(tmp_path / "a.pkl", Runs(os.system, "true")))


def array_pickle(shape: bytes, dtype: bytes, data: bytes) -> bytes:
    return (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n(I0\ntVb\n\x87R(I1\n("
        + shape
        + b"tcnumpy\ndtype\n(V"
        + dtype
        + b"\ntRI00\n"
        + data
        + b"tb."
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b".",
        b"This is not a pickle but a text.\n",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        pickle.dumps({"x": np.arange(100.0)}, 2)[:-40],
        pickle.dumps({"x": np.arange(100.0)}, 4)[:300],
        b"\x80\x09N.",
        b"R.",
        b"(((((.",
        b"0.",
        b"]" * 1000 + b"a" * 999 + b".",  # a thousand lists in one another
        b"]2a.",  # a list in itself
        b"]q\x00" + b"".join(b"](h%bh%be\x94q%b" % (bytes([i]), bytes([i]), bytes([i + 1])) for i in range(100)) + b".",
        b"(" * 300_000 + b"t" * 299_999 + b".",
        b")" + b"\x85" * 300_000 + b"K\x01\x86R.",
        b"}(" + b")" + b"\x85" * 300_000 + b"K\x01u.",  # a key whose hash would recurse
        b"N0" * 1_100_000 + b"N.",
        b"T\xff\xff\xff\x7fabc.",  # 2 GB of text announced
        b"\x8e" + (2**63).to_bytes(8, "little") + b"abc.",
        b"\x8b\x00\x00\x00\x40" + b"\x01" * 100 + b".",
        b"L" + b"9" * 10_000 + b"L\n.",
        b"h\x07.",
        array_pickle(b"I1000000000000\n", b"f8", b"V\n"),
        array_pickle(b"I-1\n", b"f8", b"V\n"),
        array_pickle(b"I3\n", b"f8", b"Vabc\n"),
        array_pickle(b"I1\n", b"O", b"](I1\ne"),
        array_pickle(b"I1\n", b"O8", b"](I1\ne"),
        array_pickle(b"I1\n", b"f8, O", b"](I1\ne"),
        array_pickle(b"I0\n", b"V8", b"V\n"),
    ],
    ids=range(29),
)
def test_damaged_and_absurd_files_are_refused(tmp_path, content):
    bad = tmp_path / "bad.pkl"
    bad.write_bytes(content)
    with pytest.raises(BodyModelError, match=r"bad\.pkl"):
        read_pickle(bad)


@pytest.mark.parametrize(
    "change",
    [
        {"indices": np.array([0, 99])},
        {"indices": np.array([0, -1])},
        {"indptr": np.array([0, 1, 2**62, 2])},
        {"indptr": np.array([0, 1])},
        {"data": np.array([1.0])},
        {"_shape": (10**6, 10**6)},
        {"_shape": (3, "x")},
    ],
)
def test_sparse_matrices_with_wrong_indices_are_refused(tmp_path, change):
    matrix = scipy.sparse.csc_matrix(np.array([[1.0, 0, 0], [0, 2.0, 0], [0, 0, 0]]))
    matrix.__dict__.update(change)
    with pytest.raises(BodyModelError):
        read_pickle(save(tmp_path / "a.pkl", matrix))


def test_a_missing_file(tmp_path):
    with pytest.raises(BodyModelError, match="cannot be opened"):
        read_pickle(tmp_path / "none.pkl")
