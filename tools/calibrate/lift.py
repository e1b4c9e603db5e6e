"""Train the landmark lift (lookalike/body/lift.py) on shots: MediaPipe's landmarks in, the 3D correction out."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from scipy.spatial.transform import Rotation

from lookalike.body.fit import towards
from lookalike.body.lift import MIRRORED, features, network
from lookalike.camera import Camera
from lookalike.photo.subject import POSE_LANDMARKS
from tools.calibrate.render import SIZE, read_shots

WIDTH, HIPS = 256, [POSE_LANDMARKS.index("left_hip"), POSE_LANDMARKS.index("right_hip")]


def pairs(shots: list[dict]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Features (2n, 198), MediaPipe's and the true 3D landmarks (2n, 33, 3), seeds (2n,), mirror images included.

    The truth is turned to the view of a camera that looks straight at the person, centred between the hips and scaled
    to MediaPipe's size. People whose landmarks are mostly lost teach nothing and are left out.
    """
    rows = []
    for shot in shots:
        camera = Camera(shot["focal"], SIZE / 2, SIZE / 2, SIZE, SIZE)
        flat = camera.project(shot["truth"].astype(float))
        lost = np.median(np.linalg.norm(flat - shot["landmarks"], axis=1)) / max(np.ptp(flat[:, 1]), 150)
        if lost > 0.06:
            continue
        truth = towards(camera, shot["landmarks"]).inv().apply(shot["truth"])
        truth = truth - truth[HIPS].mean(0)
        truth = truth * (truth * shot["world"]).sum() / (truth**2).sum()
        for flip in (False, True):
            marks, seen, world, true = shot["landmarks"], shot["visibility"], shot["world"], truth
            if flip:
                marks, seen = marks[MIRRORED] * [-1, 1], seen[MIRRORED]
                world, true = world[MIRRORED] * [-1, 1, 1], true[MIRRORED] * [-1, 1, 1]
            rows.append((features(marks, seen, world), world, true, shot["seed"]))
    x, world, true, seeds = zip(*rows, strict=True)
    return np.array(x, np.float32), np.array(world, np.float32), np.array(true, np.float32), np.array(seeds)


def report(name: str, guess: np.ndarray, truth: np.ndarray) -> None:
    """Mean distance, and the turn that best aligns guess with truth (n, 33, 3)."""
    turns = [
        Rotation.align_vectors(t - t.mean(0), g - g.mean(0))[0].magnitude() for g, t in zip(guess, truth, strict=True)
    ]
    distance = np.linalg.norm(guess - truth, axis=2).mean()
    print(f"{name:10s} {1e3 * distance:6.1f} mm, turned by {np.degrees(np.mean(turns)):.1f} degrees")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shots", type=Path, nargs="+", help="what tools.calibrate.render wrote")
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=60)
    args = parser.parse_args()
    torch.manual_seed(0)
    shots = [shot for path in args.shots for shot in read_shots(path)]
    x, world, truth, seeds = pairs(shots)
    held = seeds % 7 == 0
    mean, deviation = x[~held].mean(0), x[~held].std(0) + 1e-3
    inputs, target = torch.tensor((x - mean) / deviation), torch.tensor(truth - world)
    net, rows = network(x.shape[1], WIDTH), torch.tensor(np.flatnonzero(~held))
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-2)
    steps = args.epochs * (len(rows) // 64 + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    for _ in range(args.epochs):
        for batch in rows[torch.randperm(len(rows))].split(64):
            noisy = inputs[batch] + 0.03 * torch.randn(len(batch), x.shape[1])
            loss = (net(noisy) - target[batch].flatten(1)).view(-1, 33, 3).norm(dim=2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    with torch.no_grad():
        guess = world + net.eval()(inputs).view(-1, 33, 3).numpy()
    print(f"{len(rows)} shots to learn from, {held.sum()} held out (mirror images counted)")
    report("MediaPipe", world[held], truth[held])
    report("lifted", guess[held], truth[held])
    weights = {k: v.half() for k, v in net.state_dict().items()}
    weights |= {"mean": torch.tensor(mean), "deviation": torch.tensor(deviation)}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, args.out, metadata={"network": f"{x.shape[1]}-{WIDTH}-{WIDTH}-99"})


if __name__ == "__main__":
    main()
