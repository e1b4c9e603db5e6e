"""AGORA (Patel et al., 2021): rendered pictures of several people, data frames and SMPL-X fits in, `Scan`s out.

The clothed scans themselves are sold by their makers and no part of the set: a `Scan`'s surface is the person's SMPL-X
fit, so normals and depths are the body's, not the clothes'. Use it for bodies and cameras.

Folder, from the set's archives unpacked side by side:

- data frames `train_0.pkl` ... `validation_9.pkl` (or `..._withjv.pkl`), as in `Cam/` or `SMPLX/`; one row a picture;
- `smplx_gt/.../NAME.obj` and `NAME.pkl`: each person's fit;
- pictures, 3840 x 2160 or `..._1280x720.png`, as in `train_0/`, `validation/`.

Frames as the set has them: the fit stands in its own frame, Y up. `X, Y, Z` (cm) and `Yaw` (degrees) put it into a world
with X ahead, Y right and Z up (Unreal's); a picture's name tells the lens, and for most sets of pictures the camera too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from lookalike.camera import Camera
from lookalike.errors import LookalikeError
from lookalike.people.datasets.data_frames import read_data_frame
from lookalike.people.datasets.dataset import Dataset, chosen
from lookalike.people.datasets.fits import read_parameters, smplx_fit, values
from lookalike.people.datasets.meshes import read_scan_mesh
from lookalike.people.scan import Scan
from lookalike.render.view import View

#: Width in millimetres of the sensor that all lenses are given for.
SENSOR = 36.0

_ROW = ("imgPath", "camX", "camY", "camZ", "camYaw")
_PERSON = ("X", "Y", "Z", "Yaw", "gender", "kid", "isValid", "gt_path_smplx")
_FRAME = re.compile(r"(train|validation)_\d+(_withjv)?\.pkl")


@dataclass(frozen=True)
class Rig:
    """The camera of one kind of picture. lens : mm.  place : cm, Unreal's axes.  yaw, pitch : degrees."""

    lens: float
    place: tuple[float, float, float]
    yaw: float = 0.0
    pitch: float = 0.0


#: A word of a picture's name -> its camera; the first that fits counts.
_RIGS = {
    "hdri": Rig(50, (0, 0, 170)),
    "cam00": Rig(18, (400, -275, 265), 135, 30),
    "cam01": Rig(18, (400, 225, 265), -135, 30),
    "cam02": Rig(18, (-490, 170, 265), -45, 30),
    "cam03": Rig(18, (-490, -275, 265), 45, 30),
    "ag2": Rig(28, (0, 0, 170), 0, 15),
}
#: All others have the data frame's camera, with this lens, this much (cm) above what the frame says.
_LENS, _RAISED = 28.0, 170.0


@dataclass(frozen=True)
class Person:
    """One person of one picture, as the data frames have it. Lengths in cm, angles in degrees."""

    picture: str
    camera: tuple[float, float, float, float]
    place: tuple[float, float, float]
    yaw: float
    gender: str
    kid: bool
    fit: str


