"""Reading photos: every format, depth and orientation gives the same picture, every bad file one clear sentence."""

from __future__ import annotations

import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from lookalike.errors import PhotoError
from lookalike.photo import read_photo

WIDTH, HEIGHT = 96, 80


def scene() -> np.ndarray:
    """Four quarters: red, green / blue, white: any turn or flip shows."""
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    rgb[:40, :48] = 200, 30, 30
    rgb[:40, 48:] = 30, 200, 30
    rgb[40:, :48] = 30, 30, 200
    rgb[40:, 48:] = 240, 240, 240
    return rgb


def same(photo, rgb: np.ndarray, tolerance: float = 12.0) -> bool:
    """Equal away from the quarters' borders, where lossy formats ring."""
    assert photo.rgb.dtype == np.uint8
    if photo.rgb.shape != rgb.shape:
        return False
    return float(np.median(np.abs(photo.rgb.astype(int) - rgb.astype(int)).max(-1))) <= tolerance


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "bmp", "heic", "avif"])
def test_formats(tmp_path, suffix):
    if suffix in ("heic", "avif"):
        pytest.importorskip("pillow_heif").register_heif_opener()
    path = tmp_path / f"photo.{suffix}"
    try:
        Image.fromarray(scene()).save(path, quality=95)
    except (KeyError, ValueError, OSError) as error:
        pytest.skip(f"this Pillow cannot write {suffix}: {error}")
    photo = read_photo(path)
    assert photo.size == (WIDTH, HEIGHT)
    assert same(photo, scene())
    assert (photo.alpha, photo.focal, photo.path) == (None, None, path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path, orientation):
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.jpg"
    Image.fromarray(np.ascontiguousarray(undo(scene()))).save(path, quality=95, exif=exif)
    assert same(read_photo(path), scene())


def test_alpha_is_kept_apart_and_colours_are_not_changed_by_it(tmp_path):
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[:, :30] = 0
    alpha[:, 30:40] = 51
    path = tmp_path / "cut.png"
    Image.fromarray(np.dstack([scene(), alpha])).save(path)
    photo = read_photo(path)
    assert np.array_equal(photo.rgb, scene())
    assert photo.alpha.dtype == np.float32
    assert np.allclose(photo.alpha, alpha / 255)


def test_an_opaque_alpha_channel_says_nothing(tmp_path):
    path = tmp_path / "opaque.png"
    Image.fromarray(np.dstack([scene(), np.full((HEIGHT, WIDTH), 255, np.uint8)])).save(path)
    assert read_photo(path).alpha is None


def test_gray_with_alpha(tmp_path):
    gray = scene()[..., 0]
    alpha = np.where(np.arange(WIDTH) < 20, 0, 255).astype(np.uint8)[None].repeat(HEIGHT, 0)
    path = tmp_path / "la.png"
    Image.merge("LA", [Image.fromarray(gray), Image.fromarray(alpha)]).save(path)
    photo = read_photo(path)
    assert np.array_equal(photo.rgb, gray[..., None].repeat(3, 2))
    assert (photo.alpha[0, 0], photo.alpha[0, -1]) == (0, 1)


@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_palette_with_transparency(tmp_path, suffix):
    image = Image.fromarray(scene()).quantize(8)
    path = tmp_path / f"palette.{suffix}"
    image.save(path, transparency=image.getpixel((0, 0)))
    photo = read_photo(path)
    assert (photo.alpha[0, 0], photo.alpha[-1, -1]) == (0, 1)
    assert np.abs(photo.rgb[-1, -1].astype(int) - scene()[-1, -1]).max() < 6


def test_sixteen_bit_gray(tmp_path):
    values = np.linspace(0, 65535, WIDTH).astype(np.uint16)[None].repeat(HEIGHT, 0)
    for suffix in ("png", "tiff"):
        path = tmp_path / f"deep.{suffix}"
        Image.fromarray(values).save(path)
        assert np.abs(read_photo(path).rgb[0, :, 1] - np.linspace(0, 255, WIDTH)).max() < 1.01


def test_cmyk_and_bilevel(tmp_path):
    Image.fromarray(scene()).convert("CMYK").save(tmp_path / "print.jpg", quality=95)
    assert same(read_photo(tmp_path / "print.jpg"), scene())
    Image.fromarray(scene()).convert("1").save(tmp_path / "fax.tiff")
    assert set(np.unique(read_photo(tmp_path / "fax.tiff").rgb)) <= {0, 255}


def test_a_colour_profile_is_applied(tmp_path):
    lab = ImageCms.createProfile("LAB")
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), lab, "RGB", "LAB")
    path = tmp_path / "lab.tiff"
    ImageCms.applyTransform(Image.fromarray(scene()), to_lab).save(
        path, icc_profile=ImageCms.ImageCmsProfile(lab).tobytes()
    )
    assert same(read_photo(path), scene(), 20)


