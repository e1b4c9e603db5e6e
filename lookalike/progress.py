"""What a person sees while an avatar is made: a bar with the running stage, then one line with the seconds of each."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from lookalike.stages import Stage

#: Stage -> (what the display says, typical seconds on two CPU cores: the stage's share of the bar).
STAGES = {
    "read": ("reading the photo", 0.1),
    "find": ("finding people", 2.5),
    "load": ("loading the body", 0.5),
    "fit": ("fitting the body", 1.8),
    "refine": ("refining body and maps", 0.7),
    "draw": ("drawing out the surface", 1.9),
    "join": ("adding what the body has no room for", 3.0),
    "paint": ("painting", 2.0),
    "rig": ("rigging", 0.5),
    "write": ("writing models", 0.4),
    "picture": ("rendering pictures", 0.5),
    "film": ("filming the turntable", 0.7),
}


class Display:
    """A live bar on a terminal; a `Watcher` for the stage clock.

    Use it only where stderr is a terminal: a pipe gets nothing.
    """

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._console = Console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[title]}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._progress.add_task("", total=sum(share for _, share in STAGES.values()), title="")
        self._finished: list[Stage] = []

    def begin(self, title: str) -> None:
        """Start over for another photo."""
        self._finished = []
        self._progress.reset(self._task, description="", title=title)
        self._progress.start()

    def started(self, name: str) -> None:
        self._progress.update(self._task, description=STAGES[name][0] if name in STAGES else name)

    def finished(self, stage: Stage) -> None:
        self._finished.append(stage)
        self._progress.advance(self._task, STAGES[stage.name][1] if stage.name in STAGES else 0.0)

    def end(self, title: str) -> None:
        """Take the bar away; leave a line with the stages' seconds if there were any."""
        self._progress.stop()
        if self._finished:
            total = sum(stage.seconds for stage in self._finished)
            each = "  ".join(f"{stage.name} {stage.seconds:.1f}" for stage in self._finished)
            self._console.print(f"{title}: {total:.1f} s  ({each})", markup=False, highlight=False, soft_wrap=True)
            self._finished = []


@contextmanager
def hushed() -> Iterator[None]:
    """Keep the libraries' own log lines off the terminal.

    MediaPipe and TensorFlow Lite write to file descriptor 2 from C++, where no Python setting reaches; what Python
    itself writes to sys.stderr still arrives. After Ctrl-C descriptor 2 stays shut: threads of theirs may still be at
    work, and speak, while the program ends.
    """
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    python_stderr = sys.stderr
    kept = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        is_descriptor_2 = python_stderr.fileno() == 2
    except (OSError, ValueError):  # sys.stderr was replaced by something that is no file
        is_descriptor_2 = False
    stopped = False
    try:
        os.dup2(nothing, 2)
        if is_descriptor_2:
            sys.stderr = os.fdopen(os.dup(kept), "w", encoding=python_stderr.encoding, errors="replace", buffering=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except KeyboardInterrupt:
        stopped = is_descriptor_2
        raise
    finally:
        if not stopped:
            if is_descriptor_2:
                sys.stderr.close()
                sys.stderr = python_stderr
            os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
