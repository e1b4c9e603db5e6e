"""What a mesh with fewer triangles should keep of a person: faces and hands, which everybody looks at."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from lookalike.body.model import BodyModel
from lookalike.surface.free_mesh.match import ramp
from lookalike.surface.implicit.own_parts import SIDES
from lookalike.surface.mesh import Surface

#: Edges on face and hands are spared as if they were so many times as long.
FACE, HAND = 3.0, 2.5
#: Metres from the nose's tip at which the face ends and from which on it counts in full; metres beyond the wrist likewise.
FACE_ENDS, HAND_BEGINS = (0.14, 0.05), (0.0, 0.04)
#: What is farther than this from face and hands, metres, is no part of them.
NEAR = 0.02


def emphasis(vertices: np.ndarray, own: np.ndarray, followed: Surface, model: BodyModel) -> np.ndarray:
    """(n,) at least 1, for `decimate`, of vertices (n, 3). own : (n,) which vertex of the followed surface one is, or -1."""
    known = followed.anchors @ _on_body(model)
    out = np.where(own >= 0, known[own], 1.0)
    rows = np.flatnonzero(known > 1.001)
    if not len(rows):
        return out
    points = followed.vertices[rows].astype(np.float64)
    within = ((vertices > points.min(0) - NEAR) & (vertices < points.max(0) + NEAR)).all(1)
    around = np.flatnonzero(within & (own < 0))
    distance, nearest = cKDTree(points).query(vertices[around], distance_upper_bound=NEAR)
    near = distance < NEAR
    fading = np.minimum(1, 2 * (1 - distance[near] / NEAR))
    out[around[near]] += (known[rows[nearest[near]]] - 1) * fading
    return out


def _on_body(model: BodyModel) -> np.ndarray:
    """(V,) of the model's own vertices."""
    out = np.ones(len(model.template))
    names = list(model.joint_names)
    if "nose" in model.landmarks and "head" in names:
        nose = model.landmark_points(model.template, ["nose"])[0]
        share = ramp(np.linalg.norm(model.template - nose, axis=1), *FACE_ENDS)
        out += (FACE - 1) * share * (model.template[:, 1] > model.joint_template[names.index("neck"), 1])
    for side in SIDES:
        if {f"{side}_wrist", f"{side}_elbow"} <= set(names):
            wrist, elbow = (model.joint_template[names.index(f"{side}_{part}")] for part in ("wrist", "elbow"))
            along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
            out += (HAND - 1) * ramp((model.template - wrist) @ along, *HAND_BEGINS)
    if model.parts is not None:  # nobody sees how round an eyeball is
        out[np.isin(model.parts, [k for k, name in enumerate(model.part_names) if name in ("eyes", "mouth")])] = 1
    return out
