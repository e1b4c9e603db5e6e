"""Surfaces out of curves: tubes, lofts and shells with texture coordinates in metres. Arrays in, a `Form` out.

Hair, shoes and things worn are made of these. Texture coordinates run across (u) and along (v) a form, in metres, so
that one pattern has one size everywhere. Triangles are counter-clockwise from outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from lookalike.people.scene import Finish, Piece


@dataclass(frozen=True)
class Form:
    """A surface.

    Attributes
    ----------
    vertices : (n, 3) metres.  faces : (m, 3).  uv : (t, 2) metres.  face_uv : (m, 3).
    """

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    face_uv: np.ndarray

    def moved(self, vertices: np.ndarray) -> Form:
        """The same surface with its vertices elsewhere. vertices : (n, 3)."""
        return Form(vertices, self.faces, self.uv, self.face_uv)

    def turned(self, rotation: np.ndarray, shift: np.ndarray) -> Form:
        """Rotated by (3, 3), then shifted by (3,)."""
        return self.moved(self.vertices @ rotation.T + shift)

    def mirrored(self) -> Form:
        """Its mirror image in x, turned outwards still."""
        return Form(self.vertices * [-1.0, 1.0, 1.0], self.faces[:, ::-1], self.uv, self.face_uv[:, ::-1])

    def piece(self, name: str, label: str, paint: Any, finish: Finish) -> Piece:
        """As a piece of a scene. paint : a `Paint`."""
        return Piece(
            name=name,
            vertices=self.vertices.astype(np.float32),
            faces=self.faces.astype(np.int32),
            uv=self.uv.astype(np.float32),
            face_uv=self.face_uv.astype(np.int32),
            colour=paint,
            finish=finish,
            label=label,
        )


def joined(forms: Sequence[Form]) -> Form:
    """Several surfaces as one."""
    vertex = np.cumsum([0] + [len(f.vertices) for f in forms])
    corner = np.cumsum([0] + [len(f.uv) for f in forms])
    return Form(
        np.concatenate([f.vertices for f in forms]),
        np.concatenate([f.faces + s for f, s in zip(forms, vertex[:-1], strict=True)]),
        np.concatenate([f.uv for f in forms]),
        np.concatenate([f.face_uv + s for f, s in zip(forms, corner[:-1], strict=True)]),
    )


def sheet(grid: np.ndarray, around: bool = False) -> Form:
    """An open surface through a grid of points.

    grid : (k, m, 3): k rows of m points; seen from outside, rows go on to the left of the way along a row.
    around : whether each row's end meets its beginning.
    """
    k, m = grid.shape[:2]
    closed = np.concatenate([grid, grid[:, :1]], 1) if around else grid
    across = np.linalg.norm(np.diff(closed, axis=1), axis=2)
    u = np.concatenate([np.zeros((k, 1)), np.cumsum(across, 1)], 1)
    along = np.linalg.norm(np.diff(closed, axis=0), axis=2).mean(1)
    v = np.broadcast_to(np.r_[0, np.cumsum(along)][:, None], u.shape)
    columns = closed.shape[1]
    return Form(
        grid.reshape(-1, 3),
        _grid_faces(k, columns, m),
        np.stack([u, v], -1).reshape(-1, 2),
        _grid_faces(k, columns, columns),
    )


def tube(rings: np.ndarray, capped: bool = True) -> Form:
    """A closed solid through rings of points, its ends closed with fans.

    rings : (k, m, 3); seen along the way from the first ring to the last, points run clockwise.
    """
    body = sheet(rings, around=True)
    if not capped:
        return body
    k, m = rings.shape[:2]
    ends = np.stack([rings[0].mean(0), rings[-1].mean(0)])
    n, t = k * m, len(body.uv)
    ring = np.arange(m)
    after = (ring + 1) % m
    first = np.stack([np.full(m, n), after, ring], 1)
    last = np.stack([np.full(m, n + 1), ring + (k - 1) * m, after + (k - 1) * m], 1)
    # The caps' texture is their own outline, as if unrolled beside the tube.
    flat = []
    for points, centre in ((rings[0], ends[0]), (rings[-1], ends[1])):
        spoke = points - centre
        radius = np.linalg.norm(spoke, axis=1)
        angle = 2 * np.pi * ring / m
        flat.append(np.concatenate([np.zeros((1, 2)), np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None]]))
    cap_uv = np.concatenate(flat)
    first_uv = np.stack([np.full(m, t), t + 1 + after, t + 1 + ring], 1)
    last_uv = np.stack([np.full(m, t + m + 1), t + m + 2 + ring, t + m + 2 + after], 1)
    return Form(
        np.concatenate([body.vertices, ends]),
        np.concatenate([body.faces, first, last]),
        np.concatenate([body.uv, cap_uv]),
        np.concatenate([body.face_uv, first_uv, last_uv]),
    )


def sweep(path: np.ndarray, out: np.ndarray, profile: np.ndarray, size: np.ndarray | float = 1.0) -> Form:
    """A closed solid with a cross section drawn along a curve.

    path : (k, 3).  out : (k, 3) or (3,), which way the cross section's second axis points, roughly.
    profile : (m, 2) metres, counter-clockwise, as (across, out).  size : (k,) or one, a factor of the profile.
    """
    _, across, out = frames(path, out)
    size = np.broadcast_to(size, len(path))[:, None, None]
    rings = path[:, None] + size * (profile[None, :, :1] * across[:, None] + profile[None, :, 1:] * out[:, None])
    return tube(rings)


def loop_sweep(path: np.ndarray, out: np.ndarray, profile: np.ndarray) -> Form:
    """As `sweep` along a curve whose end meets its beginning. path : (k, 3), the first point not repeated."""
    ahead = unit(np.roll(path, -1, 0) - np.roll(path, 1, 0))
    out = np.broadcast_to(out, path.shape)
    across = unit(np.cross(out, ahead))
    out = np.cross(ahead, across)
    rings = path[:, None] + profile[None, :, :1] * across[:, None] + profile[None, :, 1:] * out[:, None]
    rings = np.concatenate([rings, rings[:1]])
    form = sheet(rings, around=True)
    # The last ring is the first one again.
    vertices = len(path) * len(profile)
    return Form(form.vertices[:vertices], form.faces % vertices, form.uv, form.face_uv)


def frames(path: np.ndarray, out: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit tangents, the direction across and the one out along curves (..., k, 3), each (..., k, 3)."""
    ahead = unit(np.gradient(path, axis=-2))
    across = unit(np.cross(np.broadcast_to(out, path.shape), ahead))
    return ahead, across, np.cross(ahead, across)


