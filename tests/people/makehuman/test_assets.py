"""Reading MakeHuman's assets, on a cube as base mesh and a patch bound to it."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.errors import LookalikeError
from lookalike.people.makehuman.assets import read_garment, read_material, read_obj

PATCH_OBJ = """# a patch
g patch
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
vt 0 0
vt 1 0
vt 1 1
vt 0 1
f 1/1 2/2 3/3 4/4
f 1/1 2/2 3/3
"""

PATCH_CLO = """# MakeHuman's comment
name patch
tag Male
tag Casual Friday
obj_file patch.obj
x_scale 0 1 2.0
z_scale 0 4 4.0
z_depth 50
material patch.mhmat
verts 0
3
  0  1  2 0.25000 0.25000 0.50000 0.10000 0.20000 0.30000
    1 2 3 -0.5 1.0 0.5 0 0 0
0 0 0 1 0 0 0 0 1
delete_verts
1 3 - 5
7
"""

PATCH_MATERIAL = """// a comment
name Patch
diffuseColor 0.5 0.25 1
shininess 0.4
transparent True
backfaceCull False
diffuseTexture patch.png
shaderConfig diffuse true
"""


@pytest.fixture
def patch(tmp_path):
    (tmp_path / "patch.obj").write_text(PATCH_OBJ)
    (tmp_path / "patch.mhclo").write_text(PATCH_CLO)
    (tmp_path / "patch.mhmat").write_text(PATCH_MATERIAL)
    (tmp_path / "patch.png").write_bytes(b"")
    return tmp_path / "patch.mhclo"


def cube(width: float, depth: float) -> np.ndarray:
    """Corners 0 to 7, x fastest, then y, then z."""
    return np.array([(x, y, z) for z in (0, depth) for y in (0, 1) for x in (0, width)], float)


def test_obj_turns_texture_over_and_keeps_triangles_as_quads(patch):
    mesh = read_obj(patch.parent / "patch.obj")
    assert mesh.quads.tolist() == [[0, 1, 2, 3], [0, 1, 2, 2]]
    assert mesh.quad_uv.tolist() == [[0, 1, 2, 3], [0, 1, 2, 2]]
    np.testing.assert_allclose(mesh.uv, [(0, 1), (1, 1), (1, 0), (0, 0)])
    assert mesh.groups[mesh.group[0]] == "patch"


def test_garment_says_what_its_file_says(patch):
    garment = read_garment(patch)
    assert garment.name == "patch"
    assert garment.tags == ("Male", "Casual Friday")
    assert garment.depth == 50
    assert garment.hidden.tolist() == [1, 3, 4, 5, 7]
    assert garment.scales == ((0, 1, 2.0), None, (0, 4, 4.0))
    assert garment.corners[0].tolist() == [3, 3, 3]


def test_garment_fits_bodies_of_any_size(patch):
    garment = read_garment(patch)
    # As wide and deep as the scales say: offsets hold as they are.
    base = cube(2.0, 4.0)
    fitted = garment.fitted(base)
    np.testing.assert_allclose(fitted[0], base[3])
    np.testing.assert_allclose(fitted[1], 0.25 * base[0] + 0.25 * base[1] + 0.5 * base[2] + (0.1, 0.2, 0.3))
    # Twice as wide, half as deep: so are the offsets, and y has no scale.
    base = cube(4.0, 2.0)
    fitted = garment.fitted(base)
    np.testing.assert_allclose(fitted[1], 0.25 * base[0] + 0.25 * base[1] + 0.5 * base[2] + (0.2, 0.2, 0.15))
    np.testing.assert_allclose(fitted[3], (0, 0, 0.5))


def test_garment_carries_weights_that_stay_weights(patch):
    garment = read_garment(patch)
    weights = np.eye(8)
    carried = garment.carried(weights)
    assert (carried >= 0).all()
    np.testing.assert_allclose(carried.sum(1), 1)
    np.testing.assert_allclose(carried[1, :3], (0.25, 0.25, 0.5))
    # The negative weight of the third vertex counts as none.
    np.testing.assert_allclose(carried[2, 1:4], (0, 2 / 3, 1 / 3))


def test_material(patch):
    material = read_material(patch.parent / "patch.mhmat")
    assert material.name == "Patch"
    assert material.diffuse == patch.parent / "patch.png"
    assert material.normal is None
    assert material.colour == (0.5, 0.25, 1.0)
    assert material.transparent
    assert material.two_sided


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("patch.obj", "f 1/1 2/2 3/3 4/4", "f 1/1 2/2 3/3 9/4", "vertices that do not exist"),
        ("patch.obj", "f 1/1 2/2 3/3 4/4", "f one two three", "line 11"),
        ("patch.obj", "v 0 0 0", "v 0 0", "3 numbers"),
        ("patch.mhclo", "    1 2 3 -0.5 1.0 0.5 0 0 0\n", "", "binds 3 vertices, its mesh has 4"),
        ("patch.mhclo", "x_scale 0 1 2.0", "x_scale 0 1 0", "scale"),
        ("patch.mhclo", "obj_file patch.obj", "", "obj_file"),
        ("patch.mhclo", "obj_file patch.obj", "obj_file other.obj", "Cannot read"),
        ("patch.mhclo", "1 2 3 -0.5 1.0 0.5 0 0 0", "1 2 3 4", "not 4"),
        ("patch.mhmat", "patch.png", "missing.png", "not there"),
        ("patch.mhmat", "0.5 0.25 1", "0.5 0.25", "three numbers"),
    ],
)
def test_broken_files_are_named(patch, file, old, new, says):
    path = patch.parent / file
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(LookalikeError, match=says):
        read_garment(patch)


def test_every_garment_of_makehuman_reads(makehuman_dir):
    files = sorted(makehuman_dir.glob("clothes/*/*.mhclo")) + sorted(makehuman_dir.glob("hair/*/*.mhclo"))
    assert len(files) >= 29
    for file in files[::4]:
        garment = read_garment(file)
        assert garment.material is not None
        np.testing.assert_allclose(garment.weights.sum(1), 1, atol=2e-4)
        assert garment.corners.max() < 19158
