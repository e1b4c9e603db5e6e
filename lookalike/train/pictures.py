"""Pictures to judge a run by: its log and its network in, curves and a sheet of predictions out."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lookalike.maps import Maps, normals_to_image
from lookalike.maps.network import MapsNetwork
from lookalike.people.data_folder import LABEL_COLOURS
from lookalike.train.validation import HeldOut, predict

PAPER, INK, PALE = (236, 237, 240), (40, 40, 44), (205, 207, 212)
COLOURS = ((31, 119, 180), (214, 93, 14), (44, 140, 70), (150, 60, 160))
TITLES = (
    "picture",
    "truth, front",
    "prediction",
    "body",
    "truth, back",
    "prediction",
    "body",
    "parts, truth",
    "prediction",
    "colour behind",
    "prediction",
    "confidence",
)


def prediction_sheet(net: MapsNetwork, people: list[HeldOut], reduced: bool, side: int = 200) -> Image.Image:
    """A row a person: the picture, then truth, prediction and given body of each map."""
    head = 20
    sheet = Image.new("RGB", (side * len(TITLES), head + side * len(people)), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for column, title in enumerate(TITLES):
        draw.text((column * side + 5, 3), title, fill=INK, font=font)
    for row, person in enumerate(people):
        found, sample = predict(net, person, reduced), person.sample
        sure = np.round(found.confidence.mean(2, keepdims=True) * 255).astype(np.uint8).repeat(3, 2)
        tiles = [sample.image, *_normals("front", sample.maps, found.maps, person.body)]
        tiles += _normals("back", sample.maps, found.maps, person.body)
        for colours, mask in (
            (LABEL_COLOURS[sample.labels_front], sample.maps.mask),
            (LABEL_COLOURS[found.labels], found.maps.mask),
            (sample.colour_back, sample.maps.mask),
            (found.colour_back, found.maps.mask),
            (sure, found.maps.mask),
        ):
            tiles.append(np.dstack([colours, mask * np.uint8(255)]))
        for column, tile in enumerate(tiles):
            image = Image.fromarray(tile).resize((side, side), Image.Resampling.LANCZOS)
            sheet.paste(image, (column * side, head + row * side), image)
    return sheet


def _normals(side: str, *several: Maps) -> list[np.ndarray]:
    return [normals_to_image(getattr(maps, f"normals_{side}"), maps.mask) for maps in several]


def curves(log: list[dict[str, Any]]) -> Image.Image:
    """The loss over the steps, and beside it the angles of the held-out people, in degrees.

    log : lines of `log.jsonl`.
    """
    steps = [e for e in log if e["kind"] == "step"]
    tests = [e for e in log if e["kind"] == "validation"]
    loss = {"loss": [(e["step"], e["total"]) for e in steps]}
    angles = {
        label: [(e["step"], e[key]) for e in tests if key in e]
        for label, key in (
            ("front, mean", "front_mean"),
            ("back, mean", "back_mean"),
            ("body, front", "body_front_mean"),
            ("body, back", "body_back_mean"),
        )
    }
    picture = Image.new("RGB", (1200, 400), PAPER)
    _plot(picture, (60, 30, 580, 360), "loss", loss)
    _plot(picture, (660, 30, 1180, 360), "degrees off, held-out people", angles)
    return picture


def _plot(
    picture: Image.Image, box: tuple[int, int, int, int], title: str, lines: dict[str, list[tuple[float, float]]]
) -> None:
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(12)
    x0, y0, x1, y1 = box
    draw.text((x0, y0 - 20), title, fill=INK, font=font)
    points = np.array([p for line in lines.values() for p in line if np.isfinite(p[1])], float).reshape(-1, 2)
    right = float(points[:, 0].max()) if len(points) else 1.0
    # the first steps' values would flatten all others
    top = float(np.quantile(points[:, 1], 0.98)) * 1.35 if len(points) else 1.0
    right, top = max(right, 1.0), max(top, 1e-6)
    for share in np.linspace(0, 1, 5):
        y, x = y1 - share * (y1 - y0), x0 + share * (x1 - x0)
        draw.line([(x0, y), (x1, y)], fill=PALE)
        draw.text((x0 - 6, y), f"{share * top:.3g}", fill=INK, font=font, anchor="rm")
        draw.text((x, y1 + 6), f"{share * right:.0f}", fill=INK, font=font, anchor="ma")
    for number, (label, line) in enumerate(lines.items()):
        colour = COLOURS[number]
        path = [
            (x0 + step / right * (x1 - x0), y1 - min(value / top, 1.0) * (y1 - y0))
            for step, value in line
            if np.isfinite(value)
        ]
        if len(path) > 1:
            draw.line(path, fill=colour, width=2)
        for x, y in path if len(path) < 30 else []:
            draw.ellipse([x - 2, y - 2, x + 2, y + 2], fill=colour)
        draw.text((x1 - 6, y0 + 4 + 15 * number), label, fill=colour, font=font, anchor="ra")
