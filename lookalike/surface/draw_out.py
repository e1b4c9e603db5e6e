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
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import RayCaster
from lookalike.surface.atlas import flat_atlas
from lookalike.surface.mesh import Surface
from lookalike.surface.outline import OutlinePicture, find_rim
from lookalike.surface.regions import Regions, find_regions
from lookalike.surface.shift import moved, shift_bones
from lookalike.surface.skirt import Skirt, find_hem, find_legs
from lookalike.surface.subdivide import Refinement, catmull_clark, loop, refine_uv
from lookalike.surface.swell import Sheet, Swelling, swell
from lookalike.surface.wrap import wrap

#: Rounds of shifting, of swelling the body's own mesh, and of swelling the fine one.
SHIFTS, SWELLS, FINE_SWELLS = 3, 4, 1
#: Length over which the field is smooth, metres, in the first and in the last round.
SMOOTH = (0.10, 0.02)


def draw_out(body: Body, subject: Subject, topology: Literal["fine", "body"] = "fine") -> Surface:
    """The clothed person's surface in the photo's pose.

    topology : "fine" refines the body's mesh once, "body" keeps its vertices and faces.
    """
    model = body.model
    regions = find_regions(model)
    picture = OutlinePicture(subject, body.camera, body.vertices)
    vertices, joints = _shift(body, picture, regions)
    sheet = Sheet(body.rest, model.faces, regions.axes, regions.keep, regions.foot)
    itself = identity(len(vertices), format="csr")
    mesh = Swelling.start(sheet, vertices, vertices, model.faces, itself)
    legs = find_legs(model, body.rest, body.rest_joints, model.weights)
    hem = find_hem(legs, joints, picture, mesh.surface())
    wrap(mesh, regions.drape)
    skirt = Skirt(legs, joints, hem, model.faces) if hem else None
    if skirt is not None:
        sheet.crease(skirt.crease(), skirt.coupling(mesh.vertices, sheet.plain.area))
    _swell(mesh, picture, skirt, np.geomspace(*SMOOTH, SWELLS))
    uv, face_uv, quad_uv = _texture(model)
    if topology == "body":
        return Surface(mesh.vertices.astype(np.float32), model.faces, model.quads, uv, face_uv, itself)

    finer = refine(model)
    mesh = Swelling.start(
        sheet, finer.apply(mesh.vertices), finer.apply(vertices), finer.faces, finer.weights, mesh.field
    )
    if skirt is not None:
        legs = find_legs(model, finer.apply(body.rest), body.rest_joints, finer.weights @ model.weights)
        skirt = Skirt(legs, joints, hem, finer.faces)
    _swell(mesh, picture, skirt, np.full(FINE_SWELLS, SMOOTH[1]))
    uv, face_uv = refine_uv(uv, face_uv if finer.quads is None or quad_uv is None else quad_uv)
    return Surface(mesh.vertices.astype(np.float32), finer.faces, finer.quads, uv, face_uv, finer.weights)


def _swell(mesh: Swelling, picture: OutlinePicture, skirt: Skirt | None, lengths: np.ndarray) -> None:
    """Rounds of swelling, smooth over `lengths` metres. Changes `mesh`."""
    for length in lengths:
        if skirt is not None:
            mesh.vertices = skirt.fill(mesh.vertices)
        swell(mesh, picture, length, skirt)
    if skirt is not None:
        mesh.vertices = skirt.fill(mesh.vertices, seam=True)


def refine(model: BodyModel) -> Refinement:
    """The once refined mesh of a body model."""
    if model.quads is not None and model.uv is not None and (model.quads[:, 2] != model.quads[:, 3]).all():
        return catmull_clark(model.quads, len(model.template))
    return loop(model.faces, len(model.template))


def _texture(model: BodyModel) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """The model's texture coordinates, their triangles and their quads; made up for models without."""
    if model.uv is None or model.face_uv is None:
        return *flat_atlas(model.template, model.faces, model.parts), None
    return model.uv, model.face_uv, model.quad_uv


def _shift(body: Body, picture: OutlinePicture, regions: Regions) -> tuple[np.ndarray, np.ndarray]:
    """The body's vertices (V, 3) and joints (J, 3) after its bones have been shifted."""
    start, pivots, faces = body.vertices.astype(float), body.joints[regions.bone_joints].astype(float), body.model.faces
    vertices, move = start, np.zeros((3, len(pivots)))
    for _ in range(SHIFTS):
        rim = find_rim(vertices, faces, vertex_normals(vertices, faces).astype(float))
        gaps = picture.match(rim, RayCaster(vertices, faces))
        rows = rim.matrix(len(start))
        move = shift_bones(rim, rows, gaps, regions.bones, regions.bone_parents, pivots, move)
        vertices = moved(start, regions.bones, pivots, move)
    own = np.eye(len(pivots))[regions.bone_of_joint]
    return vertices, moved(body.joints.astype(float), own, pivots, move)
