"""What the motions need to know about a person: legs, soles, how wide the arms and the feet must be apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.rig.avatar import Skeleton
from lookalike.rig.footing import Foot
from lookalike.rig.weights import dense

SIDES = {"Left": 1.0, "Right": -1.0}

#: The arms' angle to the vertical, radians: never closer to the body than the first.
_HANG = np.radians(np.arange(9, 41, 1.0))
#: How far forearms keep from the body, for the hips go from side to side, and how much further open hands do, whose
#: fingers will bend: in heights of the shoulder. How much flesh may give way between the thighs, in leg lengths.
_ARM_GAP, _FINGERS, _THIGH_GIVE = 0.027, 0.034, 0.022


@dataclass(frozen=True)
class Leg:
    """One leg at rest. hip : (3,) the joint.  thigh, shin : (3,) bones.  foot : its `Foot`."""

    hip: np.ndarray
    thigh: np.ndarray
    shin: np.ndarray
    foot: Foot

    @property
    def length(self) -> float:
        """From the hip joint to the ankle, stretched."""
        return float(np.linalg.norm(self.thigh) + np.linalg.norm(self.shin))


@dataclass(frozen=True)
class Figure:
    """A person's measures for motions.

    skeleton : the joints.  legs : by side, "Left" and "Right".
    hang : side -> angle of the hanging arm to the vertical, radians, that keeps it clear of the body.
    stance : half the distance between the ankles in walking, metres, that keeps the thighs clear of each other.
    stride : how long steps may be, 1 for legs that are free, less in a long skirt.
    floor : height of the lower sole at rest, metres: 0 unless a dress hangs lower than the feet.
    """

    skeleton: Skeleton
    legs: dict[str, Leg]
    hang: dict[str, float]
    stance: float
    stride: float = 1.0
    floor: float = 0.0

    @property
    def leg_length(self) -> float:
        """Height of the hip joints over the ground when standing straight, metres: what gaits scale with."""
        return float(np.mean([leg.length - leg.foot.lowest(*np.zeros((2, 1)))[0] for leg in self.legs.values()]))

    def joint(self, name: str) -> np.ndarray:
        """(3,) a joint's rest position."""
        return self.skeleton.positions[self.skeleton.names.index(name)].astype(np.float64)


def measure_figure(
    skeleton: Skeleton,
    vertices: np.ndarray,
    joints: np.ndarray,
    weights: np.ndarray,
    bare: np.ndarray,
    bare_weights: np.ndarray,
    stride: float = 1.0,
) -> Figure:
    """The `Figure` of a rig.

    vertices : (n, 3), joints and weights : (n, 4), the clothed surface and its skin.
    bare : (V, 3) the naked body in the same pose, bare_weights : (V, J); the thighs' room is measured on it.
    stride : as in `Figure`.
    """
    follow = dense(joints, weights, len(skeleton.names))
    at = dict(zip(skeleton.names, skeleton.positions.astype(np.float64), strict=True))
    column = {name: j for j, name in enumerate(skeleton.names)}
    legs = {}
    for side in SIDES:
        hip, knee, ankle = at[f"{side}UpLeg"], at[f"{side}Leg"], at[f"{side}Foot"]
        foot = _foot(side, at, column, vertices, follow) or _foot(side, at, column, bare, bare_weights)
        if foot is None:
            raise ValueError(f"no vertex follows the {side.lower()} foot")
        legs[side] = Leg(hip, knee - hip, ankle - knee, foot)
    hang = {side: _hang(side, skeleton, column, vertices, follow) for side in SIDES}
    hang = dict.fromkeys(SIDES, max(hang.values()))
    return Figure(skeleton, legs, hang, _stance(legs, column, bare, bare_weights), stride, _floor(legs))


def _foot(side: str, at: dict, column: dict, vertices: np.ndarray, follow: np.ndarray) -> Foot | None:
    """The foot, or None where no vertex follows it: feet may be hidden in a gown."""
    ankle, toe = at[f"{side}Foot"], at[f"{side}ToeBase"]
    both = follow[:, [column[f"{side}Foot"], column[f"{side}ToeBase"]]].astype(np.float64)
    sole = (both.sum(1) > 0.5) & (vertices[:, 1] < ankle[1])
    if not sole.any():
        return None
    share = both[sole, 1] / both[sole].sum(1)
    return Foot(ankle, toe, vertices[sole].astype(np.float64) - ankle, share)


