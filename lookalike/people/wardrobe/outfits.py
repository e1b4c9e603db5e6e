"""What somebody wears: a posed body and a random generator in, draped and coloured garments out.

`GARMENTS` says for each kind how it is cut and how it sits; `OUTFITS` says which are worn together and in what order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from lookalike.body import Body
from lookalike.people.looks.fabric import random_fabric
from lookalike.people.scene import Piece
from lookalike.people.wardrobe.collar import collar, lapels
from lookalike.people.wardrobe.garment import Draped, Fit, make
from lookalike.people.wardrobe.hulls import WAIST
from lookalike.people.wardrobe.pattern import Cut

#: Sleeves (from the shoulder joint) and legs (from the hip joint) in the pattern's metres.
WRIST, ELBOW, ANKLE, KNEE = 0.50, 0.265, 0.84, 0.415


@dataclass(frozen=True)
class Design:
    """A garment before it is draped.

    cut, fit : see there.  label : of `sample.LABELS`.  fabric : what `random_fabric` is asked for.
    collar : of `collar.PROFILES`, or None.  lapels : whether the front edges are turned back.
    """

    cut: Cut
    fit: Fit
    label: str
    fabric: str
    collar: str | None = None
    lapels: bool = False


@dataclass(frozen=True)
class Clothes:
    """What is worn.

    kinds : names of `GARMENTS`, innermost first.  drapes : the garments' geometry.
    pieces : ready for the scene, outermost first; what lies well below another garment is left out.
    covered : (V,) bool the body's vertices under them.
    """

    kinds: tuple[str, ...]
    pieces: list[Piece]
    drapes: list[Draped]
    covered: np.ndarray


def _fold(rng: np.random.Generator) -> dict[str, float]:
    """How lively a garment's folds are, from pressed to crumpled: `folds`, `ease` and `gather` of its `Fit`."""
    lively = rng.beta(1.7, 1.1)
    ease, gather = 0.06 * lively * rng.uniform(0.4, 1.2), 0.26 * lively * rng.uniform(0.4, 1.2)
    return {"folds": 0.15 + 1.1 * lively, "ease": 0.01 + ease, "gather": 0.01 + gather}


def _folded(fit: Fit, folds: dict[str, float], share: float = 1.0) -> Fit:
    """A fit with folds. share : of the ease and gathers, for what is tight."""
    return replace(fit, folds=share * folds["folds"], ease=share * folds["ease"], gather=share * folds["gather"])


def _top(rng, sleeve: float | None, low: float = 0.006, high: float = 0.03, **cut) -> tuple[Cut, Fit]:
    loose = rng.uniform(low, high)
    folds = _fold(rng)
    fit = Fit(torso=loose, arm=loose * rng.uniform(0.7, 1.2), stiffness=rng.uniform(0, 0.35))
    fit = _folded(fit, folds, 0.4 if loose < 0.009 else 1.0)
    neck = {"neck": rng.uniform(0.062, 0.085), "deep": rng.uniform(0.01, 0.06)} | cut
    # below the hips a top is one tube, not two legs
    return Cut(hull="robe", sleeve=sleeve, bottom=rng.uniform(0.50, 0.68), **neck), replace(fit, skirt=loose)


def _tee(rng) -> Design:
    cut, fit = _top(rng, rng.uniform(0.10, 0.24), 0.006, 0.035)
    if rng.random() < 0.25:
        cut = replace(cut, deep=rng.uniform(0.10, 0.17))
    return Design(cut, fit, "upper", "tee", "ribbed" if rng.random() < 0.4 and cut.deep < 0.09 else None)


def _long_sleeve(rng) -> Design:
    cut, fit = _top(rng, rng.uniform(0.46, 0.53), 0.005, 0.02)
    return Design(cut, fit, "upper", "tee")


def _tank(rng) -> Design:
    cut, fit = _top(rng, None, 0.004, 0.018, neck=rng.uniform(0.08, 0.10), deep=rng.uniform(0.05, 0.12))
    return Design(cut, fit, "upper", "tank top")


def _crop_top(rng) -> Design:
    cut, fit = _top(rng, rng.choice([None, 0.12, WRIST]), 0.004, 0.012)
    return Design(replace(cut, bottom=rng.uniform(0.28, 0.40)), fit, "upper", "tank top")


