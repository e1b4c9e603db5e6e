"""A second process: what it answers, and what happens where it cannot."""

from __future__ import annotations

import os
import signal
import sys
import time

import numpy as np
import pytest

from lookalike import aside
from lookalike.aside import beside, second_process
from lookalike.errors import NoPersonError
from lookalike.stages import StageClock


def process_number(_: object = None) -> int:
    return os.getpid()


def double(values: np.ndarray, times: int = 2) -> np.ndarray:
    sys.stdout.write("this must not get between the answers\n")
    return values * times


def nobody() -> None:
    raise NoPersonError("No person was found.")


def test_without_a_second_process_a_call_is_made_here_when_it_is_waited_for():
    made = []
    wait = beside(made.append, 1)
    assert made == []
    wait()
    assert made == [1]
    assert aside.running() is None


def test_calls_are_made_in_the_second_process_one_after_another():
    with second_process("numpy"):
        number = aside.running()
        assert number is not None and number != os.getpid()
        for times in (3, 4):
            np.testing.assert_array_equal(beside(double, np.arange(5), times=times)(), np.arange(5) * times)
        assert beside(process_number)() == number
    assert aside.running() is None


def test_an_answer_that_nobody_waited_for_is_not_taken_for_another():
    with second_process():
        beside(double, np.ones(3))
        assert beside(process_number)() == aside.running()


def test_the_current_folder_is_not_looked_into(tmp_path, monkeypatch):
    (tmp_path / "numpy.py").write_text("raise RuntimeError('not this one')")
    monkeypatch.chdir(tmp_path)
    with second_process("numpy"):
        assert beside(process_number)() == aside.running()


def test_an_error_comes_back_as_it_is():
    with second_process(), pytest.raises(NoPersonError, match=r"No person was found\."):
        beside(nobody)()


def test_what_only_this_process_knows_is_done_here():
    with second_process():
        assert beside(lambda: os.getpid())() == os.getpid()


@pytest.mark.skipif(sys.platform == "win32", reason="a process is killed by a signal")
def test_where_the_second_process_dies_the_call_is_made_here():
    with second_process():
        number = aside.running()
        assert number is not None
        wait = beside(process_number, np.zeros(1_000_000))
        os.kill(number, signal.SIGKILL)
        assert wait() in (os.getpid(), number)  # it may have answered before
        deadline = time.time() + 10
        while beside(process_number)() != os.getpid() and time.time() < deadline:
            time.sleep(0.05)
        assert beside(process_number)() == os.getpid()


@pytest.mark.skipif(sys.platform == "win32", reason="processes are looked at as POSIX does")
def test_the_second_process_is_gone_after_the_block_even_in_the_middle_of_a_call():
    with pytest.raises(KeyboardInterrupt), second_process():
        number = aside.running()
        assert number is not None
        beside(time.sleep, 60)
        raise KeyboardInterrupt
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_a_program_that_cannot_start_another_goes_on_alone(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with second_process():
        assert aside.running() is None
        assert beside(process_number)() == os.getpid()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells another process's memory")
def test_the_memory_of_a_stage_counts_both():
    clock = StageClock()
    with clock("alone"):
        pass
    with second_process("numpy"), clock("both"):
        beside(np.ones, 20_000_000)()
    alone, both = clock.stages
    assert both.memory - alone.memory > 150e6
