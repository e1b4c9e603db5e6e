"""People of a photo, one by one: where each is and the pose of each, before mattes, hands and faces.

The pose detector is made for one person who fills the picture and sees at most a few at once, so it looks through
windows of several sizes. Every find is read by the pose network in a window of its own, again in the window that this
reading gives (so that the network sees the person upright and at the size it was trained on), and people found twice
are merged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lookalike.photo.claims import figure
from lookalike.photo.graphs import DETECTOR_SIZE, POSE_SIZE, PoseReading, detect_people, read_pose
from lookalike.photo.patch import Frame, Patch, Pyramid, centred

#: MediaPipe's world axes (y down, z away) to the contract's (y up, z towards the camera).
AXES = np.array([1, -1, -1], np.float32)
#: Landmarks that say whether two readings are of one person: nose, ears, shoulders, hips, knees.
_ANCHORS = [0, 7, 8, 11, 12, 23, 24, 25, 26]
#: Readings under this (presence times mean visibility) are not people.
MIN_SCORE = 0.5
#: The same where other people were painted out, which leaves odd shapes.
MIN_SCORE_BEHIND = 0.65
#: People under this share of the largest one's size are passers-by.
MIN_SIZE = 0.25
#: MediaPipe's landmarks with left and right exchanged.
MIRROR = np.array([0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9] + [i + 1 if i % 2 else i - 1 for i in range(11, 33)])


@dataclass(frozen=True)
class Person:
    """A person's pose.

    landmarks : (33, 2) photo pixels. visibility : (33,). world : (33, 3) metres in the contract's camera axes (x right,
    y up, z towards the camera). mask : (N, N) soft mask in the window `patch`. score : 0..1.
    """

    landmarks: np.ndarray
    visibility: np.ndarray
    world: np.ndarray
    mask: np.ndarray
    patch: Patch
    score: float

    @property
    def radius(self) -> float:
        """Half the side of the body's own square, photo pixels."""
        return self.patch.side / 2.5


def find_people(pyramid: Pyramid) -> list[Person]:
    """Every person whose pose can be read, best first."""
    people = _new(pyramid, [])
    if people:
        # Whoever stands in front draws the networks to himself: look once more with everyone found painted out.
        people += _new(_without(pyramid, people), people)
    largest = max((person.radius for person in people), default=0.0)
    return [person for person in people if person.radius > MIN_SIZE * largest]


def _new(pyramid: Pyramid, known: list[Person]) -> list[Person]:
    """People who are not among the `known` ones, best first."""
    width, height = pyramid.size
    windows = _windows(width, height)
    if len(known) == 1:
        windows = [window for window in windows if window.side > 0.6 * max(width, height)]
    found = [person for patch in _candidates(pyramid, windows) if (person := _read(pyramid, patch)) is not None]
    found = [person for person in found if person.score >= (MIN_SCORE_BEHIND if known else MIN_SCORE)]
    found.sort(key=lambda person: -person.score * _usual(person) * person.radius**0.25)
    new: list[Person] = []
    for person in found:
        if not any(_same(person, other) or _share_inside(person, other) > 0.6 for other in [*known, *new]):
            new.append(person)
    return new


def _usual(person: Person) -> float:
    """A little less than 1 for people who do not stand upright: in a wrongly turned window a runner can be read as
    somebody who falls, with as good a score."""
    return 1 - 0.06 * (1 - float(np.cos(person.patch.angle)))


