"""How good a network is on people that it never saw: weights in, angles in degrees out.

What it is compared with is the body that it was given: its own normals, and straight to and from the camera where it has
none. Both are judged over the same pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from lookalike.evaluate.maps import score_maps
from lookalike.maps import Maps
from lookalike.maps.inputs import DEPTHS, CropUnit, maps_of, network_inputs
from lookalike.maps.network import MapsNetwork, PredictedMaps, body_normals, infer
from lookalike.people.sample import Sample
from lookalike.train.config import TrainConfig
from lookalike.train.data import GivenBody, People, true_unit, with_wrong_body


@dataclass(frozen=True)
class HeldOut:
    """A person who is never trained on.

    sample : the picture and the truth.  given : a wrong body.
    """

    sample: Sample
    given: GivenBody

    @property
    def body(self) -> Maps:
        """Maps of the wrong body."""
        return self.given.maps

    def start(self) -> Maps:
        """What the network starts from, in the size of the true body."""
        return start_of(self.sample.image, self.body, true_unit(self.sample))


def start_of(image: np.ndarray, body: Maps, unit: CropUnit | None = None) -> Maps:
    """What the network starts from, over the matte: the body's maps, continued beyond the body.

    image : (h, w, 4) uint8 picture and matte.  body : through the same camera.
    unit : how the depths that come back are counted; None as the body's own.
    """
    inputs = network_inputs(image, body)
    normals = body_normals(torch.from_numpy(inputs)[None])[0].numpy()
    return maps_of(normals, inputs[DEPTHS], image[..., 3] > 127, body.camera, unit or CropUnit.of(body))


def held_out(config: TrainConfig) -> list[HeldOut]:
    """The people of a run's validation."""
    people = People(config, config.validation_seed, held=True)
    out = []
    for number in range(config.validation_people):
        sample = people[number]
        given = with_wrong_body(sample, np.random.default_rng([config.validation_seed, 5, number]), config.noise)
        out.append(HeldOut(sample, given))
    return out


def predict(net: MapsNetwork, person: HeldOut, reduced: bool) -> PredictedMaps:
    """What a network says of a person, in the size of the true body: a picture tells nobody's size."""
    return infer(net, person.sample.image, person.body, reduced, true_unit(person.sample))


def validate(net: MapsNetwork, people: list[HeldOut], reduced: bool) -> dict[str, float]:
    """Means over people.

    `front_mean`, `front_median`, `back_mean`, `back_median` : degrees between predicted and true normals where the matte
    and the truth agree that there is somebody; `body_...` : the same of the body that was given.  `depth_front`,
    `depth_back` and `body_depth_...` : millimetres after the median difference has been taken off.  `parts` : share of
    the pixels whose part is right.  `colour` : mean absolute difference behind, 0..1.  `motion`, `body_motion` : how far
    the given body's points are off, in thousandths of the crop's unit, with the predicted motion and without.
    """
    rows = []
    for person in people:
        found, truth = predict(net, person, reduced), person.sample.maps
        row = {}
        for name, maps in (("", found.maps), ("body_", person.start())):
            score = score_maps(maps, truth)
            for side in ("front", "back"):
                angle = getattr(score, side)
                row[f"{name}{side}_mean"], row[f"{name}{side}_median"] = angle.mean, angle.median
                row[f"{name}depth_{side}"] = getattr(score, f"depth_{side}").relative
        common = found.maps.mask & truth.mask
        if not common.any():
            continue
        row["parts"] = float((found.labels == person.sample.labels_front)[common].mean())
        off = found.colour_back[common].astype(np.float32) - person.sample.colour_back[common]
        row["colour"] = float(np.abs(off).mean() / 255)
        true, shown = person.given.motion, person.given.shown
        for name, motion in (("motion", found.motion), ("body_motion", np.zeros_like(true))):
            lengths = np.linalg.norm((motion - true).reshape(2, 3, *shown.shape), axis=1)[:, shown]
            row[name] = float(1000 * lengths.mean()) if lengths.size else 0.0
        rows.append(row)
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]} if rows else {}
