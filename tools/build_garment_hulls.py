"""Build lookalike/assets/garment_hulls.npz: the two sheets from which synthetic people's clothes are cut.

    python tools/build_garment_hulls.py lookalike/assets/garment_hulls.npz [--cell 0.013]

In: the bundled body. Out: "suit", a sheet that spans the body from the crown to wrists and ankles as cloth would, and
"robe", the same with one skirt round both legs down to the floor; both as quads of about one cell's width. They are made
in an A-pose with the legs apart, where armpits and crotch are open, as surface nets (Gibson, 1998) of a closed (dilated
and eroded) distance field, and stored in the body's T-pose by inverting skinning, so that posing gives the A-pose's form
back. Needs `pip install .[body-build]`; takes a minute, once.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import igl
import numpy as np
from scipy import ndimage
from scipy.sparse import coo_matrix, diags

from lookalike.body import JOINTS, load_body
from lookalike.body.model import BodyModel
from lookalike.camera import Camera

#: Cloth spans hollows narrower than about twice this (metres): cleavage, spine, crotch, the nape under a hood.
SPAN = {"body": 0.07, "head": 0.09}
#: Distance of the sheet from the skin (metres).
GAP = 0.006
#: Rounds of smoothing of skin weights over the sheet: cloth bends less sharply than skin.
WEIGHT_ROUNDS = 40
INFLUENCES = 8


def a_pose(arms: float = 42.0, legs: float = 9.0) -> np.ndarray:
    """(52, 3) axis-angle: arms lowered and legs spread by these degrees."""
    pose = np.zeros((len(JOINTS), 3))
    for side, way in (("left", 1.0), ("right", -1.0)):
        pose[JOINTS.index(f"{side}_collar")] = [0, 0, -way * np.radians(0.15 * arms)]
        pose[JOINTS.index(f"{side}_shoulder")] = [0, 0, -way * np.radians(0.85 * arms)]
        pose[JOINTS.index(f"{side}_hip")] = [0, 0, way * np.radians(legs)]
    return pose


def surface_nets(field: np.ndarray, low: np.ndarray, cell: float) -> tuple[np.ndarray, np.ndarray]:
    """The zero level of a grid, negative inside: vertices (n, 3) and quads (q, 4), counter-clockwise from outside."""
    inside = field < 0
    shape = np.array(field.shape) - 1
    total, count = np.zeros((*shape, 3)), np.zeros(shape)
    corner = np.stack(np.meshgrid(*[np.arange(s) for s in shape], indexing="ij"), -1).astype(float)
    for axis in range(3):
        for other in np.ndindex(2, 2):
            start = list(other[:axis]) + [0] + list(other[axis:])
            end = list(start)
            end[axis] = 1
            a = field[tuple(slice(s, s + n) for s, n in zip(start, shape, strict=True))]
            b = field[tuple(slice(s, s + n) for s, n in zip(end, shape, strict=True))]
            crossing = (a < 0) != (b < 0)
            share = np.where(crossing, a / np.where(crossing, a - b, 1), 0)
            place = np.tile(np.array(start, float), (*shape, 1))
            place[..., axis] += share
            total += np.where(crossing[..., None], place, 0)
            count += crossing
    active = count > 0
    index = np.full(shape, -1)
    index[active] = np.arange(active.sum())
    vertices = low + cell * (corner[active] + total[active] / count[active][:, None])
    quads = []
    for axis in range(3):
        a = np.take(inside, np.arange(field.shape[axis] - 1), axis)
        b = np.take(inside, np.arange(1, field.shape[axis]), axis)
        place = np.argwhere(a != b)
        u, v = (axis + 1) % 3, (axis + 2) % 3
        place = place[(place[:, u] > 0) & (place[:, v] > 0) & (place[:, u] < shape[u]) & (place[:, v] < shape[v])]
        steps = []
        for du, dv in ((1, 1), (0, 1), (0, 0), (1, 0)):
            at = place.copy()
            at[:, u] -= du
            at[:, v] -= dv
            steps.append(index[tuple(at.T)])
        quad = np.stack(steps, 1)
        outward = inside[tuple(place.T)]
        quads.append(np.where(outward[:, None], quad, quad[:, ::-1]))
    return vertices, np.concatenate(quads)


def neighbours_mean(quads: np.ndarray, count: int):
    """(n, n) sparse: the mean over the neighbours along edges."""
    a, b = quads.reshape(-1), np.roll(quads, -1, 1).reshape(-1)
    link = coo_matrix((np.ones(2 * len(a)), (np.r_[a, b], np.r_[b, a])), (count, count)).tocsr()
    link.data[:] = 1
    return diags(1 / np.maximum(np.asarray(link.sum(1)).ravel(), 1)) @ link


def distance_to(inside: np.ndarray, cell: float) -> np.ndarray:
    """Signed distance of a mask's border, metres, negative inside."""
    return cell * (ndimage.distance_transform_edt(~inside) - ndimage.distance_transform_edt(inside))


