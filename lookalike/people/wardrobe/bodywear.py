"""What is worn on trunk, arms and hands: bags, belts, ties, scarves, watches. A posed `Body` in, forms in the room out.

Things on the trunk are drawn in the frame of the upper or the lower trunk and laid on skin and clothes; things on the
wrist are drawn on the T-pose and carried with the skin's weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.spatial import ConvexHull, cKDTree

from lookalike.body.model import Body
from lookalike.people.forms import (
    Form,
    ellipse,
    frames,
    joined,
    loop_sweep,
    resampled,
    sheet,
    slab,
    smoothstep,
    sweep,
    thickened,
    tube,
    unit,
)
from lookalike.people.hair.scalp import directions, parts_of
from lookalike.people.scene import Piece
from lookalike.people.wardrobe.trunk import Trunk, chest, hips

Worn = dict[str, Form]


# ---- around the neck and on the chest ---------------------------------------------------------------------------------


def _collar_ring(trunk: Trunk, front: float, back: float, air: float, count: int = 48) -> np.ndarray:
    """(count, 3) a loop around the neck, from the front by the left to the front. front, back : metres above the joint."""
    neck, s = trunk.joint("neck"), trunk.scale
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    t = (1 - np.cos(angle)) / 2
    y = neck[1] + s * (front + (back - front) * smoothstep(t, 0.0, 0.9))
    radius = 0.075 * s
    ring = np.stack([neck[0] + radius * np.sin(angle), y, neck[2] + radius * np.cos(angle) + 0.01 * s], 1)
    ring = np.concatenate([ring, ring[:1]])
    return trunk.laid(ring, air)[:-1]


def necktie(body: Body, rng: np.random.Generator, over: Sequence[Piece]) -> Worn:
    """A knot at the throat, a blade down the chest, a band under the collar."""
    trunk = chest(body, over)
    s, neck = trunk.scale, trunk.joint("neck")
    ring = _collar_ring(trunk, -0.022, 0.025, 0.004 * s)
    band = loop_sweep(ring, trunk.out(ring), slab(0.018 * s, 0.004 * s))
    top = ring[0]
    waist = trunk.joint("spine1")
    t = np.linspace(0, 1, 22)[:, None]
    middle = top + t * (np.array([neck[0], waist[1] - 0.03 * s, top[2]]) - top)
    middle = trunk.laid(middle, 0.007 * s, pull=0.3)
    out = trunk.out(middle)
    wide = rng.uniform(0.06, 0.09) * s
    size = np.interp(t[:, 0], [0, 0.06, 0.92, 1.0], [0.40, 0.45, 1.0, 0.06]) * wide
    _, across, out = frames(middle, out)
    x = np.linspace(-0.5, 0.5, 7)[None, :, None]
    grid = middle[:, None] + x * size[:, None, None] * across[:, None] + (0.004 * s) * (1 - 4 * x**2) * out[:, None]
    blade = thickened(sheet(grid), 0.003 * s)
    knot = resampled(
        np.stack([top + [0, 0.012 * s, 0.004 * s], top + [0, -0.005 * s, 0.010 * s], top + [0, -0.024 * s, 0.008 * s]]),
        6,
    )
    knot_form = sweep(knot, np.array([0, 0, 1.0]), slab(0.034 * s, 0.018 * s, 0.9), np.linspace(1.1, 0.62, 6))
    return {"necktie": trunk.placed(joined([band, blade, knot_form]))}


def bow_tie(body: Body, rng: np.random.Generator, over: Sequence[Piece]) -> Worn:
    """Two loops and a knot at the throat."""
    trunk = chest(body, over)
    s = trunk.scale
    ring = _collar_ring(trunk, -0.018, 0.025, 0.004 * s)
    band = loop_sweep(ring, trunk.out(ring), slab(0.016 * s, 0.003 * s))
    centre = ring[0] + np.array([0, 0, 0.006]) * s
    wide = rng.uniform(0.045, 0.065) * s
    x = np.linspace(-1, 1, 15)
    path = centre + np.stack([x * wide, 0 * x, -0.012 * s * x**2], 1)
    size = (0.35 + 0.65 * np.abs(x) ** 0.7) * np.where(np.abs(x) > 0.98, 0.9, 1.0)
    loops = sweep(path, np.array([0, 0, 1.0]), slab(0.042 * s, 0.014 * s, 0.8), size)
    knot = sweep(
        centre + np.array([[0, -0.011, 0.003], [0, 0, 0.005], [0, 0.011, 0.003]]) * s,
        np.array([0, 0, 1.0]),
        ellipse(0.016 * s, 0.014 * s),
    )
    return {"bow tie": trunk.placed(joined([band, loops, knot]))}


def scarf(body: Body, rng: np.random.Generator, over: Sequence[Piece]) -> Worn:
    """Wound once or twice around the neck, ends in front."""
    trunk = chest(body, over)
    s = trunk.scale
    forms = []
    angle = np.linspace(0, 2 * np.pi, 18, endpoint=False)
    for turn in range(int(rng.integers(1, 3))):
        thick = rng.uniform(0.016, 0.026) * s
        ring = _collar_ring(trunk, -0.035 + 0.022 * turn, 0.035 + 0.022 * turn, (1.0 + 0.5 * turn) * thick)
        ring = 0.5 * ring + 0.25 * (np.roll(ring, 1, 0) + np.roll(ring, -1, 0))
        folds = 1 + 0.16 * np.cos(3 * angle + rng.uniform(0, 6.28)) + 0.12 * np.cos(5 * angle + rng.uniform(0, 6.28))
        profile = np.stack([1.7 * thick * folds * np.cos(angle), thick * folds * np.sin(angle)], 1)
        forms.append(loop_sweep(ring, trunk.out(ring), profile))
    for side in (-1.0, 1.0):
        if rng.random() < 0.85:
            start = ring[0] + np.array([side * 0.02, 0.0, 0.004]) * s
            long = rng.uniform(0.2, 0.45) * s
            path = start + np.linspace(0, 1, 18)[:, None] * (long * (-0.9 * trunk.up + [0.12 * side, -0.1, 0]))
            path = trunk.laid(path, 0.012 * s, pull=0.35)
            _, across, out = frames(path, trunk.out(path))
            x = np.linspace(-0.5, 0.5, 13)
            wide = np.interp(np.linspace(0, 1, 18), [0, 0.3, 1], [0.06, 0.11, 0.14]) * s
            bend = 0.006 * s * np.cos(4 * np.pi * x + rng.uniform(0, 6.28))
            grid = (
                path[:, None]
                + wide[:, None, None] * x[None, :, None] * across[:, None]
                + bend[None, :, None] * out[:, None]
            )
            forms.append(thickened(sheet(grid), 0.004 * s))
    return {"scarf": trunk.placed(joined(forms))}


def necklace(body: Body, rng: np.random.Generator, over: Sequence[Piece]) -> Worn:
    """A chain or beads, sometimes with a pendant."""
    trunk = chest(body, over)
    s = trunk.scale
    thick = rng.choice([0.0022, 0.003, 0.008]) * s
    ring = _collar_ring(trunk, -rng.uniform(0.03, 0.12), 0.02, 0.5 * thick + 0.001 * s, 72)
    out = trunk.out(ring)
    if thick > 0.006 * s:
        place = resampled(ring, int(0.42 / 0.009), close=True)
        forms = [_ball(p, 0.5 * thick, 8) for p in place]
    else:
        forms = [loop_sweep(ring, out, ellipse(thick, thick, 6))]
    if rng.random() < 0.5:
        forms.append(_ball(ring[0] + (0.004 * out[0] - [0, 0.010, 0]) * s, rng.uniform(0.005, 0.011) * s))
    return {"necklace": trunk.placed(joined(forms))}


def _ball(centre: np.ndarray, radius: float, sides: int = 14) -> Form:
    elevation = np.radians(np.linspace(-80, 80, sides // 2))[:, None]
    return tube(centre + radius * directions(elevation, np.linspace(0, 2 * np.pi, sides, endpoint=False)[None]))


# ---- bags and belts ----------------------------------------------------------------------------------------------------


def belt(body: Body, rng: np.random.Generator, over: Sequence[Piece]) -> Worn:
    """Around the waist, with a buckle."""
    trunk = hips(body, over)
    s = trunk.scale
    height = trunk.joint("pelvis")[1] + rng.uniform(0.05, 0.09) * s
    near = trunk.points[np.abs(trunk.points[:, 1] - height) < 0.025 * s][:, [0, 2]]
    hull = near[ConvexHull(near).vertices]
    angle = np.arctan2(hull[:, 0] - hull[:, 0].mean(), hull[:, 1] - hull[:, 1].mean())
    hull = hull[np.argsort(angle, kind="stable")]
    ring = resampled(np.stack([hull[:, 0], np.full(len(hull), height), hull[:, 1]], 1), 72, close=True, smooth=False)
    for _ in range(3):
        ring = 0.5 * ring + 0.25 * (np.roll(ring, 1, 0) + np.roll(ring, -1, 0))
    flat = unit((ring - ring.mean(0)) * [1, 0, 1])
    # Air enough that no skin of the belly's curve shows through.
    ring = ring + 0.007 * s * flat
    wide = rng.uniform(0.025, 0.042) * s
    front = ring[np.argmax(ring[:, 2])]
    buckle = _box(front + [0, 0, 0.003 * s], np.array([0.05 * s, wide * 1.2, 0.006 * s]), 5.0)
    return {"belt": trunk.placed(loop_sweep(ring, flat, slab(wide, 0.004 * s))), "buckle": trunk.placed(buckle)}


def _box(centre: np.ndarray, size: np.ndarray, power: float = 4.0, around: int = 32, levels: int = 15) -> Form:
    """A box with rounded edges, upright. size : (3,) full.  power : 2 for an ellipsoid, more for sharper edges."""
    e = np.radians(np.linspace(-85, 85, levels))[:, None]
    a = np.linspace(0, 2 * np.pi, around, endpoint=False)[None]
    ways = directions(e, a)
    reach = (np.abs(ways) ** power).sum(-1) ** (-1 / power)
    return tube(centre + 0.5 * size * ways * reach[..., None])


def backpack(body: Body, rng: np.random.Generator, over: Sequence[Piece]) -> Worn:
    """A sack on the back and a strap over each shoulder."""
    trunk = chest(body, over)
    s = trunk.scale
    neck = trunk.joint("neck")
    size = np.array([rng.uniform(0.26, 0.33), rng.uniform(0.36, 0.48), rng.uniform(0.12, 0.2)]) * s
    middle = neck[1] - 0.04 * s - 0.5 * size[1]
    back = -trunk.edge([0, 0, -1], np.array([0, middle, 0]), 0.09)
    sack = _box(np.array([0, middle, back - 0.36 * size[2]]), size, 4.0, 40, 21)
    pocket = _box(np.array([0, middle - 0.16 * size[1], back - 0.9 * size[2]]), size * [0.75, 0.45, 0.4], 4.0)
    points = sack.vertices
    away, out = trunk.clearance(points)
    close = np.abs(points[:, 2] - back) < 0.6 * size[2]
    sack = sack.moved(points + (np.clip(0.004 - away, 0, 0.06) * close)[:, None] * out)
    straps = []
    for side in (-1.0, 1.0):
        shoulder = trunk.joint("left_shoulder" if side > 0 else "right_shoulder")
        x = neck[0] + 0.55 * (shoulder[0] - neck[0])
        front = trunk.edge([0, 0, 1], np.array([x, neck[1] - 0.12 * s, 0]), 0.05)
        top = trunk.edge([0, 1, 0], np.array([x, 0, neck[2]]), 0.04)
        corners = np.array(
            [
                (side * 0.055 * s, neck[1] - 0.06 * s, back),
                (x, top + 0.01 * s, neck[2]),
                (x * 1.05, neck[1] - 0.10 * s, front),
                (x * 1.3, neck[1] - 0.24 * s, 0.5 * (front + back) + 0.03 * s),
                (side * 0.11 * s, neck[1] - 0.32 * s, back),
            ]
        )
        path = trunk.laid(resampled(corners, 40), 0.008 * s, pull=0.5)
        wide = np.interp(np.linspace(0, 1, 40), [0, 0.6, 0.72, 1], [1, 1, 0.4, 0.4])
        straps.append(_ribbon(trunk, path, 0.055 * s * wide, 0.010 * s))
    return {"backpack": trunk.placed(joined([sack, pocket])), "straps": trunk.placed(joined(straps))}


def _ribbon(trunk: Trunk, path: np.ndarray, wide: np.ndarray, thick: float) -> Form:
    """A strap along a curve on the body. wide : (k,) metres."""
    _, across, out = frames(path, trunk.out(path))
    profile = slab(1.0, thick, 0.5)
    rings = (
        path[:, None]
        + profile[None, :, :1] * wide[:, None, None] * across[:, None]
        + profile[None, :, 1:] * out[:, None]
    )
    return tube(rings)


def shoulder_bag(body: Body, rng: np.random.Generator, over: Sequence[Piece]) -> Worn:
    """A bag at the hip on a strap, over the same shoulder or across the chest."""
    parts = ("torso", "neck", "left_leg", "right_leg")
    trunk = Trunk.of(body, "spine3", parts, [p for p in over if p.label in ("upper", "lower")])
    s = trunk.scale
    side = float(rng.choice([-1, 1]))
    across = rng.random() < 0.7
    neck, hip = trunk.joint("neck"), trunk.joint("left_hip" if side > 0 else "right_hip")
    strap = -side if across else side
    shoulder = trunk.joint("left_shoulder" if strap > 0 else "right_shoulder")
    x = neck[0] + (0.55 if across else 0.75) * (shoulder[0] - neck[0])
    top = trunk.edge([0, 1, 0], np.array([x, 0, neck[2]]), 0.04)
    flank = trunk.edge([side, 0, 0], np.array([0, hip[1] + 0.02 * s, hip[2]]), 0.08)
    size = np.array([rng.uniform(0.06, 0.1), rng.uniform(0.16, 0.26), rng.uniform(0.2, 0.32)]) * s
    centre = np.array([side * (flank + 0.5 * size[0] + 0.01 * s), hip[1] - 0.02 * s, hip[2] + 0.02 * s])
    bag = _box(centre, size, 5.0, 36, 17)
    flap = _box(centre + [side * 0.008 * s, 0.2 * size[1], 0], size * [1.0, 0.62, 1.03], 6.0, 36, 13)
    front = trunk.edge([0, 0, 1], np.array([0.4 * x, neck[1] - 0.15 * s, 0]), 0.07)
    back = -trunk.edge([0, 0, -1], np.array([0.4 * x, neck[1] - 0.15 * s, 0]), 0.07)
    rim = centre[1] + 0.4 * size[1]
    near = centre[0] - side * 0.25 * size[0]
    corners = np.array(
        [
            (near, rim, centre[2] + 0.42 * size[2]),
            (0.25 * near + 0.2 * x, 0.5 * (rim + neck[1]) - 0.02 * s, front),
            (0.75 * x, neck[1] - 0.09 * s, front),
            (x, top + 0.01 * s, neck[2]),
            (0.75 * x, neck[1] - 0.09 * s, back),
            (0.25 * near + 0.2 * x, 0.5 * (rim + neck[1]) - 0.02 * s, back),
            (near, rim, centre[2] - 0.42 * size[2]),
        ]
    )
    path = resampled(corners, 64)
    free = np.abs(np.linspace(-1, 1, 64)) > 0.85  # near the bag it hangs free
    path = np.where(free[:, None], path, trunk.laid(path, 0.006 * s, pull=0.4))
    path[1:-1] = 0.5 * path[1:-1] + 0.25 * (path[:-2] + path[2:])
    form = _ribbon(trunk, path, np.full(64, rng.uniform(0.012, 0.04) * s), 0.004 * s)
    return {"bag": trunk.placed(joined([bag, flap])), "straps": trunk.placed(form)}


# ---- wrists and hands --------------------------------------------------------------------------------------------------


def watch(body: Body, rng: np.random.Generator, over: Sequence[Piece]) -> Worn:
    """A wristwatch. Nothing where a sleeve covers the wrist."""
    side = str(rng.choice(["left", "left", "left", "right"]))
    if _sleeved(body, side, over):
        return {}
    ring, s = _wrist_ring(body, side, 0.018)
    top = ring[np.argmax(ring[:, 1])]
    radius = rng.uniform(0.015, 0.022) * s
    angle = np.linspace(0, 2 * np.pi, 22, endpoint=False)
    disc = np.stack([np.sin(angle), 0 * angle, np.cos(angle)], 1)
    levels = ((1.0, -0.004), (1.0, 0.004), (0.88, 0.006))
    case = tube(np.stack([top + radius * r * disc + [0, y * s, 0] for r, y in levels]))
    band = loop_sweep(ring, unit((ring - ring.mean(0)) * [0, 1, 1]), slab(0.018 * s, 0.003 * s))
    return {"watch": _carried(body, side, case), "watch strap": _carried(body, side, band)}


def bracelet(body: Body, rng: np.random.Generator, over: Sequence[Piece]) -> Worn:
    """Rings around a wrist. Nothing where a sleeve covers it."""
    side = str(rng.choice(["left", "right"]))
    if _sleeved(body, side, over):
        return {}
    forms = []
    for i in range(int(rng.integers(1, 4))):
        ring, s = _wrist_ring(body, side, 0.012 + 0.012 * i, 0.003)
        thick = rng.uniform(0.003, 0.008) * s
        forms.append(loop_sweep(ring, unit((ring - ring.mean(0)) * [0, 1, 1]), ellipse(thick, 0.6 * thick, 8)))
    return {"bracelet": _carried(body, side, joined(forms))}


def gloves(body: Body, rng: np.random.Generator, over: Sequence[Piece]) -> Worn:
    """Over both hands and the wrists."""
    model = body.model
    forms = []
    reach = rng.uniform(0.01, 0.06)
    thick = rng.uniform(0.001, 0.0025)
    normals = body.normals
    for side in ("left", "right"):
        hand = parts_of(body) == model.part_names.index(f"{side}_hand")
        wrist = body.rest_joints[model.joint_names.index(f"{side}_wrist")]
        arm = parts_of(body) == model.part_names.index(f"{side}_arm")
        mine = hand | (arm & (np.abs(body.rest[:, 0]) > np.abs(wrist[0]) - reach))
        faces = model.faces[mine[model.faces].all(1)]
        used, new = np.unique(faces, return_inverse=True)
        faces = new.reshape(faces.shape)
        uv = body.rest[used][:, [0, 2]]
        forms.append(thickened(Form(body.vertices[used] + thick * normals[used], faces, uv, faces), 0.0008))
    return {"gloves": joined(forms)}


def held(body: Body, rng: np.random.Generator, kind: str) -> Worn:
    """Something in a hand. kind : "phone", "cup", "ball", "umbrella" or "handbag"."""
    side = str(rng.choice(["left", "right"]))
    model = body.model
    names = ["index1", "middle1", "pinky1", "wrist", "middle3"]
    index, middle, pinky, wrist, tip = model.landmark_points(
        body.vertices, [f"{side}_hand/{n}" if n != "wrist" else f"{side}_hand/wrist" for n in names]
    ).astype(np.float64)
    along = unit(tip - wrist)
    across = unit(index - pinky)
    palm = unit(np.cross(across, along)) * (1.0 if side == "left" else -1.0)
    rest = body.transforms[model.joint_names.index(f"{side}_wrist")][:3, :3] @ np.array([0, -1.0, 0])
    palm = palm if palm @ rest > 0 else -palm
    across = np.cross(along, palm)
    s = float(np.linalg.norm(middle - wrist)) / 0.09
    centre = 0.35 * wrist + 0.65 * middle + 0.014 * s * palm
    turn = np.stack([across, along, palm], 1)  # its columns are where x, y and z of the thing go
    up = np.array([0, 1.0, 0])
    if kind == "phone":
        form = _box(np.array([0, 0.02, 0.006]), np.array([0.072, 0.15, 0.009]), 9.0, 40, 21)
        return {"phone": form.turned(turn, centre + 0.008 * s * palm)}
    if kind == "ball":
        radius = rng.uniform(0.035, 0.12)
        return {"ball": _ball(centre + (radius + 0.006) * palm, radius, 32)}
    if kind == "cup":
        angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        ring = np.stack([np.sin(angle), 0 * angle, np.cos(angle)], 1)
        levels = ((0.028, -0.055), (0.036, 0.05), (0.0385, 0.052), (0.0385, 0.058), (0.034, 0.066))
        cup = tube(np.stack([r * ring + [0, y, 0] for r, y in levels]))
        return {"cup": cup.moved(cup.vertices + centre + 0.04 * palm)}
    if kind == "umbrella":
        stick = np.stack([centre + t * across for t in np.linspace(-0.62, 0.10, 12)])
        size = np.interp(np.linspace(-0.62, 0.10, 12), [-0.62, -0.58, -0.2, -0.06, 0.1], [0.3, 0.6, 1.6, 0.6, 0.7])
        return {"umbrella": sweep(stick, along, ellipse(0.03, 0.03, 10), size)}
    long = rng.uniform(0.10, 0.2)
    size = np.array([rng.uniform(0.2, 0.34), rng.uniform(0.15, 0.26), rng.uniform(0.07, 0.13)])
    ahead = unit(across - (across @ up) * up + 1e-6)
    turn = np.stack([ahead, up, np.cross(ahead, up)], 1)
    t = np.linspace(0, np.pi, 20)
    arc = np.stack([0.3 * size[0] * np.cos(t), -long + long * np.sin(t) ** 0.7, 0 * t], 1)
    handle = sweep(arc, np.array([0, 0, 1.0]), ellipse(0.012, 0.012))
    bag = _box(np.array([0, -long - 0.48 * size[1], 0]), size, 5.0, 36, 17)
    return {"handbag": bag.turned(turn, centre), "straps": handle.turned(turn, centre)}


def _wrist_ring(body: Body, side: str, before: float, air: float = 0.0025, count: int = 32) -> tuple[np.ndarray, float]:
    """(count, 3) around a forearm of the T-pose, `before` metres above the wrist, and the hand's scale."""
    model = body.model
    wrist = body.rest_joints[model.joint_names.index(f"{side}_wrist")].astype(np.float64)
    elbow = body.rest_joints[model.joint_names.index(f"{side}_elbow")].astype(np.float64)
    s = float(np.linalg.norm(wrist - elbow)) / 0.236
    arm = np.isin(parts_of(body), [model.part_names.index(f"{side}_{n}") for n in ("arm", "hand")])
    points = body.rest[arm].astype(np.float64)
    sign = np.sign(wrist[0])
    place = wrist[0] - sign * before * s
    near = points[np.abs(points[:, 0] - place) < 0.014 * s][:, 1:]
    hull = near[ConvexHull(near).vertices]
    angle = np.arctan2(hull[:, 1] - hull[:, 1].mean(), hull[:, 0] - hull[:, 0].mean())
    hull = hull[np.argsort(angle, kind="stable")]
    ring = resampled(np.concatenate([np.full((len(hull), 1), place), hull], 1), count, close=True, smooth=False)
    ring = 0.5 * ring + 0.25 * (np.roll(ring, 1, 0) + np.roll(ring, -1, 0))
    return ring + air * s * unit((ring - ring.mean(0)) * [0, 1, 1]), s


