"""AGORA: cameras whose place is known in its world, and a small folder in its layout."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from lookalike.body import load_body
from lookalike.camera import Camera
from lookalike.errors import LookalikeError
from lookalike.people.datasets import open_dataset
from lookalike.people.datasets.agora import Person, view_of
from lookalike.people.scan import sample_of


def person(picture: str, place, yaw: float = 90.0, camera=(0.0, 0.0, 0.0, 0.0)) -> Person:
    return Person(picture, camera, tuple(place), yaw, "male", False, "fit.obj")


@pytest.mark.parametrize(
    ("picture", "lens", "camera", "eye", "yaw", "pitch"),
    [
        ("ag_validationset_renderpeople_bfh_hdri_50mm_5_15_00001.png", 50, (0, 0, 0, 0), (0, 0, 170), 0, 0),
        ("ag_trainset_3dpeople_bfh_archviz_5_10_cam00_00000.png", 18, (0, 0, 0, 0), (400, -275, 265), 135, 30),
        ("ag_trainset_3dpeople_bfh_archviz_5_10_cam01_00000.png", 18, (0, 0, 0, 0), (400, 225, 265), -135, 30),
        ("ag_trainset_3dpeople_bfh_archviz_5_10_cam02_00000.png", 18, (0, 0, 0, 0), (-490, 170, 265), -45, 30),
        ("ag_trainset_3dpeople_bfh_archviz_5_10_cam03_00000.png", 18, (0, 0, 0, 0), (-490, -275, 265), 45, 30),
        ("ag2_trainset_axyz_10_15_1234.png", 28, (0, 0, 0, 0), (0, 0, 170), 0, 15),
        ("ag_trainset_axyz_bfh_brushifygrasslands_5_15_00008.png", 28, (120, -40, 33, 70), (120, -40, 203), 70, 0),
    ],
)
def test_cameras_look_where_agora_says(picture, lens, camera, eye, yaw, pitch):
    """What lies straight ahead of a camera is in the middle of its picture; what lies to the right, right of it."""
    y, p = np.radians(yaw), np.radians(pitch)
    ahead = np.array([np.cos(y) * np.cos(p), np.sin(y) * np.cos(p), -np.sin(p)])  # Unreal: X ahead, Y right, Z up
    right = np.array([-np.sin(y), np.cos(y), 0])
    for aside in (0.0, 100.0):
        view = view_of(person(picture, np.array(eye) + 500 * ahead + aside * right, camera=camera), 1280, 720)
        focal = lens / 36 * 1280
        np.testing.assert_allclose(view.to_camera(np.zeros(3)), (aside / 100, 0, -5), atol=1e-9)
        np.testing.assert_allclose(view.project(np.zeros((1, 3)))[0], (640 + focal * aside / 500, 360), atol=1e-6)
    np.testing.assert_allclose(view.rotation @ view.rotation.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(view.rotation), 1)
    # Up stays up: a person's head is above their feet.
    assert view.project(np.array([[0.0, 1.7, 0]]))[0, 1] < view.project(np.array([[0.0, 0, 0]]))[0, 1]


def test_a_person_turns_with_their_yaw():
    """With a yaw of 90 degrees a scan faces the camera of a yaw of zero; 90 more turn its front to the camera's left."""
    towards = {}
    for yaw in (90, 180):
        view = view_of(person("hdri.png", (500, 0, 0), yaw), 1280, 720)
        towards[yaw] = view.rotation @ (0, 0, 1)
    np.testing.assert_allclose(towards[90], (0, 0, 1), atol=1e-12)
    np.testing.assert_allclose(towards[180], (-1, 0, 0), atol=1e-12)


@pytest.fixture(scope="module")
def model():
    return load_body()


