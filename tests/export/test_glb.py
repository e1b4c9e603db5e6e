from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lookalike import __version__
from lookalike.export import write_body_glb, write_glb, write_posed_glb
from lookalike.export.glb import SMALLEST_TURN
from lookalike.export.vertices import smooth_normals


def world_matrices(glb, local=None):
    """Each node's world matrix; `local` maps node numbers to (4, 4) in place of the file's own."""
    nodes = glb.json["nodes"]
    world = {}

    def visit(number, above):
        matrix = np.eye(4)
        matrix[:3, 3] = nodes[number].get("translation", (0, 0, 0))
        world[number] = above @ (local or {}).get(number, matrix)
        for child in nodes[number].get("children", []):
            visit(child, world[number])

    for root in glb.json["scenes"][0]["nodes"]:
        visit(root, np.eye(4))
    return world


def skinned(glb, local=None):
    """The drawn vertices where the joints carry them."""
    (skin,) = glb.json["skins"]
    inverse_bind = glb.rows(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2)
    world = world_matrices(glb, local)
    matrices = np.stack([world[joint] for joint in skin["joints"]]) @ inverse_bind
    points = np.concatenate([glb.attribute("POSITION"), np.ones((len(glb.attribute("POSITION")), 1))], 1)
    blend = np.einsum("vk,vkij->vij", glb.attribute("WEIGHTS_0"), matrices[glb.attribute("JOINTS_0")])
    return np.einsum("vij,vj->vi", blend, points)[:, :3]


def test_says_who_wrote_it_and_what_it_is_called(avatar_glb, open_glb):
    document = open_glb(avatar_glb).json
    assert document["asset"] == {"version": "2.0", "generator": f"Lookalike {__version__}"}
    roots = [document["nodes"][number]["name"] for number in document["scenes"][0]["nodes"]]
    assert roots == ["Armature", "Ada"]
    assert document["meshes"][0]["name"] == document["materials"][0]["name"] == "Ada"


def test_mesh_stands_on_the_floor_in_the_rest_pose(avatar, avatar_glb, open_glb):
    glb = open_glb(avatar_glb)
    box = glb.json["accessors"][glb.primitive["attributes"]["POSITION"]]
    assert np.allclose(box["min"], [-0.2, 0, -0.2], atol=1e-6)
    assert np.allclose(box["max"], [0.2, 1.8, 0.2], atol=1e-6)
    corners = glb.attribute("POSITION")[glb.rows(glb.primitive["indices"]).reshape(-1, 3)]
    assert np.allclose(corners, avatar.vertices[avatar.surface.faces])
    assert np.allclose(np.linalg.norm(glb.attribute("NORMAL"), axis=1), 1, atol=1e-5)


def test_the_seam_does_not_show_in_the_normals(avatar_glb, open_glb):
    glb = open_glb(avatar_glb)
    position, normal = glb.attribute("POSITION"), glb.attribute("NORMAL")
    _, same = np.unique(position, axis=0, return_inverse=True)
    first = np.zeros((same.max() + 1, 3), np.float32)
    first[same] = normal
    assert (first[same] == normal).all()
    assert len(first) < len(normal)


def test_joints_are_where_the_skeleton_has_them(avatar, avatar_glb, open_glb):
    glb = open_glb(avatar_glb)
    world = world_matrices(glb)
    (skin,) = glb.json["skins"]
    for joint, name, position in zip(skin["joints"], avatar.skeleton.names, avatar.skeleton.positions, strict=True):
        assert glb.json["nodes"][joint]["name"] == name
        assert np.allclose(world[joint][:3, 3], position, atol=1e-6)
    assert glb.json["nodes"][skin["skeleton"]]["name"] == "Armature"
    assert np.allclose(skinned(glb), glb.attribute("POSITION"), atol=1e-6)


def test_weights_sum_to_one_and_unused_slots_are_joint_zero(avatar_glb, open_glb):
    glb = open_glb(avatar_glb)
    weights, joints = glb.attribute("WEIGHTS_0"), glb.attribute("JOINTS_0")
    assert joints.dtype == np.uint8
    assert np.abs(weights.astype(float).sum(1) - 1).max() < 2e-7
    assert (joints[weights == 0] == 0).all()


def test_careless_weights_are_put_right(avatar, tmp_path, open_glb):
    joints = np.tile(np.array([1, 1, 2, 2], np.uint8), (len(avatar.vertices), 1))
    weights = np.tile(np.array([3, 1, 1, 0], np.float32), (len(avatar.vertices), 1))
    weights[0] = 0
    write_glb(replace(avatar, skin_joints=joints, skin_weights=weights), tmp_path / "a.glb")
    glb = open_glb(tmp_path / "a.glb")
    assert np.allclose(glb.attribute("WEIGHTS_0")[0], [1, 0, 0, 0])
    assert np.allclose(glb.attribute("WEIGHTS_0")[-1], [0.8, 0, 0.2, 0])
    assert glb.attribute("JOINTS_0")[-1].tolist() == [1, 0, 2, 0]


