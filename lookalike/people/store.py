"""Samples on disk: one `.npz` file each, small enough to keep thousands and quick enough to train from.

Only pixels inside the outline are kept. Normals are octahedral (Meyer et al., 2010) in two 16-bit numbers, depths in
tenths of a millimetre from a near plane: 0.003 degrees and 0.05 mm at most are lost. Pieces of surface are not kept.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lookalike.body import BodyModel, load_body
from lookalike.body.model import Body
from lookalike.camera import Camera
from lookalike.errors import LookalikeError
from lookalike.maps import Maps
from lookalike.people.sample import Sample

#: Metres in a step of a stored depth: 16 bits reach over 6.5 m of depth.
STEP = 1e-4
FORMAT = 1


def write_sample(sample: Sample, path: str | Path) -> None:
    """One file. Raises OSError where it cannot be written; a file that is not complete never has this name."""
    path = Path(path)
    arrays = {
        "format": np.array(FORMAT),
        "name": np.array(sample.name),
        "camera": _camera(sample.camera),
        **_maps("maps", sample.maps),
    }
    rows, columns, arrays["image_box"] = _box(sample.image[..., 3] > 0)
    arrays["image"] = sample.image[rows, columns]
    mask = sample.maps.mask
    for name in ("labels_front", "labels_back", "colour_front", "colour_back"):
        arrays[name] = getattr(sample, name)[mask]
    if sample.body is not None:
        body = sample.body
        arrays |= {"betas": body.betas, "pose": body.pose, "translation": body.translation}
        arrays |= {"scale": np.array(body.scale), "model": np.array(body.model.name)}
    if sample.body_maps is not None:
        arrays |= _maps("body_maps", sample.body_maps)
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            np.savez(file, **arrays)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_sample(path: str | Path, body_model: BodyModel | None = None) -> Sample:
    """What `write_sample` wrote, without its pieces. The picture's colours outside its matte are black.

    body_model : of the body, where it is not our own; None leaves such bodies out. Raises LookalikeError.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        if int(arrays["format"]) != FORMAT:
            raise LookalikeError(f"{path} was written by another version of Lookalike; make the samples again.")
        return _sample(arrays, body_model)
    except LookalikeError:
        raise
    except Exception as error:  # whatever a damaged file leads to
        raise LookalikeError(f"Cannot read the sample {path}: {error}.") from None


def _sample(arrays: dict[str, np.ndarray], body_model: BodyModel | None) -> Sample:
    camera = Camera(*arrays["camera"][:3], *(int(n) for n in arrays["camera"][3:]))
    maps = _read_maps("maps", arrays, camera)
    shape = (camera.height, camera.width)
    image = np.zeros((*shape, 4), np.uint8)
    top, bottom, left, right = arrays["image_box"]
    image[top:bottom, left:right] = arrays["image"]
    spread = {}
    for name in ("labels_front", "labels_back", "colour_front", "colour_back"):
        spread[name] = np.zeros((*shape, *arrays[name].shape[1:]), np.uint8)
        spread[name][maps.mask] = arrays[name]
    body: Body | None = None
    if "betas" in arrays:
        model = load_body() if str(arrays["model"]) == "lookalike" else body_model
        if model is not None:
            body = model.posed(arrays["betas"], arrays["pose"], arrays["translation"], camera, float(arrays["scale"]))
    body_maps = _read_maps("body_maps", arrays, camera) if "body_maps_mask" in arrays else None
    return Sample(str(arrays["name"]), image, camera, body, body_maps, maps, **spread, pieces=())


def _camera(camera: Camera) -> np.ndarray:
    return np.array([camera.focal, camera.cx, camera.cy, camera.width, camera.height])


def _maps(name: str, maps: Maps) -> dict[str, np.ndarray]:
    mask = maps.mask
    near = float(np.nanmin(maps.depth_front[mask])) if mask.any() else 0.0
    out = {f"{name}_mask": np.packbits(mask), f"{name}_near": np.array(near)}
    for side in ("front", "back"):
        depth = getattr(maps, f"depth_{side}")[mask].astype(np.float64) - near
        out[f"{name}_depth_{side}"] = np.round(depth / STEP).clip(0, 65535).astype(np.uint16)
        out[f"{name}_normals_{side}"] = to_octahedron(getattr(maps, f"normals_{side}")[mask])
    return out


def _read_maps(name: str, arrays: dict[str, np.ndarray], camera: Camera) -> Maps:
    shape = (camera.height, camera.width)
    mask = np.unpackbits(arrays[f"{name}_mask"], count=shape[0] * shape[1]).astype(bool).reshape(shape)
    values = []
    for side in ("front", "back"):
        normals = np.zeros((*shape, 3), np.float32)
        normals[mask] = from_octahedron(arrays[f"{name}_normals_{side}"])
        depth = np.full(shape, np.nan, np.float32)
        depth[mask] = arrays[f"{name}_depth_{side}"] * np.float32(STEP) + np.float32(arrays[f"{name}_near"])
        values.append((normals, depth))
    (front, near), (back, far) = values
    return Maps(camera, front, back, near, far, mask)


def _box(mask: np.ndarray) -> tuple[slice, slice, np.ndarray]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return slice(0, 0), slice(0, 0), np.zeros(4, np.int64)
    box = np.array([rows[0], rows[-1] + 1, columns[0], columns[-1] + 1])
    return slice(box[0], box[1]), slice(box[2], box[3]), box


def to_octahedron(normals: np.ndarray) -> np.ndarray:
    """Unit vectors (k, 3) -> (k, 2) int16."""
    flat = normals[:, :2] / np.maximum(np.abs(normals).sum(1, keepdims=True), 1e-9)
    folded = (1 - np.abs(flat[:, ::-1])) * np.where(flat >= 0, 1, -1)
    flat = np.where(normals[:, 2:] < 0, folded, flat)
    return np.round(flat * 32767).astype(np.int16)


def from_octahedron(stored: np.ndarray) -> np.ndarray:
    """(k, 2) int16 -> unit vectors (k, 3) float32."""
    x, y = stored.T * np.float32(1 / 32767)
    z = 1 - np.abs(x) - np.abs(y)
    under = np.minimum(z, 0)
    x, y = x - np.copysign(under, x), y - np.copysign(under, y)
    out = np.empty((len(x), 3), np.float32)
    length = np.sqrt(x * x + y * y + z * z)
    out[:, 0], out[:, 1], out[:, 2] = x / length, y / length, z / length
    return out
