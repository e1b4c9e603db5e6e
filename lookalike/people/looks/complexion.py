"""Skin without files: random numbers and our body model in, a paint for its atlas out, eyes, lips and brows included.

Skin is one of a row of tones from pale to dark; melanin moves it along the row (sun, freckles, palms), blood under it
takes away green and blue. Both vary over the body by `complexion_masks`. Worked out per point, so that every person has
their own for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from lookalike.appearance.eyes import paint_eyeballs
from lookalike.appearance.sampling import ramp
from lookalike.body.model import BodyModel
from lookalike.people.looks.complexion_masks import Masks
from lookalike.people.looks.paint import ImagePaint, Paint
from lookalike.render.shade import decode_srgb

#: From the palest skin to the darkest, sRGB.
TONES = np.array(
    [(240, 208, 190), (229, 189, 165), (214, 168, 139), (195, 146, 113),
     (168, 118, 86), (132, 88, 62), (97, 63, 46), (64, 43, 34)],
    np.uint8,
)  # fmt: skip
_TONES = np.log(decode_srgb(TONES))

#: What blood takes of red, green and blue.
BLOOD = np.array([0.03, 0.42, 0.34], np.float32)

#: Irises, sRGB in [0, 1], with how often pale and dark people have them.
IRISES = {(0.36, 0.22, 0.13): (0.3, 0.6), (0.26, 0.16, 0.10): (0.15, 1.0), (0.42, 0.30, 0.16): (0.2, 0.1),
          (0.42, 0.46, 0.34): (0.15, 0.02), (0.40, 0.50, 0.58): (0.25, 0.01), (0.45, 0.48, 0.50): (0.1, 0.01)}  # fmt: skip

#: Hair, linear.
HAIRS = {(0.012, 0.010, 0.009): 0.45, (0.035, 0.020, 0.012): 0.25, (0.10, 0.055, 0.028): 0.12, (0.32, 0.20, 0.09): 0.09,
         (0.16, 0.05, 0.018): 0.03, (0.30, 0.29, 0.28): 0.06}  # fmt: skip


@dataclass(frozen=True)
class SkinPaint:
    """Skin on our body's atlas.

    Attributes
    ----------
    masks : of the body model.
    tone : place in `TONES`, from 0.  blood : how rosy, 1 is usual.  hue : (3,) what the colours are multiplied by.
    tan : places in `TONES` by which what sees the sun is darker.  mottled : how uneven, in the same.
    freckles, moles : amounts, 0 to 1.  lips : how red.  lipstick : (4,) linear colour and strength.
    shadow : (4,) of the upper lids.  liner : strength of lashes and liner.  brows, beard, stubble, scalp, hairy :
        how much hair there is, 0 to 1.  hair : (3,) linear.  iris : (3,) sRGB.  nails : (4,) linear and strength.
    tired : how dark it is below the eyes.
    """

    masks: Masks
    tone: float = 2.0
    blood: float = 1.0
    hue: tuple[float, float, float] = (1.0, 1.0, 1.0)
    tan: float = 0.3
    mottled: float = 0.1
    freckles: float = 0.0
    moles: float = 0.2
    lips: float = 1.0
    lipstick: tuple[float, float, float, float] = (0.3, 0.02, 0.03, 0.0)
    shadow: tuple[float, float, float, float] = (0.1, 0.05, 0.05, 0.0)
    liner: float = 0.6
    brows: float = 0.7
    beard: float = 0.0
    scalp: float = 0.0
    hairy: float = 0.1
    hair: tuple[float, float, float] = (0.02, 0.015, 0.012)
    iris: tuple[float, float, float] = (0.25, 0.15, 0.09)
    nails: tuple[float, float, float, float] = (0.6, 0.4, 0.35, 0.3)
    tired: float = 0.3
    holes: bool = field(default=False, init=False)

    @property
    def mean(self) -> np.ndarray:
        return self._skin(np.array([self.tone + 0.5 * self.tan], np.float32), np.array([self.blood], np.float32))[0]

    @cached_property
    def eyes(self) -> ImagePaint:
        """The picture of the eyes' rectangle of the atlas."""
        from lookalike.render.shade import encode_srgb

        ways = self.masks.eye_ways
        flat = ways.reshape(-1, 3)
        colour = paint_eyeballs(flat, np.zeros_like(flat), np.array(self.iris, np.float32))
        # Pictures of eyes are darker than their white is: lids and lashes shade it.
        light = decode_srgb(np.round(np.clip(colour, 0, 1) * 255).astype(np.uint8)) * np.float32(0.8)
        return ImagePaint(encode_srgb(light).reshape(*ways.shape))

    def sample(self, uv: np.ndarray, spacing: float) -> np.ndarray:
        """(r, 3) linear albedo at uv (r, 2) on the body's atlas."""
        m = self.masks.sample(uv, spacing)
        spots = np.clip((m["freckles"] - 2.6 + 1.6 * self.freckles) * 2.0, 0, 1) * self.freckles * m["sun"]
        moles = np.clip((m["freckles"] - 3.55 + 0.5 * self.moles) * 4, 0, 1) * (1 - m["lips"])
        tone = self.tone + self.tan * m["sun"] + self.mottled * m["mottle"] + 0.06 * m["fine"]
        tone += 0.9 * spots + 2.5 * moles + 0.35 * self.tired * m["sockets"]
        tone = tone + m["pale"] * (np.minimum(tone, 1.5 + 0.3 * self.tone) - tone)
        blood = (
            self.blood * (1 + 0.65 * m["red"] + 0.08 * m["mottle"] + 0.5 * m["pale"]) + 0.3 * self.tired * m["sockets"]
        )
        blood += (0.3 + 0.8 * self.lips) * m["lips"]
        tone = tone + m["lips"] * (0.35 + 0.1 * self.tone)
        out = self._skin(tone, blood)
        _blend(out, m["lips"] * (0.85 + 0.1 * m["fine"]).clip(0, 1), self.lipstick)
        _blend(out, m["lids"], self.shadow)
        _blend(out, m["nails"], self.nails)
        hair = np.array(self.hair, np.float32)
        grain = np.clip(0.85 + 0.12 * m["fine"], 0, 1.1)
        cover = np.max(
            [
                self.brows * m["brows"] * grain,
                self.beard * ramp(m["beard"] + 0.08 * m["fine"], 0.1, 0.9) * grain,
                self.scalp * ramp(m["scalp"] + 0.07 * m["fine"], 0.15, 0.85) * grain,
                0.35 * self.hairy * m["hairy"] * np.clip(0.35 + 0.25 * m["fine"], 0, 1),
                self.liner * m["lashes"],
            ],
            axis=0,
        ).clip(0, 0.97)
        dark = np.minimum(hair, out)
        out += cover[:, None].astype(np.float32) * (dark - out)
        out += m["inside"][:, None] * (np.array([0.12, 0.02, 0.018], np.float32) - out)
        self._lay_eyes(out, uv, spacing)
        return np.clip(out, 0.004, 0.85).astype(np.float32)

    def _skin(self, tone: np.ndarray, blood: np.ndarray) -> np.ndarray:
        """(r, 3) linear colour of skin of a tone (r,) with so much blood (r,) in it."""
        place = np.clip(tone, 0, len(_TONES) - 1)
        grid = np.arange(len(_TONES))
        log = np.stack([np.interp(place, grid, _TONES[:, c]) for c in range(3)], 1)
        # The tones have usual blood in them already.
        log -= (blood - 1)[:, None] * BLOOD
        return (np.exp(log) * np.array(self.hue)).astype(np.float32)

    def _lay_eyes(self, out: np.ndarray, uv: np.ndarray, spacing: float) -> None:
        u, v, width, height = self.masks.eye_window
        local = (uv - np.array([u, v], np.float32)) / np.array([width, height], np.float32)
        rows = np.flatnonzero(((local > 0) & (local < 1)).all(1))
        if len(rows):
            out[rows] = self.eyes.sample(local[rows], spacing / width)


