"""Small matrices."""

from __future__ import annotations

import numpy as np

from lookalike.mesh.matrices import inverses


def test_inverses_undo():
    matrices = np.random.default_rng(3).normal(size=(500, 3, 3))
    matrices = matrices[np.abs(np.linalg.det(matrices)) > 0.05]
    assert np.allclose(inverses(matrices) @ matrices, np.eye(3), atol=1e-9)
