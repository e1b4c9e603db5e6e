"""The normal map gives a coarse mesh the fine mesh's shading, as a glTF viewer reads it, mirrored UVs or not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from lookalike.appearance.relief import bake_normals
from lookalike.export.vertices import smooth_normals, split_at_seams
from lookalike.render.raycast import RayCaster
from lookalike.render.texture import Texture
from lookalike.surface.mesh import Surface


def sheet(count: int, height) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A square metre of z = height(x, y) seen from +Z in count x count squares: vertices, faces and uv."""
    side = np.linspace(0, 1, count + 1)
    x, y = (each.ravel() for each in np.meshgrid(side, side))
    first = (np.arange(count)[:, None] * (count + 1) + np.arange(count)).ravel()
    right, up, both = first + 1, first + count + 1, first + count + 2
    faces = np.concatenate([np.stack([first, right, both], 1), np.stack([first, both, up], 1)])
    return np.stack([x, y, height(x, y)], 1), faces, np.stack([0.05 + 0.9 * x, 0.95 - 0.9 * y], 1)


def waves(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Waves of 3 mm on a sheet that is bent itself."""
    return 0.003 * np.sin(20 * x + 3 * y) * np.cos(17 * y) + 0.1 * x * x - 0.05 * x * y


def surface_of(vertices: np.ndarray, faces: np.ndarray, uv: np.ndarray, face_uv: np.ndarray) -> Surface:
    nothing = csr_matrix((len(vertices), 1))
    return Surface(vertices.astype(np.float32), faces, None, uv.astype(np.float32), face_uv, nothing)


def turned(uv: np.ndarray, degrees: float) -> np.ndarray:
    """uv turned about the atlas's middle, and a little smaller so that it stays inside."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return 0.5 + 0.7 * (uv - 0.5) @ np.array([[c, -s], [s, c]])


def viewed(surface: Surface, image: np.ndarray, origins: np.ndarray, ways: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Normals (r, 3) where rays meet a surface, without and with a map, as the glTF specification says."""
    hits = RayCaster(surface.vertices, surface.faces).cast(origins, ways)
    assert hits.hit.all()
    normals = smooth_normals(surface.vertices, surface.faces)
    drawn = split_at_seams(surface.vertices, normals, surface.faces, surface.uv, surface.face_uv, with_tangents=True)
    normal = unit(hits.interpolate(surface.faces, normals))
    tangent = unit(hits.interpolate(drawn.faces, drawn.tangents[:, :3]))
    bitangent = unit(np.cross(normal, tangent)) * drawn.tangents[drawn.faces[hits.face, 0], 3:]
    x, y, z = (Texture(image).sample(hits.interpolate(surface.face_uv, surface.uv)) / 127.5 - 1).T[..., None]
    return normal, unit(x * tangent + y * bitangent + z * normal)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def degrees_between(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip((a * b).sum(1), -1, 1))).mean())


def grid_of_rays() -> tuple[np.ndarray, np.ndarray]:
    x, y = (each.ravel() for each in np.meshgrid(*[np.linspace(0.04, 0.96, 60)] * 2))
    return np.stack([x, y, np.ones(len(x))], 1), np.tile([0.0, 0, -1], (len(x), 1))


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("angle", [0, 75])
def test_a_coarse_sheet_with_the_map_is_shaded_as_the_fine_one(mirrored, angle):
    fine, fine_faces, _ = sheet(160, waves)
    coarse, faces, uv = sheet(12, waves)
    uv = turned(uv, angle)
    if mirrored:
        uv[:, 0] = 1 - uv[:, 0]
    surface = surface_of(coarse, faces, uv, faces)
    image = bake_normals(surface, fine, fine_faces, 512)
    assert image.shape == (512, 512, 3) and image.dtype == np.uint8
    origins, ways = grid_of_rays()
    hits = RayCaster(fine, fine_faces).cast(origins, ways)
    true = unit(hits.interpolate(fine_faces, smooth_normals(fine, fine_faces)))
    without, with_map = viewed(surface, image, origins, ways)
    assert degrees_between(without, true) > 1.0
    assert degrees_between(with_map, true) < 0.35


def test_seams_between_islands_that_lie_differently_do_not_show():
    fine, fine_faces, _ = sheet(160, waves)
    coarse, faces, uv = sheet(12, waves)
    left = coarse[faces].mean(1)[:, 0] < 0.5
    one, other = uv * [0.9, 1], turned(uv, 90) * [-0.45, 0.9] + [0.98, 0.05]  # the other one is mirrored
    face_uv = np.where(left[:, None], faces, faces + len(uv))
    surface = surface_of(coarse, faces, np.concatenate([one, other]), face_uv)
    image = bake_normals(surface, fine, fine_faces, 1024)
    origins, ways = grid_of_rays()
    near = np.abs(origins[:, 0] - 0.5) < 0.05
    hits = RayCaster(fine, fine_faces).cast(origins[near], ways[near])
    true = unit(hits.interpolate(fine_faces, smooth_normals(fine, fine_faces)))
    assert degrees_between(viewed(surface, image, origins[near], ways[near])[1], true) < 0.5


def test_right_and_up_are_where_gltf_says():
    fine, fine_faces, _ = sheet(80, lambda x, y: 0.005 * np.exp(-((x - 0.5) ** 2 + (y - 0.5) ** 2) / 0.01))
    coarse, faces, uv = sheet(1, lambda x, y: np.zeros_like(x))
    image = bake_normals(surface_of(coarse, faces, uv, faces), fine, fine_faces, 256).astype(int)
    assert (image[128, 145] - image[128, 110])[0] > 4  # a bump leans to the right on its right
    assert (image[110, 128] - image[145, 128])[1] > 4  # and upwards above its middle, where the rows are smaller
    assert np.abs(image[20, 20] - [128, 128, 255]).max() <= 1
    assert np.abs(image[0, 0] - [128, 128, 255]).max() <= 3  # beyond the islands


def test_what_is_far_off_or_looks_away_does_not_count():
    coarse, faces, uv = sheet(4, lambda x, y: np.zeros_like(x))
    surface = surface_of(coarse, faces, uv, faces)
    tilted, fine_faces, _ = sheet(40, lambda x, y: 0.001 + 0.3 * (x - 0.5))
    image = bake_normals(surface, tilted, fine_faces, 128)
    assert tuple(image[64, 20]) == (128, 128, 255)  # 10 cm away
    assert image[64, 64, 0] < 100
    image = bake_normals(surface, tilted, fine_faces[:, ::-1], 128)
    assert tuple(image[64, 64]) == (128, 128, 255)
