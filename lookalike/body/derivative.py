"""How a body's vertices move with its numbers: shape, pose and place in, vertices and their exact derivatives out.

Linear blend skinning is a sum over joints of rigid motions, so turning a joint turns what hangs on it about the joint:
a cross product a vertex. That is far cheaper than to push a tangent for each number through the skinning.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from lookalike.body.skinning import Tensors, chain, rest_shape, rotations, skin
from lookalike.camera import Camera


@dataclass(frozen=True)
class Unknowns:
    """The numbers of a body, in model units.

    Attributes
    ----------
    place : (3,) as `Body.translation` is, in model units.  pose : (J, 3) axis-angle, pose[0] in camera axes.
    betas : (B,) shape numbers.
    """

    place: torch.Tensor
    pose: torch.Tensor
    betas: torch.Tensor

    def moved(self, step: torch.Tensor, joints: list[int]) -> Unknowns:
        """After a step (3 + 3 * len(joints) + B,): of the place, the pose of some joints, the shape."""
        turned, count = self.pose.clone(), 3 * len(joints)
        turned[joints] += step[3 : 3 + count].reshape(-1, 3)
        return replace(self, place=self.place + step[:3], pose=turned, betas=self.betas + step[3 + count :])


@dataclass(frozen=True)
class Derivative:
    """A posed body and how it moves.

    Attributes
    ----------
    vertices : (V, 3) camera frame, model units.  turns : (J, 3, 3) of the joints, from the rest pose.
    jacobian : (V, 3, P) of the vertices by the numbers of a step (see `Unknowns.moved`).
    turning : (3, J, P) how the joints turn: rotation vectors in camera axes by the numbers of a step.
    """

    vertices: torch.Tensor
    turns: torch.Tensor
    jacobian: torch.Tensor
    turning: torch.Tensor


def posed_vertices(body: Tensors, numbers: Unknowns) -> torch.Tensor:
    """(V, 3) camera frame, model units."""
    rest, joints = rest_shape(body, numbers.betas)
    return skin(body, rest, joints, numbers.pose)[0] + numbers.place


def joint_turns(body: Tensors, numbers: Unknowns) -> torch.Tensor:
    """(J, 3, 3) how the joints are turned from the rest pose, camera axes."""
    return chain(body.parents, rotations(numbers.pose), body.joint_template)[0]


def derivative(body: Tensors, numbers: Unknowns, joints: list[int]) -> Derivative:
    """A body's vertices and their derivatives by place, shape and the pose of `joints`.

    What pose correctives (`BodyModel.pose_basis`) add is in the vertices and left out of the derivatives.
    """
    rest, rest_joints = rest_shape(body, numbers.betas)
    vertices, places, transforms = skin(body, rest, rest_joints, numbers.pose)
    turns, weights, parents = transforms[:, :3, :3], body.weights, body.parents
    count, shapes = len(parents), len(numbers.betas)

    # axes[:, j]: how the numbers of joint j's rotation vector turn it and all that hangs on it, in camera axes
    above = torch.stack([turns[p] if p >= 0 else torch.eye(3, dtype=turns.dtype) for p in parents])
    axes = above @ _left_jacobian(numbers.pose)
    hangs = torch.eye(count, dtype=turns.dtype)
    for joint in range(count):  # parents come before their children
        if parents[joint] >= 0:
            hangs[:, joint] += hangs[:, parents[joint]]
    hangs = hangs[joints]

    jacobian = torch.zeros(len(vertices), 3, 3 + 3 * len(joints) + shapes, dtype=turns.dtype)
    jacobian[:, :, :3] = torch.eye(3, dtype=turns.dtype)
    # what each joint carries of a vertex: its weight times where it takes the vertex to
    carried = torch.einsum("jab,vb->vja", turns, rest) + transforms[:, :3, 3]
    carried *= weights[..., None]
    share = weights @ hangs.T
    arm = torch.einsum("kj,vja->vka", hangs, carried) - share[..., None] * places[joints]
    # axis x arm for each of a joint's three axes
    turned = torch.linalg.cross(axes[joints].transpose(1, 2)[None], arm[:, :, None], dim=-1)
    jacobian[:, :, 3 : 3 + 3 * len(joints)] = turned.flatten(1, 2).transpose(1, 2)

    basis = body.joint_basis.permute(1, 2, 0)  # (J, 3, B)
    moved: list[torch.Tensor] = []
    for joint, parent in enumerate(parents):
        own = basis[joint]
        moved.append(own if parent < 0 else moved[parent] + turns[parent] @ (own - basis[parent]))
    shift = torch.stack(moved) - turns @ basis
    blend = torch.einsum("vj,jab->vab", weights, turns)
    by_shape = torch.bmm(blend, body.shape_basis.permute(1, 2, 0))
    by_shape += (weights @ shift.flatten(1)).reshape(by_shape.shape)
    jacobian[:, :, -shapes:] = by_shape

    turning = torch.zeros(3, count, jacobian.shape[2], dtype=turns.dtype)
    turning[:, :, 3 : 3 + 3 * len(joints)] = torch.einsum("kj,kac->ajkc", hangs, axes[joints]).flatten(2)
    return Derivative(vertices + numbers.place, turns, jacobian, turning)


def moved_pixels(camera: Camera, points: torch.Tensor, moves: torch.Tensor) -> torch.Tensor:
    """(n, 2, P) how the pixels of points (n, 3) move where the points move by `moves` (n, 3, P)."""
    x, y, z = (a[:, None, None] for a in points.unbind(1))
    flat = torch.cat([x * moves[:, 2:] / -z, -y * moves[:, 2:] / -z], 1)
    flat[:, 0] += moves[:, 0]
    flat[:, 1] -= moves[:, 1]
    return flat * (camera.focal / -z)


def _left_jacobian(vectors: torch.Tensor) -> torch.Tensor:
    """(n, 3, 3): rotations(v + d) = rotations(J d) rotations(v) for small d. vectors : (n, 3) axis-angle."""
    square = (vectors * vectors).sum(-1)[:, None, None]
    angle = (square + 1e-12).sqrt()
    small = angle < 1e-2  # where the quotients lose their digits
    safe = torch.where(small, torch.ones_like(angle), angle)
    first = torch.where(small, 0.5 - square / 24, (1 - torch.cos(safe)) / safe**2)
    second = torch.where(small, 1 / 6 - square / 120, (safe - torch.sin(safe)) / safe**3)
    zero = torch.zeros_like(vectors[:, 0])
    x, y, z = vectors.unbind(-1)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(-1, 3, 3)
    return torch.eye(3, dtype=vectors.dtype) + first * cross + second * (cross @ cross)
