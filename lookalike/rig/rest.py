"""From the photo's pose to the A-pose and back.

A surface vertex is a point on the body (its anchors) and an offset: clothes, hair, what the model does not know. The body
point is known exactly in every pose. The offset turns with the joints it follows, by the blend of their rotations. So
the way is exact where the surface lies on the body, and nowhere has a blended matrix to be inverted that two strongly bent
joints make nearly singular.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from lookalike.body.model import Body
from lookalike.rig.skeleton import ARM_DROP
from lookalike.surface.mesh import Surface


@dataclass(frozen=True)
class APose:
    """The bare body in the A-pose: Y up, facing +Z, the root joint at the origin, metres.

    vertices : (V, 3).  joints : (J, 3).
    turns : (J, 3, 3) each joint's rotation from the A-pose to the photo's pose.
    """

    vertices: np.ndarray
    joints: np.ndarray
    turns: np.ndarray


def a_pose(body: Body) -> APose:
    """The body in the A-pose: arms 45 degrees down, everything else as in the model's T-pose, hands open.

    The vertices are those that linear blend skinning from the A-pose takes to the T-pose. The blended matrices of arms that
    drop by 45 degrees are far from singular.
    """
    model = body.model
    index = {name: j for j, name in enumerate(model.joint_names)}
    rest = np.asarray(body.rest_joints, np.float64)
    drop = np.tile(np.eye(3), (len(rest), 1, 1))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        shoulder, elbow = index[f"{side}_shoulder"], index[f"{side}_elbow"]
        way = rest[elbow] - rest[shoulder]
        down = np.arctan2(-way[1], sign * way[0])
        drop[shoulder] = Rotation.from_rotvec([0, 0, -sign * (ARM_DROP - down)]).as_matrix()
    turns, joints = np.empty_like(drop), np.empty_like(rest)
    for j, parent in enumerate(model.parents):  # parents come first
        if parent < 0:
            turns[j], joints[j] = drop[j], 0
        else:
            turns[j] = turns[parent] @ drop[j]
            joints[j] = joints[parent] + turns[parent] @ (rest[j] - rest[parent])

    to_t = np.tile(np.eye(4), (len(rest), 1, 1))
    to_t[:, :3, :3] = turns.swapaxes(1, 2)
    to_t[:, :3, 3] = rest - np.einsum("jba,jb->ja", turns, joints)
    blend = np.tensordot(model.weights.astype(np.float64), to_t, 1)
    vertices = np.linalg.solve(blend[:, :3, :3], (body.rest - blend[:, :3, 3])[..., None])[..., 0]
    posed = np.asarray(body.transforms, np.float64)[:, :3, :3]
    return APose(vertices, joints, posed @ turns.swapaxes(1, 2))


def blended_turns(turns: np.ndarray, joints: np.ndarray, weights: np.ndarray) -> Rotation:
    """The rotation of each vertex: its joints' rotations, blended as quaternions.

    turns : (J, 3, 3).  joints, weights : (n, 4), largest first. Quaternions are blended on the side of the first joint's, so
    the blend never vanishes (Kavan et al., "Geometric skinning with approximate dual quaternion blending", 2008).
    """
    quaternion = Rotation.from_matrix(turns).as_quat()[joints]
    side = np.where(np.einsum("nki,ni->nk", quaternion, quaternion[:, 0]) < 0, -1.0, 1.0)
    return Rotation.from_quat(np.einsum("nk,nki->ni", weights * side, quaternion))


def unpose(surface: Surface, body: Body, pose: APose, joints: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The surface's vertices (n, 3) in the A-pose.

    joints, weights : (n, 4), the surface's skin.
    """
    offset = surface.vertices - surface.anchors @ body.vertices.astype(np.float64)
    return surface.anchors @ pose.vertices + blended_turns(pose.turns, joints, weights).inv().apply(offset)


def repose(
    vertices: np.ndarray, surface: Surface, body: Body, pose: APose, joints: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """The inverse of `unpose`: A-pose vertices (n, 3) back in the photo's pose."""
    offset = vertices - surface.anchors @ pose.vertices
    return surface.anchors @ body.vertices.astype(np.float64) + blended_turns(pose.turns, joints, weights).apply(offset)
