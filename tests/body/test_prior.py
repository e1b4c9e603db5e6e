"""Joint limits mirror each other and leave room for what people do."""

from __future__ import annotations

import numpy as np

from lookalike.body import JOINTS
from lookalike.body.prior import joint_limits


def test_right_is_the_mirror_image_of_left():
    low, high, deviation = joint_limits()
    for j, name in enumerate(JOINTS):
        if name.startswith("left_"):
            k = JOINTS.index(name.replace("left_", "right_"))
            np.testing.assert_allclose(low[j], np.array([low[k, 0], -high[k, 1], -high[k, 2]]), atol=1e-6)
            np.testing.assert_allclose(high[j], np.array([high[k, 0], -low[k, 1], -low[k, 2]]), atol=1e-6)
            np.testing.assert_allclose(deviation[j], deviation[k])


def test_rest_is_allowed_and_knees_bend_one_way_only():
    low, high, deviation = joint_limits()
    assert (low <= 0).all() and (high >= 0).all() and (deviation > 0).all()
    knee = JOINTS.index("left_knee")
    assert high[knee, 0] > 2 and low[knee, 0] > -0.1
