"""Output folders: whole or not at all, and nobody's files are lost."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from lookalike.errors import OutputError
from lookalike.staging import folder_names, staged


def write_avatar(folder: Path, text: str, *names: str) -> None:
    """What a run leaves: files of our names, and a report that lists them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text(text)
    report = {"generator": "lookalike 0.1.0", "files": [*names, "report.json"], "text": text}
    (folder / "report.json").write_text(json.dumps(report))


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_photos_of_the_same_name_get_folders_of_their_own():
    photos = [Path("a/me.jpg"), Path("b/me.png"), Path("ME.heic"), Path("me-2.jpg"), Path("..jpg")]
    assert folder_names(photos) == ["me", "me-2", "ME-3", "me-2-2", "photo"]


def test_a_folder_appears_only_when_it_is_complete(tmp_path):
    target = tmp_path / "deep" / "out" / "me"
    with staged(target) as temporary:
        write_avatar(temporary, "new", "avatar.glb")
        assert not target.exists()
        assert temporary.parent == target.parent
    assert tree(tmp_path / "deep" / "out") == {"me", "me/avatar.glb", "me/report.json"}
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o777 & ~umask


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, RuntimeError, OutputError])
def test_nothing_is_left_of_a_run_that_stops_half_way(tmp_path, error):
    with pytest.raises(error), staged(tmp_path / "out" / "me") as temporary:
        (temporary / "avatar.glb").write_text("half")
        raise error
    assert tree(tmp_path) == set()


def test_an_earlier_run_is_kept_when_the_new_one_stops_half_way(tmp_path):
    write_avatar(tmp_path / "me", "old", "avatar.glb")
    with pytest.raises(RuntimeError), staged(tmp_path / "me") as temporary:
        write_avatar(temporary, "new", "avatar.glb")
        raise RuntimeError
    assert (tmp_path / "me" / "avatar.glb").read_text() == "old"
    assert tree(tmp_path) == {"me", "me/avatar.glb", "me/report.json"}


def test_an_earlier_run_is_replaced_and_foreign_files_stay(tmp_path):
    me = tmp_path / "me"
    write_avatar(me, "old", "avatar.glb", "avatar.obj", "avatar.mtl")
    (me / "notes.txt").write_text("mine")
    (me / "scene").mkdir()
    (me / "scene" / "avatar.glb").write_text("mine")
    with staged(me) as temporary:
        write_avatar(temporary, "new", "avatar.glb", "avatar.ply")
    assert tree(me) == {"avatar.glb", "avatar.ply", "report.json", "notes.txt", "scene", "scene/avatar.glb"}
    assert (me / "avatar.glb").read_text() == "new"
    assert (me / "scene" / "avatar.glb").read_text() == "mine"
    assert tree(tmp_path) - tree(me) == {"me"} | {f"me/{name}" for name in tree(me)}


def test_a_file_of_our_name_that_we_did_not_write_is_refused_at_once(tmp_path):
    me = tmp_path / "me"
    me.mkdir()
    (me / "avatar.glb").write_text("mine")
    (me / "report.json").write_text('{"generator": "another program", "files": ["avatar.glb"]}')
    with pytest.raises(OutputError, match="was not written by Lookalike"), staged(me):
        pytest.fail("the work should not have begun")
    assert (me / "avatar.glb").read_text() == "mine"
    assert tree(tmp_path) == {"me", "me/avatar.glb", "me/report.json"}


def test_a_report_cannot_name_files_that_are_not_ours(tmp_path):
    me = tmp_path / "me"
    write_avatar(me, "old", "avatar.glb")
    (tmp_path / "precious").write_text("mine")
    report = {"generator": "lookalike 0.1.0", "files": ["avatar.glb", "report.json", "../precious"]}
    (me / "report.json").write_text(json.dumps(report))
    with staged(me) as temporary:
        write_avatar(temporary, "new", "avatar.glb")
    assert (tmp_path / "precious").read_text() == "mine"


def test_people_of_an_earlier_run_are_replaced(tmp_path):
    me = tmp_path / "me"
    write_avatar(me, "old", "avatar.glb")
    for number in ("1", "2", "3"):
        write_avatar(me / number, "old", "avatar.glb")
    (me / "3" / "notes.txt").write_text("mine")
    with staged(me, people=True) as temporary:
        write_avatar(temporary / "1", "new", "avatar.glb")
    assert tree(me) == {"1", "1/avatar.glb", "1/report.json", "3", "3/notes.txt"}
    assert (me / "1" / "avatar.glb").read_text() == "new"


def test_delivery_is_undone_when_a_step_of_it_fails(tmp_path, monkeypatch):
    me = tmp_path / "me"
    write_avatar(me, "old", "avatar.glb", "posed.glb")
    rename, calls = Path.rename, []

    def failing_rename(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 5:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing_rename)
    with pytest.raises(OutputError, match="Input/output error"), staged(me) as temporary:
        write_avatar(temporary, "new", "avatar.glb", "posed.glb")
    assert {path.name: path.read_text() for path in me.glob("*.glb")} == {"avatar.glb": "old", "posed.glb": "old"}
    assert tree(tmp_path) == {"me", "me/avatar.glb", "me/posed.glb", "me/report.json"}


def test_a_target_that_is_a_file_or_lies_below_one_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="it is a file"), staged(tmp_path / "file"):
        pytest.fail("the work should not have begun")
    with pytest.raises(OutputError, match="Not a directory"), staged(tmp_path / "file" / "me"):
        pytest.fail("the work should not have begun")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_is_found_out_at_once(tmp_path, monkeypatch, number):
    def refuse(self: Path, *args: object, **kwargs: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OutputError, match=os.strerror(number)), staged(tmp_path / "me"):
        pytest.fail("the work should not have begun")


def test_a_link_to_a_folder_is_followed(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "me").symlink_to(tmp_path / "disk", target_is_directory=True)
    with staged(tmp_path / "me") as temporary:
        write_avatar(temporary, "new", "avatar.glb")
    assert (tmp_path / "me").is_symlink()
    assert tree(tmp_path / "disk") == {"avatar.glb", "report.json"}
