"""Appearance: textures. Names load when first used, so importing the room costs nothing."""

from __future__ import annotations

from importlib import import_module

_HOME = {"Material": "material", "paint": "painting", "with_relief": "relief"}
__all__ = list(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
