"""Training of the posture correction: a folder of people with fits in, a `PostureNetwork` out.

A thousand fits are few, so errors are also made up: somebody in a random pose gets the errors of the fit of one of the
people who are posed most like them. Fits that are wholly lost teach nothing and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from lookalike.body import load_body
from lookalike.maps.posture import BONES, PostureNetwork, Postures, posture_of, rotations
from lookalike.people.data_folder import dataset_folders
from lookalike.people.poses import PoseLibrary, random_pose
from lookalike.people.store import read_sample
from lookalike.train.fits import FIT, read_fit

#: Mean distance of the joints, in lengths of all bones, from which a fit is lost: about 200 mm.
LOST = 0.04
#: People among whom the donor of made-up errors is drawn.
LIKE = 10
#: How much rotations count beside places.
TURNS = 0.004
#: Radians by which people are tilted at random about the picture's axes: real cameras look from elsewhere than ours, and
#: a network that knows how ours look leans people who stand straight.
TILT = (0.14, 0.0, 0.07)


@dataclass(frozen=True)
class Pairs:
    """Postures as found and as they are."""

    found: Postures
    true: Postures

    def __len__(self) -> int:
        return len(self.found.turns)

    def at(self, rows: Tensor) -> Pairs:
        """Some of them."""
        return Pairs(*(Postures(p.turns[rows], p.bones[rows]) for p in (self.found, self.true)))

    def with_mirrored(self) -> Pairs:
        """They, then their mirror images."""
        return joined([self, Pairs(self.found.mirrored(), self.true.mirrored())])


def joined(several: list[Pairs]) -> Pairs:
    """One after the other."""

    def of(postures: list[Postures]) -> Postures:
        return Postures(torch.cat([p.turns for p in postures]), torch.cat([p.bones for p in postures]))

    return Pairs(of([p.found for p in several]), of([p.true for p in several]))


def read_pairs(folder: Path) -> Pairs:
    """The fits of a folder and the truth, without lost ones."""
    model, rows = load_body(), []
    for one in dataset_folders(folder):
        if (one / FIT).is_file():
            sample = read_sample(one / "sample.npz")
            assert sample.body is not None
            fit = read_fit(one / FIT, model, sample.camera.width)
            rows.append(Pairs(posture_of(fit), posture_of(sample.body)))
    pairs = joined(rows)
    return pairs.at(distance(pairs.found, pairs.true, model.parents) < LOST)


def distance(found: Postures, true: Postures, parents: np.ndarray) -> Tensor:
    """(n,) mean over joints, pelvis on pelvis and of one size."""
    own, other = found.places(parents)[:, 1:], true.places(parents)[:, 1:]
    size = other.norm(dim=2).mean(1) / own.norm(dim=2).mean(1).detach()
    return ((own * size[:, None, None] - other).square().sum(2) + 1e-6).sqrt().mean(1)


def made_up(pairs: Pairs, count: int, library: PoseLibrary | None, rng: np.random.Generator) -> Pairs:
    """People of our own and the library's poses, seen from where synthetic people are, with others' errors."""
    parents = load_body().parents
    turns = torch.from_numpy(np.stack([_seen(random_pose(rng, library)[:BONES], parents, rng) for _ in range(count)]))
    bones = pairs.true.bones.mean(0).expand(count, -1, -1)
    own = Postures(turns, bones).places(parents).flatten(1)
    others = pairs.true.places(parents).flatten(1)
    near = torch.cat([torch.cdist(part, others).topk(LIKE, largest=False).indices for part in own.split(2000)])
    donor = near[torch.arange(count), torch.from_numpy(rng.integers(LIKE, size=count))]
    errors = pairs.found.turns[donor] @ pairs.true.turns[donor].mT
    return Pairs(Postures(errors @ turns, pairs.found.bones[donor]), Postures(turns, pairs.true.bones[donor]))


def tilted(pairs: Pairs) -> Pairs:
    """Each pair turned by a random tilt of its own."""
    tilt = rotations(torch.randn(len(pairs), 1, 3) * torch.tensor(TILT))
    return Pairs(*(Postures(tilt @ p.turns, p.bones) for p in (pairs.found, pairs.true)))


def _seen(pose: np.ndarray, parents: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(22, 3, 3) float32 the bones' rotations of a pose (22, 3) before a random camera, as `people.framing` has it."""
    yaw = rng.normal(0, np.radians(32)) if rng.random() < 0.55 else rng.uniform(-np.pi, np.pi)
    pitch = np.radians(rng.normal(3, 6) if rng.random() < 0.85 else rng.uniform(-25, 35))
    camera = Rotation.from_euler("YXZ", [yaw, -pitch, np.radians(rng.normal(0, 2))]).inv().as_matrix()
    own = Rotation.from_rotvec(pose).as_matrix()
    out = np.empty((BONES, 3, 3), np.float32)
    for joint in range(BONES):
        out[joint] = (camera if joint == 0 else out[int(parents[joint])]) @ own[joint]
    return out


def train_posture(
    pairs: Pairs, library: PoseLibrary | None, steps: int = 2000, made: int = 24_000, seed: int = 0
) -> PostureNetwork:
    """pairs : from `read_pairs`.  library : motions that are not held out.  made : people with made-up errors."""
    torch.manual_seed(seed)
    parents = load_body().parents
    pairs = pairs.with_mirrored()
    every = joined([made_up(pairs, made, library, np.random.default_rng(seed)), *[pairs] * 4]) if made else pairs
    net = PostureNetwork()
    numbers = pairs.found.numbers(parents)
    net.mean, net.deviation = numbers.mean(0), numbers.std(0) + 1e-3
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    net.train()
    for _ in range(steps):
        batch = tilted(every.at(torch.randint(len(every), (256,))))
        read = batch.found.numbers(parents)
        found = batch.found.turned(net(read + 0.02 * net.deviation * torch.randn_like(read)))
        off = (found.turns - batch.true.turns).square().sum((2, 3)).add(1e-4).sqrt()
        loss = distance(found, batch.true, parents).mean() + TURNS * off.mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return net.eval()
