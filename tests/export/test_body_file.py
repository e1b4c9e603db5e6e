from __future__ import annotations

import numpy as np

from lookalike.export import save_body


def test_holds_the_parameters_and_no_pickles(avatar, tmp_path):
    body = avatar.body
    save_body(body, tmp_path / "body.npz")
    with np.load(tmp_path / "body.npz", allow_pickle=False) as file:
        found = {name: file[name] for name in file.files}
    for name in ("betas", "pose", "translation", "vertices", "joints"):
        assert (found[name] == getattr(body, name)).all()
    assert found["model"] == "lookalike"
    assert found["scale"] == 1
    assert found["joint_names"].tolist() == ["pelvis"]
    assert found["camera"].tolist() == [960, 300, 400, 600, 800]
    assert (found["faces"] == body.model.faces).all()


def test_writes_to_the_very_path_given(avatar, tmp_path):
    save_body(avatar.body, tmp_path / "body.dat")
    assert [path.name for path in tmp_path.iterdir()] == ["body.dat"]
