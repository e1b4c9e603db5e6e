"""The last stage: a clothed surface in the photo's pose in, an Avatar that moves out."""

from __future__ import annotations

import numpy as np

from lookalike.appearance.material import Material
from lookalike.body.model import Body
from lookalike.rig.avatar import Avatar
from lookalike.rig.face import face_shapes
from lookalike.rig.figure import measure_figure
from lookalike.rig.free_rest import free_rest
from lookalike.rig.idle import idle
from lookalike.rig.inpaint_weights import inpaint_weights
from lookalike.rig.mend import doubtful, mend
from lookalike.rig.rest import APose, Unposing, a_pose, unskin_loose
from lookalike.rig.skeleton import make_skeleton
from lookalike.rig.skirt import find_skirt
from lookalike.rig.walk import gait, walk
from lookalike.rig.weights import prune, surface_weights
from lookalike.surface.free_mesh import FreeSurface
from lookalike.surface.mesh import Surface


def rig(surface: Surface, body: Body, material: Material, name: str) -> Avatar:
    """The avatar of a surface: in an A-pose, with skeleton, skin weights, face shapes, and the motions "walk" and
    "idle".

    surface : the clothed person in the photo's pose.  body : the fit behind it.  material : the surface's textures.
    name : for the file's node names.

    The walk is on the spot: the feet slide back under the body at a steady speed, which `report["motions"]["walk"]`
    gives with the stride, so that a program that moves the avatar forward at that speed sees the feet stand still.
    """
    pose = a_pose(body)
    if isinstance(surface, FreeSurface):
        skin = inpaint_weights(surface, body)
        joints, weights = prune(skin.weights)
        vertices, stride = free_rest(surface, body, pose, joints, weights, skin.loose), skin.stride
    else:
        vertices, joints, weights, stride = _rest_of_body(surface, body, pose)
    ground = vertices[:, 1].min()
    vertices[:, 1] -= ground
    skeleton = make_skeleton(body.model.joint_names, body.model.parents, pose.joints - [0, ground, 0])
    bare = pose.vertices - [0, ground, 0]
    figure = measure_figure(skeleton, vertices, joints, weights, bare, body.model.weights, stride)
    motions = (walk(figure), idle(figure))
    return Avatar(
        name=name,
        vertices=vertices.astype(np.float32),
        skin_joints=joints,
        skin_weights=weights,
        skeleton=skeleton,
        face_shapes=face_shapes(surface, body),
        motions=motions,
        material=material,
        surface=surface,
        body=body,
        report={"motions": {"walk": gait(figure).as_json(), "idle": {"seconds": float(motions[1].times[-1])}}},
    )


def _rest_of_body(surface: Surface, body: Body, pose: APose) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """The A-pose (n, 3), joints and weights (n, 4), and the stride of a surface that is the body's, moved about."""
    shares = surface_weights(surface, body.model.weights)
    skirt = find_skirt(surface, body, shares)
    loose = np.zeros(len(surface.vertices)) if skirt is None else skirt.share
    joints, weights = prune(shares if skirt is None else skirt.weights)
    way = Unposing.of(surface, body, pose, joints, weights, loose)
    vertices = way.unpose(surface.vertices)
    if skirt is not None:
        vertices = unskin_loose(surface.vertices, vertices, loose, pose, skirt.pose_weights)
    offsets = vertices - way.goal
    vertices = way.goal + mend(offsets, np.maximum(way.bent, doubtful(offsets, shares, body)), surface.faces)
    return vertices, joints, weights, 1.0 if skirt is None else skirt.stride
