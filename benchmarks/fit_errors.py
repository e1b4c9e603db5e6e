"""How the fit errs on synthetic people, beside the wrong bodies that training uses.

    python benchmarks/fit_errors.py [-n 70] [--seed 77] [--poses FILE|DIR]

Each person's picture is found and fitted as a photo would be. Both skeletons are laid on each other at the pelvis and
brought to one size; errors are in cm, across the picture (x, y) and in depth. 3.5 s a person.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from lookalike.body import JOINTS, Body, fit_body
from lookalike.errors import LookalikeError
from lookalike.people.poses import read_poses
from lookalike.people.synthesis import Recipe, SyntheticPeople
from lookalike.photo import find_subjects
from lookalike.photo.subject import Photo
from lookalike.train.wrong_body import wrong_body

PLACES = {
    "torso": ("spine3", "neck"),
    "head": ("head",),
    "elbows": ("left_elbow", "right_elbow"),
    "wrists": ("left_wrist", "right_wrist"),
    "knees": ("left_knee", "right_knee"),
    "ankles": ("left_ankle", "right_ankle"),
}


def joint_errors(body: Body, truth: Body) -> np.ndarray:
    """(J, 3) cm, pelvis on pelvis, of one size."""
    own, true = body.joints - body.joints[0], truth.joints - truth.joints[0]
    size = np.linalg.norm(true[:22], axis=1).mean() / np.linalg.norm(own[:22], axis=1).mean()
    return 100 * (own * size - true)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=70)
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--poses", type=Path)
    options = parser.parse_args()
    people = SyntheticPeople(options.seed, Recipe(poses=read_poses(options.poses) if options.poses else None))
    found: dict[str, list[np.ndarray]] = {"fit": [], "wrong body": []}
    turns: dict[str, list[float]] = {kind: [] for kind in found}
    aside, lost = [], 0
    for number in range(options.n):
        sample = people[number]
        truth = sample.body
        assert truth is not None
        photo = Photo(np.ascontiguousarray(sample.image[..., :3]), sample.image[..., 3].astype(np.float32) / 255)
        try:
            fitted = fit_body(find_subjects(photo, "largest")[0], people.model, seed=0, device="cpu")
        except LookalikeError:
            lost += 1
            continue
        for kind, body in (("fit", fitted), ("wrong body", wrong_body(truth, np.random.default_rng(number)))):
            found[kind].append(joint_errors(body, truth))
            off = Rotation.from_rotvec(body.pose[0]) * Rotation.from_rotvec(truth.pose[0]).inv()
            turns[kind].append(np.degrees(off.magnitude()))
        pixels = fitted.camera.project(fitted.joints[:1]) - sample.camera.project(truth.joints[:1])
        aside.append(np.linalg.norm(pixels) / sample.camera.width)
    print(f"{len(found['fit'])} people fitted, {lost} not found")
    print(f"{'':8}" + "".join(f"{kind + ': across, depth, its 80 %':>36}" for kind in found))
    for place, names in PLACES.items():
        cells = ""
        for kind in found:
            errors = np.array(found[kind])[:, [JOINTS.index(n) for n in names]].reshape(-1, 3)
            depth = np.abs(errors[:, 2])
            across = np.median(np.linalg.norm(errors[:, :2], axis=1))
            cells += f"{across:20.1f} {np.median(depth):7.1f} {np.percentile(depth, 80):7.1f}"
        print(f"{place:8}{cells}")
    for kind, degrees in turns.items():
        print(f"{kind}: turned by {np.percentile(degrees, [50, 80, 95]).round(1)} degrees (50, 80, 95 %)")
    print(f"fit: the pelvis is off by {100 * np.percentile(aside, [50, 80]).round(4)} % of the crop's side (50, 80 %)")


if __name__ == "__main__":
    main()
