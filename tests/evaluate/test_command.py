"""`lookalike evaluate` on a small data set. Reconstructions are replaced by quick ones; one test makes a real one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from lookalike.cli import app
from lookalike.errors import BodyModelError, LookalikeError, NoPersonError, OutputError
from lookalike.evaluate import person as one
from lookalike.evaluate import protocols, views
from lookalike.evaluate.protocols import PENALTY
from lookalike.export.gltf import Gltf
from lookalike.people import datasets
from lookalike.people.datasets import Dataset
from lookalike.people.scan import Scan
from lookalike.pipeline import reconstruct

NAMES = ("a", "b/1", "c", "d")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", "small", "folder", *map(str, arguments)])


def write_glb(vertices: np.ndarray, faces: np.ndarray, path: Path) -> None:
    gltf = Gltf()
    attributes = {"POSITION": gltf.accessor(vertices.astype(np.float32), bounds=True)}
    indices = gltf.accessor(faces.reshape(-1).astype(np.uint32))
    mesh = gltf.add("meshes", primitives=[{"attributes": attributes, "indices": indices}])
    gltf.add("scenes", nodes=[gltf.add("nodes", mesh=mesh)])
    gltf.root["scene"] = 0
    gltf.write(path)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def small(person, monkeypatch, tmp_path) -> dict:
    """A data set of four who look alike, and a reconstruction that is right: the surface is the scan, the body is 3 cm
    fatter at the belly. `say` sets what happens to a name instead: an error to raise."""
    state: dict = {"say": {}, "made": [], "broken": set()}
    photo = tmp_path / "photo.png"
    alpha = np.round(255 * person.alpha).astype(np.uint8)
    Image.fromarray(np.dstack([np.full((*alpha.shape, 3), 90, np.uint8), alpha])).save(photo)

    def scan(name: str) -> Scan:
        if name in state["broken"]:
            raise LookalikeError(f"{name} is damaged: download it again.")
        return replace(person.scan, name=name, photo=photo, view=person.view)

    def open_dataset(name, path, split=None):
        return Dataset(name, NAMES, scan)

    def make_person(scan, subjects):
        if scan.name in state["say"]:
            raise state["say"][scan.name]
        state["made"].append((scan.name, subjects.body, subjects.seed))
        return SimpleNamespace(
            surface=person.seen, material=None, body=SimpleNamespace(landmark_error=0.01, vertices=person.seen)
        )

    fatter = person.seen + [0, 0, 0.03] * np.exp(-(((person.seen[:, 1:2] - np.median(person.seen[:, 1])) / 0.2) ** 2))
    faces = person.scan.faces
    monkeypatch.setattr(protocols, "_TREE", 20_000)  # quick, and as near as these tests look
    monkeypatch.setattr(views, "SIZE", 128)
    monkeypatch.setattr(datasets, "open_dataset", open_dataset)
    monkeypatch.setattr(one, "make_person", make_person)
    monkeypatch.setattr("lookalike.export.write_posed_glb", lambda s, m, path: write_glb(s, faces, path), raising=False)
    monkeypatch.setattr(
        "lookalike.export.write_body_glb", lambda b, path: write_glb(fatter, faces, path), raising=False
    )
    one._open.cache_clear()
    yield state
    one._open.cache_clear()


def test_a_table_a_document_and_a_sheet(small, tmp_path):
    result = run("-o", tmp_path / "out", "--names", "a,b/1", "--protocol", "icon")
    assert result.exit_code == 0, result.output
    assert files(tmp_path / "out") == {
        *("icon.json", "icon.md", "icon_worst.png", "meshes/about.json"),
        *(f"meshes/{kind}/{name}.glb" for kind in ("surface", "body") for name in ("a", "b_1")),
    }
    text = (tmp_path / "out" / "icon.md").read_text("utf-8")
    assert result.stdout == text
    assert "body source: estimated by Lookalike from the picture" in text
    assert text.count("Body source: estimated by Lookalike from the picture. Normal source: ") == 3
    assert "none of the ground truth's" in text and "1000 a surface" in text and "no rotation" in text
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["1/2 a", "2/2 b/1"]
    document = json.loads((tmp_path / "out" / "icon.json").read_text("utf-8"))
    assert list(document["people"]) == ["a", "b/1"]
    assert document["people"]["a"]["surface"]["chamfer"] < 0.02
    assert 0.02 < document["people"]["a"]["body"]["chamfer"] < 3
    assert document["summary"]["surface"]["n"] == 2 and document["summary"]["surface"]["n_failed"] == 0
    assert document["summary"]["body"]["mean"]["outline_iou"] is None
    assert {"body_source", "normal_source", "alignment", "samples"} <= set(document["about"])
    assert Image.open(tmp_path / "out" / "icon_worst.png").width > 1000


def test_json_alone_on_stdout(small, tmp_path):
    result = run("-o", tmp_path / "out", "--limit", 1, "--protocol", "icon", "--json")
    assert json.loads(result.stdout) == json.loads((tmp_path / "out" / "icon.json").read_text("utf-8"))


def test_a_person_who_cannot_be_made_is_a_failure_and_the_others_go_on(small, tmp_path):
    small["say"] = {"a": NoPersonError("There is no person."), "c": ZeroDivisionError("one\ntwo")}
    result = run("-o", tmp_path / "out", "--limit", 3, "--protocol", "icon")
    assert result.exit_code == 0
    document = json.loads((tmp_path / "out" / "icon.json").read_text("utf-8"))
    assert document["people"]["a"]["surface"] == {"failed": "There is no person."}
    assert "ZeroDivisionError" in document["people"]["c"]["body"]["failed"]
    summary = document["summary"]["surface"]
    good = document["people"]["b/1"]["surface"]
    assert (summary["n"], summary["n_failed"]) == (3, 2)
    assert summary["mean"]["chamfer"] == pytest.approx(good["chamfer"])
    for measure in ("chamfer", "nc", "f1", "normal_error"):
        charged = (2 * PENALTY[measure] + good[measure]) / 3
        assert summary["mean_with_failures"][measure] == pytest.approx(charged)
    assert document["worst"][:2] == ["a", "c"]
    assert "mean with failures" in result.stdout and "2 of 3" in result.stdout


def test_a_scan_that_cannot_be_read_is_left_out_and_no_failure(small, tmp_path):
    small["broken"] = {"b/1"}
    result = run("-o", tmp_path / "out", "--limit", 2, "--protocol", "icon")
    assert result.exit_code == 0
    document = json.loads((tmp_path / "out" / "icon.json").read_text("utf-8"))
    assert document["summary"]["surface"]["n"] == 1
    assert "b/1 is damaged" in result.stdout


def test_meshes_can_be_evaluated_again_and_by_another_protocol(small, tmp_path):
    run("-o", tmp_path / "out", "--limit", 2, "--protocol", "icon")
    before = (tmp_path / "out" / "icon.json").read_text("utf-8")
    small["made"].clear()
    (tmp_path / "out" / "meshes" / "body" / "a.glb").unlink()
    again = run("-o", tmp_path / "out", "--limit", 2, "--protocol", "sith", "--only-evaluate")
    assert again.exit_code == 0 and not small["made"]
    assert (tmp_path / "out" / "icon.json").read_text("utf-8") == before
    document = json.loads((tmp_path / "out" / "sith.json").read_text("utf-8"))
    assert document["people"]["a"]["body"] == {"failed": "there is no mesh"}
    assert document["people"]["b/1"]["surface"]["turn"] < 0.1


def test_meshes_of_unknown_origin_are_said_to_be_so(small, person, tmp_path):
    (tmp_path / "out" / "meshes" / "surface").mkdir(parents=True)
    faces = "".join("f {} {} {}\n".format(*(face + 1)) for face in person.scan.faces)
    vertices = "".join("v {:.6f} {:.6f} {:.6f}\n".format(*vertex) for vertex in person.seen)
    (tmp_path / "out" / "meshes" / "surface" / "a.obj").write_text(vertices + faces)
    result = run("-o", tmp_path / "out", "--limit", 1, "--only-evaluate", "--protocol", "icon")
    assert result.exit_code == 0
    assert "body source: not known" in result.stdout
    document = json.loads((tmp_path / "out" / "icon.json").read_text("utf-8"))
    assert set(document["people"]["a"]) == {"surface"}
    assert document["people"]["a"]["surface"]["chamfer"] < 0.02


def test_ctrl_c_keeps_what_is_complete_and_resume_goes_on(small, tmp_path):
    small["say"] = {"b/1": KeyboardInterrupt()}
    result = run("-o", tmp_path / "out", "--limit", 2, "--protocol", "icon")
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1].startswith("lookalike: stopped; ")
    whole = {"meshes/about.json", "meshes/surface/a.glb", "meshes/body/a.glb"}
    assert files(tmp_path / "out") == whole
    assert not [path for path in (tmp_path / "out").iterdir() if path.name != "meshes"]
    small["say"] = {}
    small["made"].clear()
    assert run("-o", tmp_path / "out", "--limit", 2, "--protocol", "icon", "--resume").exit_code == 0
    assert small["made"] == [("b/1", "estimated", 0)]


@pytest.mark.parametrize("options", [(), ("--resume", "--seed", 1)])
def test_meshes_of_another_run_are_neither_lost_nor_mixed(small, tmp_path, options):
    run("-o", tmp_path / "out", "--limit", 1, "--protocol", "icon")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    result = run("-o", tmp_path / "out", "--limit", 1, *options)
    assert result.exit_code == OutputError.exit_code
    assert len(result.stderr.splitlines()) == 1
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}


def test_files_of_others_are_not_replaced(small, tmp_path):
    (tmp_path / "icon.md").write_text("mine")
    result = run("-o", tmp_path, "--limit", 1, "--protocol", "icon")
    assert result.exit_code == OutputError.exit_code
    assert (tmp_path / "icon.md").read_text() == "mine"
    assert not small["made"]


def test_a_data_set_without_bodies_says_so_at_once(small, tmp_path):
    result = run("-o", tmp_path / "out", "--body", "given")
    assert result.exit_code == 1
    assert result.stderr == "lookalike: The data set small brings no bodies: leave --body given out.\n"
    assert not (tmp_path / "out").exists()


def test_a_body_model_that_cannot_be_read_ends_the_run(small, tmp_path):
    small["say"] = {"a": BodyModelError("This is no body model.")}
    result = run("-o", tmp_path / "out", "--limit", 2)
    assert result.exit_code == BodyModelError.exit_code
    assert result.stderr == "lookalike: This is no body model.\n"


def test_choosing_people(small, tmp_path):
    for options, names in (
        (("--every", 2), ["a", "c"]),
        (("--every", 3, "--limit", 1), ["a"]),
        (("--names", "d, a"), ["d", "a"]),
    ):
        small["made"].clear()
        run("-o", tmp_path / "_".join(map(str, options)), "--protocol", "icon", *options)
        assert [name for name, _, _ in small["made"]] == names
    result = run("-o", tmp_path / "no", "--names", "zoe")
    assert result.exit_code == 1
    assert "has no zoe" in result.stderr


def test_a_given_body_must_be_in_the_photos_own_camera(person):
    body = SimpleNamespace(camera=person.view.camera)
    subject = SimpleNamespace(photo=SimpleNamespace(size=(100, 100)))
    with pytest.raises(ValueError, match="480 x 640 pixels and the photo 100 x 100"):
        reconstruct(subject, body=body)


def test_a_real_person_end_to_end(rocketbox_dir, tmp_path):
    """The picture alone gives a surface nearer to the truth than the bare body, and both are within a few cm."""
    result = CliRunner().invoke(
        app, ["evaluate", "rocketbox", str(rocketbox_dir), "--names", "Business_Female_01", "-o", str(tmp_path)]
    )
    assert result.exit_code == 0, result.output
    person = json.loads((tmp_path / "ours.json").read_text("utf-8"))["people"]["Business_Female_01"]
    assert person["surface"]["chamfer"] < person["body"]["chamfer"] < 3
    assert person["surface"]["outline_iou"] > 0.9
