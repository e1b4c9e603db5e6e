"""Which part of the scan is the person: coarse masks from the scan, made with distances in millimetres.

Questions of shape (what is outside air, what is a cavity, what is the table) need no fine grid. They are answered on one
of about two millimetres, and the answers come back to the scan's own grid, block by block, as smooth numbers between 0
and 1, so that they leave no steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from lookalike.anatomy.scan_error import ScanError, library
from lookalike.anatomy.volume import Volume

#: Millimetres between samples of the coarse grid, at least.
COARSE = 2.0


@dataclass(frozen=True)
class Coarse:
    """A function on a grid of whole multiples of the scan's.

    values : (kz, ky, kx).  factors : samples of the scan in one of these, along z, y and x.  size : of the scan's array.
    spacing : (3,) millimetres along z, y and x.
    """

    values: np.ndarray
    factors: tuple[int, int, int]
    size: tuple[int, int, int]
    spacing: np.ndarray

    @classmethod
    def of(cls, scan: Volume, finest: float = COARSE) -> Coarse:
        """The means of the scan's samples over small boxes, float32."""
        spacing = scan.spacing[::-1]
        fz, fy, fx = (int(max(1, np.floor(finest / each + 1e-6))) for each in spacing)
        nz, ny, nx = scan.values.shape
        rows = []
        for z in range(0, nz, fz):
            mean = scan.values[z : z + fz].mean(0, dtype=np.float32)
            mean = np.pad(mean, ((0, -ny % fy), (0, -nx % fx)), mode="edge")
            rows.append(mean.reshape(mean.shape[0] // fy, fy, -1, fx).mean((1, 3)))
        return cls(np.stack(rows), (fz, fy, fx), (nz, ny, nx), spacing * (fz, fy, fx))

    def like(self, values: np.ndarray) -> Coarse:
        """Other values on this grid."""
        return Coarse(values, self.factors, self.size, self.spacing)

    def softened(self) -> Coarse:
        """A mask as numbers between 0 and 1 that pass 0.5 at its border without steps."""
        return self.like(ndimage.gaussian_filter(self.values.astype(np.float32), 0.8))

    def block(self, start: int, stop: int) -> np.ndarray:
        """(stop - start, ny, nx) float32: linear interpolation at the scan's samples."""
        along_z, along_y, along_x = (
            _weights(n, k, f) for n, k, f in zip(self.size, self.values.shape, self.factors, strict=True)
        )
        part = along_z[start:stop]
        used = np.flatnonzero(part.any(0))
        rows = slice(used[0], used[-1] + 1)
        planes = along_y @ self.values[rows].astype(np.float32) @ along_x.T
        return np.tensordot(part[:, rows], planes, 1)


def _weights(fine: int, coarse: int, factor: int) -> np.ndarray:
    """(fine, coarse) float32: how much of each coarse sample is in each fine one."""
    place = np.clip((np.arange(fine) - (factor - 1) / 2) / factor, 0, coarse - 1)
    low = np.minimum(np.floor(place).astype(int), max(coarse - 2, 0))
    out = np.zeros((fine, coarse), np.float32)
    rows, share = np.arange(fine), (place - low).astype(np.float32)
    out[rows, low] = 1 - share
    out[rows, np.minimum(low + 1, coarse - 1)] += share
    return out


def grown(mask: np.ndarray, millimetres: float, spacing: np.ndarray) -> np.ndarray:
    """All within a distance of a mask (nz, ny, nx).  spacing : (3,) along z, y, x."""
    return mask if not mask.any() else _distance(mask, spacing) <= millimetres


def shrunk(mask: np.ndarray, millimetres: float, spacing: np.ndarray) -> np.ndarray:
    """What of a mask is farther than a distance from all that is not in it. The array's border does not count."""
    return mask if mask.all() else mask & (_distance(~mask, spacing) > millimetres)


def _distance(mask: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Millimetres to the nearest sample of a mask."""
    sitk = library("SimpleITK")
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing([float(each) for each in spacing[::-1]])
    found = sitk.SignedMaurerDistanceMap(image, insideIsPositive=False, squaredDistance=False, useImageSpacing=True)
    return np.maximum(sitk.GetArrayViewFromImage(found), 0)


def largest(mask: np.ndarray) -> np.ndarray:
    """The largest connected piece of a mask."""
    label, number = ndimage.label(mask)
    if number < 2:
        return mask
    size = np.bincount(label.reshape(-1))
    size[0] = 0
    return label == size.argmax()


@dataclass(frozen=True)
class Outline:
    """The person's outline on the coarse grid.

    solid : bool, the person with everything inside: airways, sinuses, lungs, guts.
    cavities : bool, the part of it that is not tissue.
    tissue : bool, the rest.
    """

    solid: np.ndarray
    cavities: np.ndarray
    tissue: np.ndarray


def outline(coarse: Coarse, level: float, head_axis: int, seal: float = 5.0, thin: float = 3.0) -> Outline:
    """What is the person, and what is inside.

    level : above it is tissue.  head_axis : the array axis along head and feet; the array's ends there may cut through
    the person.  seal : outside air does not enter openings narrower than twice this, millimetres: nostrils, ears.
    thin : sheets thinner than twice this do not join things to the person: the table's cover. 0 where
    there is no table in the picture, and parts of the person may look apart: an MR's scalp around dark bone.

    Raises ScanError when there is nothing.
    """
    spacing = coarse.spacing
    # Air between the person and the array's border may be narrower than the seal: let the scan go on beyond.
    margin = [int(np.ceil(2 * seal / each)) for each in spacing]
    tissue = np.pad(coarse.values > level, [(each, each) for each in margin], mode="edge")
    if not tissue.any():
        raise ScanError(f"No tissue is above {level:g} in this scan: choose the surface's value with --iso.")
    if thin:
        core = shrunk(tissue, thin, spacing)
        core = largest(core if core.any() else tissue)
        tissue = largest(tissue & grown(core, thin + 6.0, spacing))  # ears, nose and fingers are thinner than the core
    else:
        tissue &= largest(grown(tissue, seal, spacing))
    free = shrunk(~tissue, seal, spacing)
    label, _ = ndimage.label(free)
    outer = np.zeros(label.max() + 1, bool)
    for axis in range(3):
        if axis != head_axis:
            for end in (0, -1):
                outer[np.unique(label.take(end, axis))] = True
    outer[0] = False
    solid = ~grown(outer[label], seal, spacing) | tissue
    inner = tuple(slice(each, -each) for each in margin)
    return Outline(solid[inner], (solid & ~tissue)[inner], tissue[inner])
