"""Joint positions of motion capture in, rotations of our body out: one batched fit with joint limits."""

from __future__ import annotations

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from lookalike.body import JOINTS, BodyModel, load_body
from lookalike.body.prior import joint_limits
from lookalike.body.skinning import rotations

BODY = 22
#: Bones whose direction depends on where a skeleton puts its hips, spine and collars more than on the pose.
_LOOSE = {"left_hip", "right_hip", "spine1", "spine2", "spine3", "left_collar", "right_collar"}


def poses_of_joints(positions: np.ndarray, model: BodyModel | None = None, steps: int = 250) -> np.ndarray:
    """(n, 22, 3) axis-angle poses whose bones point where a skeleton's do.

    positions : (n, 22, 3) metres, Y up, `JOINTS`' first 22. How bones are twisted about themselves is not in them: joint
    limits and a pull to zero decide. Some seconds a thousand poses.
    """
    model = model or load_body()
    target = torch.tensor(positions).float()
    base = torch.tensor(_torso(target.numpy())).float()
    low, high, deviation = (torch.tensor(a[1:BODY]) for a in joint_limits())
    turn = torch.zeros(len(target), 3, requires_grad=True)
    pose = torch.zeros(len(target), BODY - 1, 3, requires_grad=True)
    optimiser = torch.optim.Adam([turn, pose], lr=0.05)
    for step in range(steps):
        if step == steps * 3 // 5:
            optimiser.param_groups[0]["lr"] = 0.02
        joints = _forward(model, torch.cat([(base @ rotations(turn))[:, None], rotations(pose)], 1))
        off = torch.zeros(len(target))
        for j in range(1, BODY):
            p = int(model.parents[j])
            same = torch.nn.functional.cosine_similarity(
                joints[:, j] - joints[:, p], target[:, j] - target[:, p], dim=1
            )
            off = off + (0.2 if JOINTS[j] in _LOOSE else 1.0) * (1 - same)
        beyond = torch.relu(low - pose) + torch.relu(pose - high)
        energy = off.mean() + 2 * (beyond**2).sum((1, 2)).mean() + 2e-3 * ((pose / deviation) ** 2).sum((1, 2)).mean()
        optimiser.zero_grad()
        energy.backward()
        optimiser.step()
    with torch.no_grad():
        root = Rotation.from_matrix((base @ rotations(turn)).numpy()).as_rotvec()
        return np.concatenate([root[:, None], pose.numpy()], 1).astype(np.float32)


def _forward(model: BodyModel, turn: torch.Tensor) -> torch.Tensor:
    """(n, 22, 3) joints of local rotations (n, 22, 3, 3) on the mean body."""
    rest = torch.tensor(model.joint_template[:BODY])
    turns, places = [turn[:, 0]], [rest[0].expand(len(turn), 3)]
    for j in range(1, BODY):
        p = int(model.parents[j])
        places.append(places[p] + turns[p] @ (rest[j] - rest[p]))
        turns.append(turns[p] @ turn[:, j])
    return torch.stack(places, 1)


def _torso(joints: np.ndarray) -> np.ndarray:
    """(n, 3, 3) rotation of the trunk of joints (n, 22, 3)."""
    at = dict(zip(JOINTS[:BODY], np.swapaxes(joints, 0, 1), strict=True))
    up = at["neck"] - at["pelvis"]
    left = at["left_hip"] - at["right_hip"] + 0.5 * (at["left_shoulder"] - at["right_shoulder"])
    y = up / np.linalg.norm(up, axis=1, keepdims=True)
    x = left - (left * y).sum(1, keepdims=True) * y
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    return np.stack([x, y, np.cross(x, y)], 2)
