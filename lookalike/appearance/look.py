"""One place's colour in the photo: points and normals in, colours and how far to believe them out.

Three cases, one formula. A point that faces the camera takes its own pixel. A point on the far side takes the pixel it
lies behind: the backs of sleeves, trousers and shirts are like their fronts. Near the outline, where a pixel would be
smeared over centimetres of surface and mesh and matte disagree, the lookup is folded inwards: walking over the side of
a limb, the pixel walks back towards the middle at the surface's own pace, turns at the outline, and comes out where the
far side begins. So the side keeps the fabric's grain and never looks at the rim.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.appearance.front import FAR, IN_FRONT, FrontView
from lookalike.appearance.parts import BODY_KIND, HAND_KIND, HEAD_KIND, NO_KIND, Places
from lookalike.appearance.photograph import Photograph
from lookalike.appearance.sampling import nearest, ramp, sample

#: Sine of the angle to the outline's tangent where the fold begins: 30 degrees.
FOLD = 0.5
#: A point this much (metres) behind the first hit is hidden.
HIDDEN = (0.015, 0.035)
#: The same on a face, which is registered to its landmarks.
HIDDEN_FACE = (0.006, 0.015)
#: Metres to the nearest trusted pixel: believed up to the first, not from the second on.
REACH = (0.02, 0.05)


@dataclass(frozen=True)
class Look:
    """colour : (k, 3) float32 in [0, 1].  weight, direct : (k,) float32 in [0, 1].  cosine : (k,) to the camera.

    weight says how far the colour is plausible at all; direct how much of it is this very place as the photo shows it.
    """

    colour: np.ndarray
    weight: np.ndarray
    direct: np.ndarray
    cosine: np.ndarray


def look(photograph: Photograph, front: FrontView, places: Places) -> Look:
    """Look places up."""
    camera, position, normal = photograph.camera, places.position, places.normal
    depth = np.maximum(-position[:, 2], 1e-3)
    metre = camera.focal / depth
    cosine = -np.einsum("kc,kc->k", normal, position)
    cosine /= np.sqrt(np.einsum("kc,kc->k", position, position) * np.einsum("kc,kc->k", normal, normal) + 1e-12)
    cosine = np.clip(cosine, -1, 1)
    pixels, shift = _fold(camera.project(position), normal, cosine, places.radius, metre)

    spot = front.pixels(pixels)
    first = nearest(front.depth, spot)
    nothing = first >= FAR
    first = np.where(nothing, depth, first)
    weight = 1 - ramp(first - nearest(front.nearest, spot), *IN_FRONT)
    apart = places.rest - nearest(front.rest, spot)
    apart = np.sqrt(np.einsum("kc,kc->k", apart, apart)) / np.maximum(places.thickness, 1e-3)
    weight *= np.where(nothing, 1, 1 - ramp(apart, 0.8, 1.1))
    behind = depth - first - 1.5 * shift
    hidden = np.where(places.kind == HEAD_KIND, ramp(behind, *HIDDEN_FACE), ramp(behind, *HIDDEN))
    weight *= 1 - ramp(cosine, -0.05, 0.05) * hidden
    weight *= nothing | (places.kind == nearest(front.kind, spot))
    # Beside a hand the photo may show the hand: only what is certainly seen counts.
    beside = nearest(front.beside_hand, spot) & (places.kind == BODY_KIND)
    weight *= 1 - beside * (1 - ramp(cosine, 0.3, 0.6) * (shift < 1e-4))
    pixels += places.offset * np.float32(photograph.window[2])
    weight *= 1 - ramp(sample(photograph.reach, pixels) / metre, *REACH)
    shown = nearest(photograph.shows, pixels)
    weight *= (places.kind != BODY_KIND) | (shown == BODY_KIND)
    if photograph.hands:
        weight *= (places.kind != HAND_KIND) | (shown == HAND_KIND)
    # A face shows nothing of the back of its head.
    weight *= np.where(places.kind == HEAD_KIND, ramp(cosine, 0.25, 0.5), places.kind != NO_KIND)
    weight *= (pixels > -1).all(1) & (pixels[:, 0] < camera.width + 1) & (pixels[:, 1] < camera.height + 1)
    weight = weight.astype(np.float32)
    direct = weight * ramp(cosine, 0.6 * FOLD, FOLD) * sample(photograph.trust, pixels)
    colour = sample(photograph.colour, pixels, cubic=True)
    far = np.flatnonzero((cosine < 0.1) & (weight > 0)) if photograph.behind is not photograph.colour else ()
    if len(far):
        behind = sample(photograph.behind, pixels[far], cubic=True)
        colour[far] += ramp(cosine[far], 0.1, -0.1)[:, None] * (behind - colour[far])
    colour = np.clip(colour, 0, 1)
    return Look(colour, weight, direct.astype(np.float32), cosine)


def _fold(pixels, normal, cosine, radius, metre):
    """Pixels moved inwards near the outline, and by how many metres (k,).

    On a cylinder of this radius a point at angle a from the outline lies radius (1 - cos a) inside it; it reads at
    radius (1 - cos a0 + a0 - a) instead, a0 being where the fold begins.
    """
    start = np.arcsin(FOLD)
    angle = np.arcsin(np.minimum(np.abs(cosine), FOLD))
    shift = radius * (start - angle - np.cos(start) + np.cos(angle))
    across = np.stack([normal[:, 0], -normal[:, 1]], 1)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
    return (pixels - across * (shift * metre)[:, None]).astype(np.float32), shift