def ellipse(width: float, height: float, sides: int = 8) -> np.ndarray:
    """(sides, 2) a cross section with these full sizes, counter-clockwise."""
    angle = 2 * np.pi * (np.arange(sides) + 0.5) / sides
    return np.stack([0.5 * width * np.cos(angle), 0.5 * height * np.sin(angle)], 1)


def slab(width: float, height: float, edge: float = 0.3) -> np.ndarray:
    """(8, 2) a rectangle with bevelled corners, counter-clockwise. edge : the bevel as a share of the smaller side."""
    x, y = width / 2, height / 2
    e = edge * min(x, y)
    return np.array(
        [(x, -y + e), (x, y - e), (x - e, y), (e - x, y), (-x, y - e), (-x, e - y), (e - x, -y), (x - e, -y)]
    )


def thickened(form: Form, thickness: np.ndarray | float) -> Form:
    """A closed solid of an open surface, that grows inwards. thickness : metres, (n,) or one."""
    from lookalike.render.normals import vertex_normals

    normals = vertex_normals(form.vertices, form.faces)
    inner = form.vertices - np.broadcast_to(thickness, len(form.vertices))[:, None] * normals
    n, t = len(form.vertices), len(form.uv)
    start, end, start_uv, end_uv = _rim(form)
    walls = np.concatenate([np.stack([end, start, start + n], 1), np.stack([end, start + n, end + n], 1)])
    walls_uv = np.concatenate(
        [np.stack([end_uv, start_uv, start_uv + t], 1), np.stack([end_uv, start_uv + t, end_uv + t], 1)]
    )
    return Form(
        np.concatenate([form.vertices, inner]),
        np.concatenate([form.faces, form.faces[:, ::-1] + n, walls]),
        np.concatenate([form.uv, form.uv + 1e-3]),
        np.concatenate([form.face_uv, form.face_uv[:, ::-1] + t, walls_uv]),
    )


