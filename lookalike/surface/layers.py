"""What lies along the view rays of a mesh: vertices, a ray caster and predicted maps in; `Seen` and `Gaps` out.

A vertex on the first layer of its ray is compared with the front maps, one on the last layer with the back maps. Layers
that follow each other on a ray must keep their order: when vertices move along their rays, that is all that can go wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lookalike.maps.maps import Maps
from lookalike.render.raycast import RayCaster

if TYPE_CHECKING:
    from lookalike.maps.network import PredictedMaps

#: Cosines of the angle between normal and ray: below the first the maps do not count, above the second in full.
GRAZING = (0.12, 0.4)
#: Cosines between the mesh's normal and the predicted one, likewise.
AGREE = (-0.2, 0.4)
#: Layers nearer than this many metres are one: a vertex on a ray's first hit.
LAYER = 0.002
#: Depths that differ by more metres between neighbouring pixels belong to different layers.
JUMP = 0.025
#: Maps are smoothed over this many pixels before vertices read them.
PREFILTER = 1.2
#: Metres: depths that are off the common lean by more count less for it.
LEAN_SCALE = 0.05
#: Thickness, metres, that is kept between the two sides of a part, and between parts.
THICKNESS, CLEARANCE = 0.006, 0.001


@dataclass(frozen=True)
class Seen:
    """What maps say at a mesh's n vertices.

    weight : (n,) in [0, 1], zero where they say nothing.  confidence : (n,) in [0, 1] of the normals.
    normals : (n, 3) unit.  move : (n,) metres along the ray to the predicted depth.  side : (n,) 1 front, -1 back, 0 neither.
    """

    weight: np.ndarray
    confidence: np.ndarray
    normals: np.ndarray
    move: np.ndarray
    side: np.ndarray


def look(
    vertices: np.ndarray, normals: np.ndarray, caster: RayCaster, predicted: PredictedMaps, level: bool = True
) -> Seen:
    """What the maps say at vertices (n, 3) with normals (n, 3). level : take the moves' common level and lean off."""
    maps = predicted.maps
    pixels = maps.camera.project(vertices)
    distance = np.linalg.norm(vertices, axis=1)
    rays = vertices / distance[:, None]
    far = distance.max() + 1.0
    first = caster.cast(np.zeros(3), rays).depth > distance - LAYER
    last = caster.cast(far * rays, -rays).depth > far - distance - LAYER
    towards = -np.einsum("ni,ni->n", normals, rays)
    side = np.where(first & (towards > 0), 1, np.where(last & (towards < 0), -1, 0))
    out = Seen(
        np.zeros(len(vertices)),
        np.zeros(len(vertices)),
        np.zeros((len(vertices), 3)),
        np.zeros(len(vertices)),
        side,
    )
    for number, sign in ((0, 1), (1, -1)):
        mine = np.flatnonzero(side == sign)
        values = _read(maps, predicted.confidence[..., number], sign < 0, pixels[mine])
        trust, confidence, normal, depth = values[:, 0], values[:, 1], values[:, 2:5], values[:, 5]
        size = np.linalg.norm(normal, axis=1)
        normal = normal / np.maximum(size, 1e-9)[:, None]
        lean = -sign * np.einsum("ni,ni->n", normal, rays[mine])
        agree = np.einsum("ni,ni->n", normal, normals[mine])
        # The mesh's own normal does not matter: a cleft's steep sides, seen as a flat of cloth, become flat.
        known = trust * _ramp(lean, *GRAZING) * (size > 0.2)
        out.weight[mine] = known
        out.confidence[mine] = confidence**2 * _ramp(agree, *AGREE)
        out.normals[mine] = normal
        out.move[mine] = depth + vertices[mine, 2]
    if not level:
        out.move[:] = np.where(side != 0, out.move / -rays[:, 2], 0)
        return out
    known = out.weight > 0.3
    # How far away the person stands, a picture does not tell, and how far it leans to or from the camera the fit knows
    # better, which expects people to stand upright.
    common = _level_and_lean(vertices[:, 1] / -vertices[:, 2], out.move, known)
    out.move[:] = np.where(side != 0, (out.move - common) / -rays[:, 2], 0)
    return out


