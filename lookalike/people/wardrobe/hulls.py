"""The two sheets that clothes are cut from, brought to a body's shape and pose.

A hull spans the body as cloth would: "suit" has two legs, "robe" a skirt. `tools/build_garment_hulls.py` makes them in an
A-pose on the mean body; where they are cut, and how wide, is written in that body's coordinates, so that garments scale
with whoever wears them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, diags

from lookalike.body import JOINTS, Body, BodyModel, load_body
from lookalike.errors import LookalikeError

FILE = Path(__file__).resolve().parents[2] / "assets" / "garment_hulls.npz"

#: The A-pose of the hulls: degrees by which arms are lowered and legs are spread (tools/build_garment_hulls.py).
ARMS_DOWN, LEGS_APART = 42.0, 9.0

#: The base of the neck lies this far below the hull's crown (metres).
NECK_BELOW_CROWN = 0.275

#: The waist lies this far below the base of the neck, the crotch that far (metres).
WAIST, CROTCH = 0.43, 0.70

#: Where each chart's u has its middle (metres): patterns do not mind, prints and buttons know where they are.
CHARTS = {
    "front": 0.0,
    "back": 5.0,
    "left_arm": 10.0,
    "right_arm": 20.0,
    "left_leg": 30.0,
    "right_leg": 40.0,
    "skirt": 50.0,
    "collar": 60.0,
}


@dataclass(frozen=True)
class Hull:
    """A sheet of n vertices on the mean body.

    Attributes
    ----------
    name : "suit" or "robe".  quads : (q, 4) int32, counter-clockwise from outside.
    posed : (n, 3) in the A-pose: cloth as it lies on the table, in whose coordinates it is cut.
    rest : (n, 3) in the T-pose.  shape_basis : (B, n, 3) its change with the body's shape numbers.
    face, bary : (n,), (n, 3) the nearest place on the body.  weights : (n, J) skin weights.
    region : (n,) uint8 into `REGIONS`.
    along : (n,) metres from the shoulder or hip joint down the limb; on the torso from the base of the neck down.
    round : (n,) radians about the limb's or torso's axis, zero in front (arms: on top).
    places : the same of all vertices about trunk and limbs: region -> (n, 2) angle and way.
    mean : (n, n) sparse mean over the neighbours.
    edges : (e, 2) int32, lower number first.  quad_edges : (q, 4) int32 the edges of each quad.
    down : (n,) metres below the base of the neck, in the A-pose.
    joints : joint name -> (3,) in the A-pose, the body's 22.
    """

    name: str
    quads: np.ndarray
    posed: np.ndarray
    rest: np.ndarray
    shape_basis: np.ndarray
    face: np.ndarray
    bary: np.ndarray
    weights: np.ndarray
    region: np.ndarray
    along: np.ndarray
    round: np.ndarray
    places: dict[str, np.ndarray]
    mean: csr_matrix
    edges: np.ndarray
    quad_edges: np.ndarray
    down: np.ndarray
    joints: dict[str, np.ndarray]

    def within(self, *names: str) -> np.ndarray:
        """(n,) bool: vertices whose region's name ends with one of these, such as "arm"."""
        chosen = [any(region.endswith(name) for name in names) for region in REGIONS]
        return np.array(chosen)[self.region]


REGIONS = ("head", "torso", "left_arm", "right_arm", "left_leg", "right_leg", "skirt")


def a_pose() -> np.ndarray:
    """(52, 3) axis-angle of the hulls' pose."""
    pose = np.zeros((len(JOINTS), 3))
    for side, way in (("left", 1.0), ("right", -1.0)):
        pose[JOINTS.index(f"{side}_collar")] = [0, 0, -way * np.radians(0.15 * ARMS_DOWN)]
        pose[JOINTS.index(f"{side}_shoulder")] = [0, 0, -way * np.radians(0.85 * ARMS_DOWN)]
        pose[JOINTS.index(f"{side}_hip")] = [0, 0, way * np.radians(LEGS_APART)]
    return pose


