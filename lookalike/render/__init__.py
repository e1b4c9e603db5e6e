"""Rendering by ray casting. Names load when first used, so importing the room costs nothing."""

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
    "turntable": "film",
    "overlay": "over_photo",
    "motion_strip": "motion",
    "pose_avatar": "motion",
}
__all__ = list(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
