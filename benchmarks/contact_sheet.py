"""One look at many results: a row a person with photo, overlay, normals, clay and the textured avatar from four sides.

    python benchmarks/contact_sheet.py PHOTOS_DIR OUT.png [--photos a b ...] [--jobs 1]
    python benchmarks/contact_sheet.py --results DIR OUT.png [--photos a b ...]

The first way runs `lookalike make` over all people of all photos, into OUT's name without suffix, and then draws what
the second way draws from a results folder alone. Pages of `--rows` people are written as OUT_01.png, OUT_02.png, ...
A photo that failed is a red row with its sentence.
"""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from results import Result, find_results, make, photos_in, studio_of

from lookalike.errors import LookalikeError
from lookalike.render.shade import BACKDROP, Studio
from lookalike.render.view import orbit

COLUMNS = ("photo", "overlay", "front", "back", "clay", "0", "90", "180", "270")
CAPTION = 20
FAILED = (190, 40, 40)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos_dir", type=Path, nargs="?", help="photos to make avatars of")
    parser.add_argument("out", type=Path)
    parser.add_argument("--results", type=Path, help="draw this results folder and make nothing")
    parser.add_argument("--photos", nargs="+", help="only photos whose names start so")
    parser.add_argument("--columns", nargs="+", default=COLUMNS, choices=COLUMNS)
    parser.add_argument("--rows", type=int, default=8, help="people on a page")
    parser.add_argument("--height", type=int, default=320, help="of a tile, pixels")
    parser.add_argument("--person", default="all")
    parser.add_argument("--jobs", type=int, default=1, help="processes that make avatars")
    options = parser.parse_args()
    results = options.results
    if results is None:
        if options.photos_dir is None:
            parser.error("give PHOTOS_DIR or --results DIR")
        results = options.out.with_suffix("")
        make(photos_in(options.photos_dir, options.photos), results, options.person, options.jobs)
    size = (round(options.height * 0.75), options.height)
    rows = [row(result, options.columns, size) for result in find_results(results, options.photos)]
    if not rows:
        parser.error(f"{results} holds no results")
    for number, start in enumerate(range(0, len(rows), options.rows), 1):
        path = options.out.with_name(f"{options.out.stem}_{number:02}{options.out.suffix or '.png'}")
        Image.fromarray(np.vstack(rows[start : start + options.rows])).save(path)
        print(path)


def row(result: Result, columns: list[str], size: tuple[int, int]) -> np.ndarray:
    """One person's strip (height, width * columns, 3) uint8, lower for a failure. size : (width, height) of a tile."""
    strip = Image.new("RGB", (size[0] * len(columns), size[1] + CAPTION), BACKDROP)
    draw, font = ImageDraw.Draw(strip), ImageFont.load_default(13)
    sentence = result.failure
    if sentence is None:
        try:
            studio = studio_of(result)
            for i, column in enumerate(columns):
                strip.paste(tile(result, studio, column, size), (i * size[0], CAPTION))
        except (OSError, ValueError, KeyError, LookalikeError) as error:
            sentence = f"{type(error).__name__}: {error}"
    if sentence is not None:
        strip = strip.crop((0, 0, strip.width, CAPTION + 80))
        draw = ImageDraw.Draw(strip)
        draw.rectangle((0, CAPTION, *strip.size), fill=FAILED)
        lines = "\n".join(textwrap.wrap(sentence, strip.width // 12)[:3])
        draw.text((12, CAPTION + 6), lines, fill="white", font=ImageFont.load_default(20))
    draw.text((4, 2), caption(result), fill="black", font=font)
    return np.asarray(strip)


def caption(result: Result) -> str:
    """Name, seconds and landmark error in one line."""
    report = result.report
    words = [result.name]
    if report.get("seconds") is not None:
        words.append(f"{report['seconds']:.1f} s")
    if report.get("landmark_error") is not None:
        words.append(f"landmarks {100 * report['landmark_error']:.1f} % of height")
    if "counts" in report:
        words.append(f"{report['counts'].get('faces', 0):,} faces")
    return "    ".join(words)


def tile(result: Result, studio: Studio, column: str, size: tuple[int, int]) -> Image.Image:
    """One picture of a row, (width, height) RGB, the whole of it visible."""
    if column in ("clay", "0", "90", "180", "270"):
        yaw = 0 if column == "clay" else int(column)
        view = orbit(studio.vertices, size, yaw, elevation=5, margin=0.03)
        return Image.fromarray(studio.render(view, "clay" if column == "clay" else "textured"))
    if column in ("photo", "overlay"):
        image = _photo(result) if column == "photo" else Image.open(result.folder / "overlay.png").convert("RGB")
        if result.box:
            # Pictures of the photo may be smaller than it.
            image = image.crop(_around(np.array(result.box) * image.width / result.camera.width, image.size))
    else:
        image = Image.open(result.folder / f"normals_{column}.png").convert("RGBA")
    return _fitted(image, size)


def _photo(result: Result) -> Image.Image:
    from lookalike.photo import read_photo

    return Image.fromarray(read_photo(Path(result.report["photo"]["path"])).rgb)


def _around(box: np.ndarray, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A box (x0, y0, x1, y1) with 5 % of its longer side around, inside a picture of `size`."""
    margin = 0.05 * max(box[2] - box[0], box[3] - box[1])
    x0, y0 = np.maximum(box[:2] - margin, 0).astype(int)
    x1, y1 = np.minimum(box[2:] + margin, size).astype(int)
    return int(x0), int(y0), max(int(x1), int(x0) + 1), max(int(y1), int(y0) + 1)


def _fitted(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The image shrunk or enlarged into a tile of `size`, on the backdrop."""
    scale = min(size[0] / image.width, size[1] / image.height)
    new = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    image = image.resize(new, Image.Resampling.LANCZOS)
    sheet = Image.new("RGB", size, BACKDROP)
    corner = ((size[0] - new[0]) // 2, (size[1] - new[1]) // 2)
    sheet.paste(image, corner, image if image.mode == "RGBA" else None)
    return sheet


if __name__ == "__main__":
    main()
