"""What the implicit surface learns from: fitted synthetic people in, points with features and signed distances out.

Bodies and maps are estimates, never the truth. The truth is brought to where a picture can tell it to be: through the
same pixels, counted from the body's depth, and slid into the fitted body's posture in depth (`posture.Slide`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.spatial import cKDTree

from lookalike.body.model import Body
from lookalike.maps.inputs import CropUnit
from lookalike.maps.maps import render_maps
from lookalike.maps.network import MapsNetwork, PredictedMaps, infer
from lookalike.maps.predict import crop_camera, crop_picture
from lookalike.people.solid import Solid, distances_to, signed_distances
from lookalike.surface import draw_out
from lookalike.surface.field.local import LocalMaps, Prior, features, local_maps
from lookalike.surface.field.posture import find_slide
from lookalike.surface.regions import find_regions
from lookalike.train.data import true_unit
from lookalike.train.fitted import Fitted


@dataclass(frozen=True)
class Estimate:
    """What the pipeline knows of somebody.

    picture : (h, w, 4) uint8 the crop.  prior : the body and what was drawn out of it.  predicted : as after refinement.
    local : what pixels say.
    """

    picture: np.ndarray
    prior: Prior
    predicted: PredictedMaps
    local: LocalMaps


def estimate(person: Fitted, net: MapsNetwork, size: int = 512) -> Estimate:
    """Predicted maps and refined body of a fitted person."""
    from lookalike.maps.refine import refine_body

    crop = crop_camera(person.body.camera, person.subject.box, size)
    picture = crop_picture(person.subject, person.body.camera, crop)
    faces = person.body.model.faces[person.body.model.outer_faces]
    predict = lambda b: infer(net, picture, render_maps(b.vertices, faces, crop, b.normals))  # noqa: E731
    refined = refine_body(person.subject, person.body, predict, 3, None, 0)
    body, predicted = refined.body, refined.predicted
    assert predicted.features is not None
    prior = Prior(body, draw_out(body, person.subject))
    local = local_maps(prior, predicted, picture[..., 3] / np.float32(255), predicted.features)
    return Estimate(picture, prior, predicted, local)


def truth_for(person: Fitted, body: Body) -> Solid:
    """The person's solid where the estimate has it, in the frame of the body's camera."""
    assert person.sample.body is not None
    true_body, regions = person.sample.body, find_regions(body.model)
    true = true_unit(person.sample)
    middle = CropUnit.of(
        render_maps(body.vertices, body.model.faces[body.model.outer_faces], body.camera, body.normals)
    ).middle
    # the photo has the sample's pixels
    unit = CropUnit(middle, true.size * (middle / body.camera.focal) / (true.middle / person.camera.focal))

    def brought(points: np.ndarray) -> np.ndarray:
        """Same pixel, same depth in units of the crop."""
        rays = body.camera.rays(person.camera.project(points))
        return rays * unit.to_metres(true.from_metres(-points[:, 2]))[:, None].astype(float)

    own = brought(true_body.vertices)
    away = -(body.vertices[:, 2] - own[:, 2]).astype(float)
    slide = find_slide(body, regions, own, regions.bones, away, np.ones(len(own)))
    vertices = brought(person.solid.vertices)
    tree = cKDTree(own)
    distance, near = tree.query(vertices, k=12)
    share = 1 / (distance + 0.02) ** 2
    share /= share.sum(1, keepdims=True)
    bones = np.einsum("nk,nkb->nb", share, regions.bones[near])
    way = slide.at(vertices, bones)
    vertices = vertices * (1 + way / -vertices[:, 2])[:, None]
    return replace(person.solid, vertices=vertices.astype(np.float32))


def training_points(person: Fitted, found: Estimate, count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """features (n, F) float16, distance (n,) float32, points (n, 3) float32."""
    solid = truth_for(person, found.prior.body)
    samples = signed_distances(solid, int(0.8 * count), rng)
    drawn = found.prior.drawn.vertices
    near = drawn[rng.integers(0, len(drawn), count - int(0.8 * count))]
    near = (near + rng.normal(0, 0.03, near.shape)).astype(np.float32)
    points = np.concatenate([samples.points, near])
    distance = np.concatenate([samples.distance, _distances(solid, near, rng)])
    around = found.prior.at(points.astype(np.float64))
    # beyond the picture nothing is known
    pixels = found.local.camera.project(points)
    framed = ((pixels > 0) & (pixels < (found.local.camera.width, found.local.camera.height))).all(1)
    values = features(points.astype(np.float64), found.local, around)
    seen = render_maps(solid.vertices, solid.faces, found.local.camera)
    both = seen.mask & found.local.maps.mask
    off = [
        float(np.abs(getattr(seen, d) - getattr(found.local.maps, d))[both].mean())
        for d in ("depth_front", "depth_back")
    ]
    return {
        "features": values.to(torch.float16).numpy()[framed],
        "distance": distance[framed],
        "points": points[framed],
        "off": np.array(off),
    }


def _distances(solid: Solid, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    corner = solid.vertices[solid.faces].astype(np.float64)
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1)
    face = np.searchsorted(np.cumsum(area), rng.random(60_000) * area.sum()).clip(0, len(area) - 1)
    r = np.sqrt(rng.random((60_000, 1)))
    v = rng.random((60_000, 1))
    place = corner[face][:, 0] * (1 - r) + corner[face][:, 1] * r * (1 - v) + corner[face][:, 2] * r * v
    return distances_to(solid, points, place, face)
