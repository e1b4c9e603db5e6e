"""The head as hair and hats see it: a posed body in; hairline, skull radius and clearance from the skin out.

Everything is in the head's own frame: the axes of the T-pose (+Z out of the face, Y up), origin in the middle of the
skull. Azimuth is 0 in front and grows to the person's left. `up` says where the sky is, so that hair can hang.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from lookalike.body.model import Body
from lookalike.errors import BodyModelError
from lookalike.people.forms import Form, unit
from lookalike.people.scene import Piece
from lookalike.render.raycast import RayCaster

#: From chin to crown of an average adult; lengths of styles are meant for such a head.
ADULT_HEAD = 0.221

#: Rows (elevation, from -90 to 90 degrees) and columns (azimuth) of the radius maps.
ROWS, COLUMNS = 61, 96

#: How high above the middle of the skull hair begins, as shares of the head's height, by azimuth in degrees.
HAIRLINE = (
    (0, 0.165),
    (25, 0.175),
    (45, 0.13),
    (58, 0.06),
    (68, 0.0),
    (74, -0.13),
    (80, -0.20),
    (85, -0.19),
    (89, -0.05),
    (97, -0.02),
    (107, -0.04),
    (116, -0.17),
    (126, -0.33),
    (145, -0.47),
    (180, -0.49),
)


@dataclass(frozen=True)
class Head:
    """A head and what is around it.

    Attributes
    ----------
    rotation : (3, 3), shift : (3,): from the head's frame to the room's.
    size : metres from chin to crown.  up : (3,) unit, away from the ground.
    brow, chin, ear : heights of the brows, the chin's tip and the ears' middle.
    skull, outer : (ROWS, COLUMNS) radius of the skull and of the outermost skin (ears, nose).
    """

    rotation: np.ndarray
    shift: np.ndarray
    size: float
    up: np.ndarray
    brow: float
    chin: float
    ear: float
    skull: np.ndarray
    outer: np.ndarray
    _points: np.ndarray
    _normals: np.ndarray
    _tree: cKDTree

    @classmethod
    def of(cls, body: Body, over: Sequence[Piece] = ()) -> Head:
        """The head of a body. over : clothes that hair lies upon, posed."""
        model = body.model
        joint = model.joint_names.index("head")
        rotation = body.transforms[joint][:3, :3].astype(np.float64)
        centre, size = skull_centre(body)
        shift = rotation @ centre + body.transforms[joint][:3, 3]
        names = ("head", "neck", "torso", "left_arm", "right_arm")
        wanted = np.isin(parts_of(body), [model.part_names.index(n) for n in names])
        new = np.cumsum(wanted) - 1
        faces = new[model.faces[wanted[model.faces].all(1)]]
        points = (body.vertices[wanted].astype(np.float64) - shift) @ rotation
        normals = body.normals[wanted].astype(np.float64) @ rotation
        near = (np.abs(points[faces[:, 0]]) < 1.3 * size).all(1)
        caster = RayCaster(points, faces[near], threads=1)
        ways = directions(*_angles())
        flat = ways.reshape(-1, 3)
        skull = caster.cast(np.zeros(3), flat).depth
        outer = size - caster.cast(size * flat, -flat).depth
        skull = np.where(np.isfinite(skull), skull, 0.45 * size)
        outer = np.maximum(np.where(np.isfinite(outer), outer, skull), skull)
        marks = model.landmark_points(body.rest, ["face/105", "face/152", "left_ear"])
        brow, chin, ear = (float(y - centre[1]) for y in marks[:, 1])
        solid = points, normals
        for piece in over:
            place = (piece.vertices.astype(np.float64) - shift) @ rotation
            close = (np.abs(place) < 4 * size).all(1)
            own = piece.smooth.astype(np.float64) @ rotation
            if close.any():
                # What a garment hides no longer counts: hair must not come to lie between skin and cloth.
                reach = 0.25 * size
                distance, nearest = cKDTree(place[close]).query(solid[0], distance_upper_bound=reach)
                nearest = np.minimum(nearest, close.sum() - 1)  # of what is farther away, which does not matter
                depth = np.einsum("ni,ni->n", solid[0] - place[close][nearest], own[close][nearest])
                bare = (depth > 0) | (distance > reach)
                solid = tuple(np.concatenate([a[bare], b[close]]) for a, b in zip(solid, (place, own), strict=True))
        return cls(
            rotation,
            shift,
            size,
            rotation.T @ np.array([0.0, 1.0, 0.0]),
            brow,
            chin,
            ear,
            skull.reshape(ROWS, COLUMNS).astype(np.float64),
            outer.reshape(ROWS, COLUMNS).astype(np.float64),
            solid[0],
            solid[1].astype(np.float64),
            cKDTree(solid[0]),
        )

    @property
    def scale(self) -> float:
        """How large it is beside an average adult's."""
        return self.size / ADULT_HEAD

    def placed(self, form: Form) -> Form:
        """A form of the head's frame in the room."""
        return form.turned(self.rotation, self.shift)

    def radius(self, ways: np.ndarray, outer: bool = False) -> np.ndarray:
        """(...) of the skull, or of the outermost skin, along directions (..., 3)."""
        azimuth = np.arctan2(ways[..., 0], ways[..., 2])
        elevation = np.arctan2(ways[..., 1], np.hypot(ways[..., 0], ways[..., 2]))
        y = (elevation / np.pi + 0.5) * (ROWS - 1)
        x = (azimuth / (2 * np.pi)) % 1 * COLUMNS
        i = np.clip(y.astype(int), 0, ROWS - 2)
        j = x.astype(int) % COLUMNS
        a, b = y - i, x - np.floor(x)
        k = (j + 1) % COLUMNS
        field = self.outer if outer else self.skull
        below, above = field[i, j] * (1 - b) + field[i, k] * b, field[i + 1, j] * (1 - b) + field[i + 1, k] * b
        return below * (1 - a) + above * a

    def surface(self, ways: np.ndarray, height: np.ndarray | float = 0.0, outer: bool = False) -> np.ndarray:
        """(..., 3) points over the skull in directions (..., 3), `height` metres further out."""
        ways = unit(ways)
        return ways * (self.radius(ways, outer) + height)[..., None]

    def clearance(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Signed distance (n,) of points (n, 3) from skin and clothes, positive outside, and its direction (n, 3).

        The planes of the three nearest vertices, blended: good to a millimetre near the skin, rough further away.
        """
        distance, index = self._tree.query(points, k=3)
        weight = 1 / (distance**2 + 1e-6)
        weight /= weight.sum(1, keepdims=True)
        normal = self._normals[index]
        away = np.einsum("nki,nki->nk", points[:, None] - self._points[index], normal)
        return (weight * away).sum(1), unit((weight[..., None] * normal).sum(1))

    def hairline(self, azimuth: np.ndarray, table: Sequence[Sequence[float]] | np.ndarray = HAIRLINE) -> np.ndarray:
        """(n,) elevations (radians) where hair begins, by azimuth (radians)."""
        degrees, share = np.array(table, float).T
        height = np.interp(np.degrees(np.abs(np.mod(azimuth + np.pi, 2 * np.pi) - np.pi)), degrees, share) * self.size
        steps = np.radians(np.linspace(75, -80, 80))
        points = self.surface(directions(steps[:, None], azimuth[None]))
        above = (points[..., 1] > height).cumprod(0).sum(0)
        low = np.clip(above, 1, len(steps) - 1)
        column = np.arange(len(azimuth))
        a, b = points[low - 1, column, 1], points[low, column, 1]
        part = np.clip((a - height) / np.maximum(a - b, 1e-9), 0, 1)
        return steps[low - 1] + part * (steps[low] - steps[low - 1])


def parts_of(body: Body) -> np.ndarray:
    """(V,) the part each vertex belongs to. Raises `BodyModelError` for models that do not know."""
    if body.model.parts is None:
        raise BodyModelError("Hair and things worn need the bundled body model: leave out --body-model.")
    return body.model.parts


def skull_centre(body: Body) -> tuple[np.ndarray, float]:
    """The middle of the skull (3,) in the T-pose, and the head's height from chin to crown."""
    model = body.model
    head = body.rest[parts_of(body) == model.part_names.index("head")].astype(np.float64)
    chin = model.landmark_points(body.rest, ["face/152"])[0, 1]
    size = float(head[:, 1].max() - chin)
    upper = head[head[:, 1] > chin + 0.6 * size]
    middle = (upper[:, 2].min() + upper[:, 2].max()) / 2
    return np.array([0.0, chin + 0.625 * size, middle]), size


def directions(elevation: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    """(..., 3) unit vectors of angles in radians that broadcast."""
    flat = np.cos(elevation)
    x, y, z = np.broadcast_arrays(flat * np.sin(azimuth), np.sin(elevation), flat * np.cos(azimuth))
    return np.stack([x, y, z], -1)


def _angles() -> tuple[np.ndarray, np.ndarray]:
    return np.radians(np.linspace(-90, 90, ROWS))[:, None], (2 * np.pi / COLUMNS) * np.arange(COLUMNS)[None]
