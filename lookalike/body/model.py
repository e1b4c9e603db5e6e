"""The parametric body: shape and pose to vertices, by linear blend skinning (Loper et al., SMPL, 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lookalike.camera import Camera

#: SMPL-H's 52 joints: 22 of the body, then 15 of the left and 15 of the right hand.
JOINTS = (
    "pelvis left_hip right_hip spine1 left_knee right_knee spine2 left_ankle right_ankle spine3 left_foot right_foot "
    "neck left_collar right_collar head left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist"
).split() + [
    f"{s}_{f}{i}" for s in ("left", "right") for f in ("index", "middle", "pinky", "ring", "thumb") for i in (1, 2, 3)
]


#: Part labels of our own model.
PARTS = (
    "head neck torso left_arm left_hand left_leg left_foot right_arm right_hand right_leg right_foot eyes mouth"
).split()


@dataclass(frozen=True)
class BodyModel:
    """A body model in SMPL's layout. Rest pose: T-pose, Y up, facing +Z, arms along X (the left arm to +X), metres.

    Attributes
    ----------
    name : "lookalike", "smpl", "smplh" or "smplx".
    template : (V, 3) float32.
    shape_basis : (B, V, 3) float32: vertex offsets of one standard deviation of each shape number.
    joint_template : (J, 3) and joint_basis : (B, J, 3): joints as a linear function of the shape numbers.
    parents : (J,) int32, -1 for the root.  joint_names : SMPL-H's names (`JOINTS` for our own model).
    weights : (V, J) float32 skin weights, rows sum to one.
    faces : (F, 3) int32 triangles, counter-clockwise from outside.  quads : (Q, 4) int32 or None (a triangle among
        them repeats its last vertex).
    uv : (T, 2) float32 origin upper left, face_uv : (F, 3) int32, quad_uv : (Q, 4) int32 or None. uv is None for a
        model without one.
    mirror : (V,) int32: each vertex's mirror image, or None.
    parts : (V,) uint8 into `part_names`, or None: "head", "neck", "torso", "left_arm", "left_hand", "left_leg",
        "left_foot", "right_...", "eyes", "mouth" (inside: teeth, tongue, cavity).
    face_shapes : ARKit name -> (index (k,) int32, offset (k, 3) float32), sparse; empty for models without.
    landmarks : name -> (index (k,) int32, weight (k,) float32): points on the body as blends of vertices. Names:
        `POSE_LANDMARKS`, "left_hand/" and "right_hand/" + `HAND_LANDMARKS`, "face/<index of MediaPipe's face mesh>".
    pose_basis : (P, V, 3) float32 pose correctives with P = 9 (J - 1), or None (ours has none).
    """

    name: str
    template: np.ndarray
    shape_basis: np.ndarray
    joint_template: np.ndarray
    joint_basis: np.ndarray
    parents: np.ndarray
    joint_names: tuple[str, ...]
    weights: np.ndarray
    faces: np.ndarray
    quads: np.ndarray | None
    uv: np.ndarray | None
    face_uv: np.ndarray | None
    quad_uv: np.ndarray | None
    mirror: np.ndarray | None
    parts: np.ndarray | None
    part_names: tuple[str, ...]
    face_shapes: dict[str, tuple[np.ndarray, np.ndarray]]
    landmarks: dict[str, tuple[np.ndarray, np.ndarray]]
    pose_basis: np.ndarray | None = None

    @property
    def shape_count(self) -> int:
        """B, how many shape numbers there are."""
        return len(self.shape_basis)

    @cached_property
    def outer_faces(self) -> np.ndarray:
        """(k,) which faces can be seen from outside: all but those of the mouth's inside."""
        if self.parts is None:
            return np.arange(len(self.faces))
        inside = self.parts == self.part_names.index("mouth")
        return np.flatnonzero(~inside[self.faces].all(1))

    def posed(
        self,
        betas: np.ndarray,
        pose: np.ndarray,
        translation: np.ndarray,
        camera: Camera,
        scale: float = 1.0,
        landmark_error: float = float("nan"),
    ) -> Body:
        """The body with these numbers.

        betas : (B,).  pose : (J, 3) axis-angle.  translation : (3,) metres: where the root joint's shaped rest position
        goes in addition, as in SMPL: vertices = scale * posed + translation.  scale : metres per model unit.
        """
        import torch

        from lookalike.body.skinning import rest_shape, skin

        betas, pose, translation = (np.asarray(x, np.float32) for x in (betas, pose, translation))
        with torch.no_grad():
            tensors = self.tensors()
            rest, rest_joints = rest_shape(tensors, torch.from_numpy(betas))
            vertices, joints, transforms = skin(tensors, rest, rest_joints, torch.from_numpy(pose))
        move = transforms.numpy().copy()
        move[:, :3, 3] = scale * move[:, :3, 3] + translation  # on the scaled rest shape
        return Body(
            model=self,
            betas=betas,
            pose=pose,
            translation=translation,
            scale=scale,
            camera=camera,
            vertices=scale * vertices.numpy() + translation,
            joints=scale * joints.numpy() + translation,
            transforms=move,
            rest=scale * rest.numpy(),
            rest_joints=scale * rest_joints.numpy(),
            landmark_error=landmark_error,
        )

    def tensors(self, rows: np.ndarray | None = None):
        """The arrays as float32 torch tensors (`skinning.Tensors`); `rows` (k,) keeps only these vertices."""
        import torch

        from lookalike.body.skinning import Tensors

        pick = (lambda a: a) if rows is None else (lambda a: a[..., rows, :])
        tensor = lambda a: torch.from_numpy(np.ascontiguousarray(a, np.float32))  # noqa: E731
        return Tensors(
            template=tensor(pick(self.template)),
            shape_basis=tensor(pick(self.shape_basis)),
            joint_template=tensor(self.joint_template),
            joint_basis=tensor(self.joint_basis),
            parents=[int(p) for p in self.parents],
            weights=tensor(pick(self.weights)),
            pose_basis=None if self.pose_basis is None else tensor(pick(self.pose_basis)),
        )

    def landmark_points(self, vertices: np.ndarray, names: Sequence[str]) -> np.ndarray:
        """(k, 3) positions of named landmarks on a body with these `vertices` (V, 3)."""
        return np.stack([self.landmarks[n][1] @ vertices[self.landmarks[n][0]] for n in names])


