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
    mean : (n, n) sparse mean over the neighbours.
    edges : (e, 2) int32, lower number first.  quad_edges : (q, 4) int32 the edges of each quad.
    down : (n,) metres below the base of the neck, in the A-pose.
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
    mean: csr_matrix
    edges: np.ndarray
    quad_edges: np.ndarray
    down: np.ndarray

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
    region, along, round_ = _coordinates(posed, weights, at, skirt=name == "robe")
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
        mean,
        *_edges(quads),
        (posed[:, 1].max() - NECK_BELOW_CROWN - posed[:, 1]).astype(np.float32),
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


def _coordinates(posed, weights, at, skirt: bool):
    """Region, way along and angle round of hull vertices. at : joint name -> (3,) in the A-pose."""
    share = lambda *names: weights[:, [JOINTS.index(n) for n in names]].sum(1)  # noqa: E731
    region = np.full(len(posed), REGIONS.index("torso"), np.uint8)
    neck = at["neck"]
    axis_z = at["spine2"][2]
    along = neck[1] + 0.03 - posed[:, 1]
    round_ = np.arctan2(posed[:, 0], posed[:, 2] - axis_z)
    region[share("head") + 0.6 * share("neck") > 0.5] = REGIONS.index("head")
    for side in ("left", "right"):
        shoulder, wrist = at[f"{side}_shoulder"], at[f"{side}_wrist"]
        mine = share(f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist") > 0.5
        way = (wrist - shoulder) / np.linalg.norm(wrist - shoulder)
        region[mine] = REGIONS.index(f"{side}_arm")
        along[mine] = (posed[mine] - shoulder) @ way
        up = np.array([0, 1, 0]) - way * way[1]
        up /= np.linalg.norm(up)
        off = posed[mine] - shoulder - along[mine, None] * way
        round_[mine] = np.arctan2(off @ np.array([0, 0, 1.0]), off @ up)
        hip, ankle = at[f"{side}_hip"], at[f"{side}_ankle"]
        mine = share(f"{side}_hip", f"{side}_knee", f"{side}_ankle") > 0.5
        if skirt:
            continue
        way = (ankle - hip) / np.linalg.norm(ankle - hip)
        region[mine] = REGIONS.index(f"{side}_leg")
        along[mine] = (posed[mine] - hip) @ way
        off = posed[mine] - hip - along[mine, None] * way
        round_[mine] = np.arctan2(off[:, 0], off[:, 2])
    if skirt:
        arm = np.isin(region, [REGIONS.index("left_arm"), REGIONS.index("right_arm")])
        low = (posed[:, 1] < at["left_hip"][1] + 0.09) & ~arm
        region[low] = REGIONS.index("skirt")
    return region, along, round_


def uv_of(hull: Hull, quads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Texture coordinates in metres on the cloth. quads : (q, 4) of the hull's vertices.

    Returns uv (c n, 2) for c charts one after another, and which chart each quad lies on, as (q, 4) indices into uv.
    """
    count = len(hull.posed)
    radius = {"torso": 0.158, "arm": 0.052, "leg": 0.082, "skirt": 0.19}
    v_torso = hull.down
    waist = v_torso - WAIST
    behind = (hull.round + 2 * np.pi) % (2 * np.pi) - np.pi  # zero at the back
    charts = {
        "front": (CHARTS["front"] + radius["torso"] * hull.round, v_torso),
        "back": (CHARTS["back"] + radius["torso"] * behind, v_torso),
        "left_arm": (CHARTS["left_arm"] + radius["arm"] * hull.round, hull.along),
        "right_arm": (CHARTS["right_arm"] + radius["arm"] * hull.round, hull.along),
        "left_leg": (CHARTS["left_leg"] + radius["leg"] * hull.round, waist),
        "right_leg": (CHARTS["right_leg"] + radius["leg"] * hull.round, waist),
        "skirt": (CHARTS["skirt"] + radius["skirt"] * hull.round, waist),
    }
    uv = np.concatenate([np.stack(c, 1) for c in charts.values()]).astype(np.float32)
    names = list(charts)
    region = hull.region[quads]
    chart = np.zeros(len(quads), np.int64)
    front = np.cos(hull.round[quads]).mean(1) >= 0
    chart[~front] = names.index("back")
    for name in names[2:]:
        chart[(region == REGIONS.index(name)).sum(1) >= 2] = names.index(name)
    face_uv = quads + chart[:, None] * count
    # Quads across the seam where the angle jumps: bring their corners to one side.
    u = uv[face_uv, 0]
    wide = np.ptp(u, axis=1) > 0.3
    if wide.any():
        turn = np.full(len(quads), 0.0)
        for i, name in enumerate(names):
            size = radius["torso" if name in ("front", "back") else name.split("_")[-1]]
            turn[chart == i] = 2 * np.pi * size
        centre = np.array([CHARTS[n] for n in names])[chart]
        rows = np.flatnonzero(wide)
        fixed = uv[face_uv[rows]]
        fixed[..., 0] += np.where(fixed[..., 0] < centre[rows, None], turn[rows, None], 0)
        face_uv[rows] = len(uv) + np.arange(4 * len(rows)).reshape(-1, 4)
        uv = np.concatenate([uv, fixed.reshape(-1, 2)])
    return uv, face_uv.astype(np.int32)
