"""Settings of a training run: a JSON file in, a `TrainConfig` out. What a file does not name keeps its default."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from lookalike.errors import LookalikeError
from lookalike.maps.network import NetworkConfig
from lookalike.train.losses import LossWeights
from lookalike.train.wrong_body import BodyNoise

#: What may differ between a run and its continuation: all else decides what a step does.
FREE = ("steps", "validate_every", "checkpoint_every", "log_every", "sheet_people")

T = TypeVar("T")


@dataclass(frozen=True)
class TrainConfig:
    """A training run of the maps network.

    Attributes
    ----------
    network, noise, weights : see `NetworkConfig`, `BodyNoise` and `LossWeights`; objects in the file.
    seed : of the people, their wrong bodies and the first weights.
    start : a file of weights to begin with, such as those of a run at a smaller size, or null.
    size : pixels along each side of the pictures.  batch : people a step.  steps : how many in all.
    learning_rate : the highest; it rises over `warm_up` steps and falls along half a cosine until the last.
    weight_decay : of both optimisers (`optimizer.Optimizer`).  clip : largest norm of the gradients.
    ema : how much of the running mean of the weights stays each step; the mean is what is kept as the result.
    mirror : share of people seen in a mirror.
    window : largest side of the part of a picture that an example shows, in pixels, 0 for all of the person. What fine
        detail looks like can be learnt from parts, at a quarter of the cost.
    coarse : pixels along each side of pictures that show people whole in every second step, where windows are asked for;
        0 for windows only. From windows alone the network forgets how a body stands.
    fits : whether people come with the body that the fit found (`lookalike train fits`) every other time.
    variants : how many wrong bodies each person of a folder gets; they are kept there and come again and again. 0 for a
        new one each time, which takes ten times as long to make as to read.
    bf16 : compute convolutions in bf16, where the processor has it built in.
    assets, poses : MakeHuman folder and motion file of fresh people, as `lookalike synthesize` takes them, or null.
    validation_seed, validation_people : people that are never trained on.
    validate_every, checkpoint_every, log_every : steps.  sheet_people : rows of the prediction sheet.
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    noise: BodyNoise = field(default_factory=BodyNoise)
    weights: LossWeights = field(default_factory=LossWeights)
    seed: int = 1
    start: str | None = None
    size: int = 512
    batch: int = 8
    steps: int = 20_000
    learning_rate: float = 4e-4
    warm_up: int = 400
    weight_decay: float = 0.01
    clip: float = 1.0
    ema: float = 0.999
    mirror: float = 0.5
    window: int = 0
    coarse: int = 0
    fits: bool = False
    variants: int = 0
    bf16: bool = True
    assets: str | None = None
    poses: str | None = None
    validation_seed: int = 900_001
    validation_people: int = 16
    validate_every: int = 500
    checkpoint_every: int = 250
    log_every: int = 20
    sheet_people: int = 6

    def __post_init__(self) -> None:
        for name in ("size", "batch", "steps", "learning_rate", "clip", "validation_people", "validate_every"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be more than zero")
        for name in ("checkpoint_every", "log_every"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be more than zero")
        for name in (
            "seed",
            "window",
            "coarse",
            "variants",
            "warm_up",
            "weight_decay",
            "validation_seed",
            "sheet_people",
        ):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative")
        if not 0 <= self.ema < 1 or not 0 <= self.mirror <= 1:
            raise ValueError("ema must be in [0, 1) and mirror in [0, 1]")
        if self.seed == self.validation_seed:
            raise ValueError("seed and validation_seed must differ, or the test people are trained on")
        if any(side % self.network.stride for side in (self.size, self.window, self.coarse)):
            raise ValueError(f"size, window and coarse must be multiples of {self.network.stride} for this network")

        if self.coarse and not self.window:
            raise ValueError("coarse needs a window: without one all examples show people whole")

    def as_json(self) -> dict[str, Any]:
        """Nested plain JSON types, as a config file has them."""
        return json.loads(json.dumps(asdict(self)))


def read_config(path: str | Path) -> TrainConfig:
    """The settings in a JSON file. Raises LookalikeError that names what is wrong."""
    try:
        found = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise LookalikeError(f"Cannot read the config {path}: {error.strerror or error}.") from error
    except ValueError as error:
        raise LookalikeError(f"The config {path} is not JSON ({error}); correct it.") from error
    return config_from_json(found, str(path))


def config_from_json(found: Any, name: str) -> TrainConfig:
    """What `TrainConfig.as_json` gave. name : of the file, for error sentences. Raises LookalikeError."""
    try:
        return _built(TrainConfig, found, "")
    except ValueError as error:
        raise LookalikeError(f"The config {name} cannot be used: {error}.") from error


def _built(kind: type[T], found: Any, within: str) -> T:
    """A dataclass of the values in a JSON object. within : "network." and the like, for error sentences."""
    if not isinstance(found, dict):
        raise ValueError(f"{within.rstrip('.') or 'it'} must be an object with named values")
    standard = kind()
    known = {f.name: getattr(standard, f.name) for f in fields(kind)}  # type: ignore[arg-type]
    for key in found:
        if key not in known:
            raise ValueError(f"{within}{key} is not a setting; there are {', '.join(known)}")
    return kind(**{key: _value(value, known[key], within + key) for key, value in found.items()})


def _value(value: Any, standard: Any, name: str) -> Any:
    """A JSON value as the type of the standard one."""
    if is_dataclass(standard):
        return _built(type(standard), value, name + ".")
    if isinstance(standard, tuple):
        if not isinstance(value, list) or not value:
            raise ValueError(f"{name} must be a list of numbers")
        return tuple(_value(each, standard[0], name) for each in value)
    if isinstance(standard, bool):
        if isinstance(value, bool):
            return value
        raise ValueError(f"{name} must be true or false")
    if standard is None:
        if value is None or isinstance(value, str):
            return value
        raise ValueError(f"{name} must be a path or null")
    if isinstance(standard, int):
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise ValueError(f"{name} must be a whole number")
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise ValueError(f"{name} must be a number")
