"""Fine registration of face and hands: landmarks in photo and on the body in, pixel offsets for lookups out.

A fit leaves a few pixels between the model's eyes, mouth and fingers and the photo's. Painted so, an eye would sit
beside its own lids. The offsets are interpolated over the rest pose by biharmonic splines (r in 3D), which follow each
landmark and die away towards the crown and down the neck and the forearm, where the outline has been fitted already.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from lookalike.appearance.parts import ARM, HAND, HEAD, NECK, Facts, Places
from lookalike.appearance.photograph import SURE_HAND
from lookalike.body.load import BUNDLED
from lookalike.body.model import Body, BodyModel
from lookalike.photo.subject import HAND_LANDMARKS, Subject

#: Larger offsets, in metres on the person, are mistakes: of the landmarks, not of the fit.
LARGEST_FACE, LARGEST_HAND = 0.06, 0.10
#: Landmarks on skin that turns away from the camera by more than this cosine are guesses.
FACING = 0.15
#: Points at rest: at least this far (metres) from every landmark, at most this many.
FAR_OFF, POINTS_AT_REST = 0.06, 250
#: Places at a time: so many fit into the processor's cache.
ROWS = 512
#: How far, in metres of the splines' kernel, they may pass by what they are given.
SMOOTHING = 0.002


@lru_cache(maxsize=1)
def _bundled_marks() -> tuple[np.ndarray, np.ndarray]:
    with np.load(BUNDLED.with_name("face_marks.npz"), allow_pickle=False) as file:
        return file["index"].astype(np.int64), file["weight"]


def face_marks(model: BodyModel) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Index in MediaPipe's face mesh -> (vertices, weights) on the model, as many as the model knows."""
    marks = {int(n.split("/")[1]): blend for n, blend in model.landmarks.items() if n.startswith("face/")}
    if model.name == "lookalike":
        for number, blend in enumerate(zip(*_bundled_marks(), strict=True)):
            marks.setdefault(number, blend)
    return marks


def register(facts: Facts, subject: Subject, body: Body) -> Facts:
    """The facts with the offsets of their places filled in."""
    here = facts.here
    bound = [marks for marks in (_face(here, subject, body), *_hands(subject, body)) if len(marks[0])]
    if not bound:
        return facts
    rest, offset = (np.concatenate(a) for a in zip(*bound, strict=True))
    area = np.flatnonzero(np.isin(facts.group, (HEAD, NECK, HAND, ARM)))
    still = area[cKDTree(rest).query(here.rest[area])[0] > FAR_OFF]
    still = still[:: max(1, len(still) // POINTS_AT_REST)]
    rest = np.concatenate([rest, here.rest[still]])
    offset = np.concatenate([offset, np.zeros((len(still), 2))])
    rest, first = np.unique(rest.round(5), axis=0, return_index=True)
    weights, constant = _spline(rest, offset[first])
    tree = cKDTree(rest)

    def moved(places: Places) -> Places:
        offset = np.zeros((len(places.rest), 2), np.float32)
        near = np.flatnonzero(tree.query(places.rest, distance_upper_bound=FAR_OFF)[0] < FAR_OFF)
        for rows in np.array_split(near, len(near) // ROWS + 1):
            offset[rows] = cdist(places.rest[rows], rest) @ weights + constant
        return replace(places, offset=offset)

    return replace(facts, here=moved(here), mirrored=moved(facts.mirrored))


def _spline(points: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The smoothing spline through values (k, c) at points (k, 3): weights (k, c) of the distances to the points, and
    what is added to them (c,).

    SciPy's own is the same and takes ten times as long to say what it is at many places.
    """
    count = len(points)
    matrix = np.ones((count + 1, count + 1))
    matrix[:count, :count] = cdist(points, points) - SMOOTHING * np.eye(count)
    matrix[count, count] = 0
    solved = np.linalg.solve(matrix, np.vstack([values, np.zeros((1, values.shape[1]))]))
    return solved[:count], solved[count]


def _face(here: Places, subject: Subject, body: Body) -> tuple[np.ndarray, np.ndarray]:
    empty = np.empty((0, 3)), np.empty((0, 2))
    marks = face_marks(body.model)
    if subject.face is None or not marks:
        return empty
    numbers = sorted(n for n in marks if n < len(subject.face))
    rest = np.stack([marks[n][1] @ body.model.template[marks[n][0]] for n in numbers])
    # The surface's own place of each landmark: the vertices nearest to it in the rest pose.
    distance, index = cKDTree(here.rest).query(rest, k=3)
    weight = 1 / np.maximum(distance, 1e-5)
    weight = (weight / weight.sum(1, keepdims=True))[..., None]
    position, normal = (here.position[index] * weight).sum(1), (here.normal[index] * weight).sum(1)
    cosine = -np.einsum("kc,kc->k", position, normal) / np.maximum(np.linalg.norm(position, axis=1), 1e-6)
    offset = subject.face[numbers, :2] - body.camera.project(position)
    limit = LARGEST_FACE * body.camera.focal / np.median(-position[:, 2])
    good = cosine > FACING
    if good.sum() < 20 or np.median(np.linalg.norm(offset[good], axis=1)) > limit:
        return empty
    return rest[good], offset[good]


def _hands(subject: Subject, body: Body) -> list[tuple[np.ndarray, np.ndarray]]:
    out = []
    for side, hand in (("left", subject.left_hand), ("right", subject.right_hand)):
        names = [f"{side}_hand/{name}" for name in HAND_LANDMARKS]
        if hand is None or hand.confidence < SURE_HAND or any(n not in body.model.landmarks for n in names):
            continue
        points = body.model.landmark_points(body.vertices, names)
        offset = hand.pixels - body.camera.project(points)
        limit = LARGEST_HAND * body.camera.focal / np.median(-points[:, 2])
        if np.median(np.linalg.norm(offset, axis=1)) < limit:
            out.append((body.model.landmark_points(body.model.template, names), offset))
    return out