def _level_and_lean(height: np.ndarray, move: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(n,) the straight line, robust, that moves (n,) follow over the height (n,) in the picture, where they are known."""
    if not known.any():
        return np.zeros(len(move))
    rows = np.column_stack([height, np.ones_like(height)])
    line = np.array([0.0, np.median(move[known])])
    for _ in range(6):
        off = move[known] - rows[known] @ line
        weight = 1 / (1 + (off / LEAN_SCALE) ** 2)
        a = rows[known] * weight[:, None]
        line = np.linalg.solve(a.T @ rows[known] + 1e-9 * np.eye(2), a.T @ move[known])
    return rows @ line


def _read(maps: Maps, confidence: np.ndarray, back: bool, pixels: np.ndarray) -> np.ndarray:
    """(k, 6) trust, confidence, normal and depth of one side at pixels (k, 2)."""
    import cv2

    normal, depth = (maps.normals_back, maps.depth_back) if back else (maps.normals_front, maps.depth_front)
    inside = maps.mask & np.isfinite(depth)
    filled = np.where(inside, depth, np.float32(0))
    square = np.ones((3, 3), np.uint8)
    highest = cv2.dilate(np.where(inside, depth, np.float32(-1e3)), square)
    lowest = cv2.erode(np.where(inside, depth, np.float32(1e3)), square)
    whole = inside & (highest - lowest < JUMP)
    trust = cv2.erode(whole.astype(np.uint8), square, borderValue=0).astype(np.float32)
    # Averages over what belongs together only: pixels beyond a jump or the outline would bend what they are averaged with.
    share = np.maximum(whole.astype(np.float32), np.float32(1e-3) * inside)[..., None]
    stack = share * np.dstack([confidence, normal, filled, np.ones_like(filled)])
    stack = cv2.GaussianBlur(stack.astype(np.float32), (0, 0), PREFILTER)
    stack[..., :5] /= np.maximum(stack[..., 5:], 1e-9)
    stack[..., 5] = cv2.GaussianBlur(trust, (0, 0), 1.0)
    where = (pixels - 0.5).astype(np.float32)
    # remap takes up to four channels and images of less than 32768 pixels a side: the list of vertices becomes a square
    side = int(np.ceil(np.sqrt(max(len(where), 1))))
    grid = np.full((side * side, 2), -10, np.float32)
    grid[: len(where)] = where
    grid = grid.reshape(side, side, 2)
    parts = [
        cv2.remap(np.ascontiguousarray(stack[..., channels]), grid, None, cv2.INTER_LINEAR)
        for channels in (slice(0, 4), slice(4, 6))
    ]
    out = np.dstack(parts).reshape(-1, 6)[: len(where)].astype(float)
    return out[:, [5, 0, 1, 2, 3, 4]]


@dataclass(frozen=True)
class Gaps:
    """The next layers along the rays of a mesh's n vertices, away from the camera and towards it.

    vertex : (k,) the vertices that have one.  corners : (k, 3), bary : (k, 3): where on the mesh the next layer lies.
    gap : (k,) metres along the ray.  least : (k,) what has to be left of it.  sign : (k,) 1 away from the camera, -1 towards.
    """

    vertex: np.ndarray
    corners: np.ndarray
    bary: np.ndarray
    gap: np.ndarray
    least: np.ndarray
    sign: np.ndarray

    @classmethod
    def find(cls, vertices: np.ndarray, normals: np.ndarray, caster: RayCaster) -> Gaps:
        """The gaps of vertices (n, 3) with normals (n, 3)."""
        rays = vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
        outward = np.einsum("ni,ni->n", normals, rays)
        found = []
        for sign in (1.0, -1.0):
            hits = caster.cast(vertices + sign * 2e-4 * rays, sign * rays)
            near = np.flatnonzero(hits.hit & (hits.depth < 0.3) & (np.abs(outward) > 0.1))
            inside = sign * outward[near] < 0
            gap = hits.depth[near].astype(float) + 2e-4
            least = np.minimum(np.where(inside, THICKNESS, CLEARANCE), 0.7 * gap)
            found.append((near, caster.faces[hits.face[near]], hits.bary[near], gap, least, np.full(len(near), sign)))
        return cls(*(np.concatenate(parts) for parts in zip(*found, strict=True)))

    def parted(self, move: np.ndarray, fixed: np.ndarray, rounds: int = 12) -> np.ndarray:
        """The move (n,) changed so that no vertex passes the next layer; both sides give way by half.

        fixed : (n,) bool, vertices that do not give way.
        """
        out = move.copy()
        for _ in range(rounds):
            other = np.einsum("ki,ki->k", out[self.corners], self.bary)
            left = self.gap + self.sign * (other - out[self.vertex])
            short = np.maximum(self.least - left, 0)
            if short.max(initial=0) < 1e-5:
                break
            give = np.zeros((2, len(out)))
            away = self.sign > 0
            np.maximum.at(give[0], self.vertex[away], short[away])
            np.maximum.at(give[1], self.vertex[~away], short[~away])
            out += np.where(fixed, 0, 0.5) * (give[1] - give[0])
        return out


def _ramp(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, linear between."""
    return np.clip((x - low) / (high - low), 0, 1)
