"""Seconds and peak memory of each stage of the method.

How memory is counted: on Linux the kernel keeps the process's peak resident size ("high-water mark") and lets the
process reset it, so each stage has its own peak; it includes whatever was resident when the stage began (the models,
the photo). Where the mark cannot be reset (macOS) a stage reports the peak since the process started. On a GPU the peak
of PyTorch's allocations is kept beside it. What a second process (`aside.py`) has at most is added.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from lookalike import aside


@dataclass(frozen=True)
class Stage:
    """One finished stage. seconds : wall-clock.  memory, gpu_memory : peak bytes; 0 where unknown or unused."""

    name: str
    seconds: float
    memory: int
    gpu_memory: int

    def as_json(self) -> dict[str, Any]:
        """Plain JSON types: seconds, and memory in MB of 10^6 bytes."""
        entry: dict[str, Any] = {
            "name": self.name,
            "seconds": round(self.seconds, 3),
            "peak_memory_mb": round(self.memory / 1e6, 1) if self.memory else None,
        }
        if self.gpu_memory:
            entry["peak_gpu_memory_mb"] = round(self.gpu_memory / 1e6, 1)
        return entry


class Watcher(Protocol):
    """Told about each stage as it happens; a progress display is one."""

    def started(self, name: str) -> None: ...

    def finished(self, stage: Stage) -> None: ...


class StageClock:
    """Records stages: `with clock("fit"): ...`. A stage that raises is not recorded."""

    def __init__(self, watcher: Watcher | None = None, stages: tuple[Stage, ...] = ()) -> None:
        self.watcher = watcher
        self.stages = list(stages)

    def branch(self) -> StageClock:
        """A clock that has the stages so far and goes on by itself: what the people of one photo share."""
        return StageClock(self.watcher, tuple(self.stages))

    @property
    def seconds(self) -> float:
        """Sum over the stages."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def memory(self) -> int:
        """Peak over the stages, bytes."""
        return max((stage.memory for stage in self.stages), default=0)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        if self.watcher:
            self.watcher.started(name)
        _reset_peaks()
        start = time.perf_counter()
        yield
        gpu_memory = _gpu_peak()  # waits for the GPU, so it comes before the clock is read
        stage = Stage(name, time.perf_counter() - start, _peak(), gpu_memory)
        self.stages.append(stage)
        if self.watcher:
            self.watcher.finished(stage)


def _reset_peaks() -> None:
    for process in _processes():
        try:
            (process / "clear_refs").write_text("5")  # proc(5): 5 resets the peak resident size
        except OSError:
            pass
    if cuda := _cuda_in_use():
        cuda.reset_peak_memory_stats()


def _processes() -> list[Path]:
    """What Linux knows of this process and, if there is one, the second."""
    return [Path("/proc") / str(number) for number in ("self", aside.running()) if number]


def _peak() -> int:
    """Peak resident bytes since the last reset, or since the start where it cannot be reset; 0 where nobody knows."""
    try:
        status = [(process / "status").read_text() for process in _processes()]
        found = re.findall(r"VmHWM:\s+(\d+) kB", " ".join(status))
        if found:
            return sum(map(int, found)) * 1024
    except OSError:
        pass
    try:
        import resource
    except ImportError:  # Windows
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _gpu_peak() -> int:
    if cuda := _cuda_in_use():
        cuda.synchronize()
        return int(cuda.max_memory_allocated())
    return 0


def _cuda_in_use() -> Any:
    """torch.cuda if the process has used it already; asking must not import torch nor start CUDA."""
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    return cuda if cuda is not None and cuda.is_initialized() else None
