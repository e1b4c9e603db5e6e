"""Tissues of a head MR: a T1-weighted scan in, its skin and its brain out.

The brain is found the classical way: the uneven sensitivity of the coils is taken out (N4: Tustison et al., 2010), white
and grey matter are a range of brightness, an erosion cuts the bridges to dura, nerves and muscles, the largest piece is
the brain, and what the erosion took is grown back within the range. Below the cerebellum the cord is cut off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from lookalike.anatomy.ct import solid_masks
from lookalike.anatomy.fields import RangeField
from lookalike.anatomy.regions import Coarse, Outline, grown, largest, outline, shrunk
from lookalike.anatomy.scan_error import ScanError, library
from lookalike.anatomy.tissue import Tissue
from lookalike.anatomy.volume import Volume
from lookalike.mesh.polygonise import ArrayField

NAMES = ("skin", "brain")
USUAL = NAMES

#: Erosions to try, millimetres, until what is left is no larger than a brain.
EROSIONS = (2.0, 2.5, 3.0, 3.5, 4.0, 5.0)
#: Millilitres of white and grey matter, cerebellum and brain stem: outside of this the report warns.
PLAUSIBLE = (800.0, 1700.0)
#: Square millimetres: a cross-section below the cerebellum that is smaller is spinal cord.
CORD = 350.0


class MrTissues:
    """Makes the tissues of one head MR."""

    def __init__(self, scan: Volume) -> None:
        self.scan = scan
        self.coarse = Coarse.of(scan)
        self.level = air_level(self.coarse.values)
        self.outline: Outline = outline(self.coarse, self.level, scan.head_axis, seal=6.0, thin=0.0)

    def make(self, name: str) -> Tissue:
        """A tissue by name. Raises ScanError when the scan does not show it."""
        return {"skin": self.skin, "brain": self.brain}[name]()

    def skin(self) -> Tissue:
        """The outer surface; bone, air and fluid inside, which MR shows dark, are filled."""
        keep, fill = solid_masks(self.coarse, self.outline)
        field = RangeField(self.scan, self.level, keep=keep, fill=fill, blur=0.7, steep=8 * self.level)
        how = {"range": [self.level, None], "cavities": "filled"}
        return Tissue(
            "skin", self.scan, field, (226, 178, 150), 0.35, 14, only_largest=True, smallest_cavity=1e9, how=how
        )

    def brain(self) -> Tissue:
        """White and grey matter, with cerebellum and brain stem; ventricles and fluid are left out."""
        even = even_scan(self.scan, self.level)
        found = find_brain(even)
        field = ArrayField(brain_field(even, found))
        how: dict[str, Any] = {
            "range": [round(found.low, 2), round(found.high, 2)],
            "white_matter": round(found.white, 2),
            "erosion_mm": found.erosion,
            "method": "N4 bias correction, threshold, erosion, largest piece, growing back; cord cut off",
        }
        return Tissue("brain", even.scan, field, (222, 172, 164), rounds=6, smallest=20.0, smallest_cavity=0.1, how=how)


def air_level(values: np.ndarray) -> float:
    """A value between air and tissue: half of Otsu's threshold, above nearly all of the air's noise."""
    sitk = library("SimpleITK")
    image = sitk.GetImageFromArray(np.minimum(values, np.percentile(values, 99)))
    otsu = sitk.OtsuThresholdImageFilter()
    otsu.Execute(image)
    dark = values[values <= 0.5 * otsu.GetThreshold()]
    return float(max(0.5 * otsu.GetThreshold(), np.percentile(dark, 95) if len(dark) else 0.0))


@dataclass(frozen=True)
class EvenScan:
    """A scan with the coils' sensitivity taken out.

    scan : with float32 values on the scan's own grid.
    upright : the same on a grid of one millimetre along the scanner's axes, (nz, ny, nx), z towards the head.
    start : (3,) millimetres, the place of its first sample.
    """

    scan: Volume
    upright: np.ndarray
    start: np.ndarray


def even_scan(scan: Volume, level: float) -> EvenScan:
    """Bias correction on a shrunk copy. level : above it is tissue. An affine that is not at right angles is refused."""
    sitk = library("SimpleITK")
    axes = scan.affine[:, :3] / scan.spacing
    if np.abs(axes.T @ axes - np.eye(3)).max() > 1e-3:
        raise ScanError("The scan's axes are not at right angles, which finding the brain needs: resample it first.")
    image = sitk.GetImageFromArray(scan.values.astype(np.float32))
    image.SetSpacing(scan.spacing.tolist())
    image.SetDirection(axes.reshape(-1).tolist())
    image.SetOrigin(scan.affine[:, 3].tolist())
    image = sitk.SmoothingRecursiveGaussian(image, 0.5 * float(min(scan.spacing.min(), 1.0)))
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * (np.array(scan.size) - 1)
    corners = scan.points(corners)
    start, end = corners.min(0), corners.max(0)
    size = (np.ceil(end - start).astype(int) + 1).tolist()
    eye = [1.0, 0, 0, 0, 1, 0, 0, 0, 1]
    upright = sitk.Resample(image, size, sitk.Transform(), sitk.sitkLinear, start.tolist(), [1.0] * 3, eye, 0.0)
    filter_ = sitk.N4BiasFieldCorrectionImageFilter()
    filter_.SetMaximumNumberOfIterations([40, 40, 30])
    filter_.Execute(sitk.Shrink(upright, [4] * 3), sitk.Shrink(upright > level, [4] * 3))
    values = sitk.GetArrayFromImage(upright / sitk.Exp(filter_.GetLogBiasFieldAsImage(upright)))
    fine = sitk.GetArrayFromImage(image / sitk.Exp(filter_.GetLogBiasFieldAsImage(image)))
    return EvenScan(Volume(fine, scan.affine, scan.modality), values, start)


@dataclass(frozen=True)
class Brain:
    """Where the brain is on the upright grid, and how bright it is.

    mask : (nz, ny, nx) bool.  low, high : the range of grey and white matter.  white : white matter's usual value.
    erosion : millimetres.
    """

    mask: np.ndarray
    low: float
    high: float
    white: float
    erosion: float


def find_brain(even: EvenScan) -> Brain:
    """The brain on the upright grid. Raises ScanError when there is none."""
    values = even.upright
    one = np.ones(3)
    low, white = _brightness(values)
    high = 1.35 * white
    box = ndimage.find_objects((values > 0.2 * white).astype(np.uint8))[0]
    part = values[box]
    matter = (part > low) & (part < high)
    for erosion in EROSIONS:
        core = largest(shrunk(matter, erosion, one))
        mask = grown(core, erosion + 0.7, one) & matter
        mask = _without_cord(ndimage.binary_fill_holes(mask))
        if mask.sum() / 1000 <= PLAUSIBLE[1]:
            break
    if not PLAUSIBLE[0] / 4 < mask.sum() / 1000 < 2 * PLAUSIBLE[1]:
        raise ScanError(
            "No brain was found: this needs a T1-weighted scan of a head; leave it out with --tissues skin, or give a "
            "segmentation with --labels."
        )
    out = np.zeros(values.shape, bool)
    out[box] = mask
    return Brain(out, low, high, white, erosion)


def _brightness(values: np.ndarray) -> tuple[float, float]:
    """Half way between fluid and grey matter, and white matter's median: three classes deep inside the upper head."""
    sitk = library("SimpleITK")
    head = values > 0.15 * np.percentile(values, 99)
    rows = np.flatnonzero(head.sum((1, 2)) > 300)
    if not len(rows):
        raise ScanError("No head was found: leave the brain out with --tissues skin.")
    top = rows[-1]
    upper = slice(max(top - 110, 0), max(top - 25, 1))
    solid = ndimage.binary_fill_holes(
        shrunk(grown(head[upper][:, ::2, ::2], 6, np.array([1.0, 2, 2])), 6, np.array([1.0, 2, 2]))
    )
    deep = shrunk(solid, 22.0, np.array([1.0, 2, 2]))
    inside = values[upper][:, ::2, ::2][deep]
    if len(inside) < 1000:
        raise ScanError("No brain was found: the head is cut off above; leave it out with --tissues skin.")
    inside = inside[inside < np.percentile(inside, 99.5)]
    classes = sitk.OtsuMultipleThresholds(sitk.GetImageFromArray(inside[None].astype(np.float32)), 2)
    label = sitk.GetArrayFromImage(classes)[0]
    fluid, grey, white = (float(np.median(inside[label == k])) for k in range(3))
    return (fluid + grey) / 2, white


