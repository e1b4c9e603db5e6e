"""Anatomical models: CT and MR scans in, named meshes of tissues out. For teaching and print; not a medical device.

`make_anatomy` makes the whole folder; `read_scan` reads a scan. Both load when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lookalike.anatomy.make import Options, make_anatomy
    from lookalike.anatomy.read import read_scan
    from lookalike.anatomy.volume import Volume

_MODULES = {"Options": "make", "Volume": "volume", "make_anatomy": "make", "read_scan": "read"}

__all__ = ["Options", "Volume", "make_anatomy", "read_scan"]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"lookalike.anatomy.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
