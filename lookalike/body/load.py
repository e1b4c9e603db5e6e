"""Read body models: our own file, and SMPL-family files that a user brings."""

from __future__ import annotations

import zipfile
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np

from lookalike.body.model import BodyModel
from lookalike.errors import BodyModelError

BUNDLED = Path(__file__).resolve().parents[1] / "assets" / "body.npz"


def load_body(path: str | Path | None = None) -> BodyModel:
    """The bundled body model, or the one in a file.

    path : our own `.npz`, or a SMPL, SMPL-H or SMPL-X file (`.npz`, `.pkl`) of the user's; None for the bundled one.
    Raises `BodyModelError`.
    """
    if path is None:
        return _bundled()
    path = Path(path)
    if not path.is_file():
        raise BodyModelError(f"There is no body model file at {path}: check the path given with --body-model.")
    from lookalike.body.smpl_files import read_smpl

    try:
        with np.load(path, allow_pickle=False) as file:
            if "quad_uv" in file:
                return _read_own(file)
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error):
        pass  # not a plain .npz: the SMPL reader judges it and says what is wrong
    return read_smpl(path)


@lru_cache(maxsize=1)
def _bundled() -> BodyModel:
    try:
        with np.load(BUNDLED, allow_pickle=False) as file:
            return _read_own(file)
    except OSError as error:
        raise BodyModelError(f"The bundled body model {BUNDLED} cannot be read; please reinstall lookalike.") from error


def _split(file, kind: str, value: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    ends = np.cumsum(file[f"{kind}_sizes"])[:-1]
    index = np.split(file[f"{kind}_index"].astype(np.int32), ends)
    values = np.split(file[f"{kind}_{value}"].astype(np.float32), ends)
    return {str(n): (i, v) for n, i, v in zip(file[f"{kind}_names"], index, values, strict=True)}


def _triangles(quads: np.ndarray) -> np.ndarray:
    """(Q, 4) quads -> (F, 3) triangles; a quad that repeats its last vertex is one triangle."""
    pairs = np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], 1)
    keep = np.stack([np.ones(len(quads), bool), quads[:, 2] != quads[:, 3]], 1)
    return pairs[keep]


def _read_own(file) -> BodyModel:
    quads, quad_uv = file["quads"].astype(np.int32), file["quad_uv"].astype(np.int32)
    whole = np.stack([np.ones(len(quads), bool), quads[:, 2] != quads[:, 3]], 1)
    face_uv = np.stack([quad_uv[:, [0, 1, 2]], quad_uv[:, [0, 2, 3]]], 1)[whole]
    joints, values = file["weight_joints"], file["weight_values"].astype(np.float64)
    weights = np.zeros((len(joints), len(file["parents"])))  # in float64 the sum of float16 numbers is exact
    np.put_along_axis(weights, joints.astype(np.int64), values, 1)
    return BodyModel(
        name="lookalike",
        template=file["template"],
        shape_basis=file["shape_basis"].astype(np.float32),
        joint_template=file["joint_template"],
        joint_basis=file["joint_basis"],
        parents=file["parents"],
        joint_names=tuple(str(n) for n in file["joint_names"]),
        weights=(weights / weights.sum(1, keepdims=True)).astype(np.float32),
        faces=_triangles(quads),
        quads=quads,
        uv=file["uv"],
        face_uv=face_uv,
        quad_uv=quad_uv,
        mirror=file["mirror"].astype(np.int32),
        parts=file["parts"],
        part_names=tuple(str(n) for n in file["part_names"]),
        face_shapes=_split(file, "face_shape", "offset"),
        landmarks=_split(file, "landmark", "weight"),
    )
