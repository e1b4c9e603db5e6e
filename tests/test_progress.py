"""The progress display, and keeping the libraries quiet."""

from __future__ import annotations

import io
import os
import sys
import warnings

import pytest

from lookalike.progress import STAGES, Display, hushed
from lookalike.stages import StageClock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_the_stage_and_then_the_seconds_of_each(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    display = Display()
    display.begin("me [1].jpg")  # brackets are markup to rich
    clock = StageClock(display)
    with clock("fit"):
        display._progress.refresh()
    with clock("a stage of the future"):
        pass
    display.end("me [1].jpg")
    assert STAGES["fit"][0] in terminal.getvalue()
    assert terminal.getvalue().rstrip().endswith("me [1].jpg: 0.0 s  (fit 0.0  a stage of the future 0.0)")


def test_a_photo_that_fails_at_once_leaves_no_line(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    display = Display()
    display.begin("me.jpg")
    display.end("me.jpg")
    assert "0.0 s" not in terminal.getvalue()


def test_hushed_drops_what_libraries_write_and_keeps_what_python_writes(capfd):
    with hushed():
        os.write(2, b"INFO: from C++\n")
        warnings.warn("from a library", stacklevel=1)
        sys.stderr.write("from Python\n")
    os.write(2, b"afterwards\n")
    sys.stderr.write("and from Python\n")
    written = capfd.readouterr().err
    assert "from C++" not in written
    assert "from a library" not in written
    assert written == "from Python\nafterwards\nand from Python\n"


def test_hushed_puts_everything_back_after_an_error(capfd):
    before = sys.stderr
    with pytest.raises(KeyboardInterrupt), hushed():
        raise KeyboardInterrupt
    assert sys.stderr is before
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"