def _strapless(rng) -> Design:
    cut = Cut(top=rng.uniform(0.10, 0.14), sleeve=None, bottom=rng.uniform(0.30, 0.55))
    return Design(cut, Fit(torso=0.005, ease=0.01, folds=0.3, waist=True), "upper", "tank top")


def _shirt(rng) -> Design:
    sleeve = WRIST + 0.02 if rng.random() < 0.6 else rng.uniform(0.22, 0.4)
    cut, fit = _top(rng, sleeve, 0.008, 0.03, neck=0.066, deep=rng.choice([0.02, 0.05, 0.12], p=[0.5, 0.3, 0.2]))
    fit = replace(fit, cuffs=sleeve > WRIST, stiffness=rng.uniform(0.1, 0.6), ease=fit.ease + 0.015)
    opening = (0.012, rng.uniform(0.02, 0.10)) if rng.random() < 0.2 else None
    return Design(replace(cut, opening=opening), fit, "upper", "shirt", "shirt")


def _polo(rng) -> Design:
    cut, fit = _top(rng, rng.uniform(0.16, 0.25), 0.006, 0.025, neck=0.066, deep=rng.uniform(0.03, 0.09))
    return Design(cut, fit, "upper", "polo", "shirt")


def _blouse(rng) -> Design:
    cut, fit = _top(rng, rng.uniform(0.2, WRIST), 0.012, 0.04, deep=rng.uniform(0.03, 0.16))
    fit = replace(fit, flare=rng.uniform(0, 0.12), stiffness=0.02, cuffs=bool(rng.random() < 0.4))
    return Design(cut, fit, "upper", "blouse", "stand" if rng.random() < 0.3 and cut.deep < 0.09 else None)


def _sweater(rng) -> Design:
    cut, fit = _top(rng, WRIST + rng.uniform(-0.02, 0.05), 0.014, 0.045)
    fit = replace(fit, stiffness=rng.uniform(0.3, 0.9), cuffs=True, waist=bool(rng.random() < 0.6))
    kind = rng.choice(["ribbed", "roll", "none"], p=[0.5, 0.2, 0.3])
    if kind == "roll":
        cut = replace(cut, neck=0.064, deep=0.01)
    return Design(cut, fit, "upper", "sweater", None if kind == "none" or cut.deep > 0.09 else str(kind))


def _hoodie(rng) -> Design:
    cut, fit = _top(rng, WRIST + rng.uniform(-0.01, 0.05), 0.02, 0.05)
    fit = replace(fit, stiffness=rng.uniform(0.3, 0.8), cuffs=True, waist=bool(rng.random() < 0.7))
    if rng.random() < 0.3:
        return Design(replace(cut, hood=True), fit, "upper", "hoodie")
    opening = (0.02, rng.uniform(0.02, 0.09)) if rng.random() < 0.3 else None
    return Design(replace(cut, neck=0.075, deep=0.03, opening=opening), fit, "upper", "hoodie", "hood")


def _waistcoat(rng) -> Design:
    cut, fit = _top(rng, None, 0.014, 0.03, neck=0.08, deep=rng.uniform(0.10, 0.2))
    opening = (0.015, rng.uniform(0.02, 0.1)) if rng.random() < 0.6 else None
    return Design(replace(cut, opening=opening), replace(fit, stiffness=0.7), "upper", "waistcoat")


def _cardigan(rng) -> Design:
    cut, fit = _top(rng, WRIST + rng.uniform(-0.1, 0.03), 0.018, 0.035, deep=rng.uniform(0.03, 0.15))
    cut = replace(cut, bottom=rng.uniform(0.55, 0.68), opening=(rng.uniform(0.01, 0.05), rng.uniform(0.02, 0.13)))
    return Design(cut, replace(fit, stiffness=rng.uniform(0.2, 0.7)), "upper", "cardigan")


def _blazer(rng) -> Design:
    cut, fit = _top(rng, WRIST + 0.01, 0.018, 0.032, deep=0.10)
    cut = replace(cut, bottom=rng.uniform(0.62, 0.72), opening=(rng.uniform(0.015, 0.05), rng.uniform(0.015, 0.12)))
    fit = replace(fit, stiffness=rng.uniform(0.6, 1.0), ease=0.5 * fit.ease, folds=0.6 * fit.folds)
    return Design(cut, fit, "upper", "blazer", "shirt", lapels=True)


