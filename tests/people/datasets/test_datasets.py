"""Data sets of scans: small folders written in the published layouts come back as scans with their fits on them."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from lookalike.body import load_body
from lookalike.camera import Camera
from lookalike.errors import LookalikeError
from lookalike.people.datasets import READERS, open_dataset
from lookalike.people.scan import sample_of
from lookalike.render.view import View

HERE = View(Camera.for_photo(100, 100), np.eye(3), np.zeros(3))


@pytest.fixture(scope="module")
def model():
    return load_body()


def numbers(seed: int, hands: int) -> dict[str, np.ndarray]:
    """SMPL-X parameters, each (1, k) float32 as fits are published."""
    rng = np.random.default_rng(seed)
    sizes = {"betas": 10, "global_orient": 3, "body_pose": 63, "left_hand_pose": hands, "right_hand_pose": hands}
    sizes |= {"jaw_pose": 3, "leye_pose": 3, "reye_pose": 3, "expression": 10}
    return {k: rng.normal(0, 0.3, (1, n)).astype(np.float32) for k, n in sizes.items()}


def body_of(model, said: dict, translation=(0, 0, 0), scale: float = 1.0, turn: bool = True):
    """The body that a set's authors would pose with these parameters, with straight fingers."""
    pose = np.zeros((52, 3))
    pose[0] = said["global_orient"][0] if turn else 0
    pose[1:22] = said["body_pose"].reshape(21, 3)
    betas = np.zeros(model.shape_count)
    betas[:10] = said["betas"][0]
    return model.posed(betas, pose, np.asarray(translation, float), HERE.camera, scale)


def write_obj(path, vertices: np.ndarray, model, texture: str | None = None) -> None:
    lines = [f"v {x:.7f} {y:.7f} {z:.7f}" for x, y, z in vertices]
    if texture:
        (path.parent / "m.mtl").write_text(f"newmtl m\nmap_Kd {texture}\n")
        lines = ["mtllib m.mtl", *lines, *(f"vt {u:.6f} {1 - v:.6f}" for u, v in model.uv)]
        both = np.stack([model.faces, model.face_uv], -1) + 1
        lines += ["f " + " ".join(f"{v}/{t}" for v, t in face) for face in both]
        Image.new("RGB", (64, 64), (200, 100, 50)).save(path.parent / texture)
    else:
        lines += ["f {} {} {}".format(*face) for face in model.faces + 1]
    path.write_text("\n".join(lines) + "\n")


def write_thuman(folder, model, scans: str, fits: str | None, name: str = "0001", hands: int = 12) -> dict:
    """A scan that is its own body, in a unit of its own."""
    said = numbers(int(name), hands)
    scale, shift = 0.43, np.array([0.1, -0.2, 0.3])
    (folder / scans / name).mkdir(parents=True)
    body = body_of(model, said, shift, scale)
    write_obj(folder / scans / name / f"{name}.obj", body.vertices, model, "material0.jpeg")
    if fits is not None:
        (folder / fits / name).mkdir(parents=True)
        more = {"translation": shift[None].astype(np.float32), "scale": np.array([scale], np.float32)}
        (folder / fits / name / "smplx_param.pkl").write_bytes(pickle.dumps(said | more))
    return said


@pytest.mark.parametrize(
    ("scans", "fits", "opened"),
    [
        ("THuman2.0_Release", "THuman2.0_smplx", "."),
        ("THuman2.0_Release", "THuman2.0_smplx", "THuman2.0_Release"),
        ("THuman2.1_Release/model", "THuman2.1_Release/smplx", "THuman2.1_Release"),
        ("scans", "fits", "."),
    ],
)
@pytest.mark.parametrize("hands", [12, 45])
def test_thuman_in_metres_with_its_fit(tmp_path, model, scans, fits, opened, hands):
    said = write_thuman(tmp_path, model, scans, fits, hands=hands)
    people = open_dataset("thuman2.1" if hands == 45 else "thuman2", tmp_path / opened)
    assert people.names == ("0001",)
    scan = people.scan("0001")
    # Divided by the fit's scale, the scan is the metric body.
    np.testing.assert_allclose(np.ptp(scan.vertices, 0), np.ptp(body_of(model, said).vertices, 0), atol=1e-5)
    assert scan.texture.shape == (64, 64, 3) and scan.photo is None and scan.view is None
    fit = scan.body
    assert (fit.kind, fit.scale, fit.hands.shape) == ("smplx", 1.0, (2, hands))
    assert fit.gender == ("male" if hands == 12 else "neutral") and fit.hand_components == (hands == 12)
    posed = fit.posed(replace(model, name="smplx"), HERE)
    np.testing.assert_allclose(posed.vertices, scan.vertices, atol=1e-5)
    np.testing.assert_allclose(fit.face.reshape(-1), np.concatenate([said[k][0] for k in
                               ("jaw_pose", "leye_pose", "reye_pose")]), atol=1e-6)  # fmt: skip


