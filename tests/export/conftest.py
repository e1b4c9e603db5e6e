"""A synthetic person to write: a standing capsule with a UV seam, three joints, a face shape and two motions."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.sparse import identity

from lookalike.appearance.material import Material
from lookalike.body.model import Body, BodyModel
from lookalike.camera import Camera
from lookalike.export.glb import write_glb
from lookalike.rig.avatar import Avatar, Motion, Skeleton
from lookalike.surface.mesh import Surface

HEIGHT, RADIUS = 1.8, 0.2
#: Where the capsule stands in the photo: in front of the camera, a little to the left and below its axis.
IN_PHOTO = np.array([-0.3, -1.1, -4.0], np.float32)


def capsule(rings: int, sides: int) -> dict[str, np.ndarray]:
    """A closed capsule on y = 0, Y up, seen from +Z in the texture's middle, its seam at the back.

    Returns vertices (rings * sides + 2, 3), faces, face_uv, quads and uv. UV: u once around, v from top to bottom, not
    mirrored: seen from outside the picture is the right way round.
    """
    turn = np.linspace(0, np.pi, rings + 2)[1:-1]
    y = HEIGHT / 2 + np.cos(turn) * RADIUS + np.where(turn < np.pi / 2, 1, -1) * (HEIGHT / 2 - RADIUS)
    y = np.where(np.abs(turn - np.pi / 2) < 1e-9, HEIGHT / 2, y)
    around = np.linspace(-np.pi, np.pi, sides + 1)
    grid = np.stack(
        [
            np.sin(turn)[:, None] * np.sin(around[:-1]) * RADIUS,
            np.broadcast_to(y[:, None], (rings, sides)),
            np.sin(turn)[:, None] * np.cos(around[:-1]) * RADIUS,
        ],
        -1,
    )
    vertices = np.concatenate([grid.reshape(-1, 3), [[0, HEIGHT, 0], [0, 0, 0]]]).astype(np.float32)
    u, v = np.meshgrid(np.linspace(0, 1, sides + 1), 1 - y / HEIGHT)
    middles = (np.arange(sides) + 0.5) / sides
    uv = np.concatenate(
        [
            np.stack([u, v], -1).reshape(-1, 2),
            np.stack([middles, np.zeros(sides)], 1),
            np.stack([middles, np.ones(sides)], 1),
        ]
    ).astype(np.float32)
    ring, side = (x.reshape(-1) for x in np.mgrid[0 : rings - 1, 0:sides])
    after = (side + 1) % sides
    quads = np.stack(
        [(ring + 1) * sides + side, (ring + 1) * sides + after, ring * sides + after, ring * sides + side], 1
    )
    row = sides + 1
    quad_uv = np.stack(
        [(ring + 1) * row + side, (ring + 1) * row + side + 1, ring * row + side + 1, ring * row + side], 1
    )
    first = np.arange(sides)
    second, last = (first + 1) % sides, (rings - 1)
    top = np.stack([first, second, np.full(sides, rings * sides)], 1)
    bottom = np.stack([last * sides + second, last * sides + first, np.full(sides, rings * sides + 1)], 1)
    top_uv = np.stack([first, first + 1, rings * row + first], 1)
    bottom_uv = np.stack([last * row + first + 1, last * row + first, rings * row + sides + first], 1)
    return {
        "vertices": vertices,
        "faces": np.concatenate([quads[:, :3], quads[:, [0, 2, 3]], top, bottom]).astype(np.int32),
        "face_uv": np.concatenate([quad_uv[:, :3], quad_uv[:, [0, 2, 3]], top_uv, bottom_uv]).astype(np.int32),
        "quads": np.concatenate([quads, top[:, [0, 1, 2, 2]], bottom[:, [0, 1, 2, 2]]]).astype(np.int32),
        "uv": uv,
    }


def make_body(mesh: dict[str, np.ndarray]) -> Body:
    """A body of one joint and two shape numbers whose mesh is the capsule."""
    vertices = mesh["vertices"]
    count = len(vertices)
    model = BodyModel(
        name="lookalike",
        template=vertices,
        shape_basis=np.zeros((2, count, 3), np.float32),
        joint_template=np.zeros((1, 3), np.float32),
        joint_basis=np.zeros((2, 1, 3), np.float32),
        parents=np.array([-1], np.int32),
        joint_names=("pelvis",),
        weights=np.ones((count, 1), np.float32),
        faces=mesh["faces"],
        quads=mesh["quads"],
        uv=mesh["uv"],
        face_uv=mesh["face_uv"],
        quad_uv=None,
        mirror=None,
        parts=None,
        part_names=(),
        face_shapes={},
        landmarks={},
    )
    transform = np.eye(4, dtype=np.float32)[None].copy()
    transform[0, :3, 3] = IN_PHOTO
    return Body(
        model=model,
        betas=np.array([0.5, -1.0], np.float32),
        pose=np.zeros((1, 3), np.float32),
        translation=IN_PHOTO,
        scale=1.0,
        camera=Camera.for_photo(600, 800),
        vertices=vertices + IN_PHOTO,
        joints=IN_PHOTO[None],
        transforms=transform,
        rest=vertices,
        rest_joints=np.zeros((1, 3), np.float32),
        landmark_error=0.01,
    )


def make_skin(vertices: np.ndarray) -> tuple[Skeleton, np.ndarray, np.ndarray]:
    """Hips, spine and head one above the other; each vertex follows the two joints next to its height."""
    heights = np.array([0.9, 1.2, 1.5], np.float32)
    skeleton = Skeleton(
        names=("Hips", "Spine", "Head"),
        parents=np.array([-1, 0, 1], np.int32),
        positions=np.stack([np.zeros(3), heights, np.zeros(3)], 1).astype(np.float32),
    )
    place = np.interp(vertices[:, 1], heights, [0, 1, 2])
    low = np.minimum(np.floor(place), 1).astype(int)
    weights = np.zeros((len(vertices), 4), np.float32)
    weights[:, 0], weights[:, 1] = 1 - (place - low), place - low
    joints = np.zeros((len(vertices), 4), np.uint8)
    joints[:, 0], joints[:, 1] = low, low + 1
    order = np.argsort(-weights, 1, kind="stable")
    return skeleton, np.take_along_axis(joints, order, 1), np.take_along_axis(weights, order, 1)


def make_motion(name: str, seconds: float, sway: float, keys: int = 9) -> Motion:
    """The spine bends sideways and back while the hips bob; the head stays still."""
    times = np.linspace(0, seconds, keys).astype(np.float32)
    angle = sway * np.sin(2 * np.pi * times / seconds)
    rotations = np.zeros((keys, 3, 4), np.float32)
    rotations[..., 3] = 1
    rotations[:, 1, 2], rotations[:, 1, 3] = np.sin(angle / 2), np.cos(angle / 2)
    root = np.tile(np.array([0, 0.9, 0], np.float32), (keys, 1))
    root[:, 1] += 0.02 * np.cos(4 * np.pi * times / seconds)
    return Motion(name, times, rotations, root)


def make_material(size: int) -> Material:
    """A noisy picture, a roughness ramp, and a normal map with one bump."""
    v, u = np.mgrid[0:size, 0:size] / size
    noise = np.random.default_rng(0).normal(0, 6, (size, size, 1))
    colour = np.stack([u * 255, v * 255, 255 - u * 255], -1) + noise
    slope = 4 * np.exp(-((u - 0.5) ** 2 + (v - 0.5) ** 2) * 50)
    normal = np.stack([(u - 0.5) * slope, (0.5 - v) * slope, np.ones_like(u)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return Material(
        base_colour=colour.clip(0, 255).astype(np.uint8),
        roughness=(120 + 100 * v).astype(np.uint8),
        normal_map=np.rint((normal + 1) / 2 * 255).astype(np.uint8),
        seen=np.ones((size, size), np.float32),
    )


def make_avatar(rings: int = 21, sides: int = 16, texture: int = 64, shapes: int = 2) -> Avatar:
    """The capsule person; its face shapes push the front of the head out by 1 cm and more."""
    mesh = capsule(rings, sides)
    vertices = mesh["vertices"]
    face = np.nonzero((vertices[:, 1] > 1.5) & (vertices[:, 2] > 0.05))[0].astype(np.int32)
    push = np.zeros((len(face), 3), np.float32)
    push[:, 2] = 0.01
    names = ["jawOpen", "mouthSmileLeft"] + [f"shape{k}" for k in range(2, shapes)]
    skeleton, skin_joints, skin_weights = make_skin(vertices)
    surface = Surface(
        vertices=vertices + IN_PHOTO,
        faces=mesh["faces"],
        quads=mesh["quads"],
        uv=mesh["uv"],
        face_uv=mesh["face_uv"],
        anchors=identity(len(vertices), format="csr", dtype=np.float32),
    )
    return Avatar(
        name="Ada",
        vertices=vertices,
        skin_joints=skin_joints,
        skin_weights=skin_weights,
        skeleton=skeleton,
        face_shapes={name: (face, push * (1 + k)) for k, name in enumerate(names[:shapes])},
        motions=(make_motion("walk", 1.2, 0.4), make_motion("idle", 3.0, 0.05)),
        material=make_material(texture),
        surface=surface,
        body=make_body(mesh),
    )


@pytest.fixture(scope="session")
def avatar() -> Avatar:
    """The capsule person with everything an avatar can have."""
    return make_avatar()


@pytest.fixture(scope="session")
def plain_avatar(avatar: Avatar) -> Avatar:
    """The same without face shapes, motions and normal map, of even roughness."""
    material = replace(avatar.material, normal_map=None, roughness=np.full((8, 8), 204, np.uint8))
    return replace(avatar, face_shapes={}, motions=(), material=material)


class GlbFile:
    """A GLB file read by the letter of the specification, apart from the code that wrote it."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        magic, version, total, length, kind = struct.unpack_from("<4sIII4s", data)
        assert (magic, version, total, kind) == (b"glTF", 2, len(data), b"JSON")
        self.json = json.loads(data[20 : 20 + length])
        self.binary = data[28 + length :]

    def rows(self, number: int) -> np.ndarray:
        """An accessor's rows, sparse ones filled in; matrices as (count, 16) by columns."""
        accessor = self.json["accessors"][number]
        kind = {5121: "u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
        width = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}[accessor["type"]]
        count, dtype = accessor["count"], kind[accessor["componentType"]]
        values = np.zeros((count, width), dtype)
        if "bufferView" in accessor:
            values[:] = self._view(accessor["bufferView"], dtype, count * width).reshape(-1, width)
        if "sparse" in accessor:
            sparse = accessor["sparse"]
            indices = sparse["indices"]
            index = self._view(indices["bufferView"], kind[indices["componentType"]], sparse["count"])
            given = self._view(sparse["values"]["bufferView"], dtype, sparse["count"] * width)
            values[index] = given.reshape(-1, width)
        return values[:, 0] if width == 1 else values

    def attribute(self, name: str) -> np.ndarray:
        """An attribute of the only primitive."""
        return self.rows(self.primitive["attributes"][name])

    @property
    def primitive(self) -> dict:
        (mesh,) = self.json["meshes"]
        (primitive,) = mesh["primitives"]
        return primitive

    def node(self, name: str) -> dict:
        (node,) = [node for node in self.json["nodes"] if node["name"] == name]
        return node

    def picture(self, texture: int) -> np.ndarray:
        """A texture's pixels."""
        view = self.json["bufferViews"][self.json["images"][self.json["textures"][texture]["source"]]["bufferView"]]
        return np.asarray(Image.open(BytesIO(self.binary[view["byteOffset"] :][: view["byteLength"]])))

    def _view(self, number: int, dtype: str, count: int) -> np.ndarray:
        view = self.json["bufferViews"][number]
        assert view["byteLength"] == count * np.dtype(dtype).itemsize
        return np.frombuffer(self.binary, dtype, count, view["byteOffset"])


@pytest.fixture
def open_glb() -> Callable[[Path], GlbFile]:
    """Reads a GLB file apart from our own reader."""
    return GlbFile


@pytest.fixture(scope="session")
def avatar_glb(avatar: Avatar, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The capsule person as a GLB file."""
    path = tmp_path_factory.mktemp("glb") / "ada.glb"
    write_glb(avatar, path)
    return path


@pytest.fixture(scope="session")
def big_avatar() -> Avatar:
    """A capsule person of more vertices than 16-bit indices can name."""
    return make_avatar(rings=300, sides=220, texture=16, shapes=1)
