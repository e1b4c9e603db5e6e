"""A photo to its people: `find_subjects`."""

from __future__ import annotations

from typing import Literal

import numpy as np

from lookalike.errors import NoPersonError
from lookalike.photo.detect import Person, find_people, read_again
from lookalike.photo.landmarks import find_face, find_hands
from lookalike.photo.matte import find_mattes
from lookalike.photo.patch import Frame, Pyramid
from lookalike.photo.subject import Photo, Subject


def find_subjects(photo: Photo, person: Literal["largest", "all"] | int = "largest") -> list[Subject]:
    """The people of a photo, from left to right.

    person : "largest" (by the matte's area and height), "all", or the number of one counted from the left, from 1.

    Raises
    ------
    NoPersonError : nobody is there, or not that many. ValueError : `person` is none of these.
    """
    number = person if isinstance(person, int) and not isinstance(person, bool) else None
    if number is None and person not in ("largest", "all"):
        raise ValueError(f'person must be "largest", "all" or a number from 1, not {person!r}')
    pyramid = Pyramid(photo.opaque())
    people = sorted(find_people(pyramid), key=lambda one: float(one.landmarks[[11, 12, 23, 24], 0].mean()))
    if not people:
        raise NoPersonError("No person was found: use a photo that shows a person clearly, head to feet if possible.")
    if number is not None and not 1 <= number <= len(people):
        count = "one person" if len(people) == 1 else f"{len(people)} people"
        raise NoPersonError(f"There is no person {number} in the photo: it shows {count}, counted from the left.")
    if person == "largest":
        wanted = [max(range(len(people)), key=lambda i: _size(people[i], photo.size))]
    else:
        wanted = [number - 1] if number is not None else list(range(len(people)))
    people = read_again(pyramid, people)
    mattes = find_mattes(pyramid, people, wanted, photo.alpha)
    found = [(people[i], matte) for i, matte in zip(wanted, mattes, strict=True) if (matte > 0.5).any()]
    if not found:
        raise NoPersonError("The person cannot be told from the background: use a photo with a plainer background.")
    return [_subject(photo, pyramid, one, matte) for one, matte in found]


def _size(one: Person, size: tuple[int, int]) -> float:
    """How large a person is in the frame: the mask's area in it."""
    frame = Frame.whole(*size, 512)
    return float((one.patch.paste(one.mask, frame) > 0.5).sum())


def _subject(photo: Photo, pyramid: Pyramid, one: Person, matte: np.ndarray) -> Subject:
    left, right = find_hands(pyramid, one)
    columns, rows = np.nonzero((matte > 0.5).any(0))[0], np.nonzero((matte > 0.5).any(1))[0]
    return Subject(
        photo=photo,
        box=np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64),
        matte=matte,
        landmarks=one.landmarks.astype(np.float32),
        visibility=one.visibility.astype(np.float32),
        world=(one.world - one.world[[23, 24]].mean(0)).astype(np.float32),
        left_hand=left,
        right_hand=right,
        face=find_face(pyramid, one),
        confidence=float(np.clip(one.score, 0, 1)),
    )
