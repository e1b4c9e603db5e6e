from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from lookalike.appearance.photograph import develop, flow_outwards

MAGENTA = np.float32([1, 0, 1])


def test_flow_keeps_what_is_known_and_carries_it_on():
    colour = np.zeros((40, 60, 3), np.float32)
    colour[:, :30] = (0.2, 0.5, 0.7)
    colour[:, 30:] = (1, 0, 1)
    weight = np.zeros((40, 60), np.float32)
    weight[:, :30] = 1
    out = flow_outwards(colour, weight)
    assert np.abs(out - np.float32([0.2, 0.5, 0.7])).max() < 1e-3


@pytest.mark.parametrize("scale", [1.0, 0.6])
def test_nothing_of_the_background_is_left(photographed, scale):
    scene = photographed()
    picture = develop(scene.subject, scene.body.camera, scale)
    assert np.abs(picture.colour - MAGENTA).max(2).min() > 0.3
    assert picture.trust.max() == 1
    assert (picture.camera.height, picture.camera.width) == picture.trust.shape


def test_a_matte_three_pixels_too_wide_lets_hardly_any_background_in(photographed):
    scene = photographed()
    wide = cv2.dilate(scene.subject.matte, np.ones((7, 7)))
    picture = develop(replace(scene.subject, matte=wide), scene.body.camera)
    magenta = np.abs(picture.colour - MAGENTA).max(2) < 0.25
    # What is left lies in the narrow gaps between fingers, where the matte shows no outside at all.
    assert magenta.mean() < 0.001
