"""The refinement loop: a subject, its fitted body and what predicts maps of it in, a better body and its maps out.

    body ──correct──▶ body ──predict──▶ maps ──solve──▶ body ──predict──▶ maps ...

The network says of each body point that shows in front or behind where it belongs (`motion`). A round solves shape, pose
and place for these correspondences, the fit's own landmarks, outline, priors and limits, the normals where clothes are
tight, and a body inside of its clothes: damped Gauss-Newton steps with robust weights (Levenberg-Marquardt). Then the
network sees the new body. A round that raises the energy is thrown away, and the loop ends; it also ends where the
network has little more to say than its own errors. With a posture network, its correction comes first (`posture`): the
fit's 3D landmarks make room for those of the corrected body, and the first round brings it back onto its 2D evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch.nn import functional

from lookalike.body.derivative import Derivative, Unknowns, derivative, joint_turns, moved_pixels, posed_vertices
from lookalike.body.fit import Evidence, Term, Weights, metres_per_unit
from lookalike.body.model import Body, BodyModel
from lookalike.body.skinning import Tensors
from lookalike.maps.inputs import CropUnit
from lookalike.maps.motion import crop_places, shown_points
from lookalike.maps.network import PredictedMaps
from lookalike.maps.posture import PostureNetwork, corrected
from lookalike.people.sample import LABELS
from lookalike.photo.subject import POSE_LANDMARKS, Subject
from lookalike.render.raycast import RayCaster

#: Joints that are solved for: those of the body. What fingers do is smaller than a square of the motions.
JOINTS = 22
#: At most this many points of each part of the body in front, and as many behind.
POINTS = 100
#: A round is worth it where motions are, in the mean, at least this share of the errors that the network expects of them:
#: about where they explain a fifth of the variance. Below, their bias adds up from round to round.
WORTH = 0.5
#: Gauss-Newton steps a round.
ITERATIONS = 4
#: Motions that are off by more, as shares of the person's size, level off.
SCALE = 0.1


@dataclass(frozen=True)
class RefineWeights:
    """How much each term counts; residuals are shares of the person's size in the picture, of normals differences.

    Attributes
    ----------
    fit : of the fit's own terms.  aside : of motions in the picture.  depth : of motions in depth.
    normals : of normals where clothes are tight.  inside : of body points outside of the clothes.
    """

    fit: Weights = field(default_factory=Weights)
    aside: float = 4.0
    depth: float = 4.0
    normals: float = 2e-3
    inside: float = 4.0


@dataclass(frozen=True)
class Refined:
    """What refinement found.

    Attributes
    ----------
    body : the refined body.  predicted : the network's answer to it.
    energies : of the body given, then of the body after each round, also one that was thrown away; no dimension.
    accepted : whether each round was kept; the last may not be.
    """

    body: Body
    predicted: PredictedMaps
    energies: tuple[float, ...]
    accepted: tuple[bool, ...]


def refine_body(
    subject: Subject,
    body: Body,
    predict: Callable[[Body], PredictedMaps],
    rounds: int = 3,
    height: float | None = None,
    seed: int = 0,
    weights: RefineWeights | None = None,
    posture: PostureNetwork | None = None,
) -> Refined:
    """The body after some rounds of prediction and correction.

    body : from `fit_body`, in the photo's camera.  predict : the network's answer to a body, through a camera that is a
    window of the body's own.  height, seed : as for `fit_body`.  posture : corrects the body first, or None.
    """
    weights = weights or RefineWeights()
    problem = _Problem(Evidence(subject, body.model, seed, torch.device("cpu")), body, height, weights)
    if posture is not None and rounds:
        body = corrected(body, posture)
        problem.stand_like(body)
    answer = predict(body)
    round_ = _Round(problem, body, answer)
    energies, accepted = [round_.energy_at_start()], []
    for number in range(rounds):
        if round_.told < WORTH and (posture is None or number):
            break
        better = problem.body(round_.solve())
        next_answer = predict(better)
        next_round = _Round(problem, better, next_answer)
        energies.append(next_round.energy_at_start())
        accepted.append(energies[-1] <= energies[-2])
        if not accepted[-1]:
            break
        body, answer, round_ = better, next_answer, next_round
    return Refined(body, answer, tuple(energies), tuple(accepted))


@contextmanager
def _one_thread() -> Iterator[None]:
    """The tensors are so small that threads only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.no_grad():
            yield
    finally:
        torch.set_num_threads(threads)


