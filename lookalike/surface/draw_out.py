"""Draw a body out to a person's clothes and hair: fitted body and matte in, the person's surface out.

The outline of the surface, seen by the photo's camera, is brought to the outline of the matte in rounds of matching and
solving, as non-rigid registration does (Amberg et al., 2007):

1. *Shift* (`shift.py`): bones slide and turn in the picture where limbs stick out of the matte, which clothes never do.
2. *Swell* (`swell.py`): a smooth scalar field moves the surface along its normals until the outlines meet, front and back
   with the sides.
3. *Fill* (`skirt.py`): where the matte shows cloth between the legs, the legs fill their common hull.

The first rounds work on the body's own mesh; the last ones on the once refined mesh, which holds the detail.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.sparse import identity

from lookalike.body.model import Body, BodyModel
from lookalike.photo.subject import Subject
from lookalike.surface.mesh import Surface
from lookalike.surface.outline import OutlinePicture
from lookalike.surface.regions import Regions, find_regions
from lookalike.surface.shift import moved, shift_bones
from lookalike.surface.skirt import Legs, Skirt, find_hem, find_legs
from lookalike.surface.subdivide import Refinement, catmull_clark, loop, refine_uv
from lookalike.surface.swell import Swelling, swell
from lookalike.surface.wrap import wrap

#: Rounds of shifting, of swelling the body's own mesh, and of swelling the fine one.
SHIFTS, SWELLS, FINE_SWELLS = 3, 7, 2
#: Length over which the field is smooth, metres, in the first and in the last round.
SMOOTH = (0.10, 0.02)


def draw_out(body: Body, subject: Subject, topology: Literal["fine", "body"] = "fine") -> Surface:
    """The clothed person's surface in the photo's pose.

    topology : "fine" refines the body's mesh once, "body" keeps its vertices and faces.
    """
    model = body.model
    regions = find_regions(model)
    picture = OutlinePicture(subject, body.camera, body.vertices)
    mesh = Swelling.start(body.vertices, model.faces, body.rest, regions.axes, regions.keep, regions.foot)
    joints = _shift(mesh, picture, body, regions)
    legs = find_legs(model, body.rest, body.rest_joints, model.weights)
    hem = find_hem(legs, joints, picture, mesh.vertices, mesh.faces)
    wrap(mesh, regions.drape)
    _swell(mesh, picture, legs, joints, hem, np.geomspace(*SMOOTH, SWELLS))
    if topology == "body":
        anchors = identity(len(mesh.vertices), format="csr")
        return Surface(mesh.vertices.astype(np.float32), model.faces, model.quads, model.uv, model.face_uv, anchors)

    finer = refine(model)
    rest = finer.apply(body.rest)
    axes, keep, foot, field = (finer.weights @ x for x in (regions.axes, regions.keep, regions.foot, mesh.field))
    mesh = Swelling.start(finer.apply(mesh.vertices), finer.faces, rest, axes, keep, foot, field)
    legs = find_legs(model, rest, body.rest_joints, finer.weights @ model.weights)
    _swell(mesh, picture, legs, joints, hem, np.full(FINE_SWELLS, SMOOTH[1]))
    uv, face_uv = refine_uv(model.uv, model.quad_uv)
    return Surface(mesh.vertices.astype(np.float32), finer.faces, finer.quads, uv, face_uv, finer.weights)


def _swell(
    mesh: Swelling, picture: OutlinePicture, legs: Legs, joints: np.ndarray, hem: float, lengths: np.ndarray
) -> None:
    """Rounds of swelling, smooth over `lengths`, with a skirt down to `hem` if that is not 0. Changes `mesh`."""
    skirt = Skirt(legs, joints, hem, mesh.edges) if hem else None
    for length in lengths:
        flow = None
        if skirt is not None:
            mesh.vertices = skirt.fill(mesh.vertices)
            flow = skirt.flow(mesh.vertices, mesh.plain.area)
        swell(mesh, picture, length, flow)
    if skirt is not None:
        mesh.vertices = skirt.fill(mesh.vertices, seam=True)


def refine(model: BodyModel) -> Refinement:
    """The once refined mesh of a body model."""
    if model.quads is not None and (model.quads[:, 2] != model.quads[:, 3]).all():
        return catmull_clark(model.quads, len(model.template))
    return loop(model.faces, len(model.template))


def _shift(mesh: Swelling, picture: OutlinePicture, body: Body, regions: Regions) -> np.ndarray:
    """Shift the bones under `mesh`, the unswollen body. Returns the joints (J, 3) after it."""
    start, pivots = mesh.vertices, body.joints[regions.bone_joints].astype(float)
    move = np.zeros((3, len(pivots)))
    for _ in range(SHIFTS):
        rim = mesh.rim()
        gaps = picture.match(rim, mesh.vertices, mesh.faces)
        rows = rim.matrix(len(start))
        move = shift_bones(rim, rows, gaps, regions.bones, regions.bone_parents, pivots, move)
        mesh.vertices = moved(start, regions.bones, pivots, move)
    own = np.eye(len(pivots))[regions.bone_of_joint]
    return moved(body.joints.astype(float), own, pivots, move)
