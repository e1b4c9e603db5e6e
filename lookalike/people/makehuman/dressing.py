"""From the base mesh and MakeHuman's assets to textured pieces: skin that no garment hides, garments, hair and eyes.

Garments are fitted to the body at rest and posed with the skin weights of the base vertices that they hang on. Coarse
quads are refined (Catmull and Clark, 1978), as the artists meant them to be.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lookalike.errors import LookalikeError
from lookalike.people.makehuman.assets import Garment, PolygonMesh
from lookalike.people.makehuman.base_mesh import BaseMesh, skinned
from lookalike.people.scene import Finish, Piece
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import RayCaster
from lookalike.surface.subdivide import catmull_clark, loop, refine_uv, split_quads

SKIN = Finish(roughness=0.48, reflectance=0.028, bleed=(0.28, 0.12, 0.07))
CLOTH = Finish(roughness=0.85, reflectance=0.03, fuzz=0.35)
LEATHER = Finish(roughness=0.42, reflectance=0.04)
HAIR = Finish(roughness=0.5, reflectance=0.035, bleed=(0.3, 0.3, 0.3))
LASHES = Finish(roughness=0.9, reflectance=0.0)
EYE = Finish(roughness=0.16, reflectance=0.03)

#: Where the two irises lie on MakeHuman's eye pictures, (u, v) from the upper left, and how far from the iris's centre
#: the picture goes for a radian on the eyeball: the iris's rim, 0.110 away, is 29 degrees from its centre.
IRISES = ((0.7041, 0.2988), (0.2915, 0.7046))
IRIS_SCALE = 0.110 / np.radians(29.0)


@dataclass(frozen=True)
class PosedBody:
    """A body of some shape and pose that garments can be put on.

    base : the base mesh.  rest : (V, 3) its vertices at rest.  transforms : (J, 4, 4) of its joints, from rest to pose.
    """

    base: BaseMesh
    rest: np.ndarray
    transforms: np.ndarray

    @property
    def vertices(self) -> np.ndarray:
        """(V, 3) posed, helper geometry included."""
        return skinned(self.rest, self.base.weights, self.transforms)

    def skin(self, picture: np.ndarray, worn: list[Garment], rounds: int = 1, finish: Finish = SKIN) -> Piece:
        """The skin that no garment hides. picture : (h, w, 3) uint8, on the base mesh's UV.  rounds : of refinement."""
        hidden = np.zeros(len(self.rest), bool)
        for garment in worn:
            hidden[garment.hidden] = True
        mesh = self.base.mesh
        shown = self.base.quads_of("body") & ~hidden[mesh.quads].all(1)
        return smooth_piece("skin", self.vertices, mesh, shown, picture, rounds, finish)

    def worn(
        self,
        garment: Garment,
        rounds: int = 1,
        finish: Finish = CLOTH,
        picture: np.ndarray | None = None,
        under: tuple[Garment, ...] = (),
    ) -> Piece:
        """A garment on this body.

        picture : (h, w, 3 or 4) uint8 instead of its own, with alpha where it is cut out.
        under : garments worn over it; what hangs on skin that they hide is left out.
        """
        vertices = skinned(garment.fitted(self.rest), garment.carried(self.base.weights), self.transforms)
        material = garment.material
        if picture is None:
            if material is None or material.diffuse is None:
                raise LookalikeError(f"The garment '{garment.name}' has no picture.")
            picture = read_picture(material.diffuse, material.transparent)
        relief = read_picture(material.normal) if material is not None and material.normal is not None else None
        hidden = np.isin(garment.corners, np.concatenate([np.empty(0, int), *(g.hidden for g in under)])).all(1)
        shown = ~hidden[garment.mesh.quads].all(1)
        piece = smooth_piece(garment.name, vertices, garment.mesh, shown, picture, rounds, finish)
        return replace(piece, relief=relief)

    def eye(self, side: str, picture: np.ndarray, look: tuple[float, float] = (0.0, 0.0)) -> Piece:
        """An eyeball, a sphere set into the base mesh's eye.

        side : "l" or "r".  picture : (h, w, 3) uint8, one of MakeHuman's eyes.
        look : degrees to the left of the person and upwards, from straight ahead of the head.
        """
        mesh, base = self.base.mesh, self.base
        corner = np.unique(mesh.quads[base.quads_of(f"helper-{side}-eye")])
        rest = self.rest[corner]
        centre, radius = fit_sphere(rest)
        turn = self.transforms[base.joint_names.index("Head")]
        yaw, pitch = np.radians(look)
        forward = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
        right = np.cross((0, 1, 0), forward)
        right /= np.linalg.norm(right)
        axes = np.stack([right, np.cross(forward, right), forward])
        piece = eyeball(radius, picture, IRISES["lr".index(side)])
        placed = piece.vertices @ axes @ turn[:3, :3].T + turn[:3, :3] @ centre + turn[:3, 3]
        return replace(piece, name=f"{side}-eye", vertices=placed)


