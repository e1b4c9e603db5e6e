"""Geometry on Microsoft Rocketbox people: makes the surface and the bare body of each, and evaluates both.

    python benchmarks/rocketbox.py ROCKETBOX_DIR --evaluator SCRIPT.py --out DIR [--names A B ...] [--every N]

ROCKETBOX_DIR/NAME/image.png is a picture with alpha; the meshes beside it are for the evaluator alone. Written:
DIR/surface/NAME.glb, DIR/body/NAME.glb (both in the picture's pose and camera frame) and their results.json. The
evaluator is called as `SCRIPT.py --pred-dir DIR/... --gt-dir ROCKETBOX_DIR --names ...`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from lookalike.errors import LookalikeError
from lookalike.export import write_body_glb, write_posed_glb
from lookalike.pipeline import make_avatar

MEASURES = ("chamfer", "p2s", "s2p", "nc", "f1", "f2", "sil_iou", "normal_err", "rot")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rocketbox", type=Path)
    parser.add_argument("--evaluator", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--names", nargs="+")
    parser.add_argument("--every", type=int, default=1, help="take every Nth person")
    parser.add_argument("--only-evaluate", action="store_true", help="evaluate what DIR holds already")
    options = parser.parse_args()
    names = options.names or sorted(path.parent.name for path in options.rocketbox.glob("*/mesh.npz"))
    names = names[:: options.every]
    if not names:
        parser.error(f"{options.rocketbox} holds no NAME/mesh.npz")
    folders = {kind: options.out / kind for kind in ("surface", "body")}
    if not options.only_evaluate:
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            print(f"{name:28}", reconstruct(options.rocketbox / name / "image.png", name, folders), flush=True)
    # Both at once: the evaluator uses one core.
    running = {kind: evaluate(options.evaluator, folder, options.rocketbox, names) for kind, folder in folders.items()}
    print(f"{'mean':10}" + "".join(f"{measure:>11}" for measure in MEASURES) + f"{'failures':>11}")
    for kind, process in running.items():
        if process.wait() != 0:
            sys.exit(f"{options.evaluator} ended with code {process.returncode}")
        summary = json.loads((folders[kind] / "results.json").read_text("utf-8"))["summary"]
        cells = (f"{summary['mean'][measure]:11.3f}" if "mean" in summary else f"{'-':>11}" for measure in MEASURES)
        print(f"{kind:10}" + "".join(cells) + f"{summary['n_failed']:>5} of {summary['n']}", flush=True)


def reconstruct(picture: Path, name: str, folders: dict[str, Path]) -> str:
    """Write the surface and the body of one picture; returns how it went, in words."""
    targets = {kind: folder / f"{name}.glb" for kind, folder in folders.items()}
    for target in targets.values():
        target.unlink(missing_ok=True)  # a failure must not be judged by an earlier run's mesh
    start = time.perf_counter()
    try:
        avatar = make_avatar(picture)
        write_posed_glb(avatar.surface, avatar.material, targets["surface"])
        write_body_glb(avatar.body, targets["body"])
    except LookalikeError as error:
        return f"FAILED {error}"
    except Exception as error:  # a mistake of ours in one person must not end the run
        return f"FAILED {type(error).__name__}: {error}"
    return f"{time.perf_counter() - start:6.1f} s   landmarks {100 * avatar.body.landmark_error:.2f} %"


def evaluate(evaluator: Path, folder: Path, rocketbox: Path, names: list[str]) -> subprocess.Popen:
    """Start the evaluator on a folder of meshes; it writes results.json there."""
    command = [sys.executable, str(evaluator), "--pred-dir", str(folder), "--gt-dir", str(rocketbox), "--quiet"]
    return subprocess.Popen([*command, "--names", *names, "--out", str(folder / "results.json")])


if __name__ == "__main__":
    main()
