"""The results as text and as JSON: people's scores in; means, medians and tables out.

Every table begins with where the bodies and the normals came from, how predictions were aligned and how many samples
were taken, so that no number travels without them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lookalike.evaluate.protocols import MEASURES, PENALTY, Protocol

#: What is judged of each person: one run gives both.
KINDS = ("surface", "body")

#: (measure, heading, decimals) in the order of the columns.
COLUMNS = (
    ("chamfer", "Chamfer cm", 3),
    ("p2s", "P2S cm", 3),
    ("s2p", "S2P cm", 3),
    ("nc", "NC", 3),
    ("f1", "F@1cm", 3),
    ("f2", "F@2cm", 3),
    ("normal_error", "normal error", 4),
    ("outline_iou", "outline IoU", 3),
    ("turn", "turn °", 2),
)


def summarise(people: Mapping[str, Mapping[str, Any]], kind: str) -> dict[str, Any]:
    """Of one kind of mesh over people.

    people : name -> {kind: scores as `Scores.as_json` gives them, or {"failed": why}}. People whose truth could not be
        read ({"left_out": why}) do not count.
    Returns n, n_failed, mean and median over those that did not fail, and mean_with_failures, which charges `PENALTY`
        for each failure. A measure that the protocol does not have is None.
    """
    rows = [person[kind] for person in people.values() if kind in person]
    good = [row for row in rows if "failed" not in row]
    out: dict[str, Any] = {"n": len(rows), "n_failed": len(rows) - len(good)}
    for name, function in (("mean", np.mean), ("median", np.median)):
        out[name] = {m: _over(function, [row[m] for row in good]) for m in (*MEASURES, "turn")}
    has = {m: any(row[m] is not None for row in good) or not good for m in MEASURES}
    out["mean_with_failures"] = {
        m: _over(np.mean, [PENALTY[m] if "failed" in row else row[m] for row in rows]) if has[m] else None
        for m in MEASURES
    }
    return out


def worst(people: Mapping[str, Mapping[str, Any]], kind: str = "surface", count: int = 10) -> list[str]:
    """Names of the failures and then of the people with the largest Chamfer distance, `count` in all."""
    judged = [name for name, person in people.items() if kind in person]
    return sorted(judged, key=lambda name: (-people[name][kind].get("chamfer", np.inf), name))[:count]


def table(document: Mapping[str, Any], protocol: Protocol) -> str:
    """The document of a whole evaluation as Markdown that reads well as plain text."""
    people: Mapping[str, Mapping[str, Any]] = document["people"]
    columns = [c for c in COLUMNS if c[0] != "outline_iou" or protocol.outline]
    columns = [c for c in columns if c[0] != "turn" or protocol.alignment == "similarity ICP"]
    has = [kind for kind in KINDS if document["summary"][kind]["n"]]
    rows: list[list[str]] = []
    for kind in has:
        summary = document["summary"][kind]
        counted = f"{summary['n_failed']} of {summary['n']}"
        rows.append([f"**{kind}**, mean", *_cells(summary["mean"], columns), counted])
        rows.append([f"{kind}, median", *_cells(summary["median"], columns), counted])
        if summary["n_failed"]:
            cells = _cells(summary["mean_with_failures"], columns)
            rows.append([f"{kind}, mean with failures", *cells, counted])
    each: list[list[str]] = []
    for name, person in people.items():
        for kind in has:
            if kind not in person:
                continue
            cells = [""] * len(columns) if "failed" in person[kind] else _cells(person[kind], columns)
            each.append([name, kind, *cells, person[kind].get("failed", "")])
    low = [
        f"{number}. {name} ({_worst_word(people[name]['surface'])})" for number, name in enumerate(document["worst"], 1)
    ]
    headings = [heading for _, heading, _ in columns]
    source = _source(document["about"])
    left_out = [f"- {name}: {person['left_out']}" for name, person in people.items() if "left_out" in person]
    parts = [
        f"# {document['dataset']}, protocol {protocol.name}",
        "\n".join(f"- {line}" for line in about_lines(document)),
        _markdown(["what", *headings, "failures"], rows, words=1),
        f"Means and medians are over the people that did not fail. {source}" if rows else "",
        *(["## Left out: the truth could not be read", "\n".join(left_out)] if left_out else []),
        *(["## Worst", "\n".join(low), source] if low else []),
        "## Each person",
        _markdown(["person", "what", *headings, "failure"], each, words=2),
        source,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def about_lines(document: Mapping[str, Any]) -> list[str]:
    """Where the numbers come from, one fact a line."""
    about: Mapping[str, Any] = document["about"]
    return [
        f"people: {about['people']}",
        f"body source: {about['body_source']}",
        f"normal source: {about['normal_source']}",
        f"alignment: {about['alignment']}",
        f"samples: {about['samples']} a surface",
        f"protocol: {about['protocol']}",
        f"made by: {about['made_by']}",
    ]


def _source(about: Mapping[str, Any]) -> str:
    """The same in one line, for below a table."""
    return (
        f"Body source: {about['body_source']}. Normal source: {about['normal_source']}. "
        f"Alignment: {about['alignment']}. Samples: {about['samples']} a surface."
    )


def _worst_word(scores: Mapping[str, Any]) -> str:
    return "failed" if "failed" in scores else f"Chamfer {scores['chamfer']:.2f} cm"


def _over(function: Any, values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(function(known)) if known else None


def _cells(scores: Mapping[str, Any], columns: Sequence[tuple[str, str, int]]) -> list[str]:
    return ["-" if scores.get(m) is None else f"{scores[m]:.{decimals}f}" for m, _, decimals in columns]


def _markdown(headings: list[str], rows: list[list[str]], words: int) -> str:
    """A table whose columns line up; the first `words` columns and the last are set to the left, the rest right."""
    if not rows:
        return ""
    rows = [[cell.replace("|", "/").replace("\n", " ") for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [headings, *rows]) for i in range(len(headings))]
    left = [i < words or i == len(headings) - 1 for i in range(len(headings))]
    line = lambda cells: (  # noqa: E731
        "| " + " | ".join(c.ljust(w) if le else c.rjust(w) for c, w, le in zip(cells, widths, left, strict=True)) + " |"
    )
    rule = "|" + "|".join("-" * (w + 1) + ("-" if le else ":") for w, le in zip(widths, left, strict=True)) + "|"
    return "\n".join([line(headings), rule, *map(line, rows)])
