"""Turning joints: rotations about the axes, two-bone legs, and keys of a motion from joint rotations.

All rest rotations of the skeleton are the identity, so a joint's rotation is read in world axes: about +X the person
leans forward (and a leg swings back), about +Y the person turns left, about +Z the left side goes up.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from lookalike.rig.avatar import Motion, Skeleton


def about(axis: np.ndarray | str, angle: np.ndarray) -> np.ndarray:
    """(T, 3, 3) rotations by `angle` (T,) radians about an axis: "x", "y", "z" or a direction (3,) or (T, 3)."""
    if isinstance(axis, str):
        axis = np.eye(3)["xyz".index(axis)]
    axis = axis / np.linalg.norm(axis, axis=-1, keepdims=True)
    return Rotation.from_rotvec(axis * np.asarray(angle, np.float64)[:, None]).as_matrix()


def share(turn: np.ndarray, part: float) -> np.ndarray:
    """(T, 3, 3) rotations by a part of the angle of each rotation of `turn`."""
    return Rotation.from_rotvec(part * Rotation.from_matrix(turn).as_rotvec()).as_matrix()


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., 3), scaled to length one."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def bend(
    hip: np.ndarray, ankle: np.ndarray, upper: float, lower: float, forward: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where the knee is, and the axis it bends about.

    hip, ankle : (T, 3).  upper, lower : lengths of thigh and shin.  forward : (T, 3), the side the knee points to.
    Returns knees (T, 3) and axes (T, 3), unit, pointing to the person's right. An ankle beyond the leg's reach gets a
    straight leg that ends short of it.
    """
    way = ankle - hip
    far = np.linalg.norm(way, axis=1)
    along = unit(way)
    reach = np.clip(far, abs(upper - lower) + 1e-6, upper + lower - 1e-9)
    axis = unit(np.cross(along, forward))
    out = np.cross(axis, along)
    foot = (upper**2 - lower**2 + reach**2) / (2 * reach)
    height = np.sqrt(np.maximum(upper**2 - foot**2, 0))
    return hip + along * foot[:, None] + out * height[:, None], axis


def bone_turn(rest: np.ndarray, forward: np.ndarray, along: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """(T, 3, 3) rotations that take a bone from its rest direction `rest` (3,), bending about the axis across `forward`
    (3,), to the direction `along` (T, 3), bending about `axis` (T, 3)."""
    across = unit(np.cross(rest, forward))
    before = np.stack([unit(rest), across, np.cross(unit(rest), across)], -1)
    along = unit(along)
    across = unit(axis - np.einsum("ti,ti->t", axis, along)[:, None] * along)
    return np.stack([along, across, np.cross(along, across)], -1) @ before.T


def keys(name: str, skeleton: Skeleton, times: np.ndarray, root: np.ndarray, local: dict[str, np.ndarray]) -> Motion:
    """A `Motion` from the local rotations of some joints, by name, (T, 3, 3) each; the others stay as they are at rest.

    times : (T,) seconds.  root : (T, 3).  Quaternions are signed so that neighbouring keys take the short way; the last
    key is made equal to the first.
    """
    quaternions = np.zeros((len(times), len(skeleton.names), 4))
    quaternions[..., 3] = 1
    for joint, turn in local.items():
        quaternions[:, skeleton.names.index(joint)] = Rotation.from_matrix(turn).as_quat()
    dots = np.einsum("tji,tji->tj", quaternions[1:], quaternions[:-1])
    quaternions[1:] *= np.cumprod(np.where(dots < 0, -1.0, 1.0), axis=0)[..., None]
    quaternions[-1], root = quaternions[0], np.concatenate([root[:-1], root[:1]])
    return Motion(name, times.astype(np.float32), quaternions.astype(np.float32), root.astype(np.float32))


def joint_transforms(skeleton: Skeleton, rotations: np.ndarray, root: np.ndarray) -> np.ndarray:
    """(T, J, 4, 4) transforms from the rest pose to the pose of each key: forward kinematics.

    rotations : (T, J, 4) xyzw as in `Motion`.  root : (T, 3).
    """
    positions = skeleton.positions.astype(np.float64)
    local = Rotation.from_quat(rotations.reshape(-1, 4)).as_matrix().reshape(*rotations.shape[:2], 3, 3)
    turn, place = np.empty_like(local), np.empty((*rotations.shape[:2], 3))
    for j, parent in enumerate(skeleton.parents):
        if parent < 0:
            turn[:, j], place[:, j] = local[:, j], root
        else:
            turn[:, j] = turn[:, parent] @ local[:, j]
            place[:, j] = place[:, parent] + turn[:, parent] @ (positions[j] - positions[parent])
    out = np.zeros((*turn.shape[:2], 4, 4))
    out[..., :3, :3], out[..., 3, 3] = turn, 1
    out[..., :3, 3] = place - np.einsum("tjab,jb->tja", turn, positions)
    return out


def skinned(vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """(n, 3) vertices moved by linear blend skinning with transforms (J, 4, 4) of one key."""
    blend = np.einsum("nk,nkab->nab", weights, transforms[joints][..., :3, :])
    return np.einsum("nab,nb->na", blend[..., :3], vertices) + blend[..., 3]
