"""report.json: how an avatar came about, in plain JSON types."""

from __future__ import annotations

import math
import platform
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np

import lookalike

if TYPE_CHECKING:
    from lookalike.photo.subject import Hand, Subject
    from lookalike.rig.avatar import Avatar
    from lookalike.stages import StageClock

#: Libraries whose version can change the result.
LIBRARIES = ("numpy", "scipy", "torch", "mediapipe", "opencv-contrib-python", "pillow", "onnxruntime", "embreex")

#: What `report["generator"]` starts with; it marks a folder as ours.
GENERATOR = "lookalike"


def describe(avatar: Avatar, subject: Subject, *, settings: dict[str, Any], clock: StageClock) -> dict[str, Any]:
    """What is known once the avatar is made; writing it adds its own stages and the list of files (`timed`).

    settings : the options it was made with.
    """
    from lookalike.body import measure

    body, surface, photo = avatar.body, avatar.surface, subject.photo
    texture = avatar.material.base_colour
    width, height = photo.size
    report = {
        "generator": f"{GENERATOR} {lookalike.__version__}",
        "photo": {
            "path": str(photo.path) if photo.path else None,
            "width": width,
            "height": height,
            "focal_from_exif": photo.focal,
        },
        "person": {"box": subject.box, "matte_share": float(np.mean(subject.matte))},
        "confidence": {
            "detection": subject.confidence,
            "landmarks": float(np.mean(subject.visibility)),
            "left_hand": _confidence(subject.left_hand),
            "right_hand": _confidence(subject.right_hand),
            "face": subject.face is not None,
        },
        "landmark_error": body.landmark_error,
        "measurements": measure(body),
        "camera": {
            "focal": body.camera.focal,
            "cx": body.camera.cx,
            "cy": body.camera.cy,
            "width": body.camera.width,
            "height": body.camera.height,
        },
        "body": {"model": body.model.name, "betas": body.betas, "scale": body.scale},
        "counts": {
            "vertices": len(surface.vertices),
            "faces": len(surface.faces),
            "quads": 0 if surface.quads is None else len(surface.quads),
            "joints": len(avatar.skeleton.names),
            "face_shapes": len(avatar.face_shapes),
            "motions": len(avatar.motions),
            "texture": [texture.shape[1], texture.shape[0]],
        },
        "surface_from_photo": _share_from_photo(avatar),
        "settings": settings,
        "versions": versions(),
    }
    return plain(timed(report, clock))


def timed(report: dict[str, Any], clock: StageClock) -> dict[str, Any]:
    """The report with the clock's stages: seconds and peak memory of each and of all."""
    return {
        **report,
        "seconds": round(clock.seconds, 3),
        "peak_memory_mb": round(clock.memory / 1e6, 1) if clock.memory else None,
        "stages": [stage.as_json() for stage in clock.stages],
    }


def versions() -> dict[str, str]:
    """Versions of Lookalike, Python and the libraries that can change the result."""
    found = {"lookalike": lookalike.__version__, "python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return found


def plain(value: Any) -> Any:
    """Numpy arrays and scalars as lists and numbers; what is not a finite number becomes None (JSON has no NaN)."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def _confidence(hand: Hand | None) -> float | None:
    return None if hand is None else hand.confidence


def _share_from_photo(avatar: Avatar) -> float:
    """The share of the surface's area whose colour the photo shows, sampled at the middle of each face."""
    surface, seen = avatar.surface, avatar.material.seen
    corners = surface.vertices[surface.faces].astype(np.float64)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    height, width = seen.shape
    u, v = surface.uv[surface.face_uv].mean(axis=1).T
    at_row = np.clip((v * height).astype(int), 0, height - 1)
    at_column = np.clip((u * width).astype(int), 0, width - 1)
    return float(np.average(seen[at_row, at_column], weights=area))
