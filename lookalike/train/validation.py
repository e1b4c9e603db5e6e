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
from lookalike.maps.inputs import DEPTHS, maps_of, network_inputs, person_window
from lookalike.maps.network import MapsNetwork, PredictedMaps, body_normals, predicted_maps
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
        """What the network starts from, over the matte: the wrong body's maps, continued beyond the body."""
        inputs = network_inputs(self.sample.image, self.body)
        normals = body_normals(torch.from_numpy(inputs)[None])[0].numpy()
        mask = self.sample.image[..., 3] > 127
        return maps_of(normals, inputs[DEPTHS], mask, self.sample.camera, true_unit(self.sample))


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
    device = net.heads.weight.device
    image = person.sample.image
    window = person_window(image, person.body.mask, net.config.stride)
    inputs = torch.from_numpy(network_inputs(image, person.body)[:, window[0], window[1]])[None].to(device)
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=reduced):
        raw = net(inputs.contiguous(memory_format=torch.channels_last))
    return predicted_maps(raw, 0, image, person.body, true_unit(person.sample), window)


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