def test_thuman_samples(tmp_path, model):
    write_thuman(tmp_path, model, "scans", "fits")
    scan = open_dataset("thuman2", tmp_path).scan("0001")
    sample = sample_of(scan, yaw=30, size=128, body_model=replace(model, name="smplx"))
    both = sample.maps.mask & sample.body_maps.mask
    assert both.sum() > 0.99 * sample.maps.mask.sum()
    np.testing.assert_allclose(sample.maps.depth_front[both], sample.body_maps.depth_front[both], atol=2e-4)
    assert np.abs(sample.colour_front[sample.maps.mask].astype(int) - (200, 100, 50)).max() < 6  # JPEG


def test_thuman_without_fits_is_as_tall_as_people_are(tmp_path, model):
    write_thuman(tmp_path, model, "scans", None)
    scan = open_dataset("thuman2", tmp_path).scan("0001")
    assert scan.body is None
    np.testing.assert_allclose(np.ptp(scan.vertices[:, 1]), 1.7)


def test_thuman_that_is_not_complete(tmp_path, model):
    with pytest.raises(LookalikeError, match="holds no THuman scans"):
        open_dataset("thuman2", tmp_path)
    write_thuman(tmp_path, model, "scans", "fits")
    write_thuman(tmp_path, model, "scans", None, name="0002")
    people = open_dataset("thuman2", tmp_path)
    with pytest.raises(LookalikeError, match=r"0002/smplx_param.pkl is missing"):
        people.scan("0002")
    fit = tmp_path / "fits/0001/smplx_param.pkl"
    whole = fit.read_bytes()
    fit.write_bytes(whole[:-50])
    with pytest.raises(
        LookalikeError, match=r"The body fit .*smplx_param.pkl is damaged .* again from the data set\.$"
    ):
        people.scan("0001")
    fit.write_bytes(pickle.dumps({"scale": 1.0, "translation": np.zeros(3)}))
    with pytest.raises(LookalikeError, match="has no 'global_orient' of 3 numbers"):
        people.scan("0001")
    fit.write_bytes(pickle.dumps(eval))
    with pytest.raises(LookalikeError, match=r"is refused, because it asks for .*eval"):
        people.scan("0001")
    fit.write_bytes(whole)
    (tmp_path / "scans/0001/material0.jpeg").unlink()
    with pytest.raises(LookalikeError, match=r"lacks the texture of 0001\.obj \(material0\.jpeg\)"):
        people.scan("0001")
    obj = tmp_path / "scans/0001/0001.obj"
    obj.write_bytes(obj.read_bytes()[:-20])
    with pytest.raises(LookalikeError, match="damaged or cut short"):
        people.scan("0001")


def test_splits_are_lists_of_names(tmp_path, model):
    for i in range(3):
        (tmp_path / f"scans/000{i}").mkdir(parents=True)
        (tmp_path / f"scans/000{i}/000{i}.obj").touch()
    names = lambda split: open_dataset("thuman2", tmp_path, split).names  # noqa: E731
    assert names(None) == ("0000", "0001", "0002")
    (tmp_path / "test.txt").write_text("thuman2/0002\n\n0000\n")
    (tmp_path / "split_val.txt").write_text("0001")
    (tmp_path / "some.json").write_text(json.dumps(["0001"]))
    assert names("test") == ("0000", "0002")
    assert names("val") == names(str(tmp_path / "some.json")) == ("0001",)
    with pytest.raises(LookalikeError, match="no list of names for the split 'train'"):
        names("train")
    (tmp_path / "train.txt").write_text("0009")
    with pytest.raises(LookalikeError, match=r"train\.txt names '0009', who is not in"):
        names("train")
    with pytest.raises(LookalikeError, match="thuman2 has nobody called '0001'"):
        open_dataset("thuman2", tmp_path, "test").scan("0001")


def test_unknown_sets_and_missing_folders(tmp_path):
    with pytest.raises(LookalikeError, match="'thuman3' is no data set that can be read; known are agora"):
        open_dataset("thuman3", tmp_path)
    for name in READERS:
        with pytest.raises(LookalikeError, match="There is no folder"):
            open_dataset(name, tmp_path / "none")
        with pytest.raises(LookalikeError, match="hold"  # every reader says what it looked for
                           if name != "cape" else "no folder 'sequences'"):  # fmt: skip
            open_dataset(name, tmp_path)