class _Problem:
    """What stays the same from round to round."""

    def __init__(self, evidence: Evidence, body: Body, height: float | None, weights: RefineWeights) -> None:
        self.evidence, self.weights, self.height = evidence, weights, height
        self.model, self.camera = body.model, body.camera
        self.log_size = 0.0
        self.joints = list(range(min(JOINTS, len(body.model.parents))))

    def stand_like(self, body: Body) -> None:
        """Ask for a body's 3D landmarks in place of those that were found."""
        self.evidence.spatial = _tensor(self.model.landmark_points(body.vertices, list(POSE_LANDMARKS)) / body.scale)

    def body(self, numbers: Unknowns) -> Body:
        """The body of these numbers, in metres."""
        betas, pose, place = (a.numpy() for a in (numbers.betas, numbers.pose, numbers.place))
        scale = metres_per_unit(self.model, betas, self.height)
        rows = self.evidence.rows
        found = self.model.posed(betas, pose, place * scale, self.camera, scale)
        error = self.evidence.landmark_error(torch.from_numpy(found.vertices[rows]))
        return replace(found, landmark_error=error)


@dataclass(frozen=True)
class _Points:
    """Body points that show in front or behind, and what the network says of them.

    Attributes
    ----------
    corners : (n, 3) vertices of the model.  bary : (n, 3) their weights.
    target : (n, 3) where they belong, units of the crop.  trust : (n, 2) in the picture and in depth.
    normal : (n, 3) unit, the body's now.  clothed_normal : (n, 3) unit, predicted.  tight : (n,) trust in it as the body's.
    clothed : (n,) depth of the clothes there, units of the crop, nan where there are none.
    side : (n,) 1 in front, -1 behind.  share : (n,) how much each counts, summing to n.
    """

    corners: np.ndarray
    bary: np.ndarray
    target: np.ndarray
    trust: np.ndarray
    normal: np.ndarray
    clothed_normal: np.ndarray
    tight: np.ndarray
    clothed: np.ndarray
    side: np.ndarray
    share: np.ndarray


def _points(body: Body, answer: PredictedMaps) -> tuple[_Points, CropUnit, float]:
    """Points chosen so that small parts, such as hands, have as many as they can.

    Also the unit of the body's crop, and how large the motions are beside the errors that the network expects of them.
    """
    model, camera = body.model, answer.maps.camera
    faces = model.faces[model.outer_faces]
    sides = shown_points(RayCaster(body.vertices, faces, threads=1), camera)
    both = sides[0].hit & sides[1].hit
    # of what lies beyond the photo's frame the network can only guess
    photo = body.camera.project(body.vertices)
    framed = ((photo > 0) & (photo < (body.camera.width, body.camera.height))).all(1)[faces].all(1)
    seen = both & framed[sides[0].face] & framed[sides[1].face]
    if not seen.any():
        raise ValueError("the body is outside of the picture")
    # one ray a square finds the middle to a fraction of a millimetre
    middle = float(np.median(np.concatenate([hits.depth[both] for hits in sides])))
    unit = CropUnit(middle, 0.5 * max(camera.width, camera.height) * middle / camera.focal)
    places = crop_places(body.vertices, camera, unit)
    half = 0.5 * max(camera.width, camera.height)
    maps, out = answer.maps, []
    for number, (hits, sign) in enumerate(zip(sides, (1.0, -1.0), strict=True)):
        rows, columns = np.nonzero(seen)
        face = hits.face[rows, columns]
        part = np.zeros(len(face), int) if model.parts is None else model.parts[faces[face, 0]].astype(int)
        chosen, share = _chosen(part)
        rows, columns, face, bary = rows[chosen], columns[chosen], face[chosen], hits.bary[rows, columns][chosen]
        here = np.einsum("nk,nkc->nc", bary, places[faces[face]])
        target = here + answer.motion[3 * number : 3 * number + 3, rows, columns].T
        spread = answer.spread[2 * number : 2 * number + 2, rows, columns].T
        normal = np.einsum("nk,nkc->nc", bary, body.normals[faces[face]])
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        pixel = np.floor(target[:, :2] * half + (camera.width / 2, camera.height / 2)).astype(int)
        inside = ((pixel >= 0) & (pixel < (camera.width, camera.height))).all(1)
        u, v = np.clip(pixel, 0, (camera.width - 1, camera.height - 1)).T
        inside &= maps.mask[v, u]
        depth, clothed_normal = ((maps.depth_front, maps.normals_front), (maps.depth_back, maps.normals_back))[number]
        clothed = np.where(inside, unit.from_metres(depth[v, u]), np.float32(np.nan))
        confidence = answer.confidence[v, u, number]
        away = sign * (target[:, 2] - np.nan_to_num(clothed, nan=9.0))  # how far the clothes stand off
        tight = 1 / (1 + (away / 0.02) ** 2)
        if number == 0:
            tight = np.where(answer.labels[v, u] == LABELS.index("skin"), 1.0, tight)
        tight = np.where(inside, tight * confidence**2, 0)
        out.append(
            (
                faces[face],
                bary,
                target,
                spread,
                normal,
                clothed_normal[v, u],
                tight,
                clothed,
                np.full(len(face), sign),
                share,
                here,
            )
        )
    values = [np.concatenate(a) for a in zip(*out, strict=True)]
    here, target, spread, share = (values[i] for i in (-1, 2, 3, -2))
    motion = np.abs(target - here)
    told = share @ (motion[:, :2].sum(1) + motion[:, 2]) / max(share @ spread.sum(1), 1e-9)
    del values[-1]
    values[3] = 1 / (values[3] ** 2 + 0.01**2)
    values[3] /= np.maximum((values[3] * values[-1][:, None]).sum(0) / values[-1].sum(), 1e-9)
    return _Points(*values), unit, float(told)


