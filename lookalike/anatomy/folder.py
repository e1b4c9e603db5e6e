"""Put a finished model's folder in place: whole or not at all, and without losing a file of somebody else's.

Files are made in a hidden folder beside the target. A target that exists is merged into: what an earlier model left
there, by its report.json, is replaced; everything else stays.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lookalike.errors import OutputError
from lookalike.export.output import output_errors
from lookalike.staging import rename_all

#: What report.json's "kind" says; it marks a folder as a model's.
KIND = "anatomy"


@contextmanager
def model_folder(target: Path) -> Iterator[Path]:
    """A temporary folder whose files are moved to `target` when the block ends, and removed when it raises.

    Raises OutputError: at once when `target` is no place to write to.
    """
    target = Path(os.path.realpath(target))
    temporary = target.parent / f".{target.name}-{secrets.token_hex(4)}"
    made: list[Path] = []
    try:
        with output_errors(target):
            if target.exists() and not target.is_dir():
                raise OutputError(f"Cannot write to {target}: it is a file; choose another folder with -o.")
            above = target.parent
            while not above.exists():
                made.append(above)
                above = above.parent
            temporary.mkdir(parents=True)
        yield temporary
        with output_errors(target):
            _deliver(temporary, target)
    except OutputError as error:
        raise OutputError(str(error).replace(str(temporary), str(target))) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        for folder in made:
            with suppress(OSError):  # rmdir takes only what is empty
                folder.rmdir()


def _deliver(source: Path, target: Path) -> None:
    if not target.exists():
        source.rename(target)
        return
    earlier = _written_earlier(target)
    arriving = sorted(file.name for file in source.iterdir())
    for name in arriving:
        if name not in earlier and os.path.lexists(target / name):
            raise OutputError(
                f"{target / name} was not written by Lookalike and would be lost: move it away or choose another "
                "folder with -o."
            )
    away = source / ".replaced"
    away.mkdir()
    moves = [(target / name, away / name) for name in earlier if os.path.lexists(target / name)]
    moves += [(source / name, target / name) for name in arriving]
    rename_all(moves)


def _written_earlier(folder: Path) -> list[str]:
    """The files of an earlier model, by its report.json."""
    try:
        report = json.loads((folder / "report.json").read_text("utf-8"))
        if report["kind"] != KIND or not str(report["generator"]).startswith("lookalike "):
            return []
        return [name for name in report["files"] if isinstance(name, str) and name == Path(name).name]
    except (OSError, ValueError, KeyError, TypeError):
        return []
