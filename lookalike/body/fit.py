"""Fit the body to one person: landmarks in 2D and 3D, hands, face, outline, joint limits. In: Subject. Out: Body.

The energy is a sum of squared or robust residuals, all as shares of the person's size, minimised by Adam in two stages:
first the pose by landmarks, then everything with the outline. After SMPLify (Bogo et al., Keep it SMPL, ECCV 2016), with
the 3D landmarks of MediaPipe's BlazePose GHUM (Grishchenko et al., 2022) in place of a search over depth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from lookalike.body.adam import minimise
from lookalike.body.derivative import moved_pixels
from lookalike.body.lift import lift
from lookalike.body.measurements import typical_height
from lookalike.body.model import JOINTS, Body, BodyModel
from lookalike.body.outline import OutlineTerm
from lookalike.body.prior import joint_limits
from lookalike.body.skinning import rest_shape, rotations, skin
from lookalike.camera import Camera
from lookalike.photo.subject import HAND_LANDMARKS, POSE_LANDMARKS, Subject

#: How far each landmark is trusted in the picture. MediaPipe's hips and face inner points wander more than the rest.
_TRUST_2D = {"hip": 0.5, "eye_inner": 0.3, "eye_outer": 0.5, "mouth": 0.5, "pinky": 0.3, "index": 0.3, "thumb": 0.3}
#: Landmarks whose 3D places steer the pose.
_SPATIAL = [
    i for i, n in enumerate(POSE_LANDMARKS) if not any(k in n for k in ("eye", "mouth", "pinky", "index", "thumb"))
]
_SPATIAL += [i for i, n in enumerate(POSE_LANDMARKS) if n.endswith("foot_index")]


#: Who stands seems to lean towards the camera by its tilt: photographers hold it a little above the waist, looking a
#: little down. Radians, mean and spread; depth cues alone leave the lean uncertain by about as much.
_USUAL_LEAN, _LEAN_SPREAD = np.radians(3.0), np.radians(10.0)


@dataclass(frozen=True)
class Weights:
    """How much each term counts. Residuals are shares of the person's size, so the numbers compare."""

    landmarks: float = 1.0
    spatial: float = 0.25
    depth: float = 0.5
    hands: float = 0.4
    face: float = 0.3
    outline: float = 1.0
    prior: float = 4e-6
    limits: float = 5e-3
    shape: float = 2e-6
    upright: float = 1.5e-4


def fit_body(
    subject: Subject,
    model: BodyModel,
    height: float | None = None,
    seed: int = 0,
    device: str = "cpu",
    weights: Weights = Weights(),
) -> Body:
    """The body of `subject`, in the photo's camera frame.

    height : metres from sole to crown, or None for what the proportions say (`typical_height`: 1.7 m, a child less).
    seed : draws the outline's sample points. device : where torch computes; the problem is small, the CPU suits it.
    """
    problem = _Problem(subject, model, weights, seed, torch.device(device))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the tensors are so small that threads only wait for each other
    try:
        problem.minimise(steps=110, outline=False)
        problem.minimise(steps=80, outline=True)
    finally:
        torch.set_num_threads(threads)
    return problem.body(height)


@dataclass(frozen=True)
class Term:
    """A part of the energy: `weight` times the mean (or the sum) of squared lengths of residuals.

    Attributes
    ----------
    name : what it asks for.  weight : how much it counts.
    residual : (n, c).  scale : lengths beyond which squares level off (Geman-McClure), or None.
    trust : (n,) how much each residual counts, or None for all alike.  mean : mean over residuals, else their sum.
    """

    name: str
    weight: float
    residual: torch.Tensor
    scale: float | None = None
    trust: torch.Tensor | None = None
    mean: bool = True

    def value(self) -> torch.Tensor:
        """The term's share of the energy, without dimensions."""
        if self.scale is None and self.trust is None and not self.mean:
            return self.weight * (self.residual**2).sum()
        square = (self.residual**2).sum(-1) if self.scale is None else _robust(self.residual, self.scale)
        square = square if self.trust is None else self.trust * square
        return self.weight * (square.mean() if self.mean else square.sum())

    def slopes(self) -> torch.Tensor:
        """(n,) twice the derivative of the value by each residual's squared length: what Gauss-Newton weighs it with."""
        count = len(self.residual)
        weight = torch.full((count,), 2 * self.weight / (count if self.mean else 1))
        weight = weight if self.trust is None else weight * self.trust
        if self.scale is None:
            return weight
        return weight / (1 + (self.residual**2).sum(-1) / self.scale**2) ** 2


