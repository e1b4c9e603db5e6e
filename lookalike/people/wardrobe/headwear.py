"""Hats, glasses and what else is worn on the head: a `Head` in, forms in its frame out.

A hat says above which surface hair cannot be: `pressed` removes the locks that would stick through.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lookalike.people.forms import (
    Form,
    ellipse,
    joined,
    loop_sweep,
    ripple,
    sheet,
    slab,
    smoothstep,
    sweep,
    thickened,
    tube,
    unit,
)
from lookalike.people.hair.scalp import Head, directions
from lookalike.people.scene import Piece


@dataclass(frozen=True)
class Hat:
    """Something on the head.

    Attributes
    ----------
    parts : name -> form, in the head's frame.
    lid : directions (n, 3) -> (n,) distance from the head's middle to which hair is pressed, infinite where it is free.
    hides : whether no hair shows at all.
    """

    parts: dict[str, Form]
    lid: Callable[[np.ndarray], np.ndarray] | None = None
    hides: bool = False


def pressed(hair: list[Piece], head: Head, lid: Callable[[np.ndarray], np.ndarray]) -> list[Piece]:
    """Hair under a hat: pushed in to where the hat leaves room, what stands out much too far left out.

    hair : pieces in the room.  lid : as in `Hat`.
    """
    out = []
    for piece in hair:
        local = (piece.vertices.astype(np.float64) - head.shift) @ head.rotation
        distance = np.linalg.norm(local, axis=1)
        way = local / np.maximum(distance, 1e-9)[:, None]
        skull = head.radius(way)
        room = np.minimum(lid(way) - skull, 1.0)
        air = np.maximum(distance - skull, 0)
        kept = ~(air > room + 0.06 * head.scale)[piece.faces].any(1)
        # The order of the layers stays: what was further out still is.
        squeezed = room * (1 - np.exp(-air / np.maximum(0.6 * room, 1e-4)))
        new = np.where((air > 0.3 * room) & (room < 1.0), np.minimum(squeezed, air), air)
        placed = np.where(distance > skull, skull + new, distance)[:, None] * way
        vertices = (placed @ head.rotation.T + head.shift).astype(np.float32)
        out.append(replace(piece, vertices=vertices, faces=piece.faces[kept], face_uv=piece.face_uv[kept]))
    return [p for p in out if len(p.faces)]


def _crown(
    head: Head, edge: np.ndarray, height: Callable[[np.ndarray], np.ndarray], rows: int = 16, columns: int = 64
) -> np.ndarray:
    """(rows, columns, 3) from the edge up to the top. edge : (columns,) elevations; columns from azimuth -180 degrees."""
    azimuth = -np.pi + 2 * np.pi * np.arange(columns) / columns
    t = np.linspace(0, 0.985, rows)[:, None]
    ways = directions(edge + t * (np.pi / 2 - edge), azimuth[None])
    return head.surface(ways, height(ways))


def _edge(head: Head, front: float, side: float, back: float, columns: int = 64) -> np.ndarray:
    """(columns,) elevations of a hat's edge at these heights, as shares of the head's height, above its middle."""
    azimuth = -np.pi + 2 * np.pi * np.arange(columns) / columns
    table = [(0.0, front), (35.0, front), (90.0, side), (150.0, back), (180.0, back)]
    edge = head.hairline(azimuth, table)
    return 0.5 * edge + 0.25 * (np.roll(edge, 1) + np.roll(edge, -1))


def _lid(head: Head, edge: np.ndarray, height: float) -> Callable[[np.ndarray], np.ndarray]:
    """Hair has `height` metres of room above the skull inside the hat, and below its edge more and more."""
    places = np.linspace(-np.pi, np.pi, len(edge), endpoint=False)

    def lid(ways: np.ndarray) -> np.ndarray:
        azimuth = np.arctan2(ways[:, 0], ways[:, 2])
        low = np.interp(azimuth, places, edge, period=2 * np.pi)
        below = low - np.arcsin(np.clip(ways[:, 1], -1, 1))
        room = height + 0.035 * head.scale * np.clip(below / 0.5, 0, 1)
        return np.where(below < 0.5, head.radius(ways) + room, np.inf)

    return lid


def cap(head: Head, rng: np.random.Generator) -> Hat:
    """A baseball cap, sometimes worn backwards."""
    s = head.scale
    edge = _edge(head, 0.14, 0.0, -0.10)
    tall = rng.uniform(0.016, 0.03)

    def height(ways: np.ndarray) -> np.ndarray:
        azimuth = np.arctan2(ways[..., 0], ways[..., 2])
        # Six panels, with seams.
        seam = np.abs(np.cos(3 * azimuth)) ** 24 * 0.0012
        front = smoothstep(ways[..., 2], 0.2, 0.9) * 0.012
        return s * (0.008 + tall * smoothstep(ways[..., 1], 0.2, 1.0) + front + seam)

    crown = _crown(head, edge, height)
    turned = rng.random() < 0.15
    middle = len(edge) // 2 if not turned else 0
    span = np.arange(-13, 14)
    rim = crown[0, (middle + span) % len(edge)]
    t = np.linspace(0, 1, 8)[:, None, None]
    long = rng.uniform(0.055, 0.075) * s
    ahead = 1.0 if not turned else -1.0
    bend = (span / 13.0)[None, :, None]
    reach = np.sqrt(np.clip(1 - np.abs(bend) ** 3.2, 0, 1))
    curve = rng.uniform(0.002, 0.02) * s
    brim = rim[None] + t * reach * long * np.array([0, -0.2, ahead]) - curve * bend**2 * t * np.array([0, 1.0, 0])
    visor = thickened(sheet(brim if turned else brim[:, ::-1]), 0.003 * s)
    button = tube(_disc_rings(crown[-1].mean(0) + [0, 0.001, 0], 0.007 * s, 0.004 * s))
    return Hat(
        {"cap": joined([thickened(sheet(crown, True), 0.003 * s), button]), "visor": visor}, _lid(head, edge, 0.006 * s)
    )


def _disc_rings(centre: np.ndarray, radius: float, height: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    ring = np.stack([np.sin(angle), 0 * angle, np.cos(angle)], 1)
    sizes = ((1.0, -0.5), (1.0, 0.3), (0.6, 1.0))
    return np.stack([centre + radius * r * ring + [0, y * height, 0] for r, y in sizes])


def beanie(head: Head, rng: np.random.Generator) -> Hat:
    """A knitted hat with a cuff."""
    s = head.scale
    edge = _edge(head, rng.uniform(0.08, 0.16), rng.uniform(-0.2, -0.02), -0.2)
    slack = rng.uniform(0.0, 0.05)
    lean = rng.uniform(0.0, 0.8)

    def height(ways: np.ndarray) -> np.ndarray:
        azimuth = np.arctan2(ways[..., 0], ways[..., 2])
        ribs = 0.0008 * np.cos(32 * azimuth)
        loose = slack * smoothstep(ways[..., 1] - lean * ways[..., 2], 0.3, 1.2)
        return s * (0.009 + loose + ribs)

    crown = _crown(head, edge, height, 22, 128 // 2)
    parts = {"beanie": thickened(sheet(crown, True), 0.004 * s)}
    if rng.random() < 0.75:
        cuff = crown[:5].copy()
        bulge = np.array([0.002, 0.006, 0.007, 0.006, 0.002])[:, None, None] * s
        out = unit(cuff * [1, 0.1, 1])
        parts["cuff"] = thickened(sheet(cuff + bulge * out, True), 0.004 * s)
    if rng.random() < 0.25:
        parts["bobble"] = _ball(crown[-1].mean(0) + [0, 0.02 * s, 0], 0.03 * s, rng)
    return Hat(parts, _lid(head, edge, 0.007 * s))


def _ball(centre: np.ndarray, radius: float, rng: np.random.Generator) -> Form:
    elevation = np.radians(np.linspace(-86, 86, 15))[:, None]
    ways = directions(elevation, np.linspace(0, 2 * np.pi, 24, endpoint=False)[None])
    rough = 1 + 0.06 * ripple(ways, rng, 0.3)
    return tube(centre + radius * rough[..., None] * ways)


def brimmed(head: Head, rng: np.random.Generator) -> Hat:
    """A fedora, sun hat or bucket hat: a crown and a brim all round."""
    s = head.scale
    kind = str(rng.choice(["fedora", "sun", "bucket"]))
    edge = _edge(head, 0.15, 0.06, 0.0)
    tall, dent = {"fedora": (0.05, 0.018), "sun": (0.025, 0.0), "bucket": (0.03, 0.0)}[kind]

    def height(ways: np.ndarray) -> np.ndarray:
        up = ways[..., 1]
        square = 1 / np.maximum(np.maximum(np.abs(up), np.hypot(ways[..., 0], ways[..., 2]) * 0.95), 0.7) - 1
        flat = 0.09 * square * (kind != "sun")
        groove = dent * smoothstep(up, 0.8, 1.0) * smoothstep(0.35 - np.abs(ways[..., 0]), 0.0, 0.3)
        return s * (0.009 + tall * smoothstep(up, 0.3, 0.95) + flat - groove)

    crown = _crown(head, edge, height)
    wide = {"fedora": 0.06, "sun": rng.uniform(0.09, 0.16), "bucket": 0.055}[kind] * s
    droop = {"fedora": rng.uniform(-0.1, 0.25), "sun": rng.uniform(0.1, 0.5), "bucket": rng.uniform(0.8, 1.3)}[kind]
    rim = crown[0]
    away = unit(rim * [1, 0, 1])
    t = np.linspace(0, 1, 7)[:, None, None]
    wave = 1 + 0.12 * ripple(away, rng, 0.9)
    brim = rim + t * wide * away - (droop * wide * t**1.5) * (wave[None, :, None] * np.array([0, 1.0, 0]))
    # The brim is drawn from its edge inwards, so that its outside is above.
    parts = {"hat": thickened(sheet(crown, True), 0.003 * s), "brim": thickened(sheet(brim[::-1], True), 0.003 * s)}
    if kind != "bucket":
        parts["band"] = thickened(sheet(crown[:4] + 0.002 * s * away, True), 0.0015 * s)
    return Hat(parts, _lid(head, edge, 0.006 * s))


def helmet(head: Head, rng: np.random.Generator) -> Hat:
    """A cycling helmet with vents, or a hard hat."""
    s = head.scale
    edge = _edge(head, 0.15, 0.05, -0.05)
    vents = rng.random() < 0.5

    def height(ways: np.ndarray) -> np.ndarray:
        ridge = 0.006 * np.cos(ways[..., 0] * 16) * smoothstep(ways[..., 1], 0.2, 0.6) if vents else 0.0
        return s * (0.026 + ridge + 0.012 * smoothstep(-ways[..., 2], 0.2, 1) * vents)

    crown = _crown(head, edge, height, 20, 64)
    parts = {"helmet": thickened(sheet(crown, True), 0.012 * s)}
    straps = []
    for side in (-1.0, 1.0):
        rim = crown[0, 32 + int(side * 15)]
        chin = np.array([0.0, head.chin - 0.006 * s, 0.36 * head.size])
        path = np.stack([rim + t * (chin - rim) for t in np.linspace(0, 1, 14)])
        path = _over_skin(head, path, 0.003 * s)
        straps.append(sweep(path, head.clearance(path)[1], slab(0.014 * s, 0.002 * s)))
    parts["strap"] = joined(straps)
    return Hat(parts, _lid(head, edge, 0.010 * s))


def _over_skin(head: Head, path: np.ndarray, air: float) -> np.ndarray:
    """A path laid upon the skin. path : (k, 3)."""
    for _ in range(3):
        away, out = head.clearance(path)
        path = path + (air - away)[:, None] * out
    return path


def headscarf(head: Head, rng: np.random.Generator) -> Hat:
    """A hijab: cloth that frames the face, covers hair and neck and falls on the shoulders."""
    s, size = head.scale, head.size
    columns, rows = 104, 52
    azimuth = -np.pi + 2 * np.pi * np.arange(columns) / columns
    seeds = np.random.default_rng(int(rng.integers(2**31)))
    turns, phases = seeds.integers(3, 16, 7), seeds.uniform(0, 6.28, 7)
    folds = np.cos(turns * azimuth[:, None] + phases).sum(1) / np.sqrt(7)
    spread = directions(np.zeros(1), azimuth)
    point = head.surface(directions(np.full(1, np.radians(87)), azimuth), 0.008 * s)
    # Over nose and lips the way is longer.
    long = size * rng.uniform(1.65, 1.95) * (1 + 0.2 * smoothstep(np.cos(azimuth), 0.5, 1.0))[:, None]
    grid = np.empty((rows, columns, 3))
    for k in range(rows):
        grid[k] = point
        fallen = smoothstep(k / rows, 0.35, 0.7)
        away, out = head.clearance(point)
        # Over the skull the way is the head's own; what hangs follows the ground.
        up = unit((1 - fallen) * np.array([0, 1.0, 0]) + fallen * head.up)
        level = -point[:, 1]
        # On the shoulders cloth spreads; under the chin it lies against the neck.
        low = smoothstep(level, 0.3 * size, 0.7 * size)[:, None]
        wish = -up + (0.6 * low + 0.2) * spread + 0.5 * out * (out @ up)[:, None]
        near = smoothstep(point[:, 2], 0.0, 0.3 * size) * smoothstep(level, 0.52 * size, 0.66 * size)
        near = near * (1 - smoothstep(level, 0.8 * size, 0.95 * size))
        point = point + unit(wish - 1.6 * near[:, None] * spread) * (long / rows)
        air = s * (0.007 + 0.008 * fallen + (0.001 + 0.006 * fallen) * folds)
        away, out = head.clearance(point)
        skull = 0.7 * (1 - fallen) * np.maximum(away - air, 0)
        point = point + (np.maximum(air - away, 0) - skull)[:, None] * out
        point = 0.6 * point + 0.2 * (np.roll(point, 1, 0) + np.roll(point, -1, 0))
    grid[1:] = 0.5 * grid[1:] + 0.25 * (np.roll(grid[1:], 1, 1) + np.roll(grid[1:], -1, 1))
    # The face stays free: what lies within an ellipse seen from the front.
    middle, half = 0.5 * (head.chin + 0.175 * size), 0.5 * (0.18 * size - head.chin)
    flat = grid.reshape(-1, 3)
    face = np.hypot(flat[:, 0] / (0.33 * size), (flat[:, 1] - middle) / half)
    front = flat[:, 2] > 0.05 * size
    rim = front & (face > 0.82) & (face < 1.0)
    flat[rim, :2] = [0, middle] + (flat[rim, :2] - [0, middle]) / face[rim, None]
    for _ in range(2):
        away, out = head.clearance(flat)
        flat += (rim * np.clip(0.004 * s - away, -0.01, 0.02))[:, None] * out
    cloth = sheet(grid[::-1], True)
    gone = (front & (face < 0.82)).reshape(rows, columns)[::-1].ravel()
    kept = ~gone[cloth.faces].any(1)
    cloth = Form(cloth.vertices, cloth.faces[kept], cloth.uv, cloth.face_uv[kept])
    used, faces = np.unique(cloth.faces, return_inverse=True)
    cloth = Form(cloth.vertices[used], faces.reshape(-1, 3), cloth.uv, cloth.face_uv)

    def lid(ways: np.ndarray) -> np.ndarray:
        return head.radius(ways) + 0.004 * s

    return Hat({"headscarf": thickened(cloth, 0.0015 * s)}, lid, hides=True)


def glasses(
    head: Head, rng: np.random.Generator, eyes: tuple[np.ndarray, np.ndarray], nose: np.ndarray, dark: bool
) -> Hat:
    """Spectacles or sunglasses. eyes : left and right (3,) in the head's frame.  nose : the bridge (3,)."""
    s = head.scale
    wide, high = rng.uniform(0.046, 0.056) * s, rng.uniform(0.032, 0.048) * s
    power = rng.uniform(2.0, 3.6)
    rim = rng.uniform(0.002, 0.005) * s
    front = nose[2] + 0.004 * s
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    frames, lenses, corners, outlines = [], [], [], []
    for side, eye in zip((1.0, -1.0), eyes, strict=True):
        centre = np.array([eye[0] * 0.4 + side * 0.019 * s, eye[1] - 0.003 * s, front])
        c, d = np.cos(angle), np.sin(angle)
        x = 0.5 * wide * np.sign(c) * np.abs(c) ** (2 / power)
        y = 0.5 * high * np.sign(d) * np.abs(d) ** (2 / power) * (1 + 0.1 * c * side)
        outline = centre + np.stack([x, y, -0.4 * np.abs(x + side * 0.025 * s) ** 2 / (0.1 * s)], 1)
        outlines.append(outline)
    # No nearer to brows and cheeks than a few millimetres.
    ahead = max(float(np.max(0.004 * s - head.clearance(outline)[0])) for outline in outlines)
    front += np.clip(ahead, 0.0, 0.02)
    for side, outline in zip((1.0, -1.0), outlines, strict=True):
        outline = outline + [0, 0, np.clip(ahead, 0.0, 0.02)]
        frames.append(loop_sweep(outline, np.array([0, 0, 1.0]), slab(rim, 0.003 * s)))
        shrink = np.array([1.0, 0.66, 0.33, 0.02])[:, None, None]
        disc = sheet(outline.mean(0) + shrink * (outline - outline.mean(0)), True)
        if dark:
            lenses.append(thickened(disc, 0.0015 * s))
        corners.append(outline[np.argmax(side * outline[:, 0])])
    bridge = np.stack(
        [
            [x * s, nose[1] * 0.5 + eyes[0][1] * 0.5 + 0.004 * s, front + 0.002 * s]
            for x in np.linspace(-0.012, 0.012, 7)
        ]
    )
    frames.append(sweep(bridge, np.array([0, 0, 1.0]), slab(rim, 0.003 * s)))
    for side, corner in zip((1.0, -1.0), corners, strict=True):
        ear = np.array([side * 0.36 * head.size, head.ear + 0.035 * s, -0.08 * head.size])
        t = np.linspace(0, 1, 16)[:, None]
        path = corner + t * (ear - corner)
        away, out = head.clearance(path)
        out[:, 1:] *= [0.1, 0.1]
        path = path + np.maximum(0.003 * s - away, 0)[:, None] * unit(out)
        path[:, 0] = side * np.maximum.accumulate(np.abs(path[:, 0]))
        hook = path[-1] + np.array([[0, -0.006, -0.01], [0, -0.02, -0.018]]) * s
        frames.append(sweep(np.concatenate([path, hook]), np.array([side, 0, 0]), slab(0.0035 * s, 0.002 * s)))
    parts = {"glasses": joined(frames)}
    if dark:
        parts["lenses"] = joined(lenses)
    return Hat(parts)


