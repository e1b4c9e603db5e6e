"""Reading predictions."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.errors import LookalikeError
from lookalike.evaluate.mesh_file import find_mesh, read_mesh
from lookalike.export.gltf import Gltf

from .conftest import sphere


@pytest.fixture
def ball(tmp_path):
    """Two balls in one GLB, the second at (0, 2, 0), turned by 90 degrees about y and twice as large, below a node."""
    vertices, faces = sphere(1.0, 2)
    gltf = Gltf()
    position = gltf.accessor(vertices.astype(np.float32), bounds=True)
    indices = gltf.accessor(faces.reshape(-1).astype(np.uint16))
    mesh = gltf.add("meshes", primitives=[{"attributes": {"POSITION": position}, "indices": indices}])
    half = float(np.sqrt(0.5))
    moved = gltf.add("nodes", mesh=mesh, rotation=[0, half, 0, half], scale=[2, 2, 2])
    nodes = [gltf.add("nodes", mesh=mesh), gltf.add("nodes", children=[moved], translation=[0, 2, 0])]
    gltf.add("scenes", nodes=nodes)
    gltf.root["scene"] = 0
    path = tmp_path / "ball.glb"
    gltf.write(path)
    return path, vertices, faces


def test_a_glb_gives_each_mesh_at_its_place(ball):
    path, vertices, faces = ball
    points, triangles = read_mesh(path)
    count = len(vertices)
    assert points[:count] == pytest.approx(vertices, abs=1e-6)
    turned = np.stack([vertices[:, 2], vertices[:, 1], -vertices[:, 0]], 1)
    assert points[count:] == pytest.approx(2 * turned + [0, 2, 0], abs=1e-6)
    assert np.array_equal(triangles, np.concatenate([faces, faces + count]))


def test_damaged_files_are_told(ball, tmp_path):
    path, _, _ = ball
    whole = path.read_bytes()
    for name, content in (
        ("cut.glb", whole[: len(whole) // 2]),
        ("no.glb", b"no GLB"),
        ("short.glb", whole[:14]),
        ("no.obj", b"f 1 2 3\n"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises((ValueError, LookalikeError)):
            read_mesh(tmp_path / name)


def test_names_with_slashes_have_files(tmp_path):
    (tmp_path / "a_1.obj").write_text("")
    assert find_mesh(tmp_path, "a/1") == tmp_path / "a_1.obj"
    assert find_mesh(tmp_path, "a/2") is None
