"""Read SMPL, SMPL-H and SMPL-X files that a user brings, as the `BodyModel` that the rest of the package works with.

None of these files comes with Lookalike: they have licences of their own (docs/body.md). Their keys and layouts are as
published: Loper et al., SMPL, 2015; Romero et al., Embodied Hands (SMPL-H, MANO), 2017; Pavlakos et al., SMPL-X, 2019.

Every model is brought to the 52 joints of `JOINTS`. SMPL's two hand joints move with the wrists, SMPL-X's jaw and eyes
with the head; fingers that SMPL lacks are placed inside the hand and move nothing. So a body posed without those joints
is the published model's to the last digit. The landmarks, which the files lack too, are carried over from the bundled
body.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.body.landmarks import blend_at
from lookalike.body.model import JOINTS, PARTS, BodyModel
from lookalike.body.parts import dominant_parts
from lookalike.body.restricted_pickle import read_pickle
from lookalike.body.transfer import transfer
from lookalike.errors import BodyModelError

_BODY = tuple(JOINTS[:22])
_HANDS = tuple(JOINTS[22:])
#: Joint names in each family's published order, found by their number.
_ORDERS: dict[int, tuple[str, tuple[str, ...]]] = {
    24: ("smpl", (*_BODY, "left_hand", "right_hand")),
    52: ("smplh", (*_BODY, *_HANDS)),
    55: ("smplx", (*_BODY, "jaw", "left_eye_smplhf", "right_eye_smplhf", *_HANDS)),
}
_MERGED = {
    "left_hand": "left_wrist",
    "right_hand": "right_wrist",
    "jaw": "head",
    "left_eye_smplhf": "head",
    "right_eye_smplhf": "head",
}
_KEYS = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "f", "kintree_table")
#: How far, in metres, a vertex may lie from the mirror image of another for the mesh to count as symmetric.
_SYMMETRIC = 0.005
_MAX_MEMBER = 2 << 30


class _Unfit(Exception):
    """What is wrong with the file, to follow its name."""


def read_smpl(path: str | Path) -> BodyModel:
    """The body model in a SMPL, SMPL-H or SMPL-X file, `.npz` or `.pkl`.

    Shape numbers: SMPL and SMPL-H the first 16 or fewer, SMPL-X 10 (16 in files with 300), without expressions.
    `uv`, `quads` and `face_shapes` are empty; `mirror` is None for an asymmetric mesh.
    Pickles are read without running anything in them (`restricted_pickle`). Raises `BodyModelError`.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"PK"
        data = _read_npz(path) if zipped else read_pickle(path)
        return _model(data)
    except OSError as error:
        raise BodyModelError(f"The body model {path} cannot be opened ({error.strerror}).") from error
    except (_Unfit, ValueError) as error:
        raise BodyModelError(
            f"The body model {path} {error}; use a SMPL, SMPL-H or SMPL-X file as it was published."
            if isinstance(error, _Unfit)
            else f"The body model {path} is damaged ({error}): please download it again."
        ) from error


def _read_npz(path: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            if max((m.file_size for m in archive.infolist()), default=0) > _MAX_MEMBER:
                raise _Unfit("is far larger than a body model")
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in _KEYS if key in file}
    except ValueError as error:  # what numpy says where an array holds Python objects
        raise _Unfit("holds Python objects where numbers should be, which are not read from .npz files") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError) as error:
        raise _Unfit("is damaged or no .npz file") from error


def _numbers(data: dict[str, Any], key: str, fits: Callable[[tuple[int, ...]], bool]) -> np.ndarray:
    value = data[key]
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iuf" or not fits(value.shape):
        seen = f"of shape {value.shape}" if isinstance(value, np.ndarray) else "that is no array"
        raise _Unfit(f"has a {key!r} {seen}, which no model of the SMPL family has")
    if not np.isfinite(value).all():
        raise _Unfit(f"has a {key!r} with numbers that are not finite")
    return value.astype(np.float64) if value.dtype.kind == "f" else value.astype(np.int64)


