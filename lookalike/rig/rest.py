"""From the photo's pose to the A-pose and back.

A surface vertex is a point on the body (its anchors) and an offset: clothes, hair, what the model does not know. The
body point is known exactly in every pose. The offset turns with the joints it follows, by the blend of their rotations.
So the way is exact where the surface lies on the body, and nowhere has a blended matrix to be inverted that two
strongly bent joints make nearly singular.

Drawing out also shifts whole limbs, where the fit was a little beside the photo. A limb's common offset belongs to the
pose, not to the person, so the A-pose leaves it out: hands stay on their bones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial.transform import Rotation

from lookalike.body.model import Body
from lookalike.mesh.matrices import inverses
from lookalike.rig.skeleton import ARM_DROP
from lookalike.rig.weights import dense
from lookalike.surface.mesh import Surface

#: A limb's common offset counts up to this length, metres, and this angle, radians.
LARGEST_SHIFT, LARGEST_TURN = 0.08, 0.2


@dataclass(frozen=True)
class APose:
    """The bare body in the A-pose: Y up, facing +Z, the root joint at the origin, metres.

    vertices : (V, 3).  joints : (J, 3).
    turns : (J, 3, 3) each joint's rotation from the A-pose to the photo's pose.
    moves : (J, 3) with the translation: a point x of the A-pose goes to turns x + moves.
    """

    vertices: np.ndarray
    joints: np.ndarray
    turns: np.ndarray
    moves: np.ndarray


def a_pose(body: Body) -> APose:
    """The body in the A-pose: arms 45 degrees down, everything else as in the model's T-pose, hands open.

    The vertices are those that linear blend skinning from the A-pose takes to the T-pose. The blended matrices of arms
    that drop by 45 degrees are far from singular.
    """
    model = body.model
    index = {name: j for j, name in enumerate(model.joint_names)}
    rest = np.asarray(body.rest_joints, np.float64)
    drop = np.tile(np.eye(3), (len(rest), 1, 1))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        shoulder, elbow = index[f"{side}_shoulder"], index[f"{side}_elbow"]
        way = rest[elbow] - rest[shoulder]
        down = np.arctan2(-way[1], sign * way[0])
        drop[shoulder] = Rotation.from_rotvec([0, 0, -sign * (ARM_DROP - down)]).as_matrix()
    turns, joints = np.empty_like(drop), np.empty_like(rest)
    for j, parent in enumerate(model.parents):  # parents come first
        if parent < 0:
            turns[j], joints[j] = drop[j], 0
        else:
            turns[j] = turns[parent] @ drop[j]
            joints[j] = joints[parent] + turns[parent] @ (rest[j] - rest[parent])

    to_t = np.zeros((len(rest), 3, 4))
    to_t[:, :, :3] = turns.swapaxes(1, 2)
    to_t[:, :, 3] = rest - np.einsum("jba,jb->ja", turns, joints)
    vertices = _unskin(to_t, model.weights.astype(np.float64), np.asarray(body.rest, np.float64))
    posed = np.asarray(body.transforms, np.float64)
    turns = posed[:, :3, :3] @ to_t[:, :, :3]
    moves = np.einsum("jab,jb->ja", posed[:, :3, :3], to_t[:, :, 3]) + posed[:, :3, 3]
    return APose(vertices, joints, turns, moves)


@dataclass(frozen=True)
class Unposing:
    """The way of a surface from the photo's pose to the A-pose.

    start, goal : (n, 3) the vertices' body points in the photo's pose, with their limbs' shifts, and in the A-pose.
    turn : the n rotations of the vertices' offsets from the A-pose to the photo's pose.
    bent : (n,) in [0, 1], how much the joints that a vertex follows disagree; 1 is half way round a joint folded flat.
    """

    start: np.ndarray
    goal: np.ndarray
    turn: Rotation
    bent: np.ndarray

    @classmethod
    def of(
        cls,
        surface: Surface,
        body: Body,
        pose: APose,
        joints: np.ndarray,
        weights: np.ndarray,
        loose: np.ndarray | float = 0.0,
    ) -> Unposing:
        """The way of a surface with this skin; joints, weights : (n, 4).

        loose : (n,) in [0, 1], how much of a vertex is a garment that does not follow one limb, and says nothing about
        where the limb is.
        """
        start = surface.anchors @ np.asarray(body.vertices, np.float64)
        shares = dense(joints, weights, len(pose.joints)).astype(np.float64)
        tight = shares * (1 - np.broadcast_to(loose, len(shares)))[:, None]
        corrections = limb_corrections(start, surface.vertices, tight, body.model.joint_names)
        blend = (csr_matrix(shares) @ corrections.reshape(len(corrections), -1)).reshape(-1, 3, 4)
        start = np.einsum("nab,nb->na", blend[:, :, :3], start) + blend[:, :, 3]
        turn, bent = blended_turns(corrections[:, :, :3] @ pose.turns, joints, weights)
        return cls(start, surface.anchors @ pose.vertices, turn, bent)

    def unpose(self, vertices: np.ndarray) -> np.ndarray:
        """The A-pose of vertices (n, 3) in the photo's pose."""
        return self.goal + self.turn.inv().apply(vertices - self.start)

    def repose(self, vertices: np.ndarray) -> np.ndarray:
        """The photo's pose of vertices (n, 3) in the A-pose."""
        return self.start + self.turn.apply(vertices - self.goal)


