"""Poses: within the joints' limits, upright, repeatable; motion files in both layouts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lookalike.body import JOINTS, load_body
from lookalike.body.prior import joint_limits
from lookalike.camera import Camera
from lookalike.errors import LookalikeError
from lookalike.people import poses
from lookalike.people.poses import PoseLibrary, random_pose, read_poses, turned

MODEL = load_body()


@pytest.mark.parametrize("seed", range(20))
def test_joints_stay_within_their_limits(seed):
    pose = random_pose(np.random.default_rng(seed))
    low, high, _ = joint_limits()
    assert (pose[1:] >= low[1:] - 1e-6).all()
    assert (pose[1:] <= high[1:] + 1e-6).all()
    assert np.array_equal(pose, random_pose(np.random.default_rng(seed)))


@pytest.mark.parametrize("kind", ["standing", "walking", "gesture", "sitting"])
def test_people_are_upright(kind):
    for seed in range(10):
        pose = poses._MAKERS[kind](np.random.default_rng(seed))
        body = MODEL.posed(np.zeros(16), pose, np.zeros(3), Camera.for_photo(100, 100))
        head, pelvis = body.joints[JOINTS.index("head")], body.joints[0]
        up = (head - pelvis) / np.linalg.norm(head - pelvis)
        assert up[1] > 0.8
        ahead = Rotation.from_rotvec(pose[0]).apply([0, 0, 1.0])
        assert ahead[2] > 0.8


def test_a_turn_turns_the_whole_body():
    pose = random_pose(np.random.default_rng(0))
    turn = Rotation.from_euler("Y", 70, degrees=True)
    camera = Camera.for_photo(100, 100)
    before = MODEL.posed(np.zeros(16), pose, np.zeros(3), camera)
    after = MODEL.posed(np.zeros(16), turned(pose, turn), np.zeros(3), camera)
    expected = turn.apply(before.joints - before.joints[0]) + before.joints[0]
    assert np.allclose(after.joints, expected, atol=1e-5)


def test_motions_lose_their_heading(tmp_path):
    rng = np.random.default_rng(0)
    heading = rng.uniform(-np.pi, np.pi, 40)
    frames = np.zeros((40, 22, 3), np.float32)
    frames[:, 0] = Rotation.from_euler("Y", heading[:, None]).as_rotvec()
    library = PoseLibrary(frames, np.arange(40) // 10)
    for seed in range(30):
        pose = random_pose(np.random.default_rng(seed), library)
        assert Rotation.from_rotvec(pose[0]).apply([0, 0, 1.0])[2] > 0.6


def test_whole_recordings_are_held_out():
    library = PoseLibrary(np.zeros((100, 22, 3)), np.arange(100) // 10)
    held, kept = library.held(True), library.held(False)
    assert not set(held.clip) & set(kept.clip)
    assert len(held.poses) + len(kept.poses) == 100


def test_amass_files_are_turned_upright(tmp_path):
    # AMASS is Z up: somebody upright there has the root turned by +90 degrees about X
    frames = np.zeros((3, 156), np.float32)
    frames[:, 0] = np.pi / 2
    np.savez(tmp_path / "clip.npz", poses=frames)
    library = read_poses(tmp_path / "clip.npz")
    assert library.poses.shape == (3, 22, 3)
    assert np.abs(library.poses[:, 0]).max() < 1e-6


def test_joint_positions_give_back_their_pose(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rng = np.random.default_rng(2)
    truth = [poses.standing_pose(rng) for _ in range(4)]
    bodies = [MODEL.posed(np.zeros(16), p, np.zeros(3), Camera.for_photo(100, 100)) for p in truth]
    positions = np.stack([b.joints[:22] for b in bodies]) * 100
    np.savez(tmp_path / "joints.npz", positions_cm=positions, joint_names=np.array(JOINTS[:22]))
    library = read_poses(tmp_path / "joints.npz")
    for body, pose in zip(bodies, library.poses, strict=True):
        full = np.zeros((52, 3))
        full[:22] = pose
        again = MODEL.posed(np.zeros(16), full, np.zeros(3), Camera.for_photo(100, 100))
        assert np.linalg.norm(again.joints[:22] - body.joints[:22], axis=1).mean() < 0.03
    kept = list((tmp_path / "cache" / "lookalike").glob("poses-*.npy"))
    assert len(kept) == 1
    assert np.array_equal(read_poses(tmp_path / "joints.npz").poses, library.poses)


def test_poses_of_photos_are_read_from_their_avatars(tmp_path):
    from lookalike.export import save_body

    truth = []
    for seed in range(3):
        pose = poses.standing_pose(np.random.default_rng(seed))
        (tmp_path / str(seed)).mkdir()
        save_body(MODEL.posed(np.zeros(16), pose, np.zeros(3), Camera.for_photo(9, 9)), tmp_path / f"{seed}/body.npz")
        truth.append(pose[:22])
    library = read_poses(tmp_path)
    assert np.allclose(library.poses, truth, atol=1e-6)
    assert library.clip.tolist() == [0, 1, 2]
    (tmp_path / "empty").mkdir()
    with pytest.raises(LookalikeError, match="holds no avatars"):
        read_poses(tmp_path / "empty")


@pytest.mark.parametrize("arrays", [{}, {"poses": np.zeros((4, 20))}, {"positions_cm": np.zeros((2, 22, 3))}])
def test_files_without_poses_are_refused(tmp_path, arrays):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(LookalikeError, match="holds no poses"):
        read_poses(tmp_path / "x.npz")


def test_missing_and_damaged_files_are_refused(tmp_path):
    (tmp_path / "damaged.npz").write_bytes(b"PK\x03\x04 and then nothing")
    for name in ("missing.npz", "damaged.npz"):
        with pytest.raises(LookalikeError, match="Cannot read the poses"):
            read_poses(tmp_path / name)
