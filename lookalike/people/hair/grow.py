"""Hair of our own on any posed body: a `Body` and a random generator in, pieces of surface labelled "hair" out.

A thin cap follows the scalp up to a natural hairline; a few hundred locks grow from it along a way of combing, hang by
gravity and rest on neck, shoulders and back. All of it is real geometry, so its normals show strands. Shapes are drawn
in the head's frame for a head of adult size and scaled to the head at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lookalike.body.model import Body
from lookalike.errors import LookalikeError
from lookalike.people.forms import Form, joined
from lookalike.people.hair import long, short
from lookalike.people.hair.grooming import Groomer
from lookalike.people.hair.scalp import HAIRLINE, Head
from lookalike.people.looks.hair_paint import HAIR, HairPaint, random_hair_paint
from lookalike.people.scene import Piece

#: All styles, by name, and how common each is.
STYLES: dict[str, tuple[Callable[[Groomer], list[Form]], float]] = {
    "bald": (lambda g: [], 3),
    "buzz": (short.buzz, 5),
    "crew cut": (short.crew, 6),
    "short": (short.short, 9),
    "textured": (short.textured, 8),
    "side part": (short.side_part, 6),
    "slicked back": (short.slicked, 4),
    "quiff": (short.quiff, 5),
    "bowl": (short.bowl, 4),
    "pixie": (short.pixie, 3),
    "receding": (short.receding, 2),
    "horseshoe": (short.horseshoe, 1.5),
    "curly": (short.curly, 5),
    "afro": (short.afro, 5),
    "bob": (long.bob, 5),
    "lob": (long.lob, 6),
    "long straight": (long.hanging, 9),
    "long wavy": (long.wavy, 8),
    "long curls": (long.long_curls, 4),
    "ponytail": (long.ponytail, 6),
    "bun": (long.bun, 5),
    "top knot": (long.top_knot, 2),
    "pigtails": (long.pigtails, 2),
    "braids": (long.braids, 2),
    "braid": (long.braid, 2),
}

#: Styles that mostly men wear; the others are mostly women's, these at the end anybody's.
SHORT_STYLES = tuple("buzz,crew cut,short,textured,side part,slicked back,quiff,receding,horseshoe,bald".split(","))
ANY_STYLES = ("curly", "afro", "bowl", "top knot")


def random_style(rng: np.random.Generator, man: bool) -> str:
    """A style of `STYLES`, common ones more often; one in nine has it as the other sex mostly does."""
    other = rng.random() < 1 / 9
    wanted = [n for n in STYLES if n in ANY_STYLES or ((n in SHORT_STYLES) == man) != other]
    share = np.array([STYLES[n][1] for n in wanted])
    return wanted[int(rng.choice(len(wanted), p=share / share.sum()))]


def grow_hair(
    body: Body,
    rng: np.random.Generator,
    style: str | None = None,
    paint: HairPaint | None = None,
    over: Sequence[Piece] = (),
) -> list[Piece]:
    """Hair on a posed body.

    style : one of `STYLES`, None for any.  paint : its colour, None for any.
    over : clothes that it lies upon. Returns pieces labelled "hair", named "hair"; none for bald heads.
    """
    if style is None:
        names = list(STYLES)
        share = np.array([STYLES[n][1] for n in names])
        style = names[int(rng.choice(len(names), p=share / share.sum()))]
    if style not in STYLES:
        raise LookalikeError(f"There is no hair style '{style}': choose one of {', '.join(STYLES)}.")
    paint = paint or random_hair_paint(rng)
    if style == "bald":
        return []
    head = Head.of(body, over)
    part = float(rng.choice([0.0, 0.0, 0.03, -0.03, 0.045, -0.045])) * head.scale + rng.normal(0, 0.004)
    groomer = Groomer(head, rng, _random_hairline(head, rng, style), float(part))
    form = joined(STYLES[style][0](groomer))
    return [head.placed(form).piece("hair", "hair", paint, HAIR)]


def _random_hairline(head: Head, rng: np.random.Generator, style: str) -> np.ndarray:
    """(256,) elevations by azimuth from -180 to 180 degrees, somebody's."""
    azimuth = np.linspace(-np.pi, np.pi, 256)
    table = np.array(HAIRLINE)
    front = np.interp(table[:, 0], [0, 60, 75], [1.0, 0.6, 0.0])
    table[:, 1] += front * rng.normal(0, 0.02)
    # Temples that recede, and a widow's peak.
    table[:, 1] += np.interp(table[:, 0], [0, 15, 35, 55, 65], [0, 0, 1, 0.6, 0]) * rng.uniform(0, 0.05)
    if style == "receding":
        table[:, 1] += np.interp(table[:, 0], [0, 12, 35, 55, 70], [0.25, 0.5, 1.0, 0.8, 0]) * rng.uniform(0.09, 0.15)
    table[:, 1] -= np.interp(table[:, 0], [0, 10], [1, 0]) * rng.uniform(0, 0.025)
    line = head.hairline(azimuth, table)
    wobble = sum(rng.normal(0, 0.02) * np.cos(k * azimuth + rng.uniform(0, 6.28)) for k in (5, 9, 14, 23, 37))
    return line + 0.7 * wobble
