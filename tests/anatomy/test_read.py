"""NIfTI, NRRD and MetaImage: the same solid at the same place, whatever the format."""

from __future__ import annotations

import gzip

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from lookalike.anatomy.read import read_scan
from lookalike.anatomy.scan_error import ScanError
from lookalike.anatomy.volume import Volume
from tests.anatomy.solids import ct_of, oblique_grid, sphere

SIZE = (14, 13, 12)


@pytest.fixture(scope="module")
def scan() -> Volume:
    return ct_of(sphere(6), SIZE, oblique_grid(SIZE, (0.8, 0.9, 1.6)))


def as_itk(scan: Volume):
    image = sitk.GetImageFromArray(scan.values)
    image.SetSpacing(scan.spacing.tolist())
    image.SetDirection((scan.affine[:, :3] / scan.spacing).reshape(-1).tolist())
    image.SetOrigin(scan.affine[:, 3].tolist())
    return image


def as_nifti(scan: Volume, values: np.ndarray | None = None) -> nibabel.Nifti1Image:
    affine = np.vstack([np.diag([-1.0, -1, 1]) @ scan.affine, [0, 0, 0, 1]])
    return nibabel.Nifti1Image(scan.values.T if values is None else values, affine)


def same(found: Volume, scan: Volume) -> None:
    np.testing.assert_array_equal(found.values, scan.values)
    np.testing.assert_allclose(found.affine, scan.affine, atol=1e-4)


@pytest.mark.parametrize("suffix", ["nii", "nii.gz", "nrrd", "nhdr", "mha", "mhd"])
def test_each_format_gives_the_same_scan(tmp_path, scan, suffix):
    path = tmp_path / f"scan.{suffix}"
    if suffix.startswith("nii"):
        nibabel.save(as_nifti(scan), path)
    else:
        sitk.WriteImage(as_itk(scan), str(path))
    same(read_scan(path), scan)
    if suffix != "mhd":  # a folder with one volume is that volume
        same(read_scan(tmp_path), scan)


def test_a_nrrd_in_another_space(tmp_path):
    """3D Slicer's older files run right, front, up."""
    values = np.arange(5 * 6 * 7, dtype=np.int16).reshape(7, 6, 5)
    header = (
        "NRRD0004\ntype: short\ndimension: 3\nspace: right-anterior-superior\nsizes: 5 6 7\n"
        "space directions: (2,0,0) (0,1,0) (0,0,3)\nendian: little\nencoding: raw\nspace origin: (10,20,30)\n\n"
    )
    (tmp_path / "a.nrrd").write_bytes(header.encode() + values.tobytes())
    found = read_scan(tmp_path / "a.nrrd")
    np.testing.assert_allclose(found.affine, [[-2, 0, 0, -10], [0, -1, 0, -20], [0, 0, 3, 30]])
    np.testing.assert_array_equal(found.values, values)


def test_nifti_scaling_series_and_metres(tmp_path, scan):
    image = as_nifti(scan, np.stack([scan.values.T] * 3, -1))
    image.header.set_slope_inter(2.0, -5.0)
    image.header.set_xyzt_units("meter")
    nibabel.save(image, tmp_path / "a.nii")
    found = read_scan(tmp_path / "a.nii")
    assert "3 volumes; the first was taken" in found.notes[0]
    np.testing.assert_allclose(found.spacing, scan.spacing * 1000, rtol=1e-4)
    np.testing.assert_array_equal(found.values, 2 * scan.values - 5)  # nibabel stores as given


def cut_nifti(path, scan):
    nibabel.save(as_nifti(scan), path / "a.nii")
    data = (path / "a.nii").read_bytes()
    (path / "a.nii").write_bytes(data[: len(data) // 2])
    return path / "a.nii"


def cut_gzip(path, scan):
    nibabel.save(as_nifti(scan), path / "a.nii.gz")
    data = (path / "a.nii.gz").read_bytes()
    (path / "a.nii.gz").write_bytes(data[: len(data) // 2])
    return path / "a.nii.gz"


def cut_itk(suffix):
    def write(path, scan):
        sitk.WriteImage(as_itk(scan), str(path / f"a.{suffix}"))
        data = (path / f"a.{suffix}").read_bytes()
        (path / f"a.{suffix}").write_bytes(data[: len(data) * 2 // 3])
        return path / f"a.{suffix}"

    return write


def headerless(path, _scan):
    (path / "a.mhd").write_text(
        "ObjectType = Image\nNDims = 3\nDimSize = 9 9 9\nElementType = MET_SHORT\nElementDataFile = gone.raw\n"
    )
    return path / "a.mhd"


def text(path, _scan):
    (path / "a.txt").write_text("no scan")
    return path / "a.txt"


def nonsense(path, _scan):
    (path / "a.nii.gz").write_bytes(gzip.compress(b"x" * 1000))
    return path / "a.nii.gz"


def flat(path, scan):
    nibabel.save(as_nifti(scan, scan.values.T[:, :, :1]), path / "a.nii")
    return path / "a.nii"


def uniform(path, scan):
    nibabel.save(as_nifti(scan, np.full(SIZE, 7, np.int16)), path / "a.nii")
    return path / "a.nii"


def broken_zip(path, _scan):
    (path / "a.zip").write_bytes(b"PK\3\4 and no more")
    return path / "a.zip"


def missing(path, _scan):
    return path / "gone.nii"


def empty(path, _scan):
    return path


BAD = {
    cut_nifti: "is damaged or cut short",
    cut_gzip: "is damaged or cut short",
    cut_itk("nrrd"): "is damaged, cut short",
    cut_itk("mha"): "is cut short",
    headerless: "is cut short",
    text: "is no scan that can be read",
    nonsense: "is damaged or cut short",
    flat: "needs at least 4 slices",
    uniform: "it shows nothing",
    broken_zip: "is damaged or locked",
    missing: "There is no scan at",
    empty: "is empty",
}


@pytest.mark.parametrize("make", BAD, ids=lambda make: make.__qualname__)
def test_bad_files_are_explained_in_a_sentence(tmp_path, scan, make):
    path = make(tmp_path, scan)
    with pytest.raises(ScanError) as caught:
        read_scan(path)
    message = str(caught.value)
    assert BAD[make] in message and "\n" not in message and caught.value.exit_code == 2
