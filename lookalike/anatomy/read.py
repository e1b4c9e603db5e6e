"""Reading scans: a file or folder in, a `Volume` out.

DICOM (a folder, a zip of one, or a multi-frame file), NIfTI (.nii, .nii.gz), NRRD (.nrrd, .nhdr) and MetaImage (.mha,
.mhd). What is known about the person stays behind: only samples, places, and the modality come over.
"""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from lookalike.anatomy.scan_error import ScanError, library
from lookalike.anatomy.volume import Volume

#: A zip that grows beyond this when unpacked is refused, bytes.
LARGEST = 16 * 2**30
#: The fewest samples along an axis that make a volume, and the most of all.
FEWEST, MOST = 4, 2**31

IMAGES = (".nrrd", ".nhdr", ".mha", ".mhd")
NIFTI = (".nii", ".nii.gz")


def read_scan(path: str | Path, series: str | None = None) -> Volume:
    """The scan at a path.

    series : for DICOM, which series: its number in the order of size, from 1, or the beginning of its UID; None takes
        the largest.

    Raises ScanError.
    """
    path = Path(path)
    if not path.exists():
        raise ScanError(f"There is no scan at {path}: check the path.")
    if path.is_dir():
        return _checked(_folder(path, series))
    name = path.name.lower()
    if name.endswith(".zip"):
        return _checked(_zip(path, series))
    return _checked(_file(path, name, series))


def _file(path: Path, name: str, series: str | None) -> Volume:
    with path.open("rb") as file:
        start = file.read(400)
    if name.endswith(NIFTI):
        return _nifti(path)
    if name.endswith(IMAGES):
        return _image(path)
    if start[128:132] == b"DICM" or name.endswith((".dcm", ".ima")):
        from lookalike.anatomy.dicom import read_dicom

        return read_dicom([path], series)
    raise ScanError(
        f"{path.name} is no scan that can be read: give a folder or zip of DICOM files, or a NIfTI, NRRD or MetaImage "
        "file."
    )


def _folder(path: Path, series: str | None) -> Volume:
    """A folder of DICOM files, or of one file of another kind."""
    from lookalike.anatomy.dicom import read_dicom

    files = sorted(each for each in path.rglob("*") if each.is_file() and not each.name.startswith("."))
    if not files:
        raise ScanError(f"The folder {path} is empty: give the folder that holds the scan's files.")
    others = [each for each in files if each.name.lower().endswith((*NIFTI, *IMAGES))]
    if len(others) == 1:
        return _file(others[0], others[0].name.lower(), series)
    if others:
        raise ScanError(f"The folder {path} holds {len(others)} volumes: give one of the files.")
    return read_dicom(files, series)


def _zip(path: Path, series: str | None) -> Volume:
    """What a zip holds. Its files are unpacked under numbers: their names lead nowhere, and may name the person."""
    try:
        with zipfile.ZipFile(path) as archive, TemporaryDirectory() as folder:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if sum(member.file_size for member in members) > LARGEST:
                raise ScanError(f"{path.name} unpacks to more than 16 GiB: unpack it and give the scan's folder.")
            for number, member in enumerate(members):
                suffix = "".join(Path(member.filename).suffixes[-2:]) if member.filename.endswith(".gz") else ""
                suffix = suffix or Path(member.filename).suffix
                with archive.open(member) as source, open(Path(folder) / f"{number:06d}{suffix}", "wb") as target:
                    shutil.copyfileobj(source, target)
            if not members:
                raise ScanError(f"{path.name} is empty: give a zip of the scan's files.")
            return _folder(Path(folder), series)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise ScanError(f"{path.name} is damaged or locked and cannot be unpacked: copy or export it again.") from error


def _nifti(path: Path) -> Volume:
    nibabel = library("nibabel")
    try:
        image = nibabel.load(path)
        shape = tuple(int(size) for size in image.shape)
        notes = []
        while len(shape) > 3 and shape[-1] == 1:
            shape = shape[:-1]
        if len(shape) > 3:
            notes.append(f"The file holds {int(np.prod(shape[3:]))} volumes; the first was taken.")
        if len(shape) < 3:
            raise ScanError(f"{path.name} holds {len(shape)} dimensions, not a volume: give a 3D scan.")
        first = (slice(None),) * 3 + (0,) * (len(image.shape) - 3)
        proxy = image.dataobj
        stored = proxy.get_unscaled() if hasattr(proxy, "get_unscaled") else np.asanyarray(proxy)
        stored = np.asarray(stored)[first]
        slope, shift = getattr(proxy, "slope", 1.0), getattr(proxy, "inter", 0.0)
        unit = {"meter": 1e3, "micron": 1e-3}.get(image.header.get_xyzt_units()[0], 1.0)
        affine = np.diag([-1.0, -1.0, 1.0]) @ np.asarray(image.affine, np.float64)[:3] * unit  # RAS to LPS
    except ScanError:
        raise
    except Exception as error:  # nibabel raises its own kinds, EOFError, OSError, ValueError, zlib.error
        raise ScanError(f"{path.name} is damaged or cut short: copy or export it again.") from error
    return Volume(_scaled(stored.T, slope, shift), affine, notes=tuple(notes), label_names=_nifti_names(image))


