"""What a picture is taken of: textured pieces of surface, ready for rays, with holes where textures have them.

Hair cards, eyelashes and eyebrows are polygons whose texture's alpha says where there is hair. Rays take such a hit
with the probability of its alpha and otherwise go on (stochastic transparency: Enderton et al., 2010), so that layers
of hair need no sorting, and shadows pass through gaps alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lookalike.people.looks.paint import Paint, as_paint
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import Hits, RayCaster
from lookalike.render.texture import Texture

#: How many layers of hair a ray may pass.
LAYERS = 24

#: Rays go on this far (metres) behind the surface that they left or passed.
STEP = 2e-4


@dataclass(frozen=True)
class Finish:
    """How a surface answers light, besides its colour.

    Attributes
    ----------
    roughness : of the gloss, in (0, 1].  reflectance : of the gloss seen head-on, 0.04 for most things.
    bleed : (3,) red, green, blue: how far diffuse light creeps round into the shadow; skin bleeds red.
    fuzz : extra light at grazing angles, as woven cloth has it.
    """

    roughness: float = 0.6
    reflectance: float = 0.04
    bleed: tuple[float, float, float] = (0.0, 0.0, 0.0)
    fuzz: float = 0.0


@dataclass(frozen=True)
class Piece:
    """One textured surface.

    Attributes
    ----------
    name : what it is, such as "skin" or "short02".
    vertices : (n, 3) metres.  faces : (m, 3), counter-clockwise from outside.
    uv : (t, 2) origin upper left.  face_uv : (m, 3).
    colour : (h, w, 3) uint8 sRGB, or (h, w, 4) where alpha cuts the surface out, or a `Paint`.
    relief : (h, w, 3) uint8 normal map in glTF's convention, or None.
    finish : how it answers light.
    normals : (n, 3) unit, or None for the surface's own.
    label : what it is for part labels, one of `sample.LABELS`.
    """

    name: str
    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    face_uv: np.ndarray
    colour: np.ndarray | Paint
    relief: np.ndarray | None = None
    finish: Finish = Finish()
    normals: np.ndarray | None = None
    label: str = "skin"

    @cached_property
    def smooth(self) -> np.ndarray:
        """(n, 3) unit normals: those given, or the surface's own."""
        return vertex_normals(self.vertices, self.faces) if self.normals is None else self.normals

    @property
    def cut_out(self) -> bool:
        """Whether alpha makes holes."""
        return self.colour.shape[2] == 4 if isinstance(self.colour, np.ndarray) else self.colour.holes


@dataclass(frozen=True)
class Points:
    """Places on the scene's surface that rays met, r of them.

    Attributes
    ----------
    place : (r, 3) float32.  normal : (r, 3) unit, smooth and with relief, towards the ray's origin.
    flat : (r, 3) unit, the face's own, towards the ray's origin.  colour : (r, 3) linear albedo.
    piece : (r,) which piece.
    """

    place: np.ndarray
    normal: np.ndarray
    flat: np.ndarray
    colour: np.ndarray
    piece: np.ndarray