def joint_transforms(model: BodyModel, rest_joints: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """(J, 4, 4) from the T-pose with joints (J, 3) to a pose (J, 3); the root joint stays where it is."""
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_rotvec(pose).as_matrix()
    out = np.tile(np.eye(4), (len(pose), 1, 1))
    for j, parent in enumerate(model.parents):
        local = np.eye(4)
        local[:3, :3], local[:3, 3] = turn[j], rest_joints[j] - turn[j] @ rest_joints[j]
        out[j] = local if parent < 0 else out[parent] @ local
    return out


def table_transforms(body: Body) -> np.ndarray:
    """(J, 4, 4) from the body's scaled T-pose to the hulls' A-pose."""
    return joint_transforms(body.model, body.rest_joints.astype(np.float64), a_pose())


@lru_cache(maxsize=2)
def load_hull(name: str) -> Hull:
    """One of the bundled hulls, "suit" or "robe", with its coordinates worked out."""
    model = load_body()
    try:
        with np.load(FILE, allow_pickle=False) as file:
            arrays = {k.removeprefix(f"{name}_"): file[k] for k in file.files if k.startswith(f"{name}_")}
    except OSError as error:
        raise LookalikeError(f"The bundled file {FILE} cannot be read; please reinstall lookalike.") from error
    quads = arrays["quads"].astype(np.int32)
    bary = arrays["bary"].astype(np.float64)
    bary /= bary.sum(1, keepdims=True)
    face = arrays["face"].astype(np.int32)
    values = arrays["weight_values"].astype(np.float64)
    weights = np.zeros((len(face), len(JOINTS)))
    np.put_along_axis(weights, arrays["weight_joints"].astype(np.int64), values, 1)
    weights /= weights.sum(1, keepdims=True)
    mean = neighbours_mean(quads, len(face))
    basis = np.einsum("nk,bnkc->bnc", bary, model.shape_basis[:, model.faces[face]])
    # Cloth does not copy every dent of the body.
    for _ in range(12):
        basis = 0.5 * basis + 0.5 * np.stack([mean @ b for b in basis])
    joints = joint_transforms(model, model.joint_template.astype(np.float64), a_pose())
    at = {n: (joints[j] @ [*model.joint_template[j], 1])[:3] for j, n in enumerate(JOINTS[:22])}
    posed = arrays["posed"].astype(np.float64)
    region, places = _coordinates(posed, weights, at, skirt=name == "robe")
    along, round_ = places["torso"][:, 1].copy(), places["torso"][:, 0].copy()
    for limb, place in places.items():
        mine = region == REGIONS.index(limb)
        round_[mine], along[mine] = place[mine].T
    return Hull(
        name,
        quads,
        posed.astype(np.float32),
        arrays["rest"],
        basis.astype(np.float32),
        face,
        bary.astype(np.float32),
        weights.astype(np.float32),
        region,
        along.astype(np.float32),
        round_.astype(np.float32),
        {limb: place.astype(np.float32) for limb, place in places.items()},
        mean,
        *_edges(quads),
        (posed[:, 1].max() - NECK_BELOW_CROWN - posed[:, 1]).astype(np.float32),
        at,
    )


def _edges(quads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each edge once (e, 2), and those of each quad (q, 4)."""
    pairs = np.sort(np.stack([quads, np.roll(quads, -1, 1)], 2).reshape(-1, 2), 1)
    edges, index = np.unique(pairs, axis=0, return_inverse=True)
    return edges.astype(np.int32), index.reshape(-1, 4).astype(np.int32)


def neighbours_mean(quads: np.ndarray, count: int) -> csr_matrix:
    """(n, n) sparse: the mean over each vertex's neighbours along edges. quads : (q, 4), triangles repeat their last."""
    a, b = quads.reshape(-1), np.roll(quads, -1, 1).reshape(-1)
    off = a != b
    a, b = a[off], b[off]
    link = csr_matrix((np.ones(2 * len(a), np.float32), (np.r_[a, b], np.r_[b, a])), (count, count))
    link.data[:] = 1
    degree = np.asarray(link.sum(1)).ravel()
    return (diags((1 / np.maximum(degree, 1)).astype(np.float32)) @ link).tocsr()


def _coordinates(posed: np.ndarray, weights: np.ndarray, at: dict[str, np.ndarray], skirt: bool):
    """Regions (n,), and for trunk and limbs each vertex's angle round them and way along them, (n, 2).

    at : joint name -> (3,) in the A-pose.
    """
    share = lambda *names: weights[:, [JOINTS.index(n) for n in names]].sum(1)  # noqa: E731
    region = np.full(len(posed), REGIONS.index("torso"), np.uint8)
    region[share("head") + 0.6 * share("neck") > 0.5] = REGIONS.index("head")
    trunk = np.arctan2(posed[:, 0], posed[:, 2] - at["spine2"][2])
    places = {"torso": np.stack([trunk, at["neck"][1] + 0.03 - posed[:, 1]], 1)}
    for side in ("left", "right"):
        limbs = {"arm": ("shoulder", "elbow", "wrist")} | ({} if skirt else {"leg": ("hip", "knee", "ankle")})
        for limb, names in limbs.items():
            joints = [f"{side}_{n}" for n in names]
            region[share(*joints) > 0.5] = REGIONS.index(f"{side}_{limb}")
            # an arm's angle starts on its upper side, a leg's in front
            zero = (0.0, 1.0, 0.0) if limb == "arm" else (0.0, 0.0, 1.0)
            places[f"{side}_{limb}"] = _about(posed, at[joints[0]], at[joints[-1]], np.array(zero))
    if skirt:
        arm = np.isin(region, [REGIONS.index("left_arm"), REGIONS.index("right_arm")])
        region[(posed[:, 1] < at["left_hip"][1] + 0.09) & ~arm] = REGIONS.index("skirt")
    return region, places


def _about(points: np.ndarray, start: np.ndarray, end: np.ndarray, zero: np.ndarray) -> np.ndarray:
    """(n, 2) angle round the line from start to end, and metres along it. zero : (3,) where the angle starts."""
    way = (end - start) / np.linalg.norm(end - start)
    zero = zero - way * (zero @ way)
    zero /= np.linalg.norm(zero)
    across = np.array([0.0, 0.0, 1.0]) if abs(zero[1]) > 0.5 else np.array([1.0, 0.0, 0.0])
    across = across - way * (across @ way)
    off = points - start
    return np.stack([np.arctan2(off @ across, off @ zero), off @ way], 1)


@lru_cache(maxsize=2)
def hull_uv(name: str) -> tuple[np.ndarray, np.ndarray]:
    """`uv_of` all quads of a bundled hull."""
    hull = load_hull(name)
    return uv_of(hull, hull.quads)


def uv_of(hull: Hull, quads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Texture coordinates in metres on the cloth. quads : (q, 4) of the hull's vertices.

    Returns uv (t, 2), and the quads' corners in it, (q, 4).
    """
    torso, down = hull.places["torso"][:, 0], hull.down
    behind = (torso + 2 * np.pi) % (2 * np.pi) - np.pi  # zero at the back
    charts = {"front": (torso, down, 0.158), "back": (behind, down, 0.158), "skirt": (torso, down - WAIST, 0.19)}
    for name, radius in (("arm", 0.052), ("leg", 0.082)):
        for limb in (f"left_{name}", f"right_{name}"):
            if limb in hull.places:
                round_, along = hull.places[limb].T
                charts[limb] = (round_, along if name == "arm" else down - WAIST, radius)
    names = list(charts)
    region = hull.region[quads]
    chart = np.where(np.cos(torso[quads]).mean(1) >= 0, names.index("front"), names.index("back"))
    for name in names[2:]:
        chart[(region == REGIONS.index(name)).sum(1) >= 2] = names.index(name)
    uv, face_uv = [], np.zeros_like(quads)
    start = 0
    for number, name in enumerate(names):
        mine = np.flatnonzero(chart == number)
        round_, along, radius = charts[name]
        angle = round_[quads[mine]].astype(np.float64)
        # Across the seam the angle jumps: those corners get a place of their own, a turn further on.
        over = (np.ptp(angle, axis=1) > np.pi)[:, None] & (angle < 0)
        used, index = np.unique(quads[mine] * 2 + over, return_inverse=True)
        vertex, turned = used // 2, used % 2
        u = CHARTS[name] + radius * (round_[vertex] + 2 * np.pi * turned)
        uv.append(np.stack([u, along[vertex]], 1))
        face_uv[mine] = start + index.reshape(-1, 4)
        start += len(used)
    return np.concatenate(uv).astype(np.float32), face_uv.astype(np.int32)
