"""The undercoat: one smooth, plausible colour for every vertex, under the photo's detail.

Where the photo tells, it is the photo's blurred colour; elsewhere a membrane carries colours on along the surface,
round limbs and torso rather than along them, and not from skin to hair, sleeve to hand or trousers to shoe.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.appearance.eyes import PALATE, TONGUE
from lookalike.appearance.face import add_features
from lookalike.appearance.front import FrontView
from lookalike.appearance.hair import Hair, Head, HeadPlan, divide_head, find_hair, like_skin, skin_colour
from lookalike.appearance.look import Look, look
from lookalike.appearance.membrane import stretch
from lookalike.appearance.parts import ARM, EYES, FOOT, GROUPS, HAND, HEAD, MOUTH, NECK, TORSO, Facts
from lookalike.appearance.photograph import Photograph
from lookalike.appearance.sampling import ramp
from lookalike.body.model import Body
from lookalike.mesh.triangles import pieces
from lookalike.photo.subject import Subject

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
#: A neck whose colours stray by more than this from their median has no one colour.
MIXED = 0.12
#: A face of which less than this share is seen is not seen.
UNSEEN = 0.3
SHOES = np.array([0.16, 0.15, 0.15], np.float32)


@dataclass(frozen=True)
class Undercoat:
    """Per surface vertex, and what painting goes on with.

    Attributes
    ----------
    colour : (n, 3) float32 in [0, 1], without hair.  hairy : (n, 3) the same where hair grows.
    mirror : (n,) weight of the mirrored place.
    share : (n,) how far the place's own look counts: less where the other half of the face is seen much better, and on
        hands that are hidden in their sleeves.
    scalp_trust : (n,) how far what the photo shows may be carried to the scalp's sides.
    skin : (n,) how much it is skin.
    plan : the head's, or None.  head, hair : see there.
    blurred : the photograph, blurred as the undercoat is.
    """

    colour: np.ndarray
    hairy: np.ndarray
    mirror: np.ndarray
    share: np.ndarray
    scalp_trust: np.ndarray
    skin: np.ndarray
    plan: HeadPlan | None
    head: Head
    hair: Hair
    blurred: Photograph


def lay_undercoat(
    faces: np.ndarray, facts: Facts, subject: Subject, body: Body, photograph: Photograph, front: FrontView
) -> Undercoat:
    """Colours for all vertices of a surface."""
    metre = photograph.camera.focal / float(np.median(-facts.here.position[:, 2]))
    blurred = photograph.blurred(max(0.6, BLUR * metre))
    here = look(blurred, front, facts.here)
    plan = HeadPlan.of(body.model)
    head = divide_head(facts, plan)
    skin = skin_colour(facts, head, here, subject, blurred)
    hair = find_hair(head, here, skin)
    over = look(blurred, front, facts.mirrored)
    share = _share(facts, head, photograph, here, over, skin)
    weight = here.weight * (1 - head.scalp) * share
    mirror = MIRRORED * over.weight * (1 - head.scalp)
    if float((weight * head.face).sum()) < UNSEEN * float(head.face.sum()):
        # Seen from behind: hair over the ears does not spread over the face.
        for part, seen in ((weight, here), (mirror, over)):
            part *= 1 - head.face * (1 - ramp(like_skin(seen.colour, skin), 0.3, 0.7))
    known = _over(weight, mirror)
    colour = here.colour * weight[:, None] + over.colour * (known - weight)[:, None]
    colour /= np.maximum(known, 1e-6)[:, None]
    prior, pull = _usual(faces, facts, head, skin, here)
    stiffness = _stiffness(facts)
    colour = np.clip(stretch(facts.edges, stiffness, colour, known, prior, pull), 0, 1)
    colour = add_features(colour, head.face * (1 - known), facts.here.rest, body.model, hair.colour)
    trust = np.where(head.scalp > 0.5, hair.known / np.maximum(here.weight, 1e-3), 1).clip(0, 1).astype(np.float32)
    return Undercoat(
        colour=colour,
        hairy=_hairy(facts, head, hair, here, colour),
        mirror=mirror.astype(np.float32),
        share=share,
        scalp_trust=trust,
        skin=like_skin(colour, skin),
        plan=plan,
        head=head,
        hair=hair,
        blurred=blurred,
    )


def _hairy(facts: Facts, head: Head, hair: Hair, here: Look, colour: np.ndarray) -> np.ndarray:
    """Hair's colours (n, 3), continued beyond the hairline, so that the line itself may be drawn a texel fine."""
    out = colour.copy()
    rows = np.flatnonzero(np.isin(facts.group, (HEAD, NECK)))
    if not head.scalp.any():
        return out
    number = np.full(len(out), -1)
    number[rows] = np.arange(len(rows))
    edges = number[facts.edges]
    edges = edges[(edges >= 0).all(1)]
    known = np.minimum(hair.known, here.weight)[rows]
    prior = np.tile(hair.colour, (len(rows), 1))
    pull = np.full(len(rows), TENDENCY["own"])
    out[rows] = stretch(edges, np.ones(len(edges)), here.colour[rows], known, prior, pull).clip(0, 1)
    return out


