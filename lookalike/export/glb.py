"""GLB files: the rigged avatar, the surface in the photo's pose, and the bare body.

The avatar's file, for those who import it:

    scene "<name> scene"
    |-- Armature             no transform; exists because Blender and Unity name the rig after the root joint's parent
    |   `-- Hips             the joints, Mixamo's names without "mixamorig:"
    |       `-- Spine ...
    `-- <name>               the skinned mesh, in the rest pose; a root, as its own transform must be ignored anyway

- Joint names have no "mixamorig:" prefix. Unity's and Unreal's automatic humanoid mapping and Godot's bone map know the
  bare names, three.js strips ":" from node names (which breaks clips that name "mixamorig:Hips"), and for Mixamo's own
  files the prefix is the one thing to add when retargeting.
- Joint frames are parallel to the world's in the rest pose, so that a joint's rotation means the same in every avatar.
- Face shapes are morph targets under ARKit's names (mesh.extras.targetNames), motions are animations with linear keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.appearance.material import Material
from lookalike.body.model import Body
from lookalike.export.gltf import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER, Gltf
from lookalike.export.images import JPEG_QUALITY, NORMAL_JPEG_QUALITY, encode_texture
from lookalike.export.vertices import DrawnVertices, add_up, corner_normals, normal_sums, split_at_seams, unit
from lookalike.rig.avatar import Avatar, Motion, Skeleton
from lookalike.surface.mesh import Surface

#: Face shape offsets below this length (metres) cannot be seen and are not stored.
SMALLEST_OFFSET = 2e-5
#: Changes of a unit normal below this length (0.6 degrees) cannot be seen and are not stored.
SMALLEST_TURN = 1e-2

GREY = {
    "pbrMetallicRoughness": {"baseColorFactor": [0.5, 0.5, 0.5, 1.0], "metallicFactor": 0.0, "roughnessFactor": 0.8}
}


def write_glb(avatar: Avatar, path: Path | str) -> None:
    """Writes the rigged, animated, textured avatar in its rest pose. Raises OutputError."""
    avatar_gltf(avatar).write(path)


def write_posed_glb(surface: Surface, material: Material, path: Path | str) -> None:
    """Writes the textured surface in the photo's pose, camera frame, without a rig. Raises OutputError."""
    gltf = Gltf()
    _add_static_mesh(gltf, "Posed", surface.vertices, surface.faces, surface.uv, surface.face_uv, material)
    gltf.write(path)


def write_body_glb(body: Body, path: Path | str) -> None:
    """Writes the bare body in the photo's pose, camera frame, grey. Raises OutputError."""
    gltf = Gltf()
    model = body.model
    _add_static_mesh(gltf, "Body", body.vertices, model.faces, model.uv, model.face_uv, None)
    gltf.write(path)


def avatar_gltf(avatar: Avatar) -> Gltf:
    """The document that `write_glb` writes, for formats that add to it. Joint j of the skeleton is node j."""
    surface, skeleton, name = avatar.surface, avatar.skeleton, avatar.name or "Avatar"
    textures = _Textures(avatar.material)
    gltf = Gltf()
    joints, armature = _add_skeleton(gltf, skeleton)
    sums = normal_sums(avatar.vertices, surface.faces)
    normals = unit(sums)
    with_tangents = avatar.material.normal_map is not None
    drawn = split_at_seams(avatar.vertices, normals, surface.faces, surface.uv, surface.face_uv, with_tangents)
    skin_joints, skin_weights = _clean_weights(avatar.skin_joints[drawn.source], avatar.skin_weights[drawn.source])
    attributes = _geometry(gltf, avatar.vertices, normals, drawn) | {
        "JOINTS_0": gltf.accessor(skin_joints, ARRAY_BUFFER),
        "WEIGHTS_0": gltf.accessor(skin_weights, ARRAY_BUFFER),
    }
    targets = _morph_targets(gltf, avatar.vertices, surface.faces, sums, drawn, avatar.face_shapes)
    mesh = gltf.add(
        "meshes",
        name=name,
        primitives=[
            {
                "attributes": attributes,
                "indices": _indices(gltf, drawn),
                "material": textures.add_material(gltf, name),
                **({"targets": targets} if targets else {}),
            }
        ],
        weights=[0.0] * len(targets) or None,
        extras={"targetNames": list(avatar.face_shapes)} if targets else None,
    )
    inverse_bind = np.tile(np.eye(4, dtype=np.float32), (len(joints), 1, 1))
    inverse_bind[:, :3, 3] = -skeleton.positions
    skin = gltf.add(
        "skins", name=name, skeleton=armature, joints=joints, inverseBindMatrices=gltf.accessor(inverse_bind)
    )
    taken = {node["name"] for node in gltf.root["nodes"]}
    node = gltf.add("nodes", name=f"{name} mesh" if name in taken else name, mesh=mesh, skin=skin)
    _set_scene(gltf, name, [armature, node])
    _add_motions(gltf, avatar.motions, skeleton)
    return gltf