def eyeball(radius: float, picture: np.ndarray, iris: tuple[float, float], rings: int = 24, spokes: int = 48) -> Piece:
    """The front three quarters of an eye about the origin, looking along +Z, its iris at `iris` of the picture."""
    angle = np.radians(130) * np.arange(rings + 1) / rings
    round_ = 2 * np.pi * np.arange(spokes) / spokes
    a, r = (g.ravel() for g in np.meshgrid(angle, round_, indexing="ij"))
    vertices = radius * np.stack([np.sin(a) * np.cos(r), np.sin(a) * np.sin(r), np.cos(a)], 1)
    reach = IRIS_SCALE * np.minimum(a, np.radians(70))
    uv = np.array(iris) + np.stack([reach * np.cos(r), -reach * np.sin(r)], 1)
    ring, spoke = (g.ravel() for g in np.meshgrid(np.arange(rings), np.arange(spokes), indexing="ij"))
    ahead = (spoke + 1) % spokes
    quads = np.stack(
        [ring * spokes + spoke, (ring + 1) * spokes + spoke, (ring + 1) * spokes + ahead, ring * spokes + ahead], 1
    )
    faces = split_quads(quads)
    return Piece("eye", vertices, faces, uv.astype(np.float32), faces, picture, finish=EYE)


def fit_sphere(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre and radius of the sphere nearest to points (n, 3), by linear least squares."""
    system = np.concatenate([2 * points, np.ones((len(points), 1))], 1)
    solution = np.linalg.lstsq(system, (points**2).sum(1), rcond=None)[0]
    centre = solution[:3]
    return centre, float(np.sqrt(solution[3] + centre @ centre))


def tucked(skin: Piece, garment: Piece, within: float = 0.02, gap: float = 0.003) -> Piece:
    """Skin that pokes out of a garment by up to `within`, pushed back until it lies `gap` below it (metres)."""
    normals = vertex_normals(skin.vertices, skin.faces)
    caster = RayCaster(garment.vertices, garment.faces)
    hits = caster.cast(skin.vertices + gap * normals, -normals)
    corners = garment.vertices[garment.faces[hits.face]]
    outward = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    out = hits.hit & (hits.depth < within + gap) & (np.einsum("ni,ni->n", outward, normals) > 0)
    inwards = np.where(out, hits.depth, 0)[:, None]
    return replace(skin, vertices=skin.vertices - inwards * normals)


def smooth_piece(
    name: str,
    vertices: np.ndarray,
    mesh: PolygonMesh,
    shown: np.ndarray,
    picture: np.ndarray,
    rounds: int,
    finish: Finish,
) -> Piece:
    """A piece of some of a mesh's quads, refined. vertices : (n, 3) of the mesh.  shown : (q,) bool."""
    used, quads = np.unique(mesh.quads[shown], return_inverse=True)
    quads, quad_uv = quads.reshape(-1, 4).astype(np.int32), mesh.quad_uv[shown]
    points, uv = vertices[used], mesh.uv
    faces, face_uv = split_quads(quads), split_quads(quad_uv)
    if rounds:
        refined = catmull_clark(quads, len(points))
        uv, face_uv = refine_uv(uv, quad_uv)
        points, faces = refined.apply(points), refined.faces
    for _ in range(rounds - 1):
        refined = loop(faces, len(points))
        uv, face_uv = refine_uv(uv, face_uv)
        points, faces = refined.apply(points), refined.faces
    solid = (faces != np.roll(faces, 1, axis=1)).all(1)
    return Piece(name, points, faces[solid], uv, face_uv[solid], picture, finish=finish)


def read_picture(path: str | Path, alpha: bool = False) -> np.ndarray:
    """(h, w, 3) uint8, or (h, w, 4) with `alpha`."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return np.array(image.convert("RGBA" if alpha else "RGB"))
    except OSError as error:
        raise LookalikeError(f"Cannot read the picture {path}: {error}.") from None
