"""One garment: a pattern and how it sits in, draped on a posed body out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lookalike.body import Body, load_body
from lookalike.people.wardrobe.cloth import Obstacles, Sheet, drape
from lookalike.people.wardrobe.hulls import REGIONS, WAIST, hull_uv, load_hull, table_transforms
from lookalike.people.wardrobe.pattern import Cut, Panel, cut_out
from lookalike.render.normals import vertex_normals
from lookalike.surface.subdivide import split_quads

#: Height of the body whose metres patterns are written in.
PATTERN_HEIGHT = 1.72
ROUNDS = 24
#: What lies less than this inside a garment's edge (metres) may be seen past it.
WITHIN = 0.03
#: Joints about which cloth gathers, and how far (metres).
GATHERS = {"elbow": 0.085, "knee": 0.10, "shoulder": 0.09, "hip": 0.10}
#: Metres that cloth falls in a round, and at most is blown aside.
FALL, WIND = 2.2e-4, 8e-5


@dataclass(frozen=True)
class Fit:
    """How a garment sits.

    Attributes
    ----------
    torso, arm, leg, skirt : metres between skin and cloth.
    flare : further width for each metre down skirt, legs and sleeves.  hang : the share of it by which a skirt stands
        out before it falls in folds.
    ease : share by which cloth is longer than it need be all over; gather : the same where it usually gathers: about
        elbows, knees, armpits, groin, waist, and where sleeves and legs end.
    stiffness : 0 for silk to 1 for felt.
    waist, cuffs : whether a band holds the lower (or a skirt's upper) end and the sleeves' or legs' ends tight.
    folds : 0 for pressed, 1 for lively.  pleats : number round a skirt, 0 for none.
    """

    torso: float = 0.012
    arm: float = 0.012
    leg: float = 0.012
    skirt: float = 0.012
    flare: float = 0.0
    hang: float = 0.6
    ease: float = 0.03
    gather: float = 0.08
    stiffness: float = 0.3
    waist: bool = False
    cuffs: bool = False
    folds: float = 0.5
    pleats: int = 0


@dataclass(frozen=True)
class Draped:
    """A garment on a posed body.

    Attributes
    ----------
    panel : what it was cut from.  vertices : (n, 3) float32, the body's frame.  normals : (n, 3) unit.  faces : (m, 3).
    uv : (t, 2), face_uv : (m, 3) metres on the cloth.
    above : (V,) float32 by how much it lies above each of the body's vertices, metres, zero where it does not.
    covered : (V,) bool the body's vertices under it.
    """

    panel: Panel
    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    face_uv: np.ndarray
    above: np.ndarray
    covered: np.ndarray

    def below(self, hidden: np.ndarray) -> np.ndarray:
        """(m,) bool: its faces that lie wholly over those of the body's vertices (V,) that something else hides."""
        hull = self.panel.hull
        anchors = load_body().faces[hull.face[self.panel.used]]
        return hidden[anchors].all(1)[self.faces].all(1)


def pattern_scale(body: Body) -> float:
    """How much larger than in the pattern everything is on this body."""
    return body.scale * float(np.ptp(body.rest[:, 1])) / body.scale / PATTERN_HEIGHT


def make(
    body: Body,
    cut: Cut,
    fit: Fit,
    rng: np.random.Generator,
    inner: Sequence[Draped] = (),
    rounds: int = ROUNDS,
) -> Draped:
    """A garment cut, sewn and draped. body : posed, Y up.  inner : what is worn below it."""
    hull = load_hull(cut.hull)
    panel = cut_out(hull, cut)
    size = pattern_scale(body)
    sewn, worn, weights = _sewn(body, panel, cut, fit, size, rng)
    carry = body.transforms @ np.linalg.inv(table_transforms(body))
    move = (weights @ carry.reshape(len(carry), 16).astype(np.float32)).reshape(-1, 4, 4)
    start = np.einsum("vab,vb->va", move[:, :3, :3], worn) + move[:, :3, 3]

    below = np.max([np.zeros(len(body.vertices), np.float32), *(d.above for d in inner)], axis=0)
    body_normals = body.normals
    corners, bary = body.model.faces[hull.face[panel.used]], hull.bary[panel.used]
    place = np.einsum("nk,nki->ni", bary, body.vertices[corners])
    normal = np.einsum("nk,nki->ni", bary, body_normals[corners])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    gap = 0.004 * size + below[corners].max(1)
    skirt = hull.region[panel.used] == REGIONS.index("skirt")
    gap[skirt] = -1.0  # a skirt rests on whatever it comes to
    obstacles = Obstacles(
        place,
        normal,
        gap.astype(np.float32),
        np.flatnonzero(skirt),
        *_what_skirts_meet(body, body_normals, inner, size),
    )
    wind = WIND * rng.normal(size=3) * [1, 0, 1]
    fall = size * (wind - [0, FALL, 0])
    sheet = _sheet(panel, sewn, cut, fit, rng)
    vertices = _ironed(panel, drape(start, start, sheet, obstacles, rounds, fall))
    uv, face_uv = hull_uv(cut.hull)
    face_uv = face_uv[panel.source]

    height = np.einsum("ni,ni->n", vertices - place, normal).astype(np.float32)
    above = np.zeros(len(body.vertices), np.float32)
    np.maximum.at(above, corners.reshape(-1), np.repeat(height, 3))
    np.maximum.at(above, body.model.faces.reshape(-1), np.repeat(above[body.model.faces].max(1), 3))
    faces = split_quads(panel.quads)
    normals = vertex_normals(vertices, faces)
    return Draped(panel, vertices, normals, faces, uv, split_quads(face_uv), above, _covered(body, panel))


def _sewn(body, panel, cut, fit, size, rng):
    """The garment in the A-pose of this body as it was sewn (n, 3) and as it is worn, with folds laid; weights (n, J)."""
    hull = panel.hull
    rest = hull.rest + np.tensordot(body.betas.astype(np.float32), hull.shape_basis, 1)
    rest, weights = rest[panel.used] * np.float32(body.scale), hull.weights[panel.used]
    table = (weights @ table_transforms(body).reshape(-1, 16).astype(np.float32)).reshape(-1, 4, 4)
    sheet = np.einsum("vab,vb->va", table[:, :3, :3], rest) + table[:, :3, 3]
    mean = panel.mean
    for _ in range(2 + int(max(fit.torso, fit.leg) / 0.004)):  # wide clothes do not show every curve of the body
        sheet = sheet + np.float32(0.6) * (mean @ sheet - sheet)
    outward = vertex_normals(sheet, split_quads(panel.quads))
    low = hull.within("skirt", "leg")[panel.used] if hull.name == "robe" else hull.within("leg")[panel.used]
    outward[low, 1] *= 0.2  # skirts and legs grow sideways
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-6)
    base, flared = _widths(panel, cut, fit)
    sewn = sheet + (size * (base + flared))[:, None] * outward
    skirt = (hull.region[panel.used] == REGIONS.index("skirt")) if hull.name == "robe" else np.zeros(len(sheet), bool)
    hang = np.where(skirt, fit.hang, 1.0)
    worn = sheet + (size * (base + hang * flared + _laid_folds(panel, fit, base + flared, rng)))[:, None] * outward
    sewn, worn, weights = panel.trimmed(sewn, worn, weights)
    return sewn, worn, weights


