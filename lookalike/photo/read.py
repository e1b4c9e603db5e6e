"""A file to an upright, 8-bit sRGB `Photo`, whatever the file's format, depth, colours and orientation."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lookalike.errors import PhotoError
from lookalike.photo.subject import Photo

if TYPE_CHECKING:
    from PIL import Image

#: Shortest side that can show a person, pixels.
MIN_SIDE = 64
#: Pictures with more pixels are refused before they are decoded.
MAX_PIXELS = 120_000_000
#: Larger pictures are scaled down to this longest side while they are decoded.
MAX_SIDE = 4096

_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "GIF", "HEIF", "AVIF")
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, RuntimeError, LookupError, TypeError, struct.error, zlib.error)
#: Diagonal of the 36 x 24 mm film frame that 35 mm-equivalent focal lengths refer to (CIPA DCG-001).
_FILM_DIAGONAL = 43.2666


def read_photo(path: str | os.PathLike[str]) -> Photo:
    """Read a JPEG, PNG, WebP, HEIC, TIFF, AVIF or BMP file.

    The photo comes out upright, in sRGB, at most `MAX_SIDE` pixels long. Transparency is kept apart, colours are not
    changed by it.

    Raises
    ------
    PhotoError : the file is missing, damaged, no picture, animated, or too small or too large.
    """
    path = Path(path)
    _check_file(path)
    # Pillow warns about large sizes, odd metadata and palettes; what matters is raised below as an error.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _read(path)


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise PhotoError(f"{path} is a folder: name one photo in it.")
    if not path.exists():
        raise PhotoError(f"There is no file {path}: check the path.")
    try:
        with path.open("rb") as file:
            first = file.read(1)
    except OSError as error:
        raise PhotoError(f"{path} cannot be opened ({error.strerror}): check its permissions.") from error
    if not first:
        raise PhotoError(f"{path} is empty: export or copy the photo again.")


def _read(path: Path) -> Photo:
    from PIL import Image, ImageOps, UnidentifiedImageError

    _register_heif(path)
    Image.init()
    try:
        image = Image.open(path, formats=[name for name in _FORMATS if name in Image.OPEN])
    except Image.DecompressionBombError as error:
        raise PhotoError(_too_large(path)) from error
    except UnidentifiedImageError as error:
        raise PhotoError(
            f"{path} is not a picture that can be read: save it as JPEG, PNG, WebP, HEIC or TIFF."
        ) from error
    except _DAMAGE as error:
        raise PhotoError(_damaged(path)) from error

    with image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise PhotoError(_too_large(path, width, height))
        if min(width, height) < MIN_SIDE:
            raise PhotoError(
                f"{path} has only {width} x {height} pixels: use a photo of at least {MIN_SIDE} x {MIN_SIDE} pixels."
            )
        try:
            if image.format in ("GIF", "PNG", "WEBP") and getattr(image, "is_animated", False):
                raise PhotoError(f"{path} is an animation: save one frame of it as PNG or JPEG.")
            exif = image.getexif()
            scale = min(1.0, MAX_SIDE / max(width, height))
            target = (max(1, round(width * scale)), max(1, round(height * scale)))
            if min(target) < MIN_SIDE:
                raise PhotoError(f"{path} ({width} x {height} pixels) is too long and thin: crop it to the person.")
            image.draft(None, target)
            image.load()
            profile = image.info.get("icc_profile")
            upright = ImageOps.exif_transpose(image)
            rgb, alpha = _split(upright)
            if scale < 1.0:
                target = target if (upright.width > upright.height) == (width > height) else target[::-1]
                rgb = rgb.resize(target, Image.Resampling.LANCZOS, reducing_gap=2.0)
                alpha = alpha and alpha.resize(target, Image.Resampling.BOX)
            rgb = _to_srgb(rgb, profile)
        except MemoryError as error:
            raise PhotoError(_too_large(path, width, height)) from error
        except _DAMAGE as error:
            raise PhotoError(_damaged(path)) from error
    opacity = None
    if alpha is not None and np.asarray(alpha).min() < 255:
        opacity = np.asarray(alpha, np.float32) / 255
        if opacity.max() == 0:
            raise PhotoError(f"{path} is wholly transparent: export it with its person visible.")
    return Photo(np.ascontiguousarray(rgb), opacity, _focal(exif, (width, height), max(rgb.size)), path)


def _too_large(path: Path, *size: int) -> str:
    pixels = f"{size[0]} x {size[1]} pixels, " if size else ""
    return f"{path} is too large ({pixels}more than {MAX_PIXELS // 1_000_000} megapixels): scale it down first."


def _damaged(path: Path) -> str:
    return f"{path} is damaged or not complete: export or copy the photo again."


def _register_heif(path: Path) -> None:
    """Teach Pillow HEIC, only when a file wants it: the import takes a while."""
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] != b"ftyp":
        return
    try:
        import pi_heif
    except ImportError as error:
        raise PhotoError(f"{path} is a HEIC file: install pi-heif, or save it as JPEG.") from error
    pi_heif.register_heif_opener()


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The colours, in "RGB", "L" or "CMYK" with 8 bits a channel, and the alpha channel if there is one."""
    from PIL import Image

    mode = image.mode
    if mode.startswith("I") or mode == "F":
        values = np.nan_to_num(np.asarray(image, np.float64))
        key = image.info.get("transparency")
        top = 1.0 if mode == "F" and values.max() <= 1.0 else 255.0 if values.max() <= 255 and mode == "F" else 65535.0
        gray = Image.fromarray(np.clip(np.rint(values * (255.0 / top)), 0, 255).astype(np.uint8))
        alpha = Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8)) if isinstance(key, int) else None
        return gray, alpha
    if mode in ("RGBa", "La"):
        image = image.convert("RGBA" if mode == "RGBa" else "LA")
    elif mode == "PA" or ("transparency" in image.info and mode in ("P", "L", "RGB", "1")):
        image = image.convert("RGBA")
    if image.mode in ("RGBA", "LA"):
        return image.convert("RGB" if image.mode == "RGBA" else "L"), image.getchannel("A")
    if image.mode in ("RGB", "CMYK", "L"):
        return image, None
    return image.convert("L" if image.mode == "1" else "RGB"), None


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """To sRGB by the file's colour profile; by Pillow's plain conversion where there is none or it does not fit."""
    if profile:
        import io

        from PIL import ImageCms

        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if image.mode != "RGB" or "srgb" not in ImageCms.getProfileDescription(source).lower():
                converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
                if converted is not None:
                    return converted
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    return image.convert("RGB")


