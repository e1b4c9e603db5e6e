"""Tissues of a CT by Hounsfield units: a scan in, named tissues out.

The presets are rules of thumb. Contrast medium, metal, children and noisy scans may need other numbers: `--iso`.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from lookalike.anatomy.fields import RangeField
from lookalike.anatomy.regions import Coarse, Outline, grown, outline, shrunk
from lookalike.anatomy.scan_error import ScanError
from lookalike.anatomy.tissue import Tissue
from lookalike.anatomy.volume import Volume

#: Hounsfield units: skin from air half way; compact bone; muscle and organs; aerated lung; vessels with contrast medium.
SKIN, BONE, SOFT, LUNG, VESSELS = -450.0, 250.0, (-20.0, 200.0), (-1000.0, -500.0), (150.0, 600.0)
#: Hounsfield units that only compact bone, teeth and metal reach: the seeds by which bone is told from vessels.
DENSE = 650.0

NAMES = ("skin", "bone", "soft-tissue", "lung", "vessels")
#: What is made when nothing is asked for.
USUAL = ("skin", "bone")


class CtTissues:
    """Makes the tissues of one CT. The person's outline is found once."""

    def __init__(self, scan: Volume) -> None:
        self.scan = scan
        self.coarse = Coarse.of(scan)
        self.outline: Outline = outline(self.coarse, SKIN, scan.head_axis)

    def make(self, name: str) -> Tissue:
        """A tissue by name. Raises ScanError when the scan does not show it."""
        return {
            "skin": self.skin,
            "bone": self.bone,
            "soft-tissue": self.soft_tissue,
            "lung": self.lung,
            "vessels": self.vessels,
        }[name]()

    def skin(self) -> Tissue:
        """The outer surface of the person; airways, sinuses and guts are filled."""
        keep, fill = solid_masks(self.coarse, self.outline)
        field = RangeField(self.scan, SKIN, keep=keep, fill=fill)
        how = {"range_hu": [SKIN, None], "cavities": "filled"}
        return Tissue(
            "skin", self.scan, field, (226, 178, 150), 0.35, 20, only_largest=True, smallest_cavity=1e9, how=how
        )

    def bone(self) -> Tissue:
        """Compact bone within the person, pinholes sealed."""
        field = RangeField(self.scan, BONE, keep=self._within(), seal=1)
        how = {"range_hu": [BONE, None], "sealed_voxels": 1, "smallest_piece_ml": 0.5}
        return Tissue("bone", self.scan, field, (236, 226, 200), rounds=20, smallest=0.5, smallest_cavity=2.0, how=how)

    def soft_tissue(self) -> Tissue:
        """Muscles and organs."""
        low, high = SOFT
        inner = shrunk(self.outline.solid, 2.0, self.coarse.spacing)  # else the skin's partial volume is a shell
        field = RangeField(self.scan, low, high, keep=self.coarse.like(inner).softened())
        how = {"range_hu": [low, high], "smallest_piece_ml": 5}
        return Tissue("soft-tissue", self.scan, field, (178, 82, 78), 0.8, smallest=5.0, smallest_cavity=0.5, how=how)

    def lung(self) -> Tissue:
        """Air in the chest: the lungs, with the airways that are joined to them; their vessels are filled."""
        low, high = LUNG
        air = self.outline.cavities & (self.coarse.values < high)
        label, number = ndimage.label(air)
        cell = float(np.prod(self.coarse.spacing)) / 1000
        size = np.bincount(label.reshape(-1)) * cell
        size[0] = 0
        if not number or size.max() < 100:
            raise ScanError("The scan shows no lungs: leave them out of --tissues.")
        lungs = (size >= max(100.0, 0.2 * size.max()))[label]
        spacing = self.coarse.spacing
        closed = shrunk(grown(lungs, 6.0, spacing), 6.0, spacing) & (self.coarse.values < 0)
        fill = self.coarse.like(shrunk(closed, 2.0, spacing)).softened()
        keep = self.coarse.like(grown(lungs | closed, 3.0, spacing)).softened()
        field = RangeField(self.scan, None, high, keep=keep, fill=fill)
        how = {"range_hu": [low, high], "smallest_piece_ml": 100, "airways": "with those joined to the lungs"}
        return Tissue("lung", self.scan, field, (222, 140, 140), 0.85, smallest=100, smallest_cavity=1e9, how=how)

    def vessels(self) -> Tissue:
        """Vessels filled with contrast medium, by their brightness away from dense bone.

        Where a vessel touches bone the border is a guess. The coarse grid is one millimetre here.
        """
        low, high = VESSELS
        fine = Coarse.of(self.scan, 1.0)
        spacing = fine.spacing
        bright = fine.values > low
        bone = grown(fine.values > DENSE, 1.5, spacing)
        bone = ndimage.binary_fill_holes(shrunk(grown(bone, 4.0, spacing), 4.0, spacing) | bone)
        label, number = ndimage.label(bright & ~bone)
        size = np.bincount(label.reshape(-1)) * float(np.prod(spacing)) / 1000
        size[0] = 0
        # The rest of a bone is a shell around what was taken out: most of it lies against that.
        touching = np.bincount(label[grown(bone, 1.5, spacing)].reshape(-1), minlength=number + 1)
        share = touching / np.maximum(np.bincount(label.reshape(-1)), 1)
        chosen = (size >= 0.3) & (share < 0.5)
        if not chosen.any():
            raise ScanError("The scan shows no vessels with contrast medium: leave them out of --tissues.")
        keep = fine.like(grown(chosen[label], 1.5, spacing) & ~bone).softened()
        field = RangeField(self.scan, low, keep=keep)
        how = {"range_hu": [low, high], "smallest_piece_ml": 0.3, "bone": "left out where denser than 650 HU"}
        return Tissue("vessels", self.scan, field, (196, 30, 40), smallest=0.3, smallest_cavity=0.5, how=how)

    def _within(self) -> Coarse:
        return self.coarse.like(grown(self.outline.solid, 1.0, self.coarse.spacing)).softened()


def solid_masks(coarse: Coarse, found: Outline) -> tuple[Coarse, Coarse]:
    """Soft masks for a filled outline: where its surface may be, and what is inside whatever it shows."""
    step = float(coarse.spacing.max())
    keep = grown(found.solid, 2.5 * step, coarse.spacing)
    fill = shrunk(found.solid, 2.0 * step, coarse.spacing)
    # Cavities are filled up to their walls, but not out through a thin wall.
    fill |= grown(found.cavities, 1.5 * step, coarse.spacing) & shrunk(found.solid, step, coarse.spacing)
    return coarse.like(keep).softened(), coarse.like(fill | found.cavities).softened()