def sheets(model: BodyModel, cell: float) -> dict[str, dict[str, np.ndarray]]:
    """The arrays of both sheets."""
    pose = a_pose()
    body = model.posed(np.zeros(model.shape_count), pose, np.zeros(3), Camera.for_photo(100, 100))
    vertices, faces = body.vertices.astype(float), model.faces.astype(np.int64)
    part = np.array(model.part_names)[model.parts]
    low, high = vertices.min(0) - 0.14, vertices.max(0) + 0.14
    low[1] -= 0.05
    axes = [np.arange(a, b, cell / 2) for a, b in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    distance = np.asarray(igl.signed_distance(points.reshape(-1, 3), vertices, faces, 4)[0]).reshape(points.shape[:3])
    print("distance field", distance.shape, flush=True)
    head_low = body.joints[JOINTS.index("neck")][1] - 0.03

    def spanned(field: np.ndarray, reach: float) -> np.ndarray:
        grown = distance_to(field < reach, cell / 2)  # outside: how far from the dilated body
        return np.minimum(field, grown + reach)

    whole = spanned(distance, SPAN["body"])
    head = spanned(distance, SPAN["head"])
    blend = np.clip((points[..., 1] - head_low) / 0.10, 0, 1)
    suit = whole * (1 - blend) + head * blend

    # the robe: below the hips every horizontal section is the convex hull of both legs
    arms = np.isin(part, ["left_arm", "right_arm", "left_hand", "right_hand"])
    ankle_y = body.joints[JOINTS.index("left_ankle")][1] + 0.09  # below, feet would widen it
    hip_y = body.joints[JOINTS.index("left_hip")][1] + 0.10
    legs_reach = np.abs(vertices[~arms & (vertices[:, 1] < hip_y)][:, 0]).max() + 0.02
    robe = suit.copy()
    hull_rows = np.flatnonzero(axes[1] < hip_y + 0.04)
    filled = suit < GAP
    mine = np.abs(points[..., 0]) < legs_reach
    previous = None
    for row in hull_rows[::-1]:
        section = (filled & mine)[:, row]
        if previous is not None:
            # cloth hangs straight down from where it is widest
            section = section | previous if axes[1][row] > ankle_y else previous
        outline = np.argwhere(section)
        hull = cv2.convexHull(outline[:, ::-1].astype(np.int32))
        solid = np.zeros(section.shape, np.uint8)
        cv2.fillConvexPoly(solid, hull, 1)
        section = solid.astype(bool)
        filled[:, row] = section
        previous = section
    low_floor = axes[1] < vertices[:, 1].min() + 0.012
    filled[:, low_floor] = False
    robe_distance = ndimage.gaussian_filter(distance_to(filled, cell / 2), (6.0, 5.0, 6.0))
    weight = np.clip((hip_y + 0.03 - points[..., 1]) / 0.06, 0, 1)
    # arms beside the skirt stay as they are
    robe = np.where(mine, (suit - GAP) * (1 - weight) + robe_distance * weight, suit - GAP)
    out = {}
    for name, field in (("suit", suit - GAP), ("robe", robe)):
        field = ndimage.gaussian_filter(field, 1.2)[::2, ::2, ::2]
        points_, quads = surface_nets(field, low, cell)
        out[name] = finish(points_, quads, model, body, cell)
        print(name, {k: v.shape for k, v in out[name].items()}, flush=True)
    return out


def finish(points, quads, model, body, cell) -> dict[str, np.ndarray]:
    """Even the mesh out, drop its loose bits, tie it to the body, and bring it to the T-pose."""
    count = len(points)
    mean = neighbours_mean(quads, count)
    # one sheet only: inner bubbles of the field go
    from scipy.sparse.csgraph import connected_components

    _, label = connected_components(mean)
    keep = label == np.bincount(label).argmax()
    number = np.cumsum(keep) - 1
    quads = number[quads[keep[quads].all(1)]]
    points = points[keep]
    mean = neighbours_mean(quads, len(points))
    target_v, target_q = points.copy(), quads
    tri = np.concatenate([target_q[:, :3], target_q[:, [0, 2, 3]]])
    for _ in range(12):
        points = points + 0.5 * (mean @ points - points)
        _, _, points = igl.point_mesh_squared_distance(points, target_v, tri.astype(np.int64))[:3]
    part = np.array(model.part_names)[model.parts]
    # the sheet ends before hands and feet
    bone = {n: body.joints[JOINTS.index(n)] for n in JOINTS[:22]}
    outside = np.zeros(len(points), bool)
    for side in ("left", "right"):
        arm = bone[f"{side}_wrist"] - bone[f"{side}_elbow"]
        way = arm / np.linalg.norm(arm)
        far = (points - bone[f"{side}_wrist"]) @ way
        outside |= (far > 0.055) & (np.linalg.norm(points - bone[f"{side}_wrist"], axis=1) < 0.4)
    _, face, close = igl.point_mesh_squared_distance(points, body.vertices.astype(float), model.faces.astype(np.int64))
    foot = np.isin(part[model.faces[face]], ["left_foot", "right_foot"]).all(1)
    floor = body.vertices[:, 1].min()
    is_robe = np.abs(points[(points[:, 1] < bone["left_knee"][1])][:, 0]).min() < 0.01
    outside |= (points[:, 1] < floor + 0.035) if not is_robe else (points[:, 1] < floor + 0.03)
    if not is_robe:
        outside |= foot & (points[:, 1] < bone["left_ankle"][1] - 0.045)
    good = ~outside[quads].any(1)
    used, quads = np.unique(quads[good], return_inverse=True)
    quads = quads.reshape(-1, 4)
    points, face, close = points[used], face[used], close[used]
    corner = body.vertices[model.faces[face]].astype(float)
    bary = np.asarray(igl.barycentric_coordinates(close, *[np.ascontiguousarray(corner[:, k]) for k in range(3)]))
    bary = np.clip(bary, 0, 1)
    bary /= bary.sum(1, keepdims=True)
    weights = np.einsum("nk,nkj->nj", bary, model.weights[model.faces[face]])
    # fingers, toes and face do not carry cloth
    for side in ("left", "right"):
        wrist, foot_, ankle = (JOINTS.index(f"{side}_{n}") for n in ("wrist", "foot", "ankle"))
        fingers = [j for j, n in enumerate(JOINTS) if n.startswith(side) and n[-1].isdigit()]
        weights[:, wrist] += weights[:, fingers].sum(1)
        weights[:, fingers] = 0
        weights[:, ankle] += weights[:, foot_]
        weights[:, foot_] = 0
    mean = neighbours_mean(quads, len(points))
    rounds = WEIGHT_ROUNDS
    for _ in range(rounds):
        weights = 0.5 * weights + 0.5 * (mean @ weights)
    if is_robe:
        weights = skirt_weights(points, weights, bone)
    top = np.argsort(-weights, 1, kind="stable")[:, :INFLUENCES]
    kept = np.zeros_like(weights)
    np.put_along_axis(kept, top, np.take_along_axis(weights, top, 1), 1)
    weights = kept / kept.sum(1, keepdims=True)
    # to the T-pose: the inverse of skinning
    blend = np.einsum("vj,jab->vab", weights, body.transforms.astype(float))
    rest = np.linalg.solve(blend[:, :3, :3], (points - blend[:, :3, 3])[..., None])[..., 0]
    return {
        "posed": points.astype(np.float32),
        "rest": rest.astype(np.float32),
        "quads": quads.astype(np.uint16),
        "face": face.astype(np.uint16),
        "bary": bary.astype(np.float16),
        "weight_joints": top.astype(np.uint8),
        "weight_values": np.take_along_axis(weights, top, 1).astype(np.float16),
    }


def skirt_weights(points, weights, bone) -> np.ndarray:
    """Below the hips a skirt hangs on pelvis and both thighs, more on the nearer one; shins move only its lower part."""
    pelvis = JOINTS.index("pelvis")
    top, knee = bone["left_hip"][1] + 0.02, bone["left_knee"][1]
    depth = np.clip((top - points[:, 1]) / (top - knee), 0, None)
    arm = np.isin(
        np.argmax(weights, 1),
        [j for j, n in enumerate(JOINTS) if any(w in n for w in ("shoulder", "elbow", "wrist", "collar"))],
    )
    mine = (points[:, 1] < top + 0.06) & ~arm
    spread = 0.5 + 0.5 * np.tanh(points[:, 0] / 0.055)  # the left thigh's share
    thigh = 0.72 * np.clip(depth / 0.6, 0, 1)
    shin = 0.45 * np.clip((depth - 0.9) / 0.8, 0, 1)
    made = np.zeros_like(weights)
    made[:, pelvis] = 1 - thigh
    for side, share in (("left", spread), ("right", 1 - spread)):
        made[:, JOINTS.index(f"{side}_hip")] = share * thigh * (1 - shin)
        made[:, JOINTS.index(f"{side}_knee")] = share * thigh * shin
    blend = np.clip((top + 0.06 - points[:, 1]) / 0.08, 0, 1) * mine
    return weights * (1 - blend[:, None]) + made * blend[:, None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cell", type=float, default=0.013)
    args = parser.parse_args()
    made = sheets(load_body(), args.cell)
    np.savez_compressed(args.out, **{f"{sheet}_{k}": v for sheet, arrays in made.items() for k, v in arrays.items()})


if __name__ == "__main__":
    main()
