"""Synthetic people: the truth against an independent renderer, repeatability, and that all parts agree with each other."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
import trimesh

from lookalike.people.sample import LABELS
from lookalike.people.synthesis import Recipe, SyntheticPeople, seen_by
from lookalike.people.wardrobe.outfits import OUTFITS

SIZE = 256
RECIPE = Recipe(size=SIZE)


@pytest.fixture(scope="module")
def people() -> SyntheticPeople:
    return SyntheticPeople(3, RECIPE)


@pytest.fixture(scope="module")
def samples(people):
    return [people[i] for i in range(6)]


def fingerprint(sample) -> str:
    maps = sample.maps
    arrays = (
        sample.image,
        maps.normals_front,
        maps.normals_back,
        maps.depth_front,
        maps.depth_back,
        sample.labels_front,
        sample.labels_back,
        sample.colour_front,
        sample.colour_back,
        sample.body.vertices,
        *(p.vertices for p in sample.pieces),
    )
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def exported(pieces, folder):
    """The pieces as trimesh reads them from files, joined, with trimesh's own smooth normals piece by piece."""
    meshes, normals = [], []
    for i, piece in enumerate(pieces):
        trimesh.Trimesh(piece.vertices, piece.faces, process=False).export(folder / f"{i}.ply")
        mesh = trimesh.load(folder / f"{i}.ply", process=False)
        meshes.append(mesh)
        # the skin's normals are the whole body's, hidden skin included
        normals.append(piece.normals if piece.name == "skin" else mesh.vertex_normals)
    whole = trimesh.util.concatenate(meshes)
    return whole, np.concatenate(normals)


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("back", [False, True])
def test_the_maps_are_what_an_independent_renderer_sees(samples, tmp_path, number, back):
    sample = samples[number]
    mesh, normals = exported(sample.pieces, tmp_path)
    maps = sample.maps
    depth = maps.depth_back if back else maps.depth_front
    truth = maps.normals_back if back else maps.normals_front
    # away from edges: where neighbours are near in depth
    inner = maps.mask.copy()
    inner[1:-1, 1:-1] &= np.all(
        [
            np.abs(depth[1:-1, 1:-1] - np.roll(depth, step, axis)[1:-1, 1:-1]) < 0.01
            for step in (1, -1)
            for axis in (0, 1)
        ],
        axis=0,
    )
    rng = np.random.default_rng(0)
    pixels = np.argwhere(inner)
    pixels = pixels[rng.permutation(len(pixels))[:1500]]
    ray = sample.camera.rays(pixels[:, ::-1].astype(np.float32) + 0.5).astype(np.float64)
    unit = ray / np.linalg.norm(ray, axis=1, keepdims=True)
    far = 100.0
    origin = unit * far if back else np.zeros_like(unit)
    place, index, face = mesh.ray.intersects_location(origin, -unit if back else unit, multiple_hits=False)
    assert len(index) == len(pixels)
    order = np.argsort(index)
    place, face = place[order], face[order]
    rows, columns = pixels.T
    assert np.percentile(np.abs(-place[:, 2] - depth[rows, columns]), 99.5) < 0.0005
    bary = trimesh.triangles.points_to_barycentric(mesh.triangles[face], place)
    seen = np.einsum("nk,nki->ni", bary, normals[mesh.faces[face]])
    facing = np.einsum("ni,ni->n", mesh.face_normals[face], -unit)
    seen *= np.where((facing < 0) != back, -1, 1)[:, None]
    seen /= np.linalg.norm(seen, axis=1, keepdims=True)
    # where the smooth normal leans over the outline ours is brought back to a right angle with the ray
    ahead = np.einsum("ni,ni->n", seen, -unit) * (-1 if back else 1) > 0.02
    cosine = np.einsum("ni,ni->n", seen, truth[rows, columns])[ahead]
    assert ahead.mean() > 0.9
    assert np.percentile(np.degrees(np.arccos(np.clip(cosine, -1, 1))), 99) < 0.5


def test_the_same_seed_gives_the_same_person(people, samples):
    assert fingerprint(people[2]) == fingerprint(samples[2])
    assert fingerprint(samples[1]) != fingerprint(samples[2])
    assert fingerprint(SyntheticPeople(4, RECIPE)[2]) != fingerprint(samples[2])


