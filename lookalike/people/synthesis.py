"""Synthetic people: a seed and a number in, a `Sample` out. A training loop reads them on the fly; no files are needed.

    body ──pose──▶ Body ──dress──▶ pieces ──frame──▶ crop camera ──look, light, develop──▶ Sample

Sample i of a seed is always the same, whoever makes it and in whatever order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation
from threadpoolctl import ThreadpoolController

from lookalike.body import Body, BodyModel, load_body
from lookalike.camera import Camera
from lookalike.maps import Maps, render_maps
from lookalike.people.framing import Framing, random_framing
from lookalike.people.photography.illumination import random_light
from lookalike.people.photography.photo_faults import develop_photo
from lookalike.people.photography.snapshot import Snapshot, snapshot
from lookalike.people.poses import PoseLibrary, random_pose
from lookalike.people.sample import LABELS, Sample
from lookalike.people.scene import Piece, Scene
from lookalike.render.shade import encode_srgb

#: Share of men with a beard that has a form; stubble is the skin's.
BEARDS = 0.22
#: Pixels around the person's box that get a background: a matte may err by less.
AROUND = 24
#: Shape numbers are drawn from a standard normal distribution and kept within this.
WIDEST_SHAPE = 2.6


@dataclass(frozen=True)
class Recipe:
    """What kind of samples.

    Attributes
    ----------
    size : pixels along each side.
    assets : a folder of MakeHuman's assets, or None for our own wardrobe only.
    poses : motions that poses are taken from besides our own, or None.
    makehuman : share of people dressed from the assets, where there are any.
    faults : whether pictures have a camera's and a matte's faults.
    pressed : our own wardrobe's clothes have no folds, to see what folds teach.
    held : only clips, garments and hairdos that are held out for validation, or only the others; None for all. Our own
        wardrobe cuts each garment anew.
    threads : cores for one sample; processes that each make their own samples scale better than threads.
    """

    size: int = 512
    assets: Path | None = None
    poses: PoseLibrary | None = None
    makehuman: float = 0.35
    faults: bool = True
    pressed: bool = False
    held: bool | None = None
    threads: int = 1


@dataclass(frozen=True)
class Person:
    """Somebody before a camera is chosen: a body in the room's axes (Y up, facing +Z) and what is on it.

    wearing : names of what is worn.  covered : (V,) bool the body's vertices under clothes.
    """

    body: Body
    pieces: list[Piece]
    wearing: tuple[str, ...]
    covered: np.ndarray


class SyntheticPeople:
    """An endless series of samples.

    >>> people = SyntheticPeople(seed=7)                      # doctest: +SKIP
    >>> people[12].image.shape                                # doctest: +SKIP
    (512, 512, 4)
    """

    def __init__(self, seed: int = 0, recipe: Recipe | None = None):
        self.seed = seed
        self.recipe = recipe = recipe or Recipe()
        self.poses = recipe.poses
        if recipe.poses is not None and recipe.held is not None:
            self.poses = recipe.poses.held(recipe.held)
        self.model: BodyModel = load_body()

    @cached_property
    def _wardrobe(self):
        from lookalike.people.makehuman.wardrobe import Wardrobe

        return Wardrobe(self.recipe.assets, self.recipe.held) if self.recipe.assets is not None else None

    def __iter__(self) -> Iterator[Sample]:
        number = 0
        while True:
            yield self[number]
            number += 1

    def __getitem__(self, number: int) -> Sample:
        rng = np.random.default_rng([self.seed, number])
        with one_thread():
            person = self.person(rng)
            return photographed(person, self.recipe, rng, f"{self.seed}/{number:06d}")

    def person(self, rng: np.random.Generator) -> Person:
        """Somebody new."""
        betas = rng.normal(0, 1, self.model.shape_count).clip(-WIDEST_SHAPE, WIDEST_SHAPE)
        pose = random_pose(rng, self.poses)
        from_assets = self._wardrobe is not None and rng.random() < self.recipe.makehuman
        if from_assets:
            body = _posed(self.model, betas, pose)
            dressed = self._wardrobe.dress(body, rng)
            return Person(body, dressed.pieces, tuple(p.name for p in dressed.pieces), dressed.covered)
        return dress(self.model, betas, pose, rng, self.recipe.pressed)


@contextmanager
def one_thread() -> Iterator[None]:
    """Linear algebra on one thread: its last digits depend on how many there are, and samples must not."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with _thread_pools().limit(limits=1):
            yield
    finally:
        torch.set_num_threads(threads)


