"""A folder of synthetic people: a recipe and a seed in, finished samples on disk out; and reading them back.

    OUT/dataset.json            what it was made with
    OUT/contact_sheet.png       the first of them: picture, normals, labels
    OUT/000000/image.png        the picture and its matte
           normals_front.png    the truth to look at: (n + 1) / 2, 8 bits
           normals_back.png
           labels.png           the parts in front, in colours
           sample.npz           the truth to compute with (`store.read_sample`)
           surface.ply          the outer surface in the camera's frame, metres, with albedo a vertex
           distances.npz        points (k, 3) and signed distances (k,), metres, negative inside

A sample's folder appears when it is complete. Since a sample follows from its seed and number alone, a run that was
stopped goes on where it ended, and a longer one adds to a shorter one.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import current_process, get_context
from pathlib import Path
from typing import TypeVar

import numpy as np

from lookalike.errors import LookalikeError, OutputError
from lookalike.export.output import output_errors
from lookalike.people.sample import LABELS, Sample
from lookalike.people.store import read_sample, write_sample

T = TypeVar("T")
R = TypeVar("R")

FORMAT = "lookalike synthetic people 1"
#: Points with signed distances of each sample.
DISTANCES = 20_000
#: People on the contact sheet.
SHEET = 64
#: Colours of `LABELS` in pictures.
LABEL_COLOURS = np.array(
    [(0, 0, 0), (236, 188, 160), (120, 72, 40), (70, 130, 200), (60, 90, 60), (200, 70, 60), (230, 200, 60)], np.uint8
)


@dataclass(frozen=True)
class Order:
    """What to make.

    Attributes
    ----------
    count : how many.  seed : of all of them.  size : pixels along each side.
    assets : MakeHuman folder, or None.  poses : file of motions, or None.  faults : see `synthesis.Recipe`.
    held : only motions and garments that are held out for validation, or only the others; None for all.
    pressed : see `synthesis.Recipe`.
    maps_only : only `sample.npz`, which is what training of maps reads: half the time and a quarter of the space.
    """

    count: int
    seed: int = 0
    size: int = 512
    assets: Path | None = None
    poses: Path | None = None
    faults: bool = True
    maps_only: bool = False
    held: bool | None = None
    pressed: bool = False

    def settings(self) -> dict:
        """What decides how each sample looks."""
        import lookalike

        paths = {k: str(v.resolve()) if v else None for k, v in (("assets", self.assets), ("poses", self.poses))}
        return {
            "version": lookalike.__version__,
            "seed": self.seed,
            "size": self.size,
            "faults": self.faults,
            "held": self.held,
            "pressed": self.pressed or None,  # as in folders that are older than the option
            **paths,
        }


def write_dataset(
    order: Order, out: Path, jobs: int = 1, watch: Callable[[int, int], None] | None = None
) -> list[Path]:
    """Make the samples that are not there yet. Returns the samples' folders, by number.

    watch : called with how many are done and how many there will be. Raises LookalikeError, OutputError.
    """
    out = Path(out)
    _claim(order, out)
    if order.poses:
        from lookalike.people.poses import read_poses

        read_poses(order.poses)  # what is wrong with it is said now, and what takes long is done once
    folders = [out / f"{number:06d}" for number in range(order.count)]
    missing = [n for n, folder in enumerate(folders) if not (folder / "sample.npz").is_file()]
    done = order.count - len(missing)
    if watch:
        watch(done, order.count)
    for _ in in_processes(partial(_make, order, out), missing, jobs):
        done += 1
        if watch:
            watch(done, order.count)
    with output_errors(out / "contact_sheet.png"):
        _contact_sheet(folders[:SHEET]).save(out / "contact_sheet.png")
    return folders


def read_dataset(path: str | Path) -> Iterator[Sample]:
    """The samples of a folder, in order."""
    for folder in dataset_folders(Path(path)):
        yield read_sample(folder / "sample.npz")


def dataset_folders(path: Path) -> list[Path]:
    """The finished samples in a folder. Raises LookalikeError where there are none."""
    folders = sorted(p.parent for p in path.glob("[0-9]*/sample.npz"))
    if not folders:
        raise LookalikeError(f"{path} holds no synthetic people: make some with `lookalike synthesize {path} -n 10`.")
    return folders


def _claim(order: Order, out: Path) -> None:
    """Make the folder ours, or make sure that what it holds was made alike."""
    note = out / "dataset.json"
    said = {"format": FORMAT, **order.settings()}
    if note.is_file():
        try:
            found = json.loads(note.read_text("utf-8"))
        except (OSError, ValueError):
            found = {}
        differing = [k for k in said if found.get(k) != said[k]]
        if differing:
            raise OutputError(
                f"{out} holds people made with another {differing[0]} ({found.get(differing[0])}, not "
                f"{said[differing[0]]}): choose another folder, or the same settings to add to it."
            )
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"{out} exists and holds something else: choose a new folder.")
    with output_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(said, indent=2), "utf-8")


def in_processes(do: Callable[[T], R], items: list[T], jobs: int) -> Iterator[R]:
    """What `do` makes of each item, as soon as it is done. jobs : processes; with 1 it is done in this one."""
    if jobs <= 1 or len(items) <= 1:
        yield from map(do, items)
        return
    # Fresh processes: libraries with threads of their own do not survive a fork.
    pool = ProcessPoolExecutor(min(jobs, len(items)), get_context("spawn"), initializer=begin_worker)
    try:
        with one_thread_each():
            waiting = {pool.submit(do, item) for item in items}  # starts the processes
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes started meanwhile have linear algebra with one thread: on a core each, more would wait for each other."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def begin_worker() -> None:
    """A worker leaves Ctrl-C to the one that started it, and keeps to one core: so do its libraries' threads."""
    import signal

    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[current_process()._identity[0] % len(cores)]})


