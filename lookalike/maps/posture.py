"""How the fit errs in posture, learnt: a fitted body in, a body that stands more likely in its place out.

A picture tells where limbs are in it and little of how far away. The fit guesses their depth from landmarks and errs in
ways of its own; a small network that has seen thousands of its errors turns each bone a little. Its corrections are
taken less `FREE`, so that those of which it is unsure, and people who stand as most do, stay as they are.

Convention: *postures* are seen straight ahead, the line of sight to the pelvis along -Z, since a picture does not tell
where in a photo it was; places are counted from the pelvis, in lengths of all bones together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor, nn
from torch.nn import functional

from lookalike.body.model import JOINTS, Body
from lookalike.errors import LookalikeError

#: What comes with the package.
WEIGHTS = Path(__file__).resolve().parents[1] / "assets" / "weights" / "posture.safetensors"
#: Joints that are turned: those of the body, without fingers.
BONES = 22
#: The joint on the other side, for each of them.
MIRRORED = [JOINTS.index(n.replace("left", "@").replace("right", "left").replace("@", "right")) for n in JOINTS[:BONES]]
#: Numbers that describe a posture: places, and two columns of each bone's rotation.
NUMBERS = 3 * BONES + 6 * BONES
#: Radians of a correction that are not made.
FREE = float(np.radians(6.0))


@dataclass(frozen=True)
class Postures:
    """Some people's postures.

    turns : (n, 22, 3, 3) the bones' rotations.  bones : (n, 22, 3) from the parent's joint to the joint, in the parent's
    own axes; zero for the pelvis.
    """

    turns: Tensor
    bones: Tensor

    def places(self, parents: np.ndarray) -> Tensor:
        """(n, 22, 3) of the joints."""
        found = [torch.zeros_like(self.bones[:, 0])]
        for joint in range(1, BONES):
            parent = int(parents[joint])
            found.append(found[parent] + (self.turns[:, parent] @ self.bones[:, joint, :, None])[..., 0])
        return torch.stack(found, 1)

    def numbers(self, parents: np.ndarray) -> Tensor:
        """(n, 198) what the network reads."""
        return torch.cat([self.places(parents).flatten(1), self.turns[..., :2].flatten(1)], 1)

    def mirrored(self) -> Postures:
        """Those of the mirror images."""
        flip = torch.tensor([-1.0, 1.0, 1.0])
        return Postures(self.turns[:, MIRRORED] * flip[:, None] * flip, self.bones[:, MIRRORED] * flip)

    def turned(self, vectors: Tensor) -> Postures:
        """With each bone turned further. vectors : (n, 22, 3) axis-angle, in the axes of the view."""
        return Postures(rotations(vectors) @ self.turns, self.bones)


def rotations(vectors: Tensor) -> Tensor:
    """(..., 3, 3) of axis-angle vectors (..., 3), with gradients also at zero."""
    angle = (vectors.square().sum(-1) + 1e-12).sqrt()[..., None, None]
    x, y, z = vectors.unbind(-1)
    o = torch.zeros_like(x)
    cross = torch.stack([o, -z, y, z, o, -x, -y, x, o], -1).unflatten(-1, (3, 3))
    return torch.eye(3) + torch.sin(angle) / angle * cross + (1 - torch.cos(angle)) / angle**2 * (cross @ cross)


def posture_of(body: Body) -> Postures:
    """One person's."""
    turns = straight_ahead(body).as_matrix() @ body.transforms[:BONES, :3, :3]
    parents = body.model.parents[1:BONES].astype(int)
    bones = np.zeros((BONES, 3))
    bones[1:] = body.rest_joints[1:BONES] - body.rest_joints[parents]
    bones /= np.linalg.norm(bones, axis=1).sum()
    return Postures(torch.tensor(turns[None]).float(), torch.tensor(bones[None]).float())


def straight_ahead(body: Body) -> Rotation:
    """The turn that brings the line of sight to the pelvis to -Z."""
    ray = body.joints[0] / np.linalg.norm(body.joints[0])
    axis = np.cross(ray, [0, 0, -1.0])
    return Rotation.from_rotvec(axis / max(np.linalg.norm(axis), 1e-9) * np.arccos(np.clip(-ray[2], -1, 1)))


