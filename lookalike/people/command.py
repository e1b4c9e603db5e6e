"""The command `lookalike synthesize`. Nothing heavy is imported here, so that `--help` answers at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer


def synthesize(
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the samples.", show_default=False)],
    count: Annotated[int, typer.Option("--count", "-n", metavar="N", min=1, help="How many people.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, version and options give the same people.")] = 0,
    assets: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A folder of MakeHuman's assets (clothes, hair, skins, ...) to dress some people from.",
            show_default="our own wardrobe only",
        ),
    ] = None,
    poses: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|DIR",
            help="Where to take half of the poses from: a motion file (AMASS' `poses`, or joint positions, .npz), or a "
            "folder of avatars that `lookalike make` wrote.",
            show_default="our own poses only",
        ),
    ] = None,
    size: Annotated[int, typer.Option(min=64, max=2048, help="Pixels along each side of the pictures.")] = 512,
    maps_only: Annotated[
        bool, typer.Option("--maps-only", help="Only sample.npz: what training of maps reads.")
    ] = False,
    clean: Annotated[
        bool, typer.Option("--clean", help="Without a camera's and a matte's faults: noise, JPEG, blur, leaks.")
    ] = False,
    pressed: Annotated[
        bool, typer.Option("--pressed", help="Our own wardrobe's clothes without folds, to see what folds teach.")
    ] = False,
    part: Annotated[
        Literal["all", "training", "validation"],
        typer.Option(help="Which motions and garments to take: all, those to train on, or those that are held out."),
    ] = "all",
    jobs: Annotated[int | None, typer.Option(metavar="N", min=1, help="Processes.", show_default="one a core")] = None,
    debug: Annotated[bool, typer.Option("--debug", envvar="LOOKALIKE_DEBUG", help="Show tracebacks.")] = False,
) -> None:
    """Make pictures of clothed people who do not exist, with everything that is true of them.

    Each gets a folder: the picture with its matte, normals and depths in front and behind, part labels, albedo, the
    body's parameters, the outer surface and signed distances to it. A run that was stopped goes on where it ended when
    it is called again. Prints the folder when it is done.
    """
    from lookalike.console import command
    from lookalike.people.data_folder import Order, write_dataset
    from lookalike.render.raycast import available_cores

    held = None if part == "all" else part == "validation"
    order = Order(count, seed, size, assets, poses, not clean, maps_only, held, pressed)
    with command(f"stopped; the finished people are in {output}, call again to go on.", debug):
        write_dataset(order, output, jobs or available_cores(), _tell if sys.stderr.isatty() else None)
    typer.echo(output)


def _tell(done: int, of: int) -> None:
    """How far it is, on one line."""
    typer.echo(f"\r{done} of {of} people", nl=done == of, err=True)