def test_another_process_makes_the_same_person(samples):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from tests_fingerprint import fingerprint\n"
        "from lookalike.people.synthesis import Recipe, SyntheticPeople\n"
        f"print(fingerprint(SyntheticPeople(3, Recipe(size={SIZE}, threads=2))[4]))"
    )
    import inspect
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        source = "import hashlib\nimport numpy as np\n\n" + inspect.getsource(fingerprint)
        (Path(folder) / "tests_fingerprint.py").write_text(source)
        # with another number of threads for everything that counts in threads
        few = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True, env=few)
    assert done.stdout.strip() == fingerprint(samples[4])


def test_all_parts_of_a_sample_agree(samples):
    for sample in samples:
        mask = sample.maps.mask
        assert sample.image.shape == (SIZE, SIZE, 4)
        assert mask.any()
        for labels, colour in (
            (sample.labels_front, sample.colour_front),
            (sample.labels_back, sample.colour_back),
        ):
            assert ((labels > 0) == mask).all()
            assert labels.max() < len(LABELS)
            assert not colour[~mask].any()
        assert (sample.maps.depth_back[mask] >= sample.maps.depth_front[mask] - 1e-4).all()
        ray = sample.camera.rays()[mask]
        ray /= np.linalg.norm(ray, axis=1, keepdims=True)
        assert (np.einsum("ni,ni->n", sample.maps.normals_front[mask], ray) < 1e-3).all()
        assert (np.einsum("ni,ni->n", sample.maps.normals_back[mask], ray) > -1e-3).all()
        assert np.allclose(np.linalg.norm(sample.maps.normals_front[mask], axis=1), 1, atol=1e-4)


def test_the_body_stands_behind_the_clothes(samples):
    for sample in samples:
        both = sample.maps.mask & sample.body_maps.mask
        assert both.sum() > 0.9 * sample.body_maps.mask.sum()
        behind = sample.body_maps.depth_front[both] - sample.maps.depth_front[both]
        assert (behind > -0.004).mean() > 0.98
        assert np.median(behind) < 0.08


def test_a_body_seen_by_a_camera_is_the_posed_body(people):
    from lookalike.people.framing import random_framing

    rng = np.random.default_rng(0)
    person = people.person(rng)
    framing = random_framing(person.body.vertices, 256, rng)
    body = seen_by(person.body, framing)
    expected = framing.view.to_camera(person.body.vertices.astype(float))
    assert np.abs(body.vertices - expected).max() < 1e-4
    again = body.model.posed(body.betas, body.pose, body.translation, body.camera, body.scale)
    assert np.abs(body.vertices - again.vertices).max() < 1e-4
    assert np.abs(body.transforms - again.transforms).max() < 1e-4
    assert np.abs(body.normals - again.normals).max() < 1e-3
    assert np.abs(body.joints - framing.view.to_camera(person.body.joints.astype(float))).max() < 1e-4


def test_people_differ(people):
    """Nobody wears the same, and over a few dozen people many kinds of clothes are worn."""
    rngs = [np.random.default_rng([11, i]) for i in range(40)]
    worn = [people.person(rng).wearing for rng in rngs]
    kinds = {kind for one in worn for kind in one}
    assert len(set(worn)) > 32
    assert len(kinds) > 20
    assert len(OUTFITS) >= 7


def test_a_person_from_makehumans_assets(makehuman_dir):
    people = SyntheticPeople(5, Recipe(size=SIZE, assets=makehuman_dir, makehuman=1.0))
    sample = people[0]
    assert {"skin", "upper", "lower"} <= {p.label for p in sample.pieces}
    assert sample.maps.mask.mean() > 0.03
    assert fingerprint(people[0]) == fingerprint(sample)


def test_clean_pictures_have_an_exact_matte():
    sample = SyntheticPeople(3, Recipe(size=SIZE, faults=False))[1]
    alpha = sample.image[..., 3]
    inner = sample.maps.mask.copy()
    inner[~(alpha > 0).any(1)], inner[:, ~(alpha > 0).any(0)] = False, False  # beyond the photo's border
    assert (alpha[inner] > 60).mean() > 0.98
    assert (alpha[~inner] > 200).mean() < 0.01
