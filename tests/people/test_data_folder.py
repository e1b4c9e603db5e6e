"""`lookalike synthesize`: folders that are complete, go on where they ended, and are never mixed."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from lookalike.cli import app
from lookalike.errors import LookalikeError, OutputError
from lookalike.people import data_folder
from lookalike.people.data_folder import Order, read_dataset, write_dataset
from lookalike.people.datasets import open_dataset
from lookalike.people.scan import sample_of
from lookalike.people.synthesis import Recipe, SyntheticPeople


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("people") / "set"
    done = CliRunner().invoke(app, ["synthesize", str(out), "-n", "3", "--seed", "4", "--size", "192", "--jobs", "1"])
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(out)
    return out


def test_every_person_has_every_file(folder):
    assert json.loads((folder / "dataset.json").read_text())["seed"] == 4
    for number in range(3):
        person = folder / f"{number:06d}"
        assert {p.name for p in person.iterdir()} == {
            "image.png",
            "normals_front.png",
            "normals_back.png",
            "labels.png",
            "sample.npz",
            "surface.ply",
            "distances.npz",
        }
        assert Image.open(person / "image.png").mode == "RGBA"
    assert Image.open(folder / "contact_sheet.png").size == (8 * 2 * 256, 256)
    assert not list(folder.glob(".*"))


def test_the_files_are_the_iterators_samples(folder):
    people = SyntheticPeople(4, Recipe(size=192))
    for number, sample in enumerate(read_dataset(folder)):
        fresh = people[number]
        assert np.array_equal(sample.image[..., 3], fresh.image[..., 3])
        assert np.array_equal(sample.labels_front, fresh.labels_front)


def test_two_processes_make_the_same_files(folder, tmp_path):
    write_dataset(Order(2, seed=4, size=192, maps_only=True), tmp_path / "again", jobs=2)
    for number in range(2):
        name = f"{number:06d}/sample.npz"
        with np.load(folder / name) as one, np.load(tmp_path / "again" / name) as two:
            assert all(np.array_equal(one[k], two[k]) for k in one.files)
    assert {p.name for p in (tmp_path / "again/000000").iterdir()} == {"sample.npz"}


def test_a_longer_run_adds_to_a_shorter_one(folder, monkeypatch):
    before = {p: p.stat().st_mtime_ns for p in folder.glob("*/sample.npz")}
    made = []

    def make(order, out, number):
        made.append(number)
        shutil.copytree(out / "000000", out / f"{number:06d}")
        return number

    monkeypatch.setattr(data_folder, "_make", make)
    write_dataset(Order(5, seed=4, size=192), folder)
    assert made == [3, 4]
    assert before == {p: p.stat().st_mtime_ns for p in before}
    for number in made:
        shutil.rmtree(folder / f"{number:06d}")


def test_other_settings_do_not_mix(folder):
    with pytest.raises(OutputError, match="another seed"):
        write_dataset(Order(3, seed=5, size=192), folder)


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep me")
    done = CliRunner().invoke(app, ["synthesize", str(tmp_path), "-n", "1"])
    assert done.exit_code == 5
    assert "holds something else" in done.output
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_a_failure_leaves_no_half_person(tmp_path, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(data_folder, "_write_truth", full)
    with pytest.raises(OutputError, match="No space left"):
        write_dataset(Order(1, size=96), tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["dataset.json"]


@pytest.mark.parametrize("option", ["--assets", "--poses"])
def test_missing_sources_are_one_sentence(tmp_path, option):
    done = CliRunner().invoke(app, ["synthesize", str(tmp_path / "out"), "-n", "1", option, str(tmp_path / "none")])
    assert done.exit_code != 0
    assert len(done.output.strip().splitlines()) == 1
    assert "none" in done.output


def test_the_folder_is_a_data_set_of_scans(folder):
    dataset = open_dataset("synthetic", folder)
    assert dataset.names == ("000000", "000001", "000002")
    scan = dataset.scan("000001")
    (kept,) = [s for s in read_dataset(folder) if s.name == "4/000001"]
    seen = sample_of(scan, size=192)
    assert scan.body.kind == "lookalike"
    # the crop may be another one: compare what both cameras see of the person
    assert seen.maps.mask.sum() > 0.5 * kept.maps.mask.sum()
    with pytest.raises(LookalikeError, match="no surfaces"):
        write_dataset(Order(1, size=96, maps_only=True), folder.parent / "maps")
        open_dataset("synthetic", folder.parent / "maps")