class Scene:
    """Pieces made ready for rays.

    pieces : at least one.
    spacing : metres between neighbouring samples of the picture, which chooses the textures' size.
    """

    def __init__(self, pieces: list[Piece], spacing: float = 5e-4, threads: int | None = None):
        self.pieces = tuple(pieces)
        start = np.cumsum([0] + [len(p.vertices) for p in pieces])
        uv_start = np.cumsum([0] + [len(p.uv) for p in pieces])
        self.vertices = np.concatenate([p.vertices for p in pieces]).astype(np.float32)
        self.faces = np.concatenate([p.faces + s for p, s in zip(pieces, start[:-1], strict=True)]).astype(np.int32)
        self.uv = np.concatenate([p.uv for p in pieces]).astype(np.float32)
        self.face_uv = np.concatenate([p.face_uv + s for p, s in zip(pieces, uv_start[:-1], strict=True)]).astype(
            np.int32
        )
        #: (m,) which piece each face belongs to.
        self.piece = np.repeat(np.arange(len(pieces), dtype=np.int16), [len(p.faces) for p in pieces])
        #: (n, 3) smooth unit normals.
        self.normals = np.concatenate([p.smooth for p in pieces]).astype(np.float32)
        #: One a piece.
        self.paints = tuple(as_paint(p.colour) for p in pieces)
        self._reliefs = [None if p.relief is None else Texture(p.relief[..., :3]) for p in pieces]
        #: (pieces,) the picture's spacing in the unit of each piece's uv.
        self.uv_spacing = [spacing * _uv_density(p) for p in pieces]
        #: (pieces, 3) linear mean colour of each piece, weighted by alpha.
        self.mean_colour = np.stack([p.mean for p in self.paints]).astype(np.float32)
        #: (m,) bool: faces that a ray may pass.
        self.holes = np.array([p.holes for p in self.paints])[self.piece]
        #: Faces of either kind have a hierarchy of their own, so that most rays need not stop at holes.
        self._solid_faces, self._sheer_faces = np.flatnonzero(~self.holes), np.flatnonzero(self.holes)
        self.solid = RayCaster(self.vertices, self.faces[self._solid_faces], threads)
        self.sheer = RayCaster(self.vertices, self.faces[self._sheer_faces], threads)
        #: (3,) the middle of the box around everything.
        self.middle = ((self.solid.low + self.solid.high) / 2).astype(np.float32)

    def cast(self, origins: np.ndarray, directions: np.ndarray, rng: np.random.Generator | None = None) -> Hits:
        """What each ray meets first, holes passed. origins : (r, 3) or (3,).  directions : (r, 3).

        rng : takes a hit with the probability of its alpha; None takes those with alpha above one half.
        """
        hits = self.solid.cast(origins, directions)
        if not len(self._sheer_faces):
            return hits
        hits.face[hits.hit] = self._solid_faces[hits.face[hits.hit]]
        step = STEP / np.linalg.norm(directions, axis=1)
        begin = np.broadcast_to(origins, directions.shape).astype(np.float32)
        pending, way = np.arange(len(directions)), directions
        passed = np.zeros(len(directions), np.float32)
        for _ in range(LAYERS):
            ahead = self.sheer.cast(begin, way)
            met = np.flatnonzero(ahead.hit & (ahead.depth + passed < hits.depth[pending]))
            if not len(met):
                break
            face, bary = self._sheer_faces[ahead.face[met]], ahead.bary[met]
            depth = ahead.depth[met] + passed[met]
            least = 0.5 if rng is None else rng.random(len(met), np.float32)
            taken = self._alpha(face, bary) > least
            ray = pending[met]
            hits.face[ray[taken]], hits.bary[ray[taken]], hits.depth[ray[taken]] = (
                face[taken],
                bary[taken],
                depth[taken],
            )
            pending, passed = ray[~taken], depth[~taken] + step[ray[~taken]]
            way = directions[pending]
            begin = (np.broadcast_to(origins, directions.shape)[pending] + passed[:, None] * way).astype(np.float32)
        return hits

    def blocked(self, origins: np.ndarray, directions: np.ndarray, far: float, rng: np.random.Generator) -> np.ndarray:
        """(r,) bool: whether something lies on each ray within `far` direction lengths; holes let light through."""
        out = self.solid.occluded(origins, directions, far)
        if not len(self._sheer_faces):
            return out
        pending = np.flatnonzero(~out)
        begin = np.broadcast_to(origins, directions.shape)[pending].astype(np.float32)
        way = directions[pending]
        step = STEP / np.linalg.norm(way, axis=1)
        left = np.full(len(pending), far, np.float32)
        for _ in range(LAYERS):
            if not len(pending):
                break
            hits = self.sheer.cast(begin, way)
            met = np.flatnonzero(hits.hit & (hits.depth < left))
            alpha = self._alpha(self._sheer_faces[hits.face[met]], hits.bary[met])
            taken = alpha > rng.random(len(met), np.float32)
            out[pending[met[taken]]] = True
            on = met[~taken]
            moved = hits.depth[on] + step[on]
            pending, begin, way = pending[on], begin[on] + moved[:, None] * way[on], way[on]
            left, step = left[on] - moved, step[on]
        return out

    def points(self, origins: np.ndarray, directions: np.ndarray, hits: Hits) -> Points:
        """The surface at the hits (all must be hits). origins : (r, 3) or (3,).  directions : (r, 3)."""
        face, bary = hits.face, hits.bary
        place = (origins + hits.depth[:, None] * directions).astype(np.float32)
        corner = np.take(self.faces, face, 0)
        normal = unit(blend(self.normals, corner, bary))
        uv = blend(self.uv, np.take(self.face_uv, face, 0), bary)
        corners, piece = np.take(self.vertices, corner, 0), self.piece[face]
        flat = unit(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
        colour = np.empty((len(face), 3), np.float32)
        for i, paint in enumerate(self.paints):
            mine = np.flatnonzero(piece == i)
            if not len(mine):
                continue
            colour[mine] = paint.sample(np.take(uv, mine, 0), self.uv_spacing[i])[:, :3]
            relief = self._reliefs[i]
            if relief is not None:
                level = int(round(np.log2(max(self.uv_spacing[i] * np.sqrt(np.prod(relief.size)), 1.0))))
                bump = relief.sample(uv[mine], level).astype(np.float32) / 127.5 - 1
                along, across = tangents(corners[mine], self.uv[self.face_uv[face[mine]]])
                normal[mine] = unit(
                    normal[mine] * np.maximum(bump[:, 2:], 0.1) + along * bump[:, :1] + across * bump[:, 1:2]
                )
        away = np.where(np.einsum("ri,ri->r", flat, directions) > 0, -1, 1).astype(np.float32)[:, None]
        return Points(place, normal * away, flat * away, np.clip(colour, 0, 1), piece)

    def solid_piece(self, face: np.ndarray) -> np.ndarray:
        """(r,) the pieces of faces (r,) of `solid`."""
        return self.piece[self._solid_faces[face]]

    def sheer_alpha(self, face: np.ndarray, bary: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(r,) alpha at places on faces (r,) of `sheer`, and their pieces (r,). bary : (r, 3)."""
        every = self._sheer_faces[face]
        return self._alpha(every, bary), self.piece[every]

    def _alpha(self, face: np.ndarray, bary: np.ndarray) -> np.ndarray:
        """(r,) alpha at places on faces with holes."""
        uv = blend(self.uv, self.face_uv[face], bary)
        out, piece = np.ones(len(face), np.float32), self.piece[face]
        for i in np.unique(piece):
            mine = np.flatnonzero(piece == i)
            out[mine] = self.paints[i].sample(uv[mine], self.uv_spacing[i])[:, 3]
        return out


def _uv_density(piece: Piece) -> float:
    """How much of uv a metre of a piece covers: the median, so that faces across seams do not count."""
    # A few thousand faces tell as much as all.
    some = slice(None, None, max(1, len(piece.faces) // 4000))
    corners, uv = piece.vertices[piece.faces[some]], piece.uv[piece.face_uv[some]]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    a, b = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    covered = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
    density = np.sqrt(covered / np.maximum(area, 1e-12))
    order = np.argsort(density, kind="stable")
    half = np.searchsorted(np.cumsum(area[order]), area.sum() / 2)
    return float(density[order[min(int(half), len(order) - 1)]]) if len(order) else 0.0


def tangents(corners: np.ndarray, uv: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit directions (m, 3) of growing u and of shrinking v (a normal map's x and y) on each face."""
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    p, q = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    side = np.sign(p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0])[:, None]
    return unit((a * q[:, 1:] - b * p[:, 1:]) * side), unit((a * q[:, :1] - b * p[:, :1]) * side)


def blend(values: np.ndarray, corners: np.ndarray, bary: np.ndarray) -> np.ndarray:
    """(r, k) values (n, k) at places given by three indices and three weights each, (r, 3)."""
    out = np.take(values, corners[:, 0], 0) * bary[:, :1]
    out += np.take(values, corners[:, 1], 0) * bary[:, 1:2]
    out += np.take(values, corners[:, 2], 0) * bary[:, 2:]
    return out


def unit(vectors: np.ndarray) -> np.ndarray:
    """(r, 3) float32 unit vectors."""
    length = np.sqrt(np.einsum("pi,pi->p", vectors, vectors))
    return (vectors / np.maximum(length, 1e-12)[:, None]).astype(np.float32)