class Evidence:
    """What a subject says of its body: the constants of all residuals, and the residuals of a body.

    Attributes
    ----------
    camera : of the photo.  size : the person's height, standing straight, in pixels.
    world : (33, 3) 3D landmarks in the camera's axes.
    rows : (k,) the model's vertices that residuals look at.  blend : (m, k) makes landmarks of them.
    outline : `OutlineTerm`, which looks at `rows[outline_rows]`.
    """

    def __init__(self, subject: Subject, model: BodyModel, seed: int, device: torch.device) -> None:
        self.subject = subject
        width, high = subject.photo.size
        self.camera = Camera.for_photo(width, high, subject.photo.focal)
        tensor = lambda a: torch.as_tensor(np.asarray(a), dtype=torch.float32, device=device)  # noqa: E731

        names = list(POSE_LANDMARKS)
        self.target = tensor(subject.landmarks)
        seen = np.clip(subject.visibility, 0, 1) ** 2
        trust = [next((w for k, w in _TRUST_2D.items() if k in n), 1.0) for n in names]
        self.trust = tensor(seen * trust)
        self.size = float(self._size_in_pixels())
        lifted = lift(subject.landmarks, subject.visibility, subject.world)
        self.world = towards(self.camera, subject.landmarks).apply(lifted)
        self.spatial = tensor(self.world)
        self.spatial_trust = tensor(0.3 + 0.7 * seen)
        groups = [(names, subject.landmarks)]
        hands = [(side, hand) for side, hand in (("left", subject.left_hand), ("right", subject.right_hand)) if hand]
        groups += [([f"{side}_hand/{n}" for n in HAND_LANDMARKS], hand.pixels) for side, hand in hands]
        # every fourth point of the face mesh tells as much as all of them
        face = [n for n in model.landmarks if n.startswith("face/")][::4] if subject.face is not None else []
        if subject.face is not None and face:
            groups.append((face, subject.face[[int(n.split("/")[1]) for n in face], :2]))

        # only the vertices that some term looks at are posed; one small matrix blends them into the landmarks
        self.outline = OutlineTerm(subject, model, self.size, seed)
        used = [n for g, _ in groups for n in g]
        self.rows = np.union1d(np.concatenate([model.landmarks[n][0] for n in used]), self.outline.vertices)
        self.outline_rows = torch.from_numpy(np.searchsorted(self.rows, self.outline.vertices))
        blend = np.zeros((len(used), len(self.rows)), np.float32)
        for i, n in enumerate(used):
            blend[i, np.searchsorted(self.rows, model.landmarks[n][0])] = model.landmarks[n][1]
        self.blend = tensor(blend)
        ends = np.cumsum([len(g) for g, _ in groups])
        parts = [(slice(e - len(g), e), tensor(target)) for e, (g, target) in zip(ends, groups, strict=True)][1:]
        self.hands = [(*part, tensor(hand.world)) for part, (_, hand) in zip(parts, hands, strict=False)]
        self.face = parts[-1] if face else None

        self.standing = _standing(subject, self.size)
        self.ends = [[names.index(f"{side}_{part}") for side in ("left", "right")] for part in ("ankle", "shoulder")]

        low, high_, deviation = joint_limits()
        self.low, self.high, self.deviation = tensor(low[1:]), tensor(high_[1:]), tensor(deviation[1:])

    def _size_in_pixels(self) -> float:
        """The length that residuals are measured in: the person's height, standing straight, in pixels."""
        world, pixels = self.subject.world[:, :2] * [1, -1], self.subject.landmarks
        keep = self.subject.visibility > 0.3 if (self.subject.visibility > 0.3).sum() >= 6 else slice(None)
        a, b = world[keep] - world[keep].mean(0), pixels[keep] - pixels[keep].mean(0)
        return 1.7 * max(float((a * b).sum() / max((a * a).sum(), 1e-6)), 8.0)

    def terms(
        self, w: Weights, points: torch.Tensor, pose: torch.Tensor, betas: torch.Tensor, log_size: torch.Tensor
    ) -> Iterator[Term]:
        """All terms but the outline's.

        points : (m, 3) landmarks, `blend` times the vertices of `rows`, camera frame, model units.
        pose : (51, 3) axis-angle, all joints but the root.  betas : (B,).  log_size : (1,) of the 3D landmarks.
        """
        pixels = self.camera.project(points)
        count = len(POSE_LANDMARKS)

        off = (pixels[:count] - self.target) / self.size
        yield Term("landmarks", w.landmarks, off, 0.04, self.trust)

        mine = points[:count][_SPATIAL]
        theirs = self.spatial[_SPATIAL] * torch.exp(log_size)
        trust = self.spatial_trust[_SPATIAL][:, None]
        centre = lambda p: p - (p * trust).sum(0) / trust.sum()  # noqa: E731
        away = (centre(mine) - centre(theirs)) / 1.7
        away = away * torch.tensor([1.0, 1.0, w.depth**0.5])
        yield Term("spatial", w.spatial, away, 0.1, trust[:, 0])

        if self.standing:
            feet, shoulders = (points[ends].mean(0) for ends in self.ends)
            lean = torch.atan2((shoulders - feet)[2], (shoulders - feet)[1]) - _USUAL_LEAN
            yield Term("upright", w.upright * self.standing, lean[None, None] / _LEAN_SPREAD, 2.0)

        for part, target, world in self.hands:
            yield Term("hands", 0.5 * w.hands, (pixels[part] - target) / self.size, 0.02)
            a, b = points[part] - points[part].mean(0), world - world.mean(0)
            yield Term("hands", w.hands, (a - b) / 1.7)
        if self.face is not None:
            part, target = self.face
            yield Term("face", w.face, (pixels[part] - target) / self.size, 0.02)

        beyond = torch.relu(self.low - pose) + torch.relu(pose - self.high)
        yield Term("limits", w.limits, beyond, mean=False)
        yield Term("prior", w.prior, pose / self.deviation, mean=False)
        yield Term("shape", w.shape, betas[:, None], mean=False)
        yield Term("size", 1e-3, log_size[:, None], mean=False)

    def jacobians(
        self,
        w: Weights,
        points: torch.Tensor,
        moves: torch.Tensor,
        own: tuple[torch.Tensor, ...],
        numbers: tuple[torch.Tensor, ...],
    ) -> Iterator[torch.Tensor]:
        """(n, c, P) of the residuals of `terms`, in their order, by P unknowns.

        points : as there.  moves : (m, 3, P) of the points.  numbers : pose, betas and log_size, as there.
        own : (51, 3, P), (B, P) and (1, P) of these.
        """
        (pose, _, log_size), (by_pose, by_betas, by_size) = numbers, own
        pixels = moved_pixels(self.camera, points, moves) / self.size
        count = len(POSE_LANDMARKS)
        yield pixels[:count]

        trust = self.spatial_trust[_SPATIAL][:, None, None]
        centre = lambda p: p - (p * trust).sum(0) / trust.sum()  # noqa: E731
        theirs = self.spatial[_SPATIAL, :, None] * torch.exp(log_size)
        away = (centre(moves[:count][_SPATIAL]) - centre(theirs) * by_size) / 1.7
        yield away * torch.tensor([1.0, 1.0, w.depth**0.5])[:, None]

        if self.standing:
            (_, y, z), (_, dy, dz) = (
                a[self.ends[1]].mean(0) - a[self.ends[0]].mean(0) for a in (points[..., None], moves)
            )
            yield (y * dz - z * dy)[None, None] / (y * y + z * z) / _LEAN_SPREAD

        for part, _, _ in self.hands:
            yield pixels[part]
            yield (moves[part] - moves[part].mean(0)) / 1.7
        if self.face is not None:
            yield pixels[self.face[0]]

        yield by_pose * ((pose > self.high).float() - (pose < self.low).float())[..., None]
        yield by_pose / self.deviation[..., None]
        yield by_betas[:, None]
        yield by_size[:, None]

    def outline_value(self, vertices: torch.Tensor) -> torch.Tensor:
        """The outline's energy, not weighted. vertices : (k, 3) of `rows`."""
        return self.outline(self.camera.project(vertices[self.outline_rows]))

    def landmark_error(self, vertices: torch.Tensor) -> float:
        """Median distance of the projected landmarks to the photo's, as a share of the person's height."""
        with torch.no_grad():
            pixels = self.camera.project(self.blend @ vertices)[: len(POSE_LANDMARKS)]
        error = np.linalg.norm((pixels - self.target).numpy(), axis=1)[self.subject.visibility > 0.5]
        return float(np.median(error) / self.size) if len(error) else float("nan")