def _jacket(rng) -> Design:
    cut, fit = _top(rng, WRIST + 0.02, 0.022, 0.055)
    opening = (0.02, rng.uniform(0.02, 0.12)) if rng.random() < 0.6 else None
    fit = replace(fit, stiffness=rng.uniform(0.4, 1.0), waist=bool(rng.random() < 0.7), cuffs=bool(rng.random() < 0.7))
    kind = str(rng.choice(["stand", "shirt", "ribbed", "hood"]))
    return Design(replace(cut, opening=opening), fit, "upper", "jacket", kind)


def _coat(rng) -> Design:
    cut, fit = _top(rng, WRIST + 0.02, 0.022, 0.045)
    opening = (rng.uniform(0.015, 0.05), rng.uniform(0.02, 0.14)) if rng.random() < 0.65 else None
    cut = replace(cut, bottom=rng.uniform(0.85, 1.30), opening=opening)
    fit = replace(
        fit,
        stiffness=rng.uniform(0.4, 1.0),
        skirt=rng.uniform(0.02, 0.045),
        flare=rng.uniform(0.0, 0.18),
        hang=0.85,
        folds=0.6 * fit.folds,
    )
    turned = bool(rng.random() < 0.5)
    return Design(cut, fit, "upper", "coat", "shirt" if turned else str(rng.choice(["stand", "hood"])), turned)


def _trousers(rng, low: float, high: float, fabric: str, flare: float = 0.0) -> Design:
    top = rng.uniform(0.41, 0.50)
    leg = rng.uniform(0.74, ANKLE + 0.03)
    folds = _fold(rng)
    fit = Fit(
        torso=rng.uniform(0.004, 0.010),
        leg=rng.uniform(low, high),
        flare=flare,
        stiffness=rng.uniform(0.1, 0.6),
        waist=True,
    )
    fit = _folded(fit, folds)
    return Design(Cut(top=top, leg=leg, sleeve=None), fit, "lower", fabric)


def _jeans(rng) -> Design:
    design = _trousers(rng, 0.004, 0.03, "jeans")
    if design.fit.leg < 0.009:
        return replace(design, fit=replace(design.fit, ease=0.35 * design.fit.ease, folds=0.4 * design.fit.folds))
    return design


def _leggings(rng) -> Design:
    fit = Fit(torso=0.003, leg=0.003, ease=rng.uniform(0.0, 0.01), folds=0.1, waist=True)
    leg = rng.uniform(0.5, ANKLE)
    return Design(Cut(top=rng.uniform(0.38, 0.46), leg=leg, sleeve=None), fit, "lower", "leggings")


def _joggers(rng) -> Design:
    design = _trousers(rng, 0.02, 0.04, "joggers")
    return replace(design, fit=replace(design.fit, cuffs=True, ease=design.fit.ease + 0.03))


def _wide_trousers(rng) -> Design:
    return _trousers(rng, 0.018, 0.035, "trousers", rng.uniform(0.05, 0.16))


def _shorts(rng) -> Design:
    design = _trousers(rng, 0.008, 0.035, "shorts", rng.uniform(0, 0.12))
    return replace(design, cut=replace(design.cut, leg=rng.uniform(0.10, 0.44)))


def _skirt(rng) -> Design:
    top, length = rng.uniform(0.40, 0.48), rng.choice([0.36, 0.52, 0.68, 0.95], p=[0.3, 0.3, 0.2, 0.2])
    narrow = rng.random() < 0.3
    folds = _fold(rng)
    fit = Fit(
        torso=0.005,
        skirt=0.006 if narrow else rng.uniform(0.008, 0.02),
        flare=0.0 if narrow else rng.uniform(0.05, 0.45),
        hang=rng.uniform(0.45, 0.9),
        stiffness=rng.uniform(0, 0.5),
        waist=True,
        pleats=int(rng.choice([0, 0, 0, 14, 20, 26])) if not narrow else 0,
        ease=0.4 * folds["ease"],
        folds=(0.2 if narrow else 1.0) * folds["folds"],
    )
    cut = Cut(hull="robe", top=top, sleeve=None, bottom=top + length + rng.uniform(-0.06, 0.1))
    return Design(cut, fit, "lower", "skirt")


