"""Where tests find data that is not part of the repository: the folder named by LOOKALIKE_DATA, or `shared` beside the
checkout. Tests that need it skip with a reason when it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("LOOKALIKE_DATA", Path(__file__).resolve().parents[2] / "shared"))


def _folder(path: Path) -> Path:
    if not path.is_dir():
        pytest.skip(f"needs {path}, which is not part of the repository (set LOOKALIKE_DATA)")
    return path


@pytest.fixture(scope="session")
def photos_dir() -> Path:
    """Real photos of people."""
    return _folder(SHARED / "photos")


@pytest.fixture(scope="session")
def rocketbox_dir() -> Path:
    """Microsoft Rocketbox people with meshes, pictures and cameras: test only, never trained on or tuned to."""
    return _folder(SHARED / "data" / "rocketbox")


@pytest.fixture(scope="session")
def makehuman_dir() -> Path:
    """MakeHuman's standard assets."""
    return _folder(SHARED / "data" / "makehuman")
