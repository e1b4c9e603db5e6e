"""Work beside the program's own: calls that a second process answers while this one goes on.

Python's lock lets one thread work at a time, so on two cores a second process is worth a second or two of every run:
people are found there while PyTorch is loaded here, and the film is made there while the models are written here. Only a
program may have one (`second_process`): who calls the library gets everything in his own process.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import count
from threading import Thread
from typing import IO, Any, TypeVar

T = TypeVar("T")

_process: subprocess.Popen[bytes] | None = None
_numbers = count()


@contextmanager
def second_process(*modules: str) -> Iterator[None]:
    """Let `beside` work in a second process as long as the block runs; without a word in this one if there can be none.

    modules : what it imports first.
    """
    global _process
    # its idle BLAS threads would take turns with the ones that work here
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    # the program's own path, and no folder that happens to be the current one
    code = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import serve; serve(sys.argv[1:])"
    command = [sys.executable, "-I", "-c", code, *modules]
    try:
        _process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    except OSError:
        _process = None
    try:
        yield
    finally:
        end()


def running() -> int | None:
    """The second process's number, None without one."""
    return _process.pid if _process is not None else None


def beside(function: Callable[..., T], *arguments: Any, **options: Any) -> Callable[[], T]:
    """Begin a call and give a function that waits for its result or raises its error: one call after another.

    function : of a module, by name.  Where the second process is missing or dies, the call is made here, when it is
    waited for.
    """
    here, number = _process, next(_numbers)
    if here is None or here.stdin is None or here.stdout is None:
        return lambda: function(*arguments, **options)
    answers: Any = here.stdout
    try:
        call = pickle.dumps((number, function, arguments, options), protocol=5)
    except (pickle.PicklingError, AttributeError, TypeError):  # what only this process knows
        return lambda: function(*arguments, **options)
    # it may not listen yet, and a pipe holds little
    Thread(target=_send, args=(here.stdin, call), daemon=True).start()

    def result() -> T:
        answered = -1
        try:
            while answered != number:  # one that nobody waited for may come first
                answered, fine, value = pickle.load(answers)  # noqa: S301 our own program writes them
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            end()
            return function(*arguments, **options)
        if fine:
            return value
        raise value

    return result


def _send(calls: IO[bytes], call: bytes) -> None:
    try:
        calls.write(call)
        calls.flush()
    except (OSError, ValueError):  # it is gone, as whoever waits for the answer will see
        pass


def end() -> None:
    """End the second process at once, whatever it does."""
    global _process
    ended, _process = _process, None
    if ended is None:
        return
    ended.kill()
    for pipe in (ended.stdin, ended.stdout):
        try:
            if pipe is not None:
                pipe.close()
        except OSError:  # something was still to be written
            pass
    ended.wait()


def serve(modules: list[str]) -> None:
    """The second process: import some modules, then answer calls from stdin on stdout until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the program that was stopped ends this one
    calls, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)  # who prints must not print into the answers
    os.close(nothing)
    for name in modules:
        import_module(name)
    while True:
        try:
            number, function, arguments, options = pickle.load(calls)  # noqa: S301 our own program writes them
        except EOFError:
            return
        try:
            answer = pickle.dumps((number, True, function(*arguments, **options)), protocol=5)
        except Exception as error:
            answer = pickle.dumps((number, False, error), protocol=5)
        answers.write(answer)
        answers.flush()
