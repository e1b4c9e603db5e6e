"""Read pickled pandas data frames without pandas and without running anything in them: a file in, its columns out.

The same inert pickle machine that reads body models (`body.restricted_pickle`) takes a frame apart: classes and calls
that the file names are only recorded. A frame is then read as data from the two layouts that pandas has written:

- up to 1.2: `BlockManager` with a state (axes, ..., {"0.14.1": {"axes", "blocks"}}),
- since 1.3: `BlockManager(blocks, axes)`, each block a call of `_unpickle_block(values, places, dimensions)`.

Columns may hold numbers, texts, lists, dicts and numpy arrays. Every other name (extension arrays, time stamps, anything
that is no pandas at all) is refused where it stands.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.body.restricted_pickle import (
    ARRAY,
    KNOWN,
    MAX_FILE,
    REBUILD,
    Call,
    Machine,
    Name,
    Reader,
    Refused,
)
from lookalike.errors import LookalikeError

#: A frame of AGORA's has some 1,500 rows, 20 columns and 10 people in each cell.
MAX_OPCODES = 50_000_000
MAX_NODES = 20_000_000
MAX_ROWS = 10_000_000

_FRAME = "pandas.core.frame.DataFrame"
_MANAGER = {"pandas.core.internals.managers.BlockManager", "pandas.core.internals.BlockManager"}
_BLOCK = {"pandas._libs.internals._unpickle_block", "pandas.core.internals.blocks.new_block"}
_PLACEMENT = {"pandas._libs.internals.BlockPlacement", "pandas._libs.lib.BlockPlacement"}
_NEW_INDEX = {"pandas.core.indexes.base._new_Index", "pandas.indexes.base._new_Index"}
_RANGE = {"pandas.core.indexes.range.RangeIndex", "pandas.indexes.range.RangeIndex"}
_INDEX = {
    f"pandas.{where}.{kind}"
    for where, kind in (
        ("core.indexes.base", "Index"),
        ("indexes.base", "Index"),
        ("core.indexes.numeric", "Int64Index"),
        ("core.indexes.numeric", "UInt64Index"),
        ("core.indexes.numeric", "Float64Index"),
        ("indexes.numeric", "Int64Index"),
    )
}
_SLICE = {"builtins.slice", "__builtin__.slice"}
_ALLOWED = KNOWN.union({_FRAME}, _MANAGER, _BLOCK, _PLACEMENT, _NEW_INDEX, _RANGE, _INDEX, _SLICE)


def read_data_frame(path: str | Path, columns: Iterable[str] | None = None) -> dict[str, list]:
    """The columns of a pickled data frame: name -> one value a row, in the frame's order.

    columns : those wanted, all of which must be there; None for every column. Others are not taken apart, however large.
    Raises `LookalikeError` for every file that is no such frame; nothing in the file is ever run.
    """
    path = Path(path)
    wanted = None if columns is None else tuple(columns)
    try:
        size = path.stat().st_size
        if size > MAX_FILE:
            raise Refused(f"is larger than {MAX_FILE >> 30} GB")
        with path.open("rb") as file:
            return _FrameReader(_FrameMachine(file, size).run()).frame(wanted)
    except OSError as error:
        raise LookalikeError(f"The data frame {path} cannot be opened ({error.strerror}).") from error
    except Refused as error:
        raise LookalikeError(f"The data frame {path} {error}; use the file as it was published.") from None
    except (ValueError, TypeError, IndexError, KeyError, struct.error, OverflowError, MemoryError) as error:
        raise LookalikeError(f"The data frame {path} is damaged or no pickle: please download it again.") from error


class _FrameMachine(Machine):
    """The machine that also knows the names of pandas' own parts."""

    subject = "a table of people"

    def name(self, module: Any, attribute: Any) -> None:
        if isinstance(module, bytes) and isinstance(attribute, bytes):
            module, attribute = module.decode("utf-8"), attribute.decode("utf-8")
        if not isinstance(module, str) or not isinstance(attribute, str):
            raise ValueError("a name that is no text")
        path = f"{module}.{attribute}"
        if path not in _ALLOWED:
            raise Refused(f"is refused, because it asks for {path[:80]!r}, which no table of numbers and texts needs")
        self.push(Name(path))


