"""People made by `lookalike synthesize`: its folder in, `Scan`s in their own cameras' frames out.

Their bodies are our own model's. `Dataset.read` gives the outer surface with albedo at its vertices and the picture with
its matte; the truth as maps is `store.read_sample`'s.
"""

from __future__ import annotations

from pathlib import Path

from lookalike.errors import LookalikeError
from lookalike.people.data_folder import dataset_folders
from lookalike.people.datasets.dataset import Dataset, chosen
from lookalike.people.datasets.meshes import read_scan_mesh
from lookalike.people.scan import BodyFit, Scan
from lookalike.people.store import read_sample
from lookalike.render.view import View


def open_synthetic(path: Path, split: str | None = None) -> Dataset:
    """The finished people in a folder. Split: None or a list of names (their numbers, such as 000012)."""
    names = [folder.name for folder in dataset_folders(path) if (folder / "surface.ply").is_file()]
    if not names:
        raise LookalikeError(f"The people in {path} have no surfaces: make them again without --maps-only.")
    return Dataset("synthetic", chosen(names, path, split), lambda name: _read(path / name))


def _read(folder: Path) -> Scan:
    sample, mesh = read_sample(folder / "sample.npz"), read_scan_mesh(folder / "surface.ply")
    body = sample.body
    fit = None
    if body is not None:
        fit = BodyFit("lookalike", "neutral", body.betas, body.pose, body.translation, body.scale)
    view = View.of_photo(sample.camera)
    photo = folder / "image.png"
    return Scan(folder.name, mesh.vertices, mesh.faces, colours=mesh.colours, photo=photo, view=view, body=fit)
