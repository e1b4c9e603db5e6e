"""Read the pickles that SMPL-family models are published as, without running anything that is in them.

`pickle.load` executes whatever a file says. This reader is a small pickle machine of its own (the opcodes of PEPs 307,
3154, 574) that imports nothing and calls nothing the file names: a name such as numpy.ndarray stays a `Name`, a call
of it a `Call` that only records its arguments. Afterwards the few calls that SMPL files need are read as data:

- numpy arrays and scalars of numbers or short texts, however old the numpy or Python that wrote them,
- scipy.sparse csc, csr and coo matrices, as dense arrays,
- chumpy objects, as the array they hold,
- dicts, lists, tuples, sets, texts, bytes and numbers.

Any other name is refused where it stands, before the rest of the file is read.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from lookalike.errors import BodyModelError

#: SMPL-X with all its components takes 0.6 GB.
MAX_FILE = 2 << 30
MAX_OPCODES = 2_000_000
MAX_DEPTH = 32
MAX_NODES = 500_000
#: Cells of a sparse matrix made dense: 55 joints of 10,475 vertices are 0.6 million.
MAX_DENSE = 20_000_000

ARRAY = {"numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"}
_SCALAR = {"numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"}
_FROM_BUFFER = {"numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer"}
_DICT = {"collections.OrderedDict"}
_SET = {"builtins.set", "builtins.frozenset", "__builtin__.set", "__builtin__.frozenset"}
REBUILD = {"copy_reg._reconstructor", "copyreg._reconstructor"}
_OBJECT = {"__builtin__.object", "builtins.object"}
_BYTES = {"__builtin__.bytes", "builtins.bytes", "__builtin__.bytearray", "builtins.bytearray"}
KNOWN = {"numpy.ndarray", "numpy.dtype", "_codecs.encode"}.union(
    ARRAY, _SCALAR, _FROM_BUFFER, _DICT, _SET, REBUILD, _OBJECT, _BYTES
)
_SPARSE = re.compile(r"scipy\.sparse\.(?:_?(csc|csr|coo)\.)?_?(csc|csr|coo)_(?:matrix|array)")
_SPARSE_FIELDS = {"_shape", "shape", "data", "indices", "indptr", "row", "col", "coords"}
_CHUMPY = re.compile(r"chumpy(?:\.[A-Za-z]\w*)+")
#: Booleans, integers, floats; byte and unicode texts of at most 9999 characters.
_DTYPE = re.compile(r"[<>|=]?(?:b1|[iu][1248]|f[248]|[SU]\d{1,4})")


class Refused(Exception):
    """Why the file is not read."""


@dataclass(frozen=True)
class Name:
    """A global that the file refers to, never imported."""

    path: str


@dataclass(eq=False)
class Call:
    """A call, or an instance, that the file asks for, never made. `state` and `items` are what it would be given."""

    name: Name
    args: tuple
    state: Any = None
    items: list = field(default_factory=list)


class _Mark:
    """Where a run of items starts on the stack."""


def read_pickle(path: str | Path) -> Any:
    """What a pickle of plain data, arrays, sparse matrices and chumpy objects holds.

    Sparse matrices come back as dense arrays, chumpy objects as the array in them (None where they hold none), sets as
    lists. Raises `BodyModelError` for every other file; nothing in the file is ever run.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > MAX_FILE:
            raise Refused(f"is larger than {MAX_FILE >> 30} GB")
        with path.open("rb") as file:
            return Reader(Machine(file, size).run()).value()
    except OSError as error:
        raise BodyModelError(f"The body model {path} cannot be opened ({error.strerror}).") from error
    except Refused as error:
        raise BodyModelError(
            f"The body model {path} {error}; use the .npz or .pkl file as it was published for SMPL, SMPL-H or SMPL-X."
        ) from None
    except (ValueError, TypeError, IndexError, KeyError, struct.error, OverflowError, MemoryError) as error:
        raise BodyModelError(f"The body model {path} is damaged or not a pickle: please download it again.") from error


