"""Examples: mirrors, smaller pictures, order, and what is asked of the network where."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from lookalike.errors import LookalikeError
from lookalike.maps import render_maps
from lookalike.maps.inputs import DEPTHS
from lookalike.train.data import (
    Examples,
    People,
    batches,
    example_of,
    given_body,
    mirrored_example,
    part_of,
    reduced_sample,
    side_by_side,
    true_unit,
    with_wrong_body,
)
from lookalike.train.losses import IGNORED
from lookalike.train.wrong_body import BodyNoise, wrong_body


def test_a_mirrored_example_is_that_of_the_mirrored_people(sample, rng):
    """Both bodies with x negated and their sides exchanged, through the mirrored camera, in the mirrored picture."""
    turn = np.array([-1, 1, 1], np.float32)
    model, camera = sample.body.model, sample.camera
    faces, mirrored = model.faces[model.outer_faces], replace(camera, cx=camera.width - camera.cx)

    def in_mirror(body):
        moved = {n: getattr(body, n) * turn for n in ("vertices", "joints")}
        return replace(body, camera=mirrored, vertices=moved["vertices"][model.mirror], joints=moved["joints"])

    wrong = wrong_body(sample.body, rng, BodyNoise())
    bare = replace(sample, maps=sample.body_maps)  # dressed in nothing: its maps are easily made in the mirror
    flipped = {n: getattr(sample, n)[:, ::-1] for n in ("image", "labels_front", "colour_back")}
    body = in_mirror(sample.body)
    maps = render_maps(body.vertices, faces, mirrored, body.normals)
    other = replace(sample, camera=mirrored, body=body, body_maps=maps, maps=maps, **flipped)
    whole = slice(0, 64), slice(0, 64)
    found = mirrored_example(example_of(bare, given_body(wrong, bare), whole))
    expected = example_of(other, given_body(in_mirror(wrong), other), whole)
    for field in fields(found):
        a, b = (getattr(e, field.name).astype(np.float32) for e in (found, expected))
        assert np.quantile(np.abs(a - b), 0.98) < 3e-3, field.name


def test_nothing_is_asked_where_nothing_can_be_seen(sample):
    hidden = sample.image.copy()
    hidden[:30, :, 3] = 0
    whole = slice(0, 64), slice(0, 64)
    example = example_of(replace(sample, image=hidden), given_body(sample.body, sample), whole)
    person = sample.maps.mask[:30]
    assert person.any()
    assert not example.mask[:, :30].any()
    assert (example.labels[:30][person] == IGNORED).all()
    assert (example.labels[:30][~person] == 0).all()
    assert np.isfinite(example.depths).all()


def test_half_the_pixels(sample):
    small = reduced_sample(sample, 32)
    assert small.image.shape == (32, 32, 4) and small.camera.width == 32
    body = sample.body
    faces = body.model.faces[body.model.outer_faces]
    whole = replace(sample, maps=sample.body_maps)
    found = reduced_sample(whole, 32).maps
    assert true_unit(small).size == pytest.approx(true_unit(sample).size, rel=0.01)
    expected = render_maps(body.vertices, faces, small.camera, body.normals)
    both = found.mask & expected.mask
    assert both.sum() > 0.85 * expected.mask.sum()
    assert np.nanmedian(np.abs(found.depth_front - expected.depth_front)[both]) < 0.01
    cosine = (found.normals_front * expected.normals_front).sum(2)[both]
    assert np.median(cosine) > 0.97
    with pytest.raises(LookalikeError, match="no whole part"):
        reduced_sample(sample, 48)


def test_a_folder_comes_round_in_new_orders(config, people_dir):
    people = People(config, 1, people_dir)
    rounds = [{people[2 * r + i].name for i in range(2)} for r in range(3)]
    assert all(r == {"4/000000", "4/000001"} for r in rounds)


def test_an_example_depends_on_its_number_alone(config, people_dir):
    a = Examples(config, people_dir)[3]
    examples = Examples(config, people_dir)
    _ = examples[0]
    b = examples[3]
    assert np.array_equal(a.inputs, b.inputs) and np.array_equal(a.normals, b.normals)
    later = next(batches(config, 1, people_dir, 0))  # step 1 holds numbers 2 and 3
    assert np.array_equal(later[1].inputs, a.inputs)


def test_a_body_too_tall_and_too_far_away_changes_nothing(sample):
    """The same picture, and the same answer in units of the crop."""
    body, larger = sample.body, 1.1
    far = replace(body, vertices=body.vertices * larger)
    a, b = example_of(sample, given_body(body, sample)), example_of(sample, given_body(far, sample))
    assert np.abs(b.motion).max() < 0.01
    assert np.array_equal(a.depths, b.depths)
    assert np.abs(a.inputs[DEPTHS] - b.inputs[DEPTHS]).mean() < 0.002


def test_the_people_of_the_validation_are_not_trained_on(config, people_dir):
    with pytest.raises(LookalikeError, match="that validation tests on"):
        People(replace(config, validation_seed=4), 1, people_dir)


def test_people_without_a_body_cannot_be_trained_on(sample, rng):
    with pytest.raises(LookalikeError, match="has no body"):
        with_wrong_body(replace(sample, body=None), rng, BodyNoise())


def test_a_part_shows_the_person_and_keeps_all_maps_together(sample, rng):
    whole = example_of(sample, with_wrong_body(sample, rng, BodyNoise()), (slice(0, 64), slice(0, 64)))
    for _ in range(5):
        part = part_of(whole, 32, rng)
        assert part.mask.shape == (1, 32, 32) and part.motion.shape == (6, 8, 8)
        assert part.mask.any()
        at = [
            (top, left)
            for top in range(0, 33, 4)
            for left in range(0, 33, 4)
            if np.array_equal(whole.inputs[:, top : top + 32, left : left + 32], part.inputs)
        ]
        top, left = at[0]
        assert np.array_equal(whole.normals[:, top : top + 32, left : left + 32], part.normals)
        assert np.array_equal(whole.shown[:, top // 4 : top // 4 + 8, left // 4 : left // 4 + 8], part.shown)
    assert part_of(whole, 128, rng).mask.shape == (1, 64, 64)


def test_examples_of_two_sizes_come_to_one_and_nothing_is_asked_in_the_margin(sample, rng):
    body = with_wrong_body(sample, rng, BodyNoise())
    large = example_of(sample, body, (slice(0, 64), slice(0, 64)))
    small = example_of(sample, body, (slice(0, 32), slice(16, 48)))
    first, second = side_by_side([large, small])
    assert first.mask.shape == second.mask.shape == (1, 64, 64) and second.shown.shape == (1, 16, 16)
    assert second.mask.sum() == small.mask.sum() and second.shown.sum() == small.shown.sum()
    assert np.array_equal(second.inputs[:, 16:48, 16:48], small.inputs)
    assert np.abs(second.inputs[DEPTHS]).sum() > np.abs(small.inputs[DEPTHS]).sum()  # depths go on


def test_kept_examples_come_again(config, people_dir):
    config = replace(config, variants=1)
    examples = Examples(config, people_dir)
    first = examples[0]
    again = [Examples(config, people_dir)[2 + i] for i in range(2)]  # the next round, in its own order
    assert any(np.array_equal(first.inputs, e.inputs) and np.array_equal(first.motion, e.motion) for e in again)
    assert len(list(people_dir.glob("examples_*/*.npz"))) == 2


def test_each_person_gives_two_windows_in_a_row(config, people_dir):
    config = replace(config, window=32)
    examples = Examples(config, people_dir)
    several = [examples[i] for i in range(4)]
    whole = [Examples(replace(config, window=0), people_dir)[i] for i in range(2)]
    for number, part in enumerate(several):
        assert part.mask.shape == (1, 32, 32)
        inside = np.lib.stride_tricks.sliding_window_view(whole[number // 2].normals, (32, 32), (1, 2))
        assert (inside == part.normals[:, None, None]).all((0, 3, 4)).any()


def test_every_other_step_shows_people_whole_and_smaller(config, people_dir):
    config = replace(config, window=32, coarse=32)
    examples = Examples(config, people_dir)
    windows = Examples(replace(config, coarse=0), people_dir)
    whole = Examples(replace(config, size=32, window=0, coarse=0), people_dir)
    for number, (source, other) in enumerate([(whole, 0), (whole, 1), (windows, 0), (windows, 1), (whole, 2)]):
        assert np.array_equal(examples[number].inputs, source[other].inputs), number
