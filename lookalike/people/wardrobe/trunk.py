"""The trunk as a place for things worn: a posed `Body` and its clothes in, a frame and clearance from both out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from lookalike.body.model import Body
from lookalike.people.forms import Form, unit
from lookalike.people.hair.scalp import parts_of
from lookalike.people.scene import Piece

#: From the pelvis to the neck of an average adult.
ADULT_TRUNK = 0.512


@dataclass(frozen=True)
class Trunk:
    """The frame of a joint of the spine and what things lie on there.

    Attributes
    ----------
    rotation : (3, 3), shift : (3,): from the frame (axes of the T-pose, origin at the joint) to the room.
    scale : beside an average adult's trunk.  up : (3,) unit, away from the ground.
    joints : (J, 3) of the posed body, in the frame.
    """

    rotation: np.ndarray
    shift: np.ndarray
    scale: float
    up: np.ndarray
    joints: np.ndarray
    names: tuple[str, ...]
    points: np.ndarray
    _normals: np.ndarray
    _tree: cKDTree

    @classmethod
    def of(cls, body: Body, joint: str, parts: Sequence[str], over: Sequence[Piece] = ()) -> Trunk:
        """joint : whose frame.  parts : of the skin that counts.  over : clothes that count."""
        model = body.model
        names = tuple(model.joint_names)
        move = body.transforms[names.index(joint)].astype(np.float64)
        rotation, shift = move[:3, :3], body.joints[names.index(joint)].astype(np.float64)
        wanted = np.isin(parts_of(body), [model.part_names.index(p) for p in parts])
        points = [(body.vertices[wanted] - shift) @ rotation]
        normals = [body.normals[wanted].astype(np.float64) @ rotation]
        for piece in over:
            points.append((piece.vertices - shift) @ rotation)
            normals.append(piece.smooth.astype(np.float64) @ rotation)
        solid = np.concatenate(points)
        rest = body.rest_joints
        scale = float(rest[names.index("neck"), 1] - rest[names.index("pelvis"), 1]) / ADULT_TRUNK
        joints = (body.joints - shift) @ rotation
        up = rotation.T @ np.array([0, 1.0, 0])
        return cls(rotation, shift, scale, up, joints, names, solid, np.concatenate(normals), cKDTree(solid))

    def joint(self, name: str) -> np.ndarray:
        """(3,) where a joint is."""
        return self.joints[self.names.index(name)]

    def clearance(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Signed distance (n,) of points (n, 3) from what counts, positive outside, and its direction (n, 3)."""
        distance, index = self._tree.query(points, k=6)
        weight = 1 / (distance**2 + 2e-5)
        weight /= weight.sum(1, keepdims=True)
        away = np.einsum("nki,nki->nk", points[:, None] - self.points[index], self._normals[index])
        # Of cloth over skin the outer one counts.
        return 0.5 * ((weight * away).sum(1) + away[:, :3].min(1)), unit(
            (weight[..., None] * self._normals[index]).sum(1)
        )

    def laid(self, path: np.ndarray, air: float, turns: int = 5, pull: float = 0.6) -> np.ndarray:
        """A curve (k, 3) laid on what counts. pull : how strongly what floats is drawn in."""
        for turn in range(turns):
            away, out = self.clearance(path)
            move = np.clip(np.maximum(air - away, 0) - pull * np.maximum(away - air, 0), -0.04, 0.04)
            path = path + move[:, None] * out
            if turn < turns - 1:
                path[1:-1] = 0.5 * path[1:-1] + 0.25 * (path[:-2] + path[2:])
        return path

    def out(self, path: np.ndarray) -> np.ndarray:
        """(k, 3) away from the body, smooth along a curve."""
        out = self.clearance(path)[1]
        for _ in range(2):
            out[1:-1] = 0.5 * out[1:-1] + 0.25 * (out[:-2] + out[2:])
        return unit(out)

    def placed(self, form: Form) -> Form:
        """A form of this frame in the room."""
        return form.turned(self.rotation, self.shift)

    def edge(self, way: Sequence[float], near: np.ndarray, reach: float = 0.06) -> float:
        """How far the body goes in a direction around a line through `near` along it."""
        ahead = np.asarray(way, float)
        apart = self.points - near
        along = apart @ ahead
        aside = np.linalg.norm(apart - along[:, None] * ahead, axis=1)
        mine = along[aside < reach * self.scale]
        return float(mine.max()) if len(mine) else 0.1 * self.scale


def chest(body: Body, over: Sequence[Piece]) -> Trunk:
    """The frame of the upper trunk."""
    return Trunk.of(body, "spine3", ("torso", "neck"), [p for p in over if p.label in ("upper",)])


def hips(body: Body, over: Sequence[Piece]) -> Trunk:
    """The frame of the lower trunk."""
    parts = ("torso", "left_leg", "right_leg")
    return Trunk.of(body, "pelvis", parts, [p for p in over if p.label in ("lower",)])
