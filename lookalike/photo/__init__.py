"""The photo room: a file to a `Photo`, a `Photo` to one `Subject` for each person in it.

Importing this package is cheap; MediaPipe and the other networks are loaded by the first call that needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.photo.subject import HAND_LANDMARKS, POSE_LANDMARKS, Hand, Photo, Subject

if TYPE_CHECKING:
    from lookalike.photo.people import find_subjects
    from lookalike.photo.read import read_photo

__all__ = ["HAND_LANDMARKS", "POSE_LANDMARKS", "Hand", "Photo", "Subject", "find_subjects", "read_photo"]


def __getattr__(name: str):
    if name == "read_photo":
        from lookalike.photo.read import read_photo

        return read_photo
    if name == "find_subjects":
        from lookalike.photo.people import find_subjects

        return find_subjects
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
