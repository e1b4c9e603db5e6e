"""DICOM: files in, the volume of one series out.

Slices are sorted by their place along the normal of their plane, never by name or number. A tilted gantry needs no
resampling: the volume's axes are then not at right angles, and everything that follows can do with that. Missing slices
and mixed spacing are put right by linear interpolation, and told.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.anatomy.scan_error import ScanError, library
from lookalike.anatomy.volume import Volume

#: Gaps differ when they do so by more than this share of the usual one.
EVEN = 0.02
#: A gantry counts as tilted from this angle on, degrees.
TILTED = 0.1
#: Of the volume's slices at most this share may be missing.
MISSING = 0.25

_TAGS = (
    "SeriesInstanceUID Modality Rows Columns ImagePositionPatient ImageOrientationPatient PixelSpacing NumberOfFrames "
    "RescaleSlope RescaleIntercept AcquisitionNumber InstanceNumber EchoNumbers TemporalPositionIdentifier "
    "SamplesPerPixel ImageType SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence SliceThickness"
).split()


@dataclass(frozen=True)
class Slice:
    """One picture: its file, frame, place and scale.

    position : (3,) the first pixel's centre, scanner millimetres.  rows, columns : (3,) unit vectors along a row (x) and
    down a column (y).  spacing : (2,) millimetres along x and y.  order : tells pictures at one place apart.
    """

    path: Path
    frame: int
    size: tuple[int, int]
    position: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    spacing: np.ndarray
    slope: float
    shift: float
    order: tuple[float, ...]


def read_dicom(files: Sequence[Path], series: str | None = None) -> Volume:
    """The volume of one series among files; files that are no DICOM pictures are passed over.

    series : number in the order of size, from 1, or the beginning of a UID; None takes the largest. Raises ScanError.
    """
    found, modality, damaged = _headers(files)
    if not found:
        if damaged:
            raise ScanError("The DICOM file is damaged or cut short: copy or export the scan again.")
        raise ScanError("There are no DICOM slices with a place in space here: give the folder that holds the scan.")
    chosen, notes = _choose(found, series)
    if damaged:
        notes.append(f"{damaged} DICOM files could not be read and were left out.")
    slices = found[chosen]
    slices, more = _one_stack(slices)
    notes += more
    slices, more = _one_at_a_place(slices)
    notes += more
    if len(slices) < 2:
        raise ScanError("The series has one slice: a surface needs a stack of them.")
    volume = _stack(slices, modality[chosen], notes)
    return volume


def _headers(files: Sequence[Path]) -> tuple[dict[str, list[Slice]], dict[str, str], int]:
    """The slices of each series, each series' modality, and how many DICOM files are damaged."""
    pydicom = library("pydicom")
    found: dict[str, list[Slice]] = defaultdict(list)
    modality: dict[str, str] = {}
    damaged = 0
    for path in files:
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_TAGS)
        except pydicom.errors.InvalidDicomError:
            damaged += path.suffix.lower() == ".dcm"
            continue
        except Exception:  # pydicom raises what it meets: EOFError, KeyError, ValueError, struct.error
            damaged += 1
            continue
        if header.get("Rows") is None or int(header.get("SamplesPerPixel") or 1) != 1:
            continue
        try:
            slices = _slices(path, header)
        except (AttributeError, TypeError, ValueError, IndexError):
            continue  # a picture without a place, such as a screen capture
        uid = str(header.get("SeriesInstanceUID", "")) if slices else ""
        found[uid] += slices
        modality[uid] = str(header.get("Modality") or "")
    return {uid: slices for uid, slices in found.items() if slices}, modality, damaged


def _slices(path: Path, header: Any) -> list[Slice]:
    """A file's slices: one, or, for a multi-frame file, one a frame."""
    count = int(header.get("NumberOfFrames") or 1)
    if "PerFrameFunctionalGroupsSequence" not in header:
        if count > 1:
            raise ValueError("frames without places")
        return [_slice(path, 0, header, header, header, header, 0)]
    shared = header.SharedFunctionalGroupsSequence[0] if "SharedFunctionalGroupsSequence" in header else {}
    out = []
    for number, own in enumerate(header.PerFrameFunctionalGroupsSequence):

        def group(name: str, own: Any = own) -> Any:
            for place in (own, shared):
                if name in place:
                    return place[name].value[0]
            return {}

        place, turn = group("PlanePositionSequence"), group("PlaneOrientationSequence")
        measures, scale = group("PixelMeasuresSequence"), group("PixelValueTransformationSequence")
        out.append(_slice(path, number, header, {**_as_dict(place), **_as_dict(turn)}, measures, scale, number))
    return out


def _as_dict(part: Any) -> dict[str, Any]:
    return {name: part.get(name) for name in ("ImagePositionPatient", "ImageOrientationPatient") if part.get(name)}


