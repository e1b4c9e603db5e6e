from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lookalike.export import write_ply
from lookalike.export.ply import vertex_colours


def test_colours_are_the_textures(avatar):
    colours = vertex_colours(avatar.surface, avatar.material.base_colour).astype(float)
    height = avatar.vertices[:, 1]
    # Green grows downwards with v; 6 is the noise's standard deviation.
    assert np.abs(colours[:-2, 1] - 255 * (1 - height[:-2] / 1.8)).mean() < 8
    seam = np.arange(21) * 16
    assert np.abs(colours[seam, 0] - 127.5).max() < 15  # the mean of red's 0 and 255 on both sides


def test_texels_are_sampled_at_their_centres(avatar):
    surface = avatar.surface
    texture = np.zeros((1, 4, 3), np.uint8)
    texture[0, :, 0] = [0, 40, 80, 120]
    uv = np.tile(np.array([[0.5, 0.5]], np.float32), (len(surface.uv), 1))
    assert (vertex_colours(replace(surface, uv=uv), texture)[:, 0] == 60).all()
    uv[:, 0] = 0.625
    assert (vertex_colours(replace(surface, uv=uv), texture)[:, 0] == 80).all()
    uv[:, 0] = 1
    assert (vertex_colours(replace(surface, uv=uv), texture)[:, 0] == 120).all()


def test_trimesh_reads_a_closed_coloured_mesh_on_the_floor(avatar, tmp_path):
    trimesh = pytest.importorskip("trimesh")
    write_ply(avatar, tmp_path / "a.ply")
    mesh = trimesh.load(tmp_path / "a.ply", process=False)
    assert np.allclose(mesh.vertices, avatar.vertices, atol=1e-6)
    assert (mesh.faces == avatar.surface.faces).all()
    assert mesh.is_watertight
    assert (mesh.visual.vertex_colors[:, :3] == vertex_colours(avatar.surface, avatar.material.base_colour)).all()
