"""How people hold themselves: random numbers in, joint rotations out. With a file of motions, theirs as well.

All poses are (52, 3) axis-angle in the body model's order, relative to the T-pose; the person faces +Z before `turned`.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from lookalike.body import JOINTS
from lookalike.body.prior import joint_limits
from lookalike.errors import LookalikeError

BODY = 22
#: How often each kind of pose of our own is taken.
KINDS = {"standing": 0.5, "gesture": 0.17, "walking": 0.13, "sitting": 0.06, "lunging": 0.06, "free": 0.08}
#: Share of poses from a library of motions, where there is one.
FROM_LIBRARY = 0.5


@dataclass(frozen=True)
class PoseLibrary:
    """Body poses from motion capture: poses (n, 22, 3) axis-angle, Y up; clip (n,) which recording each is from."""

    poses: np.ndarray
    clip: np.ndarray

    def held(self, out: bool, every: int = 7) -> PoseLibrary:
        """The recordings that are held out for validation, or the others: whole ones, since frames resemble each other."""
        mine = (self.clip % every == 0) == out
        return PoseLibrary(self.poses[mine], self.clip[mine])


def read_poses(path: str | Path) -> PoseLibrary:
    """A motion file: `.npz` with `poses` (n, 66 or more) axis-angle in SMPL's order as AMASS has them (Z up), or with
    joint positions (`positions_cm` (n, 22, 3) and `joint_names`, optionally `clip_index`), to which our body is fitted.
    Or a folder that `lookalike make` wrote, from which the poses of its photos are taken.

    Raises LookalikeError.
    """
    path = Path(path)
    if path.is_dir():
        return _posed_photos(path)
    arrays = _arrays(path, "poses", "positions_cm", "joint_names", "clip_index")
    if "poses" in arrays and arrays["poses"].ndim == 2 and arrays["poses"].shape[1] >= 3 * BODY:
        poses = arrays["poses"][:, : 3 * BODY].reshape(-1, BODY, 3).astype(np.float32)
        upright = Rotation.from_euler("X", -90, degrees=True)
        poses[:, 0] = (upright * Rotation.from_rotvec(poses[:, 0])).as_rotvec()
    elif "positions_cm" in arrays and "joint_names" in arrays:
        from lookalike.people.motion import poses_of_joints

        names = [str(n) for n in arrays["joint_names"]]
        missing = [n for n in JOINTS[:BODY] if n not in names]
        if missing:
            raise LookalikeError(f"The motions in {path} have no joint '{missing[0]}'.")
        positions = arrays["positions_cm"][:, [names.index(n) for n in JOINTS[:BODY]]] / 100
        poses = _remembered(positions.astype(np.float32), poses_of_joints)
    else:
        raise LookalikeError(f"{path} holds no poses: it needs an array `poses` (n, 66+) or `positions_cm` (n, 22, 3).")
    clip = arrays.get("clip_index", np.zeros(len(poses), int))
    return PoseLibrary(poses, np.asarray(clip).astype(int))


def _posed_photos(folder: Path) -> PoseLibrary:
    """The poses of the avatars in a folder, one recording each."""
    found = [_arrays(file, "pose").get("pose") for file in sorted(folder.rglob("body.npz"))]
    poses = [pose[:BODY] for pose in found if pose is not None and pose.ndim == 2 and len(pose) >= BODY]
    if not poses:
        raise LookalikeError(f"{folder} holds no avatars: give a folder that `lookalike make` wrote, or a motion file.")
    return PoseLibrary(np.stack(poses).astype(np.float32), np.arange(len(poses)))


def _arrays(path: Path, *names: str) -> dict[str, np.ndarray]:
    """Those of the arrays of an `.npz` file that it has."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names if name in file.files}
    except (OSError, ValueError, EOFError, KeyError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise LookalikeError(f"Cannot read the poses in {path}: {error}.") from None


def _remembered(positions: np.ndarray, fit: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """What the fit makes of joint positions, kept in the user's cache folder: it takes a minute for some thousands."""
    key = hashlib.sha256(positions.tobytes() + str(positions.shape).encode()).hexdigest()[:24]
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lookalike"
    file = folder / f"poses-{key}.npy"
    try:
        kept = np.load(file, allow_pickle=False)
        if kept.shape == positions.shape:
            return kept
    except (OSError, ValueError, EOFError):
        pass  # not there yet, or damaged: made again
    poses = fit(positions)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{file.name}-{os.getpid()}"
        with temporary.open("wb") as out:
            np.save(out, poses)
        temporary.replace(file)
    except OSError:
        pass  # a cache is no reason to fail
    return poses


def random_pose(rng: np.random.Generator, library: PoseLibrary | None = None) -> np.ndarray:
    """(52, 3) somebody doing something."""
    if library is not None and len(library.poses) and rng.random() < FROM_LIBRARY:
        pose = np.zeros((len(JOINTS), 3))
        pose[:BODY] = library.poses[rng.integers(len(library.poses))]
        pose[1:BODY] += rng.normal(0, 0.05, (BODY - 1, 3))
        pose[0] = _facing_forward(pose[0])
    else:
        names = list(KINDS)
        pose = _MAKERS[names[int(rng.choice(len(names), p=np.array(list(KINDS.values()))))]](rng)
    low, high, deviation = joint_limits()
    fingers = slice(BODY, None)
    curl = rng.uniform(-0.1, 1.0) * np.where(np.arange(len(JOINTS))[fingers] < 37, -1, 1)
    pose[fingers] = rng.normal(0, 0.18, (len(JOINTS) - BODY, 3)) * deviation[fingers]
    pose[fingers, 2] += 0.5 * curl * ~np.array(["thumb" in n for n in JOINTS[BODY:]])
    pose[1:] = np.clip(pose[1:], low[1:], high[1:])
    return pose


def turned(pose: np.ndarray, turn: Rotation) -> np.ndarray:
    """The whole body turned: (52, 3)."""
    out = pose.copy()
    out[0] = (turn * Rotation.from_rotvec(pose[0])).as_rotvec()
    return out


def _facing_forward(root: np.ndarray) -> np.ndarray:
    """The root rotation without its heading."""
    turn = Rotation.from_rotvec(root)
    ahead = turn.apply([0, 0, 1.0])
    if np.hypot(ahead[0], ahead[2]) < 0.3:  # lies or stands on its head: there is no heading
        return root
    return (Rotation.from_euler("Y", -np.arctan2(ahead[0], ahead[2])) * turn).as_rotvec()


def _joint(name: str) -> int:
    return JOINTS.index(name)


SIDES = (("left", 1.0), ("right", -1.0))


def _arm(pose: np.ndarray, side: str, x: float, down: float, ahead: float, bend: float, twist: float) -> None:
    """An arm: radians below the horizontal, ahead of the body, bend of the elbow, and turn about its own length."""
    collar = 0.15 * down
    pose[_joint(f"{side}_collar")] = [0, 0, -x * collar]
    lowered = Rotation.from_euler("Z", -x * (down - collar))
    forward = Rotation.from_euler("Y", -x * ahead)
    own = Rotation.from_euler("X", twist)
    pose[_joint(f"{side}_shoulder")] = (lowered * forward * own).as_rotvec()
    pose[_joint(f"{side}_elbow")] = [0, -x * bend, 0]


def _leg(pose: np.ndarray, side: str, x: float, lift: float, spread: float, knee: float, turn: float) -> None:
    """A leg: radians that the thigh is raised and spread, bend of the knee, feet turned outwards."""
    hip = Rotation.from_euler("Z", x * spread) * Rotation.from_euler("X", -lift) * Rotation.from_euler("Y", x * turn)
    pose[_joint(f"{side}_hip")] = hip.as_rotvec()
    pose[_joint(f"{side}_knee")] = [knee, 0, 0]
    pose[_joint(f"{side}_ankle")] = [np.clip(lift - knee, -0.5, 0.6), 0, -x * spread]


def _trunk(pose: np.ndarray, rng: np.random.Generator, much: float) -> None:
    for name in ("spine1", "spine2", "spine3"):
        pose[_joint(name)] = rng.normal(0, much, 3)
    pose[_joint("neck")], pose[_joint("head")] = rng.normal(0, 1.2 * much, 3), rng.normal(0, 1.6 * much, 3)


def standing_pose(rng: np.random.Generator) -> np.ndarray:
    """(52, 3) somebody who stands for a photo: arms anywhere from hanging to spread, legs nearly straight."""
    pose = np.zeros((len(JOINTS), 3))
    habit = rng.choice(["hang", "spread", "one bent", "hips", "front"], p=[0.45, 0.15, 0.2, 0.1, 0.1])
    spread = rng.uniform(1.15, 1.45) if habit != "spread" else rng.uniform(0.0, 1.1)
    for side, x in SIDES:
        down, bend = np.clip(spread + rng.normal(0, 0.08), -0.2, 1.42), abs(rng.normal(0.15, 0.15))
        ahead, twist = rng.normal(0.1, 0.15), rng.normal(0, 0.4)
        if habit == "one bent" and (side == "left") == (rng.random() < 0.5):
            bend, twist = rng.uniform(0.5, 2.3), rng.uniform(-0.9, 0.5)
        elif habit == "hips":
            down, ahead, bend, twist = rng.uniform(0.75, 1.0), rng.normal(-0.15, 0.1), rng.uniform(1.4, 1.8), 0.9
        elif habit == "front":
            down, ahead, bend, twist = rng.uniform(1.0, 1.3), rng.uniform(0.2, 0.5), rng.uniform(1.1, 1.7), -0.3
        _arm(pose, side, x, down, ahead, bend, twist)
        lift, knee = rng.normal(0.03, 0.08), abs(rng.normal(0.02, 0.06))
        _leg(pose, side, x, lift + 0.5 * knee, abs(rng.normal(0.05, 0.07)), knee, rng.normal(0.12, 0.12))
        pose[_joint(f"{side}_wrist")] = rng.normal(0, 0.2, 3)
    if rng.random() < 0.35:  # weight on one leg
        side, x = SIDES[rng.integers(2)]
        _leg(pose, side, x, rng.uniform(0.1, 0.35), rng.uniform(0.05, 0.25), rng.uniform(0.2, 0.6), rng.uniform(0, 0.4))
    _trunk(pose, rng, 0.06)
    pose[0] = [rng.normal(0, 0.03), 0, rng.normal(0, 0.02)]
    return pose


def _gesture(rng: np.random.Generator) -> np.ndarray:
    """Stands, with arms that do something."""
    pose = standing_pose(rng)
    for side, x in SIDES:
        if rng.random() < 0.75:
            raised = rng.random() < 0.4
            down = rng.uniform(-1.3, 0.3) if raised else rng.uniform(0.0, 1.35)
            _arm(pose, side, x, down, rng.uniform(-0.4, 1.4), rng.uniform(0, 2.3), rng.uniform(-1.2, 0.8))
    _trunk(pose, rng, 0.12)
    return pose


def _walking(rng: np.random.Generator) -> np.ndarray:
    pose = np.zeros((len(JOINTS), 3))
    phase, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.25, 0.9)
    running = length > 0.7
    for side, x in SIDES:
        swing = np.sin(phase + (0 if x > 0 else np.pi))
        knee = np.clip(0.15 + 0.9 * length * np.cos(phase + (0 if x > 0 else np.pi) + 0.6), 0.03, 1.8)
        _leg(pose, side, x, length * swing + 0.2 * knee, abs(rng.normal(0.03, 0.03)), knee, rng.normal(0.05, 0.08))
        bend = rng.uniform(1.2, 1.8) if running else rng.uniform(0.1, 0.6)
        _arm(pose, side, x, 1.35 + rng.normal(0, 0.06), 0.1, bend, -0.9 * length * swing)
    _trunk(pose, rng, 0.06)
    pose[_joint("spine2"), 0] += 0.15 * length
    pose[_joint("spine2"), 1] += 0.15 * np.sin(phase)
    return pose


def _sitting(rng: np.random.Generator) -> np.ndarray:
    pose = np.zeros((len(JOINTS), 3))
    for side, x in SIDES:
        _leg(
            pose, side, x, rng.normal(1.45, 0.15), abs(rng.normal(0.1, 0.12)), rng.normal(1.4, 0.25), rng.normal(0, 0.2)
        )
        _arm(pose, side, x, rng.uniform(0.9, 1.3), rng.uniform(0.2, 0.8), rng.uniform(0.3, 1.5), rng.uniform(-0.7, 0.2))
    _trunk(pose, rng, 0.08)
    pose[0] = [rng.normal(-0.05, 0.12), 0, 0]
    return pose


def _lunging(rng: np.random.Generator) -> np.ndarray:
    """Crouches, lunges, kicks."""
    pose = _gesture(rng)
    for side, x in SIDES:
        lift = rng.uniform(-0.4, 1.7)
        _leg(pose, side, x, lift, rng.uniform(0, 0.7), np.clip(rng.normal(0.9, 0.6), 0.02, 2.3), rng.uniform(-0.2, 0.6))
    pose[0] = [rng.normal(0.05, 0.15), 0, rng.normal(0, 0.1)]
    return pose


def _free(rng: np.random.Generator) -> np.ndarray:
    """Anything that joints can do."""
    low, high, deviation = joint_limits()
    pose = np.clip(rng.normal(0, 0.55, low.shape) * deviation, low, high).astype(float)
    for side, x in SIDES:
        pose[_joint(f"{side}_shoulder"), 2] -= 0.7 * x
    pose[0] = rng.normal(0, 0.15, 3)
    return pose


_MAKERS = {
    "standing": standing_pose,
    "gesture": _gesture,
    "walking": _walking,
    "sitting": _sitting,
    "lunging": _lunging,
    "free": _free,
}
