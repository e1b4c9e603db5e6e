"""THuman2.0 and THuman2.1: textured scans and SMPL-X fits as published in, `Scan`s in metres out.

Scans: `NNNN/NNNN.obj` with `material0.jpeg`. Fits: `NNNN/smplx_param.pkl`. Both lie in folders of their own, whose names
differ between releases and mirrors (`THuman2.0_Release` and `THuman2.0_smplx`; `model` and `smplx`; `scans` and
`fits`), so they are found by what is in them, in the folder that is given or else beside it.

Each scan has a unit of its own. The fit tells it: scale * model + translation lies on the scan and models are in metres,
so everything is divided by the scale. Without fits a scan is made `HEIGHT` tall.

The fits of 0000 to 0525 are of the male model, with 12 hand components; later ones (THuman2.1) are of the neutral model,
with all 45 hand angles from the mean hand. The files do not say so: the authors and users of the set do.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lookalike.errors import LookalikeError
from lookalike.people.datasets.dataset import Dataset, chosen, folders_with
from lookalike.people.datasets.fits import read_parameters, smplx_fit, values
from lookalike.people.datasets.meshes import read_scan_mesh, read_texture, texture_of
from lookalike.people.scan import BodyFit, Scan

#: Metres; what a scan without a fit is scaled to.
HEIGHT = 1.7

_FIT = "smplx_param.pkl"
_TEXTURES = ("material0.jpeg", "material0.jpg", "material0.png")


def open_thuman(path: Path, split: str | None = None) -> Dataset:
    """THuman2.0. Split: None or a list of names (none was published)."""
    return _open("thuman2", path, split)


def open_thuman21(path: Path, split: str | None = None) -> Dataset:
    """THuman2.1, which contains THuman2.0. Split: None or a list of names (none was published)."""
    return _open("thuman2.1", path, split)


def _open(title: str, path: Path, split: str | None) -> Dataset:
    roots = folders_with(path, lambda p: (p / f"{p.name}.obj").is_file())
    if not roots:
        raise LookalikeError(
            f"{path} holds no THuman scans (such as 0000/0000.obj): unpack the release there (docs/datasets.md)."
        )
    root = roots[0]

    def has_fit(folder: Path) -> bool:
        return (folder / _FIT).is_file()

    fits = folders_with(path, has_fit) or folders_with(root.parent, has_fit, depth=1)
    names = [p.name for p in root.iterdir() if (p / f"{p.name}.obj").is_file()]
    return Dataset(title, chosen(names, path, split), lambda name: _read(root / name, fits[0] if fits else None))


def _read(folder: Path, fits: Path | None) -> Scan:
    file = folder / f"{folder.name}.obj"
    mesh = read_scan_mesh(file)
    texture = None
    if mesh.uv is not None:
        texture = read_texture(texture_of(file, mesh, _TEXTURES))
    body = None
    if fits is None:
        low = mesh.vertices.min(0)
        unit = HEIGHT / float(mesh.vertices[:, 1].max() - low[1])
    else:
        body, unit = _fit(fits / folder.name / _FIT)
    return Scan(folder.name, unit * mesh.vertices, mesh.faces, mesh.uv, mesh.face_uv, texture, mesh.colours, body=body)


def _fit(file: Path) -> tuple[BodyFit, float]:
    """The fit in metres, and metres per unit of the scan."""
    if not file.is_file():
        raise LookalikeError(f"The body fit {file} is missing: unpack the SMPL-X fits again, or leave them all out.")
    parameters = read_parameters(file)
    scale = float(values(parameters, "scale", file, 1)[0]) if "scale" in parameters else 1.0
    if not scale > 0:
        raise LookalikeError(f"The body fit {file} has a scale of {scale}: please download it again.")
    key = "translation" if "translation" in parameters else "transl"
    shift = values(parameters, key, file, 3)
    hands = np.size(parameters.get("left_hand_pose", ()))
    body = smplx_fit(parameters, file, gender="neutral" if hands == 45 else "male", translation=shift / scale)
    return body, 1 / scale
