"""The command `lookalike train`. Nothing heavy is imported here, so that `--help` answers at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

train = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Train the networks that Lookalike uses, from synthetic people."
)


@train.callback()
def _train() -> None:
    pass


@train.command()
def maps(
    output: Annotated[
        Path, typer.Argument(metavar="OUT", help="Folder for weights, log and pictures.", show_default=False)
    ],
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Settings, JSON; docs/training.md lists them.", show_default="standard ones"),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in OUT from its last checkpoint.")] = False,
    max_minutes: Annotated[
        float | None,
        typer.Option(
            metavar="M", min=0, help="Stop after so many minutes, ready to be resumed.", show_default="no end"
        ),
    ] = None,
    device: Annotated[
        Literal["auto", "cpu", "cuda"], typer.Option(help="Where to compute. auto: the GPU if PyTorch sees one.")
    ] = "auto",
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="People that `lookalike synthesize` made, over and over.", show_default="fresh people"
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Processes that make samples; 0: none.", show_default="one a core"),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", envvar="LOOKALIKE_DEBUG", help="Show tracebacks.")] = False,
) -> None:
    """Train the network that predicts normals, depths, parts and the colour behind from a picture and a body.

    OUT/ gets weights.safetensors, checkpoint.pt, log.jsonl, curves.png and predictions.png, and its last checkpoint
    holds when the run is stopped. Prints the weights' path when it is done.
    """
    from lookalike.console import command
    from lookalike.render.raycast import available_cores

    stopped = f"stopped; what {output} holds of it can be continued with --resume."
    with command(stopped, debug):
        from lookalike.train.config import read_config
        from lookalike.train.device import chosen_device
        from lookalike.train.loop import train_maps

        weights = train_maps(
            read_config(config) if config else None,
            output,
            chosen_device(device),
            folder=data,
            jobs=available_cores() if jobs is None else jobs,
            minutes=max_minutes,
            resume=resume,
            watch=_tell if sys.stderr.isatty() else None,
        )
    typer.echo(weights)


@train.command()
def fits(
    data: Annotated[
        Path, typer.Argument(metavar="DIR", help="People that `lookalike synthesize` made.", show_default=False)
    ],
    jobs: Annotated[int | None, typer.Option(metavar="N", min=1, help="Processes.", show_default="one a core")] = None,
    debug: Annotated[bool, typer.Option("--debug", envvar="LOOKALIKE_DEBUG", help="Show tracebacks.")] = False,
) -> None:
    """Fit a body to the picture of each person in DIR as to a photo, for training with `"fits": true`.

    Takes 3 s a person of a core. A run that was stopped goes on where it ended. Prints how many people have a fit.
    """
    from lookalike.console import command
    from lookalike.render.raycast import available_cores

    with command(f"stopped; the finished fits are in {data}, call again to go on.", debug):
        from lookalike.train.fits import write_fits

        done = write_fits(data, jobs or available_cores(), _count if sys.stderr.isatty() else None)
    typer.echo(done)


@train.command()
def posture(
    data: Annotated[
        Path, typer.Argument(metavar="DIR", help="People with fits, of `lookalike train fits`.", show_default=False)
    ],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="File for the weights.", show_default=False)],
    poses: Annotated[
        Path | None, typer.Option(metavar="FILE|DIR", help="Motions, as `lookalike synthesize` takes them.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", envvar="LOOKALIKE_DEBUG", help="Show tracebacks.")] = False,
) -> None:
    """Train the network that corrects how fitted bodies stand. Takes two minutes of a core. Prints the weights' path."""
    from lookalike.console import command

    with command("stopped; nothing is kept of it, call again.", debug):
        from lookalike.maps.posture import save_posture
        from lookalike.people.poses import read_poses
        from lookalike.train.posture import read_pairs, train_posture

        library = read_poses(poses).held(False) if poses else None
        save_posture(train_posture(read_pairs(data), library), output)
    typer.echo(output)


@train.command()
def facing(
    data: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="People of `lookalike synthesize`.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="File for the weights.")],
    debug: Annotated[bool, typer.Option("--debug", envvar="LOOKALIKE_DEBUG", help="Show tracebacks.")] = False,
) -> None:
    """Train the network that says which way somebody faces. Takes ten minutes of a core. Prints the weights' path."""
    from lookalike.console import command

    with command("stopped; nothing is kept of it, call again.", debug):
        from lookalike.maps.facing import save_facing
        from lookalike.train.facing import read_seen, train_facing

        save_facing(train_facing(read_seen(data)), output)
    typer.echo(output)


def _count(done: int, of: int) -> None:
    """How far it is, on one line."""
    typer.echo(f"\r{done} of {of} people", nl=done == of, err=True)


def _tell(line: dict[str, Any]) -> None:
    """A line of the log on stderr."""
    if line["kind"] == "step":
        words = f"loss {line['total']:.4f}   {line['steps_a_second']:.2f} steps a second"
    else:
        words = "   ".join(
            f"{side} {line[f'{side}_mean']:.2f} degrees (body {line[f'body_{side}_mean']:.2f})"
            for side in ("front", "back")
            if f"{side}_mean" in line
        )
    typer.echo(f"{line['step']}: {words}", err=True)
