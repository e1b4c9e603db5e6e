"""Local features: what predicted maps and a fitted body say near a point of space.

Everything is asked in metres in the camera's frame, in the posture of the body: how far limbs reach towards the camera, the
body knows at least as well as the maps (`posture.Slide`), so the predicted depths slide to the body first and all agree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor
from torch.nn import functional

from lookalike.body.model import Body, BodyModel
from lookalike.camera import Camera
from lookalike.evaluate.sampled import closest_on_triangles
from lookalike.maps.inputs import extended
from lookalike.maps.maps import Maps
from lookalike.maps.network import PredictedMaps
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import RayCaster
from lookalike.surface.field.posture import Slide, find_slide
from lookalike.surface.layers import look
from lookalike.surface.mesh import Surface
from lookalike.surface.regions import find_regions

#: Names of the groups of features and how many numbers each has, in their order.
GROUPS = {
    "distance": 3,  # to the body, at three scales
    "normal": 3,  # of the body there
    "place": 3,  # of the closest point in the body's T-pose
    "drawn": 6,  # distance to the drawn-out surface, at three scales, and its normal there
    "depths": 8,  # before and behind the predicted sides, at two scales; the same of the drawn-out surface
    "maps": 9,  # predicted normals in front and behind, confidence, the cosine of ray
    "outline": 2,  # to the matte's border in the picture, at two scales
    "parts": 6,  # how much each part shows at the pixel
    "image": 96,  # the maps network's own features at the pixel
}
#: Metres at which a body's distance, a depth and an outline's distance become large.
NEAR, MIDDLE, FAR = 0.02, 0.06, 0.2
#: Parts that count: all labels but the background.
PARTS = 6


class MeshDistance:
    """Signed distances to a closed mesh.

    vertices : (n, 3) metres.  faces : (m, 3).  place : (n, 3) something that its vertices know.
    """

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, place: np.ndarray):
        self.faces, self.place, vertices = faces, place, vertices.astype(np.float64)
        self.corners = vertices[faces]
        self.normals = vertex_normals(vertices, faces).astype(np.float64)
        self.caster = RayCaster(vertices, faces)
        self.tree = cKDTree(self.corners.mean(1))

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of points (n, 3): (n,) metres, negative inside; (n, 3) the normal and (n, 3) the place there."""
        face = self.tree.query(points, workers=-1)[1]
        corners = self.corners[face]
        closest = closest_on_triangles(points, corners)
        bary = barycentric(closest, corners)
        index = self.faces[face]
        normal = np.einsum("nk,nki->ni", bary, self.normals[index])
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        way = points - closest
        distance = np.linalg.norm(way, axis=1)
        votes = np.zeros(len(points))
        for direction in ((0.1, 0.9, 0.3), (-0.2, -0.1, -0.97), (0.95, 0.05, -0.2)):
            hits = self.caster.cast(points, np.broadcast_to(np.asarray(direction, np.float32), points.shape))
            flat = np.cross(
                self.corners[hits.face][:, 1] - self.corners[hits.face][:, 0],
                self.corners[hits.face][:, 2] - self.corners[hits.face][:, 0],
            )
            votes += hits.hit & (flat @ np.array(direction) > 0)
        return np.where(votes >= 2, -distance, distance), normal, np.einsum("nk,nki->ni", bary, self.place[index])


class Prior:
    """What is known before any map is read: the body and what was drawn out of it."""

    def __init__(self, body: Body, drawn: Surface):
        """drawn : `draw_out`'s, of the body."""
        model = body.model
        self.body, self.drawn = body, drawn
        self.bare = MeshDistance(body.vertices, model.faces[model.outer_faces], model.template)
        outer = np.asarray(drawn.anchors[:, outer_vertices(model)].sum(1)).ravel() > 0.5
        self.outer = drawn.faces[outer[drawn.faces].all(1)]
        self.clothed = MeshDistance(drawn.vertices, self.outer, drawn.vertices)

    def at(self, points: np.ndarray) -> np.ndarray:
        """(n, 11) of points (n, 3): distance, normal and T-pose place of the body, distance and normal of the drawn."""
        distance, normal, place = self.bare.at(points)
        own, own_normal, _ = self.clothed.at(points)
        return np.column_stack([distance, normal, place, own, own_normal]).astype(np.float32)


def outer_vertices(model: BodyModel) -> np.ndarray:
    """(V,) bool: vertices of outer faces."""
    out = np.zeros(len(model.template), bool)
    out[model.faces[model.outer_faces]] = True
    return out


def barycentric(points: np.ndarray, t: np.ndarray) -> np.ndarray:
    u, v, w = t[:, 1] - t[:, 0], t[:, 2] - t[:, 0], points - t[:, 0]
    dot = lambda a, b: np.einsum("ij,ij->i", a, b)  # noqa: E731
    uu, uv, vv, wu, wv = dot(u, u), dot(u, v), dot(v, v), dot(w, u), dot(w, v)
    det = np.maximum(uu * vv - uv * uv, 1e-20)
    b, c = (vv * wu - uv * wv) / det, (uu * wv - uv * wu) / det
    return np.stack([1 - b - c, b, c], 1)


@dataclass(frozen=True)
class LocalMaps:
    """What pixels say, in the posture of the body.

    camera : of the maps.  maps : predicted, slid to the body.  stack : (1, C, h, w) float32 near depth, far depth, the
    body's near and far depth, normals, confidence, the outline's distance, parts.  image : (1, 96, h / 4, w / 4).
    slide : by how much the predicted depths lie behind the body.
    """

    camera: Camera
    maps: Maps
    stack: Tensor
    image: Tensor
    slide: Slide


