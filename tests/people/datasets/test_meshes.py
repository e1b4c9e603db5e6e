"""OBJ and PLY files as scanners and mesh tools write them."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import LookalikeError
from lookalike.people.datasets.meshes import read_scan_mesh, read_texture, texture_of

POINTS = np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1.5, 0), (0.5, 2, -1e-3)])
TRIANGLES = np.array([(0, 1, 2), (0, 2, 3), (3, 2, 4)])
UV = np.array([(0, 0), (1, 0), (1, 1), (0, 0.25)])
HEAD = "\n".join(f"v {x:.6f} {y:.6f} {z:.6g}" for x, y, z in POINTS)


def mesh_of(tmp_path, text: str | bytes, name: str = "a.obj"):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_scan_mesh(tmp_path / name)


@pytest.mark.parametrize("form", ["{v}", "{v}/{t}", "{v}/{t}/{v}", "{v}//{v}"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_obj_triangles(tmp_path, form, end):
    corners = TRIANGLES + 1
    lines = ["# scanner", "mtllib material0.mtl", *HEAD.split("\n"), *(f"vt {u} {v}" for u, v in UV), "vn 0 0 1"]
    lines += ["usemtl material0", *("f " + " ".join(form.format(v=v, t=min(v, 4)) for v in row) for row in corners)]
    mesh = mesh_of(tmp_path, end.join([*lines, ""]))
    np.testing.assert_allclose(mesh.vertices, POINTS, atol=1e-9)
    np.testing.assert_array_equal(mesh.faces, TRIANGLES)
    assert mesh.material == "material0.mtl" and mesh.colours is None
    if "{t}" in form:
        np.testing.assert_array_equal(mesh.face_uv, np.minimum(TRIANGLES, 3))
        np.testing.assert_allclose(mesh.uv, np.stack([UV[:, 0], 1 - UV[:, 1]], 1))  # from the upper left
    else:
        assert mesh.uv is None and mesh.face_uv is None


def test_obj_polygons_of_several_sizes_become_fans(tmp_path):
    mesh = mesh_of(tmp_path, f"{HEAD}\nf 1/1 2/2 3/3 4/4\nf 4/4 3/3 5/1\n{'vt 0 0 0' + chr(10)}" + "vt 1 0 0\n" * 3)
    got = {tuple(sorted(f)) for f in mesh.faces.tolist()}
    assert got == {(0, 1, 2), (0, 2, 3), (2, 3, 4)}
    # The winding is kept.
    assert all(np.cross(*(np.diff(mesh.vertices[f], axis=0)))[2] > 0 for f in mesh.faces[(mesh.faces < 4).all(1)])


def test_obj_colours_behind_the_coordinates(tmp_path):
    mesh = mesh_of(tmp_path, "v 0 0 0 1 0 0\nv 1 0 0 0 0.5 0\nv 0 1 0 0 0 1\nf 1 2 3\n")
    np.testing.assert_array_equal(mesh.colours, [(255, 0, 0), (0, 128, 0), (0, 0, 255)])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v 0 0 0\n",
        f"{HEAD}\nf 1 2 9\n",
        f"{HEAD}\nf 1 2 0\n",
        f"{HEAD}\nf 1 2\n",
        f"{HEAD}\nv 1 2\nf 1 2 3\n",
        f"{HEAD}\nv 1 2 abc\nf 1 2 3\n",
        f"{HEAD}\nv nan 0 0\nf 1 2 3\n",
        f"{HEAD}\nf 1/1 2/2 3/3\nvt 0 0\n",
        f"{HEAD}\nf 1/1 2/2 3/",
    ],
)
def test_damaged_obj_files_give_one_sentence(tmp_path, text):
    with pytest.raises(LookalikeError, match=r"a\.obj is damaged or cut short \(.*\): please copy it again\.$"):
        mesh_of(tmp_path, text)


def ply(form: str, colours: bool = True, corners: int = 3) -> bytes:
    """A PLY file with normals, alpha, and things behind the faces, none of which is wanted."""
    head = ["ply", f"format {form} 1.0", "comment made by hand", f"element vertex {len(POINTS)}"]
    head += [f"property float {c}" for c in ("x", "y", "z", "nx")]
    head += [f"property uchar {c}" for c in ("red", "green", "blue", "alpha")] if colours else []
    faces = TRIANGLES if corners == 3 else np.array([(0, 1, 2, 3)])
    head += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    out = "\n".join(head).encode() + b"\n"
    order = ">" if "big" in form else "<"
    for i, point in enumerate(POINTS):
        shades = [10 * i, 20 * i, 30 * i, 255] if colours else []
        if form == "ascii":
            out += " ".join(str(float(x)) for x in [*point, 1]).encode()
            out += b" " * bool(shades) + " ".join(str(s) for s in shades).encode() + b"\n"
        else:
            out += struct.pack(f"{order}4f{len(shades)}B", *point, 1, *shades)
    for face in faces:
        if form == "ascii":
            out += " ".join(str(x) for x in [corners, *face]).encode() + b"\n"
        else:
            out += struct.pack(f"{order}B{corners}i", corners, *face)
    return out


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian", "binary_big_endian"])
@pytest.mark.parametrize("colours", [True, False])
def test_ply(tmp_path, form, colours):
    mesh = mesh_of(tmp_path, ply(form, colours), "a.ply")
    np.testing.assert_allclose(mesh.vertices, POINTS, atol=1e-6)
    np.testing.assert_array_equal(mesh.faces, TRIANGLES)
    if colours:
        np.testing.assert_array_equal(mesh.colours, np.outer(np.arange(5), (10, 20, 30)))
    else:
        assert mesh.colours is None
    np.testing.assert_array_equal(mesh_of(tmp_path, ply(form, colours, 4), "a.ply").faces, [(0, 1, 2), (0, 2, 3)])


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian"])
def test_damaged_ply_files_give_one_sentence(tmp_path, form):
    data = ply(form)
    body = data.index(b"end_header") + 11
    for cut in (3, 40, body, body + 9, len(data) - 16):
        with pytest.raises(LookalikeError, match=r"a\.ply is damaged or cut short"):
            mesh_of(tmp_path, data[:cut], "a.ply")
    with pytest.raises(LookalikeError, match="Cannot read the mesh"):
        read_scan_mesh(tmp_path / "none.ply")


def test_textures_are_found_and_bounded(tmp_path):
    mesh = mesh_of(tmp_path, f"mtllib a.mtl\n{HEAD}\nf 1 2 3\n")
    with pytest.raises(LookalikeError, match=r"lacks the texture of a\.obj \(usual\.png\)"):
        texture_of(tmp_path / "a.obj", mesh, ("usual.png",))
    Image.new("RGB", (64, 32), (9, 8, 7)).save(tmp_path / "usual.png")
    assert texture_of(tmp_path / "a.obj", mesh, ("usual.png",)) == tmp_path / "usual.png"
    Image.new("L", (64, 32), 200).save(tmp_path / "skin.png")
    (tmp_path / "a.mtl").write_text("newmtl m\nKd 1 1 1\nmap_Kd ../elsewhere/skin.png\n")
    file = texture_of(tmp_path / "a.obj", mesh, ("usual.png",))
    assert file == tmp_path / "skin.png"  # never outside of the scan's folder
    assert read_texture(file).shape == (32, 64, 3) and read_texture(file, longest=16).shape == (8, 16, 3)
    (tmp_path / "skin.png").write_bytes(b"no picture")
    with pytest.raises(LookalikeError, match="Cannot read the texture"):
        read_texture(file)