@pytest.fixture
def folder(tmp_path, pandas, model):
    """One picture with a man, an invalid one and a child."""
    rng = np.random.default_rng(0)
    pose, betas = np.zeros((52, 3)), np.zeros(model.shape_count)
    pose[:22], betas[:10] = rng.normal(0, 0.1, (22, 3)), rng.normal(0, 1, 10)
    shift = np.array([0.02, 1.2, -0.01])
    body = model.posed(betas, pose, shift, Camera.for_photo(9, 9))
    fits = tmp_path / "smplx_gt" / "trainset_3dpeople_adults_bfh"
    fits.mkdir(parents=True)
    text = [f"v {x:.7f} {y:.7f} {z:.7f}" for x, y, z in body.vertices]
    text += ["f {} {} {}".format(*face) for face in model.faces + 1]
    (fits / "10004_m_Aaron_0_0.obj").write_text("\n".join(text))
    said = {"betas": betas[None, :10], "global_orient": pose[:1], "body_pose": pose[None, 1:22].reshape(1, 63)}
    said |= {f"{side}_hand_pose": np.zeros((1, 45)) for side in ("left", "right")} | {"transl": shift[None]}
    said |= {"jaw_pose": np.zeros((1, 3)), "leye_pose": np.zeros((1, 3)), "reye_pose": np.zeros((1, 3))}
    (fits / "10004_m_Aaron_0_0.pkl").write_bytes(pickle.dumps(said))
    path = "smplx_gt/trainset_3dpeople_adults_bfh/10004_m_Aaron_0_0.obj"
    table = {
        "X": [[480.0, 500.0, 520.0]],
        "Y": [[40.0, 0.0, -60.0]],
        "Z": [[0.0, 0.0, 0.0]],
        "Yaw": [[110.0, 0.0, 30.0]],
        "imgPath": ["ag_validationset_hdri_50mm_5_15_00001.png"],
        "camYaw": np.array([0.0]),
        "camZ": np.array([0.0]),
        "camY": np.array([0.0]),
        "camX": np.array([0.0]),
        "gender": [["male", "female", "female"]],
        "gt_path_smplx": [[path, path, path]],
        "kid": [[False, False, True]],
        "occlusion": [[1.0, 95.0, 3.0]],
        "isValid": [[True, False, True]],
        "age": [["31-50"] * 3],
    }
    (tmp_path / "Cam").mkdir()
    (tmp_path / "Cam" / "validation_0.pkl").write_bytes(pandas.dumps(table, 4, "state"))
    (tmp_path / "validation").mkdir()
    picture = tmp_path / "validation" / "ag_validationset_hdri_50mm_5_15_00001_1280x720.png"
    Image.new("RGB", (1280, 720), (90, 120, 60)).save(picture)
    return tmp_path


def test_people_come_with_picture_camera_and_fit(folder, model):
    people = open_dataset("agora", folder, "validation")
    assert people.names == tuple(f"ag_validationset_hdri_50mm_5_15_00001_person{i}" for i in ("00", "02"))
    scan = people.scan(people.names[0])
    assert scan.photo.name.endswith("_1280x720.png") and scan.view.camera.width == 1280
    assert (scan.body.kind, scan.body.gender, scan.body.scale) == ("smplx", "male", 1.0)
    assert scan.body.hands.shape == (2, 45) and not scan.body.hand_components
    sample = sample_of(scan, size=96, body_model=replace(model, name="smplx"))
    both = sample.maps.mask & sample.body_maps.mask
    assert both.sum() > 0.98 * sample.maps.mask.sum() > 500
    np.testing.assert_allclose(sample.maps.depth_front[both], sample.body_maps.depth_front[both], atol=1e-3)
    assert abs(np.median(sample.maps.depth_front[both]) - 4.8) < 0.4
    assert (sample.image[48, 48, :3] == (90, 120, 60)).all()
    assert people.scan(people.names[1]).body is None  # children have a model of their own


def test_frames_with_vertices_do_as_well(folder):
    (folder / "SMPLX").mkdir()
    (folder / "Cam" / "validation_0.pkl").rename(folder / "SMPLX" / "validation_0_withjv.pkl")
    assert len(open_dataset("agora", folder).names) == 2
    with pytest.raises(LookalikeError, match=r"none of AGORA's data frames for train \(such as Cam/train_0\.pkl\)"):
        open_dataset("agora", folder, "train")


def test_what_is_missing_is_named(folder, pandas):
    people = open_dataset("agora", folder)
    fit = folder / "smplx_gt/trainset_3dpeople_adults_bfh/10004_m_Aaron_0_0.pkl"
    fit.rename(fit.with_suffix(".old"))
    with pytest.raises(LookalikeError, match=r"10004_m_Aaron_0_0\.pkl is missing: unpack smplx_gt\.zip there"):
        people.scan(people.names[0])
    next((folder / "validation").iterdir()).unlink()
    with pytest.raises(LookalikeError, match=r"picture ag_validationset_hdri_50mm_5_15_00001\.png is not in"):
        open_dataset("agora", folder).scan(people.names[0])
    (folder / "Cam" / "validation_0.pkl").write_bytes(pandas.dumps({"a": [1]}, 4, "blocks"))
    with pytest.raises(LookalikeError, match=r"validation_0\.pkl has no column 'imgPath'"):
        open_dataset("agora", folder)


@pytest.mark.parametrize("path", ["../outside.obj", "/etc/outside.obj", "smplx_gt/../../outside.obj"])
def test_a_frame_cannot_lead_out_of_the_folder(folder, pandas, path):
    one = {k: [[0.0]] for k in ("X", "Y", "Z", "Yaw")} | {"gender": [["male"]], "kid": [[False]], "isValid": [[True]]}
    one |= {k: np.zeros(1) for k in ("camX", "camY", "camZ", "camYaw")} | {"imgPath": ["hdri.png"]}
    frame = folder / "Cam" / "validation_0.pkl"
    frame.write_bytes(pandas.dumps(one | {"gt_path_smplx": [[path]]}, 4, "blocks"))
    with pytest.raises(LookalikeError, match="lies outside: do not use it"):
        open_dataset("agora", folder).scan("hdri_person00")