def _floor(legs: dict[str, Leg]) -> float:
    return float(min((leg.foot.ankle + leg.foot.points)[:, 1].min() for leg in legs.values()))


def _arm_joints(side: str, skeleton: Skeleton) -> list[int]:
    names = (f"{side}Arm", f"{side}ForeArm", f"{side}Hand")
    return [j for j, name in enumerate(skeleton.names) if name.startswith(names)]


def _hang(side: str, skeleton: Skeleton, column: dict, vertices: np.ndarray, follow: np.ndarray) -> float:
    """The smallest angle of the arm to the vertical at which forearm and hand are clear of trunk and legs, there and
    further out. Upper arms lie on the trunk with all of us."""
    sign = SIDES[side]
    shoulder, elbow, wrist = (
        skeleton.positions[column[f"{side}{n}"]].astype(np.float64) for n in ("Arm", "ForeArm", "Hand")
    )
    arm_share = follow[:, _arm_joints(side, skeleton)].sum(1)
    other = follow[:, _arm_joints("Right" if side == "Left" else "Left", skeleton)].sum(1)
    way = wrist - shoulder
    arm = (vertices - shoulder)[arm_share > 0.95]
    along = arm @ unit_direction(way)
    arm, along = (x[along > np.linalg.norm(elbow - shoulder)] for x in (arm[:, :2] * [sign, 1], along))
    gap = abs(shoulder[1]) * (_ARM_GAP + _FINGERS * (along > 0.98 * np.linalg.norm(way)))
    body = vertices[(arm_share < 0.05) & (other < 0.05)]
    if not len(arm) or not len(body):
        return float(np.pi / 4)
    step = 0.01 * max(np.ptp(vertices[:, 1]), 0.5)
    level = np.floor(body[:, 1] / step).astype(int)
    low = level.min()
    outline = np.full(level.max() - low + 3, -np.inf)
    np.maximum.at(outline, level - low + 1, body[:, 0] * sign)
    outline = np.maximum(outline, np.maximum(np.roll(outline, 1), np.roll(outline, -1)))
    now = np.arctan2(abs(way[0]), -way[1])
    for angle in _HANG[::-1]:
        c, s = np.cos(now - angle), np.sin(now - angle)  # turns the arm inwards
        x = c * arm[:, 0] + s * arm[:, 1] + shoulder[0] * sign
        y = -s * arm[:, 0] + c * arm[:, 1] + shoulder[1]
        row = np.clip(np.floor(y / step).astype(int) - low + 1, 0, len(outline) - 1)
        if (x - outline[row] - gap).min() < 0:
            return float(min(angle + np.radians(1), _HANG[-1]))
    return float(_HANG[0])


def unit_direction(vector: np.ndarray) -> np.ndarray:
    """A vector (3,) scaled to length one."""
    return vector / np.linalg.norm(vector)


def _stance(legs: dict[str, Leg], column: dict, bare: np.ndarray, weights: np.ndarray) -> float:
    """Half the distance of the ankles in walking: narrow, but so that the legs pass each other."""
    length = legs["Left"].length
    wide = np.mean([abs(leg.foot.ankle[0]) for leg in legs.values()])
    narrow = 0.45 * np.mean([abs(leg.hip[0]) for leg in legs.values()])
    tilt = []
    for side, sign in SIDES.items():
        hip = legs[side].hip
        mine = weights[:, [column[f"{side}UpLeg"], column[f"{side}Leg"], column[f"{side}Foot"]]].sum(1) > 0.9
        inner, depth = bare[mine, 0] * sign, hip[1] - bare[mine, 1]
        below = depth > 0.3 * length
        tilt.append(((inner[below] + _THIGH_GIVE * length) / depth[below]).min())
    return float(np.clip(wide - length * min(tilt), narrow, max(wide, narrow)))
