"""Put finished folders in place: whole or not at all, and without losing a file that somebody else put there.

Files are made in a temporary folder beside the target and renamed into place at the end. A target that exists already
is merged into: files of an earlier run are replaced, everything else stays as it is.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lookalike.errors import OutputError
from lookalike.export.output import output_errors
from lookalike.report import GENERATOR

#: The names that Lookalike writes; nothing else in a folder is ever touched.
FILES = (
    "avatar.glb",
    "avatar.obj",
    "avatar.mtl",
    "avatar.png",
    "avatar.ply",
    "avatar.stl",
    "posed.glb",
    "body.npz",
    "body.glb",
    "matte.png",
    "overlay.png",
    "normals_front.png",
    "normals_back.png",
    "turntable.mp4",
    "report.json",
)


def folder_names(photos: Iterable[Path]) -> list[str]:
    """A folder name for each photo: its stem, with -2, -3, ... where photos share one (on any file system)."""
    names: list[str] = []
    taken: set[str] = set()
    for photo in photos:
        stem = photo.stem.strip(". ") or "photo"
        name, number = stem, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names


@contextmanager
def staged(target: Path, *, people: bool = False) -> Iterator[Path]:
    """A temporary folder whose content is moved to `target` when the block ends, and removed when it raises.

    people : the block may write one numbered folder a person ("1", "2", ...); numbered folders that an earlier run left
        at `target` are replaced with them.

    Raises OutputError: at once when `target` is no place to write to or holds files with our names that are not ours.
    """
    target = Path(os.path.realpath(target))  # so that the temporary folder is on the same file system
    temporary = target.parent / f".{target.name}-{secrets.token_hex(4)}"
    made: list[Path] = []
    try:
        with output_errors(target):
            _refuse_foreign(target, people=people)
            made = _make_folders(target.parent)
            temporary.mkdir()
        yield temporary
        with output_errors(target):
            _deliver(temporary, target, people=people)
    except OutputError as error:
        raise OutputError(str(error).replace(str(temporary), str(target))) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        for folder in made:  # only those that we made, and rmdir takes only those that hold nothing
            with suppress(OSError):
                folder.rmdir()


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it; returns the ones that were missing, innermost first."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
    return missing


def _refuse_foreign(target: Path, *, people: bool) -> None:
    if target.exists() and not target.is_dir():
        raise OutputError(f"Cannot write to {target}: it is a file; choose another folder with -o.")
    for name in _places(target, people=people):
        ours = _written_earlier(target / name)
        for file in FILES:
            if file not in ours and os.path.lexists(target / name / file):
                raise OutputError(
                    f"{target / name / file} was not written by Lookalike and would be lost: move it away or choose "
                    "another folder with -o."
                )


def _places(folder: Path, *, people: bool) -> list[str]:
    """Where avatars are in a folder, relative: the folder itself, and its numbered folders."""
    if not people or not folder.is_dir():
        return ["."]
    return [".", *sorted(place.name for place in folder.iterdir() if place.name.isdigit() and place.is_dir())]


def _deliver(source: Path, target: Path, *, people: bool) -> None:
    """Move the content of `source` to `target`, which may exist. Where a step fails, the steps before it are undone."""
    if not target.exists():
        source.rename(target)
        return
    _refuse_foreign(target, people=people)
    leaving = [Path(name, file) for name in _places(target, people=people) for file in _written_earlier(target / name)]
    arriving = [
        Path(name, file) for name in _places(source, people=people) for file in FILES if (source / name / file).exists()
    ]
    moves = [(target / file, source / ".replaced" / file) for file in leaving if os.path.lexists(target / file)]
    moves += [(source / file, target / file) for file in arriving]
    rename_all(moves)
    for file in leaving:  # the folder of a person who is not there any more
        with suppress(OSError):
            (target / file).parent.rmdir()


def rename_all(moves: Iterable[tuple[Path, Path]]) -> None:
    """Rename each first path to its second, in order; where a step fails, those before it are undone."""
    done: list[tuple[Path, Path]] = []
    try:
        for start, end in moves:
            end.parent.mkdir(parents=True, exist_ok=True)
            start.rename(end)
            done.append((start, end))
    except BaseException:
        for start, end in reversed(done):
            end.rename(start)
        raise


def _written_earlier(folder: Path) -> list[str]:
    """Which files of a folder an earlier run wrote, by its report.json; never a name that is not ours."""
    try:
        report = json.loads((folder / "report.json").read_text("utf-8"))
        if not str(report["generator"]).startswith(f"{GENERATOR} "):
            return []
        return [name for name in FILES if name in report["files"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
