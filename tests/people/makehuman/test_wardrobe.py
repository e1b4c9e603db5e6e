"""Dressing our body: from a folder with a shirt and trousers that the test sews, and from MakeHuman's own assets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike.body import Body, load_body
from lookalike.errors import LookalikeError
from lookalike.people.makehuman.wardrobe import Wardrobe
from lookalike.people.makehuman.worn import Dressed, laid_on
from lookalike.people.sample import LABELS
from lookalike.people.scene import Scene
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import RayCaster
from tests.people.makehuman.test_body import somebody
from tests.people.makehuman.test_pattern import SHIRT, TROUSERS, sew


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("assets")
    sew(root / "clothes/shirt", "shirt", SHIRT)
    sew(root / "clothes/trousers", "trousers", TROUSERS)
    (root / "clothes/broken").mkdir()
    (root / "clothes/broken/broken.mhclo").write_text("name broken\n")
    for where, colour in (("skins/young_asian_female", (200, 160, 140)), ("eyes/materials", (90, 60, 40))):
        (root / where).mkdir(parents=True)
        Image.new("RGB", (8, 8), colour).save(root / where / "brown.png")
    (root / "skins/young_asian_female/young_asian_female.mhmat").write_text("diffuseTexture brown.png\n")
    return root


def inside(dressed: Dressed, body: Body) -> float:
    """Share of the covered vertices that have the inner side of cloth above them, but for those at a garment's rim."""
    clothes = [p for p in dressed.pieces if p.label in ("upper", "lower", "shoes")]
    scene = Scene(clothes)
    corner = scene.vertices[scene.faces]
    outward = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    rim = np.unique(body.model.faces[~dressed.covered[body.model.faces].all(1)])
    covered = np.setdiff1d(np.flatnonzero(dressed.covered), rim)
    normals = vertex_normals(body.vertices, body.model.faces)[covered]
    hits = RayCaster(scene.vertices, scene.faces).cast(body.vertices[covered], normals)
    return float((hits.hit & (np.einsum("ni,ni->n", outward[hits.face], normals) > 0)).mean())


def test_clothes_lie_over_the_skin(folder):
    body = somebody(6)
    dressed = Wardrobe(folder).dress(body, np.random.default_rng(0))
    assert [p.label for p in dressed.pieces] == ["skin", "lower", "upper", "skin", "skin"]
    assert inside(dressed, body) > 0.95  # limbs at random cross each other
    part = np.array(body.model.part_names)[body.model.parts]
    assert dressed.covered[part == "left_leg"].mean() > 0.9
    assert dressed.covered[part == "head"].mean() < 0.02
    assert len(dressed.pieces[0].faces) < 0.8 * len(body.model.faces)


def test_covered_skin_is_inside_when_limbs_are_clear(folder):
    pose = np.zeros((52, 3))
    body = somebody(7, pose)
    assert inside(Wardrobe(folder).dress(body, np.random.default_rng(1)), body) > 0.99


def test_the_generator_alone_decides(folder):
    body, wardrobe = somebody(8), Wardrobe(folder)
    first, again, other = (wardrobe.dress(body, np.random.default_rng(seed)) for seed in (3, 3, 4))
    for a, b in zip(first.pieces, again.pieces, strict=True):
        np.testing.assert_array_equal(a.vertices, b.vertices)
    uv = np.full((1, 2), 0.5, np.float32)
    colours = [d.outfit.skin.sample(uv, 1e-3) for d in (first, again, other)]
    np.testing.assert_array_equal(colours[0], colours[1])
    assert np.abs(colours[0] - colours[2]).max() > 0


def test_folds_are_laid_before_the_pose(folder):
    body, wardrobe, seen = somebody(9), Wardrobe(folder), []

    def wider(laid, body, rng):
        seen.append(laid.label)
        return laid.rest + 0.01 * vertex_normals(laid.rest, laid.pattern.faces)

    plain, wide = (wardrobe.dress(body, np.random.default_rng(0), folds) for folds in (None, wider))
    assert seen == ["lower", "upper"]
    for a, b in zip(plain.pieces[1:3], wide.pieces[1:3], strict=True):
        assert 0.003 < np.median(np.linalg.norm(a.vertices - b.vertices, axis=1)) < 0.011


def test_what_cannot_be_used_is_said(folder, tmp_path):
    assert [f.stem for f in Wardrobe(folder).left_out] == ["broken"]
    with pytest.raises(LookalikeError, match="holds no skins"):
        Wardrobe(tmp_path)


def test_people_in_makehumans_clothes(makehuman_dir):
    wardrobe = Wardrobe(makehuman_dir)
    assert not wardrobe.left_out
    shares = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        body = somebody(seed, rng.normal(0, 0.08, (52, 3)))
        dressed = wardrobe.dress(body, rng)
        labels = [p.label for p in dressed.pieces]
        assert {"skin", "upper", "lower"} <= set(labels) <= set(LABELS)
        assert sum(len(p.faces) for p in dressed.pieces) < 120_000
        assert all(p.relief is None for p in dressed.pieces)
        assert all(np.isfinite(p.vertices).all() for p in dressed.pieces)
        shares.append(inside(dressed, body))
        eyes = [p.vertices.mean(0) for p in dressed.pieces if p.name.endswith("-eye")]
        named = body.model.landmark_points(body.vertices, ["left_eye", "right_eye"])
        np.testing.assert_allclose(eyes, named, atol=0.02)
    assert np.mean(shares) > 0.99


def test_a_hat_leaves_the_brows(makehuman_dir):
    wardrobe = Wardrobe(makehuman_dir)
    body = somebody(0, np.zeros((52, 3)))
    for seed in range(60):
        rng = np.random.default_rng(seed)
        outfit = wardrobe.choose(rng, 0.5, 0.7)
        if any(label == "accessory" for _, label, _, _ in outfit.clothes):
            break
    pieces = laid_on(body, outfit, rng).pieces
    brows = next(p for p in pieces if "brow" in p.name)
    assert len(brows.faces) == 768
    crown = load_body().template[:, 1].max()
    top = max(float(p.vertices[:, 1].max()) for p in pieces if p.label == "accessory")
    assert top > body.vertices[:, 1].max() > body.translation[1] + 0.5 * crown