class PostureNetwork(nn.Module):
    """Numbers of postures (n, 198) in, turns of their bones (n, 22, 3) axis-angle out. A fresh one turns nothing."""

    def __init__(self, width: int = 512, dropout: float = 0.25):
        super().__init__()
        self.dropout = dropout
        self.first, self.last = nn.Linear(NUMBERS, width), nn.Linear(width, 3 * BONES)
        self.inner = nn.ModuleList(nn.Linear(width, width) for _ in range(2))
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.zeros(NUMBERS))
        self.register_buffer("deviation", torch.ones(NUMBERS))

    def forward(self, numbers: Tensor) -> Tensor:
        def active(x: Tensor) -> Tensor:
            return functional.dropout(functional.silu(x), self.dropout, self.training)

        x = active(self.first((numbers - self.mean) / self.deviation))
        y = active(self.inner[0](x))
        x = x + active(self.inner[1](y))
        return 0.3 * self.last(x).unflatten(1, (BONES, 3))

    @torch.no_grad()
    def corrections(self, given: Postures, parents: np.ndarray) -> Tensor:
        """(n, 22, 3) axis-angle; the mirror image gets the mirrored answer."""
        # a turn is mirrored like a place with its sign changed
        flip = torch.tensor([1.0, -1.0, -1.0])
        other = self(given.mirrored().numbers(parents))[:, MIRRORED] * flip
        return 0.5 * (self(given.numbers(parents)) + other)


def softened(vectors: Tensor, free: float = FREE) -> Tensor:
    """Axis-angle vectors, each shorter by `free` radians, down to zero."""
    length = vectors.norm(dim=-1, keepdim=True)
    return vectors * (1 - free / length.clamp_min(1e-9)).clamp_min(0)


def corrected(body: Body, net: PostureNetwork, free: float = FREE) -> Body:
    """The body with its bones turned as the network has it, where it was in the picture and on the whole not leaning more.

    free : as for `softened`.
    """
    model, camera = body.model, body.camera
    given = posture_of(body)
    better_posture = given.turned(softened(net.corrections(given, model.parents), free))
    places, before = (p.places(model.parents)[0].double().numpy() for p in (better_posture, given))
    # how the body leans as a whole the upright prior knows better: people in photos stand more often than those it learnt from
    level = Rotation.align_vectors(before, places)[0].as_matrix()
    turned = level @ better_posture.turns[0].double().numpy()
    turned = straight_ahead(body).as_matrix().T @ turned
    pose = body.pose.copy()
    for joint, parent in enumerate(model.parents[:BONES]):
        own = turned[joint] if joint == 0 else turned[int(parent)].T @ turned[joint]
        pose[joint] = Rotation.from_matrix(own).as_rotvec()
    better = model.posed(body.betas, pose, body.translation, camera, body.scale, body.landmark_error)
    way = (camera.project(body.joints[:BONES]) - camera.project(better.joints[:BONES])).mean(0)
    shift = np.array([way[0], -way[1], 0]) * (-better.joints[0, 2] / camera.focal)
    return model.posed(body.betas, pose, body.translation + shift, camera, body.scale, body.landmark_error)


@lru_cache(maxsize=1)
def posture_network() -> PostureNetwork:
    """The network that comes with the package; read once. Raises LookalikeError."""
    return load_posture(WEIGHTS)


def save_posture(net: PostureNetwork, path: Path) -> None:
    """Half precision. Raises OutputError."""
    from safetensors.torch import save

    from lookalike.export.output import write_bytes

    write_bytes(path, [save({name: t.detach().half().contiguous() for name, t in net.state_dict().items()})])


def load_posture(path: Path) -> PostureNetwork:
    """What `save_posture` wrote, ready for use. Raises LookalikeError."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = {name: t.float() for name, t in load_file(path).items()}
        net = PostureNetwork(len(tensors["first.bias"]))
        net.load_state_dict(tensors)
    except (OSError, KeyError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:150]
        raise LookalikeError(f"Cannot read the weights {path} ({reason}); train or fetch them again.") from error
    return net.eval()
