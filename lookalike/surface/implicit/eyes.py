"""Eyes that lie within their lids: eyeballs are pieces of their own, and a fitted face's lids and sockets cut through them.

What nobody sees of the skin around an eye, the lids' inside and the socket, is laid around the eyeball; lids that lie in
it come out. Then no skin crosses an eyeball, and what shows has moved by a millimetre or two where it was wrong.
"""

from __future__ import annotations

import numpy as np

from lookalike.body.model import BodyModel
from lookalike.mesh.triangles import pieces
from lookalike.render.light import sky_seen, sphere_directions
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import RayCaster
from lookalike.surface.mesh import Surface
from lookalike.surface.smooth import neighbour_mean, unique_edges

#: Metres from the eyeball to the lids' outside, and to what is behind them.
LID, SOCKET = 0.0006, 0.00025
#: Radii of an eyeball within which there is skin of that eye.
AROUND = 1.6
#: Directions from which the hidden skin is looked for.
DIRECTIONS = 100
#: Rounds of evening out what is hidden, and of moving off the eyeball what lies between vertices.
EVEN, OFF = 4, 10


def with_free_eyes(
    vertices: np.ndarray, faces: np.ndarray, own: np.ndarray, followed: Surface, model: BodyModel
) -> np.ndarray:
    """(n, 3) the vertices of a mesh, its skin off its eyeballs.

    vertices : (n, 3) metres.  faces : (m, 3).  own : (n,) which vertex of the followed surface one is, -1 for none.
    """
    known = np.flatnonzero(own >= 0)
    eye, hidden = (np.zeros(len(vertices), bool) for _ in range(2))
    for out, there in ((eye, _eyes(model)), (hidden, _hidden(model))):
        if there.any():
            out[known] = followed.anchors[own[known]] @ there.astype(np.float64) > 0.5
    if not eye.any() or not hidden.any():
        return vertices
    piece = pieces(faces, len(vertices))
    skin = np.bincount(piece[faces[:, 0]]).argmax()
    points = np.asarray(vertices, np.float64).copy()
    for number in np.setdiff1d(piece[eye], skin):
        ball = _Ball(points, faces[piece[faces[:, 0]] == number])
        near = (piece == skin) & (np.linalg.norm(points - ball.centre, axis=1) < AROUND * ball.radius)
        around = faces[near[faces].all(1)]
        if len(around):
            rows, around = np.unique(around, return_inverse=True)
            points[rows] = _off(points[rows], around.reshape(-1, 3), hidden[rows], ball)
    return points


class _Ball:
    """An eyeball, star-shaped about its middle. centre : (3,).  radius : metres, the largest."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray):
        own = vertices[np.unique(faces)]
        self.centre = (own.min(0) + own.max(0)) / 2
        self.radius = float(np.linalg.norm(own - self.centre, axis=1).max())
        self._caster = RayCaster(vertices, faces)

    def polar(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Unit directions (n, 3) of points (n, 3) from the centre, and distances (n,)."""
        way = points - self.centre
        far = np.sqrt(np.einsum("ni,ni->n", way, way))
        return way / np.maximum(far, 1e-9)[:, None], far

    def reach(self, ways: np.ndarray) -> np.ndarray:
        """(n,) metres from the centre to the surface in directions (n, 3)."""
        hits = self._caster.cast(self.centre, ways)
        return np.where(hits.hit, hits.depth, 0)


def _off(points: np.ndarray, faces: np.ndarray, hidden: np.ndarray, ball: _Ball) -> np.ndarray:
    """(n, 3) points of the skin around an eyeball, off it. faces : (m, 3).  hidden : (n,) bool, laid around the ball."""
    edges = unique_edges(faces)
    mean = neighbour_mean(edges, len(points))
    ways, far = ball.polar(points)
    for _ in range(EVEN):
        even = mean @ ways
        ways[hidden] = (even / np.maximum(np.linalg.norm(even, axis=1, keepdims=True), 1e-9))[hidden]
    reach = ball.reach(ways)
    far = np.where(hidden, reach + SOCKET, np.maximum(far, reach + LID))
    points = ball.centre + far[:, None] * ways
    for _ in range(OFF):
        lack = np.zeros(len(points))
        for corners in (edges, faces):
            ways, far = ball.polar(points[corners].mean(1))
            short = np.maximum(ball.reach(ways) + SOCKET / 2 - far, 0)
            np.maximum.at(lack, corners.ravel(), np.repeat(short, corners.shape[1]))
        if lack.max() < 1e-6:
            break
        points = points + 1.3 * lack[:, None] * ball.polar(points)[0]
    return points


def _hidden(model: BodyModel) -> np.ndarray:
    """(V,) bool: the skin that is seen from nowhere, near the eyes."""
    out = np.zeros(len(model.template), bool)
    eyes = _eyes(model)
    if not eyes.any():
        return out
    points = model.template.astype(np.float64)
    piece = pieces(model.faces, len(points))
    skin = np.bincount(piece[model.faces[:, 0]]).argmax()
    balls = [points[piece == number] for number in np.setdiff1d(piece[eyes], skin)]
    near = np.zeros(len(points), bool)
    for ball in balls:
        centre = (ball.min(0) + ball.max(0)) / 2
        near |= np.linalg.norm(points - centre, axis=1) < AROUND * np.linalg.norm(ball - centre, axis=1).max()
    rows = np.flatnonzero(near & (piece == skin))
    normals = vertex_normals(points, model.faces).astype(np.float64)
    directions = sphere_directions(DIRECTIONS)
    reach = float(np.ptp(points, axis=0).max())
    out[rows] = sky_seen(RayCaster(points, model.faces), points[rows], normals[rows], reach, directions) == 0
    return out


def _eyes(model: BodyModel) -> np.ndarray:
    """(V,) bool."""
    if model.parts is None or "eyes" not in model.part_names:
        return np.zeros(len(model.template), bool)
    return model.parts == list(model.part_names).index("eyes")
