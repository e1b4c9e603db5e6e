"""The colour of hair: a random generator in, a `Paint` with strands, darker roots and lighter tips out.

Texture coordinates are metres: u across the strands, v along them from the root.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.people.scene import Finish

HAIR = Finish(roughness=0.45, reflectance=0.04, bleed=(0.2, 0.17, 0.14))

#: Linear colours of natural hair and how common each is in pictures from all over the world.
NATURAL = {
    "black": ((0.010, 0.009, 0.009), 0.30),
    "dark brown": ((0.026, 0.018, 0.013), 0.24),
    "brown": ((0.060, 0.036, 0.022), 0.16),
    "light brown": ((0.125, 0.080, 0.046), 0.08),
    "dark blond": ((0.215, 0.150, 0.085), 0.06),
    "blond": ((0.390, 0.290, 0.165), 0.05),
    "platinum": ((0.600, 0.520, 0.390), 0.01),
    "auburn": ((0.115, 0.040, 0.020), 0.03),
    "red": ((0.220, 0.075, 0.024), 0.015),
    "grey": ((0.230, 0.225, 0.215), 0.05),
    "white": ((0.560, 0.550, 0.530), 0.025),
}


@dataclass(frozen=True)
class HairPaint:
    """Strands of hair.

    Attributes
    ----------
    root, tip : (3,) linear colours at the scalp and `turn` metres further on.
    light : (3,) colour of highlighted strands.  highlights : share of strands that have it.
    contrast : standard deviation of the strands' brightness, in natural logarithm.
    seed : which strands are which.
    """

    root: tuple[float, float, float]
    tip: tuple[float, float, float]
    light: tuple[float, float, float]
    highlights: float = 0.0
    contrast: float = 0.25
    turn: float = 0.15
    seed: int = 0

    @property
    def holes(self) -> bool:
        """Strands are solid."""
        return False

    @property
    def mean(self) -> np.ndarray:
        """(3,) linear mean colour."""
        base = 0.5 * (np.array(self.root) + np.array(self.tip))
        return (1 - self.highlights) * base + self.highlights * np.array(self.light)

    def sample(self, uv: np.ndarray, spacing: float) -> np.ndarray:
        """(r, 3) linear albedo at uv (r, 2) metres; strands finer than `spacing` blur."""
        u, v = uv[:, 0], uv[:, 1]
        along = np.clip(v / self.turn, 0, 1)[:, None]
        colour = (1 - along) * np.array(self.root) + along * np.array(self.tip)
        shine = np.zeros(len(uv))
        for octave, (width, share) in enumerate(((0.012, 0.5), (0.004, 0.6), (0.0013, 0.6))):
            # What is narrower than two samples cannot be seen apart.
            seen = np.clip(width / max(2 * spacing, 1e-9), 0, 1)
            if seen > 0.1:
                shine += share * seen * self._noise(u / width + 0.15 * v / width * (octave - 1) * 0.1, 11 * octave)
        streak = np.clip(4 * (self._noise(u / 0.007, 77) - 1.7 * (0.5 - self.highlights)), 0, 1)[:, None]
        if self.highlights > 0:
            streak = streak * np.clip(0.25 + v / 0.06, 0, 1)[:, None]
            colour = (1 - 0.8 * streak) * colour + 0.8 * streak * np.array(self.light)
        return np.clip(colour * np.exp(self.contrast * shine)[:, None], 0, 1).astype(np.float32)

    def _noise(self, x: np.ndarray, salt: int) -> np.ndarray:
        """(r,) smooth noise in about [-1, 1], one knot a unit of x."""
        table = np.random.default_rng([self.seed, salt]).uniform(-1, 1, 1024)
        cell = np.floor(x)
        part = x - cell
        part = part * part * (3 - 2 * part)
        i = cell.astype(np.int64) % 1024
        return (1 - part) * table[i] + part * table[(i + 1) % 1024]


def random_hair_paint(rng: np.random.Generator, kind: str | None = None, old: float = 0.0) -> HairPaint:
    """A colour of hair.

    kind : one of `NATURAL`, "dyed", or None for any.  old : in [0, 1], how likely hair is grey or white.
    """
    if kind is None:
        share = np.array([s for _, s in NATURAL.values()])
        if old > 0:
            grey = np.isin(list(NATURAL), ["grey", "white"])
            share = np.where(grey, share * (1 + 30 * old), share * (1 - 0.8 * old))
        names = [*NATURAL, "dyed"]
        share = np.r_[share, 0.012]
        kind = names[int(rng.choice(len(names), p=share / share.sum()))]
    if kind == "dyed":
        hue = rng.uniform(0, 2 * np.pi)
        base = 0.16 * (1 + 0.95 * np.cos(hue + np.array([0.0, 2.1, 4.2]))) * rng.uniform(0.5, 1.5)
    else:
        base = np.array(NATURAL[kind][0]) * np.exp(rng.normal(0, 0.18)) * np.exp(rng.normal(0, 0.05, 3))
    base = np.clip(base, 0.006, 0.75)
    ombre = rng.random() < 0.12 and kind not in ("black", "grey", "white")
    tip = np.clip(base * (rng.uniform(1.8, 3.0) if ombre else rng.uniform(1.0, 1.35)), 0, 0.7)
    root = base * rng.uniform(0.55, 0.95)
    streaks = float(rng.uniform(0.1, 0.4)) if rng.random() < 0.3 else 0.0
    light = np.clip(base * rng.uniform(1.5, 2.6) + 0.01, 0, 0.75)
    if old > 0.3 and kind not in ("white",):
        streaks, light = max(streaks, float(rng.uniform(0.1, 0.5) * old)), np.array([0.35, 0.345, 0.335])

    def numbers(colour: np.ndarray) -> tuple[float, float, float]:
        return float(colour[0]), float(colour[1]), float(colour[2])

    return HairPaint(
        root=numbers(root),
        tip=numbers(tip),
        light=numbers(light),
        highlights=streaks,
        contrast=float(rng.uniform(0.18, 0.4)),
        turn=float(rng.uniform(0.25, 0.45) if ombre else rng.uniform(0.05, 0.2)),
        seed=int(rng.integers(2**31)),
    )
