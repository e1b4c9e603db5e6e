"""Organs by TotalSegmentator (Wasserthal et al., 2023), where the user has it and its weights: a CT in, labels out.

Nothing is downloaded here, and no usage statistics are sent: a scan's sizes and times are nobody's business.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.anatomy.scan_error import ScanError, library
from lookalike.anatomy.volume import Volume
from lookalike.errors import LookalikeError

#: The folders' beginnings of the five networks that make the 117 classes.
WEIGHTS = tuple(f"Dataset{number}_" for number in range(291, 296))


def segment(scan: Volume) -> Volume:
    """A label map with the names of its classes. Raises LookalikeError in one sentence when something is missing."""
    if scan.modality == "MR":
        raise ScanError("TotalSegmentator's 117 classes are for CT, and this is an MR: leave out --segment.")
    try:
        interface: Any = import_module("totalsegmentator.python_api")
        classes = import_module("totalsegmentator.map_to_binary").class_map["total"]
    except ImportError as error:
        raise LookalikeError(
            'For --segment install TotalSegmentator, pip install "lookalike[totalsegmentator]", and its weights, '
            "totalseg_download_weights -t total."
        ) from error
    folder = weights_folder()
    present = [path.name for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    if not all(any(name.startswith(start) for name in present) for start in WEIGHTS):
        raise LookalikeError(
            f"TotalSegmentator's weights are not in {folder}: get them with totalseg_download_weights -t total, or set "
            "TOTALSEG_WEIGHTS_PATH to where they are."
        )
    if hasattr(interface, "send_usage_stats"):
        interface.send_usage_stats = lambda *_args, **_more: None
    nibabel = library("nibabel")
    affine = np.vstack([np.diag([-1.0, -1.0, 1.0]) @ scan.affine, [0, 0, 0, 1]])
    found: Any = interface.totalsegmentator(
        nibabel.Nifti1Image(scan.values.T, affine), None, ml=True, task="total", quiet=True, device=_device()
    )
    labels = np.ascontiguousarray(np.asarray(found.dataobj).T.astype(np.int16))
    affine = np.diag([-1.0, -1.0, 1.0]) @ np.asarray(found.affine, np.float64)[:3]
    names = {int(label): str(name) for label, name in classes.items()}
    return Volume(labels, affine, scan.modality, scan.notes, names)


def weights_folder() -> Path:
    """Where TotalSegmentator looks for its weights."""
    if path := os.environ.get("TOTALSEG_WEIGHTS_PATH"):
        return Path(path)
    home = os.environ.get("TOTALSEG_HOME_DIR")
    return (Path(home) if home else Path.home() / ".totalsegmentator") / "nnunet" / "results"


def _device() -> str:
    torch = import_module("torch")
    return "gpu" if torch.cuda.is_available() else "cpu"
