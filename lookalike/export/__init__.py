"""Writers, one a format, and a reader that tells what a GLB holds. Loaded when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lookalike.export.body_file import save_body
    from lookalike.export.glb import write_body_glb, write_glb, write_posed_glb
    from lookalike.export.info import read_info
    from lookalike.export.obj import write_obj
    from lookalike.export.ply import write_ply
    from lookalike.export.stl import write_stl

_MODULES = {
    "read_info": "info",
    "save_body": "body_file",
    "write_body_glb": "glb",
    "write_glb": "glb",
    "write_obj": "obj",
    "write_ply": "ply",
    "write_posed_glb": "glb",
    "write_stl": "stl",
}

__all__ = [
    "read_info",
    "save_body",
    "write_body_glb",
    "write_glb",
    "write_obj",
    "write_ply",
    "write_posed_glb",
    "write_stl",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"lookalike.export.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
