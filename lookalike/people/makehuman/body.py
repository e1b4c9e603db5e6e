"""MakeHuman's base mesh on our own body: a posed `Body` in, hm08's 19,158 vertices and what binds to them out.

Our body is hm08's skin, brought to the T-pose by inverse skinning, and `assets/base_binding.npz` adds hm08's helper
geometry to its shape space (`tools/build_base_binding.py`). Garments are fitted to hm08 in its own rest pose (arms a
little down), taken to our T-pose by the same inverse, and posed with the body's transforms. So what lies on the skin in
one pose lies on it in all. Metres, Y up, facing +Z.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from lookalike.body.load import load_body
from lookalike.body.model import Body
from lookalike.errors import LookalikeError

FILE = Path(__file__).resolve().parents[2] / "assets" / "base_binding.npz"

#: How many vertices hm08 has.
BASE_COUNT = 19158


@dataclass(frozen=True)
class BaseBinding:
    """The base mesh, n vertices, as a part of our body's shape space.

    Attributes
    ----------
    same : (V,) int32 the base vertex that each of our body's vertices is.  skin : (n,) int32 the inverse, -1 for none.
    posed : (1 + B, n, 3) float32 in hm08's rest pose: the mean person's, then the change with each shape number.
    turn : (J, 3, 3) rotations from our T-pose to hm08's rest pose.
    shift : (1 + B, J, 3) what goes with them: rest pose = turn @ T-pose + shift; mean and change.
    weights : (n, J) sparse float32 skin weights.
    looks : (1 + B, 2) a linear guess of sex (0 female, 1 male) and age (0 baby, 1/3 child, 2/3 adult, 1 old).
    """

    same: np.ndarray
    skin: np.ndarray
    posed: np.ndarray
    turn: np.ndarray
    shift: np.ndarray
    weights: csr_matrix
    looks: np.ndarray


@lru_cache(maxsize=1)
def load_binding() -> BaseBinding:
    """What `assets/base_binding.npz` says of the bundled body."""
    model = load_body()
    try:
        with np.load(FILE, allow_pickle=False) as file:
            said = dict(file)
    except OSError as error:
        raise LookalikeError(f"The bundled file {FILE} cannot be read; please reinstall lookalike.") from error
    same, helper = said["same"].astype(np.int32), said["helper"].astype(np.int32)
    count, numbers, joints = len(same) + len(helper), 1 + model.shape_count, len(model.parents)

    dense = np.zeros((count, joints), np.float32)
    dense[same] = model.weights
    values = said["weight_values"].astype(np.float32)
    dense[helper[:, None], said["weight_joints"].astype(int)] = values / values.sum(1, keepdims=True)
    weights = csr_matrix(dense)

    rest = np.zeros((numbers, count, 3), np.float32)
    rest[0, same], rest[1:, same] = model.template, model.shape_basis
    rest[0, helper], rest[1:, helper] = said["helper_template"], said["helper_basis"] * said["step"]
    places = np.concatenate([model.joint_template[None], model.joint_basis]).astype(np.float64)
    turn = said["turn"].astype(np.float64)
    moved = places.copy()
    for j in range(1, joints):
        parent = int(model.parents[j])
        moved[:, j] = moved[:, parent] + (places[:, j] - places[:, parent]) @ turn[parent].T
    shift = moved - np.einsum("jab,njb->nja", turn, places)
    blend = (weights @ turn.reshape(joints, 9)).reshape(-1, 3, 3)
    posed = np.einsum("vab,nvb->nva", blend, rest) + np.stack([weights @ s for s in shift])

    skin = np.full(count, -1, np.int32)
    skin[same] = np.arange(len(same), dtype=np.int32)
    return BaseBinding(same, skin, posed.astype(np.float32), turn, shift, weights, said["looks"].astype(np.float64))


def base_vertices(body: Body) -> np.ndarray:
    """(n, 3) float32: the base mesh with this body's shape and size, in hm08's rest pose, the pelvis where it is at rest.

    Raises `LookalikeError` for a body model other than the bundled one.
    """
    _check(body)
    binding = load_binding()
    numbers = np.concatenate([[1.0], body.betas]).astype(np.float32)
    # einsum, unlike a BLAS product, adds in the same order whatever the number of threads
    return np.float32(body.scale) * np.einsum("k,kni->ni", numbers, binding.posed)


def rest_shift(body: Body) -> np.ndarray:
    """(J, 3) the translations that go with `BaseBinding.turn` for this body's shape and size."""
    _check(body)
    numbers = np.concatenate([[1.0], body.betas])
    return body.scale * np.einsum("k,kji->ji", numbers, load_binding().shift)


def unbending(weights: csr_matrix) -> np.ndarray:
    """(m, 3, 3) the inverse of what skin weights (m, J) make of the turn into hm08's rest pose, for `to_t_pose`."""
    turn = load_binding().turn
    return np.linalg.inv((weights @ turn.reshape(len(turn), 9)).reshape(-1, 3, 3))


def to_t_pose(points: np.ndarray, weights: csr_matrix, unbend: np.ndarray, body: Body) -> np.ndarray:
    """Points (m, 3) fitted to `base_vertices(body)`, taken to the body's T-pose, where `body.rest` is.

    weights : (m, J) sparse.  unbend : (m, 3, 3) from `unbending`, which does not depend on the body.
    """
    return np.einsum("mab,mb->ma", unbend, points - weights @ rest_shift(body))


def posed(rest: np.ndarray, weights: csr_matrix, body: Body) -> np.ndarray:
    """Linear blend skinning of T-pose points (m, 3) with sparse weights (m, J) into the body's pose, camera frame."""
    blend = (weights @ body.transforms[:, :3].reshape(-1, 12).astype(np.float64)).reshape(-1, 3, 4)
    return np.einsum("mab,mb->ma", blend[:, :, :3], rest) + blend[:, :, 3]


def guessed_looks(body: Body) -> tuple[float, float]:
    """Sex (0 female, 1 male) and age (0 baby, 1/3 child, 2/3 young adult, 1 old) that the body's shape suggests."""
    _check(body)
    sex, age = np.einsum("k,ki->i", np.concatenate([[1.0], body.betas]), load_binding().looks)
    return float(np.clip(sex, 0, 1)), float(np.clip(age, 0, 1))


def _check(body: Body) -> None:
    if body.model.name != "lookalike":
        raise LookalikeError(
            f"MakeHuman's clothes fit the bundled body only, not '{body.model.name}': leave out --body-model."
        )
