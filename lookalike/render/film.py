"""Turntables: a surface in, a short looping film of it turning round once out."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from lookalike.appearance.material import Material
from lookalike.export.output import output_errors
from lookalike.render.raycast import available_cores
from lookalike.render.shade import BACKDROP, Studio, Style
from lookalike.render.view import orbit
from lookalike.rig.avatar import Avatar
from lookalike.surface.mesh import Surface

#: Seconds of one turn.
TURN = 3.0


def turntable(
    person: Avatar | Surface,
    path: str | Path,
    frames: int = 48,
    size: tuple[int, int] = (384, 512),
    *,
    material: Material | None = None,
    style: Style = "textured",
    elevation: float = 6.0,
    threads: int | None = None,
) -> None:
    """Write a film of a person in the photo's pose turning round once; it loops without a jump.

    person : an avatar, or a surface with its `material` (without one it is clay).
    path : `.mp4` (H.264, yuv420p, which every player shows) or `.gif`.
    frames : pictures of one turn, which takes `TURN` seconds.  size : (width, height), even numbers for MP4.
    threads : cores, None for all.
    Raises ValueError for another suffix and OutputError where the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in (".mp4", ".gif"):
        raise ValueError(f"A turntable is an .mp4 or a .gif, not {path.suffix or path.name!r}.")
    surface = person.surface if isinstance(person, Avatar) else person
    if isinstance(person, Avatar) and material is None:
        material = person.material
    pictures = turn(surface, material, frames, size, style=style, elevation=elevation, threads=threads)
    with output_errors(path):
        path.write_bytes(b"")  # ffmpeg's own complaint about a bad path would reach nobody
        if path.suffix.lower() == ".mp4":
            _write_mp4(pictures, path, size, frames / TURN)
        else:
            _write_gif(pictures, path, frames / TURN)
        if path.stat().st_size == 0:
            raise OSError("the film's encoder failed")


def turn(
    surface: Surface,
    material: Material | None,
    frames: int,
    size: tuple[int, int],
    *,
    style: Style = "textured",
    elevation: float = 6.0,
    threads: int | None = None,
) -> Iterator[np.ndarray]:
    """The pictures (height, width, 3) uint8 of one turn, the first from the front, in order."""
    studio = Studio.of(surface, material, threads=1)
    yaws = np.arange(frames) * 360.0 / frames
    views = [orbit(studio.hull, size, yaw, elevation, every_yaw=True) for yaw in yaws]
    studio.prepare(views[0])
    # Embree and numpy leave Python's lock alone while they work, so frames run side by side.
    with ThreadPoolExecutor(threads or available_cores()) as pool:
        yield from pool.map(lambda view: studio.render(view, style, BACKDROP), views)


def _write_mp4(pictures: Iterator[np.ndarray], path: Path, size: tuple[int, int], rate: float) -> None:
    import imageio_ffmpeg

    writer = imageio_ffmpeg.write_frames(
        str(path),
        size,
        fps=rate,
        codec="libx264",
        pix_fmt_out="yuv420p",
        quality=None,
        macro_block_size=2,
        output_params=["-preset", "veryfast", "-crf", "20", "-movflags", "+faststart"],
    )
    try:
        writer.send(None)
        for picture in pictures:
            writer.send(np.ascontiguousarray(picture))
    finally:
        writer.close()


def _write_gif(pictures: Iterator[np.ndarray], path: Path, rate: float) -> None:
    from PIL import Image

    images = [Image.fromarray(picture) for picture in pictures]
    # One palette for all frames, from a few of them side by side: separate ones would shimmer.
    width, height = images[0].size
    chosen = images[:: max(len(images) // 4, 1)]
    sheet = Image.new("RGB", (width * len(chosen), height))
    for i, image in enumerate(chosen):
        sheet.paste(image, (i * width, 0))
    palette = sheet.quantize(256, Image.Quantize.MEDIANCUT)
    images = [image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG) for image in images]
    images[0].save(path, save_all=True, append_images=images[1:], duration=round(1000 / rate), loop=0)