def _without(pyramid: Pyramid, people: list[Person], but: Person | None = None) -> Pyramid:
    """The photo with people painted over in the colours around them, all `but` the body of one."""
    import cv2

    width, height = pyramid.size
    frame = Frame.whole(width, height, 1280)
    small = cv2.resize(pyramid.levels[0], frame.size, interpolation=cv2.INTER_AREA)
    # Only the limbs and what is close to them: masks of people in front leak into those behind.
    mask = np.max([figure(person, frame) * (person.patch.paste(person.mask, frame) > 0.3) for person in people], 0)
    reach = 2 * int(0.04 * frame.scale * max(person.radius for person in people)) + 3
    hidden = cv2.dilate(mask.astype(np.uint8), np.ones((reach, reach), np.uint8)).astype(np.float32)[..., None]
    if but is not None:
        hidden[(figure(but, frame) > 0) & (but.patch.paste(but.mask, frame) > 0.5)] = 0
    # The colours around are smooth: they are spread at a small size, from far to near.
    tiny = cv2.resize(hidden, (96, 96), interpolation=cv2.INTER_AREA)
    seen = cv2.resize(small * (1 - hidden), (96, 96), interpolation=cv2.INTER_AREA)
    around = np.broadcast_to(seen.sum((0, 1)) / max(float((1 - tiny).sum()), 1.0), seen.shape).astype(np.float32)
    for sigma in (10.0, 4.0, 1.5):
        weight = cv2.GaussianBlur(1 - tiny, (0, 0), sigma)[..., None]
        sure = np.clip(weight * 4, 0, 1)
        around = cv2.GaussianBlur(seen, (0, 0), sigma) / np.maximum(weight, 1e-6) * sure + around * (1 - sure)
    around = cv2.resize(around, frame.size, interpolation=cv2.INTER_LINEAR)
    return Pyramid((small * (1 - hidden) + around * hidden).astype(np.uint8), (width, height))


def _windows(width: int, height: int) -> list[Patch]:
    """The whole photo, then overlapping squares of falling size."""
    longest = max(width, height)
    windows = [Patch(width / 2, height / 2, longest, angle) for angle in (0.0, np.pi)]
    for side in (0.75 * longest, 0.5 * longest, 0.35 * longest):
        if side < DETECTOR_SIZE / 4:
            break
        columns, rows = (max(1, int(np.ceil((extent - side) / (0.5 * side))) + 1) for extent in (width, height))
        for row in range(rows):
            for column in range(columns):
                x, y = (
                    (extent / 2 if count == 1 else side / 2 + index * (extent - side) / (count - 1))
                    for extent, count, index in ((width, columns, column), (height, rows, row))
                )
                windows.append(Patch(x, y, side))
    return windows


def _candidates(pyramid: Pyramid, windows: list[Patch]) -> list[Patch]:
    """Windows of people, each person once or a few times, most certain first."""
    finds: list[tuple[float, Patch]] = []
    for window in windows:
        for found in detect_people(pyramid.cut(window, DETECTOR_SIZE, "black")):
            hips, top = window.to_photo(np.stack([found.hips, found.top]), DETECTOR_SIZE)
            patch = Patch.around(hips, top)
            # A circle far larger than its window is a guess at what the window does not show.
            if 0.1 * window.side < patch.side < 3 * window.side:
                finds.append((found.score, patch))
    finds.sort(key=lambda find: -find[0])
    kept: list[Patch] = []
    for _, patch in finds:
        if not any(_alike(patch, other) for other in kept):
            kept.append(patch)
    return kept[:40]


def _alike(a: Patch, b: Patch) -> bool:
    smaller, larger = sorted((a.side, b.side))
    turned = abs((a.angle - b.angle + np.pi) % (2 * np.pi) - np.pi)
    return bool(np.hypot(a.x - b.x, a.y - b.y) < 0.1 * smaller and larger < 1.4 * smaller and turned < 0.7)


def _read(pyramid: Pyramid, patch: Patch, rounds: int = 3) -> Person | None:
    """Read the pose in a window, then in the window that the reading gives, until it stays where it is."""
    reading = None
    for _ in range(rounds):
        again = read_pose(pyramid.cut(patch, POSE_SIZE))
        if again is None:
            return None
        reading, used = again, patch
        patch = Patch.around(*used.to_photo(reading.circle, POSE_SIZE))
        if _alike(patch, used) and abs(patch.side / used.side - 1) < 0.05:
            break
    return _person(reading, used) if reading is not None else None


def read_again(pyramid: Pyramid, people: list[Person]) -> list[Person]:
    """The same people, read more carefully: each one without those who stand close, and as a mean of readings."""
    careful = []
    for person in people:
        close = [other for other in people if other is not person and _touch(person, other)]
        photo = _without(pyramid, close, person) if close else pyramid
        alone = _read(photo, person.patch) if close else None
        if alone is not None and alone.score > person.score and _same(alone, person, 0.4):
            person = alone
        careful.append(_mean_reading(photo, person))
    return careful


def _touch(a: Person, b: Person) -> bool:
    """Whether two people's boxes overlap."""
    corners = [(p.landmarks.min(0) - 0.1 * p.radius, p.landmarks.max(0) + 0.1 * p.radius) for p in (a, b)]
    return bool((corners[0][0] < corners[1][1]).all() and (corners[1][0] < corners[0][1]).all())