@lru_cache(maxsize=1)
def _thread_pools() -> ThreadpoolController:
    import scipy.linalg  # noqa: F401  the libraries must be loaded to be found

    return ThreadpoolController()


def dress(
    model: BodyModel, betas: np.ndarray, pose: np.ndarray, rng: np.random.Generator, pressed: bool = False
) -> Person:
    """Somebody in our own wardrobe. betas : (B,).  pose : (52, 3) axis-angle, facing +Z.  pressed : without folds."""
    from lookalike.people.hair.beard import grow_beard
    from lookalike.people.hair.grow import grow_hair, random_style
    from lookalike.people.looks.complexion import skin_paint
    from lookalike.people.looks.hair_paint import random_hair_paint
    from lookalike.people.wardrobe.accessories import random_accessories
    from lookalike.people.wardrobe.outfits import put_on_clothes, random_outfit
    from lookalike.people.wardrobe.shoes import HEELED, on_heels, put_on_shoes, random_shoe_style

    man = bool(rng.random() < 0.5)
    shoes = random_shoe_style(rng)
    if shoes in HEELED and man:
        shoes = "sneakers"
    if shoes in HEELED:
        pose = on_heels(pose, model.joint_names, 0.06)
    body = _posed(model, betas, pose)
    clothes = put_on_clothes(body, rng, random_outfit(rng, man), pressed)
    footwear, inside = put_on_shoes(body, rng, shoes)
    dye = random_hair_paint(rng)
    hair = grow_hair(body, rng, random_style(rng, man), dye, over=clothes.pieces)
    if man and rng.random() < BEARDS:
        hair += grow_beard(body, rng, paint=dye)
    others, hair = random_accessories(body, rng, hair, over=clothes.pieces)
    covered = clothes.covered | inside
    skin = skin_piece(body, covered, skin_paint(rng, model, dye.mean, float(man)))
    pieces = [skin, *clothes.pieces, *footwear, *hair, *others]
    return Person(body, pieces, (*clothes.kinds, shoes, *sorted({p.name for p in (*hair, *others)})), covered)


def skin_piece(body: Body, covered: np.ndarray, paint) -> Piece:
    """The body's own surface where nothing covers it. covered : (V,) bool."""
    from lookalike.people.makehuman.dressing import SKIN

    model = body.model
    assert model.face_uv is not None and model.uv is not None
    shown = model.outer_faces[~covered[model.faces[model.outer_faces]].all(1)]
    return Piece(
        "skin",
        body.vertices,
        model.faces[shown],
        model.uv,
        model.face_uv[shown],
        paint,
        finish=SKIN,
        normals=body.normals,
    )


def photographed(person: Person, recipe: Recipe, rng: np.random.Generator, name: str) -> Sample:
    """The sample of a person: a random camera, light and camera's faults."""
    everything = np.concatenate([p.vertices for p in person.pieces])
    framing = random_framing(everything, recipe.size, rng)
    body = seen_by(person.body, framing)
    pieces = tuple(_carried(piece, framing) for piece in person.pieces)
    camera = framing.view.camera
    spacing = float(-body.joints[0, 2]) / camera.focal
    scene = Scene(list(pieces), spacing, recipe.threads)
    shot = snapshot(scene, camera, random_light(rng), rng)
    light, coverage = shot.light, shot.coverage
    inside = _within(framing.frame, recipe.size)
    light, coverage = light * inside[..., None], coverage * inside
    if recipe.faults:
        image = _developed(rng, light, coverage)
        image[..., 3] = np.where(inside, image[..., 3], 0)
    else:
        straight = light / np.maximum(coverage, 1e-6)[..., None]
        image = np.dstack([encode_srgb(straight), np.round(coverage * 255).astype(np.uint8)])
    return _sample(name, image, shot, body, pieces, recipe.threads)


