"""Quick pictures for training: a scene, a camera and light in, linear light and what every pixel shows out.

`look` casts one ray a pixel, front and back, from which truth maps, labels and colours are made. `snapshot` lights what
it sees: a few rays a pixel towards lamps and surroundings, a different few for each pixel of a 4 x 4 tile, averaged
over tiles that lie on one surface (interleaved sampling: Keller and Heidrich, 2001), so that nothing is left of the
noise. `photo_faults.develop_photo` makes a photo of it. The slow and exact way is `picture.photograph`.

The scene is in the camera's frame: the camera at the origin, looking along -Z.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lookalike.camera import Camera
from lookalike.maps.maps import facing_normals
from lookalike.people.photography.illumination import Light
from lookalike.people.photography.shading import Lit, gather, shade, spots
from lookalike.people.scene import Scene
from lookalike.render.raycast import Hits
from lookalike.render.shade import EDGE_RAYS

#: Pixels farther apart than this share of their depth, or with normals further apart than this cosine, are an edge.
DEPTH_STEP, CREASE = 0.008, 0.7


@dataclass(frozen=True)
class Side:
    """What the camera's rays meet first (or last).

    Attributes
    ----------
    face : (h, w) int32 into the scene's faces, -1 for nothing.  bary : (h, w, 3) float32.
    depth : (h, w) float32 metres along -Z, inf for nothing.
    piece : (h, w) int16 into the scene's pieces, -1 for nothing.
    """

    face: np.ndarray
    bary: np.ndarray
    depth: np.ndarray
    piece: np.ndarray


@dataclass(frozen=True)
class Buffers:
    """What every pixel's ray meets: first and last surface. Both know the same pixels.

    Places where a hole's alpha is below one half are passed. scene, camera : of what and through what.
    """

    scene: Scene
    camera: Camera
    front: Side
    back: Side

    @cached_property
    def mask(self) -> np.ndarray:
        """(h, w) bool: where there is something."""
        return self.front.face >= 0

    @cached_property
    def at(self) -> np.ndarray:
        """(p,) flat numbers of the mask's pixels: picking and putting by number is ten times as fast as by mask."""
        return np.flatnonzero(self.mask)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """(h, w, ...) values (p, ...) of the mask's pixels, zero outside."""
        out = np.zeros((self.mask.size, *values.shape[1:]), values.dtype)
        out[self.at] = values
        return out.reshape(*self.mask.shape, *values.shape[1:])

    def uv(self, back: bool = False) -> np.ndarray:
        """(h, w, 2) float32 texture coordinates, zero outside."""
        return self.spread(self.hits(back).interpolate(self.scene.face_uv, self.scene.uv))

    def albedo(self, back: bool = False) -> np.ndarray:
        """(h, w, 3) float32 linear colours without light and shadow, zero outside."""
        hits, scene = self.hits(back), self.scene
        piece = (self.back if back else self.front).piece.reshape(-1)[self.at]
        uv = hits.interpolate(scene.face_uv, scene.uv)
        colour = np.zeros((len(uv), 3), np.float32)
        for i in np.unique(piece):
            mine = np.flatnonzero(piece == i)
            colour[mine] = scene.paints[i].sample(np.take(uv, mine, 0), scene.uv_spacing[i])[:, :3]
        return self.spread(np.clip(colour, 0, 1))

    def normals(self, back: bool = False) -> np.ndarray:
        """(h, w, 3) float32 smooth outward unit normals in camera axes, zero outside.

        As in `maps.render_maps`: front normals face the camera along their ray, back normals face away from it.
        """
        scene = self.scene
        towards = self.rays() * np.float32(1 if back else -1)
        towards /= np.sqrt(np.einsum("pi,pi->p", towards, towards))[:, None]
        return self.spread(facing_normals(self.hits(back), scene.vertices, scene.faces, scene.normals, towards))

    def rays(self) -> np.ndarray:
        """(p, 3) directions through the centres of the mask's pixels, z = -1."""
        v, u = np.divmod(self.at, self.camera.width)
        return self.camera.rays(np.stack([u, v], 1).astype(np.float32) + np.float32(0.5))

    def hits(self, back: bool = False) -> Hits:
        """What the mask's pixels show, as a list of p."""
        side = self.back if back else self.front
        return Hits(
            side.face.reshape(-1)[self.at],
            np.take(side.bary.reshape(-1, 3), self.at, 0),
            side.depth.reshape(-1)[self.at],
        )


