"""An outfit laid on a posed body: what is worn and how it is coloured in, labelled pieces out.

Clothes are pushed out of the skin, each layer out of the one below, and skirts out of the legs. Skin that clothes hide
is left out. Nothing has a relief: what is seen is the geometry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from lookalike.body.model import JOINTS, Body
from lookalike.people.looks.paint import Paint
from lookalike.people.makehuman.body import base_vertices, load_binding, posed
from lookalike.people.makehuman.creases import creased
from lookalike.people.makehuman.dressing import EYE, IRISES, SKIN, eyeball, fit_sphere
from lookalike.people.makehuman.pattern import Pattern, solid_skin
from lookalike.people.scene import Finish, Piece
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import RayCaster

#: Metres between skin and clothes, and between layers of clothes, at least.
GAP, LAYER = 0.003, 0.004
#: Clothes are pushed no further than this (metres): what is deeper in the body lies in a fold of it.
PUSH = 0.05
#: Cloth that is further than this from the skin of the mean body (metres) may meet a leg that it does not hang on.
LOOSE = 0.03
#: Skin above clothes by no more than this is pressed in; skin below clothes by no more than that is covered (metres).
POKE, UNDER = 0.02, 0.12
#: Hair is under a hat where the hat is nearer to the middle of the head than so many times the hair's distance.
HAT = 1.15

#: Base vertices of the two eyes.
EYES = {"l": (14598, 14670), "r": (14670, 14742)}


@dataclass(frozen=True)
class Laid:
    """A part of a garment laid on a body's T-pose, ready for folds.

    Attributes
    ----------
    name : of the garment.  label : "upper", "lower", "shoes", "accessory" or "hair".
    rest : (n, 3) metres, all of the garment.  faces : (m, 3) this part's.
    pattern : the rest: uv, face_uv, weights (n, J), near and offset.
    """

    name: str
    label: str
    rest: np.ndarray
    faces: np.ndarray
    pattern: Pattern


#: Displaces a garment's vertices before it is posed: (part, body, rng) -> (n, 3) new `rest`.
Folds = Callable[[Laid, Body, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Outfit:
    """What somebody wears and how it is coloured; a pure function of the generator that it was drawn with.

    Attributes
    ----------
    skin : the skin's colour.  eyes : of the irises.
    clothes : (pattern, label, colour, finish), innermost first.
    hair : (pattern, label, colour, finish): hair, and brows and lashes, which count as skin.
    look : degrees to the left of the head and upwards that the eyes look.
    """

    skin: Paint
    eyes: Paint
    clothes: tuple[tuple[Pattern, str, Paint, Finish], ...]
    hair: tuple[tuple[Pattern, str, Paint, Finish], ...]
    look: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Dressed:
    """A dressed body.

    Attributes
    ----------
    pieces : surfaces in the body's frame, labelled.
    covered : (V,) bool: the body's vertices that lie under clothes.
    outfit : what is worn.
    """

    pieces: list[Piece]
    covered: np.ndarray
    outfit: Outfit


def laid_on(
    body: Body, outfit: Outfit, rng: np.random.Generator, folds: Folds | None = None, creases: bool = True
) -> Dressed:
    """A body in an outfit.

    rng : for the folds only.  creases : whether garments are draped, so that they fold.
    """
    model, base = body.model, base_vertices(body)
    hidden = np.zeros(len(model.template), bool)
    # What lies on the skin so far (V,), for a body of this size.
    layers = np.zeros(len(model.template))
    normals = body.normals
    pieces: list[Piece] = []
    rests: dict[int, np.ndarray] = {}
    under: dict[int, np.ndarray] = {}
    cloth: dict[int, np.ndarray] = {}
    outer = _hidden_by(outfit, ("upper", "lower"))
    for pattern, label, paint, finish in outfit.clothes:
        if id(pattern) not in rests:
            rests[id(pattern)] = pattern.rest(body, base)
            under[id(pattern)] = layers.copy()
        rest = rests[id(pattern)]
        chosen = np.flatnonzero(pattern.label == label)
        if label == "shoes":  # socks and boot legs in trousers
            chosen = chosen[(pattern.near @ outer)[pattern.faces[chosen]].min(1) < 0.9]
        if folds is not None:
            rest = folds(Laid(pattern.garment.name, label, rest, pattern.faces[chosen], pattern), body, rng)
        vertices = posed(rest, pattern.weights, body)
        if label != "accessory":
            # the parts of one file lie on each other as their artist laid them
            vertices = _pushed_out(vertices, pattern, body, normals, under[id(pattern)])
            if creases and label != "shoes":
                if id(pattern) not in cloth:
                    cloth[id(pattern)] = creased(vertices, rest, pattern, body, under[id(pattern)], rng)
                vertices = cloth[id(pattern)]
            if label == "lower":
                vertices = _off_the_legs(vertices, pattern, chosen, body, normals)
        if label != "accessory":
            thick = pattern.thickness[label]
            # trousers go over boot legs and socks, but need not clear the shoe itself
            here = (thick > 0) & (_on_legs() if label == "shoes" else True)
            layers = np.where(here, np.maximum(layers, thick + LAYER), layers)
        hidden |= pattern.hidden[label]
        pieces.append(_part(pattern, chosen, vertices, paint, finish, label))
    clothes = [p for p in pieces if p.label != "accessory"]
    reach = np.any([p.thickness[label] > 0 for p, label, _, _ in outfit.clothes if label != "accessory"], axis=0)
    skin, covered = _skin_under(body, normals, hidden, reach, clothes)
    hats = [p for p, label, _, _ in outfit.clothes if label == "accessory"]
    for pattern, label, paint, finish in outfit.hair:
        chosen = np.arange(len(pattern.faces))
        if hats and label == "hair":
            chosen = _below_hat(pattern, hats[0])
        if len(chosen):
            vertices = posed(pattern.rest(body, base), pattern.weights, body)
            pieces.append(_part(pattern, chosen, vertices, paint, finish, label))
    shown = _skin_piece(body, skin, hidden, outfit.skin)
    return Dressed([shown, *pieces, *_eyes(body, outfit)], covered, outfit)


def _hidden_by(outfit: Outfit, labels: tuple[str, ...]) -> np.ndarray:
    """(V,) bool: skin that the outfit's parts with these labels hide."""
    return np.any([p.hidden[label] for p, label, _, _ in outfit.clothes if label in labels], axis=0)