class Machine:
    """The pickle stack machine on data only: opcodes in, containers, numbers, texts, `Name` and `Call` out."""

    #: What the file should hold, in words.
    subject = "a body model"

    def __init__(self, file: BinaryIO, size: int):
        self.file, self.left = file, size
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        for _ in range(MAX_OPCODES):
            code = self.take(1)
            if code == b".":
                if len(self.stack) != 1:
                    raise ValueError("the stack does not hold one object")
                return self.pop()
            step = OPCODES.get(code)
            if step is None:
                raise ValueError(f"opcode {code!r}")
            step(self)
        raise Refused(f"holds far more objects than {self.subject}")

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise ValueError("the file ends too early")
        self.left -= count
        return self.file.read(count)

    def number(self, form: str) -> int:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self) -> bytes:
        line = self.file.readline(self.left)
        self.left -= len(line)
        if not line.endswith(b"\n"):
            raise ValueError("the file ends too early")
        return line[:-1]

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        value = self.stack.pop()
        if isinstance(value, _Mark):
            raise ValueError("a mark where an object should be")
        return value

    def top(self) -> Any:
        if not self.stack or isinstance(self.stack[-1], _Mark):
            raise ValueError("nothing on the stack")
        return self.stack[-1]

    def run_of_items(self) -> list:
        for i in range(len(self.stack) - 1, -1, -1):
            if isinstance(self.stack[i], _Mark):
                items = self.stack[i + 1 :]
                del self.stack[i:]
                return items
        raise ValueError("no mark on the stack")

    def name(self, module: Any, attribute: Any) -> None:
        """A global reference: the one place where a file could ask for code, so this is where it is refused."""
        if isinstance(module, bytes) and isinstance(attribute, bytes):
            module, attribute = module.decode("utf-8"), attribute.decode("utf-8")
        if not isinstance(module, str) or not isinstance(attribute, str):
            raise ValueError("a name that is no text")
        path = f"{module}.{attribute}"
        if path not in KNOWN and not _SPARSE.fullmatch(path) and not _CHUMPY.fullmatch(path):
            raise Refused(f"is refused, because it asks for {path[:80]!r}, which no body model needs")
        self.push(Name(path))

    def call(self, name: Any, args: Any) -> None:
        if not isinstance(name, Name) or not isinstance(args, tuple):
            raise Refused("is refused, because it calls something that has no name")
        self.push(Call(name, args))

    def remember(self, index: int) -> None:
        self.memo[index] = self.top()

    def recall(self, index: int) -> None:
        self.push(self.memo[index])

    def extend(self, items: list) -> None:
        target = self.top()
        if not isinstance(target, list):
            raise ValueError("items for what is no list")
        target.extend(items)

    def fill(self, items: list) -> None:
        target = self.top()
        if isinstance(target, Call) and target.name.path in _DICT:
            target.items.extend(zip(items[::2], items[1::2], strict=True))
        elif isinstance(target, dict):
            target.update(_pairs(zip(items[::2], items[1::2], strict=True)))
        else:
            raise ValueError("entries for what is no dict")

    def build(self) -> None:
        state, target = self.pop(), self.top()
        if not isinstance(target, Call):
            raise Refused("is refused, because it changes the attributes of something that has none")
        target.state = state


def _pairs(pairs: Any) -> dict:
    """A dict of plain keys. (The hash of a deeply nested tuple would overflow the C stack.)"""
    out = {}
    for key, value in pairs:
        if not isinstance(key, str | bytes | int | float | None):
            raise ValueError("a key that is neither text nor number")
        out[key] = value
    return out


def _long(data: bytes) -> int:
    if len(data) > 64:
        raise ValueError("an absurdly large number")
    return int.from_bytes(data, "little", signed=True)


def _decimal(line: bytes) -> int:
    if len(line) > 64:
        raise ValueError("an absurdly large number")
    return int(line.rstrip(b"L"))


def _integer(m: Machine) -> None:
    line = m.line()
    m.push({b"00": False, b"01": True}[line] if line in (b"00", b"01") else _decimal(line))


def _quoted(m: Machine) -> None:
    """Python 2's repr of a byte string."""
    line = m.line().strip()
    if len(line) < 2 or line[:1] not in (b"'", b'"') or line[-1:] != line[:1]:
        raise ValueError("a text without quotes")
    m.push(line[1:-1].decode("unicode_escape"))


def _instance(m: Machine) -> None:
    module, attribute = m.line(), m.line()
    items = m.run_of_items()
    m.name(module, attribute)
    m.call(m.pop(), tuple(items))


def _object(m: Machine) -> None:
    items = m.run_of_items()
    m.call(items[0], tuple(items[1:]))


def _stack_global(m: Machine) -> None:
    attribute, module = m.pop(), m.pop()
    m.name(module, attribute)


def _call(m: Machine) -> None:
    args, name = m.pop(), m.pop()
    m.call(name, args)


def _tuple(m: Machine, count: int) -> None:
    items = [m.pop() for _ in range(count)]
    m.push(tuple(items[::-1]))


def _entry(m: Machine) -> None:
    value, key = m.pop(), m.pop()
    m.fill([key, value])


def _dict(m: Machine) -> None:
    items = m.run_of_items()
    m.push({})
    m.fill(items)


def _sized(form: str, decode: Callable[[bytes], Any]) -> Callable[[Machine], None]:
    return lambda m: m.push(decode(m.take(m.number(form))))


