"""An avatar as files: models in the formats asked for, the body behind it, pictures, and report.json."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike import aside
from lookalike.aside import beside
from lookalike.export.output import output_errors
from lookalike.report import plain, timed
from lookalike.stages import StageClock
from lookalike.staging import FILES, staged

if TYPE_CHECKING:
    import numpy as np

    from lookalike.photo.subject import Subject
    from lookalike.rig.avatar import Avatar

#: The avatar's own formats. The other files of a folder are always written.
FORMATS = ("glb", "obj", "ply", "stl")


def save_avatar(
    avatar: Avatar, folder: str | Path, *, formats: Sequence[str] = ("glb",), clock: StageClock | None = None
) -> list[Path]:
    """Write an avatar's files to a folder: whole, or, when something fails, not at all.

    folder : made if it is missing. Files of an earlier avatar there are replaced; files of anybody else stay.
    formats : of "glb", "obj", "ply", "stl".

    Returns the files' paths. Raises OutputError, and ValueError for an unknown format.
    """
    check_formats(formats)
    with staged(Path(folder)) as temporary:
        written = write_files(avatar, temporary, formats=formats, clock=clock)
    return [Path(folder) / path.name for path in written]


def check_formats(formats: Sequence[str]) -> None:
    """Raise ValueError, in one sentence, for a format that is not one of `FORMATS`."""
    for name in formats:
        if name not in FORMATS:
            raise ValueError(f"There is no format {name!r}: choose from {', '.join(FORMATS)}.")
    if not formats:
        raise ValueError(f"Name at least one format: {', '.join(FORMATS)}.")


def write_files(avatar: Avatar, folder: Path, *, formats: Sequence[str], clock: StageClock | None = None) -> list[Path]:
    """Write an avatar's files straight into an existing folder. The pictures need `avatar.subject`."""
    from lookalike.export import save_body, write_body_glb, write_glb, write_obj, write_ply, write_posed_glb, write_stl
    from lookalike.render import turntable

    writers: dict[str, Callable[[Avatar, Path], None]] = {
        "glb": write_glb,
        "obj": write_obj,
        "ply": write_ply,
        "stl": write_stl,
    }
    clock = clock or StageClock()
    with output_errors(folder):
        film = beside(turntable, avatar.surface, folder / "turntable.mp4", material=avatar.material)
        try:
            with clock("write"):
                for name in formats:
                    writers[name](avatar, folder / f"avatar.{name}")
                write_posed_glb(avatar.surface, avatar.material, folder / "posed.glb")
                write_body_glb(avatar.body, folder / "body.glb")
                save_body(avatar.body, folder / "body.npz")
            with clock("picture"):
                if avatar.subject is not None:
                    write_pictures(avatar, avatar.subject, folder)
            with clock("film"):
                film()
        except BaseException:
            aside.end()  # nobody may write into a folder that is about to be taken away
            raise
        names = [name for name in FILES if name == "report.json" or (folder / name).exists()]
        report = plain({**timed(avatar.report, clock), "files": names})
        (folder / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return [folder / name for name in names]


def write_pictures(avatar: Avatar, subject: Subject, folder: Path) -> None:
    """matte.png, overlay.png and the two predicted normal maps: what one looks at to judge a result."""
    import numpy as np

    from lookalike.maps import normals_to_image
    from lookalike.render import overlay

    _write_png(np.round(np.clip(subject.matte, 0, 1) * 255).astype(np.uint8), folder / "matte.png")
    _write_png(overlay(avatar.body, subject), folder / "overlay.png")
    if avatar.maps is not None:
        maps = avatar.maps.maps
        _write_png(normals_to_image(maps.normals_front, maps.mask), folder / "normals_front.png")
        _write_png(normals_to_image(maps.normals_back, maps.mask), folder / "normals_back.png")


def _write_png(pixels: np.ndarray, path: Path) -> None:
    """pixels : (h, w) grey, (h, w, 3) RGB or (h, w, 4) RGBA, uint8."""
    from PIL import Image

    Image.fromarray(pixels).save(path, compress_level=4)
