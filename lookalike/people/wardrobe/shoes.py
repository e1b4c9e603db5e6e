"""Shoes, boots, sandals and socks of our own: a posed `Body` and a random generator in, pieces labelled "shoes" out.

They are built on the feet of the T-pose (`lookalike.people.wardrobe.last`) as uppers, soles, heels, straps and laces with real
thickness, then carried to the pose with the skin's weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from lookalike.body.model import Body
from lookalike.errors import LookalikeError
from lookalike.people.forms import Form, ellipse, joined, resampled, sheet, slab, smoothstep, sweep, thickened, tube
from lookalike.people.looks.fabric import random_fabric
from lookalike.people.looks.paint import Flat, Paint
from lookalike.people.scene import Finish, Piece
from lookalike.people.wardrobe.last import COLUMNS, Last, Limb
from lookalike.render.normals import vertex_normals

RUBBER = Finish(roughness=0.6, reflectance=0.04)
LEATHER = Finish(roughness=0.38, reflectance=0.045)
CLOTH = Finish(roughness=0.85, reflectance=0.03, fuzz=0.25)

#: Where a shoe's texture lies, away from the other garments'.
CHART = 69.0

#: Linear colours of leather and of soles.
LEATHERS = ((0.012, 0.011, 0.011), (0.06, 0.03, 0.017), (0.16, 0.075, 0.035), (0.25, 0.16, 0.09), (0.5, 0.47, 0.42))
PLAIN = ((0.012, 0.012, 0.013), (0.70, 0.69, 0.67), (0.16, 0.16, 0.17), (0.35, 0.012, 0.015), (0.02, 0.04, 0.15))
SOLES = ((0.72, 0.71, 0.68), (0.015, 0.015, 0.015), (0.30, 0.17, 0.08), (0.55, 0.5, 0.4))


@dataclass(frozen=True)
class Pair:
    """What both shoes have in common.

    ease, toe, point : of the last.  collar : columns (n,) -> rows (n,) where the upper ends.
    sole : thickness.  wall : how far the sole comes up.  heel : its height.  waist : whether the sole is cut out
    between heel and ball.  laces : how many rows.  sock : row to which a sock shows, or 0.  thick : of the upper.
    straps : of sandals: ends (turns from the toes), height (row), width (metres).  closed : whether there is an upper.
    """

    ease: float = 0.004
    toe: float = 0.010
    point: float = 0.0
    collar: Callable[[np.ndarray], np.ndarray] = np.ones_like
    sole: float = 0.018
    wall: float = 0.010
    heel: float = 0.0
    stiletto: float = 1.0
    waist: bool = False
    laces: int = 0
    tongue: bool = False
    sock: float = 0.0
    thick: float = 0.003
    straps: tuple[tuple[float, float, float], ...] = ()
    closed: bool = True
    leather: float = 0.5
    shank: float = 0.007


def _level(front: float, side: float, back: float) -> Callable[[np.ndarray], np.ndarray]:
    """A collar: rows at the toes' end of the opening, at the sides and at the heel."""

    def collar(column: np.ndarray) -> np.ndarray:
        ahead = (1 - np.cos(2 * np.pi * column)) / 2  # 0 at the heel, 1 at the toes
        middle = smoothstep(ahead, -0.12, 0.5)
        return np.where(ahead < 0.5, back + (side - back) * middle, side + (front - side) * smoothstep(ahead, 0.5, 1))

    return collar


def _sneaker(rng: np.random.Generator) -> Pair:
    high = rng.random() < 0.25
    collar = _level(1.12, 1.06, 1.15) if high else _level(0.93, 0.80, 0.98)
    sole = rng.uniform(0.016, 0.032)
    sock = rng.choice([0.0, 1.1, 1.25, 1.45])
    return Pair(collar=collar, sole=sole, wall=rng.uniform(0.008, 0.014), laces=6, tongue=True, sock=sock, thick=0.005,
                leather=0.35, toe=0.011)  # fmt: skip


def _runner(rng: np.random.Generator) -> Pair:
    return Pair(collar=_level(0.9, 0.72, 0.98), sole=rng.uniform(0.024, 0.038), wall=rng.uniform(0.010, 0.02), laces=6,
                tongue=True, sock=rng.choice([0.0, 0.0, 1.1, 1.3]), thick=0.005, leather=0.05, ease=0.005)  # fmt: skip


