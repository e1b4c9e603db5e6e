"""Where training reads from: a config and a number in, an `Example` of a picture, a wrong body and the truth out.

Example i is a pure function of config and i, whichever process makes it: a run that was stopped goes on with the same
people. They are fresh `SyntheticPeople`, or come again and again from a folder that `lookalike synthesize` made.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from lookalike.body.model import Body
from lookalike.camera import Camera
from lookalike.errors import LookalikeError
from lookalike.export.output import output_errors
from lookalike.maps import Maps, render_maps
from lookalike.maps.inputs import DEPTHS, NORMALS, STEP, CropUnit, network_inputs, person_window, stacked_normals
from lookalike.maps.motion import crop_places, motion_of, shown_points
from lookalike.people.data_folder import Order, dataset_folders, one_thread_each, people_of
from lookalike.people.sample import Sample
from lookalike.people.store import read_sample
from lookalike.render.raycast import RayCaster
from lookalike.train.config import TrainConfig
from lookalike.train.fits import FIT, read_fit, seen_through
from lookalike.train.losses import IGNORED, Targets
from lookalike.train.wrong_body import BodyNoise, wrong_body

#: Matte below which a picture shows nothing of a person.
SEEN = 12
#: Batches among which people are sorted by the shape of their pictures.
STRETCH = 16
#: Windows that are cut from each person in turn, where windows are asked for.
PARTS = 2
#: Of kept examples.
EXAMPLES = "examples 2"


@dataclass(frozen=True)
class Example:
    """What the network reads and should answer; arrays as `Targets` has them, without the batch's dimension.

    Attributes
    ----------
    inputs : (13, h, w) float16.
    normals : (6, h, w) float16.  depths : (2, h, w) float16.  labels : (h, w) uint8.  colour : (3, h, w) uint8.
    mask : (1, h, w) bool.  motion : (6, h / 4, w / 4) float16.  shown : (1, h / 4, w / 4) bool.
    """

    inputs: np.ndarray
    normals: np.ndarray
    depths: np.ndarray
    labels: np.ndarray
    colour: np.ndarray
    mask: np.ndarray
    motion: np.ndarray
    shown: np.ndarray


@dataclass(frozen=True)
class GivenBody:
    """A body as a fit might have found it.

    maps : through the sample's camera.  motion : (6, h / 4, w / 4) float32 where its points belong.
    shown : (h / 4, w / 4) bool, where there are some.
    """

    maps: Maps
    motion: np.ndarray
    shown: np.ndarray


def true_unit(sample: Sample) -> CropUnit:
    """How the sample's depths are counted: from its own body. Raises LookalikeError for a sample without one.

    A picture does not tell how large somebody is, nor how far away; a wrong body a tenth too tall is a tenth too far off.
    So the truth counts from the true body as the network's answer counts from the body that it was given.
    """
    if sample.body_maps is None or not sample.body_maps.mask.any():
        raise LookalikeError(f"{sample.name} has no body to learn from; train on folders of `lookalike synthesize`.")
    return CropUnit.of(sample.body_maps)


def example_of(sample: Sample, body: GivenBody, window: tuple[slice, slice] | None = None) -> Example:
    """The example of a sample and a given body.

    window : rows and columns of the picture, multiples of 4; None for those that have the person in them.
    """
    rows, columns = window or person_window(sample.image, body.maps.mask)
    coarse_rows, coarse_columns = (slice(w.start // STEP, w.stop // STEP) for w in (rows, columns))
    seen = sample.image[..., 3] >= SEEN
    person = sample.maps.mask
    depths = true_unit(sample).from_metres(np.stack([sample.maps.depth_front, sample.maps.depth_back]))
    whole = dict(
        inputs=network_inputs(sample.image, body.maps),
        normals=stacked_normals(sample.maps),
        depths=np.where(person, depths, 0),
        labels=np.where(person & ~seen, IGNORED, sample.labels_front).astype(np.uint8),
        colour=np.moveaxis(sample.colour_back, 2, 0),
        mask=(person & seen)[None],
    )
    parts = {name: values[..., rows, columns] for name, values in whole.items()}
    parts |= {n: v[..., coarse_rows, coarse_columns] for n, v in (("motion", body.motion), ("shown", body.shown[None]))}
    halved = {n: v.astype(np.float16) if v.dtype == np.float32 else v for n, v in parts.items()}
    return Example(**{name: np.ascontiguousarray(values) for name, values in halved.items()})


def with_wrong_body(sample: Sample, rng: np.random.Generator, noise: BodyNoise) -> GivenBody:
    """A body as a fit might find it. Raises LookalikeError for a sample without a body."""
    true = sample.body
    if true is None:
        raise LookalikeError(f"{sample.name} has no body to learn from; train on folders of `lookalike synthesize`.")
    given = given_body(wrong_body(true, rng, noise), sample)
    return given if given.maps.mask.any() else given_body(true, sample)


def given_body(body: Body, sample: Sample) -> GivenBody:
    """Some body in a sample's camera, and what it lacks to the true one. body : of the same model as the sample's."""
    assert sample.body is not None
    faces, camera = body.model.faces[body.model.outer_faces], sample.camera
    caster = RayCaster(body.vertices, faces, threads=1)
    maps = render_maps(body.vertices, faces, camera, body.normals, caster=caster)
    shown = shown_points(caster, camera)
    if maps.mask.any():
        places = crop_places(body.vertices, camera, CropUnit.of(maps))
        motion = motion_of(places, crop_places(sample.body.vertices, camera, true_unit(sample)), faces, shown)
    else:
        motion = np.zeros((6, *shown[0].face.shape), np.float32)
    return GivenBody(maps, motion, shown[0].hit & shown[1].hit)


def mirrored_example(example: Example) -> Example:
    """The example of the mirror image."""
    turn = np.array([-1, 1, 1, -1, 1, 1], np.float16)[:, None, None]
    flipped = {f.name: np.ascontiguousarray(getattr(example, f.name)[..., ::-1]) for f in fields(Example)}
    for values in (flipped["inputs"][NORMALS], flipped["normals"], flipped["motion"]):
        values *= turn
    return Example(**flipped)


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
    maps = reduced_maps(sample.maps, small)
    body_maps = None if sample.body_maps is None else reduced_maps(sample.body_maps, small)
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


def reduced_maps(maps: Maps, camera: Camera) -> Maps:
    """The maps with fewer pixels. camera : of those, each a square of whole old ones."""
    step = maps.camera.width // camera.width
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
    """Means of squares. Values are float32 or float64: OpenCV's own arithmetic is ten times as fast as numpy's."""
    import cv2

    height, width = values.shape[:2]
    small = cv2.resize(values, (width // step, height // step), interpolation=cv2.INTER_AREA)
    return small.reshape(height // step, width // step, *values.shape[2:])  # OpenCV leaves out a single channel


class People:
    """The samples of a run by number: fresh ones, or a folder's in a new order each round.

    A folder's people come sorted by the shape of their pictures within stretches of a few batches, so that a batch has
    pictures of like shapes and little to fill up.
    held : fresh people move and dress in what is held out for validation, else in what is not.
    """

    def __init__(self, config: TrainConfig, seed: int, folder: Path | None = None, held: bool = False):
        self.config, self.seed, self.held = config, seed, held
        self.files = [f / "sample.npz" for f in dataset_folders(folder)] if folder else []
        if folder and _seed_of(folder) == config.validation_seed:
            raise LookalikeError(
                f"{folder} holds the people that validation tests on (seed {config.validation_seed}): change "
                "`validation_seed` in the config, or make people of another seed."
            )
        self.shapes = np.array([picture_shape(file) for file in self.files])
        self._order: tuple[int, np.ndarray] = (-1, np.zeros(0, int))

    def __getitem__(self, number: int) -> Sample:
        config = self.config
        if not self.files:
            assets, poses = (Path(p) if p else None for p in (config.assets, config.poses))
            return people_of(Order(0, self.seed, config.size, assets, poses, held=self.held))[number]
        return self.read(self.which(number)[1])

    def which(self, number: int) -> tuple[int, int]:
        """The round that a number falls in, and whose turn it is, by place in the folder."""
        turn, place = divmod(number, len(self.files))
        if self._order[0] != turn:
            self._order = (turn, self._round(turn))
        return turn, int(self._order[1][place])

    def read(self, who: int) -> Sample:
        """The sample at a place in the folder, as small as the config wants it."""
        return reduced_sample(read_sample(self.files[who]), self.config.size)

    def _round(self, turn: int) -> np.ndarray:
        """(n,) a new order of the folder's people."""
        rng, batch = np.random.default_rng([self.seed, 3, turn]), self.config.batch
        order = rng.permutation(len(self.files))
        out = []
        for start in range(0, len(order), STRETCH * batch):
            stretch = order[start : start + STRETCH * batch]
            stretch = stretch[np.argsort(self.shapes[stretch], kind="stable")]
            several = [stretch[i : i + batch] for i in range(0, len(stretch), batch)]
            # an incomplete batch stays last, or the batches after it would straddle two shapes
            whole = len(several) - (len(stretch) % batch > 0)
            out += [several[i] for i in (*rng.permutation(whole), *range(whole, len(several)))]
        return np.concatenate(out)


