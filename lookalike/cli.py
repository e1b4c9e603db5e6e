"""The command line: `lookalike make`, `info`, `synthesize`, `evaluate`, `anatomy` and `train`.

Nothing heavy is imported here, so that `--help` and a wrong option answer at once.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

import lookalike
from lookalike.anatomy.command import anatomy
from lookalike.console import BUG, INTERRUPTED, bug_sentence, stoppable
from lookalike.errors import BodyModelError, LookalikeError
from lookalike.evaluate.command import evaluate
from lookalike.people.command import synthesize
from lookalike.stages import StageClock
from lookalike.train.command import train

if TYPE_CHECKING:
    from lookalike.pipeline import Person
    from lookalike.progress import Display

LISTED = 5  # items of a long list that `info` shows

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain text: an error is one line, and help starts in half the time
    help="Turn one photo of a person into a rigged, textured 3D avatar.\n\n"
    "Try: lookalike make me.jpg, then open out/me/avatar.glb in Blender, Unity, Unreal, Godot or a web viewer.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lookalike {lookalike.__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@dataclass
class _Outcome:
    """What became of the photos of one call."""

    avatars: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)

    def failed(self, photo: Path, message: str, exit_code: int) -> None:
        self.failures.append({"photo": str(photo), "message": message, "exit_code": exit_code})
        about = "" if photo.name in message else f"{photo}: "
        typer.echo(f"lookalike: {about}{message}", err=True)

    @property
    def exit_code(self) -> int:
        """That of the first failure; 0 without one."""
        return int(self.failures[0]["exit_code"]) if self.failures else 0


@app.command()
def make(
    photos: Annotated[
        list[Path],
        typer.Argument(
            metavar="PHOTO...", help="Photos to read: JPEG, PNG, WebP, HEIC, TIFF, BMP.", show_default=False
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="OUT", help="Folder for the results; each photo gets OUT/<its name>/."),
    ] = Path("out"),
    person: Annotated[
        str,
        typer.Option(
            metavar="largest|all|N",
            help="Whom to take from a photo of several people: the largest, all of them (each in a numbered folder), "
            "or the Nth from the left, from 1.",
        ),
    ] = "largest",
    height: Annotated[
        float | None,
        typer.Option(
            metavar="METRES", help="The person's height in metres. One photo cannot tell it.", show_default="estimated"
        ),
    ] = None,
    body_model: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="An SMPL, SMPL-H or SMPL-X file of your own to fit in place of the body that comes with Lookalike.",
            show_default="built in",
        ),
    ] = None,
    topology: Annotated[
        Literal["auto", "body"],
        typer.Option(
            help="auto: a mesh of its own, with hair, hems, hats and bags. body: the body model's own vertices and faces."
        ),
    ] = "auto",
    detail: Annotated[
        Literal["low", "medium", "high"],
        typer.Option(help="About 10,000, 30,000 or 100,000 triangles. Nothing with --topology body."),
    ] = "high",
    formats: Annotated[
        str, typer.Option("--format", metavar="LIST", help="Formats of the avatar, with commas: glb,obj,ply,stl.")
    ] = "glb",
    device: Annotated[
        Literal["auto", "cpu", "cuda"], typer.Option(help="Where to compute. auto: the GPU if PyTorch sees one.")
    ] = "auto",
    seed: Annotated[int, typer.Option(help="The same seed, photo and options give the same avatar.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document about all photos to stdout, and nothing else there.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="LOOKALIKE_DEBUG", help="Show tracebacks and the libraries' own messages.")
    ] = False,
) -> None:
    """Make an avatar of the person in each photo.

    OUT/<photo>/ gets avatar.glb (rigged, textured, with walk and idle motions), posed.glb (as in the photo), the fitted
    body, pictures to judge the result by, a turntable video and report.json. A folder appears only when it is complete.
    Files of an earlier run are replaced, other files in it are left alone.

    One line a finished avatar goes to stdout: the path of its model. A photo that fails is explained on stderr, the
    others go on, and the exit code is that of the first failure: 2 the photo or an option, 3 no person, 4 the body
    model, 5 the output, 1 anything else that you can put right, 70 a mistake in Lookalike, 130 Ctrl-C.
    """
    # Nothing here multiplies large matrices, and OpenBLAS's idle threads keep their cores busy.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from lookalike.aside import second_process
    from lookalike.pipeline import check_options
    from lookalike.progress import Display, hushed
    from lookalike.save import check_formats
    from lookalike.staging import folder_names

    chosen = [name.strip().lower() for name in formats.split(",") if name.strip()]
    whom: Any = int(person) if person.lstrip("+-").isdigit() else person
    try:
        check_options(person=whom, height=height, topology=topology, detail=detail, device=device, seed=seed)
        check_formats(chosen)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error

    options = {
        "height": height,
        "body_model": body_model,
        "topology": topology,
        "detail": detail,
        "device": device,
        "seed": seed,
    }
    outcome = _Outcome()
    photo = photos[0]
    with ExitStack() as stack:
        stack.enter_context(stoppable())
        try:
            if not debug:
                stack.enter_context(hushed())
            stack.enter_context(second_process("lookalike.photo.lean", "lookalike.photo.people"))
            display = Display() if sys.stderr.isatty() else None
            for photo, name in zip(photos, folder_names(photos), strict=True):
                try:
                    _make_one(photo, output / name, whom, chosen, options, display, outcome, quiet=as_json)
                except LookalikeError as error:
                    if debug:
                        raise
                    outcome.failed(photo, str(error), error.exit_code)
                    if isinstance(error, BodyModelError):
                        break  # it is the same for every photo
                except Exception as error:
                    if debug:
                        raise
                    outcome.failed(photo, bug_sentence(error), BUG)
        except KeyboardInterrupt:
            typer.echo(f"lookalike: stopped while making {photo}; nothing of it was written.", err=True)
            raise typer.Exit(INTERRUPTED) from None
    if as_json:
        document = {"version": lookalike.__version__, "avatars": outcome.avatars, "failures": outcome.failures}
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    raise typer.Exit(outcome.exit_code)


def _make_one(
    photo: Path,
    target: Path,
    person: Person,
    formats: list[str],
    options: dict[str, Any],
    display: Display | None,
    outcome: _Outcome,
    *,
    quiet: bool,
) -> None:
    """All the avatars asked for of one photo. Of several people one may fail and the others are kept."""
    from lookalike.pipeline import find_people, reconstruct
    from lookalike.save import write_files
    from lookalike.staging import staged

    made: list[tuple[Path, dict[str, Any]]] = []
    clock = StageClock(display)
    if display:
        display.begin(photo.name)
    try:
        with staged(target, people=True) as temporary:
            subjects = find_people(photo, person=person, clock=clock)
            failures: list[LookalikeError] = []
            for number, subject in enumerate(subjects, 1):
                folder = Path(str(number)) if len(subjects) > 1 else Path()
                own = clock.branch()
                try:
                    avatar = reconstruct(subject, clock=own, **options)
                except BodyModelError:
                    raise
                except LookalikeError as error:
                    failures.append(error)
                    continue
                (temporary / folder).mkdir(exist_ok=True)
                written = write_files(avatar, temporary / folder, formats=formats, clock=own)
                report = json.loads(written[-1].read_text("utf-8"))
                made.append((target / folder, report))
            if failures and not made:
                raise failures[0]
    finally:
        if display:
            display.end(photo.name)
    for failure in failures:
        outcome.failed(photo, str(failure), failure.exit_code)
    for folder, report in made:
        if not quiet:
            typer.echo(folder / f"avatar.{formats[0]}")
        outcome.avatars.append({"photo": str(photo), "folder": str(folder), "files": report["files"], "report": report})


@app.command()
def info(
    avatar: Annotated[Path, typer.Argument(metavar="AVATAR.glb", help="A glTF file, such as out/me/avatar.glb.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Tell what an avatar file holds."""
    from lookalike.export import read_info

    try:
        found = read_info(avatar)
    except LookalikeError as error:
        typer.echo(f"lookalike: {error}", err=True)
        raise typer.Exit(error.exit_code) from None
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    width = max(map(len, found), default=0)
    for key, value in found.items():
        typer.echo(f"{key.replace('_', ' '):{width}}  {_in_words(value)}")


app.command()(synthesize)
app.command()(evaluate)
app.command()(anatomy)
app.add_typer(train, name="train")


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(_in_words(item) for item in value.values() if item is not None)
    if isinstance(value, (list, tuple)):
        shown = ", ".join(map(_in_words, value[:LISTED])) or "none"
        return f"{len(value)}: {shown}, ..." if len(value) > LISTED else shown
    if value is None:
        return "unknown"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main() -> None:
    """The `lookalike` program."""
    try:
        code = _run()
        sys.stdout.flush()
    except KeyboardInterrupt:  # while still importing
        code = INTERRUPTED
    except BrokenPipeError:  # the reader of stdout has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    if sys.argv[1:2] == ["make"] and isinstance(code, int):
        # All is written by now. Taking PyTorch and a gigabyte of arrays down in good order would take half a second.
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _run() -> Any:
    """Run the command that was asked for; its exit code, as `sys.exit` takes it."""
    try:
        app(prog_name="lookalike")
    except SystemExit as end:
        return end.code
    return 0


if __name__ == "__main__":
    main()