def _boot(low: float, high: float) -> Callable[[np.random.Generator], Pair]:
    def make(rng: np.random.Generator) -> Pair:
        top = rng.uniform(low, high)
        heel = rng.uniform(0.0, 0.012)
        laces = int(rng.choice([0, 7])) if high < 1.5 else 0
        return Pair(ease=0.006, collar=lambda c: np.full(np.shape(c), top), sole=0.014 + heel, wall=0.007, waist=True,
                    laces=laces, tongue=laces > 0, thick=0.005, leather=0.9, point=rng.uniform(-0.1, 0.35),
                    shank=rng.uniform(0.007, 0.018))  # fmt: skip

    return make


def _oxford(rng: np.random.Generator) -> Pair:
    return Pair(collar=_level(0.88, 0.66, 0.9), sole=0.014, wall=0.003, waist=True, laces=4, tongue=True, toe=0.016,
                point=rng.uniform(0.1, 0.6), sock=rng.choice([0.0, 1.3, 1.5]), leather=1.0)  # fmt: skip


def _loafer(rng: np.random.Generator) -> Pair:
    return Pair(collar=_level(0.62, 0.5, 0.78), sole=0.012, wall=0.003, waist=True, toe=0.014, leather=0.9,
                point=rng.uniform(0.0, 0.4), sock=rng.choice([0.0, 0.0, 1.3]), straps=((0.17, 0.5, 0.02),))  # fmt: skip


def _flat(rng: np.random.Generator) -> Pair:
    return Pair(ease=0.0025, collar=_level(0.34, 0.36, 0.62), sole=0.005, wall=0.001, toe=0.008, leather=0.6,
                point=rng.uniform(-0.1, 0.5), thick=0.002)  # fmt: skip


def _pump(rng: np.random.Generator) -> Pair:
    straps = ((0.5, 0.97, 0.008),) if rng.random() < 0.3 else ()
    return Pair(ease=0.0025, collar=_level(0.33, 0.34, 0.66), sole=0.005, wall=0.001, toe=0.012, leather=0.85, thick=0.002,
                point=rng.uniform(0.2, 0.8), heel=rng.uniform(0.03, 0.085), stiletto=rng.uniform(0.22, 1.0),
                straps=straps)  # fmt: skip


def _heeled_boot(rng: np.random.Generator) -> Pair:
    top = rng.uniform(1.15, 1.9)
    return Pair(ease=0.0035, collar=lambda c: np.full(np.shape(c), top), sole=0.006, wall=0.002, toe=0.012, leather=0.9,
                point=rng.uniform(0.1, 0.7), heel=rng.uniform(0.035, 0.08), stiletto=rng.uniform(0.4, 1.0))  # fmt: skip


def _sandal(rng: np.random.Generator) -> Pair:
    straps = [(0.155, 0.36, rng.uniform(0.012, 0.035))]
    if rng.random() < 0.6:
        straps.append((0.24, 0.62, rng.uniform(0.012, 0.02)))
    if rng.random() < 0.7:
        straps.append((0.5, 0.9, rng.uniform(0.008, 0.016)))
    return Pair(ease=0.0025, toe=0.006, sole=rng.uniform(0.010, 0.03), wall=0.0, straps=tuple(straps), closed=False,
                leather=0.8)  # fmt: skip


def _slipper(rng: np.random.Generator) -> Pair:
    return Pair(ease=0.005, collar=_level(0.6, 0.32, 0.06), sole=rng.uniform(0.012, 0.025), wall=0.003, leather=0.1,
                thick=0.005, sock=float(rng.choice([0.0, 1.3])))  # fmt: skip


def _sock(rng: np.random.Generator) -> Pair:
    top = rng.choice([1.0, 1.2, 1.4, 1.75])
    return Pair(ease=0.002, toe=0.003, collar=lambda c: np.full(np.shape(c), top), sole=0.0025, wall=0.0, thick=0.002,
                leather=0.0, shank=0.002)  # fmt: skip


