"""CustomHumans (Ho et al., 2023): textured scans and SMPL-X fits as published in, `Scan`s out.

`mesh/ID_.../mesh-fNNNNN.obj` with its `.mtl` and `.png`, and `smplx/ID_.../mesh-fNNNNN.json` (some mirrors write
`mesh-fNNNNN_refine.json`); or both in one folder a person, as the authors' tool `prepare_dataset.py` copies them. Scans are
in metres with the pelvis at the origin and face +Z. The authors pose the male SMPL-X model with 12 hand components from
the flat hand, without its global rotation, and move its pelvis to the origin; so do we.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from lookalike.errors import LookalikeError
from lookalike.people.datasets.dataset import Dataset, chosen, folders_with
from lookalike.people.datasets.fits import smplx_fit
from lookalike.people.datasets.meshes import read_scan_mesh, read_texture, texture_of
from lookalike.people.scan import BodyFit, Scan


def open_customhumans(path: Path, split: str | None = None) -> Dataset:
    """The scans. Split: None or a list of names, which may be the first part only, as in the authors' `Custom_train.json`."""
    roots = folders_with(path, lambda p: bool(_meshes(p)))
    if not roots:
        raise LookalikeError(
            f"{path} holds no CustomHumans scans (such as mesh/0003_00101/mesh-f00101.obj): see docs/datasets.md."
        )
    root = roots[0]
    people = {p.name: p for p in root.iterdir() if p.is_dir() and _meshes(p)}
    # Subject numbers stand for the folder where there is one.
    short: dict[str, list[str]] = {}
    for name in people:
        short.setdefault(name.split("_")[0], []).append(name)
    alias = {key: full[0] for key, full in short.items() if len(full) == 1}
    listed = chosen([*people, *alias], path, split)
    names = tuple(sorted({alias.get(n, n) for n in listed}))
    return Dataset("customhumans", names, lambda name: _read(people[name], path))


def _meshes(folder: Path) -> list[Path]:
    found = [p for p in folder.glob("mesh-f*.obj") if not p.stem.endswith(("_smpl", "_smplx"))]
    return sorted(found)


def _read(folder: Path, path: Path) -> Scan:
    file = _meshes(folder)[0]
    mesh = read_scan_mesh(file)
    texture = None
    if mesh.uv is not None:
        texture = read_texture(texture_of(file, mesh, (f"{file.stem}.png", f"{file.stem}.jpg")))
    return Scan(
        folder.name,
        mesh.vertices,
        mesh.faces,
        mesh.uv,
        mesh.face_uv,
        texture,
        mesh.colours,
        body=_fit(folder, path, file.stem),
    )


def _fit(folder: Path, path: Path, stem: str) -> BodyFit | None:
    """The fit of a scan; None where the set was unpacked without any."""
    beside = [folder, *(p / "smplx" / folder.name for p in (path, folder.parent.parent))]
    files = [place / f"{stem}{end}.json" for place in beside for end in ("", "_refine", "_smplx")]
    file = next((f for f in files if f.is_file()), None)
    if file is None:
        if any(place.parent.is_dir() for place in beside[1:]):
            raise LookalikeError(f"The body fit {files[3]} is missing: unpack the smplx folder again, or leave it out.")
        return None
    try:
        parameters = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LookalikeError(f"The body fit {file} cannot be read ({error}): please copy it again.") from None
    if not isinstance(parameters, dict):
        raise LookalikeError(f"The body fit {file} holds no parameters: please copy it again.")
    return smplx_fit(
        parameters,
        file,
        gender="male",
        translation=np.zeros(3),
        turn=False,
        from_mean_hand=False,
        about_pelvis=True,
    )
