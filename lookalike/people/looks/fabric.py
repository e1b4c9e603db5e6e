"""Fabrics as people wear them: random numbers and a garment's name in, a paint for its cloth and a finish out.

Texture coordinates are the wardrobe's: metres on the cloth, u to the wearer's left, v down, charts apart along u (see
`fabric_layers`). Prints, stripes, seams and pockets are colour only: folds are the geometry's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lookalike.people.looks.fabric_layers import BACK, FRONT, LEFT_LEG, LEFT_SLEEVE, Layer
from lookalike.people.looks.paint import Paint
from lookalike.people.looks.tailoring import BELOW, CLOTHS, DETAILS, PATTERNS, SHOES, Tailor, chosen
from lookalike.people.scene import Finish


class Fabric:
    """A cloth: a ground colour and what lies on it, from below upwards. ground : (3,) linear."""

    holes = False

    def __init__(self, ground: np.ndarray, layers: list[Layer]):
        self.ground, self.layers = np.asarray(ground, np.float32), tuple(layers)

    @cached_property
    def mean(self) -> np.ndarray:
        v, u = np.mgrid[0:0.6:12j, -0.25:0.25:12j]
        places = [np.stack([u.ravel() + middle, v.ravel()], 1) for middle in (FRONT, BACK, LEFT_SLEEVE, LEFT_LEG)]
        return self.sample(np.concatenate(places).astype(np.float32), 0.04).mean(0)

    def sample(self, uv: np.ndarray, spacing: float) -> np.ndarray:
        """(r, 3) linear albedo at uv (r, 2), metres. spacing : metres between the picture's samples."""
        uv = np.asarray(uv, np.float32)
        colour = np.tile(self.ground, (len(uv), 1))
        for layer in self.layers:
            colour = layer.over(colour, uv, spacing)
        # No cloth is blacker than velvet or whiter than chalk.
        return np.clip(colour, 0.012, 0.88).astype(np.float32)


@dataclass(frozen=True)
class Taste:
    """What a garment is likely to be made of. Shares need not sum to one.

    cloths : names of `CLOTHS` -> share.  patterns : names of `PATTERNS` -> share.
    dyes : colours -> share, or None for `DYES`.  details : names of `DETAILS`, each with its chance.
    """

    cloths: dict[str, float]
    patterns: dict[str, float]
    details: dict[str, float]
    dyes: dict[str, float] | None = None


TOP_PATTERNS = {"plain": 5, "stripes": 1, "breton": 0.5, "pinstripes": 0.3, "tartan": 0.6, "gingham": 0.3, "dots": 0.3,
                "floral": 0.5, "motifs": 0.5, "camouflage": 0.15, "tie-dye": 0.15, "blocks": 0.5, "gradient": 0.15}  # fmt: skip