def _focal(exif: Image.Exif, header_size: tuple[int, int], longest: int) -> float | None:
    """Focal length in pixels of the photo as it was read (`longest`: its longer side), or None.

    The file's focal lengths describe the picture as it was taken: they are dropped when it was cropped since.
    """
    try:
        tags = exif.get_ifd(0x8769)
    except _DAMAGE:
        return None

    def number(tag: int) -> float:
        try:
            value = float(tags.get(tag) or 0.0)
        except (TypeError, ValueError, ZeroDivisionError):
            return 0.0
        return value if np.isfinite(value) and value > 0 else 0.0

    width, height = header_size
    taken_width, taken_height = number(0xA002) or width, number(0xA003) or height
    long_share = max(width, height) / min(width, height)
    if abs(max(taken_width, taken_height) / min(taken_width, taken_height) / long_share - 1) > 0.03:
        return None
    focal = 0.0  # in units of the longer side
    if number(0xA405):
        focal = number(0xA405) / _FILM_DIAGONAL * float(np.hypot(1, 1 / long_share))
    elif number(0x920A) and number(0xA20E):
        millimetres = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}.get(int(number(0xA210)) or 2, 25.4)
        focal = number(0x920A) * number(0xA20E) / millimetres / max(taken_width, taken_height)
    return focal * longest if 0.3 < focal < 50 else None
