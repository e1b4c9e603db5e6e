"""Garments made ready: a body stocking that the test cuts from the skin, and MakeHuman's own outfits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lookalike.body import JOINTS, load_body
from lookalike.errors import LookalikeError
from lookalike.people.makehuman.body import base_vertices, load_binding, posed
from lookalike.people.makehuman.pattern import read_pattern
from tests.people.makehuman.test_body import somebody


def sew(folder: Path, name: str, parts: tuple[str, ...], hides: bool = True) -> Path:
    """A garment that is the skin itself of these parts of the body, each part a chart of its own in the texture."""
    model = load_body()
    assert model.quads is not None
    of_vertex = np.array(model.part_names)[model.parts]
    solid = model.quads[model.quads[:, 2] != model.quads[:, 3]]
    quads = solid[np.isin(of_vertex[solid], parts).any(1)]
    used, corners = np.unique(quads, return_inverse=True)
    base = load_binding().same[used]
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"v {x} {y} {z}" for x, y, z in 10 * model.template[used]]
    lines += [f"vt {i / len(used)} 0.5" for i in range(len(used))]
    lines += ["f " + " ".join(f"{c + 1}/{c + 1}" for c in quad) for quad in corners.reshape(-1, 4)]
    (folder / f"{name}.obj").write_text("\n".join(lines))
    head = [f"name {name}", f"obj_file {name}.obj", "verts 0"]
    hidden = ["delete_verts", " ".join(map(str, base))] if hides else []
    (folder / f"{name}.mhclo").write_text("\n".join([*head, *map(str, base), *hidden]))
    return folder / f"{name}.mhclo"


SHIRT = ("torso", "left_arm", "right_arm")
TROUSERS = ("left_leg", "right_leg")


def test_a_skin_tight_garment_lies_on_the_skin_in_any_pose(tmp_path):
    pattern = read_pattern(sew(tmp_path, "shirt", SHIRT))
    body = somebody(5)
    count = len(pattern.garment.mesh.vertices)
    vertices = posed(pattern.rest(body), pattern.weights, body)
    skin = load_binding().skin[pattern.garment.corners[:, 0]]
    off = np.linalg.norm(vertices[:count] - body.vertices[skin], axis=1)
    assert np.median(off) < 1e-3  # the refined mesh is smoother than the skin
    assert len(pattern.faces) == 8 * len(pattern.garment.mesh.quads)
    np.testing.assert_allclose(pattern.rest(body, base_vertices(body)), pattern.rest(body))


def test_labels_follow_from_where_a_garment_lies(tmp_path):
    for name, parts, label in (
        ("top", SHIRT, "upper"),
        ("trousers", TROUSERS, "lower"),
        ("socks", ("left_foot", "right_foot"), "shoes"),
        ("cap", ("head",), "accessory"),
    ):
        pattern = read_pattern(sew(tmp_path / name, name, parts))
        assert set(pattern.label) == {label}
        assert pattern.hidden[label].sum() == len(pattern.garment.hidden)
        assert pattern.area[label] > 0.03


def test_thickness_is_known_where_the_garment_lies(tmp_path):
    pattern = read_pattern(sew(tmp_path, "trousers", TROUSERS))
    arms = np.array(load_body().part_names)[load_body().parts] == "left_arm"
    assert pattern.thickness["lower"][arms].max() == 0
    assert pattern.thickness["lower"].max() < 5e-3


def test_garments_of_another_base_mesh_are_refused(tmp_path):
    file = sew(tmp_path, "shirt", SHIRT)
    file.write_text(file.read_text().replace("verts 0\n", "verts 0\n") + " 20000")
    with pytest.raises(LookalikeError, match="hm08"):
        read_pattern(file)


def test_makehumans_outfits_fall_into_shirt_and_trousers(makehuman_dir):
    pattern = read_pattern(makehuman_dir / "clothes/male_casualsuit03/male_casualsuit03.mhclo")
    weights = pattern.weights.toarray()
    knees = weights[:, [JOINTS.index(f"{s}_knee") for s in ("left", "right")]].sum(1)[pattern.faces].mean(1)
    elbows = weights[:, [JOINTS.index(f"{s}_elbow") for s in ("left", "right")]].sum(1)[pattern.faces].mean(1)
    assert set(pattern.label) == {"upper", "lower"}
    assert set(pattern.label[knees > 0.3]) == {"lower"}
    assert set(pattern.label[elbows > 0.1]) == {"upper"}
    assert pattern.separable
    feet = np.array(load_body().part_names)[load_body().parts] == "left_foot"
    assert not pattern.hidden["upper"][feet].any()


def test_dungarees_are_not_worn_with_another_shirt(makehuman_dir):
    assert not read_pattern(makehuman_dir / "clothes/male_worksuit01/male_worksuit01.mhclo").separable


def test_makehumans_shoes_and_hats(makehuman_dir):
    assert set(read_pattern(makehuman_dir / "clothes/shoes03/shoes03.mhclo").label) == {"shoes"}
    assert set(read_pattern(makehuman_dir / "clothes/fedora01/fedora.mhclo").label) == {"accessory"}