def local_maps(prior: Prior, predicted: PredictedMaps, matte: np.ndarray, image: np.ndarray) -> LocalMaps:
    """Everything that pixels say.

    predicted : of the body, in the body's frame.  matte : (h, w) in [0, 1] through the maps' camera.
    image : (96, h / 4, w / 4) the network's features.
    """
    maps, camera, body = predicted.maps, predicted.maps.camera, prior.body
    faces = body.model.faces[body.model.outer_faces]
    regions = find_regions(body.model)
    vertices = body.vertices.astype(float)
    caster = RayCaster(vertices, faces)
    seen = look(vertices, body.normals.astype(float), caster, predicted, level=False)
    known = seen.weight > 0.05
    away = seen.move * (-vertices[:, 2] / np.linalg.norm(vertices, axis=1))
    slide = find_slide(
        body, regions, vertices[known], regions.bones[known], away[known], seen.weight[known], seen.side[known]
    )
    drawn, anchors = prior.drawn.vertices.astype(float), prior.drawn.anchors
    moved = slide.at(drawn, anchors @ regions.bones)
    caster = RayCaster(drawn, prior.outer)
    front = caster.cast_image(camera)
    back = caster.cast_image(camera, back=True, where=front.hit)
    shown = front.hit & back.hit
    values = [hits.interpolate(prior.outer, np.column_stack([-drawn[:, 2], moved])) for hits in (front, back)]
    own = extended(np.stack([values[0][..., 0], values[1][..., 0], values[0][..., 1], values[1][..., 1]]), shown)
    offs = [cv2.GaussianBlur(o, (0, 0), 2.0) for o in own[2:]]
    maps = _slid(maps, offs)
    mask = maps.mask
    if not mask.any():
        raise ValueError("the maps show nobody")
    near, far = extended(np.stack([np.nan_to_num(maps.depth_front), np.nan_to_num(maps.depth_back)]), mask)
    pixel = float(-np.median(vertices[:, 2])) / camera.focal
    inside = (matte > 0.5).astype(np.uint8)
    edge = cv2.distanceTransform(inside, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    parts = np.stack(
        [cv2.GaussianBlur((predicted.labels == k + 1).astype(np.float32), (0, 0), 1.0) for k in range(PARTS)]
    )
    normals = np.concatenate([np.moveaxis(n, 2, 0) for n in (maps.normals_front, maps.normals_back)])
    stack = np.concatenate(
        [
            np.stack([near, far, own[0], own[1]]),
            extended(normals, mask),
            np.moveaxis(predicted.confidence, 2, 0),
            (edge * pixel)[None],
            parts,
        ]
    ).astype(np.float32)
    return LocalMaps(
        camera, maps, torch.from_numpy(stack)[None], torch.from_numpy(image.astype(np.float32))[None], slide
    )


def _slid(maps: Maps, offs: list[np.ndarray]) -> Maps:
    """Maps whose depths, metres, have been lessened by smooth images in front and behind, and their normals with them."""
    changed: dict[str, Any] = {}
    for side, off in zip(("front", "back"), offs, strict=True):
        depth, normals = getattr(maps, f"depth_{side}"), getattr(maps, f"normals_{side}")
        # metres of depth a metre across, to the right and up
        scale = maps.camera.focal / np.maximum(np.nan_to_num(depth, nan=1.0), 0.1)
        right, up = np.gradient(off, axis=1) * scale, -np.gradient(off, axis=0) * scale
        limit = lambda g: np.clip(g, -1, 1)  # noqa: E731
        # z grows by `off`, so the normal's picture part loses gradient times its depth part
        turned = normals - normals[..., 2:] * np.dstack([limit(right), limit(up), np.zeros_like(off)])
        turned /= np.maximum(np.linalg.norm(turned, axis=2, keepdims=True), 1e-6)
        changed[f"normals_{side}"] = np.where(maps.mask[..., None], turned, 0).astype(np.float32)
        changed[f"depth_{side}"] = (depth - off).astype(np.float32)
    return replace(maps, **changed)


def features(points: np.ndarray, local: LocalMaps, around: np.ndarray) -> Tensor:
    """(n, F) float32, in the order of `GROUPS`.

    points : (n, 3) camera frame, metres.  around : (n, 11) of the prior (`Prior.at`).
    """
    camera = local.camera
    pixels = camera.project(points)
    grid = torch.from_numpy((2 * pixels / (camera.width, camera.height) - 1).astype(np.float32))[None, None]
    read = lambda t: functional.grid_sample(t, grid, align_corners=False, padding_mode="border")[0, :, 0].T  # noqa: E731
    maps, image = read(local.stack), read(local.image)
    p = torch.from_numpy(points.astype(np.float32))
    known = torch.from_numpy(around.astype(np.float32))
    scales = torch.tensor([NEAR, MIDDLE, FAR])
    behind = -p[:, 2:] - maps[:, :4]  # metres behind each of the four sides
    ray = functional.normalize(p, dim=1)
    edge = maps[:, 12:13]
    return torch.cat(
        [
            torch.tanh(known[:, :1] / scales),
            known[:, 1:7],
            torch.tanh(known[:, 7:8] / scales),
            known[:, 8:],
            torch.tanh(behind / NEAR),
            torch.tanh(behind / (2 * MIDDLE)),
            maps[:, 4:12],
            (maps[:, 4:7] * ray).sum(1, True),
            torch.tanh(edge / NEAR),
            torch.tanh(edge / MIDDLE),
            maps[:, 13:],
            image,
        ],
        1,
    )
