"""The Surface: what the surface room hands on to painting and rigging."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix


@dataclass(frozen=True)
class Surface:
    """The clothed person's mesh in the photo's pose, camera frame, metres.

    Attributes
    ----------
    vertices : (n, 3) float32.
    faces : (m, 3) int32, counter-clockwise seen from outside.
    quads : (q, 4) int32 or None: the same surface as quads, for formats that keep them.
    uv : (t, 2) float32, origin at the upper left (glTF). Seams: one vertex may have several.
    face_uv : (m, 3) int32 into `uv`.
    anchors : (n, V) sparse, rows sum to one: each vertex as a blend of the body model's vertices. Whatever the body
        knows per vertex (skin weights, face shapes, part labels) comes over as `anchors @ values`.
    """

    vertices: np.ndarray
    faces: np.ndarray
    quads: np.ndarray | None
    uv: np.ndarray
    face_uv: np.ndarray
    anchors: csr_matrix
