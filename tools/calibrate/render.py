"""Rendered people with known joints, and what MediaPipe makes of them."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from scipy.sparse import coo_matrix
from scipy.spatial.transform import Rotation

from lookalike.body import JOINTS, BodyModel, load_body
from lookalike.body.prior import joint_limits
from lookalike.camera import Camera
from lookalike.people.poses import read_poses
from lookalike.photo.subject import POSE_LANDMARKS
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import RayCaster

SIZE = 640


def skins(makehuman: Path, pattern: str = "*skinned*") -> list[np.ndarray]:
    """MakeHuman's photographic skin textures, (h, w, 3) in [0, 1]."""
    return [
        np.asarray(Image.open(f).convert("RGB")) / 255 for f in sorted((makehuman / "skins/textures").glob(pattern))
    ]


def standing_pose(rng: np.random.Generator) -> np.ndarray:
    """(52, 3): somebody who stands for a photo: arms anywhere from hanging to spread, legs nearly straight."""
    pose = np.zeros((52, 3))
    spread = rng.uniform(0.2, 1.5) * rng.choice([1, 1, 1, 0.1])
    for side, x in (("left", 1), ("right", -1)):
        joint = {k: JOINTS.index(f"{side}_{k}") for k in ("collar", "shoulder", "elbow", "hip", "knee", "ankle")}
        down = np.clip(spread + rng.normal(0, 0.2), 0, 1.45)
        pose[joint["shoulder"]] = [rng.normal(0, 0.3), -x * rng.normal(0.1, 0.3), -x * down * 0.87]
        pose[joint["collar"]] = [0, 0, -x * 0.13 * down]
        bend = abs(rng.normal(0, 0.4)) if rng.random() < 0.7 else rng.uniform(0.3, 2.2)
        pose[joint["elbow"]] = [rng.normal(0, 0.4), -x * bend, 0]
        pose[joint["hip"]] = [rng.normal(-0.08, 0.15), rng.normal(0, 0.15), x * abs(rng.normal(0.04, 0.1))]
        pose[joint["knee"]] = [abs(rng.normal(0, 0.15)), 0, 0]
        tilt = -pose[joint["hip"], 0] - pose[joint["knee"], 0] + rng.normal(0, 0.1)
        pose[joint["ankle"]] = [tilt, x * rng.normal(0.1, 0.15), -pose[joint["hip"], 2]]
    for name in ("spine1", "spine2", "spine3", "neck", "head"):
        pose[JOINTS.index(name)] = rng.normal(0, 0.08, 3)
    pose[0] = [rng.normal(0, 0.05), 0, rng.normal(0, 0.03)]
    return pose


def random_pose(rng: np.random.Generator, mocap: np.ndarray) -> np.ndarray:
    """(52, 3): half the people stand, half do what the mocap actors did; seen from anywhere, mostly from the front."""
    if rng.random() < 0.5:
        pose = standing_pose(rng)
    else:
        pose = np.zeros((52, 3))
        pose[:22] = mocap[rng.integers(len(mocap))]
        pose[1:22] += rng.normal(0, 0.05, (21, 3))
    low, high, deviation = joint_limits()
    pose[22:] = np.clip(rng.normal(0, 0.4, (30, 3)) * deviation[22:], low[22:], high[22:])
    pose[20:22] = rng.normal(0, 0.3, (2, 3))
    yaw = rng.normal(0, 0.5) if rng.random() < 0.55 else rng.uniform(-np.pi, np.pi)
    view = Rotation.from_euler("ZXY", [np.radians(rng.normal(0, 2)), np.radians(rng.normal(3, 7)), yaw])
    pose[0] = (view * Rotation.from_rotvec(pose[0])).as_rotvec()
    return pose


