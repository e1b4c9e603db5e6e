"""The maps network on people whose bodies are estimated from the picture: angles to the truth, and full-size pictures.

    python benchmarks/maps.py synthetic CASES [-n 60] [--seed 900100] [--assets DIR] [--poses FILE]
    python benchmarks/maps.py rocketbox CASES --data ROCKETBOX
    python benchmarks/maps.py photos CASES --data PHOTOS [--pictures OUT]

Finding and fitting people takes seconds each, so what the network reads is kept in the folder CASES and taken from there
the next time. `--weights` tries other weights than the package's. `--size` gives the network fewer pixels, and `--judged`
compares at fewer: what networks of different sizes say is judged alike at the smaller one's.

"synthetic": people in clips and garments that training never saw (`Recipe.held`), each a photo with its principal point
in the middle and a lens that nobody tells. "rocketbox": the picture that comes with each person, against the mesh seen
through the same pixels by the picture's own camera. "photos": no truth; pictures only. The body's own normals, and
straight to the camera where there is no body, are judged over the same pixels: the matte and the truth's common mask.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from results import photos_in

from lookalike.body import fit_body, load_body
from lookalike.body.model import Body
from lookalike.camera import Camera
from lookalike.errors import LookalikeError
from lookalike.evaluate.maps import score_maps
from lookalike.maps import Maps, normals_to_image, render_maps
from lookalike.maps.network import PredictedMaps, infer, load_weights
from lookalike.maps.predict import SIZE, WEIGHTS, crop_camera, crop_picture
from lookalike.people.data_folder import LABEL_COLOURS
from lookalike.people.sample import Sample
from lookalike.people.scan import welded
from lookalike.people.store import read_sample, write_sample
from lookalike.photo import find_subjects, read_photo
from lookalike.photo.subject import Photo
from lookalike.train.data import reduced_maps, reduced_sample
from lookalike.train.fits import as_photo
from lookalike.train.validation import start_of

PAPER = (236, 237, 240)


def synthetic(options: argparse.Namespace) -> Iterator[tuple[str, Photo, Camera, Maps]]:
    """Each person's photo, and the truth with the camera whose pixels are the photo's."""
    from lookalike.people.poses import read_poses
    from lookalike.people.synthesis import Recipe, SyntheticPeople

    poses = read_poses(options.poses) if options.poses else None
    people = SyntheticPeople(options.seed, Recipe(assets=options.assets, poses=poses, held=True))
    for number in range(options.n):
        name = f"{number:04d}"
        if finished(options.cases, name):
            continue
        sample = people[number]
        photo, (x, y) = as_photo(sample)
        assert sample.body is not None
        write_sample(sample, options.cases / f"{name}_truth.npz")
        width, height = photo.size
        camera = sample.camera
        whole = replace(camera, cx=camera.cx + x, cy=camera.cy + y, width=width, height=height)
        yield name, photo, whole, sample.maps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("synthetic", "rocketbox", "photos"))
    parser.add_argument("cases", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("-n", type=int, default=60)
    parser.add_argument("--seed", type=int, default=900100)
    parser.add_argument("--assets", type=Path)
    parser.add_argument("--poses", type=Path)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--size", type=int, default=SIZE, help="pixels along each side that the network reads")
    parser.add_argument(
        "--judged", type=int, help="pixels along each side that are compared; without it those of --size"
    )
    parser.add_argument("--pictures", type=Path, help="folder for full-size pictures")
    parser.add_argument("--names", nargs="+", help="only those that start so")
    options = parser.parse_args()
    options.cases.mkdir(parents=True, exist_ok=True)
    make_cases(options)
    judge(options)


def finished(folder: Path, name: str) -> bool:
    return (folder / f"{name}.npz").is_file() or (folder / f"{name}.failed").is_file()


def make_cases(options: argparse.Namespace) -> None:
    """Find, fit and keep those people that are not there yet."""
    for name, photo, camera, mesh in {"synthetic": synthetic, "rocketbox": rocketbox, "photos": photos}[options.kind](
        options
    ):
        try:
            subjects = find_subjects(photo, "largest" if options.kind != "photos" else "all")
        except LookalikeError as error:
            (options.cases / f"{name}.failed").write_text(str(error))
            continue
        for number, subject in enumerate(subjects):
            body = fit_body(subject, load_body(), seed=0, device="cpu")
            crop = crop_camera(body.camera, subject.box)
            truth = None if camera is None else through(mesh, camera, crop, body.camera)
            own = f"{name}_{number}" if len(subjects) > 1 else name
            keep(options.cases / f"{own}.npz", own, crop_picture(subject, body.camera, crop), body, crop, truth)
        if len(subjects) > 1:
            (options.cases / f"{name}.failed").write_text("several people, each a case")


def rocketbox(options: argparse.Namespace) -> Iterator[tuple[str, Photo, Camera, object]]:
    from lookalike.evaluate.person import photo_of
    from lookalike.people.datasets import open_dataset

    dataset = open_dataset("rocketbox", options.data, None)
    for name in dataset.names:
        stem = name.replace("/", "_")
        if finished(options.cases, stem):
            continue
        scan = dataset.scan(name)
        photo, view = photo_of(scan)
        faces = scan.faces if scan.cards is None else scan.faces[~scan.cards]
        yield stem, photo, view.camera, (view.to_camera(scan.vertices), faces)


def photos(options: argparse.Namespace) -> Iterator[tuple[str, Photo, None, None]]:
    for path in photos_in(options.data, options.names):
        if not finished(options.cases, path.stem):
            yield path.stem, read_photo(path), None, None


def through(known: object, camera: Camera, crop: Camera, assumed: Camera) -> Maps:
    """The truth at the crop's pixels, in the axes of the camera that took the picture.

    known : vertices and faces in `camera`'s frame, or maps of a part of its picture.  crop : a window of `assumed`,
    which has the same pixels as `camera`.
    """
    scale = crop.focal / assumed.focal
    x0, y0 = assumed.cx - crop.cx / scale, assumed.cy - crop.cy / scale
    window = camera.window(x0, y0, crop.width / scale, crop.height / scale, scale)
    if not isinstance(known, Maps):
        vertices, faces = known
        return render_maps(vertices, welded(vertices, faces), window)
    import cv2

    # the maps' own window in the photo
    left, top = camera.cx - known.camera.cx, camera.cy - known.camera.cy
    to_crop = np.array([[scale, 0, (left - x0 + 0.5) * scale - 0.5], [0, scale, (top - y0 + 0.5) * scale - 0.5]])
    warp = lambda a: cv2.warpAffine(a, to_crop, (crop.width, crop.height), flags=cv2.INTER_LINEAR)  # noqa: E731
    inside = warp(known.mask.astype(np.float32))
    mask = inside > 0.75
    sides = []
    for side in ("front", "back"):
        normals = warp(getattr(known, f"normals_{side}"))
        normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-6)
        depth = warp(np.nan_to_num(getattr(known, f"depth_{side}"))) / np.maximum(inside, 1e-6)
        sides.append((np.where(mask[..., None], normals, 0), np.where(mask, depth, np.float32(np.nan))))
    (front, near), (back, far) = sides
    return Maps(window, front, back, near, far, mask)


def keep(path: Path, name: str, image: np.ndarray, body: Body, crop: Camera, truth: Maps | None) -> None:
    """A case as a sample whose body is the estimated one."""
    faces = body.model.faces[body.model.outer_faces]
    body_maps = render_maps(body.vertices, faces, crop, body.normals)
    nothing = np.zeros(image.shape[:2], np.uint8)
    colour = np.zeros((*image.shape[:2], 3), np.uint8)
    maps = truth or replace(body_maps, mask=np.zeros_like(body_maps.mask))
    seen = replace(body, camera=crop)
    write_sample(Sample(name, image, crop, seen, body_maps, maps, nothing, nothing, colour, colour, pieces=()), path)


def judge(options: argparse.Namespace) -> None:
    net = load_weights(options.weights)
    rows, seconds = {}, []
    for path in sorted(options.cases.glob("*.npz")):
        if path.stem.endswith("_truth") or (options.names and not path.stem.startswith(tuple(options.names))):
            continue
        sample = reduced_sample(read_sample(path), options.size)
        begin = time.perf_counter()
        found = infer(net, sample.image, sample.body_maps)
        seconds.append(time.perf_counter() - begin)
        if options.pictures:
            options.pictures.mkdir(parents=True, exist_ok=True)
            picture(sample, found).save(options.pictures / f"{path.stem}.png")
        if not sample.maps.mask.any():
            continue
        row = {}
        truth = reduced_sample(sample, options.judged or options.size).maps
        for kind, maps in (("net", found.maps), ("body", start_of(sample.image, sample.body_maps))):
            score = score_maps(reduced_maps(maps, truth.camera), truth)
            for side in ("front", "back"):
                angle = getattr(score, side)
                row[f"{kind}_{side}"], row[f"{kind}_{side}_median"] = angle.mean, angle.median
        rows[path.stem] = row
    print(f"network: {np.median(seconds):.3f} s a person (median of {len(seconds)})")
    if not rows:
        return
    (options.cases / "angles.json").write_text(json.dumps(rows, indent=1))
    mean = {key: float(np.mean([r[key] for r in rows.values()])) for key in next(iter(rows.values()))}
    print(f"{len(rows)} people, degrees: mean (mean of the people's medians)")
    for side in ("front", "back"):
        net_, body = mean[f"net_{side}"], mean[f"body_{side}"]
        print(
            f"  {side:6} network {net_:6.2f} ({mean[f'net_{side}_median']:.2f})   body {body:6.2f} "
            f"({mean[f'body_{side}_median']:.2f})   {100 * (1 - net_ / body):.1f} % under"
        )
    worst = sorted(rows, key=lambda name: -rows[name]["net_front"])[:8]
    print("  worst in front: " + ", ".join(f"{name} {rows[name]['net_front']:.1f}" for name in worst))


def picture(sample: Sample, found: PredictedMaps, gap: int = 4) -> Image.Image:
    """Two rows of three tiles: picture, normals in front and behind; parts, colour behind, the given body."""
    maps, size = found.maps, sample.image.shape[0]
    body = sample.body_maps
    tiles = [
        sample.image,
        normals_to_image(maps.normals_front, maps.mask),
        normals_to_image(maps.normals_back, maps.mask),
        np.dstack([LABEL_COLOURS[found.labels], maps.mask * np.uint8(255)]),
        np.dstack([found.colour_back, maps.mask * np.uint8(255)]),
        normals_to_image(body.normals_front, body.mask),
    ]
    sheet = Image.new("RGB", (3 * size + 2 * gap, 2 * size + gap), PAPER)
    for i, tile in enumerate(tiles):
        image = Image.fromarray(tile)
        sheet.paste(image, ((i % 3) * (size + gap), (i // 3) * (size + gap)), image)
    ImageDraw.Draw(sheet).text((6, 4), sample.name, fill="black", font=ImageFont.load_default(14))
    return sheet


if __name__ == "__main__":
    main()