def _developed(rng: np.random.Generator, light: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    """The photo around the person; farther off than a matte may err there is none, (h, w, 4) uint8."""
    image = np.zeros((*coverage.shape, 4), np.uint8)
    rows, columns = np.flatnonzero(coverage.any(1)), np.flatnonzero(coverage.any(0))
    if len(rows):
        low = np.maximum(np.array([rows[0], columns[0]]) - AROUND, 0)
        high = np.array([rows[-1], columns[-1]]) + 1 + AROUND
        part = slice(low[0], high[0]), slice(low[1], high[1])
        image[part] = develop_photo(rng, light[part], coverage[part])
    return image


def _sample(
    name: str, image: np.ndarray, shot: Snapshot, body: Body, pieces: tuple[Piece, ...], threads: int
) -> Sample:
    """The sample of a picture and what its rays met."""
    buffers, model = shot.buffers, body.model
    mask = buffers.mask
    label = np.array([0, *(LABELS.index(p.label) for p in pieces)], np.uint8)
    sides = []
    for back in (False, True):
        side = buffers.back if back else buffers.front
        albedo = buffers.albedo(back) if back else shot.albedo
        colour = np.where(mask[..., None], encode_srgb(albedo), 0).astype(np.uint8)
        depth = np.where(mask, side.depth, np.float32(np.nan)).astype(np.float32)
        sides.append((buffers.normals(back), depth, label[side.piece + 1], colour))
    front, rear = sides
    maps = Maps(buffers.camera, front[0], rear[0], front[1], rear[1], mask)
    body_maps = render_maps(body.vertices, model.faces[model.outer_faces], buffers.camera, body.normals, threads)
    return Sample(name, image, buffers.camera, body, body_maps, maps, front[2], rear[2], front[3], rear[3], pieces)


def seen_by(body: Body, framing: Framing) -> Body:
    """A body of the room's axes in a camera's frame."""
    view = framing.view
    turn = Rotation.from_matrix(view.rotation)
    pose = body.pose.copy()
    pose[0] = (turn * Rotation.from_rotvec(body.pose[0])).as_rotvec()
    move = np.eye(4)
    move[:3, :3], move[:3, 3] = view.rotation, -view.rotation @ view.position
    seen = replace(
        body,
        pose=pose,
        # the root joint goes where the camera sees it
        translation=(view.to_camera(body.joints[0].astype(float)) - body.rest_joints[0]).astype(np.float32),
        camera=view.camera,
        vertices=view.to_camera(body.vertices.astype(float)).astype(np.float32),
        joints=view.to_camera(body.joints.astype(float)).astype(np.float32),
        transforms=(move @ body.transforms).astype(np.float32),
    )
    seen.__dict__["normals"] = (body.normals @ view.rotation.T).astype(np.float32)
    return seen


def _carried(piece: Piece, framing: Framing) -> Piece:
    vertices = framing.view.to_camera(piece.vertices).astype(np.float32)
    normals = (piece.smooth @ framing.view.rotation.T).astype(np.float32)
    return replace(piece, vertices=vertices, normals=normals)


def _posed(model: BodyModel, betas: np.ndarray, pose: np.ndarray) -> Body:
    return model.posed(betas, pose, np.zeros(3), Camera.for_photo(512, 512))


def _within(frame: tuple[float, float, float, float], size: int) -> np.ndarray:
    """(size, size) float32: one in the photo, zero beyond its border."""
    centre = np.arange(size) + 0.5
    x = (centre > frame[0]) & (centre < frame[2])
    y = (centre > frame[1]) & (centre < frame[3])
    return (y[:, None] & x[None]).astype(np.float32)
