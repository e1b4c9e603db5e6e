"""Lookalike: a rigged, textured 3D avatar from one photo.

>>> import lookalike
>>> avatar = lookalike.make_avatar("me.jpg", height=1.75)      # doctest: +SKIP
>>> lookalike.save_avatar(avatar, "out/me")                     # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lookalike.body import load_body
    from lookalike.pipeline import make_avatar, make_avatars
    from lookalike.rig.avatar import Avatar
    from lookalike.save import save_avatar

__version__ = "0.1.0"
__all__ = ["Avatar", "load_body", "make_avatar", "make_avatars", "save_avatar"]

#: Where each public name lives. They are imported on first use: the libraries behind them take seconds to start.
_HOMES = {
    "Avatar": "lookalike.rig.avatar",
    "load_body": "lookalike.body",
    "make_avatar": "lookalike.pipeline",
    "make_avatars": "lookalike.pipeline",
    "save_avatar": "lookalike.save",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'lookalike' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