class _Problem:
    """The unknowns (shape, pose, place) and the energy."""

    def __init__(self, subject: Subject, model: BodyModel, weights: Weights, seed: int, device: torch.device) -> None:
        self.model, self.weights, self.subject = model, weights, subject
        self.evidence = Evidence(subject, model, seed, device)
        self.arrays = model.tensors(self.evidence.rows)
        world = self.evidence.world
        self.base = torch.as_tensor(_torso_rotation(world), dtype=torch.float32, device=device)
        self.turn = torch.zeros(3, requires_grad=True)
        self.pose = torch.zeros(len(JOINTS) - 1, 3, requires_grad=True)
        self.betas = torch.zeros(model.shape_count, requires_grad=True)
        self.log_size = torch.zeros(1, requires_grad=True)
        self.place = torch.tensor(self._first_place(world), dtype=torch.float32, requires_grad=True)

    def _first_place(self, world: np.ndarray) -> np.ndarray:
        """(3,) where the pelvis is: its depth from the person's size, its direction from the landmarks."""
        depth = self.evidence.camera.focal * 1.7 / self.evidence.size
        seen = np.clip(self.subject.visibility, 0.05, 1)[:, None]
        rays = self.evidence.camera.rays(self.subject.landmarks)
        ray = (rays * seen).sum(0) / seen.sum()
        return ray * depth - (world * seen).sum(0) / seen.sum()

    def posed(self) -> torch.Tensor:
        """Vertices (k, 3) in use, camera frame."""
        rest, joints = rest_shape(self.arrays, self.betas)
        root = self.base @ rotations(self.turn)
        vertices, _, _ = skin(self.arrays, rest, joints, torch.cat([torch.zeros(1, 3), self.pose]))
        return (vertices - joints[0]) @ root.T + joints[0] + self.place

    def energy(self, outline: bool) -> torch.Tensor:
        vertices = self.posed()
        points = self.evidence.blend @ vertices
        # each term is summed as it comes
        total: torch.Tensor | None = None
        for term in self.evidence.terms(self.weights, points, self.pose, self.betas, self.log_size):
            total = term.value() if total is None else total + term.value()
        assert total is not None
        if outline:
            total = total + self.weights.outline * self.evidence.outline_value(vertices)
        return total

    def minimise(self, steps: int, outline: bool) -> None:
        rates = {self.turn: 0.04, self.pose: 0.04, self.betas: 0.05, self.log_size: 0.01, self.place: 0.03}
        minimise(lambda: self.energy(outline), rates, steps)

    def body(self, height: float | None) -> Body:
        betas = self.betas.detach().numpy()
        root = (self.base @ rotations(self.turn)).detach().numpy()
        pose = np.concatenate([Rotation.from_matrix(root).as_rotvec()[None], self.pose.detach().numpy()])
        with torch.no_grad():
            vertices = self.posed()
        scale = metres_per_unit(self.model, betas, height)
        return self.model.posed(
            betas,
            pose,
            self.place.detach().numpy() * scale,
            self.evidence.camera,
            scale=scale,
            landmark_error=self.evidence.landmark_error(vertices),
        )


