"""Pictures of a measured mesh: normals from four sides, and the outline through a photo's camera.

Normal pictures are orthographic, centred on the truth, at yaw 0, 90, 180 and 270 degrees about the camera's own y axis.
Normals are turned towards the viewer, so that a face that is the wrong way round or a double layer costs nothing by
itself; what is compared is the form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.camera import Camera
from lookalike.evaluate.sampled import SampledMesh, unit
from lookalike.mesh.triangles import dot

#: Degrees about y from which people are looked at; the first sees what the photo sees.
YAWS = (0, 90, 180, 270)
#: Width and height of the normal pictures, pixels.
SIZE = 512


@dataclass(frozen=True)
class NormalViews:
    """Normals of a mesh from `YAWS`.

    colours : (4, SIZE, SIZE, 3) float32, (n + 1) / 2 in the view's axes, black outside.
    card : (4, SIZE, SIZE) bool, where a hair card is seen first.
    """

    colours: np.ndarray
    card: np.ndarray


def normal_views(mesh: SampledMesh, centre: np.ndarray, width: float) -> NormalViews:
    """Normals from four sides. centre : (3,) of the pictures.  width : cm that a picture shows."""
    colours = np.zeros((len(YAWS), SIZE, SIZE, 3), np.float32)
    card = np.zeros((len(YAWS), SIZE, SIZE), bool)
    half, step = width / 2, width / SIZE
    for k, yaw in enumerate(YAWS):
        a = np.radians(yaw)
        view = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
        seen = (mesh.vertices - centre) @ view.T
        low, high = seen.min(0), seen.max(0)
        x0, x1 = np.clip([_pixel(low[0], half, step), _pixel(high[0], half, step) + 1], 0, SIZE)
        y0, y1 = np.clip([_pixel(-high[1], half, step), _pixel(-low[1], half, step) + 1], 0, SIZE)
        if x1 <= x0 or y1 <= y0:
            continue
        columns, rows = np.meshgrid(np.arange(x0, x1), np.arange(y0, y1))
        x, y = (columns.ravel() + 0.5) * step - half, half - (rows.ravel() + 0.5) * step
        origins = np.stack([x, y, np.full(x.shape, high[2] + 5)], 1) @ view + centre
        directions = np.tile([0, 0, -1.0], (len(origins), 1)) @ view
        face = mesh.cast(origins, directions)
        hit = np.flatnonzero(face >= 0)
        face = face[hit]
        flat = mesh.flat[face]
        slope = dot(flat, directions[hit])
        slope = np.where(np.abs(slope) < 1e-9, 1e-9, slope)
        ahead = dot(mesh.corners[face, 0] - origins[hit], flat) / slope
        places = origins[hit] + ahead[:, None] * directions[hit]
        normal = mesh.normals(face, mesh.barycentric(face, places)) @ view.T
        normal *= np.where(normal[:, 2:] < 0, -1, 1)
        rows_hit, columns_hit = rows.ravel()[hit], columns.ravel()[hit]
        colours[k, rows_hit, columns_hit] = (normal + 1) / 2
        card[k, rows_hit, columns_hit] = mesh.card[face]
    return NormalViews(colours, card)


def normal_errors(prediction: NormalViews, truth: NormalViews) -> np.ndarray:
    """(4,) squared differences of the colours, summed over the channels, mean over all pixels of a view.

    Pixels where the truth shows a hair card, whose holes nobody knows, count as equal.
    """
    off = ((truth.colours - prediction.colours) ** 2).sum(3) * ~truth.card
    return off.mean((1, 2))


def outline_iou(mesh: SampledMesh, camera: Camera, mask: np.ndarray) -> float:
    """Intersection over union of the mesh's outline and a photo's. mesh : camera frame.  mask : (h, w) bool."""
    shown = outline(mesh, camera)
    return float((shown & mask).sum() / max(1, (shown | mask).sum()))


def outline(mesh: SampledMesh, camera: Camera) -> np.ndarray:
    """(h, w) bool: which pixels' centres see the mesh, which is in the camera's frame."""
    size = (camera.width, camera.height)
    depth = np.maximum(-mesh.vertices[:, 2], 1e-6)
    u = camera.cx + camera.focal * mesh.vertices[:, 0] / depth
    v = camera.cy - camera.focal * mesh.vertices[:, 1] / depth
    x0, y0 = np.clip(np.floor([u.min(), v.min()]).astype(int) - 1, 0, size)
    x1, y1 = np.clip(np.ceil([u.max(), v.max()]).astype(int) + 1, 0, size)
    shown = np.zeros((camera.height, camera.width), bool)
    columns, rows = np.meshgrid(np.arange(x0, x1), np.arange(y0, y1))
    if columns.size:
        x, y = (columns + 0.5 - camera.cx) / camera.focal, -(rows + 0.5 - camera.cy) / camera.focal
        directions = unit(np.stack([x, y, -np.ones(x.shape)], -1).reshape(-1, 3))
        shown[rows, columns] = (mesh.cast(np.zeros_like(directions), directions) >= 0).reshape(columns.shape)
    return shown


def _pixel(value: float, half: float, step: float) -> int:
    return int(np.floor((value + half) / step))
