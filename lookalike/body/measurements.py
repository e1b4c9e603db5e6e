"""Body measurements as a tailor takes them: a body in, lengths and girths in metres out.

Taken on the shaped T-pose (`Body.rest`, Y up, metres). Levels and girths follow ISO 8559-1:2017 as far as a body with
level arms allows: a girth is the length of a tape drawn tight around a horizontal section, its convex hull, arms left
out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.body.model import Body, BodyModel

#: Height of an adult of whom only a photo is known, metres.
ADULT_HEIGHT = 1.7
#: Share of the height from chin to crown: below the first an adult's, above the second clearly a child's.
ADULT_HEAD, CHILD_HEAD = 0.147, 0.160

#: What a horizontal tape goes around, by parts of the body.
_SECTIONS = {
    "neck": ("torso", "neck", "head"),
    "trunk": ("torso", "left_leg", "right_leg"),
    "left_leg": ("left_leg",),
    "right_leg": ("right_leg",),
}


def measure(body: Body) -> dict[str, float]:
    """Measurements of a body in metres.

    height : crown to floor.  head_height : chin to crown.  neck : the narrowest girth of the neck.
    shoulder_width : straight, between the bony tips of the shoulders, taken to lie half as far outside of the joints
    as the skin lies above them.
    chest : the fullest girth from the armpits down to the underbust.  waist : the narrowest girth between the ribs and
    the hip bones.  hip : the fullest girth of the buttocks.  thigh : girth just below the crotch.
    arm_length : of the hanging arm, from the skin above the shoulder joint along the elbow to the wrist.
    inseam : crotch to floor.  foot_length.

    Lengths and girths of limbs are means of left and right. What the mesh has no section for is left out. Raises
    ValueError for a body model without part labels.
    """
    return _measure(body.model, body.rest, body.rest_joints)


def typical_height(model: BodyModel, betas: np.ndarray) -> float:
    """The height in metres to assume for a person of this shape whose height is not known.

    1.7 m, unless the head says that it is a child: from chin to crown it is 13.4 % of the median adult's height and
    more of a child's. Of random people as tools/build_body.py draws them, 95 % of the adults lay below 14.9 %, half of
    the children of four to seven years above 15.6 %. So up to 14.7 % it is an adult, from 16 % on a child of the height
    that the shape numbers give the model itself (ours carry size; SMPL's know no children), between them a blend.

    betas : (B,).
    """
    level = model.template[:, 1] + np.tensordot(np.asarray(betas, np.float32), model.shape_basis[:, :, 1], 1)
    height = float(np.ptp(level))
    child = np.clip(((level.max() - level[_chin(model)]) / height - ADULT_HEAD) / (CHILD_HEAD - ADULT_HEAD), 0, 1)
    return float((1 - child) * ADULT_HEIGHT + child * min(height, ADULT_HEIGHT))


def _measure(model: BodyModel, rest: np.ndarray, joints: np.ndarray) -> dict[str, float]:
    rest = rest.astype(np.float64)
    spot = dict(zip(model.joint_names, joints.astype(np.float64), strict=True))
    spots = _Spots.of(model)
    floor, crown, chin = rest[:, 1].min(), rest[:, 1].max(), rest[spots.chin, 1]
    crotch, armpit = rest[spots.crotch, 1], rest[list(spots.armpits), 1].mean()
    trunk, inseam = armpit - crotch, crotch - floor
    nape = 2 * spot["neck"][1] - spot["head"][1]

    def girths(section: str, low: float, high: float, count: int = 14) -> np.ndarray:
        found = _girths(rest, _edges(model, _SECTIONS[section]), np.linspace(low, high, count))
        return found[np.isfinite(found)] if np.isfinite(found).any() else np.array([np.nan])

    both = ("left", "right")
    joint, elbow, wrist = ([spot[f"{side}_{n}"] for side in both] for n in ("shoulder", "elbow", "wrist"))
    cover = np.mean([rest[spots.shoulders[i], 1].mean() - joint[i][1] for i in (0, 1)])
    thigh = crotch - 0.05 * inseam
    feet = [rest[_of(model, f"{side}_foot"), 2] for side in both]
    numbers = {
        "height": crown - floor,
        "head_height": crown - chin,
        "neck": girths("neck", min(nape, chin), chin).min(),
        "shoulder_width": np.linalg.norm(joint[0] - joint[1]) + cover,
        "chest": girths("trunk", armpit - 0.22 * trunk, armpit - 0.01 * trunk).max(),
        "waist": girths("trunk", armpit - 0.62 * trunk, armpit - 0.38 * trunk).min(),
        "hip": girths("trunk", crotch + 0.01 * trunk, crotch + 0.30 * trunk).max(),
        "thigh": np.mean([girths(f"{side}_leg", thigh, thigh, 1)[0] for side in both]),
        "arm_length": cover
        + np.mean([np.linalg.norm(j - e) + np.linalg.norm(e - w) for j, e, w in zip(joint, elbow, wrist, strict=True)]),
        "inseam": inseam,
        "foot_length": np.mean([np.ptp(z) for z in feet]),
    }
    return {name: float(x) for name, x in numbers.items() if np.isfinite(x)}


@dataclass(frozen=True)
class _Spots:
    """Vertices that mark levels on the body: found on the mean shape, where nothing touches, and followed from there.

    chin, crotch : a vertex.  armpits : one a side, left first.  shoulders : (k,) vertices above each joint.
    """

    chin: int
    crotch: int
    armpits: tuple[int, int]
    shoulders: tuple[np.ndarray, np.ndarray]

    @classmethod
    def of(cls, model: BodyModel) -> _Spots:
        template, middle = model.template, float(model.joint_template[0, 0])
        size = float(np.ptp(template[:, 1]))
        spot = dict(zip(model.joint_names, model.joint_template, strict=True))
        trunk = np.flatnonzero(_inside(model, _SECTIONS["trunk"]))
        knees = (spot["left_knee"][1] + spot["right_knee"][1]) / 2
        between = trunk[(np.abs(template[trunk, 0] - middle) < 0.003 * size) & (template[trunk, 1] > knees)]
        if not len(between):  # a coarse mesh, with no vertex on the midline
            between = trunk[template[trunk, 1] > (spot["left_hip"][1] + spot["right_hip"][1]) / 2]
        armpits, shoulders = [], []
        for side in ("left", "right"):
            arm = _of(model, f"{side}_arm")
            joint = spot[f"{side}_shoulder"]
            inner = arm[np.abs(template[arm, 0] - joint[0]) < 0.03 * size]
            inner = inner if len(inner) else arm
            armpits.append(int(inner[template[inner, 1].argmin()]))
            near = np.concatenate([arm, _of(model, "torso")])
            near = near[np.argsort(np.linalg.norm((template[near] - joint)[:, [0, 2]], axis=1), kind="stable")[:40]]
            shoulders.append(near[np.argsort(-template[near, 1], kind="stable")[:4]])
        return cls(
            _chin(model),
            int(between[template[between, 1].argmin()]),
            (armpits[0], armpits[1]),
            (shoulders[0], shoulders[1]),
        )


def _chin(model: BodyModel) -> int:
    """The vertex of the chin: the lowest one at the front of the head, below the nose."""
    head, template = _of(model, "head"), model.template
    depth = template[head, 2]
    nose = head[depth.argmax()]
    width = np.ptp(template[head, 0])
    front = head[
        (depth > depth.max() - 0.35 * np.ptp(depth))
        & (np.abs(template[head, 0] - template[nose, 0]) < 0.15 * width)
        & (template[head, 1] <= template[nose, 1])
    ]
    return int(front[template[front, 1].argmin()])


def _inside(model: BodyModel, parts: tuple[str, ...]) -> np.ndarray:
    """(V,) bool: which vertices belong to some parts."""
    if model.parts is None:
        raise ValueError("measuring needs a body model with part labels")
    return np.isin(model.parts, [model.part_names.index(n) for n in parts])


def _of(model: BodyModel, part: str) -> np.ndarray:
    """(n,) the vertices of a part."""
    return np.flatnonzero(_inside(model, (part,)))


def _edges(model: BodyModel, parts: tuple[str, ...]) -> np.ndarray:
    """(E, 2) edges whose two ends lie in some parts; inner ones are listed once a face."""
    inside = _inside(model, parts)
    corners = model.faces
    edges = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    return edges[inside[edges].all(1)]


def _girths(vertices: np.ndarray, edges: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """The convex hull's perimeter of horizontal sections of some edges (E, 2), one a level; nan where there is none."""
    from scipy.spatial import ConvexHull, QhullError

    low, high = vertices[edges[:, 0], 1], vertices[edges[:, 1], 1]
    out = np.full(len(levels), np.nan)
    for i, level in enumerate(levels):
        cut = np.flatnonzero((low < level) != (high < level))
        if len(cut) < 3:
            continue
        a, b = vertices[edges[cut, 0]], vertices[edges[cut, 1]]
        along = (level - a[:, 1]) / (b[:, 1] - a[:, 1])
        try:
            # what scipy calls the area of a plane hull is its perimeter
            out[i] = ConvexHull((a + along[:, None] * (b - a))[:, [0, 2]]).area
        except QhullError:
            continue
    return out