def _carried(body: Body, side: str, form: Form) -> Form:
    """A stiff form at a wrist of the T-pose in the pose: it moves as the skin does that it lies on, all of one piece."""
    model = body.model
    arm = np.isin(parts_of(body), [model.part_names.index(f"{side}_{n}") for n in ("arm", "hand")])
    index = np.flatnonzero(arm)
    near = index[cKDTree(body.rest[index]).query(form.vertices.mean(0), k=40)[1]]
    # The best rigid motion of the skin around it (Kabsch, 1976).
    before, after = body.rest[near].astype(np.float64), body.vertices[near].astype(np.float64)
    u, _, vt = np.linalg.svd((before - before.mean(0)).T @ (after - after.mean(0)))
    flip = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    rotation = (u @ flip @ vt).T
    return form.moved((form.vertices - before.mean(0)) @ rotation.T + after.mean(0))


def _sleeved(body: Body, side: str, over: Sequence[Piece]) -> bool:
    """Whether an upper garment reaches the wrist."""
    wrist = body.joints[body.model.joint_names.index(f"{side}_wrist")]
    return any(
        p.label == "upper" and len(p.vertices) and np.linalg.norm(p.vertices - wrist, axis=1).min() < 0.06 for p in over
    )


#: What goes on trunk and arms, by name.
BODYWEAR: dict[str, Callable[[Body, np.random.Generator, Sequence[Piece]], Worn]] = {
    "necktie": necktie,
    "bow tie": bow_tie,
    "scarf": scarf,
    "necklace": necklace,
    "belt": belt,
    "backpack": backpack,
    "shoulder bag": shoulder_bag,
    "watch": watch,
    "bracelet": bracelet,
    "gloves": gloves,
    "phone": lambda body, rng, over: held(body, rng, "phone"),
    "cup": lambda body, rng, over: held(body, rng, "cup"),
    "ball": lambda body, rng, over: held(body, rng, "ball"),
    "umbrella": lambda body, rng, over: held(body, rng, "umbrella"),
    "handbag": lambda body, rng, over: held(body, rng, "handbag"),
}