def _rim(form: Form) -> tuple[np.ndarray, ...]:
    """Edges that only one face has: starts and ends as vertices, starts and ends as uv, along that face."""
    start, end = form.faces.ravel(), np.roll(form.faces, -1, 1).ravel()
    start_uv, end_uv = form.face_uv.ravel(), np.roll(form.face_uv, -1, 1).ravel()
    n = len(form.vertices)
    key, back = start.astype(np.int64) * n + end, end.astype(np.int64) * n + start
    alone = ~np.isin(key, back) & (start != end)
    return start[alone], end[alone], start_uv[alone], end_uv[alone]


def _grid_faces(rows: int, columns: int, stored: int) -> np.ndarray:
    """(2 (rows - 1) (columns - 1), 3) triangles of a grid, each row of which has `stored` entries."""
    i, j = np.mgrid[: rows - 1, : columns - 1]
    a, b = i * stored + j % stored, i * stored + (j + 1) % stored
    c, d = a + stored, b + stored
    return np.concatenate([np.stack([a, b, d], -1).reshape(-1, 3), np.stack([a, d, c], -1).reshape(-1, 3)])


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., 3) of length one."""
    return vectors / np.maximum(np.sqrt(np.einsum("...i,...i->...", vectors, vectors)), 1e-12)[..., None]


def smoothstep(x: np.ndarray | float, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((np.asarray(x) - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def resampled(path: np.ndarray, count: int, close: bool = False, smooth: bool = True) -> np.ndarray:
    """(count, 3) points evenly along a curve through points (k, 3). close : whether it returns to its beginning."""
    from scipy.interpolate import CubicSpline

    points = np.concatenate([path, path[:1]]) if close else path
    place = np.r_[0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]
    at = np.linspace(0, place[-1], count, endpoint=not close)
    if smooth and len(points) > 2:
        return CubicSpline(place, points, axis=0, bc_type="periodic" if close else "not-a-knot")(at)
    return np.stack([np.interp(at, place, points[:, i]) for i in range(points.shape[1])], 1)


def ripple(points: np.ndarray, rng: np.random.Generator, size: float, waves: int = 10) -> np.ndarray:
    """(...) a smooth random field at points (..., k), of about unit variance. size : metres of its swells."""
    turns = rng.normal(0, 2.2 / size, (points.shape[-1], waves))
    return np.cos(points @ turns + rng.uniform(0, 2 * np.pi, waves)).sum(-1) * np.sqrt(2 / waves)


def lumps(points: np.ndarray, rng: np.random.Generator, size: float) -> np.ndarray:
    """(n,) in [0, 1]: a field of round bumps about as wide as `size` (Worley, 1996). points : (n, 3)."""
    low, high = points.min(0) - size, points.max(0) + size
    # Cells along each axis, one seed in each.
    cells = np.stack(np.meshgrid(*[np.arange(a, b, size) for a, b in zip(low, high, strict=True)], indexing="ij"), -1)
    seeds = cells.reshape(-1, 3) + size * rng.random((cells.size // 3, 3))
    distance = cKDTree(seeds).query(points)[0]
    return np.sqrt(np.clip(1 - (distance / size) ** 2, 0, 1))
