"""Garments cut from the hulls: where they end, and that they are one clean piece of sheet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from lookalike.people.wardrobe.hulls import REGIONS, load_hull, uv_of
from lookalike.people.wardrobe.pattern import Cut, cut_out

TEE = Cut(sleeve=0.2, bottom=0.6)


def parts_of(panel) -> int:
    count = len(panel.used)
    pairs = coo_matrix((np.ones(len(panel.edges)), panel.edges.T), (count, count))
    return connected_components(pairs, directed=False)[0]


def loops_of(panel) -> int:
    """How many closed lines its rim consists of."""
    return connected_components(panel.along_rim, directed=False)[0]


@pytest.mark.parametrize("name", ["suit", "robe"])
def test_a_hull_is_a_sheet_of_even_quads(name):
    hull = load_hull(name)
    corner = hull.posed[hull.quads]
    edge = np.linalg.norm(corner - np.roll(corner, 1, axis=1), axis=2)
    assert np.median(edge) == pytest.approx(0.011, abs=0.001)
    assert np.percentile(edge, 99.5) < 0.03
    assert hull.quad_edges.max() == len(hull.edges) - 1
    uses = np.bincount(hull.quad_edges.reshape(-1))
    assert (uses > 2).mean() < 1e-3
    assert np.allclose(hull.weights.sum(1), 1, atol=1e-5)


def test_a_tee_has_four_holes():
    panel = cut_out(load_hull("robe"), TEE)
    assert parts_of(panel) == 1
    assert loops_of(panel) == 4  # neck, two sleeves, bottom


def test_trousers_have_three_holes():
    panel = cut_out(load_hull("suit"), Cut(top=0.44, leg=0.8, sleeve=None))
    assert parts_of(panel) == 1
    assert loops_of(panel) == 3


def test_a_skirt_has_two_holes_and_an_open_coat_three():
    skirt = cut_out(load_hull("robe"), Cut(hull="robe", top=0.44, sleeve=None, bottom=1.0))
    assert (parts_of(skirt), loops_of(skirt)) == (1, 2)
    coat = cut_out(load_hull("robe"), Cut(hull="robe", sleeve=0.5, bottom=1.0, opening=(0.03, 0.06)))
    assert parts_of(coat) == 1
    assert loops_of(coat) == 3  # the neck, the front and the bottom are one line


@pytest.mark.parametrize("bottom", [0.5, 0.6, 0.9])
def test_the_bottom_is_where_the_pattern_says(bottom):
    hull = load_hull("robe")
    panel = cut_out(hull, replace(TEE, bottom=bottom))
    (posed,) = panel.trimmed(hull.posed[panel.used].astype(float))
    down = hull.posed[:, 1].max() - 0.275 - posed[:, 1]
    low = panel.rim[(down[panel.rim] > bottom - 0.05) & ~hull.within("arm")[panel.used[panel.rim]]]
    assert np.abs(down[low] - bottom).mean() < 0.008
    assert down.max() < bottom + 0.010


@pytest.mark.parametrize("sleeve", [0.2, 0.3, 0.45])
def test_sleeves_are_as_long_as_the_pattern_says(sleeve):
    hull = load_hull("robe")
    panel = cut_out(hull, replace(TEE, sleeve=sleeve))
    along = hull.along[panel.used][:, None].astype(float)
    (along,) = panel.trimmed(np.tile(along, (1, 3)))
    arm = hull.region[panel.used] == REGIONS.index("left_arm")
    assert along[arm, 0].max() == pytest.approx(sleeve, abs=0.006)


def test_texture_coordinates_are_metres_on_the_cloth():
    hull = load_hull("robe")
    panel = cut_out(hull, replace(TEE, sleeve=0.45))
    quads = hull.quads[panel.source]
    uv, face_uv = uv_of(hull, quads)
    assert np.ptp(uv[face_uv], axis=1).max() < 0.25  # no quad reaches across a chart
    for region, middle in (("left_arm", 10.0), ("right_arm", 20.0)):
        mine = (hull.region[quads] == REGIONS.index(region)).all(1)
        assert np.abs(uv[face_uv[mine]][..., 0] - middle).max() < 0.25
        edge = np.linalg.norm(hull.posed[quads[mine, 0]] - hull.posed[quads[mine, 1]], axis=1)
        flat = np.linalg.norm(uv[face_uv[mine, 0]] - uv[face_uv[mine, 1]], axis=1)
        assert np.median(flat / edge) == pytest.approx(1, abs=0.25)


def test_charts_grow_to_the_wearers_left():
    hull = load_hull("suit")
    uv, face_uv = uv_of(hull, hull.quads)
    torso = (hull.region[hull.quads] == REGIONS.index("torso")).all(1)
    front = torso & (np.abs(uv[face_uv][..., 0].mean(1)) < 0.15) & (hull.down[hull.quads].mean(1) > 0.1)
    u, x = uv[face_uv[front]][..., 0].ravel(), hull.posed[hull.quads[front]][..., 0].ravel()
    assert np.corrcoef(u, x)[0, 1] > 0.95