@dataclass(frozen=True)
class Snapshot:
    """A picture before the camera has done anything to it.

    Attributes
    ----------
    light : (h, w, 3) float32, linear, multiplied by the coverage.  coverage : (h, w) float32 in [0, 1].
    albedo : (h, w, 3) float32 linear, what `buffers.albedo()` would work out again.
    buffers : what each pixel's centre shows.
    """

    light: np.ndarray
    coverage: np.ndarray
    albedo: np.ndarray
    buffers: Buffers


def look(scene: Scene, camera: Camera) -> Buffers:
    """First and last surface along the rays through all pixels' centres."""
    rows, columns = window(scene, camera)
    v, u = np.mgrid[rows, columns].astype(np.float32) + 0.5
    rays = camera.rays(np.stack([u, v], -1)).reshape(-1, 3)
    front = scene.cast(np.zeros(3, np.float32), rays)
    hit = np.flatnonzero(front.hit)
    far = np.float32(-scene.solid.low[2] * 1.01 + 0.01)
    found = scene.cast(rays[hit] * far, -rays[hit])
    # On the outline a ray may graze the mesh one way and miss it the other: there both are the one surface.
    depth = far - found.depth
    lost = ~found.hit | (depth < front.depth[hit])
    back = Hits(front.face.copy(), front.bary.copy(), front.depth.copy())
    kept = hit[~lost]
    back.face[kept], back.bary[kept], back.depth[kept] = found.face[~lost], found.bary[~lost], depth[~lost]
    sides = [_side(scene, camera, rows, columns, hits) for hits in (front, back)]
    return Buffers(scene, camera, *sides)


def snapshot(
    scene: Scene, camera: Camera, light: Light, rng: np.random.Generator, buffers: Buffers | None = None
) -> Snapshot:
    """The scene in this light. buffers : `look(scene, camera)`, if it has been done already."""
    buffers = buffers or look(scene, camera)
    picture = np.zeros((camera.height, camera.width, 4), np.float32)
    mask = buffers.mask
    if not mask.any():
        return Snapshot(picture[..., :3], picture[..., 3], picture[..., :3].copy(), buffers)
    rows, columns = _box(mask)
    where = mask[rows, columns]
    v, u = np.divmod(buffers.at, camera.width)
    pixels = np.stack([u, v], 1)
    rays = buffers.rays()
    here = spots(scene, rays, buffers.hits())
    lit = gather(scene, here, light, pixels, where, rng)
    part = buffers.spread(np.column_stack([shade(scene, here, light, lit), np.ones(len(rays), np.float32)]))
    part = part[rows, columns]

    image = np.full(where.shape, -1, np.int32)
    image[where] = np.arange(len(rays))
    edge = _edges(image, here.depth, here.smooth, here.piece)
    fine_pixels = np.argwhere(edge)[:, ::-1] + np.array([columns.start, rows.start])
    if len(fine_pixels):
        fine = camera.rays((fine_pixels[:, None] + np.float32(0.5) + EDGE_RAYS).reshape(-1, 2).astype(np.float32))
        found = scene.cast(np.zeros(3, np.float32), fine, rng)
        met = np.flatnonzero(found.hit)
        there = spots(scene, fine[met], Hits(found.face[met], found.bary[met], found.depth[met]))
        at = np.argwhere(edge).repeat(len(EDGE_RAYS), 0)[met]
        near = _nearest(image, at, here.depth, here.piece, there.depth, there.piece)
        samples = np.zeros((len(fine), 4), np.float32)
        samples[met, :3] = shade(scene, there, light, Lit(lit.around[near], lit.lamps[:, near]))
        samples[met, 3] = 1
        part[edge] = sum(samples[k :: len(EDGE_RAYS)] for k in range(len(EDGE_RAYS))) / len(EDGE_RAYS)
    picture[rows, columns] = part
    return Snapshot(picture[..., :3], picture[..., 3], buffers.spread(here.colour), buffers)


