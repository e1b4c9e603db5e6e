"""Results folders made by `lookalike make PHOTOS... -o DIR`: finding them, making them, reading their files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lookalike.camera import Camera
from lookalike.render.shade import Studio

#: Suffixes of photos.
PHOTOS = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".tif", ".tiff", ".bmp")

#: Written beside the results by `make`: photo name -> sentence.
FAILURES = "failures.json"


@dataclass(frozen=True)
class Result:
    """One person's folder. report : its report.json, or {} for a photo that failed, whose sentence is `failure`."""

    name: str
    folder: Path
    report: dict
    failure: str | None = None

    @property
    def camera(self) -> Camera:
        """The camera of the whole photo."""
        camera = self.report["camera"]
        return Camera(camera["focal"], camera["cx"], camera["cy"], int(camera["width"]), int(camera["height"]))

    @property
    def box(self) -> list[float] | None:
        """x0, y0, x1, y1 of the person, pixels of the photo."""
        return self.report.get("person", {}).get("box")


def photos_in(folder: Path, stems: Sequence[str] | None = None) -> list[Path]:
    """The photos of a folder, sorted; with `stems` only those whose file names start like one of them."""
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in PHOTOS)
    return found if not stems else [path for path in found if path.stem.startswith(tuple(stems))]


def find_results(folder: Path, stems: Sequence[str] | None = None) -> Iterator[Result]:
    """The people in a results folder, and the failures, sorted by photo."""
    failures = _read_json(folder / FAILURES)
    names = {path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")}
    for name in sorted(names | set(failures)):
        if stems and not name.startswith(tuple(stems)):
            continue
        place = folder / name
        people = [place] if (place / "report.json").exists() else []
        if not people and place.is_dir():
            people = sorted((p for p in place.iterdir() if p.name.isdigit()), key=lambda p: int(p.name))
        for person in people:
            title = name if person == place else f"{name} {person.name}"
            report = _read_json(person / "report.json")
            if (person / "posed.glb").exists() and report:
                yield Result(title, person, report)
            else:
                yield Result(title, person, report, "posed.glb or report.json is missing or cannot be read.")
        if name in failures or not people:
            yield Result(name, place, {}, failures.get(name, "nothing was written."))


def make(photos: Sequence[Path], folder: Path, person: str = "all", jobs: int = 1) -> None:
    """Run `lookalike make` over photos, in `jobs` processes; what fails is kept in DIR/failures.json."""

    def run(part: Sequence[Path]) -> dict[str, str]:
        command = [sys.executable, "-m", "lookalike", "make", *map(str, part), "-o", str(folder)]
        done = subprocess.run([*command, "--person", person, "--json"], stdout=subprocess.PIPE, text=True)
        try:
            failures = json.loads(done.stdout)["failures"]
        except (ValueError, KeyError):
            return {path.stem: f"lookalike ended with code {done.returncode}." for path in part}
        return {Path(failure["photo"]).stem: failure["message"] for failure in failures}

    folder.mkdir(parents=True, exist_ok=True)
    stems = {path.stem for path in photos}
    failures = {name: text for name, text in _read_json(folder / FAILURES).items() if name not in stems}
    with ThreadPoolExecutor(jobs) as pool:
        for found in pool.map(run, [photos[i::jobs] for i in range(min(jobs, len(photos)))]):
            failures |= found
    (folder / FAILURES).write_text(json.dumps(failures, indent=1), "utf-8")


def read_posed(path: Path) -> tuple[np.ndarray, np.ndarray, dict]:
    """A GLB's largest mesh: vertices (n, 3), faces (m, 3) and texture.

    Vertices that the file splits at seams are joined again. The texture is what `Studio` takes (uv, face_uv,
    base_colour, normal_map), empty without one.
    """
    import trimesh

    scene = trimesh.load_scene(path, process=False)
    mesh = max((g for g in scene.dump() if isinstance(g, trimesh.Trimesh)), key=lambda g: len(g.faces))
    split = np.asarray(mesh.vertices, np.float32)
    vertices, index = np.unique(split, axis=0, return_inverse=True)
    faces = np.asarray(mesh.faces, np.int32)
    texture = {}
    material = getattr(mesh.visual, "material", None)
    uv = getattr(mesh.visual, "uv", None)
    if uv is not None and getattr(material, "baseColorTexture", None) is not None:
        # trimesh counts v from below.
        texture["uv"] = np.stack([uv[:, 0], 1 - uv[:, 1]], 1).astype(np.float32)
        texture["face_uv"] = faces
        texture["base_colour"] = np.asarray(material.baseColorTexture.convert("RGB"))
        if material.normalTexture is not None:
            texture["normal_map"] = np.asarray(material.normalTexture.convert("RGB"))
    return vertices, index.reshape(-1)[faces].astype(np.int32), texture


def studio_of(result: Result) -> Studio:
    """The textured person of a result, ready for pictures."""
    vertices, faces, texture = read_posed(result.folder / "posed.glb")
    return Studio(vertices, faces, **texture)


def _read_json(path: Path) -> dict:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