class _FrameReader(Reader):
    """What the machine left, read as a table."""

    def __init__(self, root: Any):
        super().__init__(root)
        self.total = 0

    def read(self, node: Any, depth: int) -> Any:
        self.total += 1
        if self.total > MAX_NODES:
            raise Refused("holds far more values than a table of people")
        self.nodes = 0  # the limit that counts it is a body model's
        return super().read(node, depth)

    def frame(self, wanted: tuple[str, ...] | None) -> dict[str, list]:
        if not isinstance(self.root, Call) or self.path(self.root) != _FRAME:
            raise Refused("is no data frame")
        state = self.state(self.root)
        axes, blocks = self.manager(state["_mgr"] if "_mgr" in state else state["_data"])
        if len(axes) != 2:
            raise ValueError("not two axes")
        names, rows = [str(n) for n in self.index(axes[0])], len(self.index(axes[1]))
        if wanted is not None:
            missing = [n for n in wanted if n not in names]
            if missing:
                raise Refused(f"has no column {missing[0]!r}")
        out: dict[str, list] = {}
        for values, where in blocks:
            cells, places = self.cells(values), self.places(where, len(names))
            if cells.shape != (len(places), rows):
                raise ValueError("a block of another shape")
            for place, row in zip(places, cells, strict=True):
                if wanted is None or names[place] in wanted:
                    # Cells of objects have waited unread until here.
                    out[names[place]] = [self.read(x, 1) for x in row] if cells.dtype == object else row.tolist()
        return {n: out[n] for n in (names if wanted is None else wanted)}

    def path(self, call: Call) -> str:
        """What a call is of, also where an old protocol wrote it as copyreg._reconstructor(class, object, None)."""
        if call.name.path in REBUILD and call.args and isinstance(call.args[0], Name):
            return call.args[0].path
        return call.name.path

    def manager(self, call: Any) -> tuple[list, list[tuple[Any, Any]]]:
        """The axes' nodes, and values and places of each block."""
        if not isinstance(call, Call) or self.path(call) not in _MANAGER:
            raise Refused("is a data frame without a table that is understood")
        if isinstance(call.state, tuple):
            old = call.state[3]["0.14.1"]
            return list(old["axes"]), [(block["values"], block["mgr_locs"]) for block in old["blocks"]]
        blocks, axes = call.args[:2]
        out = []
        for block in blocks:
            if not isinstance(block, Call) or block.name.path not in _BLOCK:
                raise Refused("is a data frame with columns of an unknown kind")
            out.append((block.args[0], block.args[1]))
        return list(axes), out

    def index(self, call: Any) -> range | list:
        """The labels of an axis."""
        if not isinstance(call, Call) or call.name.path not in _NEW_INDEX or len(call.args) != 2:
            raise Refused("is a data frame with labels of an unknown kind")
        kind, said = call.args
        if not isinstance(kind, Name) or kind.path not in _INDEX | _RANGE or not isinstance(said, dict):
            raise Refused("is a data frame with labels of an unknown kind")
        if kind.path in _RANGE:
            labels = range(*(self.read(said[key], 1) for key in ("start", "stop", "step")))
            if len(labels) > MAX_ROWS:
                raise ValueError("more rows than a file can hold")
            return labels
        cells = self.cells(said["data"])
        if cells.ndim != 1:
            raise ValueError("labels that are no list")
        return [self.read(x, 1) for x in cells] if cells.dtype == object else cells.tolist()

    def places(self, node: Any, count: int) -> list[int]:
        """Which columns a block holds."""
        if isinstance(node, Call) and node.name.path in _PLACEMENT:
            node = node.args[0]
        if isinstance(node, Call) and node.name.path in _SLICE:
            start, stop, step = (self.read(x, 1) for x in node.args)
            return list(range(count)[slice(start, stop, step)])
        out = [int(i) for i in np.asarray(self.read(node, 1)).reshape(-1)]
        if any(i < 0 or i >= count for i in out):
            raise ValueError("a column that does not exist")
        return out

    def cells(self, node: Any) -> np.ndarray:
        """An array; one of objects with its items still unread."""
        if isinstance(node, Call) and node.name.path in ARRAY and isinstance(node.state, tuple):
            shape, dtype, fortran, data = node.state[-4:]
            if self.is_object(dtype):
                return self.objects(shape, bool(fortran), data)
        out = self.read(node, 1)
        if not isinstance(out, np.ndarray):
            raise Refused("is a data frame with columns of an unknown kind")
        return out

    def array(self, call: Call, depth: int) -> np.ndarray:
        if isinstance(call.state, tuple) and len(call.state) >= 4 and self.is_object(call.state[-3]):
            cells = self.objects(call.state[-4], bool(call.state[-2]), call.state[-1])
            flat = np.empty(cells.size, object)
            for i, x in enumerate(cells.reshape(-1)):
                flat[i] = self.read(x, depth + 1)
            return flat.reshape(cells.shape)
        return super().array(call, depth)

    def is_object(self, dtype: Any) -> bool:
        return (
            isinstance(dtype, Call)
            and dtype.name.path == "numpy.dtype"
            and bool(dtype.args)
            and isinstance(dtype.args[0], str)
            and dtype.args[0].lstrip("|") in ("O", "O4", "O8")
        )

    def objects(self, shape: Any, fortran: bool, data: Any) -> np.ndarray:
        if not isinstance(data, list) or not isinstance(shape, tuple) or not 0 < len(shape) <= 4:
            raise ValueError("an array without a shape")
        if not all(type(n) is int and n >= 0 for n in shape) or np.prod([float(n) for n in shape]) != len(data):
            raise ValueError("an array of another size")
        flat = np.empty(len(data), object)
        for i, x in enumerate(data):  # one by one: numpy would look into lists
            flat[i] = x
        return flat.reshape(shape, order="F" if fortran else "C")