def _pushed_out(
    vertices: np.ndarray, pattern: Pattern, body: Body, normals: np.ndarray, layers: np.ndarray
) -> np.ndarray:
    """Clothes (n, 3), those in the skin or in a layer below moved out along the skin's normals (V, 3)."""
    place, normal = pattern.near @ body.vertices, pattern.near @ normals
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    above = np.einsum("ni,ni->n", vertices - place, normal)
    beside = np.linalg.norm(vertices - place, axis=1)
    short = np.clip(GAP + pattern.near @ layers - above, 0, PUSH)
    # A skirt far from the leg whose skin it is nearest to needs no push.
    short[(beside > 0.08) & (above > -0.02)] = 0
    return vertices + short[:, None] * normal


def _off_the_legs(
    vertices: np.ndarray, pattern: Pattern, chosen: np.ndarray, body: Body, normals: np.ndarray
) -> np.ndarray:
    """A skirt (n, 3) with what legs have come through moved out of them; other vertices follow a little."""
    from scipy.spatial import cKDTree

    mine = np.unique(pattern.faces[chosen])
    loose = mine[pattern.offset[mine] > LOOSE]
    if not len(loose):
        return vertices
    legs = np.flatnonzero(_on_legs() | _on_hips())
    tree, out = cKDTree(body.vertices[legs]), vertices.copy()
    for _ in range(2):
        place = legs[tree.query(out[loose])[1]]
        above = np.einsum("ni,ni->n", out[loose] - body.vertices[place], normals[place])
        move = np.zeros_like(out)
        move[loose] = np.clip(2 * GAP - above, 0, 2 * PUSH)[:, None] * normals[place]
        out += np.where(np.abs(move).sum(1, keepdims=True) > 0, move, 0.7 * (pattern.mean @ move))
    return out


@lru_cache(maxsize=1)
def _on_legs() -> np.ndarray:
    """(V,) bool: the body's vertices that are on a leg."""
    return _moved_by("left_hip", "right_hip", "left_knee", "right_knee")


@lru_cache(maxsize=1)
def _on_hips() -> np.ndarray:
    return _moved_by("pelvis")


def _moved_by(*joints: str) -> np.ndarray:
    weights = load_binding().weights[load_binding().same]
    return np.isin(weights.toarray().argmax(1), [JOINTS.index(j) for j in joints])


