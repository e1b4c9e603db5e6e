"""Stage times and memory."""

from __future__ import annotations

import mmap
import sys
import time

import pytest

from lookalike.stages import Stage, StageClock


class Notes:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def started(self, name: str) -> None:
        self.seen.append(f"{name} started")

    def finished(self, stage: Stage) -> None:
        self.seen.append(f"{stage.name} finished")


def test_stages_are_timed_in_order_and_the_watcher_is_told():
    notes = Notes()
    clock = StageClock(notes)
    with clock("one"):
        time.sleep(0.02)
    with clock("two"):
        pass
    assert [stage.name for stage in clock.stages] == ["one", "two"]
    assert 0.02 <= clock.stages[0].seconds < 1
    assert clock.seconds == pytest.approx(sum(stage.seconds for stage in clock.stages))
    assert notes.seen == ["one started", "one finished", "two started", "two finished"]


def test_a_stage_that_raises_is_not_recorded():
    clock = StageClock()
    with pytest.raises(RuntimeError), clock("one"):
        raise RuntimeError
    assert clock.stages == []


def test_a_branch_has_the_stages_before_it_and_goes_its_own_way():
    clock = StageClock()
    with clock("shared"):
        pass
    branch = clock.branch()
    with branch("own"):
        pass
    assert [stage.name for stage in branch.stages] == ["shared", "own"]
    assert [stage.name for stage in clock.stages] == ["shared"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux can reset the peak of memory")
def test_each_stage_has_its_own_peak_of_memory():
    clock = StageClock()
    with clock("large"), mmap.mmap(-1, 150_000_000) as block:  # fresh pages, whatever the allocator has left over
        for page in range(0, len(block), mmap.PAGESIZE):
            block[page] = 1
    with clock("small"):
        pass
    large, small = clock.stages
    assert large.memory - small.memory == pytest.approx(150e6, rel=0.2)
    assert clock.memory == large.memory
    assert large.as_json()["peak_memory_mb"] == pytest.approx(large.memory / 1e6, abs=0.1)
