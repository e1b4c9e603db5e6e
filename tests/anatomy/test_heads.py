"""Two real heads: an MR and a CT. What must be there is there, closed, and of a plausible size."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.anatomy.ct import CtTissues
from lookalike.anatomy.model import Part, make_part
from lookalike.anatomy.mr import MrTissues
from lookalike.anatomy.read import read_scan
from lookalike.anatomy.scan_error import ScanError
from lookalike.anatomy.volume import Volume


@pytest.fixture(scope="module")
def mr(t1_head) -> MrTissues:
    """Every other sample along each axis, which is enough to know a brain."""
    scan = read_scan(t1_head)
    affine = scan.affine * np.array([2, 2, 2, 1])
    return MrTissues(Volume(np.ascontiguousarray(scan.values[::2, ::2, ::2]), affine, "MR"))


@pytest.fixture(scope="module")
def brain(mr) -> Part:
    return make_part(mr.make("brain"), 40_000)


def test_a_brain_has_the_size_of_a_brain(brain):
    assert 1000 < brain.report["volume_ml"] < 1700
    assert brain.report["watertight"] and not brain.report["cut_by_border"]
    left_right, up_down, front_back = 1e3 * np.ptp(brain.metres, axis=0)
    # With the brain stem, without a spinal cord, eyes or muscles.
    assert 120 < left_right < 150 and 155 < front_back < 195 and 110 < up_down < 155


def test_the_cerebellum_is_part_of_it_and_the_neck_is_not(mr, brain):
    """Behind and below the middle lies the cerebellum; nothing lies lower than its foot but the brain stem."""
    points = 1e3 * brain.metres
    low, high = points.min(0), points.max(0)
    at_back = points[(points[:, 2] < low[2] + 0.4 * (high[2] - low[2])) & (points[:, 1] < low[1] + 35)]
    assert len(at_back) > 200 and np.ptp(at_back[:, 0]) > 60  # two halves of a cerebellum, side by side
    foot = points[points[:, 1] < low[1] + 3]
    assert np.ptp(foot[:, 0]) < 80


def test_the_skin_is_one_closed_surface_around_the_brain(mr, brain):
    skin = make_part(mr.make("skin"), 40_000)
    assert skin.report["watertight"] and skin.report["pieces"] == 1
    assert 3500 < skin.report["volume_ml"] < 5500
    assert (skin.vertices.max(0)[2] > brain.vertices.max(0)[2] + 5) and (
        skin.vertices.min(0) < brain.vertices.min(0)
    ).all()


def test_skull_and_skin_of_a_ct(ct_head):
    tissues = CtTissues(ct_head)
    skin, skull = (make_part(tissues.make(name), 60_000) for name in ("skin", "bone"))
    assert skull.report["watertight"] and skin.report["watertight"] and skin.report["pieces"] == 1
    assert 450 < skull.report["volume_ml"] < 800
    assert 2800 < skin.report["volume_ml"] < 3600
    # The nose is in front, the ears at the sides, and the headrest is gone.
    width, height, depth = 1e3 * np.ptp(skin.metres, axis=0)
    assert 160 < width < 190 and 150 < height < 165 and 210 < depth < 235
    assert (skin.vertices.max(0) >= skull.vertices.max(0) - 1).all()
    with pytest.raises(ScanError, match="shows no lungs"):
        tissues.make("lung")
