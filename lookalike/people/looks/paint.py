"""What colour a surface has at a place of its texture: pictures, and (in `fabric.py`, `hair_paint.py`) patterns worked out.

A `Paint` answers for points, not for an atlas, so a pattern costs only what the camera sees of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from lookalike.errors import LookalikeError
from lookalike.render.texture import Texture

#: Linear light's luminance (Rec. 709).
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


def luminance(colour: np.ndarray) -> np.ndarray:
    """(...) luminance of linear colours (..., 3), the same to the last bit whatever the number of threads."""
    return colour[..., 0] * LUMINANCE[0] + colour[..., 1] * LUMINANCE[1] + colour[..., 2] * LUMINANCE[2]


class Paint(Protocol):
    """Colour as a function of texture coordinates."""

    @property
    def holes(self) -> bool:
        """Whether it has an alpha that cuts the surface out."""
        ...

    @property
    def mean(self) -> np.ndarray:
        """(3,) its linear mean colour: what neighbours see of it."""
        ...

    def sample(self, uv: np.ndarray, spacing: float) -> np.ndarray:
        """(r, 3) linear albedo at uv (r, 2); with holes (r, 4), straight (not premultiplied) colour and alpha.

        spacing : how far apart neighbouring samples of the picture are, in the unit of uv; what is finer blurs.
        """
        ...


@dataclass(frozen=True)
class Flat:
    """One colour everywhere. colour : (3,) linear albedo."""

    colour: tuple[float, float, float]
    holes: bool = field(default=False, init=False)

    @property
    def mean(self) -> np.ndarray:
        return np.array(self.colour, np.float32)

    def sample(self, uv: np.ndarray, spacing: float) -> np.ndarray:
        return np.tile(self.mean, (len(uv), 1))


class ImagePaint:
    """A picture on a UV atlas, origin upper left.

    picture : (h, w, 3) uint8 sRGB, or (h, w, 4) where alpha cuts the surface out.
    wrap : whether it repeats beyond [0, 1], as a tile does; otherwise its border goes on.

    Pixels stay 8 bits, and smaller copies are made when first asked for, so one object may be shared by many scenes.
    """

    def __init__(self, picture: np.ndarray, wrap: bool = False):
        if picture.ndim != 3 or picture.shape[2] not in (3, 4) or picture.dtype != np.uint8:
            raise ValueError(f"expected a (h, w, 3 or 4) uint8 picture, got {picture.dtype} {picture.shape}")
        self.holes = picture.shape[2] == 4
        self.wrap = wrap
        self.size = picture.shape[1], picture.shape[0]
        if self.holes:
            # Kept multiplied by alpha, so that what lies beyond the hair does not mix in.
            alpha = picture[..., 3:].astype(np.uint16)
            picture = np.concatenate([((picture[..., :3] * alpha + 127) // 255), alpha], 2).astype(np.uint8)
        self._texture = Texture(_bordered(picture) if wrap else picture)
        self._mean: np.ndarray | None = None

    @property
    def mean(self) -> np.ndarray:
        from lookalike.render.shade import decode_srgb

        if self._mean is None:
            # Light, not codes, is what averages; a quarter of a million pixels are enough.
            level = int(max(0, np.ceil(np.log2(max(self.size) / 512))))
            small = self._texture.level(level).reshape(-1, 4 if self.holes else 3)
            if self.holes:
                weight = small[:, 3].astype(np.float32) / 255
                colour = _straight(small.astype(np.float32))[:, :3]
                light = decode_srgb(np.clip(np.round(colour), 0, 255).astype(np.uint8))
                self._mean = (light * weight[:, None]).sum(0) / max(float(weight.sum()), 1e-6)
            else:
                self._mean = decode_srgb(small).mean(0)
        return self._mean

    def sample(self, uv: np.ndarray, spacing: float) -> np.ndarray:
        from lookalike.render.shade import decode_srgb

        width, height = self.size
        level = int(round(np.log2(max(spacing * np.sqrt(width * height), 1.0))))
        if self.wrap:
            # The stored tile has half of itself around it on every side.
            start = np.array([width // 2 / (2 * width), height // 2 / (2 * height)], np.float32)
            uv = start + np.float32(0.5) * (uv - np.floor(uv))
        texel = self._texture.sample(uv, level)
        if not self.holes:
            return decode_srgb(texel)
        straight = _straight(texel.astype(np.float32))
        colour = decode_srgb(np.clip(np.round(straight[:, :3]), 0, 255).astype(np.uint8))
        return np.concatenate([colour, straight[:, 3:] / np.float32(255)], 1)


@dataclass(frozen=True)
class Tinted:
    """Another paint in other colours.

    paint : the other one.  gain : (3,) what its linear colours are multiplied by.
    grey : share of its colourfulness that is taken away first, so that a gain can dye it.
    contrast : power of its lightness about its mean; 1 leaves it.
    """

    paint: Paint
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    grey: float = 0.0
    contrast: float = 1.0

    @property
    def holes(self) -> bool:
        return self.paint.holes

    @property
    def mean(self) -> np.ndarray:
        return self._changed(self.paint.mean[None])[0]

    def sample(self, uv: np.ndarray, spacing: float) -> np.ndarray:
        out = self.paint.sample(uv, spacing)
        colour = self._changed(out[:, :3])
        return np.concatenate([colour, out[:, 3:]], 1) if out.shape[1] == 4 else colour

    def _changed(self, colour: np.ndarray) -> np.ndarray:
        light = luminance(colour)[:, None]
        if self.grey:
            colour = colour + self.grey * (light - colour)
        if self.contrast != 1:
            middle = max(float(luminance(self.paint.mean)), 1e-4)
            colour = colour * (np.maximum(light, 1e-4) / middle) ** (self.contrast - 1)
        return np.clip(colour * np.array(self.gain, np.float32), 0, 1)


@dataclass(frozen=True)
class Scaled:
    """Another paint, `times` as large: for texture coordinates in another unit than its own."""

    paint: Paint
    times: float

    @property
    def holes(self) -> bool:
        return self.paint.holes

    @property
    def mean(self) -> np.ndarray:
        return self.paint.mean

    def sample(self, uv: np.ndarray, spacing: float) -> np.ndarray:
        return self.paint.sample(uv / np.float32(self.times), spacing / self.times)


def as_paint(colour: Paint | np.ndarray) -> Paint:
    """A picture, (h, w, 3 or 4) uint8, as a paint; a paint is left as it is."""
    return ImagePaint(colour) if isinstance(colour, np.ndarray) else colour


@lru_cache(maxsize=64)
def read_paint(path: str | Path, alpha: bool = False, wrap: bool = False, longest: int = 2048) -> ImagePaint:
    """The picture in a file, decoded once a process. alpha : keep it.  longest : pixels of its longer side, at most."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            image.draft("RGB", (longest, longest))
            picture = image.convert("RGBA" if alpha else "RGB")
            if max(picture.size) > longest:
                scale = longest / max(picture.size)
                size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
                picture = picture.resize(size, Image.Resampling.BOX)
            return ImagePaint(np.array(picture), wrap)
    except OSError as error:
        raise LookalikeError(f"Cannot read the picture {path}: {error}.") from None


def _straight(texel: np.ndarray) -> np.ndarray:
    """Colours (r, 4) in codes, divided by their alpha."""
    out = texel.copy()
    out[:, :3] *= 255 / np.maximum(texel[:, 3:], 1)
    return out


def _bordered(tile: np.ndarray) -> np.ndarray:
    """A tile with half of itself around it on every side, so that bilinear reading finds its other edge."""
    height, width = tile.shape[:2]
    rows = np.arange(-(height // 2), height + height - height // 2) % height
    columns = np.arange(-(width // 2), width + width - width // 2) % width
    return np.ascontiguousarray(tile[rows][:, columns])