#: All styles, by name, and how common each is. `HEELED` ones look right on feet posed with `on_heels`.
STYLES: dict[str, tuple[Callable[[np.random.Generator], Pair] | None, float]] = {
    "sneakers": (_sneaker, 28),
    "running shoes": (_runner, 12),
    "ankle boots": (_boot(1.12, 1.3), 8),
    "calf boots": (_boot(1.45, 1.65), 3),
    "knee boots": (_boot(1.8, 1.95), 2),
    "heeled boots": (_heeled_boot, 2),
    "oxfords": (_oxford, 9),
    "loafers": (_loafer, 7),
    "pumps": (_pump, 7),
    "flats": (_flat, 5),
    "sandals": (_sandal, 7),
    "slippers": (_slipper, 2),
    "socks": (_sock, 3),
    "barefoot": (None, 5),
}
HEELED = ("pumps", "heeled boots")


def on_heels(pose: np.ndarray, joint_names: tuple[str, ...], height: float, length: float = 0.24) -> np.ndarray:
    """A pose with the feet as high heels hold them: heels raised, toes flat.

    pose : (J, 3) axis-angle.  height : of the heel, metres.  length : of the foot. Returns (J, 3).
    """
    out = np.array(pose, float)
    angle = float(np.arcsin(np.clip(height / (0.7 * length), 0, 0.8)))
    for side in ("left", "right"):
        out[joint_names.index(f"{side}_ankle"), 0] += angle
        out[joint_names.index(f"{side}_foot"), 0] -= angle
    return out


def random_shoe_style(rng: np.random.Generator) -> str:
    """A style of `STYLES`, common ones more often."""
    share = np.array([s for _, s in STYLES.values()])
    return list(STYLES)[int(rng.choice(len(STYLES), p=share / share.sum()))]


def put_on_shoes(body: Body, rng: np.random.Generator, style: str | None = None) -> tuple[list[Piece], np.ndarray]:
    """A pair of shoes on a posed body.

    style : one of `STYLES`, None for any. Returns pieces labelled "shoes" and (V,) bool: the body's vertices that are
    inside them and need not be shown.
    """
    style = style or random_shoe_style(rng)
    if style not in STYLES:
        raise LookalikeError(f"There are no shoes '{style}': choose one of {', '.join(STYLES)}.")
    covered = np.zeros(len(body.vertices), bool)
    maker = STYLES[style][0]
    if maker is None:
        return [], covered
    pair = maker(rng)
    forms: dict[str, list[Form]] = {}
    # The T-pose is its own mirror image, so the right shoe is the left one's.
    limb, other = Limb.of(body, "left"), Limb.of(body, "right")
    shoe, inside = _shoe(limb, pair)
    covered[limb.index[inside]] = True
    if body.model.mirror is not None:
        covered[body.model.mirror[limb.index[inside]]] = True
    for name, form in shoe.items():
        forms[name] = [limb.carried(form, body.transforms), other.carried(form.mirrored(), body.transforms)]
    paints = _paints(rng, pair, style)
    pieces = []
    for name, both in forms.items():
        form = joined(both)
        form = Form(form.vertices, form.faces, form.uv + [CHART, 0.0], form.face_uv)
        pieces.append(form.piece(f"shoe {name}", "shoes", *paints[name]))
    return pieces, covered


def _paints(rng: np.random.Generator, pair: Pair, style: str) -> dict[str, tuple[Paint, Finish]]:
    """Paint and finish of each part."""

    def pick(colours: tuple) -> Flat:
        base = np.array(colours[int(rng.integers(len(colours)))]) * np.exp(rng.normal(0, 0.15, 3))
        r, g, b = np.clip(base, 0.005, 0.8)
        return Flat((float(r), float(g), float(b)))

    if rng.random() < pair.leather:
        upper: tuple[Paint, Finish] = pick(LEATHERS if rng.random() < 0.8 else PLAIN), LEATHER
    elif rng.random() < 0.4:
        upper = pick(PLAIN), CLOTH
    else:
        upper = random_fabric(rng, "socks" if style == "socks" else "shoes")
    sole: tuple[Paint, Finish] = pick(SOLES if pair.sole > 0.015 else (LEATHERS[0], LEATHERS[1], SOLES[1])), RUBBER
    if style == "socks":
        sole = upper
    lace = (pick((PLAIN[0], PLAIN[1], LEATHERS[1])), CLOTH) if pair.leather < 0.8 else (upper[0], CLOTH)
    sock = (pick((PLAIN[0], PLAIN[1], PLAIN[2])) if rng.random() < 0.8 else random_fabric(rng, "socks")[0]), CLOTH
    return {
        "upper": upper,
        "sole": sole,
        "heel": upper if pair.heel else sole,
        "lace": lace,
        "sock": sock,
        "strap": upper,
    }


