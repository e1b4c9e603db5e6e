"""Paint a surface from its photo: surface, subject and body in, the Material out.

1. An *undercoat*: one smooth colour a vertex, carried on to what the photo does not show (undercoat.py).
2. Over it, a texel at a time, the photo itself where it tells, folded round the sides and copied through to the back
   (look.py), and the detail of the body's mirror image where only the other side is seen.
3. Strands on the hair, eyes, the inside of the mouth.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from lookalike.appearance.eyes import iris_colour, paint_eyeballs
from lookalike.appearance.far_side import far_side
from lookalike.appearance.front import FrontView, view_front
from lookalike.appearance.hair import let_grow, strands
from lookalike.appearance.look import look
from lookalike.appearance.material import Material
from lookalike.appearance.parts import (
    ARM,
    EYES,
    FOOT,
    HAND,
    HEAD,
    LEG,
    MOUTH,
    NECK,
    TORSO,
    Facts,
    Places,
    gather,
)
from lookalike.appearance.photograph import Photograph, develop
from lookalike.appearance.registration import register
from lookalike.appearance.sampling import ramp
from lookalike.appearance.texels import Texels, texel_map
from lookalike.appearance.undercoat import Undercoat, lay_undercoat
from lookalike.body.model import Body
from lookalike.mesh.triangles import pieces
from lookalike.photo.subject import Subject
from lookalike.surface.mesh import Surface

SIZES = (1024, 2048, 4096)
#: Texels painted at a time by one thread.
CHUNK = 1 << 17
#: Roughness of skin, cloth, shoes, hair and eyes.
SKIN, CLOTH, SHOE, HAIR, EYE, WET = 0.5, 0.85, 0.55, 0.6, 0.1, 0.3


def paint(surface: Surface, subject: Subject, body: Body, largest: int = 2048) -> Material:
    """The textures of a surface.

    surface : in the photo's pose, anchored to `body`.  largest : upper limit of the atlas's side in texels; the
    smallest of 1024, 2048 and 4096 that keeps the photo's own resolution is taken.
    """
    facts = let_grow(gather(surface, body), surface, body.model)
    facts = register(facts, subject, body)
    size, scale = _resolution(surface, body, largest)
    texels = texel_map(surface.uv, surface.face_uv, size)
    photograph = develop(subject, body.camera, scale)
    front = view_front(surface.faces, facts, photograph.camera)
    photograph = replace(photograph, behind=far_side(photograph, front))
    under = lay_undercoat(surface.faces, facts, subject, body, photograph, front)
    colour, seen = _paint_texels(surface.faces, facts, texels, photograph, front, under)
    _paint_eyes(colour, seen, surface.faces, facts, texels, iris_colour(subject, photograph))
    rough = texels.interpolate(surface.faces, _roughness(facts, under)[:, None])[:, 0]
    return Material(
        base_colour=texels.image(np.rint(colour * 255).astype(np.uint8)),
        roughness=texels.image(np.rint(rough * 255).astype(np.uint8)),
        normal_map=None,
        seen=texels.image(seen),
    )


def _resolution(surface: Surface, body: Body, largest: int) -> tuple[int, float]:
    """The atlas's size, and by how much the photo is finer than it (1 where it is not)."""
    corners, flat = surface.vertices[surface.faces], surface.uv[surface.face_uv]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1) / 2
    one, two = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    texture = np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) / 2
    facing = (np.einsum("mc,mc->m", cross, corners.mean(1)) < 0) & (area > 0)
    density = np.sqrt(texture[facing] / area[facing])
    order = np.argsort(density)
    total = np.cumsum(area[facing][order])
    coarse, fine = (density[order][np.searchsorted(total, q * total[-1])] for q in (0.3, 0.95))
    pixels = body.camera.focal / float(np.median(-surface.vertices[:, 2]))
    sizes = [s for s in SIZES if s <= largest] or [largest]
    size = next((s for s in sizes if s * coarse >= pixels), sizes[-1])
    return size, float(min(1.0, 1.2 * fine * size / pixels))


