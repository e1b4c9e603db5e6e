"""Evaluating a data set: its people in; reconstructions, scores, tables and pictures of the worst out.

    OUT/meshes/surface/NAME.glb    each person as reconstructed, in the picture's pose and camera frame
    OUT/meshes/body/NAME.glb       the bare body of the same run
    OUT/meshes/about.json          what they were made from
    OUT/PROTOCOL.json, PROTOCOL.md the scores
    OUT/PROTOCOL_worst.png         the worst ten

Reconstruction gets the picture and, if asked, the data set's body: never the scan, its normals or its camera. A mesh
appears when it is complete, and scores when all people have them, so that a stopped run can be continued.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import secrets
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from lookalike import __version__
from lookalike.errors import BodyModelError, LookalikeError, OutputError
from lookalike.evaluate.mesh_file import SUFFIXES, find_mesh
from lookalike.evaluate.person import BodySource, Subjects, given_body, judge, photo_of, reconstruct_person
from lookalike.evaluate.protocols import PROTOCOLS, Protocol
from lookalike.evaluate.table import KINDS, summarise, table, worst
from lookalike.export.output import output_errors

GENERATOR = "Lookalike evaluate"
#: Where normals come from; the ground truth's are not an input of any kind.
NORMAL_SOURCE = "predicted by Lookalike from the picture and its body; none of the ground truth's"
ABOUT = "about.json"
#: Told after each person: name, its results, how many are done, how many there are.
Watcher = Callable[[str, dict[str, Any], int, int], None]


@dataclass(frozen=True)
class Options:
    """What to evaluate and how.

    Attributes
    ----------
    dataset, path, split : which people, as `people.datasets.open_dataset` takes them.
    names : only these, or None for all.   every, limit : then every Nth, then at most so many.
    body : "estimated" from the picture, or "given" by the data set.   body_model : the SMPL-family file for it.
    protocol : one of `PROTOCOLS`.   seed : of the reconstruction.
    meshes : "make" them, "resume" an earlier run that was stopped, or "keep" what is there and only evaluate.
    jobs : processes.
    """

    dataset: str
    path: Path
    split: str | None = None
    names: tuple[str, ...] | None = None
    every: int = 1
    limit: int | None = None
    body: BodySource = "estimated"
    body_model: Path | None = None
    protocol: str = "ours"
    seed: int = 0
    meshes: Literal["make", "resume", "keep"] = "make"
    jobs: int = 1

    @property
    def subjects(self) -> Subjects:
        """The part that reconstructing one person depends on."""
        return Subjects(self.dataset, self.path, self.split, self.body, self.body_model, self.seed)


def evaluate_dataset(options: Options, out: Path, watch: Watcher | None = None) -> dict[str, Any]:
    """Evaluate people of a data set and write everything to the folder `out`.

    Returns the document that PROTOCOL.json holds: about, people, summary, worst; plain JSON types. A person whose
    reconstruction fails is a failure in it. Raises LookalikeError for what concerns all people, such as a missing data
    set or body model.
    """
    from lookalike.evaluate.sheet import write_sheet

    protocol = PROTOCOLS[options.protocol]
    names = choose(options)
    out = Path(os.path.realpath(out))
    targets = [out / f"{protocol.name}{end}" for end in (".json", ".md", "_worst.png")]
    _refuse_foreign(targets)
    subjects = options.subjects
    if options.body == "given" and options.meshes != "keep":
        _require_bodies(subjects, names[0])
    about = _claim_meshes(options, out / "meshes")
    if options.meshes == "keep":  # what they were made from counts, not what is asked for now
        subjects = replace(subjects, body="given" if about.get("body") == "given" else "estimated")
    with _workplace(out) as temporary:
        people: dict[str, dict[str, Any]] = {}
        work = [(subjects, protocol, name, out / "meshes", temporary, options.meshes) for name in names]
        for person in _each(work, options.jobs):
            name = person.pop("name")
            people[name] = person
            if watch:
                watch(name, person, len(people), len(names))
        people = {name: people[name] for name in names}
        document: dict[str, Any] = {
            "generator": f"{GENERATOR} {__version__}",
            "dataset": options.dataset,
            "about": _describe(options, protocol, names, about),
            "summary": {kind: summarise(people, kind) for kind in KINDS},
            "worst": worst(people),
            "people": people,
        }
        finished = [temporary / target.name for target in targets]
        with output_errors(out):
            finished[0].write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
            finished[1].write_text(table(document, protocol), "utf-8")
        write_sheet(document, subjects, protocol, out / "meshes", finished[2])
        with output_errors(out):
            for source, target in zip(finished, targets, strict=True):
                os.replace(source, target)
    return document


def choose(options: Options) -> list[str]:
    """The names of the people to evaluate, in the data set's order. Raises LookalikeError."""
    known = list(options.subjects.open().names)
    wanted = list(options.names) if options.names else None
    if wanted is not None:
        unknown = [name for name in wanted if name not in set(known)]
        if unknown:
            raise LookalikeError(
                f"{options.path} has no {', '.join(unknown[:3])}{' ...' if len(unknown) > 3 else ''}: "
                f"its people have names such as {', '.join(known[:3]) or '(none)'}."
            )
        known = list(dict.fromkeys(wanted))
    chosen = known[:: options.every][: options.limit]
    if not chosen:
        raise LookalikeError(f"There is nobody to evaluate in {options.path}: check the folder, --split and --names.")
    return chosen


def _require_bodies(subjects: Subjects, name: str) -> None:
    """Raise LookalikeError at once where the first person's given body cannot be used: it concerns everybody."""
    scan = subjects.open().scan(name)
    if scan.body is None:
        raise LookalikeError(f"The data set {subjects.dataset} brings no bodies: leave --body given out.")
    given_body(scan, photo_of(scan)[1], subjects.body_model)


