"""The command `lookalike evaluate`. Nothing heavy is imported here, so that `--help` answers at once."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, Literal

import typer


def evaluate(
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="DATASET",
            help="Which data set: rocketbox, thuman2, thuman2.1, agora, cape or customhumans.",
            show_default=False,
        ),
    ],
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The folder it is in.", show_default=False)],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help="Folder for meshes, tables and pictures.")
    ] = Path("evaluation"),
    protocol: Annotated[
        Literal["ours", "icon", "sith"],
        typer.Option(help="How distances are taken: Lookalike's own way, or as the papers of ICON or SiTH describe."),
    ] = "ours",
    body: Annotated[
        Literal["estimated", "given"],
        typer.Option(help="estimated: fitted to the picture. given: the body that the data set brings."),
    ] = "estimated",
    body_model: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Your SMPL, SMPL-H or SMPL-X file: the one that given bodies are for, or the one to fit.",
            show_default="built in",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="A split that the data set knows, or a file with a name a line."),
    ] = None,
    names: Annotated[str | None, typer.Option(metavar="LIST", help="Only these people, with commas.")] = None,
    every: Annotated[int, typer.Option(metavar="N", min=1, help="Take every Nth person.")] = 1,
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="Take at most N people.")] = None,
    jobs: Annotated[int, typer.Option(metavar="N", min=1, help="Processes; each takes about 2 GB of memory.")] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue a run that was stopped: keep the meshes it made.")
    ] = False,
    only_evaluate: Annotated[
        bool,
        typer.Option("--only-evaluate", help="Make nothing: evaluate the meshes in OUT/meshes (GLB, OBJ or PLY)."),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the reconstruction.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results as one JSON document, and nothing else on stdout.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="LOOKALIKE_DEBUG", help="Show tracebacks and the libraries' own messages.")
    ] = False,
) -> None:
    """Reconstruct the people of a data set and measure how near they come to its scans.

    The picture is all that the reconstruction sees, besides the body with --body given; normals of the scans are never
    given. OUT/ gets the meshes, and PROTOCOL.json, PROTOCOL.md and PROTOCOL_worst.png: Chamfer, P2S and S2P distances,
    normal consistency, F-scores and normal errors of the surface and of the bare body. docs/evaluation.md has the
    protocols. The table goes to stdout, a line a person to stderr. A person who cannot be reconstructed counts as a
    failure.
    """
    from lookalike.console import command
    from lookalike.progress import hushed

    if resume and only_evaluate:
        raise typer.BadParameter("--resume makes what is missing and --only-evaluate makes nothing: give one of them.")
    listed = None if names is None else tuple(name.strip() for name in names.split(",") if name.strip())
    stopped = f"stopped; the meshes in {output / 'meshes'} are complete, continue with --resume."
    with command(stopped, debug), nullcontext() if debug else hushed():
        from lookalike.evaluate.protocols import PROTOCOLS
        from lookalike.evaluate.run import Options, evaluate_dataset
        from lookalike.evaluate.table import table

        options = Options(
            dataset=dataset,
            path=path,
            split=split,
            names=listed,
            every=every,
            limit=limit,
            body=body,
            body_model=body_model,
            protocol=protocol,
            seed=seed,
            meshes="keep" if only_evaluate else "resume" if resume else "make",
            jobs=jobs,
        )
        document = evaluate_dataset(options, output, _tell)
    if as_json:
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        typer.echo(table(document, PROTOCOLS[protocol]), nl=False)


def _tell(name: str, person: dict[str, Any], done: int, count: int) -> None:
    """One line a person on stderr."""
    if "left_out" in person:
        words = f"left out: {person['left_out']}"
    elif all("failed" in person[kind] for kind in ("surface", "body") if kind in person):
        words = f"failed: {next(p['failed'] for p in (person.get('surface'), person.get('body')) if p)}"
    else:
        words = ", ".join(
            f"{kind} {person[kind]['chamfer']:.2f} cm" if "failed" not in person[kind] else f"{kind} failed"
            for kind in ("surface", "body")
            if kind in person
        )
        if "seconds" in person:
            words += f"   {person['seconds']:.1f} s"
    typer.echo(f"{done}/{count} {name}: {words}", err=True)
