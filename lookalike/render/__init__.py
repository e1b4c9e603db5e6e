"""Rendering by ray casting. Names load when first used, so importing the room costs nothing.

`turntable` and `overlay` share their module's name: import those from `render.turntable` and `render.overlay`.
"""

from __future__ import annotations

from importlib import import_module

_HOME = {
    "Hits": "raycast",
    "RayCaster": "raycast",
    "vertex_normals": "normals",
    "View": "view",
    "orbit": "view",
    "Studio": "shade",
    "render_view": "shade",
    "motion_strip": "motion",
    "pose_avatar": "motion",
}
__all__ = list(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