def headphones(head: Head, rng: np.random.Generator) -> Hat:
    """A band over the head and two shells over the ears."""
    s = head.scale
    angle = np.radians(np.linspace(-98, 98, 33))
    tilt = rng.uniform(-0.15, 0.1)
    ways = unit(np.stack([np.sin(angle), np.cos(angle), np.full(33, tilt)], 1))
    path = head.surface(ways, 0.014 * s, outer=True)
    path[:, 1] = np.maximum(path[:, 1], head.ear)
    band = sweep(path, ways, slab(rng.uniform(0.016, 0.03) * s, 0.007 * s))
    shells = []
    for side in (-1.0, 1.0):
        ear = np.array([side * 0.36 * head.size, head.ear, 0.0])
        ear[0] = side * (head.radius(unit(ear)[None], outer=True)[0] * 0.95)
        turn = np.linspace(0, 2 * np.pi, 24, endpoint=False) * side
        ring = np.stack([0 * turn, 0.034 * np.cos(turn), 0.028 * np.sin(turn)], 1) * s
        levels = ((0.8, -0.012), (1.0, -0.006), (1.02, 0.006), (0.92, 0.016), (0.6, 0.02))
        shells.append(tube(np.stack([ear + r * ring + [side * x * s, 0, 0] for r, x in levels])))

    def lid(ways: np.ndarray) -> np.ndarray:
        under = (np.abs(ways[:, 2] - tilt * np.maximum(ways[:, 1], 0)) < 0.2) & (ways[:, 1] > -0.2)
        return np.where(under, head.radius(ways, outer=True) + 0.010 * s, np.inf)

    return Hat({"headphones": joined([band, *shells])}, lid)


