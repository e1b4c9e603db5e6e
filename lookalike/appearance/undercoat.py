"""The undercoat: one smooth, plausible colour for every vertex, under the photo's detail.

Where the photo tells, it is the photo's blurred colour; elsewhere a membrane carries colours on along the surface,
round limbs and torso rather than along them, and not from skin to hair, sleeve to hand or trousers to shoe.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lookalike.appearance.eyes import PALATE, TONGUE, pieces
from lookalike.appearance.front import FrontView
from lookalike.appearance.hair import Hair, Head, divide_head, find_hair, like_skin, skin_colour
from lookalike.appearance.look import Look, look
from lookalike.appearance.membrane import stretch
from lookalike.appearance.parts import ARM, EYES, FOOT, GROUPS, HAND, HEAD, MOUTH, Facts
from lookalike.appearance.photograph import Photograph
from lookalike.body.model import Body

#: Blur of the undercoat, metres.
BLUR = 0.004
#: Edges around a limb against edges along it.
AROUND = 8.0
#: Edges that cross from skin to hair, sleeve to hand, trousers to shoe.
BARRIER = 0.01
#: A mirrored place is believed this much against a seen one.
MIRRORED = 0.8
#: How strongly a part that the photo does not show tends to its usual colour.
TENDENCY = {"weak": 1e-3, "own": 0.02, "inside": 0.3}
SHOES = np.float32([0.16, 0.15, 0.15])


@dataclass(frozen=True)
class Undercoat:
    """colour : (n, 3) float32 in [0, 1].  mirror : (n,) weight of the mirrored place.  scalp_trust : (n,) how far what
    the photo shows may be carried to the scalp's sides.  skin : (n,) how much it is skin.  head, hair : see there.
    blurred : the photograph's colours, blurred as the undercoat is."""

    colour: np.ndarray
    mirror: np.ndarray
    scalp_trust: np.ndarray
    skin: np.ndarray
    head: Head
    hair: Hair
    blurred: np.ndarray


def lay_undercoat(faces: np.ndarray, facts: Facts, body: Body, photograph: Photograph, front: FrontView) -> Undercoat:
    """Colours for all vertices of a surface."""
    metre = photograph.camera.focal / float(np.median(-facts.here.position[:, 2]))
    blurred = cv2.GaussianBlur(photograph.colour, (0, 0), max(0.6, BLUR * metre))
    here = look(photograph, front, facts.here, blurred)
    head = divide_head(facts, body.model)
    skin = skin_colour(facts, head, here)
    hair = find_hair(head, here, skin)
    weight = here.weight + (np.minimum(hair.known, here.weight) - here.weight) * head.scalp
    over = look(photograph, front, facts.mirrored, blurred)
    mirror = MIRRORED * over.weight * (head.scalp < 0.5)
    known = _over(weight, mirror)
    colour = here.colour * weight[:, None] + over.colour * (known - weight)[:, None]
    colour /= np.maximum(known, 1e-6)[:, None]
    prior, pull = _usual(faces, facts, head, hair, skin, here, known)
    colour = stretch(facts.edges, _stiffness(facts, head), colour, known, prior, pull)
    colour = np.clip(colour, 0, 1)
    trust = np.where(head.scalp > 0.5, hair.known / np.maximum(here.weight, 1e-3), 1).clip(0, 1).astype(np.float32)
    return Undercoat(colour, mirror.astype(np.float32), trust, like_skin(colour, skin), head, hair, blurred)


def _over(weight: np.ndarray, below: np.ndarray) -> np.ndarray:
    return weight + (1 - weight) * below


def _usual(
    faces: np.ndarray, facts: Facts, head: Head, hair: Hair, skin: np.ndarray, here: Look, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each vertex's usual colour (n, 3) and how strongly it tends there (n,)."""
    count = len(facts.group)
    prior = np.tile(skin, (count, 1)).astype(np.float32)
    pull = np.full(count, TENDENCY["weak"], np.float32)
    for group in range(len(GROUPS)):
        mine = facts.group == group
        sure = mine & (here.weight > 0.5)
        if group in (HEAD, HAND):
            pull[mine] = TENDENCY["own"]
        elif group == FOOT:
            prior[mine], pull[mine] = SHOES, TENDENCY["own"]
        elif sure.sum() > 20:
            prior[mine] = np.median(here.colour[sure], axis=0)
    scalp = head.scalp > 0.5
    prior[scalp] = hair.colour
    inside = facts.group == MOUTH
    if inside.any():
        pull[inside] = TENDENCY["inside"]
        # Sockets lie behind the eyes, the cavity below the nose; the tongue is a piece of its own.
        eyes = facts.group == EYES
        low = facts.here.rest[eyes, 1].min() if eyes.any() else np.inf
        prior[inside] = np.where((facts.here.rest[inside, 1] >= low - 0.005)[:, None], 0.75 * skin, PALATE)
        piece = pieces(faces, count)
        for number in np.unique(piece[inside]):
            if (inside | (piece != number)).all():
                prior[piece == number] = TONGUE
    return prior, pull


def _stiffness(facts: Facts, head: Head) -> np.ndarray:
    a, b = facts.edges.T
    along = facts.here.rest[a] - facts.here.rest[b]
    length = np.maximum(np.einsum("ec,ec->e", along, along), 1e-12)
    # In the T-pose arms lie along x, everything else stands along y.
    arm = np.isin(facts.group[a], (ARM, HAND))
    share = np.where(arm, along[:, 0], along[:, 1]) ** 2 / length
    out = 1 + (AROUND - 1) * (1 - share)
    kind = np.select([facts.group == g for g in (HAND, FOOT, EYES, MOUTH)], [1, 2, 3, 4], 0)
    kind = np.where(head.scalp > 0.5, 5, kind)
    crossing = kind[a] != kind[b]
    return np.where(crossing, BARRIER, out)