def _dress(rng) -> Design:
    sleeve = rng.choice([-1, 0.14, 0.3, WRIST], p=[0.4, 0.25, 0.15, 0.2])
    neck = {"neck": rng.uniform(0.065, 0.095), "deep": rng.uniform(0.02, 0.17)}
    cut, fit = _top(rng, None if sleeve < 0 else float(sleeve), 0.004, 0.02, **neck)
    length = rng.choice([0.86, 1.02, 1.2, 1.36], p=[0.3, 0.35, 0.15, 0.2]) + rng.uniform(-0.05, 0.05)
    fit = replace(
        fit,
        skirt=rng.uniform(0.006, 0.025),
        flare=rng.uniform(0.0, 0.4) * (rng.random() < 0.8),
        hang=rng.uniform(0.45, 0.9),
        waist=bool(rng.random() < 0.55),
        stiffness=rng.uniform(0, 0.4),
        ease=0.6 * fit.ease,
        pleats=int(rng.choice([0, 0, 0, 0, 18])),
    )
    if sleeve < 0 and rng.random() < 0.25:
        cut = replace(cut, top=rng.uniform(0.09, 0.13))
    return Design(replace(cut, bottom=float(length)), fit, "upper", "dress")


def _gown(rng) -> Design:
    """A long loose robe with wide sleeves: abaya, kimono, cassock."""
    cut, fit = _top(rng, WRIST + rng.uniform(-0.05, 0.06), 0.02, 0.045, neck=0.066, deep=0.02)
    fit = replace(fit, skirt=0.03, flare=rng.uniform(0.05, 0.25), hang=0.7, stiffness=rng.uniform(0, 0.3))
    opening = (0.01, 0.05) if rng.random() < 0.25 else None
    return Design(replace(cut, bottom=rng.uniform(1.2, 1.40), opening=opening), fit, "upper", "dress")


def _jumpsuit(rng) -> Design:
    cut, fit = _top(rng, rng.choice([None, 0.18, WRIST]), 0.006, 0.03)
    fit = replace(fit, leg=rng.uniform(0.008, 0.035), flare=rng.uniform(0, 0.08))
    return Design(
        replace(cut, leg=rng.uniform(0.1, ANKLE)), fit, "upper", "jumpsuit", "shirt" if rng.random() < 0.4 else None
    )


def _briefs(rng) -> Design:
    fit = Fit(torso=0.003, leg=0.003, ease=0.0, folds=0.1, waist=True)
    return Design(Cut(top=rng.uniform(0.5, 0.54), leg=rng.uniform(0.02, 0.12), sleeve=None), fit, "lower", "leggings")


def _bra(rng) -> Design:
    cut = Cut(sleeve=None, neck=0.105, deep=rng.uniform(0.07, 0.13), bottom=rng.uniform(0.22, 0.27))
    return Design(cut, Fit(torso=0.003, ease=0.0, folds=0.05), "upper", "tank top")


#: Kind -> how to design one.
GARMENTS: dict[str, Callable[[np.random.Generator], Design]] = {
    "tee": _tee,
    "long sleeve": _long_sleeve,
    "tank top": _tank,
    "crop top": _crop_top,
    "strapless top": _strapless,
    "shirt": _shirt,
    "polo": _polo,
    "blouse": _blouse,
    "sweater": _sweater,
    "hoodie": _hoodie,
    "waistcoat": _waistcoat,
    "cardigan": _cardigan,
    "blazer": _blazer,
    "jacket": _jacket,
    "coat": _coat,
    "jeans": _jeans,
    "trousers": lambda rng: _trousers(rng, 0.006, 0.03, "trousers"),
    "wide trousers": _wide_trousers,
    "joggers": _joggers,
    "leggings": _leggings,
    "shorts": _shorts,
    "skirt": _skirt,
    "dress": _dress,
    "gown": _gown,
    "jumpsuit": _jumpsuit,
    "briefs": _briefs,
    "bra": _bra,
}

UPPER = {
    "tee": 0.30,
    "long sleeve": 0.09,
    "tank top": 0.08,
    "crop top": 0.04,
    "strapless top": 0.015,
    "shirt": 0.14,
    "polo": 0.05,
    "blouse": 0.07,
    "sweater": 0.10,
    "hoodie": 0.10,
    "jacket": 0.05,
}
OVER = {"waistcoat": 0.10, "cardigan": 0.2, "blazer": 0.25, "jacket": 0.23, "coat": 0.22}
LOWER = {"jeans": 0.38, "trousers": 0.2, "wide trousers": 0.08, "joggers": 0.08, "leggings": 0.08, "shorts": 0.18}
#: Which whole outfits, and how often.
OUTFITS = {
    "separates": 0.48,
    "layers": 0.22,
    "skirt": 0.10,
    "dress": 0.12,
    "gown": 0.03,
    "jumpsuit": 0.03,
    "little": 0.02,
}


