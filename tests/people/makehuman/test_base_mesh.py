"""The base mesh: phenotypes, rig and posing, on a tiny mesh that the test writes."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from lookalike.errors import LookalikeError
from lookalike.people.makehuman.base_mesh import Phenotype, read_base_mesh, read_target, skinned

#: A strip of three quads along y, in decimetres, and a joint's cube of one face at its middle.
STRIP = """g body
v 0 0 0
v 10 0 0
v 10 10 0
v 0 10 0
v 10 20 0
v 0 20 0
v 10 30 0
v 0 30 0
f 1 2 3 4
f 4 3 5 6
f 6 5 7 8
g joint-middle
v 4 15 0
v 6 15 0
v 6 15 1
v 4 15 1
f 9 10 11 12
"""

RIG = {
    "bones": {
        "mixamorig:Tip": {"parent": "mixamorig:Root", "head": {"strategy": "CUBE", "cube_name": "joint-middle"}},
        "mixamorig:Root": {"parent": "", "head": {"strategy": "MEAN", "vertex_indices": [0, 1]}},
    }
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "3dobjs").mkdir()
    (tmp_path / "rigs/standard").mkdir(parents=True)
    (tmp_path / "targets/macrodetails").mkdir(parents=True)
    (tmp_path / "3dobjs/base.obj").write_text(STRIP)
    (tmp_path / "rigs/standard/rig.mixamo.json").write_text(json.dumps(RIG))
    weights = {"mixamorig:Root": [[i, 1.0] for i in range(4)], "mixamorig:Tip": [[i, 1.0] for i in range(4, 12)]}
    (tmp_path / "rigs/standard/weights.mixamo.json").write_text(json.dumps({"weights": weights}))
    with gzip.open(tmp_path / "targets/macrodetails/caucasian-male-young.target.gz", "wt") as file:
        file.write("6 0 10 0\n7 0 10 .0\n")
    return tmp_path


def test_weights_of_targets_are_products_of_shares():
    targets = Phenotype(gender=1, age=5 / 6, muscle=0.75, caucasian=1, african=0, asian=0).targets()
    np.testing.assert_allclose(targets["macrodetails/caucasian-male-young"], 0.5)
    np.testing.assert_allclose(targets["macrodetails/caucasian-male-old"], 0.5)
    np.testing.assert_allclose(targets["macrodetails/universal-male-old-maxmuscle-averageweight"], 0.25)
    assert not any("female" in t or "baby" in t or "african" in t for t in targets)
    for family in ("macrodetails/universal", "macrodetails/height", "macrodetails/proportions", "breast"):
        np.testing.assert_allclose(sum(w for t, w in targets.items() if t.startswith(family)), 1)


def test_shape_moves_what_its_targets_move(folder):
    base = read_base_mesh(folder, smoothing=0)
    man = Phenotype(gender=1, age=2 / 3, caucasian=1, african=1, asian=0)
    shaped = base.shaped(man)
    np.testing.assert_allclose(shaped[:6], base.mesh.vertices[:6])
    # Metres; half of it, since the other half is of another ancestry.
    np.testing.assert_allclose(shaped[6:8, 1], 3.0 + 0.5)
    np.testing.assert_allclose(base.shaped(man, {"macrodetails/caucasian-male-young": 0.2})[6, 1], 3.0 + 0.7)
    with pytest.raises(LookalikeError, match="no target 'nose'"):
        base.shaped(man, {"nose": 1.0})


def test_joints_and_pose(folder):
    base = read_base_mesh(folder, smoothing=0)
    assert base.joint_names == ("Root", "Tip")
    assert base.parents.tolist() == [-1, 0]
    joints = base.joints(base.mesh.vertices)
    np.testing.assert_allclose(joints, [(0.5, 0, 0), (0.5, 1.5, 0.05)])
    quarter = np.array([(0.0, -1, 0), (1, 0, 0), (0, 0, 1)])
    posed = skinned(base.mesh.vertices, base.weights, base.transforms(joints, {"Tip": quarter}))
    np.testing.assert_allclose(posed[:4], base.mesh.vertices[:4], atol=1e-6)
    # (1, 3, 0) is (0.5, 1.5) from the joint, so a quarter turn takes it to (-1.5, 0.5) from it.
    np.testing.assert_allclose(posed[6], (-1.0, 2.0, 0), atol=1e-6)
    # Turning both by a quarter turns the tip by a half.
    both = skinned(base.mesh.vertices, base.weights, base.transforms(joints, {"Root": quarter, "Tip": quarter}))
    centre = quarter @ (joints[1] - joints[0]) + joints[0]
    np.testing.assert_allclose(both[6], centre + (-0.5, -1.5, -0.05), atol=1e-6)
    with pytest.raises(LookalikeError, match="no joint Tail"):
        base.transforms(joints, {"Tail": quarter})


def test_smoothing_spreads_weights_along_edges_only(folder):
    sharp, soft = read_base_mesh(folder, smoothing=0).weights, read_base_mesh(folder, smoothing=1).weights
    np.testing.assert_allclose(soft.sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose(soft[[0, 1]], sharp[[0, 1]])
    assert (soft[[2, 3], 1] > 0.1).all()
    np.testing.assert_allclose(soft[8:], sharp[8:])


def test_broken_folders_are_named(folder):
    with pytest.raises(LookalikeError, match="Cannot read the rig 'other'"):
        read_base_mesh(folder, rig="other")
    (folder / "broken.target.gz").write_bytes(b"not gzip")
    with pytest.raises(LookalikeError, match="broken"):
        read_target(folder / "broken.target.gz")
