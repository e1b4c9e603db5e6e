"""Things worn and held: a posed `Body` and a random generator in, pieces labelled "accessory" and pressed hair out.

Forms come from `headwear` and `bodywear`; here it is decided who wears what, and in what colours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lookalike.body.model import Body
from lookalike.errors import LookalikeError
from lookalike.people.hair.scalp import Head, skull_centre
from lookalike.people.looks.fabric import random_fabric
from lookalike.people.looks.paint import Flat, Paint
from lookalike.people.scene import Finish, Piece
from lookalike.people.wardrobe import headwear
from lookalike.people.wardrobe.bodywear import BODYWEAR
from lookalike.people.wardrobe.headwear import Hat, pressed

METAL = Finish(roughness=0.3, reflectance=0.25)
PLASTIC = Finish(roughness=0.35, reflectance=0.045)
LEATHER = Finish(roughness=0.45, reflectance=0.04)

#: How many people in a hundred wear or hold a thing. At most one of each group.
SHARES: tuple[dict[str, float], ...] = (
    {"cap": 4, "beanie": 2.5, "hat": 3, "helmet": 0.8, "headscarf": 1.8, "headphones": 1.2},
    {"glasses": 13, "sunglasses": 4},
    {"mask": 1.2},
    {"scarf": 3, "necktie": 3, "bow tie": 0.7, "necklace": 6},
    {"belt": 7},
    {"backpack": 4, "shoulder bag": 5},
    {"watch": 9, "bracelet": 5},
    {"gloves": 1.5},
    {"phone": 2.5, "cup": 1.2, "ball": 1, "umbrella": 0.5, "handbag": 2.5},
)
HEADWEAR = ("cap", "beanie", "hat", "helmet", "headscarf", "headphones", "glasses", "sunglasses", "mask")
NAMES = (*HEADWEAR, *BODYWEAR)

#: Linear colours: metals, leather and dark plastic, and bright plastic.
METALS = ((0.52, 0.36, 0.10), (0.45, 0.45, 0.46), (0.42, 0.24, 0.17), (0.03, 0.03, 0.03))
DARK = ((0.012, 0.012, 0.013), (0.05, 0.028, 0.017), (0.15, 0.075, 0.04), (0.02, 0.03, 0.08), (0.14, 0.14, 0.15))
BRIGHT = ((0.70, 0.69, 0.67), (0.55, 0.03, 0.03), (0.02, 0.10, 0.40), (0.70, 0.45, 0.02), (0.03, 0.22, 0.07))

#: Which kind of colour the parts have that are not cloth.
METALLIC = ("buckle", "necklace", "watch", "bracelet")
LEATHERN = ("belt", "watch strap", "bag", "straps", "handbag", "gloves")
HARD = ("glasses", "lenses", "helmet", "headphones", "phone", "cup", "ball", "button")


def random_accessories(
    body: Body, rng: np.random.Generator, hair: list[Piece], over: Sequence[Piece] = ()
) -> tuple[list[Piece], list[Piece]]:
    """What somebody happens to wear and hold; mostly nothing.

    hair : as it would be without a hat.  over : clothes that things lie on. Returns pieces labelled "accessory", and
    the hair that is left.
    """
    names = []
    for group in SHARES:
        dice = 100 * rng.random()
        for name, share in group.items():
            dice -= share
            if dice < 0:
                names.append(name)
                break
    return wear(body, rng, names, hair, over)


def wear(
    body: Body, rng: np.random.Generator, names: Sequence[str], hair: list[Piece], over: Sequence[Piece] = ()
) -> tuple[list[Piece], list[Piece]]:
    """These things, of `NAMES`, on a posed body; otherwise as `random_accessories`."""
    for name in names:
        if name not in NAMES:
            raise LookalikeError(f"There is no accessory '{name}': choose from {', '.join(NAMES)}.")
    pieces: list[Piece] = []
    head = None
    for name in names:
        if name in BODYWEAR:
            parts = BODYWEAR[name](body, rng, over)
        else:
            if head is None:
                head = Head.of(body, [p for p in over if p.label == "upper"] if "headscarf" in names else ())
            hat = _on_head(body, head, rng, name)
            parts = {part: head.placed(form) for part, form in hat.parts.items()}
            if hat.hides:
                hair = [piece for piece in hair if piece.name == "beard"]
            elif hat.lid is not None:
                hair = pressed(hair, head, hat.lid)
        pieces += _painted(parts, name, rng)
    return pieces, hair


def _on_head(body: Body, head: Head, rng: np.random.Generator, name: str) -> Hat:
    centre = skull_centre(body)[0]
    marks = body.model.landmark_points(body.rest, ["left_eye", "right_eye", "face/168", "nose", "face/14"])
    left, right, bridge, nose, mouth = marks.astype(np.float64) - centre
    if name in ("glasses", "sunglasses"):
        return headwear.glasses(head, rng, (left, right), bridge, dark=name == "sunglasses")
    if name == "mask":
        return headwear.mask(head, rng, nose, mouth)
    if name == "hat":
        return headwear.brimmed(head, rng)
    return {
        "cap": headwear.cap,
        "beanie": headwear.beanie,
        "helmet": headwear.helmet,
        "headscarf": headwear.headscarf,
        "headphones": headwear.headphones,
    }[name](head, rng)


def _painted(parts: dict, name: str, rng: np.random.Generator) -> list[Piece]:
    """The parts of one thing as pieces."""

    def pick(colours: tuple) -> Flat:
        base = np.array(colours[int(rng.integers(len(colours)))]) * np.exp(rng.normal(0, 0.15, 3))
        r, g, b = np.clip(base, 0.005, 0.8)
        return Flat((float(r), float(g), float(b)))

    cloth: tuple[Paint, Finish] | None = None
    out = []
    for part, form in parts.items():
        if part in METALLIC:
            paint: tuple[Paint, Finish] = pick(METALS), METAL
        elif part == "lenses":
            paint = Flat((0.012, 0.012, 0.014)), Finish(roughness=0.15, reflectance=0.06)
        elif part in HARD:
            paint = (
                pick(DARK if rng.random() < (0.4 if part in ("ball", "helmet", "cup") else 0.85) else BRIGHT),
                PLASTIC,
            )
        elif part in LEATHERN and rng.random() < 0.8:
            paint = pick(DARK), LEATHER
        elif part in ("mask", "loops"):
            paint = pick(((0.45, 0.62, 0.72), (0.75, 0.75, 0.74), (0.015, 0.015, 0.015))), Finish(0.9, 0.03)
            paint = cloth = cloth or paint
        else:
            cloth = cloth or random_fabric(rng, name)
            paint = cloth
        out.append(form.piece(part, "accessory", *paint))
    return out
