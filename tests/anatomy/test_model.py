"""Known solids through oblique, anisotropic grids: where the surface lies, which volume it has, which way it faces."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.anatomy.fields import RangeField
from lookalike.anatomy.labels import label_tissues
from lookalike.anatomy.model import make_part
from lookalike.anatomy.scan_error import ScanError
from lookalike.anatomy.tissue import Tissue
from lookalike.anatomy.volume import Volume, to_gltf
from tests.anatomy.solids import ct_of, grid_points, oblique_grid, sphere, torus, voxel_errors

GRIDS = [((64, 64, 64), (0.9, 0.9, 0.9)), ((80, 80, 40), (0.7, 0.7, 1.5)), ((90, 90, 24), (0.6, 0.6, 2.5))]
SHAPES = {
    "sphere": (sphere(16), 4 / 3 * np.pi * 16**3),
    "torus": (torus(14, 6.5), 2 * np.pi**2 * 14 * 6.5**2),
}


def surface(scan: Volume, value: float = -480.0, **more) -> Tissue:
    return Tissue("solid", scan, RangeField(scan, value), (200, 200, 200), **more)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("size", "spacing"), GRIDS)
def test_surfaces_of_scans_are_exact_below_a_third_of_a_voxel(shape, size, spacing):
    distance, truth = SHAPES[shape]
    affine = oblique_grid(size, spacing)
    part = make_part(surface(ct_of(distance, size, affine)), None)
    errors = voxel_errors(distance, part.vertices, affine)
    assert np.percentile(errors, 99) < 0.3 and errors.max() < 0.5 and errors.mean() < 0.06
    assert part.report["volume_ml"] * 1e3 == pytest.approx(truth, rel=0.01)
    assert part.report["watertight"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("size", "spacing"), GRIDS)
def test_surfaces_of_label_maps_have_no_steps_and_the_labels_volume(shape, size, spacing):
    """A label map knows the surface to half a voxel at best; smooth it must be."""
    distance, truth = SHAPES[shape]
    affine = oblique_grid(size, spacing)
    labels = (distance(grid_points(size, affine)) > 0).astype(np.int16)
    [tissue] = label_tissues(Volume(labels, affine))
    part = make_part(tissue, None)
    errors = voxel_errors(distance, part.vertices, affine)
    assert errors.mean() < 0.15 and np.percentile(errors, 90) < 0.3
    assert part.report["volume_ml"] * 1e3 == pytest.approx(truth, rel=0.01)


def test_decimation_keeps_volume_and_closedness():
    distance, truth = SHAPES["torus"]
    affine = oblique_grid(*GRIDS[1])
    part = make_part(surface(ct_of(distance, GRIDS[1][0], affine)), 3000)
    assert part.report["watertight"] and 2000 < part.report["faces"] <= 3000
    assert part.report["volume_ml"] * 1e3 == pytest.approx(truth, rel=0.01)
    assert voxel_errors(distance, part.vertices, affine).mean() < 0.1


@pytest.mark.parametrize("flip", [(1, 1, 1), (-1, 1, 1), (1, -1, -1), (-1, -1, -1)])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 0, 2)])
def test_a_patient_stands_up_and_faces_the_viewer_however_the_scan_is_stored(flip, order):
    """Balls in front (radius 6), at the left (5) and at the head (4) of the patient."""
    wanted = {"front": ((0, -15, 0), 6.0), "left": ((15, 0, 0), 5.0), "head": ((0, 0, 15), 4.0)}
    axes = (np.eye(3)[:, list(order)] * np.array(flip)).astype(float)
    size = (44, 44, 44)
    affine = np.concatenate([axes, (-axes @ np.full(3, 21.5))[:, None]], 1)

    def balls(points: np.ndarray) -> np.ndarray:
        return np.max([sphere(radius, centre)(points) for centre, radius in wanted.values()], axis=0)

    part = make_part(surface(Volume(np.where(balls(grid_points(size, affine)) > 0, 40, -1000), affine)), None)
    assert part.report["volume_ml"] > 0  # the right way out
    expected = {"front": (0, 0, 0.015), "left": (0.015, 0, 0), "head": (0, 0.015, 0)}
    for name, place in expected.items():
        near = np.linalg.norm(part.metres - place, axis=1) < 0.0085
        np.testing.assert_allclose(part.metres[near].mean(0), place, atol=5e-4)
        radius = np.linalg.norm(part.metres[near] - place, axis=1).mean() * 1e3
        assert radius == pytest.approx(wanted[name][1], abs=0.5)


def test_a_tilted_gantry_is_followed():
    """Slices shifted along y, as a tilted gantry takes them: the ball is a ball."""
    affine = np.array([[0.8, 0, 0, -20.0], [0, 0.8, 0.5, -28.0], [0, 0, 1.2, -18.0]])
    part = make_part(surface(ct_of(sphere(12), (50, 60, 31), affine)), None)
    assert voxel_errors(sphere(12), part.vertices, affine).max() < 0.3


def test_caps_at_the_border_are_flat_and_counted():
    affine = np.array([[1.0, 0, 0, -19.5], [0, 1, 0, -19.5], [0, 0, 1, 0]])
    part = make_part(surface(ct_of(sphere(15), (40, 40, 20), affine)), None)
    assert part.report["cut_by_border"] and part.report["watertight"]
    assert part.vertices[:, 2].min() == pytest.approx(-0.5, abs=1e-3)
    half = 2 / 3 * np.pi * 15**3 + np.pi * 15**2 * 0.5
    assert part.report["volume_ml"] * 1e3 == pytest.approx(half, rel=0.01)


def test_pieces_and_cavities_are_cleaned_up():
    def hollow(points: np.ndarray) -> np.ndarray:
        shell = np.minimum(sphere(12)(points), -sphere(6)(points))
        return np.maximum(shell, sphere(2.5, (17, 0, 0))(points))

    affine = oblique_grid((50, 50, 40), (1, 1, 1), (0, 0, 0))
    scan = ct_of(hollow, (50, 50, 40), affine)
    everything = make_part(surface(scan), None)
    assert everything.report["pieces"] == 3
    largest = make_part(surface(scan, only_largest=True), None)
    assert largest.report["pieces"] == 2
    filled = make_part(surface(scan, smallest=0.5, smallest_cavity=5.0), None)
    assert filled.report["pieces"] == 1
    assert filled.report["volume_ml"] * 1e3 == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.01)


def test_nothing_there_is_said():
    scan = ct_of(sphere(5), (20, 20, 20), oblique_grid((20, 20, 20), (1, 1, 1)))
    with pytest.raises(ScanError, match="There is no solid in this scan"):
        make_part(surface(scan, 300.0), None)


def test_axes_of_a_scan():
    volume = Volume(np.zeros((4, 5, 6), np.int16), np.array([[0, 0, 2.0, 1], [-1, 0, 0, 2], [0, 3, 0, 3]]))
    assert volume.orientation == "ASL" and volume.head_axis == 1 and volume.size == (6, 5, 4)
    np.testing.assert_allclose(volume.spacing, [1, 3, 2])
    assert volume.voxel_volume == pytest.approx(6)
    np.testing.assert_allclose(volume.points(np.array([[1.0, 1, 1]])), [[3, 1, 6]])
    np.testing.assert_allclose(to_gltf(np.array([[1.0, 2, 3]])), [[0.001, 0.003, -0.002]])