def _widths(panel: Panel, cut: Cut, fit: Fit) -> tuple[np.ndarray, np.ndarray]:
    """(n,) metres between skin and cloth, and what flare adds, in the pattern's metres."""
    hull, used = panel.hull, panel.used
    down, along = hull.down[used], hull.along[used]
    arm, leg, skirt = hull.within("arm")[used], hull.within("leg")[used], hull.within("skirt")[used]
    base = np.full(len(used), fit.torso)
    base[arm], base[leg], base[skirt] = fit.arm, fit.leg, fit.skirt
    for _ in range(10):
        base = 0.5 * base + 0.5 * (panel.mean @ base)
    flared = fit.flare * np.where(skirt, np.clip(down - 0.52, 0, None), 0)
    flared += fit.flare * np.where(leg, np.clip(along - 0.25, 0, None), 0)
    flared += fit.flare * np.where(arm, np.clip(along - 0.15, 0, None), 0) * (not skirt.any())
    tight = np.zeros(len(used))
    if fit.waist:
        edge = _band(cut)
        tight = np.where(arm, 0, np.exp(-(((down - edge) / 0.03) ** 2)))
    if fit.cuffs:
        ends = [(arm, cut.sleeve), (leg, cut.leg)]
        for where, end in ends:
            if end is not None:
                tight = np.maximum(tight, np.where(where, np.exp(-(((along - end + 0.02) / 0.03) ** 2)), 0))
    return base * (1 - 0.85 * tight), flared