def test_walk_moves_the_head_as_the_spine_turns(avatar, avatar_glb, open_glb):
    glb = open_glb(avatar_glb)
    walk = glb.json["animations"][0]
    assert walk["name"] == "walk"
    key = 2  # a quarter of the cycle: the spine is bent by the whole sway, 0.4 radians about z
    local = {}
    for channel in walk["channels"]:
        sampler, target = walk["samplers"][channel["sampler"]], channel["target"]
        assert sampler["interpolation"] == "LINEAR"
        times = glb.rows(sampler["input"])
        assert times[0] == 0
        assert np.isclose(times[-1], 1.2)
        values = glb.rows(sampler["output"])
        assert len(values) == len(times)
        matrix = local.setdefault(target["node"], np.eye(4))
        if target["path"] == "rotation":
            x, y, z, w = values[key]
            assert (x, y) == (0, 0)
            matrix[:2, :2] = [[w * w - z * z, -2 * z * w], [2 * z * w, w * w - z * z]]
            matrix[:3, 3] = glb.json["nodes"][target["node"]]["translation"]
        else:
            matrix[:3, 3] = values[key]
    head = avatar.vertices[:, 1] > 1.51
    drawn_head = glb.attribute("POSITION")[:, 1] > 1.51
    c, s, spine = np.cos(0.4), np.sin(0.4), np.array([0, 1.2, 0])
    turned = (glb.attribute("POSITION")[drawn_head] - spine) @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T + spine
    turned[:, 1] -= 0.02  # the hips bob
    assert head.any()
    assert np.allclose(skinned(glb, local)[drawn_head], turned, atol=1e-5)


def test_still_joints_have_two_keys_and_all_motions_the_same_channels(avatar, tmp_path, open_glb):
    walk, idle = avatar.motions
    still = idle.rotations.copy()
    still[:] = [0, 0, 0, 1]
    write_glb(replace(avatar, motions=(walk, replace(idle, rotations=still))), tmp_path / "a.glb")
    glb = open_glb(tmp_path / "a.glb")
    targets = [[channel["target"] for channel in clip["channels"]] for clip in glb.json["animations"]]
    assert targets[0] == targets[1]
    assert [target["path"] for target in targets[0]] == ["translation", "rotation"]  # the head never turns
    spine = glb.json["animations"][1]["samplers"][1]
    assert glb.rows(spine["input"]).tolist() == [0, 3]
    assert glb.rows(spine["output"]).tolist() == [[0, 0, 0, 1], [0, 0, 0, 1]]


def test_neighbouring_quaternions_are_on_one_side(avatar, tmp_path, open_glb):
    walk = avatar.motions[0]
    flipped = walk.rotations.copy()
    flipped[3] *= -2  # the same rotation, the other sign, and not a unit
    write_glb(replace(avatar, motions=(replace(walk, rotations=flipped),)), tmp_path / "a.glb")
    glb = open_glb(tmp_path / "a.glb")
    clip = glb.json["animations"][0]
    values = glb.rows(clip["samplers"][1]["output"])
    assert np.allclose(values, walk.rotations[:, 1], atol=1e-6)


def test_face_shapes_move_the_face_and_turn_its_normals(avatar, avatar_glb, open_glb):
    glb = open_glb(avatar_glb)
    mesh = glb.json["meshes"][0]
    assert mesh["extras"]["targetNames"] == ["jawOpen", "mouthSmileLeft"]
    assert mesh["weights"] == [0, 0]
    position, normal = glb.attribute("POSITION"), glb.attribute("NORMAL")
    key = {tuple(point): number for number, point in enumerate(avatar.vertices)}
    source = [key[tuple(point)] for point in position]
    for target, (index, offset) in zip(glb.primitive["targets"], avatar.face_shapes.values(), strict=True):
        assert all("sparse" in glb.json["accessors"][number] for number in target.values())
        moved = avatar.vertices.copy()
        moved[index] += offset
        assert np.allclose(position + glb.rows(target["POSITION"]), moved[source], atol=1e-6)
        normals = smooth_normals(moved, avatar.surface.faces)[source]
        assert np.abs(normal + glb.rows(target["NORMAL"]) - normals).max() < SMALLEST_TURN
        assert np.abs(glb.rows(target["NORMAL"])).max() > 0.05


