"""A picture of synthetic people: each with its normals in front and behind, part labels and albedo.

lookalike synthesize DIR -n 16 --seed 12
python benchmarks/people_sheet.py DIR OUT.jpg [--numbers 0 3 5 ...] [--side 192]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from lookalike.maps.maps import normals_to_image
from lookalike.people.data_folder import LABEL_COLOURS, dataset_folders
from lookalike.people.sample import Sample
from lookalike.people.store import read_sample

GREY = (236, 237, 240, 255)


def rows_of(sample: Sample) -> list[np.ndarray]:
    """The pictures of one person, (h, w, 4) uint8, from top to bottom."""
    maps, mask = sample.maps, sample.maps.mask[..., None] * np.uint8(255)
    return [
        sample.image,
        normals_to_image(maps.normals_front, maps.mask),
        normals_to_image(maps.normals_back, maps.mask),
        np.dstack([LABEL_COLOURS[sample.labels_front], mask]),
        np.dstack([sample.colour_front, mask]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--numbers", type=int, nargs="+", help="which people; all without it")
    parser.add_argument("--side", type=int, default=192)
    options = parser.parse_args()
    folders = dataset_folders(options.folder)
    chosen = [folders[n] for n in options.numbers] if options.numbers else folders
    columns = [rows_of(read_sample(folder / "sample.npz")) for folder in chosen]
    side = options.side
    sheet = Image.new("RGBA", (side * len(columns), side * len(columns[0])), GREY)
    for i, column in enumerate(columns):
        for j, pixels in enumerate(column):
            picture = Image.fromarray(np.ascontiguousarray(pixels)).resize((side, side), Image.Resampling.LANCZOS)
            sheet.alpha_composite(picture, (i * side, j * side))
    sheet.convert("RGB").save(options.out, quality=90)


if __name__ == "__main__":
    main()
