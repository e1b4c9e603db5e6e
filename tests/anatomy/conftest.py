"""Medical scans for the tests."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("SimpleITK", reason='needs pip install "lookalike[anatomy]"')
pytest.importorskip("pydicom", reason='needs pip install "lookalike[anatomy]"')
pytest.importorskip("nibabel", reason='needs pip install "lookalike[anatomy]"')

from lookalike.anatomy.volume import Volume
from tests.conftest import SHARED

CRANIUM = Path("usr/share/doc/invesalius-examples/examples/Cranium.inv3")


@pytest.fixture(scope="session")
def t1_head() -> Path:
    """DICOM slices of a T1-weighted MR of a head."""
    path = SHARED / "data" / "medical" / "t1_mr_dicom"
    if not path.is_dir():
        pytest.skip(f"needs {path}, which is not part of the repository (set LOOKALIKE_DATA)")
    return path


@pytest.fixture(scope="session")
def ct_head(tmp_path_factory) -> Volume:
    """A CT of a head: of Debian's package invesalius-examples if it is installed, else fetched from Debian."""
    path = Path("/") / CRANIUM
    if not path.exists():
        folder = tmp_path_factory.mktemp("invesalius")
        try:
            fetch = ["apt-get", "download", "invesalius-examples"]
            subprocess.run(fetch, cwd=folder, check=True, capture_output=True, timeout=60)
            [package] = folder.glob("*.deb")
            subprocess.run(["dpkg-deb", "-x", package, folder], check=True, capture_output=True, timeout=60)
        except (OSError, subprocess.SubprocessError, ValueError):
            pytest.skip("needs Debian's package invesalius-examples, which is neither installed nor can be fetched")
        path = folder / CRANIUM
    with tarfile.open(path) as archive:
        name = next(name for name in archive.getnames() if name.endswith("matrix.dat"))
        file = archive.extractfile(name)
        assert file is not None
        values = np.frombuffer(file.read(), np.int16).reshape(108, 256, 256)
    affine = np.array([[0.957, 0, 0, 0], [0, -0.957, 0, 0], [0, 0, 1.5, 0]])  # its rows run to the front
    return Volume(values, affine, "CT")
