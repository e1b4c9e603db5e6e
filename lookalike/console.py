"""What the commands share on a terminal: exit codes, Ctrl-C, and a sentence for what should not have happened."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any

from lookalike.errors import LookalikeError

if TYPE_CHECKING:
    from types import FrameType

BUG = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def bug_sentence(error: Exception) -> str:
    """One sentence for what should not have happened."""
    if isinstance(error, MemoryError):
        return "there is not enough memory; close other programs or make the input smaller."
    detail = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return (
        f"something went wrong inside Lookalike ({detail}); please report it with the input and the traceback that "
        "--debug shows."
    )


@contextmanager
def command(stopped: str, debug: bool = False) -> Iterator[None]:
    """A command's work: whatever goes wrong in it ends the program with one sentence on stderr and an exit code.

    stopped : what to say after Ctrl-C.  debug : let errors through, with their tracebacks.
    """
    import typer

    with stoppable():
        try:
            yield
        except KeyboardInterrupt:
            typer.echo(f"lookalike: {stopped}", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except (typer.Exit, typer.BadParameter):
            raise
        except Exception as error:
            if debug:
                raise
            known = isinstance(error, LookalikeError)
            typer.echo(f"lookalike: {error if known else bug_sentence(error)}", err=True)
            raise typer.Exit(error.exit_code if isinstance(error, LookalikeError) else BUG) from None


@contextmanager
def stoppable() -> Iterator[None]:
    """Let Ctrl-C and a polite kill end the block through its clean-up code, which a second one does not interrupt."""

    def stop(number: int, _frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)

    before: dict[int, Any] = {}
    names = ("SIGINT", "SIGTERM", "SIGHUP") if current_thread() is main_thread() else ()
    for name in names:
        if number := getattr(signal, name, None):  # Windows has no SIGHUP
            before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
