"""A contact sheet of the worst people: the document of an evaluation and its meshes in, a PNG out.

A row is one person: the picture, the truth's normals from the front, the side and the back, and the prediction's, laid
over the truth as the protocol aligned it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lookalike.errors import LookalikeError
from lookalike.evaluate.mesh_file import find_mesh, read_mesh
from lookalike.evaluate.person import Subjects, photo_of
from lookalike.evaluate.protocols import Protocol, prepare_truth
from lookalike.evaluate.sampled import SampledMesh, Similarity, outwards
from lookalike.evaluate.table import about_lines
from lookalike.evaluate.views import YAWS, NormalViews, normal_views
from lookalike.export.output import output_errors

#: Width and height of a tile, and the height of a caption, pixels.
TILE, CAPTION = (200, 300), 20
#: Which of the views are shown.
_SHOWN = (0, 90, 180)
_PAPER = (236, 236, 236)
_FAILED = (190, 40, 40)


def write_sheet(document: Mapping[str, Any], subjects: Subjects, protocol: Protocol, meshes: Path, path: Path) -> None:
    """Draw the document's worst people. Raises OutputError."""
    font = ImageFont.load_default(13)
    columns = 1 + 2 * len(_SHOWN)
    lines = [f"{document['dataset']}, the worst of {document['summary']['surface']['n']}", *about_lines(document)]
    head = Image.new("RGB", (TILE[0] * columns, 18 * len(lines) + 8), _PAPER)
    for number, line in enumerate(lines):
        ImageDraw.Draw(head).text((6, 4 + 18 * number), line, fill="black", font=font)
    titles = Image.new("RGB", (head.width, CAPTION), _PAPER)
    names = ["picture", *(f"{who}, {yaw}°" for who in ("truth", "prediction") for yaw in _SHOWN)]
    for column, title in enumerate(names):
        ImageDraw.Draw(titles).text((column * TILE[0] + 6, 2), title, fill="black", font=font)
    rows = [_row(name, document["people"][name]["surface"], subjects, protocol, meshes) for name in document["worst"]]
    strips = [np.asarray(image) for image in (head, titles, *rows)]
    with output_errors(path):
        Image.fromarray(np.vstack(strips)).save(path)


def _row(name: str, scores: Mapping[str, Any], subjects: Subjects, protocol: Protocol, meshes: Path) -> Image.Image:
    row = Image.new("RGB", (TILE[0] * (1 + 2 * len(_SHOWN)), TILE[1] + CAPTION), _PAPER)
    draw = ImageDraw.Draw(row)
    try:
        scan = subjects.open().scan(name)
        photo, view = photo_of(scan)
        truth = prepare_truth(scan, view, photo.alpha, protocol)
    except LookalikeError as error:
        draw.text((6, 2), f"{name}: {error}"[:200], fill=_FAILED)
        return row
    row.paste(_fitted(_cropped(photo.opaque(), photo.alpha)), (0, CAPTION))
    for column, tile in enumerate(_tiles(truth.normals), 1):
        row.paste(tile, (column * TILE[0], CAPTION))
    if "failed" in scores:
        draw.text((6, 2), f"{name}    failed: {scores['failed']}"[:200], fill=_FAILED, font=ImageFont.load_default(13))
        return row
    words = [
        name,
        f"Chamfer {scores['chamfer']:.2f} cm",
        f"P2S {scores['p2s']:.2f}",
        f"S2P {scores['s2p']:.2f}",
        f"NC {scores['nc']:.3f}",
        f"F@1cm {scores['f1']:.3f}",
        f"normal error {scores['normal_error']:.3f}",
    ]
    if scores["turn"] is not None:
        words.append(f"turned by {scores['turn']:.1f}°")
    draw.text((6, 2), "    ".join(words), fill="black", font=ImageFont.load_default(13))
    path = find_mesh(meshes / "surface", name)
    if path is not None:
        place = scores["alignment"]
        move = Similarity(place["scale"], np.array(place["rotation"]), np.array(place["translation"]))
        vertices, faces = outwards(*read_mesh(path))
        mesh = SampledMesh(move.apply(vertices), faces)
        samples = truth.mesh.samples
        views = normal_views(mesh, (samples.min(0) + samples.max(0)) / 2, truth.window)
        for column, tile in enumerate(_tiles(views), 1 + len(_SHOWN)):
            row.paste(tile, (column * TILE[0], CAPTION))
    return row


def _tiles(views: NormalViews) -> list[Image.Image]:
    """The shown views on paper, (TILE) each."""
    tiles = []
    for yaw in _SHOWN:
        colours = views.colours[YAWS.index(yaw)]
        picture = np.where(colours.any(2, keepdims=True), np.round(colours * 255), _PAPER).astype(np.uint8)
        # A tile is less wide than a view, whose edges show nothing but the tips of arms stretched out.
        wide = max(round(picture.shape[0] * TILE[0] / TILE[1]), _width(picture))
        start = (picture.shape[1] - wide) // 2
        tiles.append(_fitted(picture[:, start : start + wide]))
    return tiles


def _width(picture: np.ndarray) -> int:
    """How wide the middle part must be to hold everything."""
    columns = np.flatnonzero((picture != _PAPER).any((0, 2)))
    middle = picture.shape[1] / 2
    return int(2 * np.ceil(np.abs(columns - middle).max())) if len(columns) else 0


def _cropped(picture: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """The part of a picture (h, w, 3) that shows the person, with a little around it."""
    if alpha is None:
        return picture
    rows, columns = np.flatnonzero((alpha > 0.5).any(1)), np.flatnonzero((alpha > 0.5).any(0))
    if not len(rows):
        return picture
    edge = round(0.05 * (rows[-1] - rows[0]))
    return picture[max(rows[0] - edge, 0) : rows[-1] + edge + 1, max(columns[0] - edge, 0) : columns[-1] + edge + 1]


def _fitted(picture: np.ndarray) -> Image.Image:
    """A picture (h, w, 3) uint8 shrunk or enlarged into a tile."""
    image = Image.fromarray(picture)
    scale = min(TILE[0] / image.width, TILE[1] / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    tile = Image.new("RGB", TILE, _PAPER)
    resized = image.resize(size, Image.Resampling.LANCZOS)
    tile.paste(resized, ((TILE[0] - size[0]) // 2, (TILE[1] - size[1]) // 2))
    return tile
