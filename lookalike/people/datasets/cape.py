"""CAPE (Ma et al., 2020): registered clothed people in motion as published in, one `Scan` a frame out.

The folder `cape_release` holds `sequences/SUBJECT/SEQUENCE/FRAME.npz` (v_posed, pose, transl; metres, SMPL's topology),
`misc/smpl_tris.npy` (the faces), `misc/subj_genders.pkl` and `minimal_body_shape/SUBJECT/SUBJECT_minimal.npy`. There are no
colours and no pictures. The unclothed body is published as a shape, not as shape numbers.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from lookalike.errors import LookalikeError
from lookalike.people.datasets.dataset import Dataset, chosen
from lookalike.people.datasets.fits import read_parameters
from lookalike.people.scan import BodyFit, Scan


def open_cape(path: Path, split: str | None = None) -> Dataset:
    """Every frame, as "SUBJECT/SEQUENCE/FRAME". Split: None, a subject's number, or a list of names."""
    if not (path / "sequences").is_dir():
        raise LookalikeError(f"{path} has no folder 'sequences': give CAPE's cape_release (docs/datasets.md).")
    faces_file = path / "misc" / "smpl_tris.npy"
    if not faces_file.is_file():
        raise LookalikeError(f"CAPE's faces {faces_file} are missing: unpack its folder 'misc' too.")
    names = [
        "/".join(file.relative_to(path / "sequences").with_suffix("").parts)
        for file in (path / "sequences").glob("*/*/*.npz")
    ]
    if not names:
        raise LookalikeError(f"{path / 'sequences'} holds no frames (such as 00032/shortlong_hips/...000001.npz).")
    if split is not None and (path / "sequences" / split).is_dir():
        names = [n for n in names if n.startswith(f"{split}/")]
        split = None
    return Dataset("cape", chosen(names, path, split), lambda name: _read(path, name))


def _read(path: Path, name: str) -> Scan:
    file = path / "sequences" / f"{name}.npz"
    subject = name.split("/")[0]
    try:
        faces = np.load(path / "misc" / "smpl_tris.npy", allow_pickle=False).astype(np.int32)
        with np.load(file, allow_pickle=False) as data:
            vertices = data["v_posed"].astype(np.float64)
            pose = data["pose"].astype(np.float64).reshape(-1, 3)
            translation = data["transl"].astype(np.float64).reshape(3)
        if vertices.shape != (faces.max() + 1, 3) or len(pose) != 24 or not np.isfinite(vertices).all():
            raise ValueError("arrays of other shapes")
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise LookalikeError(
            f"The frame {file} is damaged ({error}): a few of CAPE's frames are; leave it out."
        ) from None
    return Scan(name, vertices, faces, body=_fit(path, subject, pose, translation))


def _fit(path: Path, subject: str, pose: np.ndarray, translation: np.ndarray) -> BodyFit | None:
    """The body under the clothes; None where the minimal shapes were not unpacked."""
    folder = path / "minimal_body_shape"
    if not folder.is_dir():
        return None
    file = folder / subject / f"{subject}_minimal.npy"
    genders = path / "misc" / "subj_genders.pkl"
    for needed in (file, genders):
        if not needed.is_file():
            raise LookalikeError(f"{needed} is missing: unpack CAPE's folders 'misc' and 'minimal_body_shape' again.")
    try:
        minimal = np.load(file, allow_pickle=False).astype(np.float64)
    except (OSError, ValueError) as error:
        raise LookalikeError(f"{file} is damaged ({error}): please unpack it again.") from None
    # SMPL's two hand joints have no place among SMPL-H's: they move nothing that a wrist does not.
    full = np.zeros((52, 3))
    full[:22] = pose[:22]
    return BodyFit(
        kind="smpl",
        gender=str(read_parameters(genders).get(subject, "neutral")),
        betas=np.zeros(10),
        pose=full,
        translation=translation,
        minimal=minimal,
    )
