"""Bodies as a fit gets them wrong: the true body in, a body off by about as much as fitting errs out.

A fit sees landmarks in the picture. So where the limbs go in the picture it knows well, how far they reach towards the
camera badly, and the whole body may lean. Each bone errs on its own in the camera's axes, since landmarks hold both its
ends; errors do not add up from the hip to the foot. The body keeps its size in the picture and its pelvis nearly its
pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from lookalike.body.model import Body


@dataclass(frozen=True)
class BodyNoise:
    """Sizes of errors, standard deviations; as large as the fit's on synthetic people (benchmarks/fit_errors.py).

    Attributes
    ----------
    severity : every body's errors are these numbers times one factor drawn evenly from this range.
    lean, turn : degrees the whole body leans to or from the camera, and turns about its own axis.
    in_picture : degrees a bone turns within the picture.
    torso, head, arms, legs, ends : degrees a bone turns towards or from the camera; ends are hands and feet.
    twist : degrees a limb turns about itself; a third of it for the torso.
    fingers : degrees each finger joint turns beyond its hand.
    shape : of the shape numbers.
    pixels : share of the crop's side that the pelvis is off in each direction; never more than twice that.
    size : share that the body is too large or small in the picture.
    """

    severity: tuple[float, float] = (0.15, 1.5)
    lean: float = 8.0
    turn: float = 12.0
    in_picture: float = 5.0
    torso: float = 8.0
    head: float = 12.0
    arms: float = 18.0
    legs: float = 16.0
    ends: float = 18.0
    twist: float = 8.0
    fingers: float = 8.0
    shape: float = 0.5
    pixels: float = 0.014
    size: float = 0.012

    def __post_init__(self) -> None:
        if len(self.severity) != 2 or not 0 <= self.severity[0] <= self.severity[1]:
            raise ValueError("noise.severity must be a list of 2 numbers, the smaller first")


def wrong_body(body: Body, rng: np.random.Generator, noise: BodyNoise | None = None) -> Body:
    """A body that a fit might have found in the picture of this one; same camera."""
    noise = noise or BodyNoise()
    model, severity = body.model, rng.uniform(*noise.severity)
    names, parents = model.joint_names, model.parents
    off = _errors(body, rng, noise, severity)
    turned = off * Rotation.from_matrix(body.transforms[:, :3, :3])
    pose = np.empty((len(names), 3), np.float32)
    for joint, parent in enumerate(parents):
        pose[joint] = (turned[joint] if parent < 0 else turned[int(parent)].inv() * turned[joint]).as_rotvec()
    betas = body.betas + (severity * noise.shape * rng.normal(size=len(body.betas))).astype(np.float32)
    wrong = model.posed(betas, pose, np.zeros(3), body.camera, body.scale)

    camera, pelvis = body.camera, body.joints[0].astype(np.float64)
    # As large in the picture as the true one.
    at_pelvis = wrong.joints - wrong.joints[0] + pelvis
    size = np.sqrt(_spread(camera.project(at_pelvis)) / max(_spread(camera.project(body.joints)), 1e-9))
    depth = -pelvis[2] * float(np.clip(size, 0.8, 1.25)) * (1 + severity * noise.size * rng.normal())
    aside = severity * noise.pixels * max(camera.width, camera.height) * rng.normal(size=2).clip(-2, 2)
    place = depth * camera.rays((camera.project(pelvis) + aside)[None])[0]
    shift = (place - wrong.joints[0]).astype(np.float32)
    transforms = wrong.transforms.copy()
    transforms[:, :3, 3] += shift
    return replace(
        wrong,
        translation=wrong.translation + shift,
        vertices=wrong.vertices + shift,
        joints=wrong.joints + shift,
        transforms=transforms,
    )


def _errors(body: Body, rng: np.random.Generator, noise: BodyNoise, severity: float) -> Rotation:
    """(J,) rotations in camera axes, one a joint's bone."""
    names, parents = body.model.joint_names, body.model.parents
    along = _bones(body)
    spine = along[names.index("spine1")]
    view = body.joints[0] / np.linalg.norm(body.joints[0])
    tilt = _unit(np.cross(view, spine))
    whole = np.radians(severity) * (noise.lean * rng.normal() * tilt + noise.turn * rng.normal() * spine)
    common = Rotation.from_rotvec(whole)
    drawn = rng.normal(size=(len(names), 3))
    vectors = np.zeros((len(names), 3))
    for joint, name in enumerate(names):
        towards, twist = _kind(name, noise)
        across = _unit(np.cross(view, along[joint]))
        in_picture, depth, own = drawn[joint]
        vectors[joint] = noise.in_picture * in_picture * view + towards * depth * across + twist * own * along[joint]
    each = Rotation.from_rotvec(np.radians(severity) * vectors) * common
    fingers = [j for j, name in enumerate(names) if _is_finger(name)]
    if fingers:
        matrices = each.as_matrix()
        for joint in fingers:  # parents come before their children
            bend = Rotation.from_rotvec(np.radians(severity * noise.fingers) * drawn[joint])
            matrices[joint] = bend.as_matrix() @ matrices[int(parents[joint])]
        each = Rotation.from_matrix(matrices)
    return each


def _kind(name: str, noise: BodyNoise) -> tuple[float, float]:
    """Degrees towards the camera and about itself of a joint's bone."""
    if any(word in name for word in ("shoulder", "elbow")):
        return noise.arms, noise.twist
    if any(word in name for word in ("hip", "knee")):
        return noise.legs, noise.twist
    if any(word in name for word in ("wrist", "ankle", "foot")):
        return noise.ends, noise.twist
    if name in ("neck", "head", "jaw"):
        return noise.head, noise.twist / 3
    return noise.torso, noise.twist / 3


def _is_finger(name: str) -> bool:
    return any(word in name for word in ("index", "middle", "pinky", "ring", "thumb"))


def _bones(body: Body) -> np.ndarray:
    """(J, 3) unit directions from each joint to the middle of those it carries; where there are none, its parent's."""
    parents, joints = body.model.parents, body.joints.astype(np.float64)
    out = np.zeros_like(joints)
    for joint in range(len(joints)):
        carried = np.flatnonzero(parents == joint)
        # the pelvis carries two legs and a spine, whose middle is itself
        carried = carried[-1:] if joint == 0 else carried
        out[joint] = joints[carried].mean(0) - joints[joint] if len(carried) else out[int(parents[joint])]
    return _unit(out)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _spread(pixels: np.ndarray) -> float:
    """Mean square distance of joints (J, 2) from the pelvis in the picture."""
    return float(np.square(pixels - pixels[0]).sum(1).mean())
