"""Putting bytes into files: every exporter ends here, so that a full disk reads the same everywhere.

The writers write straight to the path they are given. Writing next to it and moving the finished result is the
pipeline's business, because a result is several files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC
from pathlib import Path

from lookalike.errors import OutputError


@contextmanager
def output_errors(path: Path | str) -> Iterator[None]:
    """Turns the operating system's errors while `path` is written into an `OutputError` that says what to do."""
    try:
        yield
    except FileNotFoundError as error:
        raise OutputError(f"Cannot write {path}: its folder does not exist; create it or choose another.") from error
    except IsADirectoryError as error:
        raise OutputError(f"Cannot write {path}: it is a folder; give a file name.") from error
    except OSError as error:
        reason = error.strerror or str(error)
        remedy = "make room there or choose" if error.errno in (ENOSPC, EDQUOT) else "choose"
        raise OutputError(f"Cannot write {path}: {reason}; {remedy} another folder.") from error


def write_bytes(path: Path | str, chunks: Iterable[bytes | memoryview]) -> None:
    """Writes the chunks one after the other to `path`, replacing what is there. Raises OutputError."""
    with output_errors(path), open(path, "wb") as file:
        file.writelines(chunks)
