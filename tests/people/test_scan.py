"""Scans before a camera: spheres and squares whose maps are known, and body fits that must follow the scan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from lookalike.body import load_body
from lookalike.camera import Camera
from lookalike.errors import LookalikeError
from lookalike.people.datasets import open_dataset
from lookalike.people.scan import MARGIN, UNKNOWN, BodyFit, Scan, picture_of, sample_of
from lookalike.render.view import View


def sphere(radius: float, centre=(0.0, 1.0, 0.0), rings: int = 48, **options) -> Scan:
    """A sphere cut along one meridian: the vertices of the seam and the poles lie several times in one place."""
    v, u = np.mgrid[0 : rings + 1, 0 : 2 * rings + 1]
    polar, around = np.pi * v / rings, np.pi * u / rings
    points = np.stack([np.sin(polar) * np.sin(around), np.cos(polar), np.sin(polar) * np.cos(around)], -1)
    points[:, -1] = points[:, 0]
    points[[0, -1]] = [[[0, 1, 0]], [[0, -1, 0]]]
    index = np.arange(points.shape[0] * points.shape[1]).reshape(points.shape[:2])
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    faces = np.concatenate([np.stack([a, b, c], -1)[:-1].reshape(-1, 3), np.stack([a, c, d], -1)[1:].reshape(-1, 3)])
    vertices = radius * points.reshape(-1, 3) + np.array(centre)
    uv = np.stack([u / (2 * rings), v / rings], -1).reshape(-1, 2).astype(np.float32)
    return Scan("ball", vertices, faces.astype(np.int32), uv=uv, face_uv=faces.astype(np.int32), **options)


def some_view(seed: int = 3) -> View:
    rotation = Rotation.random(random_state=seed).as_matrix()
    return View(Camera.for_photo(200, 100), rotation, np.array([0.3, 1.2, 2.5]))


def some_fit(model, seed: int = 1, **options) -> BodyFit:
    rng = np.random.default_rng(seed)
    said = {
        "kind": model.name,
        "gender": "neutral",
        "betas": rng.normal(0, 1, 10),
        "pose": rng.normal(0, 0.4, (52, 3)),
        "translation": rng.normal(0, 1, 3),
        "scale": 0.9,
    }
    return BodyFit(**(said | options))


@pytest.fixture(scope="module")
def smplx():
    """A body that calls itself SMPL-X."""
    return replace(load_body(), name="smplx")


def test_a_ball_fills_the_picture_and_its_maps_are_known():
    ball = sphere(0.5)
    sample = sample_of(ball, size=256)
    camera, mask = sample.camera, sample.maps.mask
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    for low, high in ((columns[0], columns[-1]), (rows[0], rows[-1])):
        np.testing.assert_allclose([low, 255 - high], MARGIN * 256, atol=2)
    # The ray's first and last meeting with the sphere, in the camera's frame.
    seen = sample.pieces[0].vertices
    centre = (seen.min(0) + seen.max(0)) / 2
    rays = camera.rays()[mask].astype(np.float64)
    b = rays @ centre / (rays**2).sum(1)
    c = (centre @ centre - 0.25) / (rays**2).sum(1)
    root = np.sqrt(np.maximum(b * b - c, 0))
    deep = root > 0.15  # polygons and spheres part at the outline
    for depth, truth in ((sample.maps.depth_front, b - root), (sample.maps.depth_back, b + root)):
        np.testing.assert_allclose(depth[mask][deep], truth[deep], atol=3e-3)
    normal = rays * sample.maps.depth_front[mask][:, None] - centre
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    assert ((normal * sample.maps.normals_front[mask]).sum(1)[deep] > np.cos(np.radians(1))).all()
    assert sample.body is None and sample.body_maps is None


def test_parts_are_unknown_and_colours_come_from_the_texture():
    texture = np.zeros((64, 128, 3), np.uint8)
    texture[:32] = (200, 10, 30)
    texture[32:] = (20, 160, 90)
    sample = sample_of(sphere(0.5, texture=texture), size=128)
    mask = sample.maps.mask
    for labels in (sample.labels_front, sample.labels_back):
        np.testing.assert_array_equal(labels, np.where(mask, UNKNOWN, 0))
    for colour in (sample.colour_front, sample.colour_back):
        assert (colour[~mask] == 0).all()
        rows = np.flatnonzero(mask.any(1))
        assert (colour[rows[10]][mask[rows[10]]] == (200, 10, 30)).all()
        assert (colour[rows[-10]][mask[rows[-10]]] == (20, 160, 90)).all()
    assert sample.pieces[0].colour.mean.shape == (3,)
    # The matte is the share of a pixel that is covered.
    alpha = sample.image[..., 3] / 255
    np.testing.assert_allclose(alpha.sum(), mask.sum(), rtol=0.01)
    assert ((alpha > 0.5) == mask).mean() > 0.995
    assert set(np.unique(sample.image[..., 3])) <= {0, 64, 128, 191, 255}


def test_yaw_walks_around_to_the_left_side():
    ball = sphere(0.5)
    colours = np.where(ball.vertices[:, :1] > 0, (250, 0, 0), (0, 0, 250)).astype(np.uint8)
    sample = sample_of(replace(ball, texture=None, colours=colours), yaw=90, size=64)
    assert (sample.colour_front[32, 32] == (250, 0, 0)).all()  # +X is the left of somebody who faces +Z
    assert (sample.colour_back[32, 32] == (0, 0, 250)).all()


def test_the_front_is_where_the_fit_faces(smplx):
    pose = np.zeros((52, 3))
    pose[0] = (0, np.radians(120), 0)
    _, view = picture_of(replace(sphere(0.5), body=some_fit(smplx, pose=pose)), size=32)
    np.testing.assert_allclose(view.rotation[2], (np.sin(np.radians(120)), 0, np.cos(np.radians(120))), atol=1e-6)


def test_normals_are_smooth_across_the_seams_of_an_atlas():
    sample = sample_of(sphere(0.5, rings=12), yaw=0.5, size=256)  # the seam is in front
    normals = sample.maps.normals_front[100:156, 118:138]
    step = (normals[:, 1:] * normals[:, :-1]).sum(-1)
    assert np.degrees(np.arccos(np.clip(step, -1, 1))).max() < 1


def test_hair_cards_are_left_out():
    ball = sphere(0.5)
    low = len(ball.vertices)
    wide = np.array([(-2, 1, 0.6), (2, 1, 0.6), (0, 2, 0.6)], float)
    faces = np.concatenate([ball.faces, [[low, low + 1, low + 2]]]).astype(np.int32)
    cards = np.arange(len(faces)) == len(faces) - 1
    scan = Scan("ball", np.concatenate([ball.vertices, wide]), faces, cards=cards)
    truth = sample_of(Scan("ball", ball.vertices, ball.faces), size=64).maps
    photo_less = sample_of(replace(scan, vertices=np.concatenate([ball.vertices, ball.vertices[:3]])), size=64)
    np.testing.assert_array_equal(photo_less.maps.mask, truth.mask)


def test_a_fit_stays_on_the_scan_whatever_the_camera(smplx):
    fit, view = some_fit(smplx), some_view()
    still = smplx.posed(np.resize(fit.betas, 10).tolist() + [0] * (smplx.shape_count - 10), fit.pose, fit.translation,
                        view.camera, fit.scale)  # fmt: skip
    body = fit.posed(smplx, view)
    np.testing.assert_allclose(body.vertices, view.to_camera(still.vertices), atol=2e-5)
    np.testing.assert_allclose(body.joints, view.to_camera(still.joints), atol=2e-5)
    assert body.camera == view.camera


def test_a_fit_about_the_pelvis_puts_the_pelvis_there(smplx):
    fit, view = some_fit(smplx, about_pelvis=True), some_view()
    np.testing.assert_allclose(fit.posed(smplx, view).joints[0], view.to_camera(fit.translation), atol=1e-5)


def test_shape_numbers_are_found_from_the_unclothed_shape(smplx):
    betas = np.random.default_rng(5).normal(0, 1, smplx.shape_count).astype(np.float32)
    minimal = smplx.template + np.einsum("b,bvc->vc", betas, smplx.shape_basis)
    body = some_fit(smplx, minimal=minimal, scale=1.0).posed(smplx, some_view())
    np.testing.assert_allclose(body.betas, betas, atol=2e-3)
    np.testing.assert_allclose(body.rest, minimal, atol=1e-4)
    with pytest.raises(LookalikeError, match="9 vertices"):
        some_fit(smplx, minimal=np.zeros((9, 3))).posed(smplx, some_view())


def test_another_model_is_refused(smplx):
    with pytest.raises(LookalikeError, match="male SMPL-X model, not with 'lookalike'"):
        some_fit(smplx, gender="male").posed(load_body(), some_view())
    # SMPL and SMPL-H share their shapes.
    some_fit(smplx, kind="smpl").posed(replace(smplx, name="smplh"), some_view())


@pytest.mark.parametrize("components", [True, False])
@pytest.mark.parametrize("from_mean", [True, False])
def test_fingers_come_from_the_published_hands(tmp_path, smplx, components, from_mean):
    rng = np.random.default_rng(2)
    hands = rng.normal(0, 1, (2, 12 if components else 45))
    file = {f"hands_{what}{side}": rng.normal(0, 1, shape) for side in "lr"
            for what, shape in (("mean", 45), ("components", (45, 45)))}  # fmt: skip
    np.savez(tmp_path / "m.npz", **file)
    fit = some_fit(smplx, hands=hands, hand_components=components, from_mean_hand=from_mean)
    fingers = fit.with_fingers(tmp_path / "m.npz")
    for side, name in enumerate("lr"):
        angles = hands[side] @ file[f"hands_components{name}"][:12] if components else hands[side]
        angles = angles + from_mean * file[f"hands_mean{name}"]
        np.testing.assert_allclose(fingers.pose[22 + 15 * side : 37 + 15 * side].reshape(-1), angles, atol=1e-12)
    assert fingers.hands is None and fingers.with_fingers(tmp_path / "m.npz") is fingers
    np.savez(tmp_path / "n.npz", v_template=np.zeros(3))
    with pytest.raises(LookalikeError, match="has no hands"):
        fit.with_fingers(tmp_path / "n.npz")


def photo_of_square(path, view: View, corners: np.ndarray, mode: str) -> None:
    """A photo of a white square (its corners in the mesh's frame) on dark grey."""
    from PIL import ImageDraw

    camera = view.camera
    mask = Image.new("L", (camera.width, camera.height))
    ImageDraw.Draw(mask).polygon([tuple(p - 0.5) for p in view.project(corners)], fill=255)
    photo = Image.new("RGB", mask.size, (40, 40, 40))
    photo.paste((250, 250, 250), mask=mask)
    if mode == "RGBA":
        photo.putalpha(mask)
    photo.save(path)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("shift", [0.0, 1.1])
def test_a_photo_is_cut_to_the_person(tmp_path, mode, shift):
    """In the middle of the photo, and partly outside."""
    view = View(Camera(300, 200, 110, 400, 240), np.eye(3), np.array([0.0, 0.0, 3.0]))
    corners = np.array([(-0.4, -0.7, 0), (0.4, -0.7, 0), (0.4, 0.7, 0), (-0.4, 0.7, 0)]) + (shift, 0, 0)
    faces = np.array([(0, 1, 2), (0, 2, 3)], np.int32)
    photo_of_square(tmp_path / "p.png", view, corners, mode)
    scan = Scan("square", corners, faces, photo=tmp_path / "p.png", view=view)
    sample = sample_of(scan, size=128)
    white = sample.image[..., 0] > 145
    inside = sample.camera.window(0, 0, 128, 128, 1)
    # The part that the photo shows is where the truth says.
    u = (np.arange(128) + 0.5 - inside.cx) / inside.focal * view.camera.focal + view.camera.cx
    shown = np.broadcast_to(u < view.camera.width - 2, (128, 128))
    if mode == "RGB":
        assert (white == sample.maps.mask)[shown].mean() > 0.98
        np.testing.assert_array_equal(sample.image[..., 3] > 0, sample.maps.mask)
    else:
        assert ((sample.image[..., 3] > 127) == sample.maps.mask)[shown].mean() > 0.98
        assert white[(sample.image[..., 3] > 200)].all()
    np.testing.assert_allclose(sample.maps.depth_front[sample.maps.mask], 3, rtol=1e-5)


def test_photos_that_do_not_belong_are_refused(tmp_path):
    view = View(Camera(300, 200, 110, 400, 240), np.eye(3), np.array([0.0, 0.0, 3.0]))
    scan = replace(sphere(0.5, centre=(0, 0, 0)), photo=tmp_path / "p.png", view=view)
    with pytest.raises(LookalikeError, match="Cannot read the photo"):
        sample_of(scan, size=64)
    Image.new("RGB", (40, 24)).save(tmp_path / "p.png")
    with pytest.raises(LookalikeError, match="40 x 24 pixels, its camera 400 x 240"):
        sample_of(scan, size=64)
    Image.new("RGB", (400, 240)).save(tmp_path / "p.png")
    with pytest.raises(LookalikeError, match="does not show the person"):
        sample_of(replace(scan, view=replace(view, position=np.array([9.0, 0, 3]))), size=64)


def test_rocketbox_people_lie_on_their_photos(rocketbox_dir):
    people = open_dataset("rocketbox", rocketbox_dir)
    for name in people.names[::40]:
        sample = sample_of(people.scan(name), size=256)
        matte = sample.image[..., 3] > 127
        assert (matte & sample.maps.mask).sum() / (matte | sample.maps.mask).sum() > 0.9  # hair cards are missing
        depth = sample.maps.depth_front[sample.maps.mask]
        assert 2 < np.median(depth) < 8