def _band(cut: Cut) -> float:
    """How far below the neck a garment's waistband is: at its top, at the end of a top, or at a dress's waist."""
    if cut.top is not None:
        return cut.top
    return WAIST if cut.hull == "robe" and cut.bottom > 0.75 else cut.bottom - 0.02


def _laid_folds(panel: Panel, fit: Fit, width: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n,) metres in or out: folds to start from. Round limbs and aslant, down skirts, and a little everywhere."""
    hull, used = panel.hull, panel.used
    posed, down, along, angle = hull.posed[used], hull.down[used], hull.along[used], hull.round[used]
    arm, leg, skirt = hull.within("arm")[used], hull.within("leg")[used], hull.within("skirt")[used]
    out = 0.0022 * waves(rng, posed, rng.uniform(0.07, 0.14))
    limb = np.zeros(len(used))
    for _ in range(4):  # drawn aslant round limbs, each on one side of it only
        twist, phase = rng.choice([-3, -2, -1, 1, 2, 3]), rng.uniform(0, 2 * np.pi, 2)
        side = np.clip(0.3 + np.cos(angle - phase[1]), 0, 1)
        limb += side * np.sin(along * 2 * np.pi / rng.uniform(0.05, 0.16) + twist * angle + phase[0])
    drag = np.zeros(len(used))
    for _ in range(3):  # from shoulders and hips across the trunk
        way = np.array([rng.normal(0, 0.6), 1.0, 0.3 * rng.normal()])
        drag += np.sin(posed @ (way / np.linalg.norm(way)) * 2 * np.pi / rng.uniform(0.06, 0.13) + rng.uniform(0, 6.3))
    out = out + 0.006 * fit.folds * np.where(arm | leg, limb * waves(rng, posed, 0.35), 0)
    out = out + 0.007 * fit.folds * np.where(arm | leg | skirt, 0, drag * waves(rng, posed, 0.3))
    deep = np.clip((down - WAIST - 0.03) / 0.5, 0, 1) * skirt
    if fit.pleats:
        out = out + 0.016 * deep**0.5 * np.cos(angle * fit.pleats)
    hanging = np.zeros(len(used))
    for _ in range(4):
        hanging += rng.uniform(0.3, 1) * np.cos(angle * rng.integers(3, 15) + rng.uniform(0, 6.3) + 1.2 * deep)
    out = out + fit.folds * (0.010 + 0.10 * fit.flare) * deep * hanging
    return np.maximum(out, -0.8 * width)


def _sheet(panel: Panel, sewn: np.ndarray, cut: Cut, fit: Fit, rng: np.random.Generator) -> Sheet:
    """Springs with their lengths, and what holds."""
    springs = np.concatenate([panel.edges, panel.diagonals])
    lengths = np.linalg.norm(sewn[springs[:, 0]] - sewn[springs[:, 1]], axis=1)
    hull, used = panel.hull, panel.used
    along, posed, down = hull.along[used], hull.posed[used], hull.down[used]
    span = np.abs(along[springs[:, 0]] - along[springs[:, 1]])
    flat = np.linalg.norm(posed[springs[:, 0]] - posed[springs[:, 1]], axis=1)
    share = np.clip(span / np.maximum(flat, 1e-6), 0, 1)  # of the way along limbs or down, where length gathers
    # here more, there less: folds come in groups
    much = np.clip(0.35 + 0.75 * waves(rng, posed, 0.22), 0, 1.5)[springs].mean(1)
    gather = fit.gather * _gathers(panel, cut, rng)
    lengths = lengths * (1 + fit.ease * much * (0.3 + 0.7 * share) + gather[springs].mean(1) * (0.25 + 0.75 * share))
    edge = np.arange(len(springs)) < len(panel.edges)
    arm, skirt = hull.within("arm")[used], hull.within("skirt")[used]
    hold = np.where(skirt, 0.002, 0.008)
    hold = hold + 0.25 * np.clip(1 - down / 0.10, 0, 1) * ~hull.within("arm", "head")[used]
    if cut.top is not None:
        hold = np.maximum(hold, 0.6 * np.exp(-(((down - cut.top) / 0.02) ** 2)))
    elif fit.waist:
        edge_at = _band(cut)
        hold = np.maximum(hold, np.where(arm, 0, 0.4 * np.exp(-(((down - edge_at) / 0.02) ** 2))))
    if fit.cuffs:
        ends = np.exp(-((panel.field / 0.02) ** 2)) * hull.within("arm", "leg")[used]
        hold = np.maximum(hold, 0.4 * ends)
    return Sheet(
        springs,
        lengths.astype(np.float32),
        np.where(edge, 1.0, 0.5).astype(np.float32),
        np.where(edge, 0.9, 0.3).astype(np.float32),
        panel.mean,
        0.001 + 0.035 * fit.stiffness,
        hold.astype(np.float32),
    )


def _gathers(panel: Panel, cut: Cut, rng: np.random.Generator) -> np.ndarray:
    """(n,) from 0 to about 1: where cloth lies in folds, each place more or less so than usual."""
    hull, used = panel.hull, panel.used
    posed, down, along = hull.posed[used], hull.down[used], hull.along[used]
    out = np.zeros(len(used))
    for name, size in GATHERS.items():
        for side in ("left", "right"):
            off = posed - hull.joints[f"{side}_{name}"]
            out += rng.uniform(0.2, 1.3) * np.exp(-np.einsum("ni,ni->n", off, off) / size**2)
    ends = [(hull.within("arm")[used], cut.sleeve), (hull.within("leg")[used], cut.leg)]
    for where, end in ends:
        if end is not None and end > 0.3:
            out += where * rng.uniform(0, 1.4) * np.exp(-(((along - end) / 0.09) ** 2))
    if cut.top is None:
        band = min(cut.bottom, WAIST + 0.05)
        out += ~hull.within("arm")[used] * rng.uniform(0, 0.9) * np.exp(-(((down - band) / 0.07) ** 2))
    return out


def _ironed(panel: Panel, vertices: np.ndarray) -> np.ndarray:
    """Without the waves that are as short as the mesh's edges, which no cloth has; the rim is smoothed along itself."""
    rim = panel.rim
    for step in (0.5, -0.52):  # Taubin (1995): smooths without shrinking
        change = panel.mean @ vertices - vertices
        change[rim] = panel.along_rim @ vertices[rim] - vertices[rim]
        vertices = vertices + np.float32(step) * change
    return vertices.astype(np.float32)