def window(scene: Scene, camera: Camera, near: float = 1e-3) -> tuple[slice, slice]:
    """Rows and columns of the pixels that can see the scene."""
    if scene.solid.high[2] > -near:
        return slice(0, camera.height), slice(0, camera.width)
    pixels = camera.project(scene.vertices)
    first, last = np.floor(pixels.min(0)) - 1, np.ceil(pixels.max(0)) + 1
    (u0, v0), (u1, v1) = np.clip([first, last], 0, [camera.width, camera.height]).astype(int)
    return slice(v0, v1), slice(u0, u1)


def _side(scene: Scene, camera: Camera, rows: slice, columns: slice, hits: Hits) -> Side:
    shape = (camera.height, camera.width)
    face, depth = np.full(shape, -1, np.int32), np.full(shape, np.inf, np.float32)
    bary, piece = np.zeros((*shape, 3), np.float32), np.full(shape, -1, np.int16)
    inner = face[rows, columns].shape
    face[rows, columns], depth[rows, columns] = hits.face.reshape(inner), hits.depth.reshape(inner)
    bary[rows, columns] = hits.bary.reshape(*inner, 3)
    hit = np.flatnonzero(face >= 0)
    piece.reshape(-1)[hit] = scene.piece[face.reshape(-1)[hit]]
    return Side(face, bary, depth, piece)


def _box(mask: np.ndarray) -> tuple[slice, slice]:
    """The mask's bounding box, a pixel wider, for rays that hit between pixels' centres."""
    ends = []
    for axis in (1, 0):
        used = np.flatnonzero(mask.any(axis))
        ends.append(slice(max(int(used[0]) - 1, 0), min(int(used[-1]) + 2, mask.shape[1 - axis])))
    return ends[0], ends[1]


def _edges(image: np.ndarray, depth: np.ndarray, normal: np.ndarray, piece: np.ndarray) -> np.ndarray:
    """(h, w) bool: pixels beside a jump, a crease or another piece. image : (h, w) number of the pixel's spot or -1."""
    edge = np.zeros(image.shape, bool)
    for ahead, behind in (
        ((slice(1, None), slice(None)), (slice(-1), slice(None))),
        ((slice(None), slice(1, None)), (slice(None), slice(-1))),
    ):
        a, b = image[ahead], image[behind]
        jump = (a < 0) != (b < 0)
        both = (a >= 0) & (b >= 0)
        i, j = a[both], b[both]
        jump[both] = (
            (np.abs(depth[i] - depth[j]) > DEPTH_STEP * depth[i])
            | (np.einsum("pi,pi->p", normal[i], normal[j]) < CREASE)
            | (piece[i] != piece[j])
        )
        edge[ahead] |= jump
        edge[behind] |= jump
    return edge


def _nearest(image, at, depth, piece, own_depth, own_piece) -> np.ndarray:
    """(r,) number of the spot, among the pixel `at` (r, 2: row, column) and its neighbours, most like each ray's own."""
    height, width = image.shape
    best, least = np.zeros(len(at), np.int64), np.full(len(at), np.inf, np.float32)
    for dy, dx in ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)):
        y, x = np.clip(at[:, 0] + dy, 0, height - 1), np.clip(at[:, 1] + dx, 0, width - 1)
        number = image[y, x]
        cost = np.abs(depth[number] - own_depth) + 10.0 * (piece[number] != own_piece)
        cost = np.where(number < 0, np.float32(1e9), cost + 1e-4 * (abs(dx) + abs(dy)))
        better = cost < least
        best[better], least[better] = number[better], cost[better]
    return np.where(best < 0, 0, best)