def _paint_texels(
    faces: np.ndarray, facts: Facts, texels: Texels, photograph: Photograph, front: FrontView, under: Undercoat
) -> tuple[np.ndarray, np.ndarray]:
    """Colour (k, 3) in [0, 1] and seen (k,) of all texels."""
    extra = [under.colour, under.hairy, np.stack([under.mirror, under.share, under.scalp_trust], axis=1)]
    table = np.concatenate([facts.here.table(), *extra], axis=1)
    mirrored = facts.mirrored.table()
    head = facts.group == HEAD
    middle = (facts.here.rest[head].min(0) + facts.here.rest[head].max(0)) / 2 if head.any() else np.zeros(3)
    kinds = facts.here.kind[faces[:, 0]]
    may_grow = np.isin(facts.group[faces[:, 0]], (HEAD, NECK))
    colour, seen = np.empty((len(texels.index), 3), np.float32), np.empty(len(texels.index), np.float32)

    def run(part: slice) -> None:
        values = texels.interpolate(faces, table, part)
        kind = kinds[texels.face[part]]
        base, hairy, rest_of = np.split(values[:, Places.WIDTH :], [3, 6], axis=1)
        mirror, share, trust = rest_of.T
        found = look(photograph, front, Places.of_table(values[:, : Places.WIDTH], kind))
        weight = found.weight * share
        head = np.flatnonzero(may_grow[texels.face[part]] & (found.direct < 0.98))
        if len(head) and under.plan is not None:
            rest = values[head, 6:9]
            strand = strands(rest, middle)
            scalp = under.plan.scalp(rest, 0.06 * strand)
            amount = under.hair.contrast * under.hair.strands
            grown = hairy[head] * (1 + amount * strand)[:, None]
            base[head] += scalp[:, None] * (grown - base[head])
            # What is carried round the head's sides must be hair; what is seen is what it is.
            weight[head] *= np.maximum(ramp(found.direct[head], 0.2, 0.6), 1 - scalp * (1 - trust[head]))
        out = base + weight[:, None] * (found.colour - base)
        other = np.flatnonzero((1 - weight) * mirror > 0.02)
        if len(other):
            _add_mirrored(out, weight, other, part)
        colour[part], seen[part] = np.clip(out, 0, 1), np.clip(found.direct * share, 0, 1)

    def _add_mirrored(out: np.ndarray, weight: np.ndarray, other: np.ndarray, part: slice) -> None:
        rows = np.arange(part.start, part.stop)[other]
        kind = kinds[texels.face[rows]]
        places = Places.of_table(texels.interpolate(faces, mirrored, rows), kind)
        fine, coarse = look(photograph, front, places), look(under.blurred, front, places)
        out[other] += ((1 - weight[other]) * fine.weight)[:, None] * (fine.colour - coarse.colour)

    count = len(texels.index)
    parts = [slice(i, min(i + CHUNK, count)) for i in range(0, count, CHUNK)]
    with ThreadPoolExecutor(max(1, min(len(parts), os.cpu_count() or 1))) as pool:
        list(pool.map(run, parts))
    return colour, seen


def _paint_eyes(
    colour: np.ndarray, seen: np.ndarray, faces: np.ndarray, facts: Facts, texels: Texels, iris: np.ndarray
) -> None:
    eyes = facts.group == EYES
    if not eyes.any():
        return
    piece = pieces(faces, len(eyes))
    largest = np.bincount(piece).argmax()
    for number in np.unique(piece[eyes]):
        if number == largest:
            continue
        ball = piece == number
        rest = facts.here.rest[ball]
        rows = np.flatnonzero(ball[faces[:, 0]][texels.face])
        points = texels.interpolate(faces, facts.here.rest, rows)
        colour[rows] = paint_eyeballs(points, (rest.min(0) + rest.max(0)) / 2, iris)
        seen[rows] = 0


def _roughness(facts: Facts, under: Undercoat) -> np.ndarray:
    """(n,) in [0, 1] a vertex."""
    value = np.full(len(facts.group), CLOTH, np.float32)
    cloth = np.isin(facts.group, (NECK, TORSO, ARM, LEG, FOOT))
    value[facts.group == FOOT] = SHOE
    value += (SKIN - value) * under.skin * cloth
    value[np.isin(facts.group, (HEAD, HAND))] = SKIN
    value += (HAIR - value) * under.head.scalp
    value[facts.group == EYES], value[facts.group == MOUTH] = EYE, WET
    return value