@pytest.mark.parametrize("together", [False, True])
def test_customhumans(tmp_path, model, together):
    said = numbers(4, 12)
    folder = "0003_00101_02"
    mesh = tmp_path / "mesh" / folder
    fits = mesh if together else tmp_path / "smplx" / folder
    mesh.mkdir(parents=True)
    fits.mkdir(parents=True, exist_ok=True)
    body = body_of(model, said, turn=False)
    write_obj(mesh / "mesh-f00101.obj", body.vertices - body.joints[0], model, "mesh-f00101.png")
    write_obj(fits / "mesh-f00101_smpl.obj", body.vertices, model)
    told = {k: v[0].tolist() for k, v in said.items()} | {"transl": [0.0, 0.0, 0.0]}
    (fits / "mesh-f00101.json").write_text(json.dumps(told))
    people = open_dataset("customhumans", tmp_path)
    assert people.names == (folder,)
    scan = people.scan(folder)
    assert (scan.body.gender, scan.body.hand_components, scan.body.from_mean_hand) == ("male", True, False)
    np.testing.assert_allclose(scan.body.posed(replace(model, name="smplx"), HERE).vertices, scan.vertices, atol=1e-5)
    (tmp_path / "Custom_train.json").write_text('["0003"]')
    assert open_dataset("customhumans", tmp_path, str(tmp_path / "Custom_train.json")).names == (folder,)
    (fits / "mesh-f00101.json").write_text("{")
    with pytest.raises(LookalikeError, match="cannot be read"):
        people.scan(folder)
    (fits / "mesh-f00101.json").unlink()
    if together:
        assert people.scan(folder).body is None
    else:
        with pytest.raises(LookalikeError, match=r"smplx/0003_00101_02/mesh-f00101.json is missing"):
            people.scan(folder)


def test_cape(tmp_path, model):
    rng = np.random.default_rng(0)
    betas = rng.normal(0, 1, model.shape_count)
    pose, shift = np.zeros((52, 3)), np.array([0.2, 1.0, -0.3])
    pose[:22] = rng.normal(0, 0.3, (22, 3))
    body = model.posed(betas, pose, shift, HERE.camera)
    frames = tmp_path / "sequences/00032/shortlong_hips"
    for folder in (frames, tmp_path / "misc", tmp_path / "minimal_body_shape/00032"):
        folder.mkdir(parents=True)
    told = {"pose": np.resize(pose[:24], (24, 3)).reshape(72), "transl": shift, "v_posed": body.vertices}
    np.savez(frames / "shortlong_hips.000001.npz", v_cano=body.rest, **told)
    (frames / "shortlong_hips.000002.npz").write_bytes(b"PK damaged")
    np.save(tmp_path / "misc/smpl_tris.npy", model.faces.astype(np.uint32))
    (tmp_path / "misc/subj_genders.pkl").write_bytes(pickle.dumps({"00032": "female"}, 2))
    np.save(tmp_path / "minimal_body_shape/00032/00032_minimal.npy", body.rest)
    people = open_dataset("cape", tmp_path)
    name = "00032/shortlong_hips/shortlong_hips.000001"
    assert people.names[0] == name and open_dataset("cape", tmp_path, "00032").names == people.names
    scan = people.scan(name)
    assert (scan.body.kind, scan.body.gender) == ("smpl", "female")
    np.testing.assert_array_equal(scan.faces, model.faces)
    posed = scan.body.posed(replace(model, name="smpl"), HERE)
    np.testing.assert_allclose(posed.vertices, scan.vertices, atol=1e-4)
    with pytest.raises(LookalikeError, match=r"000002\.npz is damaged"):
        people.scan(people.names[1])
    (tmp_path / "misc/subj_genders.pkl").unlink()
    with pytest.raises(LookalikeError, match=r"subj_genders\.pkl is missing"):
        people.scan(name)


def test_rocketbox(rocketbox_dir):
    people = open_dataset("rocketbox", rocketbox_dir)
    assert len(people.names) == 75 and list(people.names) == sorted(people.names)
    scan = people.scan(people.names[0])
    assert 1.4 < np.ptp(scan.vertices[:, 1]) < 2.1
    assert scan.cards.shape == (len(scan.faces),) and 0 < scan.cards.mean() < 0.3
    assert (scan.view.camera.width, scan.view.camera.height) == (1280, 720) and scan.body is None