def metres_per_unit(model: BodyModel, betas: np.ndarray, height: float | None) -> float:
    """How large a body of this shape is made. height : metres from sole to crown, or None for `typical_height`."""
    tall = np.ptp((model.template + np.tensordot(betas, model.shape_basis, 1))[:, 1])
    return (height or typical_height(model, betas)) / tall


def _robust(residual: torch.Tensor, scale: float) -> torch.Tensor:
    """Geman-McClure: squared length (n,) of residuals (n, c), levelling off beyond `scale`."""
    square = (residual**2).sum(-1)
    return square / (1 + square / scale**2)


def _standing(subject: Subject, size: float) -> float:
    """From 0 to 1: whether the person stands upright, seen from head to foot, by how tall it is in the picture."""
    marks = dict(zip(POSE_LANDMARKS, subject.landmarks, strict=True))
    feet = [i for i, n in enumerate(POSE_LANDMARKS) if n.endswith("ankle")]
    if subject.visibility[feet].min() < 0.5:
        return 0.0
    ankles = (marks["left_ankle"] + marks["right_ankle"]) / 2
    tall = (ankles[1] - marks["nose"][1]) / size
    return float(np.clip((tall - 0.70) / 0.06, 0, 1))


def towards(camera: Camera, pixels: np.ndarray) -> Rotation:
    """The turn from the axes of a camera that looks straight at the person to the photo camera's own.

    3D landmarks are estimated in a crop, as if its middle were the optical axis. pixels : (n, 2) of the person.
    """
    ray = camera.rays(pixels.mean(0)[None])[0]
    ray = ray / np.linalg.norm(ray)
    turn, _ = Rotation.align_vectors([ray, np.cross([0, 1, 0], -ray)], [[0, 0, -1], [1, 0, 0]], weights=[10, 1])
    return turn


def _torso_rotation(world: np.ndarray) -> np.ndarray:
    """(3, 3) rotation of the pelvis: X to the person's left, Y up the spine."""
    point = dict(zip(POSE_LANDMARKS, world, strict=True))
    left = point["left_hip"] - point["right_hip"] + 0.5 * (point["left_shoulder"] - point["right_shoulder"])
    up = point["left_shoulder"] + point["right_shoulder"] - point["left_hip"] - point["right_hip"]
    y = up / max(np.linalg.norm(up), 1e-6)
    x = left - (left @ y) * y
    x = x / max(np.linalg.norm(x), 1e-6)
    return np.stack([x, y, np.cross(x, y)], 1)
