"""Head: where the face is and where hair may grow, skin and hair colours, and strands; photo and vertices in.

The back of a head is never a second face: it takes the colours seen around the face (hair, hat or bald skin) and, where
these are hair, fine strands that run down from the crown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from lookalike.appearance.look import Look
from lookalike.appearance.parts import ARM, HAND, HEAD, NECK, Facts, body_groups
from lookalike.appearance.photograph import Photograph
from lookalike.appearance.sampling import ramp, sample
from lookalike.body.model import BodyModel
from lookalike.photo.subject import Subject
from lookalike.surface.free_mesh import FreeSurface
from lookalike.surface.free_mesh.limbs import HEAD as HEAD_LIMB
from lookalike.surface.mesh import Surface

#: Skin when the photo shows none.
TYPICAL_SKIN = np.array([0.72, 0.55, 0.46], np.float32)
#: MediaPipe's face mesh: cheeks and forehead.
CHEEKS = (50, 280, 205, 425, 101, 330, 151)
#: A colour this near to the skin's, as a share of its brightness, is skin.
LIKE_SKIN = (0.10, 0.22)


#: The hairline from nape to forehead: heights above the eyes (in units of mouth to eyes), and how far ahead of the ears
#: it runs there (in units of ears to nose's tip).
HAIRLINE = ((-1.1, -0.6, 0.0, 0.35, 0.6), (-0.10, 0.10, 0.20, 0.45, 0.55))
FOREHEAD, NAPE = (0.80, 0.92), (-1.25, -1.10)
#: Half height and half depth of an ear, in units of mouth to eyes.
EAR = (0.47, 0.30)


@dataclass(frozen=True)
class HeadPlan:
    """Where on a head hair may grow, in the rest pose, by the model's own eyes, mouth and ears.

    eyes, ear : (3,) the middle of the eyes and the left ear's middle.
    unit, depth : metres from mouth to eyes, and from the ears to the nose's tip.
    """

    eyes: np.ndarray
    ear: np.ndarray
    unit: float
    depth: float

    @classmethod
    def of(cls, model: BodyModel) -> HeadPlan | None:
        """The plan, or None for a model without these landmarks."""
        names = ["left_eye", "right_eye", "mouth_left", "mouth_right", "nose"]
        head = model.template[body_groups(model) == HEAD]
        if not len(head) or any(n not in model.landmarks for n in names):
            return None
        points = model.landmark_points(model.template, names)
        eyes, mouth = points[:2].mean(0), points[2:4].mean(0)
        side = head[head[:, 0] > 0.9 * head[:, 0].max()]  # ears stick out most
        ear = (side.min(0) + side.max(0)) / 2
        return cls(eyes, ear, float(max(eyes[1] - mouth[1], 1e-3)), float(max(points[4, 2] - ear[2], 1e-3)))

    def scalp(self, rest: np.ndarray, jitter: np.ndarray | float = 0.0) -> np.ndarray:
        """(k,) in [0, 1] for rest positions (k, 3) on head and neck: 1 where hair may grow, 0 on face, ears and neck.

        jitter : (k,) added to heights and depths: an uneven hairline.
        """
        up = (rest[:, 1] - self.eyes[1]) / self.unit + jitter
        ahead = (rest[:, 2] - self.ear[2]) / self.depth - jitter
        face = ramp(ahead - np.interp(up, *HAIRLINE), -0.04, 0.04) * (1 - ramp(up, *FOREHEAD))
        tall, deep = (np.abs(rest[:, i] - self.ear[i]) / (self.unit * e) for i, e in zip((1, 2), EAR, strict=True))
        at_side = ramp(np.abs(rest[:, 0]) / max(self.ear[0], 1e-3), 0.5, 0.6)
        face = np.maximum(face, (1 - ramp(np.hypot(tall, deep) - jitter, 0.95, 1.1)) * at_side)
        return ((1 - face) * ramp(up, *NAPE)).astype(np.float32)


def let_grow(facts: Facts, surface: Surface, model: BodyModel) -> Facts:
    """The facts with what was added to a free surface's head placed on the scalp: hair before a cheek is no cheek."""
    plan = HeadPlan.of(model)
    if plan is None or not isinstance(surface, FreeSurface):
        return facts
    added = surface.added & (surface.limb == HEAD_LIMB) & np.isin(facts.group, (HEAD, NECK))
    rest = facts.here.rest.copy()
    rest[added, 1] = np.maximum(rest[added, 1], plan.eyes[1] + 0.3 * plan.unit)
    rest[added, 2] = np.minimum(rest[added, 2], plan.ear[2] - 0.3 * plan.depth)
    return replace(facts, here=replace(facts.here, rest=rest))


@dataclass(frozen=True)
class Head:
    """Per surface vertex, (n,) float32 in [0, 1]: `face` (skin of the head: face and ears) and `scalp` (hair, hat or
    bald, down to the nape)."""

    face: np.ndarray
    scalp: np.ndarray


def divide_head(facts: Facts, plan: HeadPlan | None) -> Head:
    """Face and scalp of a surface's vertices."""
    head = (facts.group == HEAD).astype(np.float32)
    if plan is None:
        return Head(head, np.zeros_like(head))
    scalp = np.where(np.isin(facts.group, (HEAD, NECK)), plan.scalp(facts.here.rest), 0).astype(np.float32)
    return Head(head * (1 - scalp), scalp)


