"""What the picture shows beyond a mesh: hair, hats, hems, bags; maps, matte and mesh in, a solid of two depths out.

A body that was drawn out has the body's topology, and what it lacks is missing from its outline. There the solid is what
lies between the predicted front and the predicted back. Depths are levelled to those of the mesh beside it, and edges that
are the person's outline are round.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt, label

from lookalike.body.model import Body
from lookalike.camera import Camera
from lookalike.maps.inputs import extended
from lookalike.maps.network import PredictedMaps
from lookalike.people.sample import LABELS
from lookalike.surface.free_mesh.ground import Ground

#: Pixels along the longest side of a person.
RESOLUTION = 480
#: Metres that something must stick out of the mesh in the picture to be missing; and at hands, whose fingers are rarely
#: quite in place.
MISSING, MISSING_AT_HANDS = 0.012, 0.05
#: A limb that more is missing beside is not as the mesh has it, square metres of the picture plane.
MUCH = 0.0015
#: How far around a hand is at the hand, metres.
AT_HAND = 0.02
#: Skin that sticks out farther is no part of the body that is missing but one that lies elsewhere, metres.
SKIN = 0.03
#: Metres by which a sheet reaches into the mesh, and by which each side has sunk below the mesh's there.
OVERLAP, SUNK = 0.03, 0.012
#: The least thickness, and the largest radius of a round edge and the smallest, metres.
THICK, ROUND, SHARP = 0.012, 0.03, 0.006
#: What levels a sheet lies this far within the mesh's outline, metres: at its rim a mesh turns away. Levels and depths are
#: smooth over so many pixels.
WITHIN, LEVEL, SMOOTH = 0.018, 6.0, 2.0


@dataclass(frozen=True)
class Sheets:
    """A solid, as images of a camera's pixels.

    camera : the maps', at a resolution of its own.
    middle, half : (h, w) float32 metres, the depth half way through and half the thickness.
    rim : (h, w) float32 metres outside of where there is a solid, negative inside.
    share : of the person's pixels that the mesh lacks.
    """

    camera: Camera
    middle: np.ndarray
    half: np.ndarray
    rim: np.ndarray
    share: float

    def corners(self) -> np.ndarray:
        """(k, 3) points of both sides, camera frame; none where nothing is missing."""
        rows, columns = np.nonzero(self.rim < 0)
        rays = self.camera.rays(np.column_stack([columns, rows]) + 0.5)
        middle, half = self.middle[rows, columns], self.half[rows, columns]
        return np.concatenate([rays * (middle - half)[:, None], rays * (middle + half)[:, None]])

    def outside(self, x: np.ndarray, y: np.ndarray, depth: float, reach: float) -> tuple[np.ndarray, np.ndarray]:
        """How far points (x, y, -depth) lie outside of the solid, metres, negative inside; x, y : (n, m).

        Returns which are within `reach` of its rim, (n, m) bool, and the distances of those.
        """
        u = (self.camera.cx + self.camera.focal * x / depth - 0.5).astype(np.float32)
        v = (self.camera.cy - self.camera.focal * y / depth - 0.5).astype(np.float32)
        rim = cv2.remap(self.rim, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=9.0)
        near = rim < reach
        middle, half = (cv2.remap(image, u, v, cv2.INTER_LINEAR)[near] for image in (self.middle, self.half))
        # sheets are seldom at right angles to the line of sight, so depths are longer than distances
        return near, np.maximum(0.85 * (np.abs(depth - middle) - half), rim[near])


def find_sheets(
    ground: Ground, body: Body, predicted: PredictedMaps, limbs: tuple[np.ndarray, ...] = ()
) -> tuple[Sheets | None, tuple[bool, ...]]:
    """What the mesh lacks, None if nothing; and whether each limb has much of it beside it: an arm a wide sleeve, a head
    hair. What is little at a limb is left out.

    ground : the mesh, camera frame.  predicted : of `body`.  limbs : (m,) bool each, faces.
    """
    caster = ground.caster
    maps = predicted.maps
    camera = _camera(maps.camera, ground.vertices, maps.mask)
    matte = _seen_by(camera, maps.camera, maps.mask) > 0.5
    depths = extended(np.nan_to_num(np.stack([maps.depth_front, maps.depth_back])), maps.mask)
    near, far = (cv2.GaussianBlur(_seen_by(camera, maps.camera, d), (0, 0), SMOOTH) for d in depths)
    front = caster.cast_image(camera)
    back = caster.cast_image(camera, back=True, where=front.hit)
    shown = front.hit & back.hit
    if not shown.any():
        return None, (False,) * len(limbs)
    pixel = float(np.median(front.depth[shown])) / camera.focal
    hands = _near_hands(camera, body, pixel)
    skin = _seen_by(camera, maps.camera, predicted.labels == LABELS.index("skin")) > 0.5
    missing = _missing(matte & ~shown, distance_transform_edt(~shown) * pixel, hands, skin)
    sure = shown & matte & (distance_transform_edt(shown) * pixel > WITHIN)
    wide = []
    beside = _nearest(front.face, shown)
    for limb in limbs:
        at_limb = missing & limb[beside]
        wide.append(bool(at_limb.sum() * pixel**2 > MUCH))
        missing &= ~at_limb | wide[-1]
    if not missing.any() or not sure.any():
        return None, tuple(wide)
    near, far = (_levelled(d, hits.depth, sure) for d, hits in ((near, front), (far, back)))
    into_mesh = distance_transform_edt(~missing) * pixel
    from_edge = (distance_transform_edt(matte) - 0.5) * pixel
    half = np.maximum(far - near, THICK) / 2
    radius = np.clip(half, SHARP, ROUND)
    half += radius * (np.sqrt(np.clip(1 - (1 - np.clip(from_edge / radius, 0, 1)) ** 2, 0, 1)) - 1)
    half -= SUNK * np.clip(into_mesh / OVERLAP, 0, 1) ** 2
    half = np.where(matte, half, -THICK).astype(np.float32)
    rim = np.maximum(_distance(matte, pixel), _distance(missing, pixel) - OVERLAP)
    sheets = Sheets(
        camera,
        ((near + far) / 2).astype(np.float32),
        cv2.GaussianBlur(half, (0, 0), 1.0),
        cv2.GaussianBlur(rim, (0, 0), 1.0),
        float(missing.sum() / matte.sum()),
    )
    return sheets, tuple(wide)


def _camera(camera: Camera, vertices: np.ndarray, mask: np.ndarray) -> Camera:
    """A camera's window that person and mesh need."""
    pixels = camera.project(vertices)
    rows, columns = np.nonzero(mask)
    seen = np.column_stack([columns, rows])
    low = np.minimum(pixels.min(0), seen.min(0)) - 3
    high = np.maximum(pixels.max(0), seen.max(0) + 1) + 3
    scale = RESOLUTION / float((high - low).max())
    (x, y), (width, height) = np.floor(low), np.ceil(high - low)
    return camera.window(x, y, width, height, scale)


