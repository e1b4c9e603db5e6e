"""Does the mesh fill the person's outline? Each posed.glb is seen by the photo's camera and compared with the matte.

    python benchmarks/outline_iou.py DIR [--photos a b ...] [--longest 1024]

DIR is a results folder of `lookalike make`. Printed for every person: the IoU of the rendered outline and of
matte > 0.5, the same for the bare body, and the median landmark error as a share of the person's height in the picture.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from results import Result, find_results, read_posed

from lookalike.render.raycast import RayCaster


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--photos", nargs="+", help="only photos whose names start so")
    parser.add_argument("--longest", type=int, default=1024, help="compare at this size of the longer side at most")
    options = parser.parse_args()
    scores = []
    print(f"{'person':42} {'surface':>8} {'body':>8} {'landmarks %':>12}")
    for result in find_results(options.results, options.photos):
        if result.failure:
            print(f"{result.name:42} {'failed: ' + result.failure}")
            continue
        outline = matte(result, options.longest)
        error = result.report.get("landmark_error")
        score = (
            iou(result, "posed.glb", outline),
            iou(result, "body.glb", outline),
            np.nan if error is None else 100 * error,
        )
        scores.append(score)
        print(f"{result.name:42} {score[0]:8.3f} {score[1]:8.3f} {score[2]:12.2f}")
    if scores:
        for label, reduce in (("mean", np.nanmean), ("median", np.nanmedian), ("worst outline", np.nanmin)):
            values = reduce(np.array(scores), axis=0)
            landmarks = f"{values[2]:12.2f}" if label != "worst outline" else ""
            print(f"{label + f' of {len(scores)}':42} {values[0]:8.3f} {values[1]:8.3f} {landmarks}")


def matte(result: Result, longest: int) -> np.ndarray:
    """(h, w) bool, at most `longest` pixels long."""
    image = np.asarray(Image.open(result.folder / "matte.png").convert("L"))
    scale = min(1.0, longest / max(image.shape))
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA) > 127


def iou(result: Result, name: str, outline: np.ndarray) -> float:
    """Intersection over union of a mesh's outline, seen by the photo's camera, and a mask; nan without the mesh."""
    path = result.folder / name
    if not path.exists():
        return float("nan")
    vertices, faces, _ = read_posed(path)
    camera = result.camera
    small = camera.window(0, 0, camera.width, camera.height, outline.shape[1] / camera.width)
    seen = RayCaster(vertices, faces).cast_image(small).hit
    seen = seen[: outline.shape[0]]
    mask = outline[: seen.shape[0]]
    return float((seen & mask).sum() / max((seen | mask).sum(), 1))


if __name__ == "__main__":
    main()