def waves(rng: np.random.Generator, points: np.ndarray, size: float) -> np.ndarray:
    """(n,) a smooth random function of about unit height whose waves are about `size` long. points : (n, 3)."""
    ways = rng.normal(size=(6, 3))
    ways *= (rng.uniform(0.7, 1.6, 6) * 2 * np.pi / size / np.linalg.norm(ways, axis=1))[:, None]
    phase = rng.uniform(0, 2 * np.pi, 6)
    return np.sin(points @ ways.T.astype(np.float32) + phase).sum(1) / 2.4


def _what_skirts_meet(body: Body, body_normals: np.ndarray, inner: Sequence[Draped], size: float):
    """Points, normals (k, 3) and least distances (k,): the legs and hips, and the clothes on them."""
    part = np.array(body.model.part_names)[body.model.parts]
    legs = np.isin(part, ["left_leg", "right_leg", "torso"])
    legs &= body.rest[:, 1] < body.rest_joints[0, 1] + 0.16 * body.scale
    points, normals = [body.vertices[legs]], [body_normals[legs]]
    gaps = [np.full(int(legs.sum()), 0.007 * size)]
    for draped in inner:
        low = draped.panel.hull.down[draped.panel.used] > WAIST - 0.15
        points.append(draped.vertices[low])
        normals.append(draped.normals[low])
        gaps.append(np.full(int(low.sum()), 0.005 * size))
    return np.concatenate(points), np.concatenate(normals), np.concatenate(gaps).astype(np.float32)


def _covered(body: Body, panel: Panel) -> np.ndarray:
    """(V,) bool: the body's vertices that lie under the panel, away from its edge."""
    hull = panel.hull
    value = np.full(len(hull.face), 1.0)
    value[panel.used] = panel.field
    inner = np.zeros(len(body.vertices), bool)
    inner[body.model.faces[hull.face[value < -WITHIN]].reshape(-1)] = True
    outer = np.zeros(len(body.vertices), bool)
    outer[body.model.faces[hull.face[value >= -WITHIN]].reshape(-1)] = True
    return inner & ~outer
