"""People whose geometry is known, and pictures of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from lookalike.body import load_body
from lookalike.camera import Camera
from lookalike.evaluate.protocols import PROTOCOLS, Truth, prepare_truth
from lookalike.people.scan import Scan
from lookalike.render.raycast import RayCaster
from lookalike.render.view import View


@dataclass(frozen=True)
class Case:
    """A scan, its camera, its picture's alpha, and the scan's vertices in the camera's frame, metres."""

    scan: Scan
    view: View
    alpha: np.ndarray
    seen: np.ndarray

    def truth(self, protocol: str) -> Truth:
        return prepare_truth(self.scan, self.view, self.alpha, PROTOCOLS[protocol])


@pytest.fixture(scope="session")
def person() -> Case:
    """Somebody with one arm raised, seen by a camera that looks down a little from 3.5 m away, not straight on."""
    model = load_body()
    pose = np.zeros((52, 3))
    pose[16], pose[17], pose[4] = (0, 0, -1.1), (0, 0.3, 0.5), (0.4, 0, 0)
    camera = Camera(600.0, 240.0, 320.0, 480, 640)
    body = model.posed(np.zeros(model.shape_count), pose, np.zeros(3), camera)
    vertices = body.vertices.astype(np.float64)
    yaw, pitch = np.radians(20.0), np.radians(6.0)
    turn = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    tilt = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    rotation = tilt @ turn
    centre = (vertices.min(0) + vertices.max(0)) / 2
    view = View(camera, rotation, centre + 3.5 * rotation[2])
    seen = view.to_camera(vertices)
    alpha = RayCaster(seen, model.faces).cast_image(camera).hit.astype(np.float32)
    return Case(Scan("somebody", vertices, model.faces), view, alpha, seen)


def sphere(radius: float, detail: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) vertices at `radius` from the origin and (m, 3) faces: an octahedron whose triangles are cut in four."""
    vertices = [np.array(v, float) for v in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))]
    faces = [(0, 2, 4), (2, 1, 4), (1, 3, 4), (3, 0, 4), (2, 0, 5), (1, 2, 5), (3, 1, 5), (0, 3, 5)]
    for _ in range(detail):
        middle: dict[tuple[int, int], int] = {}

        def between(a: int, b: int, middle: dict[tuple[int, int], int] = middle) -> int:
            key = (min(a, b), max(a, b))
            if key not in middle:
                point = vertices[a] + vertices[b]
                middle[key] = len(vertices)
                vertices.append(point / np.linalg.norm(point))
            return middle[key]

        cut = []
        for a, b, c in faces:
            ab, bc, ca = between(a, b), between(b, c), between(c, a)
            cut += [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        faces = cut
    return radius * np.array(vertices), np.array(faces)
