"""How many synthetic people a second: made afresh, and read from a folder.

    python benchmarks/people_speed.py [-n 60] [--jobs 2] [--size 512] [--assets DIR] [--poses FILE]

Each process makes (or reads) samples with their bodies and maps, on one core. Loading the libraries and the first two
samples of each process, which fill its caches, are not counted.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

from lookalike.people.data_folder import Order, begin_worker, dataset_folders, one_thread_each, people_of, write_dataset
from lookalike.people.store import read_sample

WARM = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=60, help="samples a process")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--assets", type=Path)
    parser.add_argument("--poses", type=Path)
    options = parser.parse_args()
    order = Order(1, options.seed, options.size, options.assets, options.poses, maps_only=True)
    print(f"fresh: {rate(fresh, order, options.jobs, options.n):.2f} samples a second, {options.jobs} processes")
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "kept"
        write_dataset(Order(24, options.seed, options.size, maps_only=True), kept, options.jobs)
        size = sum(f.stat().st_size for f in kept.glob("*/sample.npz")) / 24 / 1e6
        print(f"cached: {rate(cached, kept, options.jobs, 10 * options.n):.1f} samples a second, {size:.2f} MB each")


def rate(work, what, jobs: int, count: int) -> float:
    """Samples a second of all processes together."""
    context = get_context("spawn")
    barrier, seconds = context.Barrier(jobs), context.Queue()
    processes = [context.Process(target=_run, args=(work, what, i, count, barrier, seconds)) for i in range(jobs)]
    with one_thread_each():
        for process in processes:
            process.start()
    took = [seconds.get() for _ in processes]
    for process in processes:
        process.join()
    return jobs * count / max(took)


def _run(work, what, number: int, count: int, barrier, seconds) -> None:
    begin_worker()
    samples = work(what, number * (count + WARM))
    for _ in range(WARM):
        next(samples)
    barrier.wait()
    start = time.perf_counter()
    for _ in range(count):
        next(samples)
    seconds.put(time.perf_counter() - start)


def fresh(order: Order, start: int):
    people = people_of(order)
    while True:
        yield people[start]
        start += 1


def cached(folder: Path, start: int):
    folders = dataset_folders(folder)
    while True:
        yield read_sample(folders[start % len(folders)] / "sample.npz")
        start += 1


if __name__ == "__main__":
    main()
