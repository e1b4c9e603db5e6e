"""Where training reads from: a config and a number in, an `Example` of a picture, a wrong body and the truth out.

Example i is a pure function of config and i, whichever process makes it: a run that was stopped goes on with the same
people. They are fresh `SyntheticPeople`, or come again and again from a folder that `lookalike synthesize` made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from lookalike.camera import Camera
from lookalike.errors import LookalikeError
from lookalike.maps import Maps, render_maps
from lookalike.maps.inputs import CropUnit, network_inputs, stacked_normals
from lookalike.people.data_folder import Order, dataset_folders, one_thread_each, people_of
from lookalike.people.sample import Sample
from lookalike.people.store import read_sample
from lookalike.train.config import TrainConfig
from lookalike.train.losses import IGNORED, Targets
from lookalike.train.wrong_body import BodyNoise, wrong_body

#: Matte below which a picture shows nothing of a person.
SEEN = 12


@dataclass(frozen=True)
class Example:
    """What the network reads and should answer; arrays as `Targets` has them, without the batch's dimension.

    Attributes
    ----------
    inputs : (13, h, w) float16.
    normals : (6, h, w) float16.  depths : (2, h, w) float32.  labels : (h, w) uint8.  colour : (3, h, w) uint8.
    mask : (1, h, w) bool.
    """

    inputs: np.ndarray
    normals: np.ndarray
    depths: np.ndarray
    labels: np.ndarray
    colour: np.ndarray
    mask: np.ndarray


def true_unit(sample: Sample) -> CropUnit:
    """How the sample's depths are counted: from its own body. Raises LookalikeError for a sample without one.

    A picture does not tell how large somebody is, nor how far away; a wrong body a tenth too tall is a tenth too far off.
    So the truth counts from the true body as the network's answer counts from the body that it was given.
    """
    if sample.body_maps is None or not sample.body_maps.mask.any():
        raise LookalikeError(f"{sample.name} has no body to learn from; train on folders of `lookalike synthesize`.")
    return CropUnit.of(sample.body_maps)


def example_of(sample: Sample, body: Maps) -> Example:
    """The example of a sample and a body's maps through its camera."""
    seen = sample.image[..., 3] >= SEEN
    person = sample.maps.mask
    depths = true_unit(sample).from_metres(np.stack([sample.maps.depth_front, sample.maps.depth_back]))
    return Example(
        inputs=network_inputs(sample.image, body).astype(np.float16),
        normals=stacked_normals(sample.maps).astype(np.float16),
        depths=np.where(person, depths, 0).astype(np.float32),
        labels=np.where(person & ~seen, IGNORED, sample.labels_front).astype(np.uint8),
        colour=np.ascontiguousarray(np.moveaxis(sample.colour_back, 2, 0)),
        mask=(person & seen)[None],
    )


def with_wrong_body(sample: Sample, rng: np.random.Generator, noise: BodyNoise) -> Maps:
    """Maps of a body as a fit might find it. Raises LookalikeError for a sample without a body."""
    if sample.body is None:
        raise LookalikeError(f"{sample.name} has no body to learn from; train on folders of `lookalike synthesize`.")
    body = wrong_body(sample.body, rng, noise)
    faces = body.model.faces[body.model.outer_faces]
    maps = render_maps(body.vertices, faces, sample.camera, body.normals, threads=1)
    if maps.mask.any():
        return maps
    return render_maps(sample.body.vertices, faces, sample.camera, sample.body.normals, threads=1)


def mirrored_maps(maps: Maps) -> Maps:
    """Maps of the mirror image, left and right exchanged."""
    camera = replace(maps.camera, cx=maps.camera.width - maps.camera.cx)
    turn = np.array([-1, 1, 1], np.float32)
    front, back = (np.ascontiguousarray(n[:, ::-1] * turn) for n in (maps.normals_front, maps.normals_back))
    near, far, mask = (np.ascontiguousarray(a[:, ::-1]) for a in (maps.depth_front, maps.depth_back, maps.mask))
    return Maps(camera, front, back, near, far, mask)


def mirrored_sample(sample: Sample) -> Sample:
    """The sample in a mirror. Its body and pieces, which no example needs any more, are left out."""
    maps = mirrored_maps(sample.maps)
    body_maps = None if sample.body_maps is None else mirrored_maps(sample.body_maps)
    names = ("image", "labels_front", "labels_back", "colour_front", "colour_back")
    flipped: dict[str, Any] = {name: np.ascontiguousarray(getattr(sample, name)[:, ::-1]) for name in names}
    return replace(sample, camera=maps.camera, body=None, body_maps=body_maps, maps=maps, pieces=(), **flipped)