def random_outfit(rng: np.random.Generator, man: bool) -> str:
    """One of `OUTFITS`; men seldom wear skirts and dresses."""
    seldom = ("skirt", "dress") if man else ()
    return _chosen(rng, {name: share * (0.06 if name in seldom else 1) for name, share in OUTFITS.items()})


def put_on_clothes(body: Body, rng: np.random.Generator, outfit: str | None = None, pressed: bool = False) -> Clothes:
    """A random outfit on a body that is posed in the room's axes (Y up).

    outfit : one of `OUTFITS`, or None for any.  pressed : without folds.
    """
    outfit = outfit or _chosen(rng, OUTFITS)
    if outfit not in OUTFITS:
        raise ValueError(f"outfit is one of {', '.join(OUTFITS)}, not {outfit!r}")
    worn: list[tuple[str, Design]] = []
    tucked = rng.random() < 0.35
    if outfit in ("separates", "layers", "skirt"):
        lower = "skirt" if outfit == "skirt" else _chosen(rng, LOWER)
        upper = _chosen(rng, UPPER)
        if outfit == "layers" and upper in ("hoodie", "jacket", "crop top", "strapless top"):
            upper = "tee"
        top, bottom = (GARMENTS[kind](rng) for kind in (upper, lower))
        tucked = tucked and upper in ("tee", "long sleeve", "tank top", "shirt", "polo", "blouse")
        if tucked:
            top = replace(top, cut=replace(top.cut, hull="suit", bottom=float(bottom.cut.top or WAIST) + 0.06))
            top = replace(top, fit=replace(top.fit, waist=True, torso=min(top.fit.torso, 0.02)))
            worn = [(upper, top), (lower, bottom)]
        else:
            worn = [(lower, bottom), (upper, top)]
        if outfit == "layers":
            over = _chosen(rng, OVER)
            if over == "coat" and lower == "wide trousers":
                over = "jacket"
            worn.append((over, GARMENTS[over](rng)))
    elif outfit == "little":
        worn = [("briefs", _briefs(rng))] + ([("bra", _bra(rng))] if rng.random() < 0.6 else [])
    else:
        worn = [(outfit, GARMENTS[outfit](rng))]
        if outfit == "dress" and rng.random() < 0.2:
            worn.append(("cardigan", _cardigan(rng)))
    if pressed:
        worn = [(kind, replace(d, fit=replace(d.fit, folds=0, ease=0, gather=0, pleats=0))) for kind, d in worn]
    return _draped(body, worn, rng)


def _draped(body: Body, worn: list[tuple[str, Design]], rng: np.random.Generator) -> Clothes:
    drapes: list[Draped] = []
    for _, design in worn:
        drapes.append(make(body, design.cut, design.fit, rng, drapes))
    pieces: list[Piece] = []
    hidden = np.zeros(len(body.vertices), bool)  # below what is worn further out
    for (kind, design), draped in zip(reversed(worn), reversed(drapes), strict=True):
        paint, finish = random_fabric(rng, design.fabric)
        look = partial(Piece, colour=paint, finish=finish, label=design.label)
        shown = ~draped.below(hidden)
        faces, face_uv = draped.faces[shown], draped.face_uv[shown]
        pieces.append(look(kind, draped.vertices, faces, draped.uv, face_uv, normals=draped.normals))
        strips = []
        if design.collar and design.cut.top is None and not design.cut.hood:
            strip = collar(body, draped, design.collar, rng, open_front=_is_open(design))
            strips += [strip] if strip else []
        if design.lapels and design.cut.opening is not None:
            strips += lapels(body, draped, rng)
        pieces += [look(f"{kind} edge", s.vertices, s.faces, s.uv, s.faces) for s in strips]
        hidden |= draped.covered
    return Clothes(tuple(kind for kind, _ in worn), pieces, drapes, hidden)


def _is_open(design: Design) -> bool:
    return design.cut.opening is not None or design.collar == "shirt"


def _chosen(rng: np.random.Generator, shares: dict[str, float]) -> str:
    names = list(shares)
    share = np.array([shares[n] for n in names])
    return names[int(rng.choice(len(names), p=share / share.sum()))]
