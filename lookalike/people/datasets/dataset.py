"""What all data sets have in common: a name and a folder in, the names of its people and a reader for each out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from lookalike.errors import LookalikeError
from lookalike.people.scan import Scan

#: Data set -> module and function that opens it: (folder, split or None) -> Dataset. A new set needs a line here only.
READERS = {
    "agora": "lookalike.people.datasets.agora:open_agora",
    "cape": "lookalike.people.datasets.cape:open_cape",
    "customhumans": "lookalike.people.datasets.customhumans:open_customhumans",
    "synthetic": "lookalike.people.datasets.synthetic:open_synthetic",
    "rocketbox": "lookalike.people.datasets.rocketbox:open_rocketbox",
    "thuman2": "lookalike.people.datasets.thuman:open_thuman",
    "thuman2.1": "lookalike.people.datasets.thuman:open_thuman21",
}


@dataclass(frozen=True)
class Dataset:
    """A folder of people.

    name : of the data set.  names : of its people, sorted.  read : a name -> its `Scan`.
    """

    name: str
    names: tuple[str, ...] = field(repr=False)
    read: Callable[[str], Scan] = field(repr=False)

    def scan(self, name: str) -> Scan:
        """One of the people."""
        if name not in self.names:
            raise LookalikeError(f"{self.name} has nobody called '{name}' in this folder and split.")
        return self.read(name)


def open_dataset(name: str, path: str | Path, split: str | None = None) -> Dataset:
    """A data set that lies in a folder as it was published.

    name : one of `READERS`.  path : its folder.
    split : None for everybody; a split that the set itself knows; "test" for the names in `test.txt` in the folder; or
        the path of a text file with one name a line (or a `.json` with a list of them).
    """
    if name not in READERS:
        raise LookalikeError(f"'{name}' is no data set that can be read; known are {', '.join(sorted(READERS))}.")
    path = Path(path)
    if not path.is_dir():
        raise LookalikeError(f"There is no folder {path}: give the one that {name} was unpacked to (docs/datasets.md).")
    module, function = READERS[name].split(":")
    return getattr(import_module(module), function)(path, split)


def chosen(names: Iterable[str], path: Path, split: str | None) -> tuple[str, ...]:
    """Those names, sorted, that a list of names keeps; see `open_dataset`. A list may write "thuman2/0001" for "0001"."""
    every = set(names)
    if split is None:
        return tuple(sorted(every))
    files = [Path(split), *(path / f"{head}{split}{end}" for head in ("", "split_") for end in (".txt", ".json"))]
    file = next((f for f in files if f.is_file()), None)
    if file is None:
        raise LookalikeError(f"There is no list of names for the split '{split}': write one a line into {files[1]}.")
    try:
        text = file.read_text(encoding="utf-8")
        listed = json.loads(text) if file.suffix == ".json" else text.split("\n")
    except (OSError, ValueError) as error:
        raise LookalikeError(f"The list of names {file} cannot be read ({error}).") from None
    if not isinstance(listed, list) or not all(isinstance(n, str) for n in listed):
        raise LookalikeError(f"{file} is no list of names: write one a line.")
    out = set()
    for entry in filter(None, (n.strip() for n in listed)):
        found = next((n for n in (entry, entry.rsplit("/", 1)[-1]) if n in every), None)
        if found is None:
            raise LookalikeError(f"{file} names '{entry}', who is not in {path}.")
        out.add(found)
    return tuple(sorted(out))


def folders_with(path: Path, wanted: Callable[[Path], bool], depth: int = 2) -> list[Path]:
    """Folders at or below `path`, at most `depth` levels, that hold at least one folder for which `wanted` is true."""
    out, level = [], [path]
    for _ in range(depth + 1):
        below: list[Path] = []
        for folder in level:
            try:
                inside = sorted(p for p in folder.iterdir() if p.is_dir())
            except OSError:  # a folder beside the data set that is somebody else's
                continue
            # One look is enough: the people of a set lie side by side, and there may be thousands.
            if any(wanted(p) for p in inside[:50]):
                out.append(folder)
            else:
                below += inside[:50]
        level = below
    return out
