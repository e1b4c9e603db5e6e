"""Label maps from other programs: whole numbers in, one smooth surface a label out.

A label map knows only whole voxels. Its occupancy is blurred a little, and the surface taken at the level that keeps
the number of voxels, so that steps go while the volume stays.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import ndimage

from lookalike.anatomy.scan_error import ScanError
from lookalike.anatomy.tissue import Tissue
from lookalike.anatomy.volume import Volume
from lookalike.mesh.polygonise import ArrayField

#: Standard deviation of the blur, voxels.
BLUR = 0.7
#: More labels than this are no label map.
MOST = 1000
#: Fewer voxels make no surface.
FEWEST = 8


def label_tissues(labels: Volume, names: Mapping[int, str] | None = None) -> list[Tissue]:
    """A tissue a label other than 0, in the order of the labels.

    names : of labels; those missing are called "label 7". Raises ScanError for what is no label map.
    """
    values = labels.values
    if values.dtype.kind == "f":
        if not (np.rint(values) == values).all():
            raise ScanError("The label map holds numbers that are not whole: give a segmentation, not a scan.")
        values = values.astype(np.int32)
    if values.min() < 0:
        raise ScanError("The label map holds negative numbers: give a segmentation, not a scan.")
    counts = np.bincount(values.reshape(-1)) if values.max() < 2**20 else np.zeros(0)
    present = np.flatnonzero(counts[1:]) + 1
    if not 0 < len(present) <= MOST:
        raise ScanError(f"The label map holds {len(present)} labels, not 1 to {MOST}: give a segmentation, not a scan.")
    boxes = ndimage.find_objects(values)
    known = {**labels.label_names, **(names or {})}
    tissues, taken = [], set()
    for order, label in enumerate(present.tolist()):
        if counts[label] < FEWEST:
            continue
        name = part_name(known.get(label, ""), f"label-{label}")
        name = name if name not in taken else f"{name}-{label}"
        taken.add(name)
        tissues.append(_tissue(labels, values, label, boxes[label - 1], int(counts[label]), name, iso_colour(order)))
    if not tissues:
        raise ScanError(f"No label of the map has {FEWEST} voxels: nothing to make a surface of.")
    return tissues


def part_name(name: str, otherwise: str) -> str:
    """A name that files and nodes can have: letters, digits, "-" and "_"."""
    return re.sub(r"[^0-9A-Za-z_]+", "-", name).strip("-")[:60] or otherwise


def _tissue(
    labels: Volume, values: np.ndarray, label: int, box: tuple[slice, ...], count: int, name: str, colour: tuple
) -> Tissue:
    margin = 4
    wide = tuple(slice(max(s.start - margin, 0), s.stop + margin) for s in box)
    start = np.array([each.start for each in wide[::-1]], np.float64)
    affine = labels.affine.copy()
    affine[:, 3] += affine[:, :3] @ start
    mask = (values[wide] == label).astype(np.float32)
    scan = replace(labels, values=mask, affine=affine)
    soft = ndimage.gaussian_filter(mask, BLUR, mode="nearest")
    # Half inside, half outside: the level above which as many voxels lie as the label has.
    level = float(np.clip(np.partition(soft.reshape(-1), soft.size - count)[soft.size - count], 0.25, 0.6))
    return Tissue(
        name,
        scan,
        ArrayField(soft, level),
        colour,
        rounds=15,
        reach=0.6,
        cubic_mm=count * labels.voxel_volume,
        how={"label": label, "voxels": count},
    )


def iso_colour(order: int) -> tuple[int, int, int]:
    """Colours that differ from their neighbours': the hue goes round by the golden section."""
    red, green, blue = colorsys.hsv_to_rgb((0.02 + order * 0.618034) % 1, 0.5, 0.9 - 0.15 * (order % 3))
    return round(255 * red), round(255 * green), round(255 * blue)


def read_label_names(path: Path) -> dict[int, str]:
    """Names of labels from a text file: a number and a name on each line; other columns as ITK-SNAP or 3D Slicer write
    them are passed over. Raises ScanError."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ScanError(f"{path} cannot be read: give a text file with a number and a name on each line.") from error
    names: dict[int, str] = {}
    for line in text.splitlines():
        found = re.match(r"\s*\"?(\d+)\"?[\s,:;=\t]+(.*\S)", line)
        if found and not line.lstrip().startswith("#"):
            quoted = re.search(r'"([^"]*)"', found[2])
            words = [word for word in re.split(r"[\s,;\t]+", found[2]) if not re.fullmatch(r"-?[\d.]+", word)]
            names[int(found[1])] = quoted[1] if quoted else " ".join(words)
    if not names:
        raise ScanError(f"{path.name} holds no names: write a number and a name on each line.")
    return names