def _nifti_names(image) -> dict[int, str]:
    """Label names in a NIfTI header's extension, as segmentation programs write them: XML with Key and text."""
    import re

    names: dict[int, str] = {}
    for extension in getattr(image.header, "extensions", ()):
        content = extension.get_content()
        text = content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)
        for key, name in re.findall(r'<Label[^>]*Key="(\d+)"[^>]*>\s*(?:<!\[CDATA\[)?([^<\]]+)', text):
            names[int(key)] = name.strip()
    return names


def _image(path: Path) -> Volume:
    """NRRD and MetaImage."""
    sitk = library("SimpleITK")
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        dimension = reader.GetDimension()
        size = list(reader.GetSize())
        notes = []
        if dimension < 3 or reader.GetNumberOfComponents() != 1:
            raise ScanError(f"{path.name} holds no volume of single numbers: give a 3D scan.")
        _expect_bytes(path, int(np.prod(size)) * _sample_bytes(sitk, reader.GetPixelID()))
        if dimension > 3:
            notes.append(f"The file holds {int(np.prod(size[3:]))} volumes; the first was taken.")
            reader.SetExtractSize(size[:3] + [0] * (dimension - 3))
        image = reader.Execute()
    except RuntimeError as error:
        raise ScanError(f"{path.name} is damaged, cut short or of an unknown kind: copy or export it again.") from error
    values = sitk.GetArrayFromImage(image)
    direction = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine = np.concatenate([direction, np.array(image.GetOrigin())[:, None]], 1)
    meta = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys() if key.startswith("Segment")}
    names = {
        int(meta[key]): meta.get(key.replace("LabelValue", "Name"), f"label {meta[key]}")
        for key in meta
        if key.endswith("LabelValue") and meta[key].isdigit()
    }
    return Volume(_scaled(values, 1.0, 0.0), affine, notes=tuple(notes), label_names=names)


def _sample_bytes(sitk, kind: int) -> int:
    names = {"8": 1, "16": 2, "32": 4, "64": 8}
    words = sitk.GetPixelIDValueAsString(kind).lower()
    if "float" in words:
        return 8 if "64" in words else 4
    return next((size for bits, size in names.items() if bits in words), 1)


def _expect_bytes(path: Path, needed: int) -> None:
    """An uncompressed MetaImage that is too short reads as zeros without a word: compare the sizes here."""
    if path.suffix.lower() not in (".mha", ".mhd"):
        return
    header = path.read_bytes()[:8192].decode("latin-1")
    lines = [line.split("=", 1) for line in header.splitlines() if "=" in line and len(line) < 500]
    fields = {key.strip(): value.strip() for key, value in lines}
    if fields.get("CompressedData", "False").lower() == "true":
        return
    data = fields.get("ElementDataFile", "LOCAL")
    if data.upper() == "LIST" or "%" in data:
        return
    place = path if data.upper() == "LOCAL" else path.parent / data
    if not place.exists() or place.stat().st_size < needed:
        raise ScanError(f"{path.name} is cut short: its samples take {needed} bytes; copy or export it again.")


def _scaled(stored: np.ndarray, slope: float | None, shift: float | None) -> np.ndarray:
    """Samples as int16 where they fit, else float32; with a slope applied, without going through float64."""
    factor = 1.0 if slope is None or not np.isfinite(slope) or slope == 0 else float(slope)
    shift = 0.0 if shift is None or not np.isfinite(shift) else float(shift)
    if np.issubdtype(stored.dtype, np.complexfloating) or stored.dtype.fields:
        raise ScanError("The scan holds complex or coloured samples: give one of single real numbers.")
    if stored.dtype.kind in "iub" and factor.is_integer() and shift.is_integer():
        low, high = (int(v) * int(factor) + int(shift) for v in (stored.min(initial=0), stored.max(initial=0)))
        if min(low, high) >= -32768 and max(low, high) <= 32767:
            if (factor, shift) == (1.0, 0.0):
                return np.ascontiguousarray(stored.astype(np.int16))
            return np.ascontiguousarray((stored.astype(np.int32) * int(factor) + int(shift)).astype(np.int16))
    values = np.ascontiguousarray(stored, np.float32)
    if (factor, shift) != (1.0, 0.0):
        values = values * np.float32(factor) + np.float32(shift)
    if not np.isfinite(values).all():
        values = np.nan_to_num(values, nan=float(np.nanmin(values)), posinf=None, neginf=None)
    return values


def _checked(volume: Volume) -> Volume:
    """The volume, if it is one."""
    if min(volume.size) < FEWEST:
        raise ScanError(
            f"The scan has {' x '.join(map(str, volume.size))} samples: a surface needs at least {FEWEST} slices each "
            "way."
        )
    if volume.values.size > MOST:
        raise ScanError("The scan has more than two thousand million samples: cut it or halve its resolution.")
    if not np.isfinite(volume.affine).all() or volume.voxel_volume < 1e-9:
        raise ScanError("The scan does not say how its samples lie in space: export it again, with its spacing.")
    if volume.values.min() == volume.values.max():
        raise ScanError("All samples of the scan are the same: it shows nothing.")
    return volume
