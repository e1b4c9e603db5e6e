"""Decimation and mending: closed surfaces stay closed."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from lookalike.anatomy.decimate import decimated, mend
from lookalike.anatomy.mesh import components, is_watertight, volume
from lookalike.mesh.polygonise import ArrayField, polygonise

CUBE = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
CUBE_FACES = np.array([t for a, b, c, d in QUADS for t in ((a, b, c), (a, c, d))], np.int32)


def test_two_cubes_that_touch_in_an_edge_come_apart():
    other = CUBE + [1, 1, 0]
    both = np.concatenate([CUBE, other])
    vertices, same = np.unique(both, axis=0, return_inverse=True)
    faces = same.reshape(-1)[np.concatenate([CUBE_FACES, CUBE_FACES + 8])]
    assert not is_watertight(faces)
    vertices, faces = mend(vertices, faces.astype(np.int32))
    assert is_watertight(faces)
    assert components(faces, len(vertices))[0] == 2
    assert abs(volume(vertices, faces)) > 1.9
    assert len(np.unique(vertices, axis=0)) == len(vertices)


def test_double_sheets_vanish():
    extra = np.array([[0, 1, 7], [1, 0, 7]], np.int32)
    vertices, faces = mend(CUBE, np.concatenate([CUBE_FACES, extra]))
    assert is_watertight(faces) and len(faces) == 12 and len(vertices) == 8


def test_the_most_tangled_surface_stays_watertight():
    field = gaussian_filter(np.random.default_rng(0).normal(size=(28, 28, 28)), 1.0).astype(np.float32)
    mesh = polygonise(ArrayField(field))
    for count in (8000, 2000, 500):
        vertices, faces = decimated(mesh.vertices.astype(float), mesh.faces, count)
        assert is_watertight(faces) and len(faces) <= 1.2 * count
        assert len(np.unique(vertices.astype(np.float32), axis=0)) == len(vertices)  # so in an STL file, too


def test_few_triangles_are_left_alone():
    vertices, faces = decimated(CUBE, CUBE_FACES, 100)
    assert vertices is CUBE and faces is CUBE_FACES
