"""A camera that may stand anywhere: `camera.Camera` gives its pixels, a `View` its place and direction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.camera import Camera


@dataclass(frozen=True)
class View:
    """A camera in the mesh's frame.

    camera : its pixels.  rotation : (3, 3), rows are the camera's right, up and backward axes in the mesh's frame.
    position : (3,) where it stands, in the mesh's frame and unit.
    """

    camera: Camera
    rotation: np.ndarray
    position: np.ndarray

    @classmethod
    def of_photo(cls, camera: Camera) -> View:
        """The photo's own view of things in its camera frame."""
        return cls(camera, np.eye(3), np.zeros(3))

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) of the mesh's frame in the camera's frame."""
        return (points - self.position) @ self.rotation.T

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of points (..., 3) of the mesh's frame."""
        return self.camera.project(self.to_camera(points))


def orbit(
    vertices: np.ndarray,
    size: tuple[int, int],
    yaw: float = 0.0,
    elevation: float = 6.0,
    *,
    field_of_view: float = 26.0,
    margin: float = 0.05,
    every_yaw: bool = False,
) -> View:
    """The view from somewhere on a sphere around a mesh, at the distance where it just fills the picture.

    vertices : (n, 3), Y up.  size : (width, height) of the picture in pixels.
    yaw : degrees; 0 sees the mesh from +Z, 90 from +X (the left side of a person who faces +Z).
    elevation : degrees above the horizon, less than 90.  field_of_view : degrees, of the picture's longer side.
    margin : share of the picture left free at each edge.
    every_yaw : keep the distance at which the mesh fits whatever the yaw, for turntables.
    """
    width, height = size
    focal = 0.5 * max(size) / np.tan(np.radians(field_of_view) / 2)
    a, e = np.radians(yaw), np.radians(elevation)
    backward = np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])
    right = np.array([np.cos(a), 0.0, -np.sin(a)])
    rotation = np.stack([right, np.cross(backward, right), backward])

    centre = (vertices.min(0).astype(np.float64) + vertices.max(0)) / 2
    local = vertices - centre
    # At distance D a point x to the side and z nearer than the centre is drawn f x / (D - z) from the middle.
    slope = focal / ((0.5 - margin) * np.array(size))
    if every_yaw:
        radius, y = np.hypot(local[:, 0], local[:, 2]), np.abs(local[:, 1])
        nearer = radius * np.cos(e) + y * np.sin(abs(e))
        upward = y * np.cos(e) + radius * np.sin(abs(e))
        distance = max((np.hypot(1, slope[0]) * radius).max(), (nearer + slope[1] * upward).max())
    else:
        x, y, z = (local @ rotation.T).T
        distance = max((z + slope[0] * np.abs(x)).max(), (z + slope[1] * np.abs(y)).max())
    return View(Camera(focal, width / 2, height / 2, width, height), rotation, centre + distance * backward)
