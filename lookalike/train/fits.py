"""The bodies that the fit finds in a folder of synthetic people: made-up errors are never quite like its own.

    SAMPLE/fit.npz   betas, pose, translation, scale, landmark_error: the body.  offset (2,), photo_size (2,): whole
                     pixels at which the sample's picture lies in the photo, and the photo's width and height.  side: pixels
                     of the picture

A photo does not say where in a larger picture it was, nor which lens took it, so the fit's camera is not the sample's. The
truth is brought to where a picture can tell it to be (`seen_through`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from lookalike.body.model import Body, BodyModel
from lookalike.camera import Camera
from lookalike.errors import LookalikeError, NoPersonError
from lookalike.export.output import output_errors
from lookalike.maps import Maps
from lookalike.maps.inputs import CropUnit
from lookalike.people.data_folder import dataset_folders, in_processes
from lookalike.people.sample import Sample
from lookalike.people.store import read_sample
from lookalike.photo.subject import Photo

FIT, NONE = "fit.npz", "fit.none"
BODY = ("betas", "pose", "translation", "scale", "landmark_error")


def as_photo(sample: Sample) -> tuple[Photo, tuple[int, int]]:
    """The sample's picture on a canvas in whose middle the principal point lies: nothing else of the camera would be known
    of a photo. Also the whole pixels (x, y) at which it lies there."""
    camera = sample.camera
    half_w = int(np.ceil(max(camera.cx, camera.width - camera.cx)))
    half_h = int(np.ceil(max(camera.cy, camera.height - camera.cy)))
    x, y = half_w - round(camera.cx), half_h - round(camera.cy)
    canvas = np.zeros((2 * half_h, 2 * half_w, 4), np.uint8)
    canvas[y : y + camera.height, x : x + camera.width] = sample.image
    return Photo(np.ascontiguousarray(canvas[..., :3]), canvas[..., 3].astype(np.float32) / 255), (x, y)


def write_fits(folder: Path, jobs: int, watch: Callable[[int, int], None] | None = None) -> int:
    """Find and fit the people of a folder who have no fit yet; one in whose picture nobody is found gets a `fit.none`.

    watch : called with how many are done and how many there will be. Returns how many people have a fit.
    Raises LookalikeError, OutputError.
    """
    folders = dataset_folders(folder)
    missing = [f for f in folders if not (f / FIT).is_file() and not (f / NONE).is_file()]
    done = len(folders) - len(missing)
    for _ in in_processes(_write_fit, missing, jobs):
        done += 1
        if watch:
            watch(done, len(folders))
    return sum((f / FIT).is_file() for f in folders)


def _write_fit(folder: Path) -> None:
    from lookalike.body import fit_body
    from lookalike.photo import find_subjects

    sample = read_sample(folder / "sample.npz")
    if sample.body is None:
        raise LookalikeError(
            f"{folder} has no body, so it is not one of `lookalike synthesize`'s; choose another folder."
        )
    photo, offset = as_photo(sample)
    try:
        body = fit_body(find_subjects(photo, "largest")[0], sample.body.model, seed=0, device="cpu")
    except NoPersonError as error:
        with output_errors(folder / NONE):
            (folder / NONE).write_text(str(error), "utf-8")
        return
    arrays: dict[str, Any] = {name: getattr(body, name) for name in BODY}
    with output_errors(folder / FIT):
        temporary = folder / f".{FIT}.part"
        try:
            with temporary.open("wb") as file:
                np.savez(file, offset=offset, photo_size=photo.size, side=sample.camera.width, **arrays)
            temporary.replace(folder / FIT)
        finally:
            temporary.unlink(missing_ok=True)


def read_fit(path: Path, model: BodyModel, size: int) -> Body:
    """The fitted body, in the part of the photo's camera that is the sample's picture.

    size : pixels along each side that the picture is to have. Raises LookalikeError.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            a = {name: file[name] for name in (*BODY, "offset", "photo_size", "side")}
        (x, y), (width, height) = a["offset"], a["photo_size"]
        side = int(a["side"])
        camera = Camera.for_photo(int(width), int(height)).window(int(x), int(y), side, side, size / side)
        scale, error = float(a["scale"]), float(a["landmark_error"])
        return model.posed(a["betas"], a["pose"], a["translation"], camera, scale, error)
    except Exception as error:  # whatever a damaged file leads to
        raise LookalikeError(
            f"Cannot read the fit {path} ({error}); delete it and call `lookalike train fits`."
        ) from None


def seen_through(sample: Sample, camera: Camera) -> Sample:
    """The sample as another camera of the same pixels would have to see it, for the picture to be the same.

    Everything keeps its pixel. Normals and depths turn with the line of sight to the pelvis; depths are as far from the
    body's middle as before, in units of the crop. Pieces are left out.

    camera : of as many pixels as the sample's. Raises LookalikeError for a sample without a body.
    """
    own, body, body_maps = sample.camera, sample.body, sample.body_maps
    if body is None or body_maps is None or not body_maps.mask.any():
        raise LookalikeError(f"{sample.name} has no body to learn from; train on folders of `lookalike synthesize`.")
    pelvis = body.joints[:1].astype(np.float64)
    turn = _between(pelvis[0], camera.rays(own.project(pelvis))[0])
    turned = _depths(body_maps, turn)
    middle = float(np.median(np.concatenate([d[body_maps.mask] for d in turned])))
    # the same metres in a unit of the crop, at the other focal length
    shift = CropUnit.of(body_maps).middle * camera.focal / own.focal - middle

    def seen(maps: Maps) -> Maps:
        front, back = ((n @ turn.T).astype(np.float32) for n in (maps.normals_front, maps.normals_back))
        near, far = ((d + shift).astype(np.float32) for d in _depths(maps, turn))
        return Maps(camera, front, back, near, far, maps.mask)

    def brought(points: np.ndarray) -> np.ndarray:
        depth = shift - (points @ turn.T)[:, 2]
        return (camera.rays(own.project(points)) * depth[:, None]).astype(np.float32)

    moved = replace(body, vertices=brought(body.vertices), joints=brought(body.joints), camera=camera)
    return replace(sample, camera=camera, body=moved, body_maps=seen(body_maps), maps=seen(sample.maps), pieces=())


def _between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(3, 3) the smallest turn of a's direction into b's."""
    axis = np.cross(a, b)
    sine, cosine = np.linalg.norm(axis), float(a @ b)
    return Rotation.from_rotvec(axis / max(sine, 1e-12) * np.arctan2(sine, cosine)).as_matrix()


def _depths(maps: Maps, turn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(h, w) each: depths in front and behind of what the maps show, turned about the camera."""
    camera = maps.camera
    v, u = np.mgrid[: camera.height, : camera.width] + 0.5
    rays = camera.rays(np.stack([u, v], -1).reshape(-1, 2)).reshape(camera.height, camera.width, 3)
    along = -(rays @ turn[2])
    return along * maps.depth_front, along * maps.depth_back
