"""Faces and hands are spared when triangles go."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lookalike.body import load_body
from lookalike.camera import Camera
from lookalike.surface.implicit.spare import FACE, HAND, emphasis
from tests.bare_surface import bare_surface


def test_face_and_hands_count_more_and_eyeballs_do_not():
    model = load_body()
    body = model.posed(
        np.zeros(model.shape_count),
        np.zeros((len(model.joint_names), 3), np.float32),
        np.float32([0, 0, -3]),
        Camera.for_photo(600, 900),
    )
    followed = bare_surface(body)
    own = np.arange(len(body.vertices))
    spared = emphasis(body.vertices.astype(float), own, followed, model)
    part = np.array(model.part_names)[model.parts]
    nose = model.landmarks["nose"][0]
    assert np.allclose(spared[nose], FACE, atol=0.06)
    assert spared[np.char.endswith(part, "_hand")].max() == HAND
    assert (spared[part == "torso"] == 1).all() and (spared[np.isin(part, ("eyes", "mouth"))] == 1).all()
    # what is not the surface's own goes by what it lies beside
    beside = body.vertices.astype(float) + 0.003
    near = emphasis(beside, np.full(len(own), -1), followed, model)
    assert np.allclose(near[nose], FACE, atol=0.1) and (near[part == "torso"] == 1).mean() > 0.99
    nameless = replace(model, landmarks={}, joint_names=tuple(f"j{k}" for k in range(len(model.joint_names))))
    assert (emphasis(beside, own, followed, nameless) == 1).all()