def _mean_reading(pyramid: Pyramid, person: Person) -> Person:
    """The same person, the mean of several readings: mirrored, a little larger and smaller.

    It halves the jitter of single readings and makes the mask's outline finer. A reading that disagrees (it took the
    left leg for the right one, say) is left out.
    """
    base = person.patch
    readings = []
    for scale, mirrored in ((1.0, False), (1.0, True), (1.12, False), (0.92, True)):
        patch = Patch(base.x, base.y, base.side * scale, base.angle, mirrored)
        reading = read_pose(pyramid.cut(patch, POSE_SIZE))
        if reading is not None:
            readings.append((_person(_exchanged(reading) if mirrored else reading, patch), patch))
    if not readings:
        return person
    points = np.stack([one.landmarks for one, _ in readings])
    off = np.median(np.linalg.norm(points - np.median(points, 0), axis=2), 1)
    kept = [one for (one, _), o in zip(readings, off, strict=True) if o < 0.06 * person.radius] or [person]
    to_base = base.matrix(POSE_SIZE)
    mask = np.mean([_moved(one.mask, patch, to_base) for one, patch in readings], 0)
    return Person(
        np.mean([one.landmarks for one in kept], 0),
        np.mean([one.visibility for one in kept], 0),
        np.mean([one.world for one in kept], 0),
        mask,
        base,
        max(one.score for one in kept),
    )


def _exchanged(reading: PoseReading) -> PoseReading:
    """A reading of a mirrored window with left and right named as in the photo."""
    return replace(
        reading,
        landmarks=reading.landmarks[MIRROR],
        visibility=reading.visibility[MIRROR],
        presence=reading.presence[MIRROR],
        world=reading.world[MIRROR],
    )


def _moved(mask: np.ndarray, patch: Patch, target: np.ndarray) -> np.ndarray:
    """A window's mask resampled into another window of as many pixels, whose (2, 3) matrix is `target`."""
    import cv2

    size = mask.shape[0]
    source = np.vstack([patch.matrix(size), [0, 0, 1]])
    both = np.vstack([target, [0, 0, 1]]) @ np.linalg.inv(source)
    return cv2.warpAffine(mask, centred(both[:2]), (size, size), flags=cv2.INTER_LINEAR)


def _person(reading: PoseReading, patch: Patch) -> Person:
    landmarks = patch.to_photo(reading.landmarks[:, :2], POSE_SIZE)
    world = patch.turn_to_photo(reading.world) * AXES
    score = reading.score * float(reading.visibility.mean())
    return Person(landmarks, reading.visibility, world, reading.mask, patch, score)


def _same(a: Person, b: Person, within: float = 0.2) -> bool:
    """Whether two readings are of one person: their bodies' anchor points are close, for the size of the smaller."""
    weight = np.minimum(a.visibility, b.visibility)[_ANCHORS] + 1e-3
    distance = np.linalg.norm(a.landmarks[_ANCHORS] - b.landmarks[_ANCHORS], axis=1)
    return float((weight * distance).sum() / weight.sum()) < within * min(a.radius, b.radius)


def _share_inside(a: Person, b: Person) -> float:
    """The share of a's body (its visible landmarks and its mask) that b's mask covers already."""
    size = b.mask.shape[0]
    at = np.floor(_apply(b.patch.matrix(size), a.landmarks)).astype(int)
    seen = (a.visibility > 0.5) & (at >= 0).all(1) & (at < size).all(1)
    points = np.zeros(len(at))
    points[seen] = b.mask[at[seen, 1], at[seen, 0]] > 0.5
    by_points = float((points * a.visibility).sum() / a.visibility.sum())

    v, u = np.nonzero(a.mask > 0.5)
    if len(u) == 0:
        return 1.0
    pixels = a.patch.to_photo(np.stack([u, v], 1) + 0.5, a.mask.shape[0])
    at = np.floor(_apply(b.patch.matrix(size), pixels)).astype(int)
    seen = (at >= 0).all(1) & (at < size).all(1)
    by_mask = float((b.mask[at[seen, 1], at[seen, 0]] > 0.5).sum() / len(u))
    return max(by_points, by_mask)


def _apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]
