"""Better 3D landmarks: a small network that knows how MediaPipe errs.

MediaPipe's metric landmarks lean and turn systematically (11 degrees on average on people whose pose is known). The
network reads them together with the 2D landmarks and gives the correction. It was trained on rendered bodies with known
joints; tools/calibrate made it.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from lookalike.photo.subject import POSE_LANDMARKS

#: The landmark on the other side, for each landmark.
MIRRORED = [
    POSE_LANDMARKS.index(n.replace("left", "@").replace("right", "left").replace("@", "right")) for n in POSE_LANDMARKS
]
WEIGHTS = Path(__file__).resolve().parents[1] / "assets" / "weights" / "landmark_lift.safetensors"


def features(landmarks: np.ndarray, visibility: np.ndarray, world: np.ndarray) -> np.ndarray:
    """(198,) float32: the 3D landmarks, the 2D ones centred and scaled to unit spread (y up), and their visibility.

    landmarks : (33, 2) pixels. visibility : (33,). world : (33, 3) metres, camera axes, centred between the hips.
    """
    centred = landmarks - landmarks.mean(0)
    spread = np.sqrt((centred**2).sum(1).mean()) + 1e-6
    plane = centred / spread * np.array([1, -1])
    return np.concatenate([world.ravel(), plane.ravel(), visibility]).astype(np.float32)


def lift(landmarks: np.ndarray, visibility: np.ndarray, world: np.ndarray) -> np.ndarray:
    """(33, 3) corrected 3D landmarks, same axes and centre as `world`; arguments as in `features`."""
    net, mean, deviation = _network()
    flip = np.array([-1, 1, 1])
    # the mirror image must give the mirrored answer: average both, which also halves the noise
    a = features(landmarks, visibility, world)
    b = features(landmarks[MIRRORED] * [-1, 1], visibility[MIRRORED], world[MIRRORED] * flip)
    with torch.no_grad():
        out = net((torch.from_numpy(np.stack([a, b])) - mean) / deviation).reshape(2, -1, 3).numpy()
    return world + 0.5 * (out[0] + out[1][MIRRORED] * flip)


@lru_cache(maxsize=1)
def _network() -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    from safetensors.torch import load_file

    weights = {k: v.float() for k, v in load_file(WEIGHTS).items()}
    mean, deviation = weights.pop("mean"), weights.pop("deviation")
    net = network(len(mean), weights["0.weight"].shape[0])
    net.load_state_dict(weights)
    return net.eval(), mean, deviation


def network(inputs: int, width: int) -> torch.nn.Sequential:
    """inputs -> 99 numbers, the correction of 33 points."""
    return torch.nn.Sequential(
        torch.nn.Linear(inputs, width),
        torch.nn.SiLU(),
        torch.nn.Dropout(0.1),
        torch.nn.Linear(width, width),
        torch.nn.SiLU(),
        torch.nn.Linear(width, 99),
    )
