"""The command `lookalike anatomy`. Nothing heavy is imported here, so that `--help` answers at once."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from lookalike.stages import Stage


def anatomy(
    scan: Annotated[
        Path,
        typer.Argument(
            metavar="SCAN",
            help="A folder or zip of DICOM files, or a NIfTI, NRRD or MetaImage file.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Folder for the model.")] = Path(
        "anatomy"
    ),
    tissues: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="What to make, with commas. CT: skin,bone,soft-tissue,lung,vessels. MR of a head: skin,brain.",
            show_default="skin,bone or skin,brain",
        ),
    ] = None,
    iso: Annotated[
        list[float] | None,
        typer.Option(
            metavar="VALUE", help="The surface of a value, such as Hounsfield units; may be given repeatedly."
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A label map made elsewhere, of this scan: a mesh for each label."),
    ] = None,
    label_names: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Their names: a text file, a number and a name on each line.")
    ] = None,
    segment: Annotated[
        bool, typer.Option("--segment", help="Segment a CT with TotalSegmentator, if you have it and its weights.")
    ] = False,
    series: Annotated[
        str | None,
        typer.Option(
            metavar="N|UID",
            help="Of several DICOM series: its number by size, or the start of its UID.",
            show_default="the largest",
        ),
    ] = None,
    modality: Annotated[
        Literal["auto", "ct", "mr"], typer.Option(help="auto: as the file says, else by its values.")
    ] = "auto",
    formats: Annotated[
        str, typer.Option("--format", metavar="LIST", help="With commas: glb (one scene), stl, ply (a file a part).")
    ] = "glb,stl",
    faces: Annotated[
        int, typer.Option(metavar="N", min=0, help="Triangles of each part, at most about; 0 for all.")
    ] = 200_000,
    smooth: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, max=200, help="Rounds of smoothing.", show_default="as suits the tissue"),
    ] = None,
    rig: Annotated[
        bool, typer.Option("--rig", help="Make an avatar of the skin, too, if the scan shows a whole body.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON, and nothing else on stdout.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="LOOKALIKE_DEBUG", help="Show tracebacks and the libraries' own messages.")
    ] = False,
) -> None:
    """Make a 3D model of the anatomy in a CT or MR scan. For teaching, illustration and print.

    This is not a medical device: the models are not for diagnosis or treatment.

    OUT/ gets anatomy.glb (a scene of named, coloured parts), a file a part for print, pictures from four sides and
    report.json (volumes in ml, surfaces in cm2, thresholds). Names, ids and dates in the scan go nowhere; but the skin of
    a head shows a face. The folder appears only when it is complete.
    """
    from lookalike.console import command
    from lookalike.progress import hushed
    from lookalike.stages import StageClock

    with command("stopped; nothing was written.", debug), nullcontext() if debug else hushed():
        from lookalike.anatomy.make import FORMATS, TISSUES, Options, make_anatomy

        chosen = _listed(formats, "format", FORMATS)
        if not chosen:
            raise typer.BadParameter(f"Name at least one format: {', '.join(FORMATS)}.")
        known = tuple(dict.fromkeys(name for each in TISSUES.values() for name in each))
        options = Options(
            tissues=None if tissues is None else _listed(tissues, "tissue", known),
            iso=tuple(iso or ()),
            labels=labels,
            label_names=label_names,
            segment=segment,
            series=series,
            modality=None if modality == "auto" else modality.upper(),
            faces=faces or None,
            rounds=smooth,
            formats=chosen,
            rig=rig,
        )
        bar = Bar() if sys.stderr.isatty() else None
        try:
            report = make_anatomy(
                scan, output, options, clock=StageClock(bar), tick=bar.tick if bar is not None else None
            )
        finally:
            if bar is not None:
                bar.end()
    if as_json:
        typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
        return
    for note in report["notes"]:
        typer.echo(f"Note: {note}", err=True)
    if "rig" in report and report["rig"]["avatar"] is None:
        typer.echo(f"No avatar: {report['rig']['why']}", err=True)
    typer.echo(output / (f"anatomy.{chosen[0]}" if chosen[0] == "glb" else report["files"][0]))


def _listed(text: str, what: str, known: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in known:
            raise typer.BadParameter(f"There is no {what} {name!r}: choose from {', '.join(known)}.")
    return names


class Bar:
    """A progress bar on a terminal: which stage runs, and, while a surface is made, how far it is."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task("", total=None)
        self._progress.start()

    def started(self, name: str) -> None:
        self._progress.update(self._task, description=name, total=None, completed=0)

    def finished(self, stage: Stage) -> None:
        self._progress.update(self._task, total=1, completed=1)

    def tick(self, done: int, of: int) -> None:
        self._progress.update(self._task, total=of, completed=done)

    def end(self) -> None:
        self._progress.stop()
