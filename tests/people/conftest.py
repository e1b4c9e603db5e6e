"""What several tests of this folder share: pickled data frames as pandas writes them, without pandas."""

from __future__ import annotations

import copyreg
import pickle
import sys
import types

import numpy as np
import pytest


def stand_in(monkeypatch, module: str, name: str, kind=None):
    """A class or function that pickles under one of pandas' names."""
    parts = module.split(".")
    for i in range(1, len(parts) + 1):
        path = ".".join(parts[:i])
        if path not in sys.modules:
            monkeypatch.setitem(sys.modules, path, types.ModuleType(path))
    kind = kind or type(name, (), {})
    kind.__module__, kind.__name__, kind.__qualname__ = module, name, name
    monkeypatch.setattr(sys.modules[module], name, kind, raising=False)
    return kind


def call_of(function, *args):
    """An object that pickles as a call."""

    class Call:
        def __reduce__(self):
            return function, args

    return Call()


class Pandas:
    """Writes frames as pandas does: `layout` "blocks" since 1.3, "state" before."""

    call_of = staticmethod(call_of)

    def __init__(self, monkeypatch):
        self.stand_in = put = lambda *at: stand_in(monkeypatch, *at)
        self.frame = put("pandas.core.frame", "DataFrame")
        self.manager = put("pandas.core.internals.managers", "BlockManager")
        self.block = put("pandas._libs.internals", "_unpickle_block", lambda *_: None)
        self.new_index = put("pandas.core.indexes.base", "_new_Index", lambda *_: None)
        self.index = put("pandas.core.indexes.base", "Index")
        self.range = put("pandas.core.indexes.range", "RangeIndex")
        self.numbers = put("pandas.core.indexes.numeric", "Int64Index")

    def dumps(self, columns: dict[str, list | np.ndarray], protocol: int, layout: str, rows=None) -> bytes:
        names = list(columns)
        count = len(next(iter(columns.values())))
        kinds: dict[str, list[int]] = {}
        for i, name in enumerate(names):
            values = columns[name]
            kinds.setdefault(values.dtype.str if isinstance(values, np.ndarray) else "O", []).append(i)
        blocks = []
        for kind, where in kinds.items():
            values = np.empty((len(where), count), object if kind == "O" else kind)
            for row, i in enumerate(where):
                for j in range(count):
                    values[row, j] = columns[names[i]][j]
            even = len(where) == 1 or len(set(np.diff(where))) == 1
            step = where[1] - where[0] if len(where) > 1 else 1
            blocks.append((values, slice(where[0], where[-1] + 1, step) if even else np.array(where)))
        axes = [
            call_of(self.new_index, self.index, {"data": np.array(names, object), "name": None}),
            call_of(self.new_index, self.range, {"name": None, "start": 0, "stop": count, "step": 1})
            if rows is None
            else call_of(self.new_index, self.numbers, {"data": np.array(rows), "name": None}),
        ]
        if layout == "blocks":
            manager = call_of(self.manager, tuple(call_of(self.block, v, w, 2) for v, w in blocks), axes)
            state = {"_mgr": manager, "_typ": "dataframe", "_metadata": [], "attrs": {}}
        else:
            manager = self.manager()
            named = [call_of(self.new_index, self.index, {"data": np.array(names, object), "name": None})]
            told = {"axes": axes, "blocks": [{"values": v, "mgr_locs": w} for v, w in blocks]}
            told = (axes, [v for v, _ in blocks], named * len(blocks), {"0.14.1": told})
            self.manager.__reduce_ex__ = lambda m, p: (
                copyreg.__newobj__ if p > 1 else copyreg._reconstructor,
                (self.manager,) if p > 1 else (self.manager, object, None),
                told,
            )
            state = {"_data": manager, "_typ": "dataframe", "_metadata": []}
        frame = self.frame()
        frame.__dict__.update(state)
        return pickle.dumps(frame, protocol)


@pytest.fixture
def pandas(monkeypatch):
    """A writer of pickled data frames."""
    return Pandas(monkeypatch)