def _share(facts: Facts, head: Head, photograph: Photograph, here: Look, over: Look, skin: np.ndarray) -> np.ndarray:
    """(n,) see `Undercoat`."""
    share = np.ones(len(facts.group), np.float32)
    better = np.clip(over.weight, 0, 1) * ramp(over.cosine - here.cosine, 0.2, 0.4) * ramp(here.cosine, 0.75, 0.5)
    share -= better * head.face
    if photograph.hands:
        return share
    # No hand was found: what lies where it should be is a hand or glove only if the sleeve is not the same.
    for side in (-1, 1):
        mine = (facts.here.rest[:, 0] * side > 0) & (here.weight > 0.5)
        hand, arm = mine & (facts.group == HAND), mine & (facts.group == ARM)
        if hand.sum() < 20 or arm.sum() < 20:
            continue
        colour = np.median(here.colour[hand], axis=0)
        far = np.abs(facts.here.rest[:, 0]) > np.percentile(np.abs(facts.here.rest[arm, 0]), 60)
        sleeve = np.median(here.colour[arm & far], axis=0) if (arm & far).any() else colour
        if np.abs(colour - sleeve).max() < 0.12 and like_skin(colour[None], skin)[0] < 0.5:
            share[(facts.here.rest[:, 0] * side > 0) & (facts.group == HAND)] = 0
    return share


def _over(weight: np.ndarray, below: np.ndarray) -> np.ndarray:
    return weight + (1 - weight) * below


def _usual(faces: np.ndarray, facts: Facts, head: Head, skin: np.ndarray, here: Look) -> tuple[np.ndarray, np.ndarray]:
    """Each vertex's usual colour (n, 3) and how strongly it tends there (n,)."""
    count = len(facts.group)
    prior = np.tile(skin, (count, 1)).astype(np.float32)
    pull = np.full(count, TENDENCY["weak"], np.float32)
    for group in range(len(GROUPS)):
        mine = facts.group == group
        sure = mine & (here.weight > 0.5) & (head.scalp < 0.1)
        if group == NECK:
            pull[mine] = TENDENCY["own"]
        if group in (HEAD, HAND):
            pull[mine] = TENDENCY["own"]
        elif group == FOOT:
            prior[mine], pull[mine] = SHOES, TENDENCY["own"]
        elif sure.sum() > 20:
            usual = np.median(here.colour[sure], axis=0)
            mixed = np.median(np.abs(here.colour[sure] - usual).max(1)) > MIXED
            if group != NECK or not mixed:  # a neck with scarf, earrings and skin: skin
                prior[mine] = usual
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


def _stiffness(facts: Facts) -> np.ndarray:
    a, b = facts.edges.T
    along = facts.here.rest[a] - facts.here.rest[b]
    length = np.maximum(np.einsum("ec,ec->e", along, along), 1e-12)
    # In the T-pose arms lie along x, everything else stands along y.
    arm = np.isin(facts.group[a], (ARM, HAND))
    share = np.where(arm, along[:, 0], along[:, 1]) ** 2 / length
    out = 1 + (AROUND - 1) * (1 - share)
    kind = np.select([facts.group == g for g in (HAND, FOOT, EYES, MOUTH)], [1, 2, 3, 4], 0)
    collar = np.isin(facts.group[a], (NECK, TORSO)) & (facts.group[a] != facts.group[b])
    crossing = kind[a] != kind[b]
    return np.where(crossing | collar, BARRIER, out)
