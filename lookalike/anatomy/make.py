"""From a scan to a model's folder: the method of this room.

file ──read──▶ Volume ──tissues──▶ Tissue     one per part: a field that is positive inside
Tissue ──polygonise, clean, smooth, decimate──▶ Part
Parts ──write──▶ anatomy.glb, a file a part for print, four pictures, report.json
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import lookalike
from lookalike.anatomy.folder import KIND, model_folder
from lookalike.anatomy.scan_error import ScanError
from lookalike.export.output import output_errors
from lookalike.report import GENERATOR, plain, timed, versions
from lookalike.stages import StageClock

if TYPE_CHECKING:
    from lookalike.anatomy.model import Part
    from lookalike.anatomy.tissue import Tissue
    from lookalike.anatomy.volume import Volume

FORMATS = ("glb", "stl", "ply")
TISSUES = {"CT": ("skin", "bone", "soft-tissue", "lung", "vessels"), "MR": ("skin", "brain")}
USUAL = {"CT": ("skin", "bone"), "MR": ("skin", "brain")}
LIBRARIES = ("SimpleITK", "pydicom", "nibabel", "fast-simplification")

Tick = Callable[[int, int], None]


@dataclass(frozen=True)
class Options:
    """What to make of a scan.

    tissues : names, or None for the usual ones of the modality (none beside `iso`, `labels` or `segment`).
    iso : values whose surface is wanted.  labels : a label map's file.  label_names : a text file with its names.
    segment : run TotalSegmentator.  series : of DICOM.  modality : "CT", "MR", or None to find out.
    faces : triangles of a part, at most about; None for all.  rounds : of smoothing; None for what suits the tissue.
    formats : of `FORMATS`.  rig : also make an avatar of the skin.
    """

    tissues: tuple[str, ...] | None = None
    iso: tuple[float, ...] = ()
    labels: Path | None = None
    label_names: Path | None = None
    segment: bool = False
    series: str | None = None
    modality: str | None = None
    faces: int | None = 200_000
    rounds: int | None = None
    formats: tuple[str, ...] = ("glb", "stl")
    rig: bool = False


def make_anatomy(
    scan: str | Path | Volume,
    folder: str | Path,
    options: Options | None = None,
    *,
    clock: StageClock | None = None,
    tick: Tick | None = None,
) -> dict[str, Any]:
    """Make a model of a scan and write its files to a folder: whole, or, when something fails, not at all.

    scan : a file or folder that `read_scan` knows, or a `Volume`.  tick : told how many slices of how many are done.

    Returns report.json's content. Raises ScanError, OutputError, and LookalikeError where a library is missing.
    """
    options = options or Options()
    clock = clock or StageClock()
    with model_folder(Path(folder)) as temporary:
        with clock("read"):
            from lookalike.anatomy.read import read_scan

            volume = scan if not isinstance(scan, (str, Path)) else read_scan(scan, options.series)
            volume, guessed = with_modality(volume, options.modality)
        parts: list[Part] = []
        for tissue in tissues(volume, options, clock):
            with clock(tissue.name):
                from lookalike.anatomy.model import make_part

                if options.rounds is not None:
                    tissue = replace(tissue, rounds=options.rounds)
                parts.append(make_part(tissue, options.faces, tick))
        report = _describe(volume, guessed, parts, options)
        if options.rig:
            with clock("rig"):
                from lookalike.anatomy.avatar import rig_skin

                report["rig"] = rig_skin(parts, temporary)
        with clock("write"):
            _write_models(parts, temporary, options.formats)
        with clock("picture"):
            _write_pictures(parts, temporary)
        names = sorted(path.name for path in temporary.iterdir())
        report = plain({**timed(report, clock), "files": [*names, "report.json"]})
        with output_errors(temporary):
            text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
            (temporary / "report.json").write_text(text, "utf-8")
    return report


def with_modality(volume: Volume, asked: str | None) -> tuple[Volume, bool]:
    """The volume with its modality, and whether that is a guess.

    Only DICOM files tell. Elsewhere a scan that is air (below -800) for a good part and bone (above 300) somewhere is
    taken for a CT.
    """
    if asked or volume.modality:
        return replace(volume, modality=asked or volume.modality), False
    some = volume.values.reshape(-1)[:: max(1, volume.values.size // 2_000_000)]
    is_ct = np.mean(some < -800) > 0.02 and some.max() > 200 and some.min() >= -10_000
    return replace(volume, modality="CT" if is_ct else "MR"), True


def tissues(volume: Volume, options: Options, clock: StageClock) -> Iterator[Tissue]:
    """What is to be made of a scan, one after the other."""
    names = options.tissues
    if names is None:
        names = () if options.iso or options.labels or options.segment else USUAL[volume.modality]
    for name in names:
        if name not in TISSUES[volume.modality]:
            raise ScanError(
                f"This scan is taken for a {volume.modality}, of which {name!r} cannot be made: choose from "
                f"{', '.join(TISSUES[volume.modality])}, or set --modality."
            )
    if names:
        with clock("outline"):
            from lookalike.anatomy.ct import CtTissues
            from lookalike.anatomy.mr import MrTissues

            maker: Any = CtTissues(volume) if volume.modality == "CT" else MrTissues(volume)
        for name in names:
            with clock(f"find {name}"):
                tissue = maker.make(name)
            yield tissue
    yield from _iso(volume, options)
    yield from _labelled(volume, options, clock)


def _iso(volume: Volume, options: Options) -> Iterator[Tissue]:
    from lookalike.anatomy.fields import RangeField
    from lookalike.anatomy.labels import iso_colour
    from lookalike.anatomy.tissue import Tissue

    low, high = float(volume.values.min()), float(volume.values.max())
    for order, value in enumerate(options.iso):
        if not low < value < high:
            raise ScanError(f"--iso {value:g} is outside of the scan's values, {low:g} to {high:g}.")
        name = f"iso-{value:g}".replace(".", "_")
        field = RangeField(volume, value)
        smallest = 30 * volume.voxel_volume / 1e3
        how = {"range": [value, None], "smallest_piece_ml": smallest}
        yield Tissue(name, volume, field, iso_colour(order), smallest=smallest, smallest_cavity=smallest, how=how)


def _labelled(volume: Volume, options: Options, clock: StageClock) -> Iterator[Tissue]:
    from lookalike.anatomy.labels import label_tissues, read_label_names

    if options.labels is not None:
        with clock("labels"):
            from lookalike.anatomy.read import read_scan

            names = read_label_names(options.label_names) if options.label_names else {}
            found = label_tissues(read_scan(options.labels), names)
        yield from found
    if options.segment:
        with clock("segment"):
            from lookalike.anatomy.totalsegmentator import segment

            found = label_tissues(segment(volume))
        yield from found


def _describe(volume: Volume, guessed: bool, parts: list[Part], options: Options) -> dict[str, Any]:
    """What report.json holds, but for times and files. Nothing of it says who the patient is, nor which file it was."""
    from lookalike.anatomy.mr import PLAUSIBLE
    from lookalike.anatomy.scene import NOTICE

    notes = list(volume.notes)
    for part in parts:
        millilitres = part.report["volume_ml"]
        if part.name == "brain" and not PLAUSIBLE[0] <= millilitres <= PLAUSIBLE[1]:
            notes.append(f"A brain of {millilitres:.0f} ml is not plausible: look at the pictures before you use it.")
        if not part.report["watertight"]:
            notes.append(f"The part {part.name} is not watertight.")
    if any(part.name == "skin" for part in parts):
        notes.append("The skin of a head shows a face, by which a person can be known: share it as you would a photo.")
    libraries = versions()
    for library in LIBRARIES:
        try:
            libraries[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return {
        "generator": f"{GENERATOR} {lookalike.__version__}",
        "kind": KIND,
        "notice": NOTICE,
        "scan": {
            "modality": volume.modality,
            "modality_guessed": guessed,
            "samples": volume.size,
            "spacing_mm": volume.spacing,
            "orientation": volume.orientation,
            "affine_lps_mm": volume.affine,
        },
        "notes": notes,
        "parts": [part.report for part in parts],
        "frames": {
            "glb, ply": "metres, Y up, the patient faces +Z, the scanner's origin",
            "stl": "millimetres, x to the patient's left, y to the back, z to the head, the scanner's origin",
        },
        "settings": {
            "iso": options.iso,
            "faces": options.faces,
            "rounds": options.rounds,
            "labels": options.labels is not None,
            "segment": options.segment,
        },
        "versions": libraries,
    }


def _write_models(parts: list[Part], folder: Path, formats: tuple[str, ...]) -> None:
    from lookalike.anatomy.scene import write_part_ply, write_part_stl, write_scene

    if "glb" in formats:
        write_scene(parts, folder / "anatomy.glb")
    for part in parts:
        if "stl" in formats:
            write_part_stl(part, folder / f"{part.name}.stl")
        if "ply" in formats:
            write_part_ply(part, folder / f"{part.name}.ply")


def _write_pictures(parts: list[Part], folder: Path) -> None:
    from lookalike.anatomy.picture import Stage
    from lookalike.export.images import encode_png
    from lookalike.export.output import write_bytes

    for name, picture in Stage(parts).views().items():
        write_bytes(folder / f"{name}.png", [encode_png(picture)])