def blended_turns(turns: np.ndarray, joints: np.ndarray, weights: np.ndarray) -> tuple[Rotation, np.ndarray]:
    """The rotation of each vertex: its joints' rotations, blended as quaternions; and how much they disagree, (n,).

    turns : (J, 3, 3).  joints, weights : (n, 4), largest first. Quaternions are blended on the side of the first
    joint's, so the blend never vanishes (Kavan et al., "Geometric skinning with approximate dual quaternion blending",
    2008).
    """
    quaternion = Rotation.from_matrix(turns).as_quat()[joints]
    side = np.where(np.einsum("nki,ni->nk", quaternion, quaternion[:, 0]) < 0, -1.0, 1.0)
    blend = np.einsum("nk,nki->ni", weights * side, quaternion)
    # Two halves that differ by an angle a give a blend whose length is cos(a / 4).
    bent = np.clip(2 * (1 - np.einsum("ni,ni->n", blend, blend)), 0, 1)
    return Rotation.from_quat(blend), bent


def limb_corrections(
    body: np.ndarray, surface: np.ndarray, shares: np.ndarray, joint_names: tuple[str, ...]
) -> np.ndarray:
    """(J, 3, 4) how each joint's limb was moved from the body to the surface, on the whole: x -> A x + b.

    body, surface : (n, 3) the same vertices.  shares : (n, J) how much of each vertex follows each joint. A hand with its
    fingers, a foot with its toes, and the head with what is on it are one limb each. Limbs are shifted by their median
    offset, which hair or a sleeve on one side does not sway; head and hands, which keep the body's form, are turned too.
    """
    limb = [_limb(name) for name in joint_names]
    out = np.tile(np.eye(3, 4), (len(joint_names), 1, 1))
    for name in set(limb):
        mine = [j for j, other in enumerate(limb) if other == name]
        share = shares[:, mine].sum(1)
        rows = np.flatnonzero(share > 0.5)
        if len(rows) < 10:
            continue
        offset = surface[rows] - body[rows]
        order = np.argsort(offset, axis=0)
        total = np.cumsum(share[rows][order], axis=0)
        shift = offset[order[(total >= total[-1] / 2).argmax(0), range(3)], range(3)]
        shift *= min(1.0, LARGEST_SHIFT / max(float(np.linalg.norm(shift)), 1e-9))
        out[mine, :, 3] = shift
        if name == "head" or name.endswith("hand"):
            out[mine] = _rigid(body[rows], surface[rows], shift)
    return out


def _rigid(start: np.ndarray, goal: np.ndarray, shift: np.ndarray, rounds: int = 6) -> np.ndarray:
    """(3, 4) the rigid motion that takes most of `start` (k, 3) near `goal`, from a first guess by a shift (3,).

    Kabsch's fit, repeated with less weight on points that stay away from it.
    """
    motion = np.concatenate([np.eye(3), shift[:, None]], 1)
    for _ in range(rounds):
        away = goal - (start @ motion[:, :3].T + motion[:, 3])
        weight = 1 / (1 + (away**2).sum(1) / 0.004**2)
        centres = [np.average(x, axis=0, weights=weight) for x in (start, goal)]
        u, _, vt = np.linalg.svd((weight[:, None] * (goal - centres[1])).T @ (start - centres[0]))
        turn = Rotation.from_matrix(u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt)
        turn = turn ** min(1, LARGEST_TURN / max(turn.magnitude(), 1e-9))
        motion = np.concatenate([turn.as_matrix(), (centres[1] - turn.apply(centres[0]))[:, None]], 1)
    return motion


def _limb(joint_name: str) -> str:
    side, _, part = joint_name.partition("_")
    if side not in ("left", "right"):
        return joint_name
    if part[-1].isdigit() or part == "wrist":
        return f"{side}_hand"
    return f"{side}_foot" if part in ("ankle", "foot") else joint_name


def unskin_loose(
    vertices: np.ndarray, rest: np.ndarray, loose: np.ndarray, pose: APose, weights: csr_matrix
) -> np.ndarray:
    """A-pose vertices (n, 3) where garments that belong to several limbs go the way that skinning moves them.

    vertices : (n, 3) in the photo's pose.  rest : (n, 3) the A-pose by `Unposing`.  loose : (n,) in [0, 1], how much of
    a vertex goes this way.  weights : (n, J). Where two sheets of cloth touch and follow the same joints alike, they touch
    in the A-pose too.
    """
    rows = np.flatnonzero(loose > 0)
    shares = weights[rows].toarray()
    affine = np.concatenate([pose.turns, pose.moves[..., None]], 2)
    usable = np.linalg.det(np.tensordot(shares, affine, 1)[:, :, :3]) > 0.2
    rows, shares = rows[usable], shares[usable]
    out = rest.copy()
    out[rows] += loose[rows, None] * (_unskin(affine, shares, vertices[rows].astype(np.float64)) - rest[rows])
    return out


def _unskin(affine: np.ndarray, shares: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """(n, 3) the points that linear blend skinning with affine maps (J, 3, 4) and shares (n, J) takes to `vertices`."""
    blend = (csr_matrix(shares) @ affine.reshape(len(affine), -1)).reshape(-1, 3, 4)
    return np.einsum("nab,nb->na", inverses(blend[:, :, :3]), vertices - blend[:, :, 3])