@lru_cache(maxsize=1)
def people_of(order: Order):
    from lookalike.people.poses import read_poses
    from lookalike.people.synthesis import Recipe, SyntheticPeople

    poses = read_poses(order.poses) if order.poses else None
    return SyntheticPeople(
        order.seed, Recipe(order.size, order.assets, poses, faults=order.faults, pressed=order.pressed, held=order.held)
    )


def _make(order: Order, out: Path, number: int) -> int:
    sample = people_of(order)[number]
    folder, temporary = out / f"{number:06d}", out / f".{number:06d}-{os.getpid()}"
    with output_errors(folder):
        try:
            temporary.mkdir()
            write_sample(sample, temporary / "sample.npz")
            if not order.maps_only:
                _image(sample.image).save(temporary / "image.png", compress_level=3)
                _write_truth(sample, temporary, np.random.default_rng([order.seed, number, 1]))
            temporary.rename(folder)
        finally:
            if temporary.exists():
                shutil.rmtree(temporary, ignore_errors=True)
    return number


def _write_truth(sample: Sample, folder: Path, rng: np.random.Generator) -> None:
    from lookalike.export.ply import write_mesh_ply
    from lookalike.maps.maps import normals_to_image
    from lookalike.people.solid import outer_surface, signed_distances

    mask = sample.maps.mask
    for side in ("front", "back"):
        _image(normals_to_image(getattr(sample.maps, f"normals_{side}"), mask)).save(folder / f"normals_{side}.png")
    _image(LABEL_COLOURS[sample.labels_front]).save(folder / "labels.png")
    solid = outer_surface(sample.pieces, LABELS)
    write_mesh_ply(folder / "surface.ply", solid.vertices, solid.faces, solid.colour)
    near = signed_distances(solid, DISTANCES, rng)
    np.savez(folder / "distances.npz", points=near.points, distance=near.distance)


def _contact_sheet(folders: list[Path], side: int = 256, columns: int = 8):
    """Each person twice: the picture over grey, and its normals."""
    from PIL import Image

    from lookalike.maps.maps import normals_to_image

    rows = -(-len(folders) // columns)
    sheet = Image.new("RGB", (columns * 2 * side, rows * side), (236, 237, 240))
    for i, folder in enumerate(folders):
        sample = read_sample(folder / "sample.npz")
        at = np.array([2 * (i % columns), i // columns]) * side
        for k, picture in enumerate((sample.image, normals_to_image(sample.maps.normals_front, sample.maps.mask))):
            small = _image(picture).resize((side, side), Image.Resampling.LANCZOS)
            sheet.paste(small, (int(at[0]) + k * side, int(at[1])), small)
    return sheet


def _image(pixels: np.ndarray):
    from PIL import Image

    return Image.fromarray(pixels)