def _without_cord(mask: np.ndarray) -> np.ndarray:
    """The mask without what hangs below the lowest cross-section that is larger than a cord. 1 mm grid, z upwards."""
    area = ndimage.uniform_filter1d(mask.sum((1, 2)).astype(float), 3)
    widest = int(area.argmax())
    below = np.flatnonzero(area[:widest] < CORD)
    out = mask.copy()
    if len(below):
        out[: below[-1] + 1] = False
    return out


def brain_field(even: EvenScan, found: Brain) -> np.ndarray:
    """(nz, ny, nx) float32 on the scan's own grid, positive in the brain, in parts of white matter's brightness.

    Where fluid is around the brain the brightness says where its surface is; elsewhere, against dura and muscles, the
    mask does.
    """
    sitk = library("SimpleITK")
    wide = grown(found.mask, 1.0, np.ones(3))
    soft = ndimage.gaussian_filter(wide.astype(np.float32), 0.7)
    image = sitk.GetImageFromArray(soft)
    image.SetOrigin(even.start.tolist())
    scan = even.scan
    eye = (scan.affine[:, :3] / scan.spacing).reshape(-1).tolist()
    soft = sitk.GetArrayFromImage(
        sitk.Resample(
            image, list(scan.size), sitk.Transform(), sitk.sitkLinear, scan.affine[:, 3].tolist(),
            scan.spacing.tolist(), eye, 0.0,
        )
    )  # fmt: skip
    field = (scan.values - np.float32(found.low)) / np.float32(found.white)
    return np.minimum(field, soft - np.float32(0.5))
