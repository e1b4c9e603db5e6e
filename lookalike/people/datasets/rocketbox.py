"""Microsoft Rocketbox people with a picture and its camera: a folder a person in, `Scan`s out.

A test set only: nothing is ever trained on or tuned to these people. A person's folder holds `image.png` (1280 x 720,
with alpha), `mesh.npz` (centimetres) and `camera.json` (X = R V + T, pinhole). There is no texture: the picture is the
only colour. Faces of a material named "..._opacity" are hair cards whose alpha is not known.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from lookalike.camera import Camera
from lookalike.errors import LookalikeError
from lookalike.people.datasets.dataset import Dataset, chosen
from lookalike.people.scan import Scan
from lookalike.render.view import View

#: Metres per unit of the files.
UNIT = 0.01


def open_rocketbox(path: Path, split: str | None = None) -> Dataset:
    """The people in a folder. Split: None or a list of names."""
    names = [p.parent.name for p in path.glob("*/mesh.npz") if (p.parent / "camera.json").is_file()]
    if not names:
        raise LookalikeError(f"{path} holds no Rocketbox people (folders with mesh.npz, camera.json and image.png).")
    return Dataset("rocketbox", chosen(names, path, split), lambda name: _read(path / name))


def _read(folder: Path) -> Scan:
    photo = folder / "image.png"
    if not photo.is_file():
        raise LookalikeError(f"{folder} lacks its picture image.png.")
    try:
        with np.load(folder / "mesh.npz", allow_pickle=False) as file:
            vertices, faces = UNIT * file["vertices"].astype(np.float64), file["faces"].astype(np.int32)
            cards = np.array(["opacity" in str(m) for m in file["material_names"]])[file["face_material"]]
        said = json.loads((folder / "camera.json").read_text(encoding="utf-8"))
        focal, cx, cy = (float(said[key]) for key in ("f", "cx", "cy"))
        camera = Camera(focal, cx, cy, int(said["width"]), int(said["height"]))
        rotation, shift = np.array(said["R"], np.float64), UNIT * np.array(said["T"], np.float64)
        view = View(camera, rotation, -rotation.T @ shift)
    except (OSError, KeyError, ValueError, TypeError, IndexError) as error:
        raise LookalikeError(f"{folder} is damaged ({error}): please copy it again.") from None
    return Scan(folder.name, vertices, faces, cards=cards, photo=photo, view=view)
