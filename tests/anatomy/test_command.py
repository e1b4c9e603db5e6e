"""`lookalike anatomy`: files, streams, exit codes, and that nothing of the person comes out."""

from __future__ import annotations

import json
import sys
import types

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from lookalike.anatomy.make import Options, make_anatomy, with_modality
from lookalike.anatomy.volume import Volume
from lookalike.cli import app
from lookalike.errors import LookalikeError, OutputError
from tests.anatomy.dicom_files import DATE, NAME, PATIENT, write_slices
from tests.anatomy.solids import ct_of, oblique_grid, occupancy, sphere

SIZE = (40, 40, 36)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["anatomy", *(str(argument) for argument in arguments)])


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch):
    monkeypatch.setattr("lookalike.anatomy.picture.SIZE", (48, 48))


@pytest.fixture(scope="module")
def scan() -> Volume:
    """A ball of flesh with a ball of bone in it."""
    affine = oblique_grid(SIZE, (2.0, 2.0, 2.0), (5, 3, 0))
    flesh, share = ct_of(sphere(30), SIZE, affine).values, occupancy(sphere(15), SIZE, affine)
    return Volume(np.rint(flesh + (460 - 40) * share).astype(np.int16), affine, "CT")


@pytest.fixture
def dicom(tmp_path, scan):
    write_slices(tmp_path / NAME, scan)
    return tmp_path / NAME


def test_a_scan_becomes_a_folder_without_a_trace_of_the_person(tmp_path, dicom):
    out = tmp_path / "out"
    result = run(dicom, "-o", out, "--format", "glb,stl,ply", "--faces", 2000)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(out / "anatomy.glb")
    pictures = ["above.png", "back.png", "front.png", "left.png"]
    wanted = [*pictures, "anatomy.glb", "report.json", *(f"{n}.{s}" for n in ("bone", "skin") for s in ("ply", "stl"))]
    assert sorted(path.name for path in out.iterdir()) == sorted(wanted)
    report = json.loads((out / "report.json").read_text())
    assert sorted(report["files"]) == sorted(wanted)
    skin, bone = report["parts"]
    assert skin["volume_ml"] == pytest.approx(4 / 3 * np.pi * 27, rel=0.02)
    assert bone["volume_ml"] == pytest.approx(4 / 3 * np.pi * 1.5**3, rel=0.02)
    assert skin["watertight"] and bone["watertight"]
    assert skin["surface_cm2"] == pytest.approx(4 * np.pi * 9, rel=0.02)
    assert "Not a medical device" in report["notice"]
    assert report["scan"]["spacing_mm"] == [2, 2, 2] and report["scan"]["modality"] == "CT"
    for path in out.iterdir():
        content = path.read_bytes()
        for secret in (NAME, PATIENT, DATE, "ROE", str(tmp_path)):
            assert secret.encode() not in content, (path, secret)


def test_the_scene_is_named_coloured_and_translucent(tmp_path, scan):
    from pygltflib import GLTF2

    make_anatomy(scan, tmp_path / "out", Options(faces=2000))
    gltf = GLTF2().load(str(tmp_path / "out" / "anatomy.glb"))
    assert [node.name for node in gltf.nodes] == ["bone", "skin", "Anatomy"]
    bone, skin = gltf.materials
    assert bone.alphaMode in (None, "OPAQUE") and skin.alphaMode == "BLEND"
    assert skin.pbrMetallicRoughness.baseColorFactor[3] < 0.5
    high = gltf.accessors[gltf.meshes[1].primitives[0].attributes.POSITION].max
    assert max(high) == pytest.approx(0.03, abs=0.001)


def test_stl_files_are_watertight_as_readers_see_them(tmp_path, scan):
    trimesh = pytest.importorskip("trimesh")
    make_anatomy(scan, tmp_path / "out", Options(faces=1000))
    for name in ("skin", "bone"):
        mesh = trimesh.load(tmp_path / "out" / f"{name}.stl")
        assert mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0
    assert np.ptp(mesh.vertices) == pytest.approx(30, abs=2)  # millimetres


def test_iso_values_and_label_maps(tmp_path, scan):
    labels = np.where(scan.values > 300, 2, np.where(scan.values > -500, 7, 0)).astype(np.int16)
    import nibabel

    affine = np.vstack([np.diag([-1.0, -1, 1]) @ scan.affine, [0, 0, 0, 1]])
    nibabel.save(nibabel.Nifti1Image(labels.T, affine), tmp_path / "labels.nii")
    nibabel.save(nibabel.Nifti1Image(scan.values.T, affine), tmp_path / "scan.nii")
    (tmp_path / "names.txt").write_text('# colours too\n2 255 0 0 1 "core / bone"\n7, flesh\n')
    options = ["--labels", tmp_path / "labels.nii", "--label-names", tmp_path / "names.txt", "--iso", "-480"]
    result = run(tmp_path / "scan.nii", "-o", tmp_path / "out", *options, "--json", "--faces", 2000)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    volumes = {part["name"]: part["volume_ml"] for part in report["parts"]}
    assert list(volumes) == ["iso--480", "core-bone", "flesh"]
    assert volumes["core-bone"] == pytest.approx((labels == 2).sum() * 8 / 1e3, rel=0.01)
    assert volumes["flesh"] == pytest.approx((labels == 7).sum() * 8 / 1e3, rel=0.01)
    assert volumes["iso--480"] == pytest.approx(4 / 3 * np.pi * 27, rel=0.01)
    assert report["scan"]["modality"] == "CT" and report["scan"]["modality_guessed"]


