"""SMPL-family files, written here in the published formats, pose through our loader as the SMPL equations say."""

from __future__ import annotations

import pickle
import sys
import types

import numpy as np
import pytest
import scipy.sparse
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from lookalike.body import JOINTS, PARTS, load_body, transfer
from lookalike.body.smpl_files import read_smpl
from lookalike.camera import Camera
from lookalike.errors import BodyModelError
from lookalike.photo.subject import HAND_LANDMARKS, POSE_LANDMARKS

CAMERA = Camera.for_photo(100, 100)
EXTRA = {"smpl": ["left_hand", "right_hand"], "smplh": [], "smplx": ["jaw", "left_eye_smplhf", "right_eye_smplhf"]}
ABOVE = {"left_hand": "left_wrist", "right_hand": "right_wrist"}


def published_joints(family: str) -> list[str]:
    return JOINTS[:22] + EXTRA[family] + (JOINTS[22:] if family != "smpl" else [])


def family_arrays(family: str, template, weights, faces, regressor=None, shapes=10, seed=0) -> dict[str, np.ndarray]:
    """A model of a family from vertices (V, 3) and weights (V, 52) in the order of JOINTS, with random components."""
    rng = np.random.default_rng(seed)
    names, count = published_joints(family), len(template)
    own = np.zeros((count, len(names)))
    for j, name in enumerate(JOINTS):
        own[:, names.index(name) if name in names else names.index(name.split("_")[0] + "_hand")] += weights[:, j]
    if family == "smplx":
        high = template[:, 1] > np.quantile(template[:, 1], 0.9)
        for name in EXTRA["smplx"]:
            own[:, names.index(name)] = high * rng.random(count) * 0.3
    own /= own.sum(1, keepdims=True)
    if regressor is None:
        regressor = (own * (own > 0.2) * rng.random(own.shape)).T + 1e-9
        regressor /= regressor.sum(1, keepdims=True)
    parents = [2**32 - 1]
    for name in names[1:]:
        above = ABOVE.get(name, "head") if name not in JOINTS else JOINTS[load_body().parents[JOINTS.index(name)]]
        parents.append(names.index(above))
    return {
        "v_template": template,
        "shapedirs": rng.normal(0, 0.01, (count, 3, shapes)),
        "posedirs": rng.normal(0, 0.003, (count, 3, 9 * (len(names) - 1))),
        "J_regressor": regressor,
        "weights": own,
        "f": faces.astype(np.uint32),
        "kintree_table": np.array([parents, range(len(names))], np.uint32),
    }


def small_model(family: str, **options) -> dict[str, np.ndarray]:
    """A few hundred of the bundled body's vertices."""
    model = load_body()
    rows = np.arange(0, len(model.template), 29)
    faces = np.random.default_rng(1).integers(0, len(rows), (600, 3))
    return family_arrays(family, model.template[rows].astype(np.float64), model.weights[rows], faces, **options)


