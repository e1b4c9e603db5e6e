"""Where MediaPipe's face mesh lies on the bundled body: lookalike/assets/face_marks.npz.

    python tools/build_face_marks.py lookalike/assets/face_marks.npz

Draws the template's head from the front in plain skin with painted eyes, lets MediaPipe find its 468 points, makes them
symmetric and shoots a ray through each. Writes index (468, 3) uint16 and weight (468, 3) float32: each point as a blend
of a face's three vertices. To be run again when the bundled body's template changes.
"""

from __future__ import annotations

import argparse

import mediapipe
import numpy as np
from scipy.spatial import cKDTree

from lookalike.appearance.eyes import paint_eyeballs, pieces
from lookalike.appearance.parts import EYES, HEAD, body_groups
from lookalike.body import BodyModel, load_body
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import RayCaster

SIZE = 900
SKIN, WALL, IRIS = (
    np.array([0.82, 0.63, 0.54], np.float32),
    np.array([0.55, 0.6, 0.65], np.float32),
    np.array([0.3, 0.2, 0.12], np.float32),
)
COUNT = 468


def portrait(model: BodyModel, caster: RayCaster, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The head seen along -Z at positions x, y (h, w) metres: (h, w, 3) uint8."""
    origins = np.stack([x, y, np.ones_like(x)], -1).reshape(-1, 3)
    hits = caster.cast(origins, np.tile(np.array([0, 0, -1], np.float32), (len(origins), 1)))
    normal = hits.interpolate(model.faces, vertex_normals(model.template, model.faces))
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    place = hits.interpolate(model.faces, model.template)
    colour = np.tile(SKIN, (len(origins), 1))
    piece = pieces(model.faces, len(model.template))
    for number in set(piece[body_groups(model) == EYES]) - {np.bincount(piece).argmax()}:
        ball = piece == number
        middle = (model.template[ball].min(0) + model.template[ball].max(0)) / 2
        rows = np.flatnonzero(hits.hit & ball[model.faces[hits.face, 0]])
        colour[rows] = paint_eyeballs(place[rows], middle, IRIS)
    light = np.array([0, 0.5, 0.85], np.float32)
    shade = 0.45 + 0.6 * np.clip(normal @ light, 0, 1)
    image = np.where(hits.hit[:, None], colour * shade[:, None], WALL)
    return np.clip(image * 255, 0, 255).astype(np.uint8).reshape(*x.shape, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    out = parser.parse_args().out
    model = load_body()
    head = model.template[body_groups(model) == HEAD]
    middle, half = (head.min(0) + head.max(0)) / 2, 0.7 * np.ptp(head, axis=0).max()
    caster = RayCaster(model.template, model.faces)
    v, u = (np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) + 0.5) / SIZE * 2 - 1
    image = portrait(model, caster, half * u, middle[1] - half * v)
    finder = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, min_detection_confidence=0.2)
    found = finder.process(image).multi_face_landmarks[0].landmark
    points = np.array([(half * (2 * p.x - 1), middle[1] - half * (2 * p.y - 1)) for p in found[:COUNT]])
    # The template is symmetric, so the points are: average each with its twin's mirror image.
    twin = cKDTree(points).query(points * [-1, 1])[1]
    points = (points + points[twin] * [-1, 1]) / 2
    origins = np.concatenate([points, np.ones((COUNT, 1))], axis=1)
    hits = caster.cast(origins, np.tile(np.array([0, 0, -1], np.float32), (COUNT, 1)))
    if not hits.hit.all():
        raise SystemExit(f"{(~hits.hit).sum()} points lie beside the head")
    np.savez_compressed(out, index=model.faces[hits.face].astype(np.uint16), weight=hits.bary.astype(np.float32))


if __name__ == "__main__":
    main()
