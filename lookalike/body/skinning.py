"""Linear blend skinning in torch: shape numbers and joint rotations in, vertices out, gradients through everything.

Loper, Mahmood, Romero, Pons-Moll, Black: SMPL, a skinned multi-person linear model. SIGGRAPH Asia 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch


@dataclass(frozen=True)
class Tensors:
    """A `BodyModel`'s arrays, float32, possibly of some of its vertices only. Shapes as there."""

    template: torch.Tensor
    shape_basis: torch.Tensor
    joint_template: torch.Tensor
    joint_basis: torch.Tensor
    parents: list[int]
    weights: torch.Tensor
    pose_basis: torch.Tensor | None


def rotations(pose: torch.Tensor) -> torch.Tensor:
    """(..., 3) axis-angle -> (..., 3, 3) rotation matrices (Rodrigues), smooth at zero."""
    square = (pose * pose).sum(-1)[..., None, None]
    angle = (square + 1e-12).sqrt()
    zero = torch.zeros_like(pose[..., 0])
    x, y, z = pose.unbind(-1)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*pose.shape, 3)
    identity = torch.eye(3, dtype=pose.dtype, device=pose.device)
    return identity + torch.sin(angle) / angle * cross + (1 - torch.cos(angle)) / (angle * angle) * (cross @ cross)


def rest_shape(body: Tensors, betas: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Vertices (V, 3) and joints (J, 3) of the T-pose for shape numbers (B,)."""
    rest = body.template + torch.einsum("b,bvc->vc", betas, body.shape_basis)
    joints = body.joint_template + torch.einsum("b,bjc->jc", betas, body.joint_basis)
    return rest, joints


@lru_cache(maxsize=8)
def _levels(parents: tuple[int, ...]) -> tuple[tuple[list[int], list[int]], ...]:
    """Joints by their depth in the tree, each with the place of its parent in the joints done so far, and the order."""
    depth = [0] * len(parents)
    for j in range(1, len(parents)):
        depth[j] = depth[parents[j]] + 1
    levels, place, done = [], {0: 0}, 1
    for d in range(1, max(depth) + 1):
        members = [j for j in range(len(parents)) if depth[j] == d]
        levels.append((members, [place[parents[j]] for j in members]))
        for j in members:
            place[j], done = done, done + 1
    return (*levels, ([place[j] for j in range(len(parents))], []))


def chain(parents: list[int], turn: torch.Tensor, rest_joints: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Forward kinematics: local rotations (J, 3, 3) -> global rotations (J, 3, 3) and joint positions (J, 3).

    Works level by level of the tree, since 52 tiny products one after another would cost more than everything else.
    """
    *levels, (order, _) = _levels(tuple(parents))
    turns, places = turn[:1], rest_joints[:1]
    for members, above in levels:
        up = [parents[j] for j in members]
        step = torch.einsum("jab,jb->ja", turns[above], rest_joints[members] - rest_joints[up])
        places = torch.cat([places, places[above] + step])
        turns = torch.cat([turns, turns[above] @ turn[members]])
    return turns[order], places[order]


def skin(
    body: Tensors, rest: torch.Tensor, rest_joints: torch.Tensor, pose: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Posed vertices (V, 3), joints (J, 3) and transforms (J, 4, 4) from the rest shape to the pose.

    rest : (V, 3), rest_joints : (J, 3) from `rest_shape`; pose : (J, 3) axis-angle.
    """
    local = rotations(pose)
    if body.pose_basis is not None:
        bend = (local[1:] - torch.eye(3, dtype=local.dtype, device=local.device)).reshape(-1)
        rest = rest + torch.einsum("p,pvc->vc", bend[: len(body.pose_basis)], body.pose_basis)
    turn, joints = chain(body.parents, local, rest_joints)
    shift = joints - torch.einsum("jab,jb->ja", turn, rest_joints)
    blend = torch.einsum("vj,jab->vab", body.weights, turn)
    vertices = torch.einsum("vab,vb->va", blend, rest) + body.weights @ shift
    transforms = torch.zeros(len(turn), 4, 4, dtype=turn.dtype, device=turn.device)
    transforms[:, :3, :3], transforms[:, :3, 3], transforms[:, 3, 3] = turn, shift, 1
    return vertices, joints, transforms
