"""One person of a data set: its picture in, its meshes and their scores out."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lookalike.errors import BodyModelError, LookalikeError
from lookalike.evaluate.mesh_file import file_stem, find_mesh, read_mesh
from lookalike.evaluate.protocols import Protocol, Truth, prepare_truth, score_mesh
from lookalike.evaluate.table import KINDS

if TYPE_CHECKING:
    from lookalike.body.model import Body
    from lookalike.people.datasets import Dataset
    from lookalike.people.scan import Scan
    from lookalike.photo.subject import Photo
    from lookalike.render.view import View
    from lookalike.rig.avatar import Avatar

BodySource = Literal["estimated", "given"]

#: Width and height of the picture of a scan that comes without one.
RENDERED = 1024


@dataclass(frozen=True)
class Subjects:
    """Which people, and with which body they are reconstructed. Fields as in `run.Options`."""

    dataset: str
    path: Path
    split: str | None
    body: BodySource
    body_model: Path | None
    seed: int

    def open(self) -> Dataset:
        """The data set, opened once a process. Raises LookalikeError."""
        return _open(self.dataset, self.path, self.split)


@lru_cache(maxsize=2)
def _open(dataset: str, path: Path, split: str | None) -> Dataset:
    from lookalike.people.datasets import open_dataset

    return open_dataset(dataset, path, split)


def photo_of(scan: Scan) -> tuple[Photo, View]:
    """The picture that a person is reconstructed from, and the camera that took it, in the scan's frame.

    It is the one that comes with the scan; where there is none, or nobody knows its camera, one is rendered. The camera
    is for the evaluation: of its lens the photo tells no more than its file does.
    """
    from lookalike.photo import read_photo
    from lookalike.photo.subject import Photo

    if scan.photo is not None and scan.view is not None:
        photo = read_photo(scan.photo)
        scale = photo.size[0] / scan.view.camera.width
        camera = scan.view.camera
        if photo.size != (camera.width, camera.height):  # large photos are read smaller
            camera = replace(
                camera.window(0, 0, camera.width, camera.height, scale), width=photo.size[0], height=photo.size[1]
            )
        return photo, replace(scan.view, camera=camera)
    from lookalike.people.scan import picture_of

    image, view = picture_of(scan, size=RENDERED)
    rgb = np.ascontiguousarray(image[..., :3])
    return Photo(rgb, image[..., 3].astype(np.float32) / 255), view


def given_body(scan: Scan, view: View, model_file: Path | None) -> Body:
    """The body that the data set publishes with the scan, in the camera frame of its picture, with its fingers.

    model_file : the SMPL-family file that its numbers are for; our own model needs none.
    Raises LookalikeError where there is no body, no file or a wrong one.
    """
    from lookalike.body import load_body

    if scan.body is None:
        raise LookalikeError(f"The data set brings no body for {scan.name}: leave --body given out.")
    if scan.body.kind == "lookalike":
        return scan.body.posed(load_body(), view)
    if model_file is None:
        raise BodyModelError(
            f"The data set's bodies are made with the {scan.body.gender} {scan.body.kind.upper()} model: give its file "
            "with --body-model (docs/body.md)."
        )
    model = load_body(model_file)
    return scan.body.with_fingers(model_file).posed(model, view)


def make_person(scan: Scan, subjects: Subjects) -> Avatar:
    """Reconstruct one person from the picture alone, or from the picture and the given body. Raises LookalikeError."""
    from lookalike.pipeline import find_people, make_avatar, reconstruct

    photo, view = photo_of(scan)
    if subjects.body == "estimated":
        return make_avatar(photo, body_model=subjects.body_model, seed=subjects.seed)
    body = given_body(scan, view, subjects.body_model)
    (subject,) = find_people(photo)
    return reconstruct(subject, body=body, seed=subjects.seed)


def reconstruct_person(scan: Scan, subjects: Subjects, meshes: Path, temporary: Path) -> dict[str, Any]:
    """Make one person and put its meshes into `meshes`/KIND when both are complete; returns facts for the tables.

    temporary : a folder on the same disk.
    """
    from lookalike.export import write_body_glb, write_posed_glb

    start = time.perf_counter()
    avatar = make_person(scan, subjects)
    stem = file_stem(scan.name)
    unfinished = {kind: temporary / f"{stem}_{kind}.glb" for kind in KINDS}
    write_posed_glb(avatar.surface, avatar.material, unfinished["surface"])
    write_body_glb(avatar.body, unfinished["body"])
    for kind, path in unfinished.items():
        os.replace(path, meshes / kind / f"{stem}.glb")
    error = avatar.body.landmark_error
    return {
        "seconds": round(time.perf_counter() - start, 2),
        "landmark_error": None if np.isnan(error) else round(float(error), 5),
    }


def truth_of(scan: Scan, protocol: Protocol) -> Truth:
    """The scan as the protocol looks at it, from its picture's camera. Raises LookalikeError."""
    photo, view = photo_of(scan)
    return prepare_truth(scan, view, photo.alpha, protocol)


def judge(scan: Scan, subjects: Subjects, protocol: Protocol, meshes: Path, why: str | None = None) -> dict[str, Any]:
    """{kind: scores, or {"failed": why}} of the meshes that are there.

    why : the reconstruction failed, and this is why; older meshes are not looked at.
    """
    if why is not None:
        return {kind: {"failed": why} for kind in KINDS}
    present = [kind for kind in KINDS if any((meshes / kind).glob("*"))]
    truth = truth_of(scan, protocol)
    return {kind: _judge(scan.name, truth, meshes / kind, subjects.body == "given") for kind in present}


def _judge(name: str, truth: Truth, folder: Path, metric: bool) -> dict[str, Any]:
    path = find_mesh(folder, name)
    if path is None:
        return {"failed": "there is no mesh"}
    start = time.perf_counter()
    try:
        vertices, faces = read_mesh(path)
        scores = score_mesh(vertices, faces, truth, metric)
    except (LookalikeError, OSError, ValueError, ArithmeticError, np.linalg.LinAlgError, MemoryError) as error:
        return {"failed": f"{type(error).__name__}: {error}"[:200]}
    return scores.as_json() | {"seconds_to_judge": round(time.perf_counter() - start, 2)}
