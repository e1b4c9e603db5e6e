"""Checking motions by eye: an avatar at moments of a motion, posed by linear blend skinning as game engines do it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lookalike.render.shade import Studio, Style
from lookalike.render.view import View, orbit
from lookalike.rig.avatar import Avatar, Motion


def find_motion(avatar: Avatar, name: str) -> Motion:
    """The avatar's motion of that name. Raises ValueError, which names those that exist."""
    for motion in avatar.motions:
        if motion.name == name:
            return motion
    raise ValueError(f"no motion {name!r}; there are {', '.join(m.name for m in avatar.motions) or 'none'}")


def pose_at(motion: Motion, time: float) -> tuple[np.ndarray, np.ndarray]:
    """A motion's rotations (J, 4) xyzw and root position (3,) at a time in seconds, which wraps around its end."""
    times = np.asarray(motion.times, np.float64)
    time = times[0] + (time - times[0]) % max(times[-1] - times[0], 1e-9)
    after = int(np.clip(np.searchsorted(times, time, side="right"), 1, len(times) - 1))
    share = (time - times[after - 1]) / (times[after] - times[after - 1])
    return _slerp(motion.rotations[after - 1], motion.rotations[after], share), (
        (1 - share) * motion.root[after - 1] + share * motion.root[after]
    )


def joint_transforms(avatar: Avatar, rotations: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Transforms (J, 4, 4) from the rest pose to a pose.

    rotations : (J, 4) local unit quaternions xyzw.  root : (3,) where the root joint stands.
    """
    from scipy.spatial.transform import Rotation

    skeleton = avatar.skeleton
    local = Rotation.from_quat(rotations).as_matrix()
    rest = np.asarray(skeleton.positions, np.float64)
    placed = np.tile(np.eye(4), (len(rest), 1, 1))
    for joint, parent in enumerate(skeleton.parents):
        step = np.eye(4)
        step[:3, :3] = local[joint]
        step[:3, 3] = root if parent < 0 else rest[joint] - rest[parent]
        placed[joint] = step if parent < 0 else placed[parent] @ step
    # A joint's frame at rest is a bare translation, so undoing it is one too.
    placed[:, :3, 3] -= np.einsum("jik,jk->ji", placed[:, :3, :3], rest)
    return placed


def pose_avatar(avatar: Avatar, rotations: np.ndarray, root: np.ndarray) -> np.ndarray:
    """The avatar's vertices (n, 3) in a pose; arguments as in `joint_transforms`."""
    transforms = joint_transforms(avatar, rotations, root)[:, :3].astype(np.float32)
    blended = np.einsum("nk,nkij->nij", avatar.skin_weights, transforms[avatar.skin_joints])
    return np.einsum("nij,nj->ni", blended[..., :3], avatar.vertices) + blended[..., 3]


def motion_strip(
    avatar: Avatar,
    motion_name: str,
    times: Sequence[float],
    *,
    size: tuple[int, int] = (320, 480),
    yaw: float = 35.0,
    style: Style = "textured",
) -> np.ndarray:
    """Moments of a motion side by side: (height, width * len(times), 3) uint8, all seen by one camera.

    times : seconds.  size : (width, height) of each picture.  yaw : degrees, as in `orbit`.
    """
    motion = find_motion(avatar, motion_name)
    posed = [pose_avatar(avatar, *pose_at(motion, time)) for time in times]
    view = orbit(np.concatenate(posed), size, yaw)
    return np.hstack([_studio(avatar, vertices).render(view, style) for vertices in posed])


def rest_view(
    avatar: Avatar, size: tuple[int, int] = (320, 480), yaw: float = 0.0, style: Style = "textured"
) -> np.ndarray:
    """The avatar in its rest pose, (height, width, 3) uint8."""
    view: View = orbit(avatar.vertices, size, yaw)
    return _studio(avatar, avatar.vertices).render(view, style)


def _studio(avatar: Avatar, vertices: np.ndarray) -> Studio:
    surface, material = avatar.surface, avatar.material
    return Studio(vertices, surface.faces, surface.uv, surface.face_uv, material.base_colour, material.normal_map)


def _slerp(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    """Unit quaternions (J, 4) between two, along the shorter way, with even speed (Shoemake, 1985)."""
    first, second = first.astype(np.float64), second.astype(np.float64)
    cosine = np.einsum("jk,jk->j", first, second)
    second = np.where(cosine[:, None] < 0, -second, second)
    angle = np.arccos(np.clip(np.abs(cosine), 0, 1))[:, None]
    flat = angle < 1e-5
    sine = np.where(flat, 1, np.sin(angle))
    a = np.where(flat, 1 - share, np.sin((1 - share) * angle) / sine)
    b = np.where(flat, share, np.sin(share * angle) / sine)
    out = a * first + b * second
    return out / np.linalg.norm(out, axis=1, keepdims=True)