def _shoe(limb: Limb, pair: Pair) -> tuple[dict[str, Form], np.ndarray]:
    """One shoe in the T-pose, by parts, and (n,) bool: the limb's points inside it."""
    last = Last.of(limb, pair.ease, pair.toe, pair.point, pair.shank)
    s = limb.scale
    parts: dict[str, Form] = {}
    inside = np.zeros(len(limb.points), bool)
    columns = np.arange(COLUMNS) / COLUMNS
    outer: list[Form] = []
    if pair.closed:
        top = pair.collar(columns)
        count = 15 + int(14 * max(top.max() - 1, 0))
        grid = last.at(columns[None], np.linspace(0, 1, count)[:, None] * top[None])
        upper = sheet(grid, around=True)
        outer.append(upper)
        inside |= _within(limb, upper, grid)
        upper = thickened(upper, pair.thick * s)
        parts["upper"] = joined([upper, *_throat(last, pair)]) if pair.tongue else upper
    if pair.sock:
        bottom = np.minimum(0.75 * pair.collar(columns), 0.9)
        sock_last = Last.of(limb, 0.0018, pair.toe, pair.point, 0.0022)
        rows = bottom[None] + np.linspace(0, 1, 9)[:, None] * (pair.sock - bottom)[None]
        grid = sock_last.at(columns[None], rows)
        sock = sheet(grid, around=True)
        inside |= _within(limb, sock, grid) & (limb.points[:, 1] > limb.floor + 0.03 * s)
        parts["sock"] = thickened(sock, 0.0015 * s)
    parts["sole"] = _sole(last, pair)
    if pair.heel:
        parts["heel"] = _heel(last, pair)
    if pair.laces:
        parts["lace"] = _laces(last, pair)
    if pair.straps:
        parts["strap"] = joined([_strap(last, *strap, lift=pair.closed * 0.002) for strap in pair.straps])
    return parts, inside


def _within(limb: Limb, surface: Form, grid: np.ndarray) -> np.ndarray:
    """(n,) bool: the limb's points under a surface around it, away from its upper edge. grid : (k, m, 3) its points."""
    normals = vertex_normals(surface.vertices, surface.faces).astype(np.float64)
    tree = cKDTree(surface.vertices)
    distance, index = tree.query(limb.points, k=3)
    depth = np.einsum("nki,nki->nk", limb.points[:, None] - surface.vertices[index], normals[index])
    rim = (len(grid) - 2) * grid.shape[1]
    # A toe that just touches the inside is inside.
    return (depth.mean(1) < 0.0) & (depth.max(1) < 0.0015) & (index < rim).all(1) & (distance[:, 0] < 0.05 * limb.scale)


def _sole(last: Last, pair: Pair) -> Form:
    """A closed solid under the foot, with an edge, a toe that rises and a waist if it has one."""
    limb, s = last.limb, last.limb.scale
    edge = last.sole
    z = edge[:, 2]
    along = (z - z.min()) / np.ptp(z)
    centre = edge.mean(0)
    away = edge - centre
    away[:, 1] = 0
    away /= np.linalg.norm(away, axis=1, keepdims=True)

    def ring(grow: float, y: np.ndarray | float) -> np.ndarray:
        out = edge + grow * s * away
        out[:, 1] = y
        return out

    bottom = limb.floor - pair.sole * s + 0.35 * pair.sole * s * smoothstep(along, 0.8, 1.0) ** 2
    if pair.waist:
        cut = smoothstep(along, 0.27, 0.29) * (1 - smoothstep(along, 0.36, 0.62))
        bottom = bottom + 0.62 * pair.sole * s * cut
    wall = limb.floor + pair.wall * s
    grow = 0.0035 if pair.wall > 0.002 else 0.0006
    middle = 0.5 * (bottom + limb.floor)
    rings = [ring(grow - 0.004, bottom), ring(grow, bottom + 0.0025 * s), ring(grow + 0.0006, middle)]
    rings += [ring(grow, np.maximum(wall - 0.001 * s, middle + 1e-4)), ring(grow - 0.002, wall + 2e-4)]
    if pair.wall > 0.002:
        rings.append(ring(-0.006, limb.floor + 0.002))
    return tube(np.stack(rings))