def _seen_by(camera: Camera, own: Camera, image: np.ndarray) -> np.ndarray:
    """(h, w) float32 an image of camera `own` in the pixels of another window of it."""
    scale = camera.focal / own.focal
    # OpenCV counts from pixels' middles
    shift = np.array([camera.cx - scale * own.cx, camera.cy - scale * own.cy]) + 0.5 * scale - 0.5
    matrix = np.column_stack([scale * np.eye(2), shift])
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.warpAffine(image.astype(np.float32), matrix, (camera.width, camera.height), flags=flags)


def _levelled(depth: np.ndarray, mesh: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """A predicted depth that agrees with the mesh's where that is `sure`, and goes on from there."""
    off = np.where(sure, mesh - depth, 0)[None].astype(np.float32)
    return depth + cv2.GaussianBlur(extended(off, sure)[0], (0, 0), LEVEL)


def _missing(mask: np.ndarray, distance: np.ndarray, hands: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """The connected parts of a mask that reach far enough from its border, metres."""
    parts, count = label(mask)
    out = np.zeros(count + 1, bool)
    for number in range(1, count + 1):
        mine = parts == number
        least = MISSING_AT_HANDS if hands[mine].mean() > 0.5 else MISSING
        most = SKIN if skin[mine].mean() > 0.5 else np.inf
        out[number] = least < distance[mine].max() < most
    return out[parts]


def _nearest(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(h, w) the value of the nearest pixel whose value is known."""
    rows, columns = distance_transform_edt(~known, return_distances=False, return_indices=True)
    return values[rows, columns]


def _distance(mask: np.ndarray, pixel: float) -> np.ndarray:
    """(h, w) float32 metres outside of a mask, negative inside."""
    return ((distance_transform_edt(~mask) - distance_transform_edt(mask)) * pixel).astype(np.float32)


def _near_hands(camera: Camera, body: Body, pixel: float) -> np.ndarray:
    """(h, w) bool: at the body's hands in the picture."""
    model = body.model
    out = np.zeros((camera.height, camera.width), bool)
    if model.parts is None:
        return out
    hand = np.isin(model.parts, [k for k, name in enumerate(model.part_names) if "hand" in name])
    u, v = np.floor(camera.project(body.vertices[hand])).astype(int).T
    framed = (u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height)
    out[v[framed], u[framed]] = True
    return distance_transform_edt(~out) * pixel < AT_HAND if out.any() else out