def smpl_equations(data: dict, betas: np.ndarray, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and joints as Loper et al. write them (equations 2 to 10), one vertex and one joint at a time."""
    shaped = data["v_template"] + data["shapedirs"][..., : len(betas)] @ betas
    joints = data["J_regressor"] @ shaped
    turns = Rotation.from_rotvec(pose).as_matrix()
    feature = np.concatenate([(turns[j] - np.eye(3)).ravel() for j in range(1, len(pose))])
    shaped = shaped + data["posedirs"] @ feature
    world = []
    for j, parent in enumerate(data["kintree_table"][0]):
        local = np.eye(4)
        local[:3, :3] = turns[j]
        local[:3, 3] = joints[j] - (joints[parent] if j else 0)
        world.append(world[parent] @ local if j else local)
    places = np.array([g[:3, 3] for g in world])
    for g, joint in zip(world, joints, strict=True):
        g[:3, 3] -= g[:3, :3] @ joint
    out = np.zeros_like(shaped)
    for i, point in enumerate(shaped):
        blend = sum(w * g for w, g in zip(data["weights"][i], world, strict=True))
        out[i] = blend[:3, :3] @ point + blend[:3, 3]
    return out, places


def assert_poses_alike(model, data, family, shapes):
    rng = np.random.default_rng(3)
    names = published_joints(family)
    betas = rng.normal(size=shapes)
    pose = rng.normal(0, 0.4, (52, 3))
    theirs = np.zeros((len(names), 3))
    shared = [n for n in names if n in JOINTS]
    for name in shared:
        theirs[names.index(name)] = pose[JOINTS.index(name)]
    vertices, joints = smpl_equations(data, betas, theirs)
    move = np.array([0.1, -0.2, -3.0])
    body = model.posed(betas, pose, move, CAMERA)
    np.testing.assert_allclose(body.vertices - move, vertices, atol=2e-5)
    np.testing.assert_allclose(
        (body.joints - move)[[JOINTS.index(n) for n in shared]], joints[[names.index(n) for n in shared]], atol=2e-5
    )


@pytest.fixture
def hasty(monkeypatch):
    """Where landmarks do not matter, the registration behind them need not be good."""
    monkeypatch.setattr(transfer, "STEPS", 2)


def write_pickle(path, data, protocol=2):
    path.write_bytes(pickle.dumps(data, protocol))
    return path


def write_npz(path, data):
    np.savez(path, **data)
    return path


@pytest.mark.parametrize("family", ["smpl", "smplh", "smplx"])
def test_a_pickle_poses_by_the_smpl_equations(tmp_path, family, hasty):
    data = small_model(family)
    more = {"bs_type": "lrotmin", "bs_style": "lbs", "J": data["J_regressor"] @ data["v_template"]}
    stored = {**data, **more, "J_regressor": scipy.sparse.csc_matrix(data["J_regressor"])}
    model = read_smpl(write_pickle(tmp_path / "model.pkl", stored))
    assert model.name == family
    assert_poses_alike(model, data, family, 10)


@pytest.mark.parametrize("family", ["smpl", "smplh", "smplx"])
def test_an_npz_poses_by_the_smpl_equations(tmp_path, family, hasty):
    data = small_model(family)
    model = read_smpl(write_npz(tmp_path / "model.npz", data))
    assert model.name == family
    assert_poses_alike(model, data, family, 10)


def test_an_old_smpl_pickle_with_chumpy_arrays(tmp_path, hasty, monkeypatch):
    data = small_model("smpl")
    chumpy, ch = types.ModuleType("chumpy"), types.ModuleType("chumpy.ch")
    ch.Ch = type("Ch", (), {"__module__": "chumpy.ch"})
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "chumpy", chumpy)
        patch.setitem(sys.modules, "chumpy.ch", ch)
        stored = dict(data)
        for key in ("v_template", "shapedirs", "posedirs", "weights"):
            stored[key] = ch.Ch()
            stored[key].x = data[key]
        stored["J_regressor"] = scipy.sparse.coo_matrix(data["J_regressor"])
        write_pickle(tmp_path / "basicModel.pkl", stored)
    assert_poses_alike(load_body(tmp_path / "basicModel.pkl"), data, "smpl", 10)


def test_amass_smplh_with_16_shapes_and_mano_hands(tmp_path, hasty):
    data = small_model("smplh", shapes=16)
    mano = {f"hands_{k}{s}": np.zeros((45, 45)) for k in ("components", "coeffs", "mean") for s in "lr"}
    model = load_body(write_npz(tmp_path / "model.npz", {**data, **mano}))
    assert model.shape_count == 16
    assert_poses_alike(model, data, "smplh", 16)


@pytest.mark.parametrize(("stored", "used"), [(20, 10), (400, 16)])
def test_smplx_expressions_are_no_shapes(tmp_path, hasty, stored, used):
    data = small_model("smplx", shapes=stored)
    model = load_body(write_npz(tmp_path / "SMPLX_NEUTRAL.npz", data))
    assert model.shape_count == used
    assert_poses_alike(model, data, "smplx", used)


def test_flat_pose_correctives_and_signed_roots(tmp_path, hasty):
    data = small_model("smpl")
    flat = data["posedirs"].transpose(2, 0, 1).reshape(207, -1)
    tree = data["kintree_table"].astype(np.int64)
    tree[0, 0] = -1
    model = read_smpl(write_npz(tmp_path / "model.npz", {**data, "posedirs": flat, "kintree_table": tree}))
    assert_poses_alike(model, data, "smpl", 10)


def test_objects_in_npz_members_that_are_not_needed_do_no_harm(tmp_path, hasty):
    data = small_model("smplx")
    model = read_smpl(write_npz(tmp_path / "x.npz", {**data, "joint2num": np.array({"Jaw": 22}, object)}))
    assert model.name == "smplx"


@pytest.mark.parametrize("family", ["smpl", "smplh", "smplx"])
def test_every_family_is_brought_to_our_layout(tmp_path, family, hasty):
    data = small_model(family)
    model = read_smpl(write_npz(tmp_path / "model.npz", data))
    count = len(data["v_template"])
    assert list(model.joint_names) == JOINTS
    np.testing.assert_array_equal(model.parents, load_body().parents)
    assert model.weights.shape == (count, 52)
    np.testing.assert_allclose(model.weights.sum(1), 1, atol=1e-6)
    assert model.pose_basis.shape == (9 * 51, count, 3)
    assert model.template.dtype == model.shape_basis.dtype == model.weights.dtype == np.float32
    assert model.faces.dtype == np.int32
    assert model.uv is None
    assert model.quads is None
    assert model.face_shapes == {}
    wanted = [*POSE_LANDMARKS, *(f"{s}_hand/{n}" for s in ("left", "right") for n in HAND_LANDMARKS)]
    assert set(wanted) <= set(model.landmarks)
    for index, weight in model.landmarks.values():
        assert index.max() < count
        assert weight.min() >= 0
        assert weight.sum() == pytest.approx(1, abs=1e-5)
    if family == "smpl":
        assert not model.weights[:, 22:].any()
        assert not model.pose_basis[9 * 21 :].any()


def test_fingers_that_smpl_lacks_move_nothing(tmp_path, hasty):
    model = read_smpl(write_npz(tmp_path / "model.npz", small_model("smpl")))
    pose = np.zeros((52, 3))
    pose[22:] = 1
    still = model.posed(np.zeros(10), np.zeros((52, 3)), np.zeros(3), CAMERA)
    np.testing.assert_allclose(model.posed(np.zeros(10), pose, np.zeros(3), CAMERA).vertices, still.vertices, atol=1e-6)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """A person the bundled model can make, but with SMPL's joints, number of vertices and lowered arms, as a file.

    Returns the model read, the true landmarks and finger joints."""
    import fast_simplification

    own = load_body()
    rng = np.random.default_rng(5)
    pose = np.zeros((52, 3))
    for side, way in (("left", 1), ("right", -1)):
        pose[JOINTS.index(f"{side}_shoulder"), 2] = -0.1 * way
        pose[JOINTS.index(f"{side}_hip"), 2] = 0.06 * way
        pose[JOINTS.index(f"{side}_index1"), 1] = 0.1 * way
    betas = 0.7 * rng.normal(size=own.shape_count)
    body = own.posed(betas, pose, np.array([0, 0.2, 0.03]), CAMERA)
    skin = ~np.isin(own.parts, [PARTS.index("eyes"), PARTS.index("mouth")])
    kept = own.faces[skin[own.faces].all(1)]
    vertices, faces = fast_simplification.simplify(
        body.vertices.astype(np.float32), kept.astype(np.int32), target_count=13776
    )
    nearest = cKDTree(body.vertices).query(vertices)[1]
    regressor = np.zeros((24, len(vertices)))
    for j in range(24):  # three far vertices each side of the joint: any affine combination will do
        place = body.joints[j] if j < 22 else body.joints[JOINTS.index(("left", "right")[j - 22] + "_middle1")]
        near = np.argsort(np.linalg.norm(vertices - place, axis=1))[:60]
        system = np.vstack([vertices[near].T, np.ones(60)])
        regressor[j, near] = np.linalg.lstsq(system, [*place, 1], rcond=None)[0]
    data = family_arrays("smpl", vertices.astype(np.float64), own.weights[nearest], faces, regressor)
    path = write_npz(tmp_path_factory.mktemp("smpl") / "model.npz", data)
    names = list(own.landmarks)
    truth = dict(zip(names, own.landmark_points(body.vertices, names), strict=True))
    return read_smpl(path), truth, body.joints


def test_landmarks_are_carried_over_to_another_topology(stranger):
    model, truth, _ = stranger
    assert len(model.template) != len(load_body().template)
    names = list(truth)
    points = dict(zip(names, model.landmark_points(model.template, names), strict=True))
    far = {n: 1e3 * np.linalg.norm(points[n] - truth[n]) for n in names}
    assert np.mean([far[n] for n in POSE_LANDMARKS]) < 8
    assert max(far[n] for n in POSE_LANDMARKS) < 25
    assert np.mean([v for n, v in far.items() if "hand/" in n]) < 8
    assert np.mean([v for n, v in far.items() if n.startswith("face/")]) < 6


def test_fingers_are_placed_inside_the_hand(stranger):
    model, _, joints = stranger
    far = 1e3 * np.linalg.norm(model.joint_template[22:] - joints[22:], axis=1)
    assert far.mean() < 8
    assert far.max() < 20


def test_a_symmetric_mesh_gets_a_mirror_map(tmp_path, hasty):
    own = load_body()
    rows = np.arange(0, len(own.template), 29)
    rows = np.union1d(rows, own.mirror[rows])
    template = own.template[rows].astype(np.float64) + [0.2, 0, 0]
    faces = np.zeros((1, 3), int) + [0, 1, 2]
    data = family_arrays("smpl", template, own.weights[rows], faces)
    model = read_smpl(write_npz(tmp_path / "model.npz", data))
    np.testing.assert_array_equal(rows[model.mirror], own.mirror[rows])
    data["v_template"] = template + [[0.02, 0, 0]] * (template[:, :1] > 0.5)
    assert read_smpl(write_npz(tmp_path / "crooked.npz", data)).mirror is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.pop("weights"), "lacks 'weights'"),
        (lambda d: d.update(weights=d["weights"][:, :16]), "16 joints"),
        (lambda d: d.update(posedirs=d["posedirs"][..., :93]), "'posedirs' of shape"),
        (lambda d: d.update(shapedirs=d["shapedirs"][0]), "'shapedirs' of shape"),
        (lambda d: d.update(f=d["f"] + 1000), "faces"),
        (lambda d: d.update(weights=d["weights"] * 2), "sum to one"),
        (lambda d: d.update(v_template=d["v_template"] * np.nan), "not finite"),
        (lambda d: d.update(J_regressor=d["J_regressor"].astype(str)), "'J_regressor'"),
        (lambda d: d.update(kintree_table=d["kintree_table"][:, ::-1]), "kinematic tree"),
        (lambda d: d.update(J_regressor=np.array({"a": 1}, object)), "Python objects"),
        (lambda d: d.update(weights=np.eye(24)[np.zeros(len(d["f"]), int)][: len(d["weights"])]), "no head"),
    ],
)
def test_unfit_files_are_refused_in_one_sentence(tmp_path, change, says):
    data = small_model("smpl")
    change(data)
    with pytest.raises(BodyModelError) as caught:
        load_body(write_npz(tmp_path / "model.npz", data))
    message = str(caught.value)
    assert says in message
    assert "model.npz" in message
    assert "\n" not in message


def test_files_that_are_no_models(tmp_path):
    (tmp_path / "notes.pkl").write_text("a text")
    (tmp_path / "list.pkl").write_bytes(pickle.dumps([1, 2]))
    whole = write_npz(tmp_path / "model.npz", small_model("smpl")).read_bytes()
    (tmp_path / "half.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "zip.npz").write_bytes(b"PK\x03\x04 no archive")
    (tmp_path / "empty.npz").write_bytes(b"")
    for name in ("notes.pkl", "list.pkl", "half.npz", "zip.npz", "empty.npz"):
        with pytest.raises(BodyModelError, match=name):
            load_body(tmp_path / name)
