"""MakeHuman's clothes, hair and skins on our own body: a posed `Body` and a random generator in, labelled pieces out.

`Wardrobe` lists a MakeHuman (or MPFB) folder, a user's own additions included; what a garment is follows from where it
lies on the body, not from its name. `dress` picks an outfit that goes with the body's looks, dyes it and lays it on.
Shirts and trousers are pieces of their own, also where one file holds both, so an outfit may mix two files.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from lookalike.body.model import Body
from lookalike.errors import LookalikeError
from lookalike.people.looks.fabric import random_fabric
from lookalike.people.looks.paint import LUMINANCE, Flat, Paint, Scaled, Tinted, read_paint
from lookalike.people.makehuman.assets import AssetMaterial, read_material
from lookalike.people.makehuman.body import guessed_looks
from lookalike.people.makehuman.dressing import CLOTH, HAIR, LASHES, LEATHER
from lookalike.people.makehuman.pattern import Pattern, read_pattern
from lookalike.people.makehuman.worn import Dressed, Folds, Outfit, laid_on
from lookalike.people.scene import Finish

#: Hair that stands off the head by more than this (metres) does not go under a hat.
FLAT = 0.022
#: Pixels of the longer side of textures, at most.
TEXTURE = 1024

#: Linear colours of hair, and how common they are.
HAIR_COLOURS = np.array(
    [
        (0.012, 0.010, 0.009),
        (0.030, 0.019, 0.013),
        (0.070, 0.038, 0.022),
        (0.150, 0.085, 0.045),
        (0.140, 0.050, 0.022),
        (0.330, 0.220, 0.110),
        (0.260, 0.245, 0.230),
        (0.520, 0.500, 0.470),
    ]
)
HAIR_SHARES = np.array([0.22, 0.24, 0.2, 0.12, 0.06, 0.1, 0.04, 0.02])


#: One garment and one hairdo in so many is held out.
HELD = 6

#: Share of the clothes that are made of our own fabrics.
PLAIN_CLOTH = 0.5


class Wardrobe:
    """The assets in a MakeHuman folder: `clothes/*/*.mhclo`, `hair`, `eyebrows`, `eyelashes`, `eyes/materials`, `skins`.

    Clothes are read at once (2 to 4 s), all else when first used. `left_out` says which clothes cannot be used and why.
    held : only the clothes and hairdos that are held out for validation, or only the others; None for all.
    """

    def __init__(self, assets: str | Path, held: bool | None = None):
        self.assets = Path(assets)
        self.left_out: dict[Path, str] = {}
        self.clothes: dict[Path, Pattern] = {}
        for file in _part(self._files("clothes/*/*.mhclo"), held):
            try:
                self.clothes[file] = read_pattern(file)
            except LookalikeError as error:
                self.left_out[file] = str(error)
        self.hair = _part(self._files("hair/*/*.mhclo"), held)
        self.brows = self._files("eyebrows/*/*.mhclo")
        self.lashes = self._files("eyelashes/*/*.mhclo")
        self.eyes = self._files("eyes/materials/*.png")
        self.skins = [(file, words) for file, words in map(_skin, self._files("skins/*/*.mhmat")) if words is not None]
        for what, found in (("skins", self.skins), ("clothes", self.of("upper")), ("eyes/materials", self.eyes)):
            if not found:
                raise LookalikeError(f"{self.assets} holds no {what}: name a folder with MakeHuman's assets.")

    def of(self, label: str, least: float = 0.02) -> list[Path]:
        """Garments with a part of this label of at least so many m²."""
        return [f for f, p in self.clothes.items() if p.area.get(label, 0) > least]

    def choose(self, rng: np.random.Generator, sex: float, age: float) -> Outfit:
        """An outfit for a person. sex : 0 female, 1 male.  age : as `makehuman_body.guessed_looks` has it."""
        male = bool(rng.random() < np.clip(3 * (sex - 0.5) + 0.5, 0, 1))
        skin, dark = self._skin(rng, male, age)
        colour = HAIR_COLOURS[rng.choice(len(HAIR_COLOURS), p=_shares(dark, age))] * rng.lognormal(0, 0.15, 3)
        upper = _pick(rng, _fitting(self.of("upper"), male))
        lower = upper
        if upper not in self.of("lower") or (self.clothes[upper].separable and rng.random() < 0.45):
            others = [f for f in self.of("lower") if self.clothes[f].separable]
            lower = _pick(rng, _fitting(others, male))
        clothes = [self._worn(rng, lower, "lower"), self._worn(rng, upper, "upper")]
        if self.of("shoes") and rng.random() < 0.93:
            clothes.insert(0, self._worn(rng, _pick(rng, self.of("shoes")), "shoes"))
        hat = self.of("accessory") and rng.random() < 0.12
        if hat:
            clothes.append(self._worn(rng, _pick(rng, self.of("accessory")), "accessory"))
        hair: list[tuple[Pattern, str, Paint, Finish]] = []
        if self.hair and rng.random() < (0.97 if not male else 0.93 if age < 0.8 else 0.75):
            hair.append(_grown(rng, _pick(rng, _hairdos(self.hair, male, bool(hat), dark)), colour))
        if self.brows:
            hair.append(_grown(rng, _pick(rng, self.brows), colour * 0.7, "skin"))
        if self.lashes:
            pattern = read_pattern(_pick(rng, self.lashes), True)
            hair.append((pattern, "skin", _own_paint(pattern), LASHES))
        brown = [f for f in self.eyes if "brown" in f.stem.lower()]
        iris = read_paint(_pick(rng, brown if brown and rng.random() < (0.97 if dark else 0.5) else self.eyes))
        look = (float(rng.normal(0, 8)), float(rng.normal(0, 4)))
        return Outfit(skin, iris, tuple(clothes), tuple(hair), look)

    def dress(self, body: Body, rng: np.random.Generator, folds: Folds | None = None) -> Dressed:
        """A body in a random outfit that goes with its looks. folds : see `Folds`."""
        return laid_on(body, self.choose(rng, *guessed_looks(body)), rng, folds)

    def _files(self, pattern: str) -> list[Path]:
        return sorted(self.assets.glob(pattern))

    def _worn(self, rng: np.random.Generator, file: Path, label: str) -> tuple[Pattern, str, Paint, Finish]:
        pattern = self.clothes[file]
        shoes = label == "shoes"
        if label in ("upper", "lower") and rng.random() < PLAIN_CLOTH:
            # Fabrics of our own: the pictures have wrinkles painted that are not in the geometry.
            fabric, cloth = random_fabric(rng, "plain blouse" if label == "upper" else "trousers")
            return pattern, label, Scaled(fabric, pattern.uv_per_metre), cloth
        share = 0.25 if shoes else 0.65
        paint = _dyed(rng, _own_paint(pattern), _mean(file, label)) if rng.random() < share else _own_paint(pattern)
        finish = LEATHER if shoes else CLOTH
        return (
            pattern,
            label,
            paint,
            replace(finish, roughness=float(np.clip(rng.normal(finish.roughness, 0.06), 0.2, 1))),
        )

    def _skin(self, rng: np.random.Generator, male: bool, age: float) -> tuple[Paint, bool]:
        """A skin and whether it is dark. Tones between the textures' come from melanin: it takes blue more than red."""
        word = "old" if age > 0.9 else "middleage" if age > 0.78 else "young"
        sex = "male" if male else "female"
        best = [(sex in w) * 2 + (word in w) for _, w in self.skins]
        file, words = self.skins[_pick(rng, [i for i, b in enumerate(best) if b == max(best)])]
        dark = "african" in words
        melanin = rng.normal(0, 0.2) if dark else rng.normal(0.12, 0.25)
        red = rng.normal(0, 0.03)
        gain = np.exp(-np.array([0.75 * melanin + red, melanin, 1.2 * melanin]))
        return Tinted(read_paint(file, longest=TEXTURE), (float(gain[0]), float(gain[1]), float(gain[2]))), dark


