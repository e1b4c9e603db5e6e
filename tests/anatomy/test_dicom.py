"""DICOM series: sorted by place, put right where slices are missing, and refused in one sentence."""

from __future__ import annotations

import zipfile

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless, generate_uid

from lookalike.anatomy.read import read_scan
from lookalike.anatomy.scan_error import ScanError
from lookalike.anatomy.volume import Volume
from tests.anatomy.dicom_files import edit, write_slices
from tests.anatomy.solids import ct_of, oblique_grid, sphere

SIZE = (40, 36, 12)


@pytest.fixture(scope="module")
def scan() -> Volume:
    return ct_of(sphere(7), SIZE, oblique_grid(SIZE, (0.8, 0.9, 1.6)))


def same(found: Volume, scan: Volume) -> None:
    np.testing.assert_array_equal(found.values, scan.values)
    np.testing.assert_allclose(found.affine, scan.affine, atol=1e-4)


def test_slices_are_sorted_by_place_and_rescaled(tmp_path, scan):
    write_slices(tmp_path / "a", scan)
    found = read_scan(tmp_path / "a")
    same(found, scan)
    assert found.modality == "CT" and found.notes == () and found.values.dtype == np.int16


def test_a_fractional_slope(tmp_path, scan):
    write_slices(tmp_path / "a", scan, slope=0.5, shift=-1024.5)
    found = read_scan(tmp_path / "a")
    assert found.values.dtype == np.float32
    np.testing.assert_allclose(found.values, scan.values, atol=0.5)


def test_a_zip_is_a_folder(tmp_path, scan):
    files = write_slices(tmp_path / "a", scan)
    with zipfile.ZipFile(tmp_path / "scan.zip", "w") as archive:
        for file in files:
            archive.write(file, f"../../{file.name}")  # a name that must lead nowhere
        archive.writestr("README.txt", "not a slice")
    same(read_scan(tmp_path / "scan.zip"), scan)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_compressed_slices(tmp_path, scan, syntax):
    for file in write_slices(tmp_path / "a", scan):
        data = pydicom.dcmread(file)
        data.compress(syntax)
        data.save_as(file)
    same(read_scan(tmp_path / "a"), scan)


def test_lossless_jpeg_which_only_gdcm_reads(tmp_path, scan):
    for file in write_slices(tmp_path / "a", scan):
        position = pydicom.dcmread(file)
        raw = sitk.GetImageFromArray(position.pixel_array[None])
        writer = sitk.ImageFileWriter()
        writer.SetImageIO("GDCMImageIO")
        writer.SetFileName(str(file) + ".dcm")
        writer.UseCompressionOn()
        writer.SetCompressor("JPEG")
        writer.Execute(raw)
        packed = pydicom.dcmread(str(file) + ".dcm")
        position.file_meta.TransferSyntaxUID = packed.file_meta.TransferSyntaxUID
        position.PixelData = packed.PixelData
        position["PixelData"].VR = "OB"
        position["PixelData"].is_undefined_length = True
        position.save_as(file)
        (file.parent / (file.name + ".dcm")).unlink()
    assert packed.file_meta.TransferSyntaxUID.name.startswith("JPEG Lossless")
    same(read_scan(tmp_path / "a"), scan)


def test_a_tilted_gantry_is_told_and_kept(tmp_path, scan):
    affine = scan.affine.copy()
    affine[:, 2] += 0.3 * scan.affine[:, 1]
    tilted = Volume(scan.values, affine, "CT")
    folder = tmp_path / "a"
    # The slices' own direction says where rows and columns run; their positions are sheared.
    write_slices(folder, tilted)
    found = read_scan(folder)
    np.testing.assert_allclose(found.affine, affine, atol=1e-4)
    assert any("tilted by" in note for note in found.notes)


def test_missing_slices_are_interpolated_and_told(tmp_path, scan):
    files = write_slices(tmp_path / "a", scan)
    files[5].unlink()
    found = read_scan(tmp_path / "a")
    assert found.notes == ("1 of 12 slices are missing and were interpolated from their neighbours.",)
    np.testing.assert_allclose(found.affine, scan.affine, atol=1e-4)
    between = (scan.values[4].astype(float) + scan.values[6]) / 2
    np.testing.assert_allclose(found.values[5], between, atol=0.51)
    for index in (2, 3, 4, 6):
        files[index].unlink()
    with pytest.raises(ScanError, match="slices are missing: too many"):
        read_scan(tmp_path / "a")


def test_mixed_spacing_is_evened_and_told(tmp_path, scan):
    files = write_slices(tmp_path / "a", scan)
    for index, file in enumerate(files):
        extra = 0.55 * max(0, index - 6)
        edit(file, ImagePositionPatient=[*scan.points(np.array([[0, 0, index + extra]]))[0]])
    found = read_scan(tmp_path / "a")
    assert "mm apart; they were interpolated to" in found.notes[0]
    np.testing.assert_allclose(found.spacing[2], 1.6, rtol=0.05)


def test_the_largest_of_several_series_or_the_one_asked_for(tmp_path, scan):
    small = Volume(scan.values[:6], scan.affine, "CT")
    uid = generate_uid()
    write_slices(tmp_path / "all" / "a", scan)
    write_slices(tmp_path / "all" / "b", small, SeriesInstanceUID=uid)
    found = read_scan(tmp_path / "all")
    same(found, scan)
    assert found.notes[0].startswith("There are 2 series (1: 12 slices of 40 x 36; 2: 6 slices of 40 x 36)")
    for series in ("2", uid):
        same(read_scan(tmp_path / "all", series), small)
    with pytest.raises(ScanError, match="no single series '3': choose by number"):
        read_scan(tmp_path / "all", "3")


def test_a_scout_is_left_out_but_a_mixture_is_refused(tmp_path, scan):
    uid = generate_uid()
    write_slices(tmp_path / "a", scan, SeriesInstanceUID=uid)
    turned = Volume(scan.values[:4, :10, :10], oblique_grid((10, 10, 4), (1, 1, 1), (80, 10, 5)), "CT")
    files = write_slices(tmp_path / "b", turned, SeriesInstanceUID=uid)
    (tmp_path / "a" / "scout").write_bytes(files[0].read_bytes())
    found = read_scan(tmp_path / "a")
    same(found, scan)
    assert "1 slices of another size or direction" in found.notes[0]
    for file in files:
        (tmp_path / "a" / f"more{file.name}").write_bytes(file.read_bytes())
    with pytest.raises(ScanError, match="mixes slices of 2 sizes or directions"):
        read_scan(tmp_path / "a")


def test_copies_and_echoes_at_one_place(tmp_path, scan):
    uid = generate_uid()
    write_slices(tmp_path / "a", scan, SeriesInstanceUID=uid, EchoNumbers=1)
    other = Volume(scan.values // 2, scan.affine, "CT")
    write_slices(tmp_path / "a" / "second", other, SeriesInstanceUID=uid, EchoNumbers=2)
    found = read_scan(tmp_path / "a")
    same(found, scan)
    assert "12 more slices lie at the same places" in found.notes[0]


def test_a_real_series_as_simpleitk_reads_it(t1_head):
    found = read_scan(t1_head)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(t1_head)))
    image = reader.Execute()
    np.testing.assert_array_equal(found.values, sitk.GetArrayViewFromImage(image))
    for index in ((0, 0, 0), (10, 200, 30)):
        place = image.TransformIndexToPhysicalPoint(index)
        np.testing.assert_allclose(found.points(np.array([index], float))[0], place, atol=1e-3)
    assert found.modality == "MR" and found.orientation == "LPS"
