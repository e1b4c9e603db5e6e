"""A scan in memory: an array of samples and where each of them lies in the patient.

Conventions
-----------
- Arrays are indexed [z, y, x]; "index coordinates" are (x, y, z) of that array, whole numbers at the samples' centres.
- Scanner space is DICOM's: millimetres, +x towards the patient's left, +y towards the back, +z towards the head ("LPS").
- Models are in glTF's frame: metres, Y up, the patient faces +Z. The origin stays the scanner's, so that parts of one
  scan, and of several scans of one session, fit together.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

#: Scanner millimetres to glTF metres: left stays x, the head's side becomes y, the front becomes z.
GLTF_FROM_LPS = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]) * 1e-3

_LETTERS = (("R", "L"), ("A", "P"), ("I", "S"))


@dataclass(frozen=True)
class Volume:
    """A scan.

    Attributes
    ----------
    values : (nz, ny, nx) int16, uint8 or float32: Hounsfield units for CT, any unit for MR, labels for a label map.
    affine : (3, 4) float64, index coordinates (x, y, z, 1) to scanner millimetres. Its axes may be oblique, and, for a
        CT with a tilted gantry, not at right angles.
    modality : "CT", "MR" or "" when nobody knows.
    notes : what the reader found that one should know, a sentence each; never anything about the person.
    label_names : names of label values, for a label map that brings them.
    """

    values: np.ndarray
    affine: np.ndarray
    modality: str = ""
    notes: tuple[str, ...] = ()
    label_names: dict[int, str] = field(default_factory=dict)

    @property
    def spacing(self) -> np.ndarray:
        """(3,) distance of neighbouring samples along x, y and z, millimetres."""
        return np.linalg.norm(self.affine[:, :3], axis=0)

    @property
    def voxel_volume(self) -> float:
        """Cubic millimetres that one sample stands for."""
        return float(abs(np.linalg.det(self.affine[:, :3])))

    @property
    def size(self) -> tuple[int, int, int]:
        """Samples along x, y and z."""
        nz, ny, nx = self.values.shape
        return nx, ny, nz

    @property
    def orientation(self) -> str:
        """Three letters: towards which side of the patient x, y and z grow (the nearest one for oblique axes)."""
        return "".join(_LETTERS[side][int(self.affine[side, axis] > 0)] for axis, side in enumerate(self.sides))

    @property
    def sides(self) -> tuple[int, int, int]:
        """For x, y and z: the scanner axis (0 left-right, 1 front-back, 2 head-feet) that each runs along mostly."""
        direction = np.abs(self.affine[:, :3] / self.spacing)
        best = max(
            ((a, b, c) for a in range(3) for b in range(3) for c in range(3) if len({a, b, c}) == 3),
            key=lambda order: direction[order[0], 0] * direction[order[1], 1] * direction[order[2], 2],
        )
        return best

    @property
    def head_axis(self) -> int:
        """The array axis (0, 1, 2 of `values`) that runs along the patient's head-feet direction."""
        return 2 - self.sides.index(2)

    def points(self, index: np.ndarray) -> np.ndarray:
        """Scanner millimetres (n, 3) float64 of index coordinates (n, 3)."""
        return index @ self.affine[:, :3].T + self.affine[:, 3]


def to_gltf(points: np.ndarray) -> np.ndarray:
    """Metres (n, 3), Y up, the patient facing +Z, of scanner millimetres (n, 3)."""
    return points @ GLTF_FROM_LPS.T
