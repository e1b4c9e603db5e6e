from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from lookalike import __version__
from lookalike.errors import LookalikeError
from lookalike.export import read_info, write_body_glb, write_glb


def glb_bytes(document: dict, binary: bytes = b"") -> bytes:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text
    if binary:
        body += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body


def test_tells_what_our_file_holds(avatar_glb):
    info = read_info(avatar_glb)
    assert info["file"] == "ada.glb"
    assert info["bytes"] == avatar_glb.stat().st_size
    assert info["generator"] == f"Lookalike {__version__}"
    assert (info["vertices"], info["triangles"], info["joints"]) == (389, 672, 3)
    assert info["height"] == pytest.approx(1.8, abs=1e-4)
    assert info["face_shapes"] == ["jawOpen", "mouthSmileLeft"]
    assert info["animations"] == [{"name": "walk", "seconds": 1.2}, {"name": "idle", "seconds": 3.0}]
    sizes = {texture["use"]: (texture["width"], texture["height"]) for texture in info["textures"]}
    assert sizes == {"base colour": (64, 64), "roughness": (64, 64), "normal": (64, 64)}
    json.dumps(info)


def test_tells_what_is_not_there(avatar, tmp_path):
    write_body_glb(avatar.body, tmp_path / "body.glb")
    info = read_info(tmp_path / "body.glb")
    assert (info["joints"], info["face_shapes"], info["animations"], info["textures"]) == (0, [], [], [])


def test_reads_other_programs_files(tmp_path):
    trimesh = pytest.importorskip("trimesh")
    scene = trimesh.Scene()
    turned = trimesh.transformations.rotation_matrix(np.pi / 2, [1, 0, 0])
    scene.add_geometry(trimesh.creation.box((1, 2, 3)), transform=turned)
    scene.export(tmp_path / "box.glb")
    info = read_info(tmp_path / "box.glb")
    assert info["triangles"] == 12
    assert info["size"] == pytest.approx([1, 3, 2], abs=1e-4)


def test_follows_rotated_and_scaled_nodes(tmp_path):
    half = float(np.sqrt(0.5))
    document = {
        "asset": {"version": "2.0"},
        "scenes": [{"nodes": [0]}],
        "nodes": [{"scale": [2, 2, 2], "children": [1]}, {"rotation": [0, 0, half, half], "mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "mode": 5}]}],
        "accessors": [{"count": 7, "type": "VEC3", "componentType": 5126, "min": [0, 0, 0], "max": [1, 2, 3]}],
    }
    (tmp_path / "a.glb").write_bytes(glb_bytes(document))
    info = read_info(tmp_path / "a.glb")
    assert info["size"] == pytest.approx([4, 2, 6])
    assert info["triangles"] == 5  # a strip
    assert info["generator"] is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Ceci n'est pas un glb",
        b"glTF",
        struct.pack("<4sII", b"glTF", 1, 12),
        glb_bytes([1, 2]),
        glb_bytes({"asset": "2.0"}),
        glb_bytes({"asset": {}, "meshes": [{"primitives": [{"attributes": {"POSITION": 9}}]}]}),
        glb_bytes({"asset": {}, "meshes": 3}),
        glb_bytes({"asset": {}, "scenes": [{"nodes": [0]}], "nodes": [{"children": [0]}]}),
        struct.pack("<4sIII4s", b"glTF", 2, 24, 4, b"JSON") + b"[[[[",
    ],
)
def test_wrong_files_are_told_in_one_sentence(tmp_path, data):
    (tmp_path / "a.glb").write_bytes(data)
    with pytest.raises(LookalikeError) as caught:
        read_info(tmp_path / "a.glb")
    assert "a.glb" in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(LookalikeError, match="No such file"):
        read_info(tmp_path / "a.glb")
    with pytest.raises(LookalikeError, match="Is a directory"):
        read_info(tmp_path)


def test_damaged_files_never_end_in_anything_but_a_clear_error(avatar, tmp_path):
    write_glb(avatar, tmp_path / "a.glb")
    good = (tmp_path / "a.glb").read_bytes()
    rng = np.random.default_rng(0)
    for cut in rng.integers(0, len(good), 20):
        (tmp_path / "b.glb").write_bytes(good[:cut])
        with pytest.raises(LookalikeError):
            read_info(tmp_path / "b.glb")
    for _ in range(300):
        bad = bytearray(good)
        for place in rng.integers(0, 6000, 3):
            bad[place] = rng.integers(32, 127)
        (tmp_path / "b.glb").write_bytes(bad)
        try:
            assert read_info(tmp_path / "b.glb")["bytes"] == len(good)
        except LookalikeError:
            pass
