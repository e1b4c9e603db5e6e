"""From a scan of a whole body to an avatar; and why there is none of less."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from lookalike.anatomy.avatar import rig_skin
from lookalike.anatomy.ct import CtTissues
from lookalike.anatomy.model import Part, make_part
from lookalike.anatomy.volume import Volume
from lookalike.body.model import Body
from lookalike.render.raycast import RayCaster
from tests.anatomy.solids import ct_of, oblique_grid, sphere
from tests.people.bodies import body_of


def ct_of_body(body: Body, step: float = 0.006) -> Volume:
    """A CT of a body model: columns of samples are followed from front to back, in and out of the surface."""
    caster = RayCaster(body.vertices, body.model.faces[body.model.outer_faces])
    low, high = caster.low - 8 * step, caster.high + 8 * step
    x, y, z = (np.arange(a, b, step) for a, b in zip(low, high, strict=True))
    grid = np.stack(np.meshgrid(y, x, indexing="ij")[::-1], -1).reshape(-1, 2) + 1e-5
    origin = np.concatenate([grid, np.full((len(grid), 1), low[2])], 1)
    crossings = np.zeros((len(grid), len(z)), int)
    going, depth = np.arange(len(grid)), np.zeros(len(grid))
    for _ in range(12):
        hits = caster.cast(origin[going] + depth[going, None] * [0, 0, 1], np.tile([0.0, 0, 1], (len(going), 1)))
        going, met = going[hits.hit], hits.hit
        depth[going] += hits.depth[met]
        reached = np.ceil(depth[going] / step).astype(int)
        crossings[going[reached < len(z)], reached[reached < len(z)]] += 1
        depth[going] += 1e-5
    odd = crossings.sum(1) % 2 == 1  # a ray that slipped through a seam
    inside = ((np.cumsum(crossings, 1) % 2 == 1) & ~odd[:, None]).reshape(len(y), len(x), len(z))
    inside = ndimage.median_filter(inside.astype(np.uint8), 3) > 0
    # Array [z, y, x] of the scan: head, back, left.
    values = np.where(inside.transpose(0, 2, 1)[:, ::-1], 40, -1000).astype(np.int16)
    start = 1e3 * np.array([x[0], -z[-1], y[0]])
    return Volume(values, np.concatenate([np.eye(3) * step * 1e3, start[:, None]], 1), "CT")


@pytest.fixture(scope="module")
def skin() -> Part:
    return make_part(CtTissues(ct_of_body(body_of())).make("skin"), 20_000)


def test_the_scan_of_a_body_is_the_body(skin):
    """Not a part of the avatar: that the scan is right."""
    body = body_of()
    assert skin.report["watertight"] and skin.report["pieces"] == 1
    np.testing.assert_allclose(np.ptp(skin.metres, axis=0), np.ptp(body.vertices, axis=0), atol=0.012)
    assert 40 < skin.report["volume_ml"] / 1000 < 110


def test_a_whole_body_becomes_an_avatar(skin, tmp_path):
    report = rig_skin([skin], tmp_path)
    assert report["avatar"] == "avatar.glb", report
    assert report["median_mm"] < 25
    from lookalike.export import read_info

    found = read_info(tmp_path / "avatar.glb")
    assert found["joints"] == 52 if isinstance(found.get("joints"), int) else found["joints"]


def test_less_than_a_body_is_explained(tmp_path):
    scan = ct_of(sphere(60), (50, 50, 50), oblique_grid((50, 50, 50), (3, 3, 3), (0, 0, 0)))
    part = make_part(CtTissues(scan).make("skin"), None)
    report = rig_skin([part], tmp_path)
    assert report["avatar"] is None and "shows 12 cm of the body" in report["why"]
    assert rig_skin([], tmp_path)["why"].startswith("an avatar is made of the skin")
    assert not list(tmp_path.iterdir())
