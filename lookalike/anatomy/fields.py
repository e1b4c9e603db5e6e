"""Fields whose zero is a tissue's surface, made block by block from the scan: see `polygonise.Field`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from lookalike.anatomy.regions import Coarse
from lookalike.anatomy.volume import Volume

#: Hounsfield units between outside and inside of a coarse mask.
STEEP = 2000.0


@dataclass(frozen=True)
class RangeField:
    """Samples within a range: positive where low <= value <= high.

    scan : the samples.  low, high : the range; None leaves an end open.
    keep : soft coarse mask of where the tissue may be, or None for everywhere.
    fill : soft coarse mask of what counts as inside whatever its value, or None.
    seal : pinholes and cracks up to twice this many samples wide are closed.
    blur : standard deviation of a Gaussian in samples, against noise; 0 for none.
    steep : how steep the borders of the masks are, in the scan's unit from outside to inside.
    """

    scan: Volume
    low: float | None
    high: float | None = None
    keep: Coarse | None = None
    fill: Coarse | None = None
    seal: int = 0
    blur: float = 0.0
    steep: float = STEEP

    @property
    def shape(self) -> tuple[int, int, int]:
        nz, ny, nx = self.scan.values.shape
        return nz, ny, nx

    def block(self, start: int, stop: int) -> np.ndarray:
        margin = 2 * self.seal + int(np.ceil(3 * self.blur))
        first, last = max(start - margin, 0), min(stop + margin, self.shape[0])
        values = self.scan.values[first:last].astype(np.float32)
        if self.blur:
            values = ndimage.gaussian_filter(values, self.blur, truncate=3.0)
        if self.low is None:
            out = np.float32(self.high) - values
        else:
            out = values - np.float32(self.low)
            if self.high is not None:
                np.minimum(out, np.float32(self.high) - values, out=out)
        if self.seal:
            size = 2 * self.seal + 1
            closed = ndimage.minimum_filter(ndimage.maximum_filter(out, size, mode="nearest"), size, mode="nearest")
            np.copyto(out, closed, where=(out <= 0) & (closed > 0))  # elsewhere it would round off what is no crack
        out = out[start - first : stop - first]
        if self.fill is not None:
            np.maximum(out, np.float32(self.steep) * (self.fill.block(start, stop) - np.float32(0.5)), out=out)
        if self.keep is not None:
            np.minimum(out, np.float32(self.steep) * (self.keep.block(start, stop) - np.float32(0.5)), out=out)
        return out