def _chosen(part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which points are used, and how much each counts.

    A part that shows in `c` squares counts like the root of `c`: a hand less than the torso, but not by its area.
    """
    chosen, share = [], []
    for which in np.unique(part):
        mine = np.flatnonzero(part == which)
        taken = mine[np.linspace(0, len(mine) - 1, min(len(mine), POINTS)).round().astype(int)]
        chosen.append(taken)
        share.append(np.full(len(taken), len(mine) ** 0.5 / len(taken)))
    return np.concatenate(chosen), np.concatenate(share)


class _Round:
    """One body, the network's answer to it, and the energy of bodies near it."""

    def __init__(self, problem: _Problem, body: Body, answer: PredictedMaps) -> None:
        points, unit, self.told = _points(body, answer)
        self.problem, self.camera = problem, answer.maps.camera
        self.start = Unknowns(_tensor(body.translation / body.scale), _tensor(body.pose), _tensor(body.betas))
        self.first = len(problem.evidence.rows)
        self.arrays = _with_points(body.model, problem.evidence.rows, points)
        self.target, self.trust = _tensor(points.target), _tensor(points.trust)
        self.share = _tensor(points.share * len(points.share) / points.share.sum())
        self.middle = unit.middle / body.scale / float(-self.start.place[2])
        self.half = 0.5 * max(self.camera.width, self.camera.height)
        # units of the crop -> shares of the person's size
        self.to_share = self.half * problem.camera.focal / self.camera.focal / problem.evidence.size
        self.side, self.clothed_normal = _tensor(points.side), _tensor(points.clothed_normal)
        self.tight = _tensor(points.tight) * self.share
        there = ~np.isnan(points.clothed)
        self.clothed, self.there = _tensor(np.nan_to_num(points.clothed)), _tensor(there) * self.share
        # the points' normals before the joints turned them
        blend = self._blend(joint_turns(self.arrays, self.start))
        self.rest_normal = torch.linalg.solve(blend, _tensor(points.normal)[..., None])[..., 0]

    def energy_at_start(self) -> float:
        """Of the round's own body."""
        with _one_thread():
            return self._energy(self.start, self._first_extra())

    def _first_extra(self) -> torch.Tensor:
        """(2,) the size of the 3D landmarks as last found, and the depth offset that suits the start best."""
        vertices = posed_vertices(self.arrays, self.start)
        off = (self._places(vertices[self.first :], self.start.place) - self.target)[:, 2]
        weight = self.trust[:, 1] * self.share
        middle = (weight * off).sum() / weight.sum()
        for _ in range(3):
            robust = weight / (1 + ((off - middle) * self.to_share / SCALE) ** 2) ** 2
            middle = (robust * off).sum() / robust.sum()
        return torch.stack([torch.tensor(self.problem.log_size), middle])

    def _blend(self, turns: torch.Tensor) -> torch.Tensor:
        """(n, 3, 3) how the joints' turns (J, 3, 3) turn the points."""
        return torch.einsum("nj,jab->nab", self.arrays.weights[self.first :], turns)

    def _places(self, points: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
        """(n, 3) in units of the crop."""
        middle = -place[2] * self.middle
        corner = torch.tensor([self.camera.width / 2, self.camera.height / 2])
        aside = (self.camera.project(points) - corner) / self.half
        depth = (-points[:, 2] / middle - 1) * (self.camera.focal / self.half)
        return torch.cat([aside, depth[:, None]], 1)

    def _map_terms(
        self, points: torch.Tensor, turns: torch.Tensor, place: torch.Tensor, offset: torch.Tensor
    ) -> list[Term]:
        """What the network asks of the points (n, 3). offset : of depths, units of the crop."""
        w = self.problem.weights
        off = self._places(points, place) - self.target
        off[:, 2] -= offset
        off = off * self.to_share
        normals = functional.normalize(torch.einsum("nab,nb->na", self._blend(turns), self.rest_normal), dim=1)
        outside = torch.relu(self.side * (self.clothed * self.to_share - off[:, 2] - self.target[:, 2] * self.to_share))
        return [
            Term("aside", w.aside, off[:, :2], SCALE, self.trust[:, 0] * self.share),
            Term("depth", w.depth, off[:, 2:], SCALE, self.trust[:, 1] * self.share),
            Term("normals", w.normals, normals - self.clothed_normal, 0.5, self.tight),
            Term("inside", w.inside, outside[:, None], 0.5 * SCALE, self.there),
        ]

    def _map_jacobians(self, found: Derivative, points: torch.Tensor, place: torch.Tensor, terms: list[Term]):
        """Of the residuals of `_map_terms`: (n, c, P) each; the last two numbers are those of `_first_extra`."""
        moves = functional.pad(found.jacobian[self.first :], (0, 2))
        depth, middle = -points[:, 2:, None], -place[2] * self.middle
        k = self.camera.focal / self.half * self.to_share
        aside = moved_pixels(self.camera, points, moves) * (self.to_share / self.half)
        away = -k / middle * moves[:, 2:]
        away[:, :, 2] += k * self.middle * depth[..., 0] / middle**2
        away[:, :, -1] = -self.to_share
        spin = torch.einsum("nj,ajp->nap", self.arrays.weights[self.first :], found.turning)
        normals = terms[2].residual + self.clothed_normal
        turned = functional.pad(torch.linalg.cross(spin, normals[..., None].expand_as(spin), dim=1), (0, 2))
        outside = -(self.side * (terms[3].residual[:, 0] > 0))[:, None, None] * away
        return [aside, away, turned, outside]

    def _energy(self, numbers: Unknowns, extra: torch.Tensor) -> float:
        evidence, fit = self.problem.evidence, self.problem.weights.fit
        vertices = posed_vertices(self.arrays, numbers)
        own = vertices[: self.first]
        terms = list(evidence.terms(fit, evidence.blend @ own, numbers.pose[1:], numbers.betas, extra[:1]))
        turns = joint_turns(self.arrays, numbers)
        terms += self._map_terms(vertices[self.first :], turns, numbers.place, extra[1])
        total = sum(float(t.value()) for t in terms if t.weight)
        return total + fit.outline * float(evidence.outline_value(own))

    def solve(self, iterations: int = ITERATIONS) -> Unknowns:
        """The numbers of least energy near the start; never of more energy than there."""
        with _one_thread():
            return self._solved(iterations)

    def _solved(self, iterations: int) -> Unknowns:
        numbers, damping = self.start, 1e-2
        extra = self._first_extra()
        energy = self._energy(numbers, extra)
        for _ in range(iterations):
            hessian, gradient = self._normal_equations(numbers, extra)
            scale = hessian.diagonal() + 1e-9
            for _ in range(5):
                step = -torch.linalg.solve(hessian + torch.diag(damping * scale), gradient).float()
                moved, moved_extra = numbers.moved(step[:-2], self.problem.joints), extra + step[-2:]
                found = self._energy(moved, moved_extra)
                if found < energy:
                    break
                damping *= 6
            else:
                break
            gain, energy, numbers, extra = energy - found, found, moved, moved_extra
            damping = max(damping / 6, 1e-4)
            if gain < 1e-2 * energy:
                break
        self.problem.log_size = float(extra[0])
        return numbers

    def _normal_equations(self, numbers: Unknowns, extra: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Gauss-Newton's matrix (P, P) and the energy's gradient (P,), float64; the last two numbers are `extra`."""
        found = derivative(self.arrays, numbers, self.problem.joints)
        evidence, fit = self.problem.evidence, self.problem.weights.fit
        own, points = found.vertices[: self.first], found.vertices[self.first :]
        moves = functional.pad(found.jacobian[: self.first], (0, 2))
        count = moves.shape[2]

        by_pose = torch.zeros(*numbers.pose.shape, count)
        for place, joint in enumerate(self.problem.joints):
            by_pose[joint, :, 3 + 3 * place : 6 + 3 * place] = torch.eye(3)
        by_others = torch.eye(count)
        by_betas, by_size = by_others[-2 - len(numbers.betas) : -2], by_others[-2:-1]
        landmarks = evidence.blend @ own
        by_landmarks = (evidence.blend @ moves.flatten(1)).reshape(-1, 3, count)
        others = (numbers.pose[1:], numbers.betas, extra[:1])
        terms = list(evidence.terms(fit, landmarks, *others))
        by_own = (by_pose[1:], by_betas, by_size)
        jacobians = list(evidence.jacobians(fit, landmarks, by_landmarks, by_own, others))
        maps = self._map_terms(points, found.turns, numbers.place, extra[1])
        jacobians += self._map_jacobians(found, points, numbers.place, maps)

        hessian, gradient = torch.zeros(count, count), torch.zeros(count)
        for term, jacobian in zip(terms + maps, jacobians, strict=True):
            if not term.weight:
                continue
            weighted = (jacobian * term.slopes()[:, None, None]).reshape(-1, count)
            hessian += weighted.T @ jacobian.reshape(-1, count)
            gradient += weighted.T @ term.residual.reshape(-1)
        self._add_outline(own, moves, hessian, gradient)
        return hessian.double(), gradient.double()

    def _add_outline(
        self, vertices: torch.Tensor, moves: torch.Tensor, hessian: torch.Tensor, gradient: torch.Tensor
    ) -> None:
        """Its gradient is exact; its curvature that of a squared distance at the vertices that it pulls."""
        evidence, weight = self.problem.evidence, self.problem.weights.fit.outline
        with torch.enable_grad():
            seen = vertices.detach().requires_grad_()
            (by_vertex,) = torch.autograd.grad(weight * evidence.outline_value(seen), seen)
        pulled = torch.nonzero(by_vertex.abs().sum(1)).flatten()
        gradient += torch.einsum("kcp,kc->p", moves[pulled], by_vertex[pulled])
        flat = moved_pixels(evidence.camera, vertices[pulled], moves[pulled]).flatten(0, 1) / evidence.size
        hessian += 2 * weight / len(evidence.outline_rows) * flat.T @ flat


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.as_tensor(np.asarray(values), dtype=torch.float32)


def _with_points(model: BodyModel, rows: np.ndarray, points: _Points) -> Tensors:
    """The model's arrays at some vertices, and then at points of its surface.

    A point is skinned like a vertex, with the blend of its corners' skin weights. Blending the skinned corners would
    differ by some tenths of a millimetre in a sharp bend.
    """
    at_rows, at_corners = model.tensors(rows), model.tensors(points.corners.reshape(-1))
    bary = _tensor(points.bary)[..., None]

    def joined(name: str) -> torch.Tensor:
        own, corners = getattr(at_rows, name), getattr(at_corners, name)
        blended = (corners.reshape(*corners.shape[:-2], -1, 3, corners.shape[-1]) * bary).sum(-2)
        return torch.cat([own, blended], -2)

    changed = {name: joined(name) for name in ("template", "shape_basis", "weights")}
    if at_rows.pose_basis is not None:
        changed["pose_basis"] = joined("pose_basis")
    return replace(at_rows, **changed)
