"""Hands and face of a person whose pose is known: windows from the pose, read, aimed again by what was read."""

from __future__ import annotations

import numpy as np

from lookalike.photo.detect import AXES, Person
from lookalike.photo.graphs import FACE_SIZE, HAND_SIZE, FaceReading, HandReading, read_face, read_hand
from lookalike.photo.patch import Patch, Pyramid
from lookalike.photo.subject import POSE_LANDMARKS, Hand

_INDEX = {name: i for i, name in enumerate(POSE_LANDMARKS)}
#: Palm and lower finger joints: they frame the hand network's window (fingertips move too much).
_PALM = [0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]
#: Sides of the windows of a hand and of a head, metres: a little more than twice a palm, 1.5 times a head.
_HAND_SIDE, _HEAD_SIDE = 0.36, 0.34
#: Hands and faces smaller than this share nothing that the pose does not know, photo pixels.
_MIN_SIDE = 24.0


def pixels_per_metre(person: Person) -> float:
    """The picture's scale at the person, from the torso and thighs as seen and in metres."""
    names = ("left_shoulder", "right_shoulder", "left_hip", "right_hip", "left_knee", "right_knee")
    index = [_INDEX[name] for name in names]
    seen = person.landmarks[index] - person.landmarks[index].mean(0)
    metric = person.world[index][:, :2] - person.world[index][:, :2].mean(0)
    return float(np.sqrt((seen**2).sum() / max((metric**2).sum(), 1e-6)))


def _aim(points: np.ndarray, up: np.ndarray, scale: float, lift: float = 0.0) -> Patch:
    """The upright window round points (k, 2), `up` being the direction in the photo that shall point up in it."""
    angle = float(np.arctan2(up[0], -up[1]))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turned = points @ turn.T
    low, high = turned.min(0), turned.max(0)
    extent = float((high - low).max())
    x, y = ((low + high) / 2 - [0, lift * extent]) @ turn
    return Patch(float(x), float(y), scale * extent, angle)


def find_hands(pyramid: Pyramid, person: Person) -> tuple[Hand | None, Hand | None]:
    """The person's left and right hand, None where it is hidden, out of the frame or too small."""
    hands = [_find_hand(pyramid, person, side) for side in ("left", "right")]
    left, right = hands
    if left and right:
        size = np.ptp(left.pixels, axis=0).max()
        if np.linalg.norm(left.pixels - right.pixels, axis=1).mean() < 0.4 * size:
            # Both windows show one hand: it belongs to the nearer wrist, or to the side it looks like.
            if left.confidence >= right.confidence:
                right = None
            else:
                left = None
    return left, right


def _find_hand(pyramid: Pyramid, person: Person, side: str) -> Hand | None:
    wrist, index, pinky, elbow = (
        person.landmarks[_INDEX[f"{side}_{part}"]] for part in ("wrist", "index", "pinky", "elbow")
    )
    metre = pixels_per_metre(person)
    width, height = pyramid.size
    knuckles = (2 * index + pinky) / 3
    if not (-0.1 * width < knuckles[0] < 1.1 * width and -0.1 * height < knuckles[1] < 1.1 * height):
        return None
    forearm = (wrist - elbow) / max(float(np.linalg.norm(wrist - elbow)), 1e-6)
    windows = []
    for up in (knuckles - wrist, forearm):
        if np.linalg.norm(up) > 1e-3:
            x, y = wrist + 0.09 * metre * up / np.linalg.norm(up)
            windows.append(Patch(float(x), float(y), _HAND_SIDE * metre, float(np.arctan2(up[0], -up[1]))))
            x, y = knuckles
            windows.append(Patch(float(x), float(y), 1.25 * _HAND_SIDE * metre, float(np.arctan2(up[0], -up[1]))))
    best: tuple[float, HandReading, Patch] | None = None
    for window in windows:
        if window.side < _MIN_SIDE:
            return None
        for _ in range(3):
            reading = read_hand(pyramid.cut(window, HAND_SIZE))
            if reading is None:
                break
            points = window.to_photo(reading.landmarks, HAND_SIZE)
            size = max(float(np.ptp(points, axis=0).max()), 1e-6)
            off = float(np.linalg.norm(points[0] - wrist)) / max(size, 0.12 * metre)
            likely = reading.left if side == "left" else 1 - reading.left
            value = reading.score * (0.4 + 0.6 * likely) * float(np.clip(1.6 - off, 0, 1))
            if 0.05 * metre < size < 0.35 * metre and (best is None or value > best[0]):
                best = value, reading, window
            window = _aim(points[_PALM], points[[5, 9, 13]].mean(0) - points[0], 2.0, 0.1)
            if not 0.4 * _HAND_SIDE * metre < window.side < 2 * _HAND_SIDE * metre:
                break
        if best is not None and best[0] > 0.85:
            break
    if best is None or best[0] < 0.25:
        return None
    value, reading, window = best
    world = window.turn_to_photo(reading.world) * AXES
    return Hand(window.to_photo(reading.landmarks, HAND_SIZE), world - world.mean(0), float(value))


def find_face(pyramid: Pyramid, person: Person) -> np.ndarray | None:
    """(478, 3) float32: pixels (u, v) and depth in pixels (larger is nearer), or None when no face is to be seen."""
    names = ("nose", "left_eye", "right_eye", "mouth_left", "mouth_right")
    nose, left_eye, right_eye, left_mouth, right_mouth = (person.landmarks[_INDEX[name]] for name in names)
    metre = pixels_per_metre(person)
    up = (left_eye + right_eye) / 2 - (left_mouth + right_mouth) / 2
    if np.linalg.norm(up) < 1e-3 or _HEAD_SIDE * metre < _MIN_SIDE or _looks_away(person):
        return None
    best: tuple[FaceReading, Patch] | None = None
    for scale in (1.0, 0.75, 1.4):
        x, y = (left_eye + right_eye + left_mouth + right_mouth + nose) / 5
        window = Patch(float(x), float(y), scale * _HEAD_SIDE * metre, float(np.arctan2(up[0], -up[1])))
        for _ in range(3):
            reading = read_face(pyramid.cut(window, FACE_SIZE))
            if reading is None:
                break
            points = window.to_photo(reading.landmarks[:, :2], FACE_SIZE)
            if np.linalg.norm(points.mean(0) - nose) > 0.14 * metre:
                break
            best = reading, window
            window = _aim(points, points[10] - points[152], 1.5)
        if best is not None:
            break
    if best is None:
        return None
    reading, window = best
    depth = -reading.landmarks[:, 2:] * (window.side / FACE_SIZE)
    return np.concatenate([window.to_photo(reading.landmarks[:, :2], FACE_SIZE), depth], 1).astype(np.float32)


def _looks_away(person: Person) -> bool:
    """Whether the nose lies well behind the ears: the photo shows the back of the head."""
    ears = (person.world[_INDEX["left_ear"]] + person.world[_INDEX["right_ear"]]) / 2
    return bool(person.world[_INDEX["nose"], 2] - ears[2] < -0.03)