def _part(files: list[Path], held: bool | None) -> list[Path]:
    """Those that are held out, or the others; None for all."""
    return files if held is None else [f for i, f in enumerate(files) if (i % HELD == HELD // 2) == held]


def _skin(file: Path) -> tuple[Path, set[str] | None]:
    """A skin's picture and the words about it; None where there is no photographic picture."""
    try:
        material = read_material(file)
    except LookalikeError:
        return file, None
    words = set(file.stem.lower().replace("-", "_").split("_"))
    if material.diffuse is None or words & {"toon01", "toon", "default"} or "special" in material.diffuse.stem:
        return file, None
    return material.diffuse, words


def _shares(dark: bool, age: float) -> np.ndarray:
    share = HAIR_SHARES.copy()
    if dark:
        share[3:6] *= 0.1
    if age > 0.85:
        share[6:] *= 12
    elif age < 0.6:
        share[6:] = 0
    return share / share.sum()


def _fitting(files: list[Path], male: bool) -> list[Path]:
    """Garments for this sex: those that say the other are left out, unless nothing is left."""
    other = "female" if male else "male"
    out = [f for f in files if other not in _words(f)]
    return out or files


def _words(file: Path) -> set[str]:
    """The words of a garment's tags and name, in small letters."""
    garment = read_pattern(file).garment
    return {w for text in (*garment.tags, garment.name) for w in text.lower().replace("_", " ").split()}


def _hairdos(files: list[Path], male: bool, hat: bool, dark: bool) -> list[Path]:
    some = [f for f in files if dark or "afro" not in f.stem.lower()] or files
    if male:
        some = [f for f in some if "short" in f.stem.lower() or "afro" in f.stem.lower()] or some
    if hat:
        some = [f for f in some if np.quantile(read_pattern(f, True).offset, 0.9) < FLAT] or some
    return some


def _own_paint(pattern: Pattern) -> Paint:
    material: AssetMaterial | None = pattern.garment.material
    if material is None or material.diffuse is None:
        colour = (0.5, 0.5, 0.5) if material is None else material.colour
        return Flat((float(colour[0]), float(colour[1]), float(colour[2])))
    return read_paint(material.diffuse, alpha=material.transparent, longest=TEXTURE)


@lru_cache(maxsize=256)
def _mean(file: Path, label: str, hair: bool = False) -> np.ndarray:
    """(3,) mean linear colour of a garment's part; atlases have much around it that is never seen."""
    pattern = read_pattern(file, hair)
    face_uv = pattern.face_uv[pattern.label == label]
    colour = _own_paint(pattern).sample(pattern.uv[face_uv].mean(1).astype(np.float32), 1e-3)
    weight = colour[:, 3:] if colour.shape[1] == 4 else np.ones((len(colour), 1))
    return (colour[:, :3] * weight).sum(0) / max(float(weight.sum()), 1e-6)


def _dyed(rng: np.random.Generator, paint: Paint, mean: np.ndarray) -> Paint:
    """Cloth in another colour, its own pattern kept: plain and dark colours are commoner than bright ones."""
    light = float(np.exp(rng.uniform(np.log(0.02), np.log(0.75))))
    hue = 0.5 + 0.5 * np.cos(2 * np.pi * (rng.random() - np.array([0, 1 / 3, 2 / 3])))
    strength = float(rng.beta(1.0, 1.6))
    target = (1 - strength) + strength * hue
    target *= light / float(target @ LUMINANCE)
    grey = float(rng.uniform(0.7, 1.0))
    gain = np.clip(np.clip(target, 0.01, 0.85) / max(float(mean @ LUMINANCE), 0.01), 0.05, 8)
    return Tinted(paint, (float(gain[0]), float(gain[1]), float(gain[2])), grey)


def _grown(
    rng: np.random.Generator, file: Path, colour: np.ndarray, label: str = "hair"
) -> tuple[Pattern, str, Paint, Finish]:
    """Hair in a natural colour."""
    pattern = read_pattern(file, True)
    gain = np.clip(colour / max(float(_mean(file, "hair", True) @ LUMINANCE), 0.01), 0.02, 12)
    return pattern, label, Tinted(_own_paint(pattern), (float(gain[0]), float(gain[1]), float(gain[2])), 0.9), HAIR


def _pick(rng: np.random.Generator, things):
    return things[int(rng.integers(len(things)))]