def test_a_broken_colour_profile_is_ignored(tmp_path):
    path = tmp_path / "profile.png"
    Image.fromarray(scene()).save(path, icc_profile=b"not a profile")
    assert same(read_photo(path), scene())


def focal_file(path, size=(WIDTH, HEIGHT), **tags) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({int(tag[1:], 16): value for tag, value in tags.items()})
    Image.new("RGB", size, "gray").save(path, exif=exif)


def test_focal_length_from_the_film_equivalent(tmp_path):
    focal_file(tmp_path / "a.jpg", (360, 240), xA405=50)
    # On a 3:2 picture the film frame's 36 mm are the longer side.
    assert read_photo(tmp_path / "a.jpg").focal == pytest.approx(50 / 36 * 360, rel=1e-3)


def test_focal_length_from_the_focal_plane(tmp_path):
    focal_file(tmp_path / "b.jpg", (300, 200), x920A=25.0, xA20E=4000.0, xA210=3, xA002=3000, xA003=2000)
    # 25 mm at 400 pixels a millimetre, in a picture scaled down ten times.
    assert read_photo(tmp_path / "b.jpg").focal == pytest.approx(1000, rel=1e-3)


def test_focal_length_of_a_cropped_or_odd_file_is_unknown(tmp_path):
    focal_file(tmp_path / "c.jpg", (200, 200), xA405=50, xA002=3000, xA003=2000)
    assert read_photo(tmp_path / "c.jpg").focal is None
    focal_file(tmp_path / "d.jpg", xA405=0)
    assert read_photo(tmp_path / "d.jpg").focal is None


def test_a_large_photo_is_scaled_down_with_its_focal_length(tmp_path):
    focal_file(tmp_path / "large.jpg", (6000, 4000), xA405=36)
    photo = read_photo(tmp_path / "large.jpg")
    assert photo.size == (4096, 2731)
    assert photo.focal == pytest.approx(4096, rel=1e-3)


def test_a_large_turned_photo_keeps_its_shape(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (6000, 3000), "gray").save(tmp_path / "large.jpg", exif=exif)
    assert read_photo(tmp_path / "large.jpg").size == (2048, 4096)


def png_header(width: int, height: int) -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return start + struct.pack(">I", 1000) + b"IDAT" + bytes(10)


def bad_file(tmp_path, what: str):
    path = tmp_path / "photo.jpg"
    rng = np.random.default_rng(0)
    if what == "folder":
        path.mkdir()
    elif what == "empty":
        path.write_bytes(b"")
    elif what == "text":
        path.write_text("this is not a picture\n" * 20)
    elif what == "cut short":
        Image.fromarray(rng.integers(0, 255, (200, 200, 3), np.uint8)).save(path)
        path.write_bytes(path.read_bytes()[:9000])
    elif what == "dot":
        Image.new("RGB", (1, 1)).save(path)
    elif what == "huge":
        path = tmp_path / "photo.png"
        path.write_bytes(png_header(20000, 20000))
    elif what == "large":
        path = tmp_path / "photo.png"
        path.write_bytes(png_header(12001, 10000))
    elif what == "thread":
        path = tmp_path / "photo.png"
        Image.new("L", (64, 8000)).save(path)
    elif what == "animation":
        path = tmp_path / "photo.gif"
        frames = [Image.fromarray(rng.integers(0, 255, (80, 80, 3), np.uint8)) for _ in range(3)]
        frames[0].save(path, save_all=True, append_images=frames[1:])
    elif what == "clear":
        path = tmp_path / "photo.png"
        Image.new("RGBA", (80, 80), (9, 9, 9, 0)).save(path)
    elif what == "broken heic":
        path = tmp_path / "photo.heic"
        path.write_bytes(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100))
    return path


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("missing", "no file"),
        ("folder", "folder"),
        ("empty", "is empty"),
        ("text", "not a picture"),
        ("cut short", "not complete"),
        ("dot", "at least 64 x 64"),
        ("huge", "too large"),
        ("large", "too large"),
        ("thread", "too long and thin"),
        ("animation", "save one frame of it as PNG or JPEG"),
        ("clear", "transparent"),
        ("broken heic", "photo.heic"),
    ],
)
def test_bad_files_give_one_sentence(tmp_path, capfd, what, says):
    path = bad_file(tmp_path, what)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(PhotoError) as caught:
            read_photo(path)
    message = str(caught.value)
    assert says in message
    assert message.endswith(".")
    assert "\n" not in message
    assert capfd.readouterr() == ("", "")
