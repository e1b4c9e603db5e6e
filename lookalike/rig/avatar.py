"""The Avatar: the finished character that the exporters write."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from lookalike.appearance.material import Material
from lookalike.body.model import Body
from lookalike.photo.subject import Subject
from lookalike.surface.mesh import Surface

if TYPE_CHECKING:
    from lookalike.maps.network import PredictedMaps


@dataclass(frozen=True)
class Skeleton:
    """Joints in the rest pose. All rest rotations are the identity: joint frames are parallel to the world's.

    names : Mixamo names without prefix ("Hips", "Spine", "LeftUpLeg", ...).
    parents : (J,) int32, -1 for the root.
    positions : (J, 3) float32 metres, world, rest pose.
    """

    names: tuple[str, ...]
    parents: np.ndarray
    positions: np.ndarray


@dataclass(frozen=True)
class Motion:
    """A looping motion: the last key equals the first.

    name : "walk", "idle".  times : (T,) float32 seconds, from 0.
    rotations : (T, J, 4) float32 unit quaternions xyzw, local, relative to the rest pose.
    root : (T, 3) float32 metres, world position of the root joint.
    """

    name: str
    times: np.ndarray
    rotations: np.ndarray
    root: np.ndarray


@dataclass(frozen=True)
class Avatar:
    """A textured, rigged, animated person.

    Rest pose: an A-pose, Y up, facing +Z, standing on y = 0, the pelvis above the origin; metres.

    Attributes
    ----------
    name : for the file's node names.
    vertices : (n, 3) float32 rest pose; `surface` has the same vertices in the photo's pose and the topology and UVs.
    skin_joints : (n, 4) uint8;  skin_weights : (n, 4) float32, rows sum to one, largest first.
    skeleton : `Skeleton`.
    face_shapes : ARKit blend shapes, name -> (index (k,) int32, offset (k, 3) float32 in the rest pose, metres).
    motions : looping motions.
    material : `Material`.
    surface : `Surface` in the photo's pose.
    body : `Body`, the fit behind it.
    report : what report.json holds so far (confidences, measurements); plain JSON types.
    maps : what was predicted of the clothed person, through a crop of the photo, or None.
    subject : the person in the photo it was made from, or None; the pictures beside the models show it.
    """

    name: str
    vertices: np.ndarray
    skin_joints: np.ndarray
    skin_weights: np.ndarray
    skeleton: Skeleton
    face_shapes: dict[str, tuple[np.ndarray, np.ndarray]]
    motions: tuple[Motion, ...]
    material: Material
    surface: Surface
    body: Body
    report: dict = field(default_factory=dict)
    maps: PredictedMaps | None = None
    subject: Subject | None = None
