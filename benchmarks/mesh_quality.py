"""Are the meshes whole? Open edges, pieces, and faces that something goes through, of each posed.glb.

    python benchmarks/mesh_quality.py DIR [--photos a b ...]

DIR is a results folder of `lookalike make`. Vertices at one place are one: a file splits them at the seams of its texture.
Printed for every person: triangles; edges that do not have two faces; connected pieces of more than 5 % of the faces, and
all of them (eyeballs and the mouth's inside are pieces of their own); per mille of the faces through which an edge goes
that they do not touch.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from results import find_results, read_posed
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from lookalike.render.raycast import RayCaster
from lookalike.surface.smooth import unique_edges

#: An edge is looked at but for this share at either end, where its own faces are.
END = 1e-4
#: Faces that an edge may go through.
MOST = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--photos", nargs="+", help="only photos whose names start so")
    options = parser.parse_args()
    rows = []
    print(f"{'person':42} {'faces':>8} {'open':>6} {'pieces':>7} {'all':>5} {'crossed':>8}")
    for result in find_results(options.results, options.photos):
        if result.failure:
            print(f"{result.name:42} {'failed: ' + result.failure}")
            continue
        vertices, faces = whole(*read_posed(result.folder / "posed.glb")[:2])
        large, every = pieces(faces)
        rows.append((len(faces), open_edges(faces), large, every, 1000 * crossed(vertices, faces).mean()))
        print(f"{result.name:42} {rows[-1][0]:8} {rows[-1][1]:6} {large:7} {every:5} {rows[-1][4]:8.2f}")
    if rows:
        table = np.array(rows)
        print(f"{f'mean of {len(rows)}':42} {table[:, 0].mean():8.0f} {table[:, 1].mean():6.1f}", end="")
        print(f" {table[:, 2].mean():7.2f} {table[:, 3].mean():5.1f} {table[:, 4].mean():8.2f}")
        print(f"watertight {(table[:, 1] == 0).sum()}, one large piece {(table[:, 2] == 1).sum()}", end="")
        print(f", at most 1 per mille crossed {(table[:, 4] <= 1).sum()}")


def whole(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mesh without faces that have two corners at one place."""
    a, b, c = faces.T
    used, faces = np.unique(faces[(a != b) & (b != c) & (c != a)], return_inverse=True)
    return vertices[used].astype(np.float64), faces.reshape(-1, 3)


def open_edges(faces: np.ndarray) -> int:
    """How many edges have other than two faces."""
    ends = np.sort(np.stack([faces, np.roll(faces, -1, 1)], -1).reshape(-1, 2), 1)
    return int((np.unique(ends, axis=0, return_counts=True)[1] != 2).sum())


def pieces(faces: np.ndarray) -> tuple[int, int]:
    """How many connected pieces have more than 5 % of the faces, and how many there are."""
    ends = np.concatenate([faces[:, :2], faces[:, 1:]])
    link = coo_matrix((np.ones(len(ends)), ends.T), shape=(int(faces.max()) + 1,) * 2)
    size = np.bincount(connected_components(link, directed=False)[1][faces[:, 0]])
    return int((size > 0.05 * len(faces)).sum()), int((size > 0).sum())


def crossed(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(m,) bool: faces through which an edge goes that they do not touch."""
    edges = unique_edges(faces)
    start = vertices[edges[:, 0]]
    way = vertices[edges[:, 1]] - start
    caster = RayCaster(vertices, faces)
    out = np.zeros(len(faces), bool)
    at = np.full(len(edges), END)
    for _ in range(MOST):
        hits = caster.cast(start + at[:, None] * way, way)
        share = at + hits.depth
        on_edge = hits.hit & (share < 1 - END)
        edges, start, way, at, face = edges[on_edge], start[on_edge], way[on_edge], share[on_edge], hits.face[on_edge]
        if not len(edges):
            break
        touched = (faces[face][:, :, None] == edges[:, None]).any((1, 2))
        out[face[~touched]] = True
        at = at + 0.1 * END
    return out


if __name__ == "__main__":
    main()