@cache
def picture_shape(file: Path) -> float:
    """Width by height of what a sample's picture shows. Raises LookalikeError."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            top, bottom, left, right = arrays["image_box"]
    except Exception as error:  # whatever a damaged file leads to
        raise LookalikeError(f"Cannot read the sample {file}: {error}.") from None
    return float(max(right - left, 1) / max(bottom - top, 1))


def _seed_of(folder: Path) -> int | None:
    """What a folder's people were made from, if it says so."""
    try:
        return int(json.loads((folder / "dataset.json").read_text("utf-8"))["seed"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


class Examples(Dataset):
    """Training examples by number. Those of a folder are kept in it where the config wants a number of variants."""

    def __init__(self, config: TrainConfig, folder: Path | None = None):
        self.config = config
        self.people = People(config, config.seed, folder)
        self.kept: Path | None = None
        self._last: tuple[int, Example] | None = None
        self.coarse = (
            Examples(replace(config, size=config.coarse, coarse=0, window=0), folder) if config.coarse else None
        )
        if config.fits and not any(file.with_name(FIT).is_file() for file in self.people.files):
            raise LookalikeError(
                "The config asks for fitted bodies and the folder has none: call `lookalike train fits`."
            )
        if folder and config.variants:
            self.kept = folder / f"examples_{_digest(config)}"
            with output_errors(self.kept):
                self.kept.mkdir(exist_ok=True)

    def __getitem__(self, number: int) -> Example:
        config = self.config
        if self.coarse is not None:
            step, place = divmod(number, config.batch)
            number = step // 2 * config.batch + place
            if step % 2 == 0:
                return self.coarse[number]
        example = self._part(number) if config.window else self._whole(number)
        mirror = np.random.default_rng([config.seed, 9, number]).random() < config.mirror
        return mirrored_example(example) if mirror else example

    def _part(self, number: int) -> Example:
        who = number // PARTS
        if self._last is None or self._last[0] != who:
            self._last = (who, self._whole(who))
        return part_of(self._last[1], self.config.window, np.random.default_rng([self.config.seed, 7, number]))

    def _whole(self, number: int) -> Example:
        if not self.people.files:
            return self._made(self.people[number], number)
        turn, who = self.people.which(number)
        fit = self.people.files[who].with_name(FIT)
        fitted = self.config.fits and turn % 2 == 0 and fit.is_file()
        made = turn // 2 if self.config.fits else turn
        if self.kept is None:
            return self._fitted(who, fit) if fitted else self._made(self.people.read(who), number)
        variant = made % self.config.variants
        path = self.kept / f"{self.people.files[who].parent.name}_{'fit' if fitted else variant}.npz"
        if path.is_file():
            return read_example(path)
        example = self._fitted(who, fit) if fitted else self._made(self.people.read(who), who, variant)
        write_example(example, path)
        return example

    def _made(self, sample: Sample, *key: int) -> Example:
        rng = np.random.default_rng([self.config.seed, 5, *key])
        return example_of(sample, with_wrong_body(sample, rng, self.config.noise))

    def _fitted(self, who: int, fit: Path) -> Example:
        sample = self.people.read(who)
        assert sample.body is not None
        body = read_fit(fit, sample.body.model, sample.camera.width)
        sample = seen_through(sample, body.camera)
        given = given_body(body, sample)
        assert sample.body is not None
        return example_of(sample, given if given.maps.mask.any() else given_body(sample.body, sample))


def _digest(config: TrainConfig) -> str:
    """A name for all that kept examples depend on."""
    found = config.as_json()
    said = [EXAMPLES, *(found[name] for name in ("size", "seed", "noise"))]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:10]


def write_example(example: Example, path: Path) -> None:
    """One file. Raises OutputError; a file that is not complete never has this name."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    with output_errors(path):
        try:
            with temporary.open("wb") as file:
                np.savez(file, **{f.name: getattr(example, f.name) for f in fields(Example)})
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def read_example(path: Path) -> Example:
    """What `write_example` wrote. Raises LookalikeError."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return Example(**{f.name: file[f.name] for f in fields(Example)})
    except Exception as error:  # whatever a damaged file leads to
        raise LookalikeError(
            f"Cannot read the kept example {path} ({error}); delete it, and it is made anew."
        ) from None


def part_of(example: Example, side: int, rng: np.random.Generator) -> Example:
    """A window of at most `side` pixels each way, around some pixel of the person. side : a multiple of `STEP`."""
    rows, columns = np.nonzero(example.mask[0])
    if not len(rows):
        rows, columns = np.array([0]), np.array([0])
    chosen = rng.integers(len(rows))
    low = []
    for at, total in zip((rows[chosen], columns[chosen]), example.mask.shape[1:], strict=True):
        low.append(int(np.clip(at - side // 2, 0, max(total - side, 0))) // STEP * STEP)
    cut = {}
    for field in fields(Example):
        step = STEP if field.name in ("motion", "shown") else 1
        top, left = (a // step for a in low)
        cut[field.name] = getattr(example, field.name)[..., top : top + side // step, left : left + side // step]
    return Example(**cut)


def side_by_side(examples: list[Example]) -> list[Example]:
    """Examples of one size: the smaller ones get an empty margin, in which nothing is asked."""
    height, width = (max(e.mask.shape[i] for e in examples) for i in (1, 2))
    return [_padded(e, height, width) for e in examples]


def _padded(example: Example, height: int, width: int) -> Example:
    low = [
        (total - has) // 2 // STEP * STEP for total, has in zip((height, width), example.mask.shape[1:], strict=True)
    ]
    changed = {}
    for field in fields(Example):
        values, step = getattr(example, field.name), STEP if field.name in ("motion", "shown") else 1
        around = [
            (a // step, (total - has - a) // step)
            for a, total, has in zip(low, (height, width), example.mask.shape[1:], strict=True)
        ]
        if not any(map(any, around)):
            return example
        changed[field.name] = np.pad(values, [(0, 0)] * (values.ndim - 2) + around)
        if field.name == "inputs":  # depths go on beyond the body
            changed["inputs"][DEPTHS] = np.pad(values[DEPTHS], [(0, 0), *around], mode="edge")
    return Example(**changed)


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
        # arrays travel through pipes; tensors would fill shared memory, which containers have little of
        collate_fn=side_by_side,
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
        depths=stack("depths").float(),
        labels=stack("labels").long(),
        colour=stack("colour").float() / 255,
        mask=stack("mask").float(),
        motion=stack("motion").float(),
        shown=stack("shown").float(),
    )