def mask(head: Head, rng: np.random.Generator, nose: np.ndarray, mouth: np.ndarray) -> Hat:
    """A medical mask: a pleated sheet over nose and mouth with ear loops. nose, mouth : (3,) in the head's frame."""
    s = head.scale
    columns, rows = 31, 14
    x = np.linspace(-1, 1, columns) * np.radians(52)
    top, bottom = nose[1] + 0.016 * s, head.chin - 0.004 * s
    y = np.linspace(0, 1, rows)[:, None] * (top - bottom) * (1 - 0.3 * np.abs(x / x.max()) ** 2)[None]
    y = bottom + y + 0.15 * (top - bottom) * (np.abs(x / x.max()) ** 2)[None]
    flat = np.stack(
        [0.34 * head.size * np.sin(x)[None] + 0 * y, y, 0.30 * head.size + 0.25 * head.size * np.cos(x)[None] + 0 * y],
        -1,
    )
    points = flat.reshape(-1, 3)
    for _ in range(4):
        away, out = head.clearance(points)
        points = points + (np.maximum(0.003 * s - away, 0) - 0.6 * np.maximum(away - 0.006 * s, 0))[:, None] * out
        grid = points.reshape(rows, columns, 3)
        grid[1:-1, 1:-1] = 0.25 * (grid[:-2, 1:-1] + grid[2:, 1:-1] + grid[1:-1, :-2] + grid[1:-1, 2:])
        points = grid.reshape(-1, 3)
    away, out = head.clearance(points)
    pleat = 0.0012 * s * np.cos(np.linspace(0, 6 * np.pi, rows))[:, None] + 0 * y
    points = points + (np.maximum(0.003 * s - away, 0) + np.maximum(pleat.ravel(), 0))[:, None] * out
    grid = points.reshape(rows, columns, 3)
    loops = []
    for side, column in ((-1.0, 0), (1.0, columns - 1)):
        ear = np.array([side * 0.37 * head.size, head.ear, -0.07 * head.size])
        for end in (1, rows - 2):
            path = grid[end, column] + np.linspace(0, 1, 10)[:, None] * (ear - grid[end, column])
            away, out = head.clearance(path)
            path = path + np.maximum(0.002 * s - away, 0)[:, None] * out
            loops.append(sweep(path, out, ellipse(0.003 * s, 0.002 * s, 5)))
    return Hat({"mask": thickened(sheet(grid), 0.0012 * s), "loops": joined(loops)}, None)