def skin_paint(
    rng: np.random.Generator, model: BodyModel, hair: np.ndarray | None = None, male: float | None = None
) -> Paint:
    """The skin of somebody.

    hair : (3,) linear colour of the hair, for brows and beard, or None for any.
    male : 1 for a man (beards), 0 for a woman (make-up), None for either.
    """
    man = rng.random() < 0.5 if male is None else rng.random() < male
    tone = float(np.clip(7 * rng.beta(1.1, 1.9), 0, 6.8))
    if hair is not None and hair[0] > 0.06 and hair[0] > 1.3 * hair[2] and rng.random() < 0.9:
        # Fair and red hair grow on fair skin, where they are not dyed.
        tone *= 0.4
    dark = tone / 7
    if hair is None:
        names = list(HAIRS)
        share = np.array([HAIRS[n] * (1 if max(n) < 0.04 else max(0.02, 1 - 2.2 * dark)) for n in names])
        hair = np.array(names[int(rng.choice(len(names), p=share / share.sum()))]) * np.exp(rng.normal(0, 0.15, 3))
    irises = list(IRISES)
    share = np.array([(1 - dark) ** 2 * pale + dark * brown for pale, brown in IRISES.values()])
    iris = np.array(irises[int(rng.choice(len(irises), p=share / share.sum()))]) * np.exp(rng.normal(0, 0.1))
    made_up = not man and rng.random() < 0.45
    lipstick = np.clip(
        np.array([(0.42, 0.03, 0.05), (0.45, 0.14, 0.15), (0.2, 0.02, 0.05)])[int(rng.integers(3))], 0, 1
    )
    lipstick = lipstick * np.exp(rng.normal(0, 0.2, 3)) * (1 - 0.5 * dark)
    shadow = np.array([0.12, 0.07, 0.06]) * np.exp(rng.normal(0, 0.5, 3)) * (1 - 0.6 * dark)
    polish = np.exp(rng.normal(-1.2, 0.8, 3)).clip(0.02, 0.8)
    bearded = man and rng.random() < 0.55
    return SkinPaint(
        masks=Masks.of(model),
        tone=tone,
        blood=float(np.clip(rng.normal(1.0, 0.3), 0.4, 2.0)),
        hue=_triple(np.exp(rng.normal(0, 0.025, 3) + rng.normal(0, 0.05))),
        tan=float(rng.gamma(1.5, 0.2)),
        mottled=float(rng.uniform(0.02, 0.08)),
        freckles=float(rng.random() ** 1.5 if tone < 3.2 and rng.random() < 0.3 else 0.05 * rng.random()),
        moles=float(rng.random()),
        lips=float(rng.uniform(0.3, 1.2)),
        lipstick=(*_triple(lipstick), float(rng.uniform(0.3, 0.95)) if made_up else 0.0),
        shadow=(*_triple(shadow), float(rng.uniform(0.1, 0.6)) if made_up else 0.0),
        liner=float(rng.uniform(0.6, 0.95) if made_up else rng.uniform(0.25, 0.7)),
        brows=float(rng.uniform(0.4, 0.95)),
        beard=float(rng.uniform(0.1, 1.0) ** 1.3) if bearded else 0.0,
        scalp=float(rng.uniform(0.1, 0.95)),
        hairy=float(rng.uniform(0.1, 0.8)) if man else 0.05 * float(rng.random()),
        hair=_triple(np.asarray(hair)),
        iris=_triple(np.clip(iris, 0.04, 0.7)),
        nails=(*_triple(polish), float(rng.uniform(0.7, 0.95)))
        if not man and rng.random() < 0.4
        else (*_triple(np.exp(_TONES[2]) * 1.05), 0.3),
        tired=float(rng.random()),
    )


def _blend(out: np.ndarray, share: np.ndarray, colour: tuple[float, float, float, float]) -> None:
    """Lays a colour with a strength over colours (r, 3), in place. share : (r,)."""
    if colour[3] > 0:
        out += (share * np.float32(colour[3]))[:, None].astype(np.float32) * (np.array(colour[:3], np.float32) - out)


def _triple(colour: np.ndarray) -> tuple[float, float, float]:
    return float(colour[0]), float(colour[1]), float(colour[2])
