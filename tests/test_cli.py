"""The command line's manners: options, streams, exit codes. The stages themselves are replaced by quick ones here;
test_bad_input.py and test_end_to_end.py run the real ones."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import lookalike
from lookalike import pipeline, save
from lookalike.cli import app
from lookalike.errors import BodyModelError, NoPersonError, OutputError, PhotoError


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def quick(monkeypatch):
    """Stages that take no time. A photo's name says what happens: "none" no person, "two" two people, "bad" a person
    that cannot be made, "bug" an unexpected error, "stop" Ctrl-C."""
    calls: list[dict] = []

    def find_people(photo, *, person, clock):
        calls.append({"photo": photo, "person": person})
        with clock("find"):
            if "none" in photo.stem:
                raise NoPersonError("There is no person in this photo: choose another.")
            if "unreadable" in photo.stem:
                raise PhotoError(f"{photo} is damaged: export it again.")
            if "bug" in photo.stem:
                raise RuntimeError("one\ntwo")
            if "stop" in photo.stem:
                raise KeyboardInterrupt
        return [f"{photo.stem} {index}" for index in range(2 if "two" in photo.stem else 1)]

    def reconstruct(subject, *, clock, **options):
        calls[-1].update(options)
        if options["body_model"]:
            raise BodyModelError("This is no body model.")
        if "bad" in subject and subject.endswith("0"):
            raise PhotoError("This person is cut off.")
        with clock("fit"):
            return subject

    def write_files(avatar, folder, *, formats, clock):
        if "full" in avatar:
            (folder / "avatar.glb").write_text("half")
            raise OutputError(f"Cannot write {folder / 'avatar.glb'}: No space left on device.")
        names = [f"avatar.{name}" for name in formats]
        for name in names:
            (folder / name).write_text(avatar)
        stages = [stage.as_json() for stage in clock.stages]
        report = {"generator": "lookalike test", "files": [*names, "report.json"], "stages": stages}
        (folder / "report.json").write_text(json.dumps(report))
        return [folder / name for name in report["files"]]

    monkeypatch.setattr(pipeline, "find_people", find_people)
    monkeypatch.setattr(pipeline, "reconstruct", reconstruct)
    monkeypatch.setattr(save, "write_files", write_files)
    return calls


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_help_answers_within_half_a_second():
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        shown = subprocess.run(
            [sys.executable, "-m", "lookalike", "--help"], capture_output=True, text=True, check=True
        )
        seconds.append(time.perf_counter() - start)
    assert "make" in shown.stdout
    assert "info" in shown.stdout
    assert min(seconds) < 0.5  # the quickest: other programs share the machine


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from typer.testing import CliRunner; from lookalike.cli import app;"
        "assert CliRunner().invoke(app, ['make', '--help']).exit_code == 0;"
        "heavy = {'numpy', 'torch', 'cv2', 'mediapipe', 'PIL', 'scipy', 'rich'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_version():
    assert run("--version").stdout == f"lookalike {lookalike.__version__}\n"


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--person", "0", "a number from 1"),
        ("--person", "-1", "a number from 1"),
        ("--person", "everybody", '"largest", "all"'),
        ("--height", "12", "between 0.4 and 2.8"),
        ("--height", "nan", "between 0.4 and 2.8"),
        ("--height", "tall", "valid number"),
        ("--format", "fbx", "choose from glb, obj, ply, stl"),
        ("--format", ",", "at least one format"),
        ("--topology", "quads", "quads"),
        ("--detail", "ultra", "ultra"),
        ("--device", "tpu", "tpu"),
        ("--seed", "-3", "seed is a whole number"),
    ],
)
def test_a_bad_option_is_one_clear_sentence(quick, option, value, sentence, tmp_path):
    result = run("make", "me.jpg", "-o", tmp_path / "out", option, value)
    assert result.exit_code == 2
    assert sentence in result.stderr.splitlines()[-1]
    assert result.stdout == ""
    assert quick == []
    assert not (tmp_path / "out").exists()


def test_cuda_without_cuda_is_one_clear_sentence(quick, monkeypatch, tmp_path):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    result = run("make", "me.jpg", "-o", tmp_path, "--device", "cuda")
    assert result.exit_code == 2
    assert 'use device "cpu" or "auto"' in result.stderr.splitlines()[-1]


def test_options_reach_the_stages(quick, tmp_path):
    result = run(
        "make", "me.jpg", "-o", tmp_path, "--person", "2", "--height", "1.7", "--seed", "5", "--topology", "body",
        "--detail", "low", "--device", "cpu", "--format", "obj, GLB",
    )  # fmt: skip
    assert result.exit_code == 0
    assert quick == [
        {
            "photo": Path("me.jpg"),
            "person": 2,
            "height": 1.7,
            "body_model": None,
            "topology": "body",
            "detail": "low",
            "device": "cpu",
            "seed": 5,
        }
    ]
    assert result.stdout == f"{tmp_path / 'me' / 'avatar.obj'}\n"
    assert files(tmp_path) == {"me/avatar.obj", "me/avatar.glb", "me/report.json"}


def test_one_line_an_avatar_on_stdout_and_nothing_on_stderr(quick, tmp_path):
    result = run("make", "a/me.jpg", "b/me.png", "two.jpg", "-o", tmp_path, "--person", "all")
    folders = ["me", "me-2", "two/1", "two/2"]
    assert result.stdout.splitlines() == [str(tmp_path / folder / "avatar.glb") for folder in folders]
    assert result.stderr == ""
    assert result.exit_code == 0
    assert (tmp_path / "me-2" / "avatar.glb").read_text() == "me 0"
    assert (tmp_path / "two" / "2" / "avatar.glb").read_text() == "two 1"


def test_a_photo_that_fails_does_not_stop_the_others(quick, tmp_path):
    result = run("make", "none.jpg", "unreadable.jpg", "me.jpg", "-o", tmp_path)
    assert result.exit_code == NoPersonError.exit_code
    assert result.stderr.splitlines() == [
        "lookalike: none.jpg: There is no person in this photo: choose another.",
        "lookalike: unreadable.jpg is damaged: export it again.",
    ]
    assert result.stdout == f"{tmp_path / 'me' / 'avatar.glb'}\n"
    assert files(tmp_path) == {"me/avatar.glb", "me/report.json"}


def test_a_person_who_fails_does_not_stop_the_others_of_the_photo(quick, tmp_path):
    result = run("make", "two-bad.jpg", "-o", tmp_path, "--person", "all")
    assert result.exit_code == PhotoError.exit_code
    assert result.stderr == "lookalike: two-bad.jpg: This person is cut off.\n"
    assert files(tmp_path) == {"two-bad/2/avatar.glb", "two-bad/2/report.json"}


def test_json_is_one_document_with_avatars_and_failures(quick, tmp_path):
    result = run("make", "me.jpg", "none.jpg", "-o", tmp_path, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == NoPersonError.exit_code
    assert document["version"] == lookalike.__version__
    (avatar,) = document["avatars"]
    assert avatar["photo"] == "me.jpg"
    assert avatar["folder"] == str(tmp_path / "me")
    assert avatar["files"] == ["avatar.glb", "report.json"]
    assert [stage["name"] for stage in avatar["report"]["stages"]] == ["find", "fit"]
    assert document["failures"] == [
        {"photo": "none.jpg", "message": "There is no person in this photo: choose another.", "exit_code": 3}
    ]


def test_a_mistake_in_lookalike_is_one_sentence_that_says_how_to_report_it(quick, tmp_path):
    result = run("make", "bug.jpg", "me.jpg", "-o", tmp_path)
    assert result.exit_code == 70
    (line,) = result.stderr.splitlines()
    assert "bug.jpg" in line
    assert "RuntimeError: one two" in line
    assert "please report it" in line
    assert files(tmp_path) == {"me/avatar.glb", "me/report.json"}


@pytest.mark.parametrize("how", ["option", "environment"])
def test_debug_shows_the_traceback(quick, tmp_path, monkeypatch, how):
    if how == "environment":
        monkeypatch.setenv("LOOKALIKE_DEBUG", "1")
    result = run("make", "bug.jpg", "-o", tmp_path, *(["--debug"] if how == "option" else []))
    assert isinstance(result.exception, RuntimeError)
    assert files(tmp_path) == set()


def test_a_body_model_that_cannot_be_read_is_said_once(quick, tmp_path):
    result = run("make", "a.jpg", "b.jpg", "-o", tmp_path, "--body-model", "smpl.npz")
    assert result.exit_code == BodyModelError.exit_code
    assert len(result.stderr.splitlines()) == 1


def test_ctrl_c_ends_with_one_sentence_and_keeps_what_is_complete(quick, tmp_path):
    result = run("make", "me.jpg", "stop.jpg", "you.jpg", "-o", tmp_path)
    assert result.exit_code == 130
    assert result.stderr == "lookalike: stopped while making stop.jpg; nothing of it was written.\n"
    assert result.stdout == f"{tmp_path / 'me' / 'avatar.glb'}\n"
    assert {path.name for path in tmp_path.iterdir()} == {"me"}


def test_a_full_disk_leaves_nothing_half_written(quick, tmp_path):
    result = run("make", "full.jpg", "-o", tmp_path / "out")
    assert result.exit_code == OutputError.exit_code
    assert result.stderr == (
        f"lookalike: full.jpg: Cannot write {tmp_path / 'out' / 'full' / 'avatar.glb'}: No space left on device.\n"
    )
    assert not (tmp_path / "out").exists()


def test_output_below_a_file_is_refused(quick, tmp_path):
    (tmp_path / "file").write_text("mine")
    result = run("make", "me.jpg", "-o", tmp_path / "file" / "out")
    assert result.exit_code == OutputError.exit_code
    assert "Not a directory" in result.stderr
    assert quick == []  # found out before any work


def test_info_is_for_people_and_for_programs(monkeypatch):
    import lookalike.export

    facts = {
        "generator": None,
        "height": 1.74321,
        "face_shapes": list("abcdefgh"),
        "animations": [],
        "textures": [{"use": "base colour", "width": 2048, "height": 1024, "format": "JPEG"}],
    }
    monkeypatch.setattr(lookalike.export, "read_info", lambda path: facts, raising=False)
    assert json.loads(run("info", "me.glb", "--json").stdout) == facts
    assert run("info", "me.glb").stdout.splitlines() == [
        "generator    unknown",
        "height       1.743",
        "face shapes  8: a, b, c, d, e, ...",
        "animations   none",
        "textures     base colour 2048 1024 JPEG",
    ]


def test_info_of_a_file_that_is_no_glb(tmp_path):
    (tmp_path / "x.glb").write_text("no")
    for path in (tmp_path / "x.glb", tmp_path / "missing.glb"):
        result = run("info", path)
        assert result.exit_code == 1
        assert len(result.stderr.splitlines()) == 1
        assert path.name in result.stderr
