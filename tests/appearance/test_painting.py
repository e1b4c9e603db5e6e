from __future__ import annotations

import numpy as np
import pytest

from lookalike.appearance import Material, paint
from lookalike.appearance.parts import ARM, HEAD, LEG, TORSO, body_groups
from lookalike.appearance.texels import Texels, texel_map

SIZE = 512


def painted(scene) -> tuple[Material, Texels, np.ndarray]:
    """The material, its texels and their colours (k, 3) in [0, 1]."""
    material = paint(scene.surface, scene.subject, scene.body, largest=SIZE)
    texels = texel_map(scene.surface.uv, scene.surface.face_uv, SIZE)
    return material, texels, material.base_colour.reshape(-1, 3)[texels.index] / 255


@pytest.fixture(scope="module")
def plain(photographed):
    scene = photographed()
    return scene, *painted(scene)


def _facing(scene, texels: Texels) -> np.ndarray:
    """(k,) z of each texel's face normal, in camera axes."""
    corners = scene.surface.vertices[scene.surface.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return (normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12))[texels.face, 2]


def test_the_material_is_of_one_size(plain):
    _, material, _, _ = plain
    assert material.base_colour.shape == (SIZE, SIZE, 3)
    assert material.base_colour.dtype == material.roughness.dtype == np.uint8
    assert material.roughness.shape == material.seen.shape == (SIZE, SIZE)
    assert material.seen.min() >= 0
    assert material.seen.max() <= 1


def test_seen_texels_have_the_patterns_colours(plain, pattern):
    scene, material, texels, colour = plain
    truth = pattern(texels.interpolate(scene.surface.faces, scene.body.model.template))
    seen = material.seen.reshape(-1)[texels.index] > 0.95
    error = np.abs(colour[seen] - truth[seen]).max(1)
    assert seen.mean() > 0.2
    assert np.percentile(error, 50) < 0.01
    assert np.percentile(error, 95) < 0.05


def test_no_texel_takes_the_background(plain):
    scene, _, texels, colour = plain
    body = np.isin(body_groups(scene.body.model)[scene.surface.faces[texels.face, 0]], (TORSO, ARM, LEG))
    assert colour[body, 1].min() > 0.25
    assert (colour[body, 0] - colour[body, 1]).max() < 0.4


def test_an_arm_is_not_printed_on_the_belly_behind_it(photographed):
    def red_arms(rest: np.ndarray) -> np.ndarray:
        arms = np.abs(rest[:, 0]) > 0.24
        return np.where(arms[:, None], np.float32([0.8, 0.1, 0.1]), np.float32([0.1, 0.6, 0.2]))

    scene = photographed(red_arms, arm_across=True)
    _, texels, colour = painted(scene)
    rest = texels.interpolate(scene.surface.faces, scene.body.model.template)
    belly = (body_groups(scene.body.model)[scene.surface.faces[texels.face, 0]] == TORSO) & (np.abs(rest[:, 0]) < 0.2)
    assert (colour[belly, 0] > 0.5).mean() < 0.002


def test_the_back_takes_the_garment_and_not_the_print(photographed):
    def shirt(rest: np.ndarray) -> np.ndarray:
        colour = np.tile(np.float32([0.15, 0.3, 0.6]), (len(rest), 1))
        letters = (np.abs(rest[:, 0]) < 0.07) & (np.abs(rest[:, 1] - 0.28) < 0.06)
        colour[letters & (np.sin(200 * rest[:, 0]) > 0)] = (0.9, 0.8, 0.1)
        return colour

    scene = photographed(shirt)
    material, texels, colour = painted(scene)
    torso = body_groups(scene.body.model)[scene.surface.faces[texels.face, 0]] == TORSO
    back, front = torso & (_facing(scene, texels) < -0.5), torso & (_facing(scene, texels) > 0.8)
    assert (colour[front, 0] > 0.5).mean() > 0.02
    assert (colour[back, 0] > 0.5).mean() < 0.002
    assert np.abs(np.median(colour[back], axis=0) - [0.15, 0.3, 0.6]).max() < 0.05
    assert material.seen.reshape(-1)[texels.index][back].max() < 0.05


def test_a_person_seen_from_behind_gets_a_skin_coloured_face(photographed):
    hair, skin = np.float32([0.1, 0.07, 0.05]), np.float32([0.8, 0.6, 0.5])

    def person(rest: np.ndarray) -> np.ndarray:
        scalp = (rest[:, 1] > 0.56) & (rest[:, 2] < 0.06)
        return np.where(scalp[:, None], hair, skin)

    scene = photographed(person, turn=np.pi)
    _, texels, colour = painted(scene)
    rest = texels.interpolate(scene.surface.faces, scene.body.model.template)
    head = body_groups(scene.body.model)[scene.surface.faces[texels.face, 0]] == HEAD
    cheeks = head & (rest[:, 2] > 0.08) & (np.abs(rest[:, 1] - 0.6) < 0.015) & (np.abs(rest[:, 0]) > 0.03)
    crown = head & (rest[:, 1] > 0.74)
    assert cheeks.sum() > 100
    assert np.abs(np.median(colour[cheeks], axis=0) - skin).max() < 0.1
    assert np.abs(np.median(colour[crown], axis=0) - hair).max() < 0.1


def test_the_back_of_a_head_is_hair_and_no_face(photographed):
    hair, skin = np.float32([0.35, 0.2, 0.1]), np.float32([0.85, 0.68, 0.6])

    def person(rest: np.ndarray) -> np.ndarray:
        face = (rest[:, 1] < 0.71) & (rest[:, 2] > 0.05) | (rest[:, 1] < 0.55)
        return np.where(face[:, None], skin, hair)

    scene = photographed(person)
    _, texels, colour = painted(scene)
    rest = texels.interpolate(scene.surface.faces, scene.body.model.template)
    back = (
        (body_groups(scene.body.model)[scene.surface.faces[texels.face, 0]] == HEAD)
        & (rest[:, 1] > 0.62)
        & (rest[:, 2] < 0.0)
    )
    assert np.abs(np.median(colour[back], axis=0) - hair).max() < 0.1
    assert np.percentile(np.abs(colour[back] - hair).max(1), 99) < 0.25