def test_a_face_shape_that_moves_nothing_is_legal(avatar, tmp_path, open_glb):
    empty = {"tongueOut": (np.zeros(0, np.int32), np.zeros((0, 3), np.float32))}
    write_glb(replace(avatar, face_shapes=empty), tmp_path / "a.glb")
    glb = open_glb(tmp_path / "a.glb")
    assert not glb.rows(glb.primitive["targets"][0]["POSITION"]).any()


def test_textures_hold_the_material(avatar, avatar_glb, open_glb):
    glb = open_glb(avatar_glb)
    (material,) = glb.json["materials"]
    pbr = material["pbrMetallicRoughness"]
    assert pbr["metallicFactor"] == 0
    assert not material["doubleSided"]
    colour = glb.picture(pbr["baseColorTexture"]["index"]).astype(int)
    assert np.abs(colour - avatar.material.base_colour).mean() < 3
    rough = glb.picture(pbr["metallicRoughnessTexture"]["index"]).astype(int)
    assert np.abs(rough - avatar.material.roughness).max() < 4
    normal = glb.picture(material["normalTexture"]["index"]).astype(int)
    assert np.abs(normal - avatar.material.normal_map).mean() < 2
    assert "TANGENT" in glb.primitive["attributes"]


def test_leaves_out_what_the_avatar_does_not_have(plain_avatar, tmp_path, open_glb):
    write_glb(plain_avatar, tmp_path / "a.glb")
    glb = open_glb(tmp_path / "a.glb")
    assert "animations" not in glb.json
    assert "targets" not in glb.primitive
    assert "TANGENT" not in glb.primitive["attributes"]
    assert len(glb.json["textures"]) == 1
    assert glb.json["materials"][0]["pbrMetallicRoughness"]["roughnessFactor"] == 0.8


def test_no_two_nodes_share_a_name(avatar, tmp_path, open_glb):
    write_glb(replace(avatar, name="Hips"), tmp_path / "a.glb")
    names = [node["name"] for node in open_glb(tmp_path / "a.glb").json["nodes"]]
    assert len(set(names)) == len(names)


def test_indices_are_16_bit_where_they_can_be(avatar_glb, big_avatar, tmp_path, open_glb):
    small = open_glb(avatar_glb)
    assert small.rows(small.primitive["indices"]).dtype == np.uint16
    write_posed_glb(big_avatar.surface, big_avatar.material, tmp_path / "a.glb")
    big = open_glb(tmp_path / "a.glb")
    assert big.rows(big.primitive["indices"]).dtype == np.uint32
    corners = big.attribute("POSITION")[big.rows(big.primitive["indices"]).reshape(-1, 3)]
    assert np.allclose(corners, big_avatar.surface.vertices[big_avatar.surface.faces])


def test_posed_and_body_stay_in_the_camera_frame(avatar, tmp_path, open_glb):
    write_posed_glb(avatar.surface, avatar.material, tmp_path / "posed.glb")
    write_body_glb(avatar.body, tmp_path / "body.glb")
    for name in ("posed", "body"):
        glb = open_glb(tmp_path / f"{name}.glb")
        assert np.allclose(glb.attribute("POSITION").min(0), [-0.5, -1.1, -4.2], atol=1e-5)
        assert "TEXCOORD_0" in glb.primitive["attributes"]
        assert "skins" not in glb.json


def test_a_body_model_without_uvs(avatar, tmp_path, open_glb):
    model = replace(avatar.body.model, uv=None, face_uv=None)
    write_body_glb(replace(avatar.body, model=model), tmp_path / "body.glb")
    glb = open_glb(tmp_path / "body.glb")
    assert set(glb.primitive["attributes"]) == {"POSITION", "NORMAL"}
    assert len(glb.attribute("POSITION")) == len(avatar.vertices)


@pytest.mark.parametrize("library", ["trimesh", "pygltflib"])
def test_other_libraries_load_it(avatar, avatar_glb, library):
    module = pytest.importorskip(library)
    if library == "trimesh":
        scene = module.load(avatar_glb)
        (mesh,) = scene.geometry.values()
        assert np.allclose(scene.extents, [0.4, 1.8, 0.4], atol=1e-5)
        assert len(mesh.faces) == len(avatar.surface.faces)
        assert mesh.visual.material.baseColorTexture.size == (64, 64)
        assert mesh.visual.material.normalTexture is not None
        mesh.merge_vertices(merge_tex=True, merge_norm=True)
        assert mesh.is_watertight
    else:
        document = module.GLTF2().load(str(avatar_glb))
        assert [clip.name for clip in document.animations] == ["walk", "idle"]
        assert len(document.skins[0].joints) == 3