def test_an_earlier_model_is_replaced_and_a_strangers_file_is_not(tmp_path, scan):
    out = tmp_path / "out"
    make_anatomy(scan, out, Options(faces=500))
    (out / "notes.txt").write_text("mine")
    make_anatomy(scan, out, Options(tissues=("bone",), faces=500))
    assert not (out / "skin.stl").exists() and (out / "bone.stl").exists() and (out / "notes.txt").exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "bone.stl").write_text("mine")
    with pytest.raises(OutputError, match="was not written by Lookalike"):
        make_anatomy(scan, tmp_path / "other", Options(tissues=("bone",), faces=500))
    assert (tmp_path / "other" / "bone.stl").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "out"]


def wrong_type(folder, _dicom):
    (folder / "letter.pdf").write_text("Dear patient")
    return [folder / "letter.pdf"], "is no scan that can be read"


def empty(folder, _dicom):
    (folder / "none").mkdir()
    return [folder / "none"], "is empty"


def one_slice(folder, dicom):
    (folder / "one").mkdir()
    file = next(dicom.iterdir())
    file.rename(folder / "one" / "slice")
    return [folder / "one"], "The series has one slice"


def truncated(_folder, dicom):
    file = next(dicom.iterdir())
    file.write_bytes(file.read_bytes()[:-500])
    return [dicom], "A slice is damaged or cut short"


def wrong_tissue(_folder, dicom):
    return [dicom, "--tissues", "brain"], "taken for a CT, of which 'brain' cannot be made"


def no_lungs(_folder, dicom):
    return [dicom, "--tissues", "skin,lung"], "The scan shows no lungs"


def iso_outside(_folder, dicom):
    return [dicom, "--iso", "5000"], "is outside of the scan's values"


def no_series(_folder, dicom):
    return [dicom, "--series", "2"], "There is no single series"


def scan_as_labels(folder, dicom):
    return [dicom, "--labels", dicom], "The label map holds negative numbers"


@pytest.mark.parametrize(
    "make",
    [wrong_type, empty, one_slice, truncated, wrong_tissue, no_lungs, iso_outside, no_series, scan_as_labels],
)
def test_what_cannot_be_is_said_in_one_sentence_and_leaves_nothing(tmp_path, dicom, make):
    arguments, words = make(tmp_path, dicom)
    before = sorted(tmp_path.rglob("*"))
    result = run(*arguments, "-o", tmp_path / "new" / "out")
    assert result.exit_code == 2
    assert result.stdout == "" and len(result.stderr.strip().splitlines()) == 1
    assert result.stderr.startswith("lookalike: ") and words in result.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_options_that_make_no_sense(tmp_path):
    for options in (["--tissues", "soul"], ["--format", "doc"], ["--format", ""], ["--faces", "-1"]):
        assert run(tmp_path, "-o", tmp_path / "out", *options).exit_code == 2


def test_the_help_says_that_this_is_no_medical_device():
    assert "not a medical device" in run("--help").stdout


def test_a_modality_is_guessed_only_where_the_file_does_not_tell(scan):
    unknown = Volume(scan.values, scan.affine)
    assert with_modality(unknown, None) == (scan, True)
    assert with_modality(scan, None)[1] is False
    mr = Volume(np.abs(scan.values), scan.affine)
    assert with_modality(mr, None)[0].modality == "MR"
    assert with_modality(mr, "CT")[0].modality == "CT"


def test_totalsegmentator_is_asked_for_in_a_sentence(tmp_path, scan, monkeypatch):
    """Without the program, without its weights, and with both: a stand-in that labels as the program does."""
    monkeypatch.setitem(sys.modules, "totalsegmentator", None)
    with pytest.raises(LookalikeError, match="install TotalSegmentator"):
        make_anatomy(scan, tmp_path / "out", Options(segment=True))

    def totalsegmentator(image, output, **options):
        import nibabel

        assert output is None and options["ml"] and options["task"] == "total"
        interface.send_usage_stats("nobody must be told")
        return nibabel.Nifti1Image((np.asarray(image.dataobj) > 300).astype(np.uint8) * 5, image.affine)

    interface = types.ModuleType("totalsegmentator.python_api")
    interface.totalsegmentator = totalsegmentator
    interface.send_usage_stats = lambda *_: pytest.fail("usage statistics were sent")
    classes = types.ModuleType("totalsegmentator.map_to_binary")
    classes.class_map = {"total": {5: "liver"}}
    for name, module in (
        ("totalsegmentator", types.ModuleType("totalsegmentator")),
        ("totalsegmentator.python_api", interface),
        ("totalsegmentator.map_to_binary", classes),
    ):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", str(tmp_path / "weights"))
    with pytest.raises(LookalikeError, match="weights are not in"):
        make_anatomy(scan, tmp_path / "out", Options(segment=True))
    for number in range(291, 296):
        (tmp_path / "weights" / f"Dataset{number}_TotalSegmentator_part").mkdir(parents=True)
    report = make_anatomy(scan, tmp_path / "out", Options(segment=True, faces=1000))
    assert [part["name"] for part in report["parts"]] == ["liver"]
    middle = np.mean(report["parts"][0]["box_mm"], axis=0)
    np.testing.assert_allclose(middle, 0, atol=0.5)