class _Folder:
    """An unpacked AGORA."""

    def __init__(self, path: Path, splits: tuple[str, ...]):
        self.path = path
        self.people: dict[str, Person] = {}
        for file in self._frames(splits):
            self.people |= dict(_people(file))

    def _frames(self, splits: tuple[str, ...]) -> list[Path]:
        found: dict[str, Path] = {}
        for level in range(4):
            for file in sorted(self.path.glob("*/" * level + "*.pkl")):
                match = _FRAME.fullmatch(file.name)
                if match and match[1] in splits:
                    # With joints and vertices, or without: the same people. The short file is read faster.
                    found.setdefault(file.name.replace("_withjv", ""), file)
                    if match[2] is None:
                        found[file.name] = file
        if not found:
            raise LookalikeError(
                f"{self.path} holds none of AGORA's data frames for {' or '.join(splits)} (such as "
                f"Cam/{splits[0]}_0.pkl): unpack the camera data frames there (docs/datasets.md)."
            )
        return [found[name] for name in sorted(found)]

    @cached_property
    def pictures(self) -> dict[str, Path]:
        """File names of all pictures."""
        out: dict[str, Path] = {}
        for level in range(4):
            for file in sorted(self.path.glob("*/" * level + "*.png")):
                out.setdefault(file.name, file)
        return out

    def scan(self, name: str) -> Scan:
        from PIL import Image

        person = self.people[name]
        mesh = read_scan_mesh(self._fit(person, ".obj"))
        photo = self._picture(person)
        try:
            with Image.open(photo) as image:
                width, height = image.size
        except OSError as error:
            raise LookalikeError(f"Cannot read the picture {photo}: {error}.") from None
        body = None
        if not person.kid:  # children have a model of their own, between SMPL-X and an infant's
            file = self._fit(person, ".pkl")
            parameters = read_parameters(file)
            body = smplx_fit(parameters, file, gender=person.gender, translation=values(parameters, "transl", file, 3))
        return Scan(name, mesh.vertices, mesh.faces, photo=photo, view=view_of(person, width, height), body=body)

    def _fit(self, person: Person, suffix: str) -> Path:
        inside = PurePosixPath(person.fit).with_suffix(suffix)
        if inside.is_absolute() or ".." in inside.parts:
            raise LookalikeError(f"A data frame in {self.path} names {inside}, which lies outside: do not use it.")
        for root in (self.path, self.path / "GT_fits", self.path / "smplx_gt"):
            if (root / inside).is_file():
                return root / inside
        raise LookalikeError(f"AGORA's fit {self.path / inside} is missing: unpack smplx_gt.zip there.")

    def _picture(self, person: Person) -> Path:
        name = PurePosixPath(person.picture).name
        for file in (name, name.replace(".png", "_1280x720.png"), name.replace("_1280x720", "")):
            if file in self.pictures:
                return self.pictures[file]
        raise LookalikeError(f"AGORA's picture {name} is not in {self.path}: unpack the pictures of its split there.")


def open_agora(path: Path, split: str | None = None) -> Dataset:
    """Every person whom AGORA calls valid, as "PICTURE_person03". Split: None, "train", "validation" or a list of names."""
    published = split in ("train", "validation")
    folder = _Folder(path, (str(split),) if published else ("train", "validation"))
    return Dataset("agora", chosen(folder.people, path, None if published else split), folder.scan)


def view_of(person: Person, width: int, height: int) -> View:
    """The camera of a picture of width x height pixels, in the frame of a person's fit."""
    x, y, z, yaw = person.camera
    rig = next((r for word, r in _RIGS.items() if word in person.picture), Rig(_LENS, (x, y, z + _RAISED), yaw))
    flip = np.diag([1.0, -1.0, -1.0])  # between Y up, seen along -Z, and Y down, seen along +Z
    turn = _about_y(person.yaw - 90) @ flip  # the set's scans are stored a quarter turn off
    look = _about_x(rig.pitch) @ _about_y(-rig.yaw)
    shift = _from_unreal(person.place) - _from_unreal(rig.place)
    rotation = flip @ look @ turn
    focal = rig.lens / SENSOR * width
    return View(Camera(focal, width / 2, height / 2, width, height), rotation, -rotation.T @ (flip @ look @ shift))


def _people(file: Path) -> Iterator[tuple[str, Person]]:
    table = read_data_frame(file, (*_ROW, *_PERSON))
    try:
        for i, picture in enumerate(table["imgPath"]):
            camera = tuple(0.0 if v is None else float(v) for v in (table[k][i] for k in _ROW[1:]))
            for j, valid in enumerate(table["isValid"][i]):
                if valid:
                    said: dict[str, Any] = {k: table[k][i][j] for k in _PERSON}
                    yield (
                        f"{PurePosixPath(picture).stem.removesuffix('_1280x720')}_person{j:02d}",
                        Person(
                            str(picture),
                            (camera[0], camera[1], camera[2], camera[3]),
                            (float(said["X"]), float(said["Y"]), float(said["Z"])),
                            float(said["Yaw"]),
                            str(said["gender"]),
                            bool(said["kid"]),
                            str(said["gt_path_smplx"]),
                        ),
                    )
    except (TypeError, ValueError, IndexError, KeyError):
        raise LookalikeError(
            f"The data frame {file} is none of AGORA's: use the camera data frames as published."
        ) from None


def _from_unreal(place: tuple[float, float, float]) -> np.ndarray:
    """Centimetres (ahead, right, up) as metres (right, down, ahead)."""
    ahead, right, up = place
    return np.array([right, -up, ahead]) / 100


def _about_y(degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def _about_x(degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
