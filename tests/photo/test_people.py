"""Finding people, on a handful of real photos and on pictures of nobody."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import NoPersonError
from lookalike.photo import POSE_LANDMARKS, Photo, find_subjects, read_photo

INDEX = {name: i for i, name in enumerate(POSE_LANDMARKS)}


def landscape(width: int = 480, height: int = 320) -> np.ndarray:
    """Sky, a sun, hills and a field."""
    v, u = np.mgrid[0:height, 0:width] / height
    rgb = np.stack([120 + 80 * v, 160 + 60 * v, np.full_like(v, 235)], -1)
    rgb[(u - 1.1) ** 2 + (v - 0.2) ** 2 < 0.006] = 255, 240, 180
    for base, colour in ((0.5, (90, 110, 120)), (0.65, (70, 120, 60)), (0.8, (130, 150, 70))):
        rgb[v > base + 0.06 * np.sin(7 * u + 20 * base)] = colour
    return (rgb + np.random.default_rng(0).normal(0, 6, rgb.shape)).clip(0, 255).astype(np.uint8)


def text(width: int = 480, height: int = 480) -> np.ndarray:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    for line in range(height // 14):
        draw.text((8, 14 * line), "the quick brown fox jumps over the lazy dog " * 2, fill="black")
    return np.asarray(image)


NOBODY = {
    "landscape": landscape,
    "noise": lambda: np.random.default_rng(1).integers(0, 255, (400, 300, 3), np.uint8),
    "wall": lambda: np.full((300, 400, 3), 128, np.uint8),
    "text": text,
    "smallest": lambda: np.random.default_rng(2).integers(0, 255, (64, 64, 3), np.uint8),
}


@pytest.mark.parametrize("name", NOBODY)
def test_nobody(name):
    with pytest.raises(NoPersonError) as caught:
        find_subjects(Photo(NOBODY[name]()))
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("person", ["smallest", 1.5, True, None])
def test_a_wrong_choice_is_a_value_error(person):
    with pytest.raises(ValueError, match="person must be"):
        find_subjects(Photo(landscape()), person)


@pytest.fixture(scope="module")
def jumper(photos_dir):
    return find_subjects(read_photo(photos_dir / "econ_cloth_663dcd6d.jpg"))[0]


def test_one_person(jumper):
    width, height = jumper.photo.size
    assert jumper.matte.shape == (height, width)
    assert jumper.matte.dtype == np.float32
    assert jumper.matte.min() == 0
    assert jumper.matte.max() == 1
    assert [a.shape for a in (jumper.landmarks, jumper.world, jumper.visibility)] == [(33, 2), (33, 3), (33,)]
    assert jumper.confidence > 0.9
    assert jumper.visibility.mean() > 0.9
    x0, y0, x1, y1 = jumper.box
    inside = jumper.matte > 0.5
    assert np.array_equal(np.nonzero(inside.any(0))[0][[0, -1]], [x0, x1 - 1])
    assert np.array_equal(np.nonzero(inside.any(1))[0][[0, -1]], [y0, y1 - 1])
    columns, rows = jumper.landmarks.astype(int).T
    assert (jumper.matte[rows, columns] > 0.5).mean() > 0.8


def test_world_axes(jumper):
    world = jumper.world
    assert np.allclose(world[[23, 24]].mean(0), 0, atol=1e-5)
    # She faces the camera: up is +y, her left is to the right in the photo (+x), her nose is nearer than her ears (+z).
    assert world[INDEX["nose"], 1] > 0.4
    assert world[INDEX["left_ankle"], 1] < -0.4
    assert world[INDEX["left_shoulder"], 0] > 0.1 > -0.1 > world[INDEX["right_shoulder"], 0]
    assert world[INDEX["nose"], 2] > world[INDEX["left_ear"], 2]
    assert 1.2 < np.ptp(world[:, 1]) < 2.2


def test_hands_and_face_are_on_the_right_sides(jumper):
    for side in ("left", "right"):
        hand = getattr(jumper, f"{side}_hand")
        assert [hand.pixels.shape, hand.world.shape] == [(21, 2), (21, 3)]
        assert np.linalg.norm(hand.pixels[0] - jumper.landmarks[INDEX[f"{side}_wrist"]]) < 30
        assert 0.1 < np.ptp(hand.world, axis=0).max() < 0.3
        # Her fingers point away from the body.
        assert (hand.pixels[12, 0] - hand.pixels[0, 0]) * (1 if side == "left" else -1) > 0
        assert np.sign(hand.world[12, 0] - hand.world[0, 0]) == np.sign(hand.pixels[12, 0] - hand.pixels[0, 0])
    assert jumper.face.shape == (478, 3)
    assert np.linalg.norm(jumper.face[1, :2] - jumper.landmarks[INDEX["nose"]]) < 15
    assert jumper.face[1, 2] > jumper.face[[234, 454], 2].mean()  # the tip of the nose is nearer than the cheeks' ends


@pytest.fixture(scope="module")
def group(photos_dir):
    return find_subjects(read_photo(photos_dir / "econ_multi_4.jpg"), "all")


def test_a_group_from_left_to_right(group):
    assert len(group) == 6
    centres = [subject.box[[0, 2]].mean() for subject in group]
    assert centres == sorted(centres)
    total = np.sum([subject.matte for subject in group], 0)
    assert (total > 1.3).sum() < 0.01 * (total > 0.5).sum()


def test_people_are_numbered_from_the_left(photos_dir, group):
    photo = read_photo(photos_dir / "econ_multi_4.jpg")
    second = find_subjects(photo, 2)
    assert len(second) == 1
    assert np.array_equal(second[0].matte, group[1].matte)
    with pytest.raises(NoPersonError, match="6 people"):
        find_subjects(photo, 7)


def test_the_files_alpha_is_the_matte(photos_dir):
    photo = read_photo(photos_dir / "sith_011.png")
    subject = find_subjects(photo)[0]
    assert np.array_equal(subject.matte, photo.alpha)


def test_half_a_body(photos_dir):
    photo = read_photo(photos_dir / "econ_cloth_663dcd6d.jpg")
    cut = Photo(np.ascontiguousarray(photo.rgb[:620]))
    subject = find_subjects(cut)[0]
    assert subject.box[3] == 620
    assert subject.visibility[INDEX["left_ankle"]] < 0.5 < subject.visibility[INDEX["left_shoulder"]]


def test_mattes_reach_the_bar(photos_dir, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    from matte_iou import measure

    results = measure(photos_dir, stride=10)
    assert np.mean([iou for iou, _, _ in results.values()]) > 0.96


def test_importing_is_cheap_and_finding_is_quiet():
    code = (
        "import sys, lookalike.photo as photo; assert not {'mediapipe', 'cv2', 'onnxruntime'} & set(sys.modules)\n"
        "import numpy as np\n"
        "try: photo.find_subjects(photo.Photo(np.full((200, 200, 3), 99, np.uint8)))\n"
        "except photo.people.NoPersonError: pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
