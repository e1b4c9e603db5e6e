"""The skin of a whole body as an avatar: a mesh in, a fitted body, and from both the rig stage's avatar, out.

The skin is looked at from the front like a photo; people are found and the body model is fitted in that picture, with
the height that the scan knows. Whether the fit is good is measured against the skin in three dimensions, and where it
is not, no avatar is made, and the reason is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from lookalike.anatomy.model import Part
from lookalike.errors import NoPersonError

#: Metres: a whole body is at least so tall.
SHORTEST = 0.8
#: Millimetres between the fitted body and the skin: the median, and what nine tenths keep below.
MEDIAN, NINE_TENTHS = 25.0, 80.0
#: Pixels of the picture in which the person is found.
SIZE = (768, 1024)


def rig_skin(parts: Sequence[Part], folder: Path) -> dict[str, Any]:
    """Writes avatar.glb to a folder if the skin is a whole body's.

    Returns for the report: "avatar", the file's name or None; "why", a sentence, where there is none; and how far the
    fitted body is from the skin.
    """
    skin = next((part for part in parts if part.name == "skin"), None)
    if skin is None:
        return _none("an avatar is made of the skin: add skin to --tissues.")
    size = np.ptp(skin.metres, axis=0)
    if size[1] < SHORTEST or size[1] < 2.5 * size[2]:
        return _none(
            f"the scan shows {100 * size[1]:.0f} cm of the body from top to bottom; the body model is fitted to a whole "
            "body, from head to feet, and to nothing less."
        )
    return _whole_body(skin, folder)


def _none(why: str) -> dict[str, Any]:
    return {"avatar": None, "why": why}


def _whole_body(skin: Part, folder: Path) -> dict[str, Any]:
    from lookalike.appearance.material import Material
    from lookalike.body import fit_body, load_body
    from lookalike.export import write_glb
    from lookalike.photo import find_subjects
    from lookalike.photo.subject import Photo
    from lookalike.render.shade import Studio
    from lookalike.render.view import orbit
    from lookalike.rig import rig
    from lookalike.surface.mesh import Surface

    vertices = skin.metres
    view = orbit(vertices, SIZE, elevation=0.0, field_of_view=20.0, margin=0.08)
    picture = Studio(vertices, skin.faces).render(view)
    try:
        [subject] = find_subjects(Photo(picture, focal=view.camera.focal))
    except NoPersonError:
        return _none("no person was recognised in the skin seen from the front.")
    body = fit_body(subject, load_body(), height=float(np.ptp(vertices[:, 1])))
    seen = view.to_camera(vertices)
    # The picture leaves the distance to the camera open: shift the skin to the body.
    body_vertices = np.asarray(body.vertices, np.float64)
    used = np.unique(body.model.faces)
    tree = cKDTree(body_vertices[used])
    for _ in range(8):
        _, nearest = tree.query(seen[:: max(1, len(seen) // 4000)])
        seen = seen + np.median(body_vertices[used][nearest] - seen[:: max(1, len(seen) // 4000)], axis=0)
    distance = 1e3 * cKDTree(seen).query(body_vertices[used])[0]
    middle, most = float(np.median(distance)), float(np.percentile(distance, 90))
    report = {"median_mm": middle, "nine_tenths_mm": most}
    if middle > MEDIAN or most > NINE_TENTHS:
        why = f"the fitted body is {middle:.0f} mm from the skin (median; 90 %: {most:.0f} mm), which is no fit."
        return {**_none(why), **report}
    count = len(seen)
    surface = Surface(
        vertices=seen.astype(np.float32),
        faces=skin.faces.astype(np.int32),
        quads=None,
        uv=np.full((1, 2), 0.5, np.float32),
        face_uv=np.zeros((len(skin.faces), 3), np.int32),
        anchors=_anchors(seen, skin.faces, body_vertices, np.asarray(body.normals), used),
    )
    colour = np.broadcast_to(np.array(skin.colour, np.uint8), (8, 8, 3)).copy()
    plain = Material(colour, np.full((8, 8), 150, np.uint8), None, np.zeros((8, 8), np.float32))
    write_glb(rig(surface, body, plain, "Avatar"), folder / "avatar.glb")
    return {"avatar": "avatar.glb", "why": None, "vertices": count, **report}


def _anchors(
    points: np.ndarray, faces: np.ndarray, body: np.ndarray, normals: np.ndarray, used: np.ndarray
) -> csr_matrix:
    """(n, V) which body vertices each skin vertex follows: the nearest three that face the same way."""
    from lookalike.render.normals import vertex_normals

    distance, nearest = cKDTree(body[used]).query(points, 12)
    nearest = used[nearest]
    facing = np.einsum("nki,ni->nk", normals[nearest], vertex_normals(points, faces))
    weight = np.clip(facing, 0.02, None) / (distance + 2e-3) ** 2
    best = np.argsort(-weight, axis=1)[:, :3]
    weight = np.take_along_axis(weight, best, 1)
    weight /= weight.sum(1, keepdims=True)
    rows = np.repeat(np.arange(len(points)), 3)
    chosen = np.take_along_axis(nearest, best, 1)
    return csr_matrix((weight.reshape(-1), (rows, chosen.reshape(-1))), (len(points), len(body)))