def _person(work: tuple[Subjects, Protocol, str, Path, Path, str]) -> dict[str, Any]:
    """Reconstruct and judge one person; what only concerns this person becomes part of the result."""
    subjects, protocol, name, meshes, temporary, mode = work
    try:
        scan = subjects.open().scan(name)
    except LookalikeError as error:
        return {"name": name, "left_out": str(error)}
    result: dict[str, Any] = {"name": name}
    why: str | None = None
    present = all(find_mesh(meshes / kind, name) for kind in KINDS)
    if mode == "make" or (mode == "resume" and not present):
        try:
            result |= reconstruct_person(scan, subjects, meshes, temporary)
        except (BodyModelError, OutputError):
            raise  # it would be the same for everybody
        except LookalikeError as error:
            why = str(error)
        except Exception as error:  # a mistake of ours in one person must not end the run
            why = f"{type(error).__name__}: {error}"
    try:
        result |= judge(scan, subjects, protocol, meshes, why)
    except LookalikeError as error:
        return {"name": name, "left_out": str(error)}
    return result


def _each(work: Sequence[tuple[Subjects, Protocol, str, Path, Path, str]], jobs: int) -> Iterator[dict[str, Any]]:
    """The people's results as they come."""
    if jobs == 1 or len(work) == 1:
        yield from map(_person, work)
        return
    jobs = min(jobs, len(work))
    # Spawned, not forked: the numeric libraries' threads do not survive a fork. Each keeps to its share of the cores.
    share = {n: str(max(1, (os.cpu_count() or 1) // jobs)) for n in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    before = {name: os.environ.get(name) for name in share}
    os.environ.update({name: value for name, value in share.items() if before[name] is None})
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _begin_worker)
    try:
        for done in as_completed([pool.submit(_person, each) for each in work]):
            yield done.result()
    except BrokenProcessPool as error:
        raise LookalikeError(
            "A worker was ended by the system, probably for want of memory: use fewer --jobs and --resume."
        ) from error
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)


def _begin_worker() -> None:
    from lookalike.progress import hushed

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C and ends its workers
    hushed().__enter__()  # until the process ends


def _describe(options: Options, protocol: Protocol, names: list[str], about: dict[str, Any]) -> dict[str, Any]:
    """Where the numbers come from."""
    sources = {
        "estimated": "estimated by Lookalike from the picture",
        "given": "given by the data set",
    }
    alignment = {
        "similarity ICP": "similarity (rotation, translation, one scale) by trimmed ICP",
        "place and size": "scale and translation by the bounding boxes; no rotation",
    }[protocol.alignment]
    if about.get("body") == "given" and protocol.alignment == "place and size":
        alignment = "none: the given body stands at its true place"
    return {
        "people": f"{len(names)} of {options.dataset}" + (f", split {options.split}" if options.split else ""),
        "body_source": sources.get(str(about.get("body")), "not known: the meshes were not made by this command"),
        "normal_source": NORMAL_SOURCE if about else "not known: the meshes were not made by this command",
        "alignment": alignment,
        "samples": protocol.samples,
        "protocol": f"{protocol.name}: {protocol.about}",
        "made_by": f"{about['generator']}, seed {about['seed']}" if about else "not known",
    }


def _claim_meshes(options: Options, folder: Path) -> dict[str, Any]:
    """Make the folders for meshes, or check those that are there; returns what the meshes are made from.

    Meshes of an earlier run are never lost and never mixed with others.
    """
    about = {
        "generator": f"Lookalike {__version__}",
        "dataset": options.dataset,
        "path": os.path.realpath(options.path),
        "body": options.body,
        "body_model": None if options.body_model is None else os.path.realpath(options.body_model),
        "seed": options.seed,
    }
    found: dict[str, Any] | None = None
    with suppress(OSError, ValueError):
        found = dict(json.loads((folder / ABOUT).read_text("utf-8")))
    holds_any = any(path.suffix in SUFFIXES for kind in KINDS for path in (folder / kind).glob("*"))
    if options.meshes == "keep":
        if not holds_any:
            raise LookalikeError(
                f"{folder} holds no meshes to evaluate: leave --only-evaluate out, or put them at "
                f"{folder / 'surface'}{os.sep}NAME.glb (.obj, .ply)."
            )
        return found or {}
    if holds_any and options.meshes == "make":
        raise OutputError(
            f"{folder} holds meshes already: continue that run with --resume, evaluate them with --only-evaluate, or "
            "choose another folder with -o."
        )
    if holds_any and found != about:
        raise OutputError(
            f"The meshes in {folder} were made with other options: repeat those, or choose another folder with -o."
        )
    with output_errors(folder):
        for kind in KINDS:
            (folder / kind).mkdir(parents=True, exist_ok=True)
        (folder / ABOUT).write_text(json.dumps(about, indent=1) + "\n", "utf-8")
    return about


def _refuse_foreign(targets: list[Path]) -> None:
    """Raise OutputError where files with the results' names were not written by an earlier run."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        if str(json.loads(targets[0].read_text("utf-8"))["generator"]).startswith(GENERATOR):
            return
    for target in targets:
        if os.path.lexists(target):
            raise OutputError(
                f"{target} was not written by Lookalike and would be lost: move it away or choose another folder with "
                "-o."
            )


@contextmanager
def _workplace(out: Path) -> Iterator[Path]:
    """A temporary folder inside `out` that is gone afterwards, whatever happens."""
    import shutil

    temporary = out / f".unfinished-{secrets.token_hex(4)}"
    with output_errors(out):
        temporary.mkdir(parents=True)
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