def _slice(path: Path, frame: int, header: Any, place: Any, measures: Any, scale: Any, number: int) -> Slice:
    turn = np.array(place.get("ImageOrientationPatient"), np.float64)
    spacing = np.array(measures.get("PixelSpacing"), np.float64)
    position = np.array(place.get("ImagePositionPatient"), np.float64)
    rows, columns = turn[:3] / np.linalg.norm(turn[:3]), turn[3:] / np.linalg.norm(turn[3:])
    if not (len(position) == 3 and np.isfinite([*turn, *spacing, *position]).all() and (spacing > 0).all()):
        raise ValueError("no place")

    def number_of(name: str) -> float:
        try:
            return float(str(header.get(name) or 0))
        except ValueError:
            return 0.0

    order = tuple(map(number_of, ("EchoNumbers", "TemporalPositionIdentifier", "AcquisitionNumber", "InstanceNumber")))
    slope, shift = scale.get("RescaleSlope"), scale.get("RescaleIntercept")
    return Slice(
        path,
        frame,
        (int(header.Columns), int(header.Rows)),
        position,
        rows,
        columns,
        spacing[::-1],  # DICOM gives the distance of rows first
        1.0 if slope is None else float(slope),
        0.0 if shift is None else float(shift),
        (*order, float(number)),
    )


def _choose(found: dict[str, list[Slice]], series: str | None) -> tuple[str, list[str]]:
    """The UID of a series and what to note about the others."""
    ordered = sorted(found, key=lambda uid: (-sum(s.size[0] * s.size[1] for s in found[uid]), uid))
    listed = "; ".join(
        f"{number}: {len(found[uid])} slices of {found[uid][0].size[0]} x {found[uid][0].size[1]}"
        for number, uid in enumerate(ordered[:12], 1)
    )
    if series is None:
        if len(ordered) == 1:
            return ordered[0], []
        return ordered[0], [f"There are {len(ordered)} series ({listed}); the largest was taken."]
    if series.isdigit() and 1 <= int(series) <= len(ordered):
        return ordered[int(series) - 1], []
    matching = [uid for uid in ordered if uid.startswith(series) and not series.isdigit()]
    if len(matching) == 1:
        return matching[0], []
    raise ScanError(f"There is no single series {series!r}: choose by number ({listed}).")


def _one_stack(slices: list[Slice]) -> tuple[list[Slice], list[str]]:
    """Slices of one size, spacing and direction: the most common ones, if they are nearly all."""
    kinds = [
        (s.size, tuple(np.round(s.spacing, 4)), tuple(np.round(np.cross(s.rows, s.columns), 2) + 0.0)) for s in slices
    ]
    (kind, count), *others = Counter(kinds).most_common()
    if not others:
        return slices, []
    if count < 0.8 * len(slices):
        raise ScanError(
            f"The series mixes slices of {len(others) + 1} sizes or directions and is no single volume: export one "
            "stack, or choose another with --series."
        )
    kept = [s for s, each in zip(slices, kinds, strict=True) if each == kind]
    return kept, [f"{len(slices) - count} slices of another size or direction, such as a scout, were left out."]


def _one_at_a_place(slices: list[Slice]) -> tuple[list[Slice], list[str]]:
    """Slices sorted along their normal, one at each place; of several (echoes, times) the first."""
    normal = np.cross(slices[0].rows, slices[0].columns)
    slices = sorted(slices, key=lambda s: (round(float(s.position @ normal), 3), s.order))
    kept = [slices[0]]
    for each in slices[1:]:
        if (each.position - kept[-1].position) @ normal > 0.01:
            kept.append(each)
    if len(kept) == len(slices):
        return kept, []
    doubled = len(slices) - len(kept)
    return kept, [f"{doubled} more slices lie at the same places (echoes, times or copies); the first ones were taken."]


def _stack(slices: list[Slice], modality: str, notes: list[str]) -> Volume:
    """The volume of sorted slices."""
    first = slices[0]
    normal = np.cross(first.rows, first.columns)
    places = np.array([s.position for s in slices])
    along = (places - places[0]) @ normal
    gaps = np.diff(along)
    usual = float(np.median(gaps))
    even = np.abs(gaps - usual) <= EVEN * usual + 1e-3
    step = (places[-1] - places[0]) / along[-1] if even.all() else _steady_step(places, along)
    tilt = float(np.degrees(np.arctan2(np.linalg.norm(step - normal * (step @ normal)), abs(step @ normal))))
    if tilt > TILTED:
        notes.append(f"The gantry is tilted by {tilt:.1f} degrees; the models are not.")
    pixels = _pixels(slices)
    if even.all():
        distance = float(along[-1]) / (len(slices) - 1)
    else:
        distance, pixels = _evened(pixels, along, gaps, usual, notes)
    affine = np.stack(
        [first.rows * first.spacing[0], first.columns * first.spacing[1], step * distance, places[0]], axis=1
    )
    return Volume(pixels, affine, modality if modality in ("CT", "MR") else "", tuple(notes))