@dataclass(frozen=True)
class Body:
    """A posed, shaped body in front of a camera.

    Attributes
    ----------
    model : the body model.
    betas : (B,) shape numbers, standard deviations.
    pose : (J, 3) axis-angle, local, relative to the T-pose; pose[0] turns the whole body (camera axes).
    translation : (3,) metres, camera frame.   scale : metres per model unit.
    camera : the photo's camera.
    vertices : (V, 3) float32 and joints : (J, 3), posed, camera frame, metres.
    transforms : (J, 4, 4) float32: from the shaped T-pose (scaled) to the posed camera frame, one a joint;
        vertices = sum_j weights_j transforms_j rest.
    rest : (V, 3) float32 and rest_joints : (J, 3): the shaped body in the T-pose, scaled, metres.
    landmark_error : median distance of the projected body landmarks to the photo's, as a share of the person's height
        in the picture.
    """

    model: BodyModel
    betas: np.ndarray
    pose: np.ndarray
    translation: np.ndarray
    scale: float
    camera: Camera
    vertices: np.ndarray
    joints: np.ndarray
    transforms: np.ndarray
    rest: np.ndarray
    rest_joints: np.ndarray
    landmark_error: float = float("nan")

    @cached_property
    def normals(self) -> np.ndarray:
        """(V, 3) float32 unit vertex normals, posed, camera frame."""
        from lookalike.render.normals import vertex_normals

        return vertex_normals(self.vertices, self.model.faces)
