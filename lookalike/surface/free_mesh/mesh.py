"""The FreeSurface: a person's mesh of any topology, with what ties it to the body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.surface.mesh import Surface


@dataclass(frozen=True)
class FreeSurface(Surface):
    """A surface whose vertices are not the body's own.

    `anchors` are the closest compatible points of the body: exact where skin or tight cloth lies on it, a guess where
    cloth or hair hangs free.

    Attributes
    ----------
    limb : (n,) uint8 into `limbs.LIMBS`: the part of the body that a vertex belongs to.
    matched : (n,) float32 in [0, 1], how far the anchor is to be believed.
    template : (n, 3) float32 metres: each vertex's place in the model's T-pose template, smooth where the anchors jump.
    added : (n,) bool: what the followed surface does not have.
    """

    limb: np.ndarray
    matched: np.ndarray
    template: np.ndarray
    added: np.ndarray
