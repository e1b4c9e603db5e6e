"""The Material: what painting hands on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Material:
    """Textures on the surface's UV atlas (row 0 is v = 0, the upper edge).

    base_colour : (h, w, 3) uint8 sRGB.  roughness : (h, w) uint8, 255 = rough.
    normal_map : (h, w, 3) uint8, tangent space, glTF's convention (+Y up), or None.
    seen : (h, w) float32 in [0, 1], how much of the texel's colour comes from the photo itself.
    """

    base_colour: np.ndarray
    roughness: np.ndarray
    normal_map: np.ndarray | None
    seen: np.ndarray
