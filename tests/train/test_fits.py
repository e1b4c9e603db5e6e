"""Fits of synthetic people: the truth through a camera that is not its own, and what training makes of a fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from lookalike.camera import Camera
from lookalike.cli import app
from lookalike.errors import LookalikeError
from lookalike.maps import render_maps
from lookalike.maps.inputs import CropUnit
from lookalike.people.data_folder import Order, write_dataset
from lookalike.people.store import read_sample
from lookalike.train.data import Examples, given_body, true_unit
from lookalike.train.fits import FIT, NONE, as_photo, read_fit, seen_through, write_fits


@pytest.fixture(scope="module")
def fitted_dir(tmp_path_factory):
    """A person large enough to be found."""
    folder = tmp_path_factory.mktemp("people") / "one"
    write_dataset(Order(1, seed=9, size=256, maps_only=True), folder)
    assert write_fits(folder, 1) == 1
    return folder


@pytest.fixture(scope="module")
def person(fitted_dir):
    return read_sample(fitted_dir / "000000" / "sample.npz")


def test_through_its_own_camera_nothing_changes(sample):
    same = seen_through(sample, sample.camera)
    np.testing.assert_allclose(same.body.vertices, sample.body.vertices, atol=1e-5)
    np.testing.assert_allclose(same.maps.depth_front, sample.maps.depth_front, atol=1e-5)
    np.testing.assert_allclose(same.maps.normals_back, sample.maps.normals_back, atol=1e-5)


def test_through_another_camera_everything_keeps_its_pixel_and_its_depth_in_units_of_the_crop(person):
    camera = replace(person.camera, focal=1.3 * person.camera.focal, cx=person.camera.cx + 20)
    seen = seen_through(person, camera)
    body, own = seen.body, person.body
    np.testing.assert_allclose(camera.project(body.vertices), person.camera.project(own.vertices), atol=0.02)
    assert true_unit(seen).size == pytest.approx(true_unit(person).size, rel=1e-3)
    faces = own.model.faces[own.model.outer_faces]
    rendered = render_maps(body.vertices, faces, camera, body.normals)
    both = rendered.mask & seen.body_maps.mask
    assert both.sum() > 0.97 * rendered.mask.sum()
    assert np.median(np.abs(rendered.depth_front - seen.body_maps.depth_front)[both]) < 1e-3
    assert np.median((rendered.normals_front * seen.body_maps.normals_front).sum(2)[both]) > 0.99
    # the line of sight to the pelvis turned with the body, so its own depths stay
    turned = [np.linalg.norm(b.joints[:22] - b.joints[0], axis=1) for b in (own, body)]
    assert np.abs(turned[0] - turned[1]).mean() < 0.03


def test_a_fit_lies_on_the_person_in_the_samples_picture(fitted_dir, person):
    body = read_fit(fitted_dir / "000000" / FIT, person.body.model, 256)
    photo, (x, y) = as_photo(person)
    whole = Camera.for_photo(*photo.size)
    assert (body.camera.width, body.camera.height) == person.image.shape[:2]
    np.testing.assert_allclose(whole.project(body.joints) - (x, y), body.camera.project(body.joints), atol=1e-3)
    off = np.linalg.norm(body.camera.project(body.joints[:22]) - person.camera.project(person.body.joints[:22]), axis=1)
    assert np.median(off) < 12  # of 256 pixels
    half = read_fit(fitted_dir / "000000" / FIT, person.body.model, 128)
    np.testing.assert_allclose(2 * half.camera.project(half.joints), body.camera.project(body.joints), atol=1e-3)


def test_every_other_round_of_a_folder_shows_the_fit(config, fitted_dir, person):
    config = replace(config, size=128, fits=True, variants=1, mirror=0.0)
    examples = Examples(config, fitted_dir)
    body = read_fit(fitted_dir / "000000" / FIT, person.body.model, 128)
    maps = render_maps(body.vertices, body.model.faces[body.model.outer_faces], body.camera, body.normals)
    unit = CropUnit.of(maps)
    rows = [np.flatnonzero(e.shown[0].any(1)) for e in (examples[0], examples[1])]
    fit, made = examples[0], examples[1]
    assert fit.inputs[12].sum() == pytest.approx(maps.mask.sum(), rel=0.02)
    assert unit.size > 0 and all(len(r) for r in rows)
    assert not np.array_equal(fit.inputs, made.inputs)
    assert np.array_equal(examples[2].inputs, fit.inputs)  # kept
    assert {p.name for p in fitted_dir.glob("examples_*/*")} == {"000000_fit.npz", "000000_0.npz"}


def test_motion_leads_from_the_fit_to_the_truth(fitted_dir, person):
    body = read_fit(fitted_dir / "000000" / FIT, person.body.model, 256)
    seen = seen_through(person, body.camera)
    given = given_body(body, seen)
    aside = given.motion[[0, 1, 3, 4]][:, given.shown]
    assert 0 < np.abs(aside).mean() < 0.1
    exact = given_body(seen.body, seen)
    assert np.abs(exact.motion).max() < 0.01


def test_nobody_found_is_noted_and_not_asked_again(tmp_path):
    folder = tmp_path / "people"
    write_dataset(Order(1, seed=4, size=64, maps_only=True), folder)
    path = folder / "000000" / "sample.npz"
    with np.load(path) as file:
        arrays = {n: file[n] for n in file.files}
    name = next(n for n in arrays if arrays[n].dtype == np.uint8 and arrays[n].ndim == 3 and arrays[n].shape[2] == 4)
    arrays[name] = np.zeros_like(arrays[name])
    np.savez(path, **arrays)
    result = CliRunner().invoke(app, ["train", "fits", str(folder), "--jobs", "1"])
    assert result.exit_code == 0 and result.output.strip() == "0"
    assert (folder / "000000" / NONE).is_file()


def test_what_is_wrong_is_said(config, people_dir, tmp_path):
    with pytest.raises(LookalikeError, match="call `lookalike train fits`"):
        Examples(replace(config, fits=True), people_dir)
    (tmp_path / FIT).write_bytes(b"nothing")
    with pytest.raises(LookalikeError, match="Cannot read the fit"):
        read_fit(tmp_path / FIT, None, 64)
    result = CliRunner().invoke(app, ["train", "fits", str(tmp_path)])
    assert result.exit_code != 0 and "holds no synthetic people" in result.output