def _steady_step(places: np.ndarray, along: np.ndarray) -> np.ndarray:
    """(3,) how the slices' first pixel moves per millimetre along the normal: least squares."""
    centred = along - along.mean()
    return centred @ (places - places.mean(0)) / (centred @ centred)


def _evened(
    pixels: np.ndarray, along: np.ndarray, gaps: np.ndarray, usual: float, notes: list[str]
) -> tuple[float, np.ndarray]:
    """Slices at equal distances, interpolated where there are none: their distance and the volume."""
    multiples = gaps / usual
    if (np.abs(multiples - np.round(multiples)) < 0.1).all():
        missing = int(np.round(multiples).sum()) - len(gaps)
        count = len(along) + missing
        if missing > MISSING * count:
            raise ScanError(
                f"{missing} of {count} slices are missing: too many to guess what they show; export the series again."
            )
        notes.append(f"{missing} of {count} slices are missing and were interpolated from their neighbours.")
    else:
        if gaps.max() > 4 * usual:
            raise ScanError(
                f"The slices are {gaps.min():.3g} to {gaps.max():.3g} mm apart, with a gap too wide to bridge: choose "
                "another series with --series."
            )
        low = float(np.percentile(gaps, 10))
        count = int(round(along[-1] / max(low, usual / 4))) + 1
        notes.append(
            f"The slices are {gaps.min():.3g} to {gaps.max():.3g} mm apart; they were interpolated to "
            f"{along[-1] / (count - 1):.3g} mm."
        )
    wanted = np.linspace(0, along[-1], count)
    after = np.clip(np.searchsorted(along, wanted, side="right"), 1, len(along) - 1)
    share = np.clip((wanted - along[after - 1]) / (along[after] - along[after - 1]), 0, 1)
    out = np.empty((count, *pixels.shape[1:]), pixels.dtype)
    for row, (next_one, part) in enumerate(zip(after, share, strict=True)):
        blend = (1 - part) * pixels[next_one - 1].astype(np.float32) + part * pixels[next_one].astype(np.float32)
        out[row] = np.rint(blend) if pixels.dtype.kind == "i" else blend
    return float(along[-1] / (count - 1)), out


def _pixels(slices: list[Slice]) -> np.ndarray:
    """(n, rows, columns) int16 where the scaled numbers are whole and fit, else float32."""
    width, height = slices[0].size
    whole = all(float(s.slope).is_integer() and float(s.shift).is_integer() for s in slices)
    out = np.empty((len(slices), height, width), np.int16 if whole else np.float32)
    loaded: tuple[Path | None, np.ndarray | None, bool] = (None, None, False)
    for row, each in enumerate(slices):
        if loaded[0] != each.path:
            loaded = (each.path, *_decoded(each.path))
        stored, scaled = loaded[1], loaded[2]
        if stored is None or stored.shape[-2:] != (height, width):
            raise ScanError("A slice is damaged or cut short: copy or export the scan again.")
        picture = stored[each.frame] if stored.ndim == 3 else stored
        if not scaled and (each.slope, each.shift) != (1.0, 0.0):
            picture = picture.astype(np.float32) * np.float32(each.slope) + np.float32(each.shift)
        if out.dtype == np.int16 and (picture.min() < -32768 or picture.max() > 32767):
            out = out.astype(np.float32)
        out[row] = picture
    return out


def _decoded(path: Path) -> tuple[np.ndarray, bool]:
    """A file's pixels (rows, columns) or (frames, rows, columns), and whether the rescaling is in them already.

    pydicom and its plug-ins decode what they can (uncompressed, RLE, JPEG-LS, JPEG 2000), GDCM within SimpleITK the rest
    (JPEG, lossless JPEG).
    """
    pydicom = library("pydicom")
    try:
        data = pydicom.dcmread(path)
        if "PixelData" not in data:
            raise ScanError("A slice is damaged or cut short: copy or export the scan again.")
        if not data.file_meta.get("TransferSyntaxUID"):
            data.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
        needed = int(data.Rows) * int(data.Columns) * int(data.get("NumberOfFrames") or 1) * data.BitsAllocated // 8
        if not data.file_meta.TransferSyntaxUID.is_compressed and len(data.PixelData) < needed:
            raise ScanError("A slice is damaged or cut short: copy or export the scan again.")
        return data.pixel_array, False
    except ScanError:
        raise
    except Exception as first:  # no plug-in for this transfer syntax, or damage
        sitk = library("SimpleITK")
        try:
            values = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
        except RuntimeError:
            raise ScanError(
                "A slice is damaged or compressed in a way that cannot be read: export the scan again, uncompressed."
            ) from first
        return (values[0] if len(values) == 1 else values), True