def _skin_under(
    body: Body, normals: np.ndarray, hidden: np.ndarray, reach: np.ndarray, clothes: list[Piece]
) -> tuple[np.ndarray, np.ndarray]:
    """The body's vertices (V, 3) with what pokes out of clothes pressed in, and which are covered (V,) bool.

    reach : (V,) bool, where clothes lie on the mean body: a hand in front of a shirt is not under it.
    """
    skin, covered = body.vertices.astype(np.float64), hidden.copy()
    if not clothes:
        return skin, covered
    start = np.cumsum([0] + [len(p.vertices) for p in clothes])
    place = np.concatenate([p.vertices for p in clothes])
    faces = np.concatenate([p.faces + s for p, s in zip(clothes, start[:-1], strict=True)])
    caster = RayCaster(place, faces)
    asked = np.intersect1d(solid_skin(), np.flatnonzero(reach & ~hidden))
    origin, way = skin[asked], normals[asked].astype(np.float64)

    def outward(face: np.ndarray) -> np.ndarray:
        corner = place[faces[face]]
        normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
        return np.einsum("ni,ni->n", normal, way) > 0

    above = caster.cast(origin - 1e-4 * way, way)
    under = above.hit & (above.depth < UNDER) & outward(above.face)
    below = caster.cast(origin + GAP * way, -way)
    out = below.hit & (below.depth < POKE) & outward(below.face)
    skin[asked] -= np.where(out, below.depth, 0)[:, None] * way
    covered[asked] = under | out
    return skin, covered


def _skin_piece(body: Body, vertices: np.ndarray, hidden: np.ndarray, paint: Paint) -> Piece:
    model = body.model
    assert model.uv is not None
    assert model.face_uv is not None
    gone = hidden.copy()
    for side in EYES:
        gone[_eye_vertices(side)] = True
    faces = np.flatnonzero(~gone[model.faces].all(1))
    used, corners = np.unique(model.faces[faces], return_inverse=True)
    # normals of the whole body, so that the rim of what is hidden does not change them
    normals = vertex_normals(vertices, model.faces)[used]
    return Piece(
        "skin",
        vertices[used].astype(np.float32),
        corners.reshape(-1, 3).astype(np.int32),
        model.uv,
        model.face_uv[faces],
        paint,
        finish=SKIN,
        normals=normals,
        label="skin",
    )


def _part(
    pattern: Pattern, chosen: np.ndarray, vertices: np.ndarray, paint: Paint, finish: Finish, label: str
) -> Piece:
    used, corners = np.unique(pattern.faces[chosen], return_inverse=True)
    return Piece(
        pattern.garment.name,
        vertices[used].astype(np.float32),
        corners.reshape(-1, 3).astype(np.int32),
        pattern.uv,
        pattern.face_uv[chosen],
        paint,
        finish=finish,
        label=label,
    )


@lru_cache(maxsize=2)
def _eye_vertices(side: str) -> np.ndarray:
    same = load_binding().same
    return np.flatnonzero((same >= EYES[side][0]) & (same < EYES[side][1]))


@lru_cache(maxsize=2)
def _unit_eye(side: str) -> Piece:
    return eyeball(1.0, np.zeros((1, 1, 3), np.uint8), IRISES["lr".index(side)], 16, 32)


def _eyes(body: Body, outfit: Outfit) -> list[Piece]:
    """Two eyeballs in the place of the body's coarse ones."""
    head = body.transforms[JOINTS.index("head")].astype(np.float64)
    yaw, pitch = np.radians(outfit.look)
    forward = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    right = np.cross((0, 1, 0), forward)
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(forward, right), forward])
    out = []
    for side in EYES:
        centre, radius = fit_sphere(body.rest[_eye_vertices(side)].astype(np.float64))
        unit = _unit_eye(side)
        vertices = (radius * unit.vertices @ axes + centre) @ head[:3, :3].T + head[:3, 3]
        out.append(
            replace(unit, name=f"{side}-eye", vertices=vertices.astype(np.float32), colour=outfit.eyes, finish=EYE)
        )
    return out


def _below_hat(pattern: Pattern, hat: Pattern) -> np.ndarray:
    """The faces of hair that a hat leaves: those that, seen from the middle of the head, do not touch its crown."""
    place, sheet = pattern.mean_rest, hat.mean_rest
    binding = load_binding()
    head = binding.posed[0][_crown()].mean(0)
    hits = RayCaster(sheet, hat.faces).cast(head, place - head)
    return np.flatnonzero(~(hits.depth < HAT)[pattern.faces].all(1))


@lru_cache(maxsize=1)
def _crown() -> np.ndarray:
    weights = load_binding().weights[:, JOINTS.index("head")].toarray()[:, 0]
    return np.flatnonzero((weights > 0.9) & (load_binding().skin >= 0))