def _latin(data: bytes) -> str:
    return data.decode("latin-1")


def _utf8(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _proto(m: Machine) -> None:
    if m.number("<B") > 5:
        raise ValueError("a pickle protocol of the future")


def _frame(m: Machine) -> None:
    m.take(8)  # its length, only a hint for reading ahead


def _pop_any(m: Machine) -> None:
    m.stack.pop()


def _pop_run(m: Machine) -> None:
    m.run_of_items()


#: Absent, so refused: persistent ids, extension codes, calls with keywords, out-of-band buffers.
OPCODES: dict[bytes, Callable[[Machine], None]] = {
    b"\x80": _proto,
    b"\x95": _frame,
    b"(": lambda m: m.push(_Mark()),
    b"0": _pop_any,
    b"1": _pop_run,
    b"2": lambda m: m.push(m.top()),
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"I": _integer,
    b"J": lambda m: m.push(m.number("<i")),
    b"K": lambda m: m.push(m.number("<B")),
    b"M": lambda m: m.push(m.number("<H")),
    b"L": lambda m: m.push(_decimal(m.line())),
    b"\x8a": _sized("<B", _long),
    b"\x8b": _sized("<I", _long),
    b"F": lambda m: m.push(float(m.line())),
    b"G": lambda m: m.push(m.number(">d")),
    b"S": _quoted,
    b"T": _sized("<I", _latin),
    b"U": _sized("<B", _latin),
    b"V": lambda m: m.push(m.line().decode("raw_unicode_escape")),
    b"X": _sized("<I", _utf8),
    b"\x8c": _sized("<B", _utf8),
    b"\x8d": _sized("<Q", _utf8),
    b"B": _sized("<I", bytes),
    b"C": _sized("<B", bytes),
    b"\x8e": _sized("<Q", bytes),
    b"\x96": _sized("<Q", bytes),
    b"]": lambda m: m.push([]),
    b"l": lambda m: m.push(m.run_of_items()),
    b"a": lambda m: m.extend([m.pop()]),
    b"e": lambda m: m.extend(m.run_of_items()),
    b")": lambda m: m.push(()),
    b"t": lambda m: m.push(tuple(m.run_of_items())),
    b"\x85": lambda m: _tuple(m, 1),
    b"\x86": lambda m: _tuple(m, 2),
    b"\x87": lambda m: _tuple(m, 3),
    b"}": lambda m: m.push({}),
    b"d": _dict,
    b"s": _entry,
    b"u": lambda m: m.fill(m.run_of_items()),
    b"\x8f": lambda m: m.push([]),
    b"\x90": lambda m: m.extend(m.run_of_items()),
    b"\x91": lambda m: m.push(m.run_of_items()),
    b"p": lambda m: m.remember(_decimal(m.line())),
    b"q": lambda m: m.remember(m.number("<B")),
    b"r": lambda m: m.remember(m.number("<I")),
    b"\x94": lambda m: m.remember(len(m.memo)),
    b"g": lambda m: m.recall(_decimal(m.line())),
    b"h": lambda m: m.recall(m.number("<B")),
    b"j": lambda m: m.recall(m.number("<I")),
    b"c": lambda m: m.name(m.line(), m.line()),
    b"\x93": _stack_global,
    b"R": _call,
    b"\x81": _call,
    b"i": _instance,
    b"o": _object,
    b"b": lambda m: m.build(),
}


class Reader:
    """What the machine left, read as data: every `Call` becomes the array, text or container that it stands for."""

    def __init__(self, root: Any):
        self.root = root
        self.nodes = 0
        self.done: dict[int, Any] = {}

    def value(self) -> Any:
        return self.read(self.root, 0)

    def read(self, node: Any, depth: int) -> Any:
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise Refused("is nested deeper than any body model")
        if node is None or isinstance(node, str | bytes | bool | int | float):
            return node
        if isinstance(node, list):
            return [self.read(x, depth + 1) for x in node]
        if isinstance(node, tuple):
            return tuple(self.read(x, depth + 1) for x in node)
        if isinstance(node, dict):
            return {k: self.read(v, depth + 1) for k, v in node.items()}
        if isinstance(node, Call):
            if id(node) not in self.done:
                self.done[id(node)] = self.call(node, depth + 1)
            return self.done[id(node)]
        raise Refused("is refused, because it holds a class or a function where data should be")

    def call(self, call: Call, depth: int) -> Any:
        path, args = call.name.path, call.args
        if path in REBUILD and args and isinstance(args[0], Name):  # an instance as Python 2's protocols write it
            path = args[0].path
        if path in ARRAY:
            return self.array(call, depth)
        if path in _SCALAR:
            return self.numbers(self.dtype(args[0]), self.read(args[1], depth), (), False)[()]
        if path in _FROM_BUFFER:
            buffer, dtype, shape, order = args
            return self.numbers(self.dtype(dtype), self.read(buffer, depth), shape, order == "F")
        if path == "numpy.dtype":
            return self.dtype(call)
        if path == "_codecs.encode":
            text, codec = args
            if not isinstance(text, str) or codec not in ("latin1", "latin-1"):
                raise ValueError("a text in an unknown code")
            return text.encode("latin-1")
        if path in _BYTES and not args:
            return b""
        if path in _DICT:
            pairs = list(args[0]) if args else []
            return self.read(_pairs([*pairs, *call.items]), depth)
        if path in _SET:
            return self.read(list(args[0]) if args else [], depth)
        if sparse := _SPARSE.fullmatch(path):
            return self.sparse(sparse[2], self.state(call), depth)
        if _CHUMPY.fullmatch(path) and (path != call.name.path or not args):
            held = self.state(call).get("x")
            return None if held is None else self.read(held, depth)
        raise Refused(f"is refused, because it calls {path[:80]!r} in a way no body model does")

    def state(self, call: Call) -> dict:
        if call.state is None:
            return {}
        if not isinstance(call.state, dict):
            raise ValueError("an instance without its fields")
        return call.state

    def array(self, call: Call, depth: int) -> np.ndarray:
        if not call.args or call.args[0] != Name("numpy.ndarray") or not isinstance(call.state, tuple):
            raise Refused("is refused, because it holds an array of an unknown kind")
        shape, dtype, fortran, data = call.state[-4:]
        return self.numbers(self.dtype(dtype), self.read(data, depth), shape, bool(fortran))

    def dtype(self, call: Any) -> np.dtype:
        """A dtype of numbers or texts; never of objects, records or sub-arrays."""
        if not isinstance(call, Call) or call.name.path != "numpy.dtype" or not call.args:
            raise ValueError("an array without a type")
        code = call.args[0]
        if not isinstance(code, str) or not _DTYPE.fullmatch(code):
            raise Refused(f"is refused, because it holds an array of {str(code)[:20]!r} in place of numbers")
        dtype = np.dtype(code)
        if call.state is not None:
            order, *rest = call.state[1:5]
            if order not in ("<", ">", "|", "=") or any(x is not None for x in rest):
                raise Refused("is refused, because it holds an array of records in place of numbers")
            dtype = dtype.newbyteorder(order)
        return dtype

    def numbers(self, dtype: np.dtype, data: Any, shape: Any, fortran: bool) -> np.ndarray:
        if isinstance(data, str):  # a Python 2 byte string
            data = data.encode("latin-1")
        if not isinstance(data, bytes) or not isinstance(shape, tuple):
            raise Refused("is refused, because it holds an array of objects in place of numbers")
        if len(shape) > 8 or not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError("an array without a shape")
        count = 1
        for n in shape:
            count *= n
        if count * dtype.itemsize != len(data):
            raise ValueError("an array whose data do not fill its shape")
        # a copy, so that every array is writable and in this machine's byte order
        array = np.frombuffer(data, dtype, count) if count else np.zeros(0, dtype)
        return array.astype(dtype.newbyteorder("=")).reshape(shape, order="F" if fortran else "C")

    def sparse(self, kind: str, state: dict, depth: int) -> np.ndarray:
        """A sparse matrix's fields as a dense array; numpy's indexing checks that every index lies inside."""
        fields = {k: self.read(v, depth) for k, v in state.items() if k in _SPARSE_FIELDS}
        shape = fields.get("_shape", fields.get("shape"))
        if not isinstance(shape, tuple) or len(shape) != 2 or not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError("a sparse matrix without a shape")
        if shape[0] * shape[1] > MAX_DENSE:
            raise Refused("holds a far larger sparse matrix than a body model")
        values = np.asarray(fields["data"])
        if kind == "coo":
            row, column = fields["coords"] if "coords" in fields else (fields["row"], fields["col"])
        else:
            counts = np.diff(np.asarray(fields["indptr"]))
            if len(counts) != shape[kind == "csc"] or counts.min(initial=0) < 0 or counts.sum() != len(values):
                raise ValueError("a sparse matrix whose fields do not fit together")
            along = np.repeat(np.arange(shape[kind == "csc"]), counts)
            row, column = (fields["indices"], along) if kind == "csc" else (along, fields["indices"])
        row, column = np.asarray(row), np.asarray(column)
        if not len(row) == len(column) == len(values) or (len(row) and min(row.min(), column.min()) < 0):
            raise ValueError("a sparse matrix whose fields do not fit together")
        dense = np.zeros(shape, values.dtype)
        np.add.at(dense, (row, column), values)
        return dense