def _add_static_mesh(
    gltf: Gltf,
    name: str,
    vertices: np.ndarray,
    faces: np.ndarray,
    uv: np.ndarray | None,
    face_uv: np.ndarray | None,
    material: Material | None,
) -> None:
    textures = None if material is None else _Textures(material)
    normals = unit(normal_sums(vertices, faces))
    with_tangents = material is not None and material.normal_map is not None
    drawn = split_at_seams(vertices, normals, faces, uv, face_uv, with_tangents)
    number = gltf.add("materials", name=name, **GREY) if textures is None else textures.add_material(gltf, name)
    primitive = {
        "attributes": _geometry(gltf, vertices, normals, drawn),
        "indices": _indices(gltf, drawn),
        "material": number,
    }
    mesh = gltf.add("meshes", name=name, primitives=[primitive])
    _set_scene(gltf, name, [gltf.add("nodes", name=name, mesh=mesh)])


def _set_scene(gltf: Gltf, name: str, nodes: list[int]) -> None:
    # Not the plain name: three.js gives scenes and nodes one name space, and would rename the mesh.
    gltf.add("scenes", name=f"{name} scene", nodes=nodes)
    gltf.root["scene"] = 0


def _geometry(gltf: Gltf, vertices: np.ndarray, normals: np.ndarray, drawn: DrawnVertices) -> dict[str, int]:
    arrays = {"NORMAL": normals[drawn.source], "TANGENT": drawn.tangents, "TEXCOORD_0": drawn.uv}
    position = gltf.accessor(vertices[drawn.source].astype(np.float32), ARRAY_BUFFER, bounds=True)
    return {"POSITION": position} | {
        name: gltf.accessor(values.astype(np.float32), ARRAY_BUFFER)
        for name, values in arrays.items()
        if values is not None
    }


def _indices(gltf: Gltf, drawn: DrawnVertices) -> int:
    # 65535 itself is not an index: graphics hardware reads it as "start a new strip".
    kind = np.uint16 if len(drawn.source) <= 65535 else np.uint32
    return gltf.accessor(drawn.faces.reshape(-1).astype(kind), ELEMENT_ARRAY_BUFFER)


class _Textures:
    """A material's textures, being encoded on other threads while the caller goes on with the geometry."""

    def __init__(self, material: Material) -> None:
        self.roughness = material.roughness
        self.even = int(material.roughness.min()) == int(material.roughness.max())
        images = {
            "base_colour": material.base_colour,
            "roughness": None if self.even else material.roughness,
            "normal": material.normal_map,
        }
        pool = ThreadPoolExecutor(max_workers=3)
        quality = {"normal": NORMAL_JPEG_QUALITY}
        self.encoding = {
            use: pool.submit(encode_texture, image, quality.get(use, JPEG_QUALITY))
            for use, image in images.items()
            if image is not None
        }
        pool.shutdown(wait=False)

    def add_material(self, gltf: Gltf, name: str) -> int:
        """A dielectric with these textures."""
        textures = {use: {"index": gltf.texture(*task.result(), name=use)} for use, task in self.encoding.items()}
        pbr: dict[str, Any] = {"baseColorTexture": textures["base_colour"], "metallicFactor": 0.0}
        if self.even:
            pbr["roughnessFactor"] = round(int(self.roughness.flat[0]) / 255, 4)
        else:
            # A grey picture: green is the roughness; blue, the metalness, is multiplied by the factor 0.
            pbr["metallicRoughnessTexture"] = textures["roughness"]
        return gltf.add(
            "materials", name=name, pbrMetallicRoughness=pbr, normalTexture=textures.get("normal"), doubleSided=False
        )


def _add_skeleton(gltf: Gltf, skeleton: Skeleton) -> tuple[list[int], int]:
    """The joints as nodes 0..J-1 and the node above them. Returns their numbers."""
    parents = [int(parent) for parent in skeleton.parents]
    for joint, name in enumerate(skeleton.names):
        position = skeleton.positions[joint].astype(np.float64)
        above = skeleton.positions[parents[joint]] if parents[joint] >= 0 else 0.0
        children = [child for child, parent in enumerate(parents) if parent == joint]
        gltf.add("nodes", name=name, translation=(position - above).tolist(), children=children or None)
    roots = [joint for joint, parent in enumerate(parents) if parent < 0]
    return list(range(len(parents))), gltf.add("nodes", name="Armature", children=roots)


