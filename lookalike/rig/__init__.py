"""The rig: skeleton, skin weights, rest pose, face shapes and motions of an avatar.

`rig` loads when first used, so importing the room costs nothing.
"""

from __future__ import annotations

__all__ = ["rig"]


def __getattr__(name: str):
    if name == "rig":
        from lookalike.rig.rigging import rig

        return rig
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