def reduced_sample(sample: Sample, size: int) -> Sample:
    """The sample with fewer pixels, each the mean of a square of the old ones.

    Raises LookalikeError where `size` is no whole part of the sample's.
    """
    camera = sample.camera
    if camera.width == camera.height == size:
        return sample
    if camera.width != camera.height or camera.width % size:
        raise LookalikeError(
            f"{sample.name} has {camera.width} x {camera.height} pixels, of which {size} is no whole part; "
            "change `size` in the config."
        )
    step = camera.width // size
    small = camera.window(0, 0, camera.width, camera.height, 1 / step)
    maps = _reduced_maps(sample.maps, small, step)
    body_maps = None if sample.body_maps is None else _reduced_maps(sample.body_maps, small, step)
    alpha = sample.image[..., 3].astype(np.float32)
    matte = _blocks(alpha, step)
    colour = _blocks(sample.image[..., :3] * alpha[..., None], step) / np.maximum(matte, 1e-3)[..., None]
    image = np.dstack([colour, matte]).round().clip(0, 255).astype(np.uint8)
    changed: dict[str, Any] = {}
    for side in ("front", "back"):
        label = getattr(sample, f"labels_{side}")[step // 2 :: step, step // 2 :: step]
        changed[f"labels_{side}"] = np.where(maps.mask, label, 0).astype(np.uint8)
        albedo = _means(getattr(sample, f"colour_{side}"), sample.maps.mask, step)
        changed[f"colour_{side}"] = np.where(maps.mask[..., None], albedo, 0).round().astype(np.uint8)
    return replace(sample, image=image, camera=small, body_maps=body_maps, maps=maps, pieces=(), **changed)


def _reduced_maps(maps: Maps, camera: Camera, step: int) -> Maps:
    mask = _blocks(maps.mask.astype(np.float32), step) >= 0.5
    images = []
    for side in ("front", "back"):
        normals = _means(getattr(maps, f"normals_{side}"), maps.mask, step)
        normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-6)
        depth = _means(getattr(maps, f"depth_{side}"), maps.mask, step)
        images.append((np.where(mask[..., None], normals, 0), np.where(mask, depth, np.float32(np.nan))))
    (front, near), (back, far) = images
    return Maps(camera, front, back, near, far, mask)


def _means(values: np.ndarray, mask: np.ndarray, step: int) -> np.ndarray:
    """Means over the part of each square that lies in the mask, zero where nothing does."""
    inside = mask.reshape(mask.shape + (1,) * (values.ndim - 2))
    count = _blocks(inside.astype(np.float32), step)
    return _blocks(np.where(inside, values, 0).astype(np.float32), step) / np.maximum(count, 1e-6)


def _blocks(values: np.ndarray, step: int) -> np.ndarray:
    height, width = values.shape[:2]
    return values.reshape(height // step, step, width // step, step, *values.shape[2:]).mean((1, 3))


class People:
    """The samples of a run by number: fresh ones, or a folder's in a new order each round."""

    def __init__(self, config: TrainConfig, seed: int, folder: Path | None = None):
        self.config, self.seed = config, seed
        self.files = [f / "sample.npz" for f in dataset_folders(folder)] if folder else []
        if folder and _seed_of(folder) == config.validation_seed:
            raise LookalikeError(
                f"{folder} holds the people that validation tests on (seed {config.validation_seed}): change "
                "`validation_seed` in the config, or make people of another seed."
            )

    def __getitem__(self, number: int) -> Sample:
        config = self.config
        if not self.files:
            assets, poses = (Path(p) if p else None for p in (config.assets, config.poses))
            return people_of(Order(0, self.seed, config.size, assets, poses))[number]
        count = len(self.files)
        order = np.random.default_rng([self.seed, 3, number // count]).permutation(count)
        return reduced_sample(read_sample(self.files[order[number % count]]), config.size)


def _seed_of(folder: Path) -> int | None:
    """What a folder's people were made from, if it says so."""
    try:
        return int(json.loads((folder / "dataset.json").read_text("utf-8"))["seed"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


class Examples(Dataset):
    """Training examples by number."""

    def __init__(self, config: TrainConfig, folder: Path | None = None):
        self.config = config
        self.people = People(config, config.seed, folder)

    def __getitem__(self, number: int) -> Example:
        sample = self.people[number]
        rng = np.random.default_rng([self.config.seed, 5, number])
        body = with_wrong_body(sample, rng, self.config.noise)
        if rng.random() < self.config.mirror:
            sample, body = mirrored_sample(sample), mirrored_maps(body)
        return example_of(sample, body)


class _From(Sampler):
    """The numbers from one to another."""

    def __init__(self, start: int, stop: int):
        self.numbers = range(start, stop)

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)


def batches(config: TrainConfig, start: int, folder: Path | None, jobs: int) -> Iterator[list[Example]]:
    """The batches of the steps from `start` on. jobs : processes that make them, 0 for this one."""
    loader: DataLoader = DataLoader(
        Examples(config, folder),
        batch_size=config.batch,
        sampler=_From(start * config.batch, config.steps * config.batch),
        num_workers=jobs,
        collate_fn=list,  # arrays travel through pipes; tensors would fill shared memory, which containers have little of
        # fresh processes: libraries with threads of their own do not survive a fork
        multiprocessing_context="spawn" if jobs else None,
        worker_init_fn=_begin_worker if jobs else None,
        prefetch_factor=3 if jobs else None,
        generator=torch.Generator(),  # or it would draw from the global one
    )
    try:
        with one_thread_each():
            source = iter(loader)  # starts the processes
        yield from source
    except LookalikeError as error:
        if not jobs:
            raise
        # out of another process it comes with that one's traceback; the sentence is its last line
        raise type(error)(str(error).strip().splitlines()[-1].split(": ", 1)[-1]) from error


def _begin_worker(_number: int) -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)


def tensors_of(examples: list[Example], device: torch.device) -> tuple[torch.Tensor, Targets]:
    """A batch on a device: inputs (b, 13, h, w) float32, channels last, and the truth."""

    def stack(name: str) -> torch.Tensor:
        return torch.from_numpy(np.stack([getattr(e, name) for e in examples])).to(device)

    inputs = stack("inputs").float().contiguous(memory_format=torch.channels_last)
    return inputs, Targets(
        normals=stack("normals").float(),
        depths=stack("depths"),
        labels=stack("labels").long(),
        colour=stack("colour").float() / 255,
        mask=stack("mask").float(),
    )