PLAIN = {"plain": 8, "stripes": 0.5, "blocks": 0.4}
#: The first whose name is part of the garment's name is taken.
TASTES: tuple[tuple[tuple[str, ...], Taste], ...] = (
    (("shoe", "boot", "sneaker", "sandal", "heel", "trainer"),
     Taste({"leather": 3, "canvas": 1.5}, {"plain": 1}, {"laces": 0.5, "shoe": 0.4}, SHOES)),
    (("jean", "denim", "dungaree"), Taste({"denim": 1}, {"plain": 1}, {"fly": 0.9, "legs": 0.95, "rips": 0.15})),
    (("puffer", "down jacket", "anorak", "rain", "wind"),
     Taste({"nylon": 1}, {"plain": 5, "blocks": 1}, {"zip": 0.8, "pockets": 0.6, "logo": 0.4})),
    (("leather",), Taste({"leather": 1}, {"plain": 1}, {"zip": 0.7, "pockets": 0.5}, BELOW)),
    (("hood", "sweatshirt", "fleece"),
     Taste({"jersey": 3, "fleece": 1}, {"plain": 6, "blocks": 1, "stripes": 0.3, "tie-dye": 0.2, "camouflage": 0.1},
           {"print": 0.4, "logo": 0.3, "zip": 0.3, "pouch": 0.5})),
    (("sweater", "jumper", "pullover", "knit", "cardigan"),
     Taste({"knit": 1}, {"plain": 5, "stripes": 1, "breton": 0.4, "blocks": 0.4, "motifs": 0.3}, {"buttons": 0.2})),
    (("polo",), Taste({"jersey": 1}, {"plain": 4, "stripes": 1.5, "blocks": 0.5}, {"placket": 0.9, "logo": 0.5})),
    (("tee", "t-shirt", "tshirt", "tank", "vest top", "crop", "jersey", "singlet"),
     Taste({"jersey": 1}, TOP_PATTERNS, {"print": 0.42, "logo": 0.15, "pocket": 0.1})),
    (("blazer", "suit", "coat", "trench", "parka"),
     Taste({"wool": 2, "cotton": 1}, {"plain": 6, "pinstripes": 0.5, "tartan": 0.5},
           {"lapel": 0.5, "buttons": 0.8, "pockets": 0.7})),
    (("jacket", "bomber", "vest", "waistcoat", "gilet"),
     Taste({"cotton": 2, "nylon": 1.5, "denim": 1, "leather": 1, "corduroy": 0.4, "wool": 1},
           {"plain": 6, "blocks": 0.8, "camouflage": 0.3, "tartan": 0.3},
           {"zip": 0.6, "buttons": 0.3, "pockets": 0.6, "logo": 0.2})),
    (("shirt", "blouse", "top"),
     Taste({"cotton": 3, "denim": 0.4, "satin": 0.4, "corduroy": 0.2, "lace": 0.15}, TOP_PATTERNS,
           {"buttons": 0.75, "pocket": 0.4})),
    (("legging", "tights", "sock", "stocking"),
     Taste({"jersey": 2, "nylon": 1}, {"plain": 6, "motifs": 0.4, "stripes": 0.3, "camouflage": 0.2}, {"side": 0.2}, BELOW)),
    (("sweatpant", "jogger", "track"), Taste({"jersey": 2, "nylon": 1}, {"plain": 5}, {"side": 0.4, "legs": 0.3}, BELOW)),
    (("trouser", "pant", "chino", "slack", "short", "cargo", "bottom"),
     Taste({"cotton": 4, "denim": 4, "wool": 1.5, "corduroy": 0.5, "leather": 0.2},
           {"plain": 9, "pinstripes": 0.3, "tartan": 0.4, "camouflage": 0.3, "floral": 0.1},
           {"fly": 0.8, "legs": 0.8, "crease": 0.2, "cargo": 0.15}, BELOW)),
    (("skirt", "dress", "gown", "robe", "kimono", "tunic", "wrap", "abaya", "sari"),
     Taste({"cotton": 3, "satin": 1, "jersey": 1.5, "knit": 0.4, "wool": 0.4, "denim": 0.3, "lace": 0.4, "leather": 0.1},
           {**TOP_PATTERNS, "floral": 2, "dots": 0.7, "plain": 4.5}, {"buttons": 0.15})),
    (("tie", "scarf", "shawl", "foulard", "bandana"),
     Taste({"satin": 1, "wool": 1.5, "cotton": 1},
           {"plain": 3, "stripes": 1.5, "tartan": 1, "dots": 0.7, "floral": 0.7, "motifs": 0.7}, {})),
    (("hat", "cap", "beanie", "helmet"), Taste({"cotton": 2, "knit": 1.5, "wool": 1}, {"plain": 5, "stripes": 0.5}, {}, None)),
    (("bag", "belt", "backpack", "glove", "strap", "watch"), Taste({"leather": 2, "nylon": 1}, {"plain": 1}, {}, BELOW)),
)  # fmt: skip
ANYTHING = Taste({"cotton": 2, "jersey": 1}, TOP_PATTERNS, {})


def random_fabric(rng: np.random.Generator, garment: str) -> tuple[Paint, Finish]:
    """A fabric for a garment, such as "t-shirt", "jeans" or "coat"; unknown names get one of cotton."""
    name = garment.lower().replace("_", " ")
    taste = next((taste for words, taste in TASTES if any(word in name for word in words)), ANYTHING)
    tailor = Tailor(rng, taste.dyes)
    cloth = chosen(rng, taste.cloths)
    pattern = chosen(rng, taste.patterns)
    if cloth in ("leather", "lace") or (cloth == "denim" and pattern not in ("plain", "blocks")):
        pattern = "plain"
    tailor.ground = tailor.denim() if cloth == "denim" else tailor.dye()
    PATTERNS[pattern](tailor)
    finish = CLOTHS[cloth](tailor)
    for detail, chance in taste.details.items():
        if rng.random() < chance:
            DETAILS[detail](tailor)
    tailor.worn()
    finish = _varied(finish, rng)
    return Fabric(tailor.ground, tailor.layers), finish


def _varied(finish: Finish, rng: np.random.Generator) -> Finish:
    return Finish(
        roughness=float(np.clip(finish.roughness * np.exp(rng.normal(0, 0.08)), 0.25, 1.0)),
        reflectance=finish.reflectance * float(rng.uniform(0.7, 1.2)),
        bleed=finish.bleed,
        fuzz=finish.fuzz * float(rng.uniform(0.5, 1.3)),
    )