def _heel(last: Last, pair: Pair) -> Form:
    """The block or spike under the heel."""
    limb, s = last.limb, last.limb.scale
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    sole = last.sole
    heel = sole[:, 2].min()
    seat = np.array([sole[sole[:, 2] < heel + 0.05 * s][:, 0].mean(), 0, heel + 0.030 * s])
    rings = []
    for t in np.linspace(0, 1, 7):
        size = (0.027 + (0.027 * pair.stiletto - 0.027) * smoothstep(t, -0.2, 0.75)) * s
        middle = seat + [0, limb.floor - (pair.sole * 0.5 + t * pair.heel) * s, -0.012 * s * t * (1.2 - pair.stiletto)]
        rings.append(middle + size * np.stack([np.sin(angle), 0 * angle, np.cos(angle)], 1))
    return tube(np.stack(rings[::-1]))


def _throat(last: Last, pair: Pair) -> list[Form]:
    """What frames the laces: two eyestays, and the tongue's end."""
    s = last.limb.scale
    top = float(pair.collar(np.array([0.5]))[0])
    rows = np.linspace(0.46, min(top, 1.25) - 0.02, 14)
    out = []
    for side in (-1, 1):
        column = 0.5 + side * np.linspace(0.034, 0.055, 14)
        path = last.at(column, rows) + 0.0005 * s * last.out(column, rows)
        out.append(sweep(path, last.out(column, rows), slab(0.010 * s, 0.0045 * s)))
    if top <= 1.05:
        rows = np.linspace(top - 0.12, top + 0.07, 6)
        path = last.at(np.full(6, 0.5), rows) + np.linspace(0.0, 0.009, 6)[:, None] * s * last.out(
            np.full(6, 0.5), rows
        )
        out.append(sweep(path, last.out(np.full(6, 0.5), rows), slab(0.036 * s, 0.006 * s, 0.8)))
    return out


def _laces(last: Last, pair: Pair) -> Form:
    """Rows of lace across the tongue, and a bow."""
    s = last.limb.scale
    top = min(float(pair.collar(np.array([0.5]))[0]), 1.25) - 0.06
    profile = ellipse(0.0055 * s, 0.003 * s, 5)
    forms = []
    for i, row in enumerate(np.linspace(0.5, top, pair.laces)):
        t = np.linspace(-1, 1, 9)
        column = 0.5 + (0.036 + 0.018 * i / pair.laces) * t
        rows = row + 0.02 * t * (1 if i % 2 else -1)
        out = last.out(column, rows)
        forms.append(sweep(last.at(column, rows) + 0.0035 * s * out, out, profile))
    knot, out = last.at(np.array([0.5]), np.array([top]))[0], last.out(np.array([0.5]), np.array([top]))[0]
    for side in (-1.0, 1.0):
        corners = np.array(
            [(0, 0.004, 0), (0.016, 0.010, 0.006), (0.03, 0.006, 0.016), (0.018, 0.005, 0.014), (0, 0.005, 0.002)]
        )
        loop = resampled(knot + corners * [side * s, s, s], 16)
        forms.append(sweep(loop, np.array([0.3 * side, 1.0, 0.4]), profile))
    return joined(forms)


def _strap(last: Last, reach: float, height: float, width: float, lift: float = 0.0) -> Form:
    """A band over the foot. reach : turns from the toes to where it starts; 0.5 goes around the ankle."""
    s = last.limb.scale
    t = np.linspace(-1, 1, 41)
    if reach >= 0.5:
        column, row = 0.5 + 0.5 * t, np.full(41, height)
    else:
        column, row = 0.5 + reach * t, height * np.sqrt(np.clip(1 - t**4, 0, 1))
    out = last.out(column, row)
    path = last.at(column, row) + (lift + 0.0005) * s * out
    if not lift:
        # It lies on the foot, bridging over its hollows as a band does.
        for _ in range(2):
            away, normal = last.limb.clearance(path)
            short = np.maximum(0.003 * s - away, 0) - 0.7 * np.maximum(away - 0.004 * s, 0)
            path = path + (short * (np.abs(t) < 0.97 if reach < 0.5 else 1))[:, None] * normal
        path[1:-1] = 0.5 * path[1:-1] + 0.25 * (path[:-2] + path[2:])
    return sweep(path, out, slab(width * s, 0.0025 * s))