class Wardrobe:
    """Tight clothes and hair: regions of the body in plain colours, a few millimetres to centimetres thick."""

    def __init__(self, model: BodyModel) -> None:
        self.model = model
        part = np.array(model.part_names)[model.parts]
        ends = [np.char.endswith(part, end) for end in ("_arm", "_leg", "_foot")]
        self.arm, self.leg, self.foot = ends
        self.torso, self.neck, self.head = part == "torso", part == "neck", part == "head"
        pairs = np.concatenate([model.faces[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
        pairs = np.concatenate([pairs, pairs[:, ::-1]])
        ring = coo_matrix((np.ones(len(pairs)), pairs.T), shape=(len(part), len(part))).tocsr()
        ring.data[:] = 1
        self.ring = ring.multiply(1 / ring.sum(1)).tocsr()

    def dress(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Thickness (V,) metres and colour (V, 3), -1 where the skin shows."""
        rest, model = self.model.template, self.model
        place = dict(zip(JOINTS, model.joint_template, strict=True))
        elbow, wrist = place["left_elbow"][0], place["left_wrist"][0]
        knee, ankle = place["left_knee"][1], place["left_ankle"][1]
        thick, colour = np.zeros(len(rest)), np.full((len(rest), 3), -1.0)
        top = (self.torso | self.arm) & (np.abs(rest[:, 0]) < rng.choice([0.3, elbow * 0.75, wrist * 0.97]))
        top |= self.neck & (rng.random() < 0.3)
        top &= rng.random() > 0.08
        below = rng.choice([knee * 0.7, knee, ankle * 0.98])
        bottom = (self.leg & (rest[:, 1] > below)) | (self.torso & (rest[:, 1] < rng.normal(0.05, 0.03)))
        folds = np.sin(rest @ rng.normal(0, 25, 3) + rng.uniform(0, 6)) * 0.2 + 0.8
        for where, most in ((bottom, 0.03), (top, 0.035)):
            thick[where] = rng.uniform(0.003, most) * folds[where]
            paint = rng.uniform(0.02, 0.9, 3)
            colour[where] = paint.mean() if rng.random() < 0.4 else paint
        if rng.random() < 0.85:
            colour[self.foot & (rest[:, 1] < ankle + 0.02)] = rng.uniform(0, 0.9, 3)
        if rng.random() < 0.92:
            ear = model.landmark_points(rest, ["left_ear"])[0]
            back = (rest[:, 2] < ear[2] + 0.01) & (rest[:, 1] > ear[1] - rng.choice([0, 0.06, 0.1]))
            hair = self.head & ((rest[:, 1] > ear[1] + 0.085) | back)
            thick[hair] = rng.uniform(0.005, 0.04)
            colour[hair] = rng.choice([0.05, 0.1, 0.2, 0.5, 0.7]) * np.array(
                [1, rng.uniform(0.7, 1), rng.uniform(0.4, 0.9)]
            )
        for _ in range(3):
            thick = 0.5 * thick + 0.5 * (self.ring @ thick)
        return thick, colour


def background(rng: np.random.Generator) -> np.ndarray:
    """(SIZE, SIZE, 3): a plain or a blotchy wall."""
    wall = np.ones((SIZE, SIZE, 3)) * (rng.uniform(0, 1, 3) if rng.random() < 0.5 else rng.uniform(0.1, 1))
    if rng.random() < 0.4:
        blots = rng.normal(0, 0.25, (*[rng.integers(3, 20)] * 2, 3))
        wall += cv2.resize(blots, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    return wall


def shoot(seed: int, wardrobe: Wardrobe, mocap: np.ndarray, textures: list[np.ndarray]):
    """One picture (SIZE, SIZE, 3) uint8 of a random person, and the truth: body parameters, camera, place."""
    rng, model = np.random.default_rng(seed), wardrobe.model
    pose, betas = random_pose(rng, mocap), rng.normal(0, 0.9, model.shape_count)
    camera = Camera(SIZE * np.exp(rng.uniform(0, np.log(3))), SIZE / 2, SIZE / 2, SIZE, SIZE)
    body = model.posed(betas, pose, np.zeros(3), camera)
    thick, colour = wardrobe.dress(rng)
    normals = vertex_normals(body.vertices, model.faces)
    centre = body.vertices.mean(0)
    extent = np.abs(body.vertices - centre).max()
    distance = camera.focal / SIZE * 2 * extent * rng.uniform(1.02, 1.35) + extent * 0.3
    place = np.array([rng.normal(0, 0.05), rng.normal(0, 0.03), -1]) * [distance, distance, distance] - centre
    vertices = (body.vertices + normals * thick[:, None] + place).astype(np.float32)

    hits = RayCaster(vertices, model.faces).cast_image(camera)
    seen = hits.face >= 0
    face, bary = hits.face[seen], hits.bary[seen]
    corner = model.faces[face]
    normal = np.einsum("nk,nkc->nc", bary, normals[corner])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
    uv = np.einsum("nk,nkc->nc", bary, model.uv[model.face_uv[face]])
    texture = textures[rng.integers(len(textures))]
    row, column = (np.clip((uv[:, 1 - k] * texture.shape[k]).astype(int), 0, texture.shape[k] - 1) for k in (0, 1))
    cloth = colour[corner[np.arange(len(face)), bary.argmax(1)]]
    albedo = np.where(cloth[:, :1] >= 0, cloth, texture[row, column])
    light = rng.normal([0, 0.8, 1.2], 1)
    light /= np.linalg.norm(light)
    ambient = rng.uniform(0.25, 0.6)
    shade = ambient + (1 - ambient) * np.clip(normal @ light, 0, 1) + 0.1 * normal[:, 1]
    picture = background(rng)
    picture[seen] = albedo * shade[:, None] * rng.uniform(0.8, 1.3)
    picture = cv2.GaussianBlur(picture, (0, 0), 0.8) + rng.normal(0, 0.015, picture.shape)
    truth = {"focal": camera.focal, "betas": betas, "pose": pose, "translation": place}
    return (np.clip(picture, 0, 1) * 255).astype(np.uint8), truth


def read_shots(path: Path) -> list[dict[str, np.ndarray]]:
    """What `main` wrote: one dict a picture, with focal, betas, pose, translation, seed, landmarks, visibility, world
    and truth (the model's landmarks in the camera frame, metres)."""
    with np.load(path) as file:
        columns = dict(file)
    return [{key: column[i] for key, column in columns.items()} for i in range(len(columns["seed"]))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mocap", type=Path, required=True)
    parser.add_argument("--makehuman", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=3200)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    import mediapipe

    model = load_body()
    wardrobe, textures, mocap = Wardrobe(model), skins(args.makehuman), read_poses(args.mocap).poses[::2]
    detector = mediapipe.solutions.pose.Pose(static_image_mode=True, model_complexity=1, min_detection_confidence=0.3)
    shots = []
    for seed in range(args.seed, args.seed + args.count):
        picture, truth = shoot(seed, wardrobe, mocap, textures)
        found = detector.process(picture)
        if found.pose_landmarks is None:
            continue
        flat, world = found.pose_landmarks.landmark, found.pose_world_landmarks.landmark
        camera = Camera(truth["focal"], SIZE / 2, SIZE / 2, SIZE, SIZE)
        body = model.posed(truth["betas"], truth["pose"], truth["translation"], camera)
        shots.append(
            truth
            | {
                "seed": seed,
                "landmarks": np.array([[m.x * SIZE, m.y * SIZE] for m in flat], np.float32),
                "visibility": np.array([m.visibility for m in flat], np.float32),
                "world": np.array([[m.x, -m.y, -m.z] for m in world], np.float32),
                "truth": model.landmark_points(body.vertices, list(POSE_LANDMARKS)).astype(np.float32),
            }
        )
    np.savez_compressed(args.out, **{key: np.stack([shot[key] for shot in shots]) for key in shots[0]})
    print(f"MediaPipe found {len(shots)} of {args.count} people")


if __name__ == "__main__":
    main()
