"""Eyes within their lids: nothing of the skin lies in an eyeball, and what shows hardly moves."""

from __future__ import annotations

import numpy as np

from lookalike.body import load_body
from lookalike.camera import Camera
from lookalike.mesh.triangles import pieces
from lookalike.render.raycast import RayCaster
from lookalike.surface.implicit.eyes import _eyes, _hidden, with_free_eyes
from tests.bare_surface import bare_surface

MODEL = load_body()
BODY = MODEL.posed(
    np.zeros(MODEL.shape_count), np.zeros((len(MODEL.joint_names), 3)), [0, 0, -3], Camera(900, 256, 256, 512, 512)
)


def freed() -> np.ndarray:
    own = np.arange(len(BODY.vertices))
    return with_free_eyes(BODY.vertices, MODEL.faces, own, bare_surface(BODY), MODEL)


def skin_in_eyes(vertices: np.ndarray) -> int:
    """How many edges of the skin go through an eyeball."""
    piece = pieces(MODEL.faces, len(vertices))
    skin = MODEL.faces[piece[MODEL.faces[:, 0]] == np.bincount(piece[MODEL.faces[:, 0]]).argmax()]
    ends = np.concatenate([skin[:, [0, 1]], skin[:, [1, 2]], skin[:, [2, 0]]])
    balls = MODEL.faces[np.isin(piece[MODEL.faces[:, 0]], piece[_eyes(MODEL)])]
    way = vertices[ends[:, 1]] - vertices[ends[:, 0]]
    hits = RayCaster(vertices, balls).cast(vertices[ends[:, 0]], way)
    return int((hits.hit & (hits.depth < 1)).sum())


def test_the_skin_that_nobody_sees_is_found():
    hidden = _hidden(MODEL)
    assert 100 < hidden.sum() < 1000
    # as much on the left as on the right, and nothing in front of the eyes
    x, z = MODEL.template[hidden, 0], MODEL.template[hidden, 2]
    assert abs((x > 0).mean() - 0.5) < 0.05
    assert z.max() < MODEL.template[_eyes(MODEL), 2].max()


def test_no_skin_lies_in_an_eyeball_and_what_shows_stays():
    vertices = freed()
    assert skin_in_eyes(BODY.vertices.astype(np.float64)) > 50
    assert skin_in_eyes(vertices) == 0
    moved = np.linalg.norm(vertices - BODY.vertices, axis=1)
    assert moved[~_hidden(MODEL)].max() < 0.002
    assert (moved > 1e-5).sum() < 1500
    assert moved[_eyes(MODEL)].max() == 0


def test_a_mesh_that_has_none_of_the_bodys_eyes_stays_as_it_is():
    none = np.full(len(BODY.vertices), -1)
    vertices = with_free_eyes(BODY.vertices, MODEL.faces, none, bare_surface(BODY), MODEL)
    np.testing.assert_array_equal(vertices, BODY.vertices)
