"""Synthetic people as the pipeline meets them: a photo in which somebody is found and a body is fitted, and the truth.

What learns to build on estimates must see the faults that estimates have. Finding and fitting takes seconds a person, so
a folder keeps what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.body import fit_body
from lookalike.body.model import Body, BodyModel
from lookalike.camera import Camera
from lookalike.errors import LookalikeError
from lookalike.export.output import output_errors
from lookalike.people.sample import LABELS, Sample
from lookalike.people.solid import Solid, outer_surface
from lookalike.people.store import read_sample, write_sample
from lookalike.photo import find_subjects
from lookalike.photo.subject import Hand, Subject
from lookalike.train.fits import BODY, as_photo

_SUBJECT = ("box", "matte", "landmarks", "visibility", "world")


@dataclass(frozen=True)
class Fitted:
    """A synthetic person and what the first stages made of their picture.

    sample : the truth, without its pieces.  solid : the person's outer surface in the frame of the sample's camera.
    offset : (x, y) whole pixels of the photo at which the sample's picture lies in it.
    subject : found in the photo, whose middle is the principal point.  body : fitted to it, in the photo's assumed camera.
    """

    sample: Sample
    solid: Solid
    offset: tuple[int, int]
    subject: Subject
    body: Body

    @property
    def camera(self) -> Camera:
        """The true camera with the photo's pixels."""
        (x, y), (width, height) = self.offset, self.subject.photo.size
        own = self.sample.camera
        return replace(own, cx=own.cx + x, cy=own.cy + y, width=width, height=height)


def fit_sample(sample: Sample, model: BodyModel) -> Fitted:
    """Find and fit the person of a sample that has its pieces. Raises NoPersonError."""
    photo, offset = as_photo(sample)
    subject = find_subjects(photo, "largest")[0]
    body = fit_body(subject, model, seed=0, device="cpu")
    return Fitted(sample, outer_surface(sample.pieces, LABELS), offset, subject, body)


def write_fitted(person: Fitted, path: Path) -> None:
    """Two files: PATH.npz and PATH.truth.npz. Raises OutputError."""
    subject, solid = person.subject, person.solid
    arrays: dict[str, Any] = {name: getattr(subject, name) for name in _SUBJECT}
    arrays["matte"] = np.rint(255 * subject.matte).astype(np.uint8)
    if subject.face is not None:
        arrays["face"] = subject.face
    for side, hand in (("left", subject.left_hand), ("right", subject.right_hand)):
        if hand is not None:
            arrays |= {f"{side}_pixels": hand.pixels, f"{side}_world": hand.world, side: hand.confidence}
    arrays |= {name: getattr(person.body, name) for name in BODY}
    arrays |= {"offset": np.array(person.offset), "solid_vertices": solid.vertices, "solid_faces": solid.faces}
    arrays |= {"solid_label": solid.label, "solid_colour": solid.colour}
    with output_errors(path):
        write_sample(person.sample, path.with_suffix(".truth.npz"))
        temporary = path.with_name(f".{path.name}.part")
        try:
            with temporary.open("wb") as file:
                np.savez_compressed(file, **arrays)
            temporary.replace(path.with_suffix(".npz"))
        finally:
            temporary.unlink(missing_ok=True)


def read_fitted(path: Path, model: BodyModel) -> Fitted:
    """What `write_fitted` wrote. Raises LookalikeError."""
    sample = read_sample(path.with_suffix(".truth.npz"))
    try:
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as file:
            a = {name: file[name] for name in file.files}
        hands = [
            Hand(a[f"{side}_pixels"], a[f"{side}_world"], float(a[side])) if side in a else None
            for side in ("left", "right")
        ]
        photo, offset = as_photo(sample)
        a["matte"] = a["matte"].astype(np.float32) / 255
        left, right = hands
        found: dict[str, Any] = {name: a[name] for name in _SUBJECT}
        subject = Subject(photo=photo, **found, left_hand=left, right_hand=right, face=a.get("face"), confidence=1.0)
        camera = Camera.for_photo(*photo.size)
        body = model.posed(
            a["betas"], a["pose"], a["translation"], camera, float(a["scale"]), float(a["landmark_error"])
        )
        solid = Solid(a["solid_vertices"], a["solid_faces"], a["solid_label"], a["solid_colour"])
    except Exception as error:  # whatever a damaged file leads to
        raise LookalikeError(
            f"Cannot read the fitted person {path}: {error}; delete it, and it is made anew."
        ) from None
    return Fitted(sample, solid, offset, subject, body)