def skin_colour(facts: Facts, head: Head, seen: Look, subject: Subject, photograph: Photograph) -> np.ndarray:
    """(3,) the person's skin: of cheeks and forehead, else of face, neck, hands or arms where that can be skin.

    seen, photograph : of the blurred photograph.
    """
    if subject.face is not None and (head.face * seen.direct).sum() > 40:
        spots = photograph.pixels(subject.face[list(CHEEKS)])
        colours = sample(photograph.colour, spots)[sample(photograph.trust, spots) > 0.5]
        if len(colours) >= 3:
            return np.median(colours, axis=0)
    face = (head.face > 0.9) & (seen.direct > 0.8)
    for pick in (face, *((facts.group == group) & (seen.direct > 0.6) for group in (HAND, NECK, ARM))):
        colours = seen.colour[pick]
        colours = colours[could_be_skin(colours)]
        if len(colours) >= 30 and len(colours) > 0.4 * pick.sum():
            return np.median(colours, axis=0)
    return TYPICAL_SKIN


def could_be_skin(colour: np.ndarray) -> np.ndarray:
    """(k,) bool for (k, 3) sRGB: skin of any tone is red over green over blue, and not strongly coloured."""
    red, green, blue = colour[:, 0], colour[:, 1], colour[:, 2]
    spread = (red - blue) / np.maximum(red, 1e-3)
    return (red > green) & (green > 0.75 * blue) & (spread > 0.12) & (spread < 0.7) & (red > 0.2)


def like_skin(colour: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """(k,) in [0, 1]: how near colours (k, 3) are to a skin, brightness counting less than hue."""
    bright = colour.mean(1)
    level = np.clip(bright / max(float(skin.mean()), 1e-3), 1e-3, None)
    hue = np.abs(colour / np.maximum(bright, 1e-3)[:, None] - skin / max(float(skin.mean()), 1e-3)).max(1)
    return ((1 - ramp(hue, *LIKE_SKIN)) * ramp(level, 0.45, 0.7) * (1 - ramp(level, 1.5, 1.9))).astype(np.float32)


@dataclass(frozen=True)
class Hair:
    """colour : (3,) typical.  known : (n,) float32, scalp vertices whose photo colour is hair (or hat, or bald skin).
    contrast : relative strength of its strands.  strands : whether it is hair at all, 0..1."""

    colour: np.ndarray
    known: np.ndarray
    contrast: float
    strands: float


def find_hair(head: Head, seen: Look, skin: np.ndarray) -> Hair:
    """What the photo shows on the scalp."""
    scalp = head.scalp > 0.5
    believed = np.where(scalp, seen.weight, 0)
    pick = believed > 0.5
    if pick.sum() < 15:
        dark = skin * np.array([0.35, 0.32, 0.3], np.float32)
        return Hair(dark, np.zeros(len(scalp), np.float32), 0.1, 1.0)
    skinny = like_skin(seen.colour, skin)
    share = float(skinny[pick].mean())
    bald = share > 0.8
    if not bald:
        believed = believed * (1 - ramp(skinny, 0.3, 0.7))
        pick = believed > 0.5
        if pick.sum() < 15:
            pick = scalp & (seen.weight > 0.5)
    colours = seen.colour[pick]
    # Hair shines: what is darker is its own colour.
    light = colours.mean(1)
    typical = np.median(colours[light <= np.percentile(light, 75)], axis=0)
    # Outliers (sky between curls, a hand in the hair) are not hair.
    away = np.abs(seen.colour - typical).max(1)
    spread = max(0.12, 2.5 * float(np.median(np.abs(colours - typical).max(1))))
    believed = believed * (1 - ramp(away, spread, 1.6 * spread))
    contrast = float(np.clip(0.5 * np.std(light) / max(float(light.mean()), 0.05), 0.04, 0.16))
    return Hair(typical, believed.astype(np.float32), contrast, 0.0 if bald else 1.0)


def strands(rest: np.ndarray, centre: np.ndarray, seed: int = 0) -> np.ndarray:
    """(k,) around 0, about -1..1: noise drawn out along the strands, at rest positions (k, 3) of a head.

    centre : (3,) the head's middle. Strands start at the crown, a little behind the top, and fall with the meridians.
    """
    away = rest - centre
    radius = np.maximum(np.linalg.norm(away, axis=1), 1e-6)
    axis = np.array([0.0, 0.94, -0.34], np.float32)
    side = np.array([1.0, 0.0, 0.0], np.float32)
    third = np.cross(axis, side)
    polar = np.arccos(np.clip(away @ axis / radius, -1, 1)) / np.pi
    around = (np.arctan2(away @ third, away @ side) / (2 * np.pi)) % 1
    out = np.zeros(len(rest), np.float32)
    rng = np.random.default_rng(seed)
    # Lock, strand and fine strand: cells around, cells from crown to nape, share of the contrast.
    for around_cells, down_cells, share in ((40, 5, 0.45), (140, 7, 0.6), (420, 9, 0.45)):
        noise = rng.standard_normal((down_cells + 2, around_cells)).astype(np.float32)
        noise = np.concatenate([noise, noise[:, :2]], 1)
        bend = 0.012 * np.sin(9 * polar + 5 * around)
        where = np.stack([((around + bend) % 1) * around_cells + 0.5, polar * down_cells + 0.5], 1)
        out += share * sample(cv2.GaussianBlur(noise, (3, 3), 0.6), where.astype(np.float32))
    # Meridians meet at the crown: fade there.
    return out * ramp(polar, 0.02, 0.12).astype(np.float32)