def _clean_weights(joints: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each joint at most once a vertex, unused slots joint 0, sums one to float32's precision.

    joints : (d, 4), weights : (d, 4). Returns uint8 and float32.
    """
    joints, weights = joints.astype(np.uint8), np.maximum(weights.astype(np.float64), 0.0)
    for later in range(1, joints.shape[1]):
        for earlier in range(later):
            same = joints[:, later] == joints[:, earlier]
            weights[same, earlier] += weights[same, later]
            weights[same, later] = 0.0
    total = weights.sum(1, keepdims=True)
    weights = np.where(total > 0, weights / np.where(total > 0, total, 1.0), np.eye(1, weights.shape[1]))
    weights = weights.astype(np.float32)
    return np.where(weights > 0, joints, 0).astype(np.uint8), weights


def _morph_targets(
    gltf: Gltf,
    vertices: np.ndarray,
    faces: np.ndarray,
    sums: np.ndarray,
    drawn: DrawnVertices,
    shapes: Mapping[str, tuple[np.ndarray, np.ndarray]],
) -> list[dict[str, int]]:
    """Sparse offsets of positions and normals, one target a shape.

    Only triangles at moved vertices change a normal, so just their share of the sums is renewed.
    sums : (n, 3) vertex normals of the unmoved mesh before normalisation.
    """
    if not shapes:
        return []
    reach = np.zeros(len(vertices), bool)
    for index, _ in shapes.values():
        reach[index] = True
    face_part = faces[reach[faces].any(1)].astype(np.int64)
    part, flat = np.unique(face_part, return_inverse=True)  # the mesh vertices whose position or normal can change
    local_faces, rest, rest_sums = flat.reshape(-1, 3), vertices[part].astype(np.float64), sums[part]
    rest_normals, before = unit(rest_sums), corner_normals(rest, local_faces)
    to_local = np.full(len(vertices), -1)
    to_local[part] = np.arange(len(part))
    rows = np.nonzero(to_local[drawn.source] >= 0)[0]  # drawn vertices of this part
    local = to_local[drawn.source[rows]]
    targets = []
    for index, offset in shapes.values():
        known = to_local[index] >= 0  # a vertex without a triangle is not drawn
        moved = np.zeros((len(part), 3))
        moved[to_local[index[known]]] = offset[known]
        far = np.einsum("ij,ij->i", moved, moved) > SMALLEST_OFFSET**2
        touched = np.nonzero(far[local_faces].any(1))[0]
        change = corner_normals(rest + moved, local_faces[touched]) - before[touched]
        change = add_up(local_faces[touched].reshape(-1), change.reshape(-1, 3), len(part))
        turn = unit(rest_sums + change) - rest_normals
        turned = np.einsum("ij,ij->i", turn, turn) > SMALLEST_TURN**2
        targets.append(
            {
                name: gltf.sparse_accessor(
                    rows[keep[local]], values[local[keep[local]]].astype(np.float32), len(drawn.source), bounds
                )
                for name, values, keep, bounds in (("POSITION", moved, far, True), ("NORMAL", turn, turned, False))
            }
        )
    return targets


def _add_motions(gltf: Gltf, motions: tuple[Motion, ...], skeleton: Skeleton) -> None:
    """One animation a motion. A joint that any motion turns has a channel in all, so that changing the motion leaves no
    joint behind; a joint that stays still in one has two keys there."""
    turning = np.zeros(len(skeleton.names), bool)
    for motion in motions:
        turning |= (np.abs(motion.rotations[:, :, :3]) > 1e-6).any((0, 2))
    root = int(np.nonzero(np.asarray(skeleton.parents) < 0)[0][0])
    for motion in motions:
        rotations = _steady_signs(motion.rotations)
        inputs: dict[bool, int] = {}  # the accessors of times: all keys, and the two of curves that stay still
        curves = [(root, "translation", motion.root)]
        curves += [(joint, "rotation", rotations[:, joint]) for joint in np.nonzero(turning)[0].tolist()]
        samplers: list[dict[str, Any]] = []
        channels: list[dict[str, Any]] = []
        for joint, part, values in curves:
            still = bool((np.abs(values - values[0]) < 1e-6).all())
            keys = [0, -1] if still else slice(None)
            if still not in inputs:
                inputs[still] = gltf.accessor(motion.times[keys].astype(np.float32), bounds=True)
            output = gltf.accessor(values[keys].astype(np.float32))
            channels.append({"sampler": len(samplers), "target": {"node": joint, "path": part}})
            samplers.append({"input": inputs[still], "output": output, "interpolation": "LINEAR"})
        gltf.add("animations", name=motion.name, samplers=samplers, channels=channels)


def _steady_signs(rotations: np.ndarray) -> np.ndarray:
    """Unit quaternions (T, J, 4) of the same rotations whose neighbours in time never turn the long way round."""
    rotations = rotations / np.linalg.norm(rotations, axis=-1, keepdims=True)
    flips = np.where((rotations[1:] * rotations[:-1]).sum(-1) < 0, -1.0, 1.0)
    rotations[1:] *= np.cumprod(flips, axis=0)[:, :, None]
    return rotations
