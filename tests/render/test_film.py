"""Turntables of a ball with one red side: the film's format, length and loop."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from lookalike.appearance.material import Material
from lookalike.errors import OutputError
from lookalike.render.film import turn, turntable
from lookalike.surface.mesh import Surface


@pytest.fixture(scope="module")
def painted():
    """A ball that is red towards +Z and blue towards -Z."""
    mesh = trimesh.creation.icosphere(3, 0.5)
    vertices, faces = np.asarray(mesh.vertices, np.float32), np.asarray(mesh.faces, np.int32)
    uv = np.stack([np.where(vertices[:, 2] > 0, 0.25, 0.75), np.full(len(vertices), 0.5)], 1).astype(np.float32)
    colour = np.zeros((8, 16, 3), np.uint8)
    colour[:, :8], colour[:, 8:] = (220, 20, 20), (20, 20, 220)
    material = Material(colour, colour[..., 0], None, np.ones((8, 16), np.float32))
    return Surface(vertices, faces, None, uv, faces, None), material


def test_pictures_come_in_order_and_close_the_circle(painted):
    pictures = list(turn(*painted, 8, (64, 80), threads=2))
    assert len(pictures) == 8
    assert pictures[0].shape == (80, 64, 3)
    centre = np.array([picture[40, 32] for picture in pictures], int)
    redness = centre[:, 0] - centre[:, 2]
    assert redness[0] > 100
    assert redness[4] < -100
    # Either half of the turn mirrors the other.
    assert np.sign(redness[1]) == np.sign(redness[7])
    assert np.sign(redness[3]) == np.sign(redness[5])


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_files_play(painted, tmp_path, suffix):
    import imageio.v3 as iio

    path = tmp_path / f"turn{suffix}"
    surface, material = painted
    turntable(surface, path, frames=6, size=(64, 80), material=material)
    frames = iio.imread(path, plugin="FFMPEG" if suffix == ".mp4" else "pillow")
    assert frames.shape[:3] == (6, 80, 64)
    assert frames[0, 40, 32, 0] > 120
    assert frames[3, 40, 32, 2] > 120


def test_gif_loops(painted, tmp_path):
    from PIL import Image

    turntable(painted[0], tmp_path / "turn.gif", frames=3, size=(32, 32), material=painted[1])
    assert Image.open(tmp_path / "turn.gif").info["loop"] == 0


def test_says_what_is_wrong(painted, tmp_path):
    with pytest.raises(ValueError, match="mp4"):
        turntable(painted[0], tmp_path / "turn.avi")
    with pytest.raises(OutputError, match="Cannot write"):
        turntable(painted[0], tmp_path / "nowhere" / "turn.gif", frames=2, size=(32, 32))
    with pytest.raises(OutputError, match="Cannot write"):
        turntable(painted[0], tmp_path / "nowhere" / "turn.mp4", frames=2, size=(32, 32))
