"""How good are the mattes? People with a known alpha channel are put on busy backgrounds, found again, and compared.

    python benchmarks/matte_iou.py PHOTOS_DIR [--stride N] [--save DIR]

PHOTOS_DIR holds PNG files with an alpha channel (the truth, in any depth of folders) and, beside them, other photos
whose corners serve as backgrounds. Printed for every composite: IoU of matte and alpha, both cut at one half; the mean
absolute difference inside the person's box; and the IoU of the band along the outline, 2 % of the person's height wide.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from lookalike.errors import LookalikeError
from lookalike.photo import find_subjects, read_photo
from lookalike.photo.detect import find_people
from lookalike.photo.patch import Pyramid
from lookalike.photo.subject import Photo

KINDS = ("photo", "noise", "stripes")


def noise(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """Coloured noise with as much contrast at every scale, (height, width, 3) uint8."""
    import cv2

    total = np.zeros((height, width, 3), np.float32)
    for octave in range(2, 9):
        cells = rng.standard_normal((2**octave, 2**octave, 3)).astype(np.float32)
        total += cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC) * 0.75**octave
    total = (total - total.mean((0, 1))) / total.std((0, 1))
    return np.clip(rng.uniform(70, 180, 3) + 45 * total, 0, 255).astype(np.uint8)


def stripes(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """A plaid of two turned families of stripes in random colours, (height, width, 3) uint8."""
    v, u = np.mgrid[0:height, 0:width]
    colours = rng.uniform(20, 235, (2, 2, 3))
    index = []
    for _ in range(2):
        angle, period = rng.uniform(0, np.pi), rng.uniform(0.03, 0.12) * max(width, height)
        index.append(((u * np.cos(angle) + v * np.sin(angle)) / period % 1 > rng.uniform(0.3, 0.7)).astype(int))
    return colours[index[0], index[1]].astype(np.uint8)


def corner(width: int, height: int, source: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A photo's busiest upper corner (people seldom stand there), mirrored to fill (height, width, 3) uint8."""
    import cv2

    h, w = (int(extent * 0.28) for extent in source.shape[:2])
    corners = [source[:h, :w], source[:h, -w:]]
    piece = max(corners, key=lambda c: float(np.abs(np.diff(c.astype(np.float32), axis=1)).mean()))
    scale = max(1.0, 0.5 * max(width, height) / max(h, w))
    piece = cv2.resize(piece, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    rows, columns = -(-height // piece.shape[0]) + 1, -(-width // piece.shape[1]) + 1
    double = np.vstack([np.hstack([piece, piece[:, ::-1]]), np.hstack([piece, piece[:, ::-1]])[::-1]])
    tiled = np.tile(double, (rows // 2 + 1, columns // 2 + 1, 1))
    y, x = (int(rng.integers(0, extent)) for extent in piece.shape[:2])
    return np.ascontiguousarray(tiled[y : y + height, x : x + width])


def empty_corner(width: int, height: int, others: list[Path], rng: np.random.Generator) -> np.ndarray:
    """A corner of the first of the shuffled photos that has a corner without people."""
    for index in rng.permutation(len(others)):
        background = corner(width, height, read_photo(others[index]).rgb, rng)
        if not find_people(Pyramid(background)):
            break
    return background


def composites(folder: Path, stride: int = 1, seed: int = 0):
    """Yield (name, kind, composite (H, W, 3) uint8, alpha (H, W) float32) for every `stride`-th PNG with alpha."""
    truths = [p for p in sorted(folder.rglob("*.png")) if _has_alpha(p)][::stride]
    others = sorted(p for ext in ("*.jpg", "*.jpeg") for p in folder.rglob(ext))
    for number, path in enumerate(truths):
        photo = read_photo(path)
        width, height = photo.size
        for index, kind in enumerate(KINDS):
            rng = np.random.default_rng([seed, number, index])
            if kind == "photo" and others:
                background = empty_corner(width, height, others, rng)
            else:
                background = stripes(width, height, rng) if kind == "stripes" else noise(width, height, rng)
            alpha = photo.alpha[..., None]
            picture = (photo.rgb * alpha + background * (1 - alpha)).round().astype(np.uint8)
            name = f"{path.parent.name}/{path.stem}" if path.stem == "image" else path.stem
            yield name, kind, picture, photo.alpha


def _has_alpha(path: Path) -> bool:
    from PIL import Image

    with Image.open(path) as image:
        return image.mode == "RGBA" and image.getextrema()[3][0] < 255


def score(matte: np.ndarray, alpha: np.ndarray) -> tuple[float, float, float]:
    """IoU, mean absolute difference in the person's box, IoU of the outline band."""
    import cv2

    ours, truth = matte > 0.5, alpha > 0.5
    iou = (ours & truth).sum() / max((ours | truth).sum(), 1)
    rows, columns = np.nonzero(truth.any(1))[0], np.nonzero(truth.any(0))[0]
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    radius = max(1, int(0.01 * (rows[-1] - rows[0])))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    band = (cv2.dilate(truth.astype(np.uint8), kernel) - cv2.erode(truth.astype(np.uint8), kernel)).astype(bool)
    edge = (ours & truth & band).sum() / max(((ours | truth) & band).sum(), 1)
    return float(iou), float(np.abs(matte - alpha)[box].mean()), float(edge)


def measure(
    folder: Path, stride: int = 1, save: Path | None = None
) -> dict[tuple[str, str], tuple[float, float, float]]:
    """(photo, background) -> scores; zeros where no person was found. `save`: a folder for pictures to look at."""
    import cv2

    results = {}
    for name, kind, picture, alpha in composites(folder, stride):
        try:
            matte = find_subjects(Photo(picture), "largest")[0].matte
        except LookalikeError:
            matte = np.zeros_like(alpha)
        results[name, kind] = score(matte, alpha)
        if save is not None:
            save.mkdir(parents=True, exist_ok=True)
            cut = picture * matte[..., None] + np.float32([255, 0, 255]) * (1 - matte[..., None])
            truth = picture * alpha[..., None] + np.float32([255, 0, 255]) * (1 - alpha[..., None])
            sheet = np.hstack([picture, cut.astype(np.uint8), truth.astype(np.uint8)])
            file = f"{results[name, kind][0]:.3f}_{name.replace('/', '_')}_{kind}.png"
            cv2.imwrite(str(save / file), sheet[..., ::-1])
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--save", type=Path)
    options = parser.parse_args()
    results = measure(options.photos, options.stride, options.save)
    out = sys.stdout
    out.write(f"{'photo':44} {'background':10} {'IoU':>6} {'MAD':>6} {'edge':>6}\n")
    for (name, kind), values in sorted(results.items(), key=lambda item: item[1][0]):
        out.write(f"{name:44} {kind:10} " + " ".join(f"{value:6.3f}" for value in values) + "\n")
    for kind in (*KINDS, "all"):
        chosen = [values for (_, k), values in results.items() if kind in (k, "all")]
        means = " ".join(f"{value:6.3f}" for value in np.mean(chosen, 0))
        out.write(f"{'mean of ' + str(len(chosen)):44} {kind:10} {means}\n")


if __name__ == "__main__":
    main()
