"""Where on the body each landmark of MediaPipe lies: pose landmarks from shots, the face mesh from rendered heads."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import igl
import numpy as np
from scipy.spatial.transform import Rotation

from lookalike.body import JOINTS, BodyModel, load_body
from lookalike.body.landmarks import Landmark, blend_at
from lookalike.body.lift import MIRRORED
from lookalike.camera import Camera
from lookalike.photo.subject import POSE_LANDMARKS
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import RayCaster
from tools.calibrate.render import SIZE, read_shots, skins

#: Landmark -> the joint that carries it, and the parts whose vertices may blend into it.
_CARRIERS = {
    "shoulder": ("shoulder", ("torso", "arm", "hand")),
    "elbow": ("elbow", ("torso", "arm", "hand")),
    "wrist": ("wrist", ("torso", "arm", "hand")),
    "pinky": ("wrist", ("arm", "hand")),
    "index": ("wrist", ("arm", "hand")),
    "thumb": ("wrist", ("arm", "hand")),
    "hip": ("pelvis", ("torso", "leg")),
    "knee": ("knee", ("leg", "foot")),
    "ankle": ("ankle", ("leg", "foot")),
    "heel": ("ankle", ("leg", "foot")),
    "foot_index": ("ankle", ("leg", "foot")),
}
#: Face mesh points that wander more than this over the rendered heads (metres) lie on the face's rim and are left out.
MOST_SPREAD = 0.0035


def _carrier(name: str) -> tuple[int, str, tuple[str, ...]]:
    side, _, rest = name.partition("_")
    if rest not in _CARRIERS:
        return JOINTS.index("head"), "", ("head",)
    joint, parts = _CARRIERS[rest]
    return JOINTS.index(joint if joint == "pelvis" else f"{side}_{joint}"), side, parts


def pose_offsets(model: BodyModel, shots: list[dict]) -> np.ndarray:
    """(33, 3) metres in the T-pose: by how much each landmark lies off the model's present one.

    Each picture gives two equations for the three unknowns, robustly solved over all pictures and made symmetric.
    """
    names = list(POSE_LANDMARKS)
    systems: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in names]
    for shot in shots:
        camera = Camera(shot["focal"], SIZE / 2, SIZE / 2, SIZE, SIZE)
        body = model.posed(shot["betas"], shot["pose"], shot["translation"], camera)
        points = model.landmark_points(body.vertices, names)
        size = camera.focal * 1.6 / -points[:, 2].mean()
        off = (shot["landmarks"] - camera.project(points)) / size
        far = np.linalg.norm(off, axis=1)
        if np.median(far) > 0.05:
            continue
        for k in np.flatnonzero((shot["visibility"] > 0.6) & (far < 0.06)):
            x, y, depth = points[k, 0], points[k, 1], -points[k, 2]
            focal = camera.focal / depth / size
            project = focal * np.array([[1, 0, x / depth], [0, -1, -y / depth]])
            systems[k].append((project @ body.transforms[_carrier(names[k])[0], :3, :3], off[k]))
    offsets = np.zeros((len(names), 3))
    for k, system in enumerate(systems):
        a, b = np.concatenate([a for a, _ in system]), np.concatenate([b for _, b in system])
        trust = np.ones(len(b))
        for _ in range(6):
            offsets[k] = np.linalg.solve(
                (a * trust[:, None]).T @ a + 1e-6 * len(b) * np.eye(3), (a * trust[:, None]).T @ b
            )
            trust = 1 / (1 + ((b - a @ offsets[k]) / 0.01) ** 2)
        left = np.median(np.abs(b - a @ offsets[k]))
        print(
            f"{names[k]:18s} {np.round(1e3 * offsets[k])} mm; median error "
            f"{100 * np.median(np.abs(b)):.2f} -> {100 * left:.2f} %"
        )
    return 0.5 * (offsets + offsets[MIRRORED] * [-1, 1, 1])


def pose_landmarks(model: BodyModel, offsets: np.ndarray) -> dict[str, Landmark]:
    """The pose landmarks moved by offsets (33, 3)."""
    part = np.array(model.part_names)[model.parts]
    marks = {}
    for name, offset in zip(POSE_LANDMARKS, offsets, strict=True):
        _, side, parts = _carrier(name)
        allowed = np.flatnonzero(np.isin(part, [p if p in ("torso", "head") else f"{side}_{p}" for p in parts]))
        if parts == ("head",):  # eyes and ears lie inside the head: a coarse hull of it blends to any such point
            allowed = allowed[::25]
        point = model.landmark_points(model.template, [name])[0] + offset
        marks[name] = blend_at(point, model.template.astype(float), allowed, k=60)
    return marks


def face_landmarks(model: BodyModel, textures: list[np.ndarray], count: int = 60) -> dict[str, Landmark]:
    """ "face/<index>": where MediaPipe's face mesh lies on rendered heads; the steady ones of its 468 points."""
    import mediapipe

    detector = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, min_detection_confidence=0.3)
    camera = Camera(SIZE * 2.2, SIZE / 2, SIZE / 2, SIZE, SIZE)
    found: list[list[np.ndarray]] = [[] for _ in range(468)]
    for seed in range(count):
        rng = np.random.default_rng(seed)
        pose = np.zeros((len(JOINTS), 3))
        pose[0] = Rotation.from_euler("XY", [rng.normal(0.05, 0.12), rng.normal(0, 0.25)]).as_rotvec()
        body = model.posed(rng.normal(0, 0.8, model.shape_count), pose, np.zeros(3), camera)
        vertices = (body.vertices - body.joints[JOINTS.index("head")] + [0, -0.06, -1.1]).astype(np.float32)
        caster, texture = RayCaster(vertices, model.faces), textures[seed % len(textures)]
        hits = caster.cast_image(camera)
        seen = hits.face >= 0
        face, bary = hits.face[seen], hits.bary[seen]
        normal = np.einsum("nk,nkc->nc", bary, vertex_normals(vertices, model.faces)[model.faces[face]])
        uv = np.einsum("nk,nkc->nc", bary, model.uv[model.face_uv[face]])
        row, column = (np.clip((uv[:, 1 - k] * texture.shape[k]).astype(int), 0, texture.shape[k] - 1) for k in (0, 1))
        light = np.array([rng.normal(0, 0.5), 0.6, 0.8])
        picture = np.full((SIZE, SIZE, 3), 0.6)
        picture[seen] = (
            texture[row, column] * (0.45 + 0.6 * np.clip(normal @ (light / np.linalg.norm(light)), 0, 1))[:, None]
        )
        picture = np.clip(cv2.GaussianBlur(picture, (0, 0), 0.7), 0, 1)
        answer = detector.process((picture * 255).astype(np.uint8))
        if not answer.multi_face_landmarks:
            continue
        pixels = np.array([[m.x, m.y] for m in answer.multi_face_landmarks[0].landmark][:468], np.float32) * SIZE
        marks = caster.cast(np.zeros((468, 3), np.float32), camera.rays(pixels))
        for k in np.flatnonzero(marks.face >= 0):
            found[k].append(marks.bary[k] @ model.template[model.faces[marks.face[k]]])
    centres = np.array([np.median(points, 0) for points in found])
    spread = np.array([np.linalg.norm(p - c, axis=1).mean() for p, c in zip(found, centres, strict=True)])
    steady = np.flatnonzero(spread < MOST_SPREAD)
    _, face, near = igl.point_mesh_squared_distance(
        centres[steady], model.template.astype(float), model.faces.astype(np.int64)
    )[:3]
    marks = {}
    for k, f, point in zip(steady, np.asarray(face).ravel(), near, strict=True):
        corner = model.faces[int(f)]
        weight = np.clip(
            np.linalg.lstsq(np.vstack([model.template[corner].T, np.ones(3)]), [*point, 1], rcond=None)[0], 0, 1
        )
        marks[f"face/{k}"] = corner.astype(np.int32), (weight / weight.sum()).astype(np.float32)
    print(f"{len(marks)} face landmarks; they wander {1e3 * np.median(spread[steady]):.1f} mm")
    return marks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shots", type=Path, help="what tools.calibrate.render wrote")
    parser.add_argument("body", type=Path, help="body.npz, changed in place")
    parser.add_argument("--makehuman", type=Path, required=True)
    args = parser.parse_args()
    model = load_body(args.body)
    marks = dict(model.landmarks)
    marks |= pose_landmarks(model, pose_offsets(model, read_shots(args.shots)[:1500]))
    marks |= face_landmarks(model, skins(args.makehuman, "young*skinned*"))
    with np.load(args.body) as file:
        arrays = dict(file)
    arrays["landmark_names"] = np.array(list(marks))
    arrays["landmark_sizes"] = np.array([len(index) for index, _ in marks.values()], np.int32)
    arrays["landmark_index"] = np.concatenate([index for index, _ in marks.values()]).astype(np.uint16)
    arrays["landmark_weight"] = np.concatenate([weight for _, weight in marks.values()]).astype(np.float32)
    np.savez_compressed(args.body, **arrays)


if __name__ == "__main__":
    main()
