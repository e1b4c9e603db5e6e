"""Writing scans as DICOM, with a person's data in every field that could leak."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from lookalike.anatomy.volume import Volume

NAME, PATIENT, DATE = "ROE^RICHARD", "PATIENT-4711", "19700131"


def write_slices(folder: Path, scan: Volume, *, slope: float = 1.0, shift: float = -1024.0, **more) -> list[Path]:
    """One file a slice, in no order of names, with rescaling. more : other attributes of every slice."""
    folder.mkdir(parents=True, exist_ok=True)
    series = str(more.pop("SeriesInstanceUID", generate_uid()))
    columns = scan.affine[:, :3] / scan.spacing
    files = []
    for number, values in enumerate(scan.values):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = CTImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        data.Modality, data.SeriesInstanceUID, data.StudyInstanceUID = "CT", series, generate_uid()
        data.PatientName, data.PatientID, data.PatientBirthDate, data.StudyDate = NAME, PATIENT, DATE, DATE
        data.SeriesDescription = f"scan of {NAME}"
        data.InstanceNumber = number + 1
        data.Rows, data.Columns = values.shape
        data.PixelSpacing = [f"{scan.spacing[1]:.6f}", f"{scan.spacing[0]:.6f}"]
        data.SliceThickness = f"{scan.spacing[2]:.6f}"
        data.ImageOrientationPatient = [f"{v:.10f}" for v in [*columns[:, 0], *columns[:, 1]]]
        place = scan.points(np.array([[0.0, 0, number]]))[0]
        data.ImagePositionPatient = [f"{v:.6f}" for v in place]
        data.RescaleSlope, data.RescaleIntercept = str(slope), str(shift)
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 0
        data.PixelData = np.rint((values - shift) / slope).astype(np.uint16).tobytes()
        for name, value in more.items():
            setattr(data, name, value)
        path = folder / f"{NAME}-{(number * 37) % 1009:04d}"
        data.save_as(path, enforce_file_format=True)
        files.append(path)
    return files


def edit(path: Path, **values) -> None:
    """Change attributes of a file."""
    data = pydicom.dcmread(path)
    for name, value in values.items():
        setattr(data, name, value)
    data.save_as(path)