def _model(data: Any) -> BodyModel:
    if not isinstance(data, dict):
        raise _Unfit("does not hold a model's arrays")
    lacking = [key for key in _KEYS if key not in data]
    if lacking:
        raise _Unfit(f"is no model of the SMPL family: it lacks {lacking[0]!r}")
    template = _numbers(data, "v_template", lambda s: len(s) == 2 and s[0] > 0 and s[1] == 3)
    count = len(template)
    weights = _numbers(data, "weights", lambda s: len(s) == 2 and s[0] == count)
    if weights.shape[1] not in _ORDERS:
        raise _Unfit(f"has {weights.shape[1]} joints, where SMPL has 24, SMPL-H 52 and SMPL-X 55")
    family, names = _ORDERS[weights.shape[1]]
    shapes = _numbers(data, "shapedirs", lambda s: len(s) == 3 and s[:2] == (count, 3) and s[2] > 0)
    shapes = shapes[..., : _shape_count(family, shapes.shape[2])]
    regressor = _numbers(data, "J_regressor", lambda s: s == (len(names), count))
    faces = _numbers(data, "f", lambda s: len(s) == 2 and s[1] == 3)
    if faces.min(initial=0) < 0 or faces.max(initial=0) >= count:
        raise _Unfit("has faces that name vertices it does not have")
    total = weights.sum(1, keepdims=True)
    if weights.min() < 0 or np.abs(total - 1).max() > 0.01:
        raise _Unfit("has skin weights that do not sum to one")

    own = np.array([names.index(n) for n in JOINTS if n in names])
    known = np.array([JOINTS.index(names[i]) for i in own])
    new_weights = np.zeros((count, len(JOINTS)))
    for i, name in enumerate(names):
        new_weights[:, JOINTS.index(_MERGED.get(name, name))] += weights[:, i] / total[:, 0]
    new_regressor = np.zeros((len(JOINTS), count))
    new_regressor[known] = regressor[own]
    parts = dominant_parts(new_weights)
    if "left_eye_smplhf" in names:
        balls = [names.index("left_eye_smplhf"), names.index("right_eye_smplhf")]
        parts[np.isin(weights.argmax(1), balls)] = PARTS.index("eyes")
    missing = [n for n in PARTS if n not in ("neck", "eyes", "mouth") and not (parts == PARTS.index(n)).any()]
    if missing:
        raise _Unfit(f"has skin weights of no person, with no {missing[0].replace('_', ' ')}")
    parents, pose_basis = _parents(data, names), _pose_basis(data, count, names, own, known)
    landmarks, places = transfer(template, faces, new_regressor @ template, parts)
    for joint in set(range(len(JOINTS))) - set(known.tolist()):  # fingers: blends of the hand's vertices around each
        hand = np.flatnonzero(parts == PARTS.index(f"{JOINTS[joint].partition('_')[0]}_hand"))
        index, weight = blend_at(places[joint], template, hand)
        new_regressor[joint, index] = weight
    return BodyModel(
        name=family,
        template=template.astype(np.float32),
        shape_basis=np.ascontiguousarray(shapes.transpose(2, 0, 1), np.float32),
        joint_template=(new_regressor @ template).astype(np.float32),
        joint_basis=np.einsum("jv,vcb->bjc", new_regressor, shapes).astype(np.float32),
        parents=parents,
        joint_names=tuple(JOINTS),
        weights=new_weights.astype(np.float32),
        faces=faces.astype(np.int32),
        quads=None,
        uv=None,
        face_uv=None,
        quad_uv=None,
        mirror=_mirror(template),
        parts=parts,
        part_names=tuple(PARTS),
        face_shapes={},
        landmarks=landmarks,
        pose_basis=pose_basis,
    )


def _shape_count(family: str, count: int) -> int:
    """How many of `shapedirs`' components are shape: SMPL-X files have 10 + 10 or 300 + 100 for the expression."""
    return min(count, 10 if family == "smplx" and count < 400 else 16)


def _pose_basis(data: dict, count: int, names: tuple[str, ...], own: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(9 * 51, V, 3) pose correctives from (V, 3, P) or (P, V * 3), in the order of `JOINTS`, zero for added joints."""
    length = 9 * (len(names) - 1)
    basis = _numbers(data, "posedirs", lambda s: s in ((count, 3, length), (length, count * 3)))
    basis = basis.transpose(2, 0, 1) if basis.ndim == 3 else basis.reshape(length, count, 3)
    out = np.zeros((len(JOINTS) - 1, 9, count, 3), np.float32)
    moving = known > 0  # the root has none
    out[known[moving] - 1] = basis.reshape(-1, 9, count, 3)[own[moving] - 1]
    return out.reshape(-1, count, 3)


def _parents(data: dict, names: tuple[str, ...]) -> np.ndarray:
    """(52,) parents in the order of `JOINTS`, from the file's kinematic tree; fingers it lacks hang on their wrists."""
    table = _numbers(data, "kintree_table", lambda s: s == (2, len(names)))
    above, below = table
    if (below != np.arange(len(names))).any() or (above[1:] >= below[1:]).any() or (above[1:] < 0).any():
        raise _Unfit("has a kinematic tree in an order that no model of the SMPL family has")
    parent = {names[j]: names[int(above[j])] for j in range(1, len(names))}
    for name in _HANDS:
        side, _, finger = name.partition("_")
        number = int(finger[-1])
        parent.setdefault(name, f"{side}_wrist" if number == 1 else f"{name[:-1]}{number - 1}")
    return np.array([-1, *(JOINTS.index(_MERGED.get(parent[n], parent[n])) for n in JOINTS[1:])], np.int32)


def _mirror(template: np.ndarray) -> np.ndarray | None:
    """(V,) the vertex nearest to each one's mirror image, or None where that is not near enough."""
    from scipy.spatial import cKDTree

    middle = (template[:, 0].min() + template[:, 0].max()) / 2
    distance, nearest = cKDTree(template).query((template - [middle, 0, 0]) * [-1, 1, 1] + [middle, 0, 0])
    return nearest.astype(np.int32) if distance.max() < _SYMMETRIC else None
