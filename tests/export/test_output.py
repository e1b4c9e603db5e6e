from __future__ import annotations

from pathlib import Path

import pytest

from lookalike.errors import OutputError
from lookalike.export import save_body, write_glb, write_obj, write_ply, write_stl

WRITERS = [write_glb, write_obj, write_ply, write_stl, lambda avatar, path: save_body(avatar.body, path)]


@pytest.mark.parametrize("write", WRITERS)
def test_a_missing_folder_is_told(avatar, tmp_path, write):
    with pytest.raises(OutputError, match="folder does not exist"):
        write(avatar, tmp_path / "no" / "a.glb")


@pytest.mark.parametrize("write", WRITERS)
def test_a_folder_in_the_way_is_told(avatar, tmp_path, write):
    with pytest.raises(OutputError, match="it is a folder"):
        write(avatar, tmp_path)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
def test_a_full_disk_is_told(avatar, write):
    with pytest.raises(OutputError, match="No space left on device; make room there"):
        write(avatar, "/dev/full")
