"""Scores in image space: predicted `Maps` and true ones through the same camera in, `MapScores` out.

Angles and depths are compared where both have a surface (the common mask); how well the masks agree is a score of its
own. With `whole`, angles are compared over the truth's whole mask, and where the prediction has nothing it is charged
90 degrees.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lookalike.maps import Maps

#: Degrees of the shares, as papers on normal estimation give them.
WITHIN = (11.25, 22.5, 30.0)
#: Degrees for a pixel of the truth where the prediction has no surface.
MISSING = 90.0


@dataclass(frozen=True)
class AngularError:
    """Angles between predicted and true normals.

    mean, median : degrees.  within_11, within_22, within_30 : shares of the pixels under 11.25, 22.5 and 30 degrees.
    """

    mean: float
    median: float
    within_11: float
    within_22: float
    within_30: float


@dataclass(frozen=True)
class DepthError:
    """Absolute differences of depth in millimetres.

    raw : mean.  relative : mean after one number, the median difference over front and back together, has been taken
    off: how far away the person stands, which a picture does not tell. How thick it is stays judged.
    """

    raw: float
    relative: float


@dataclass(frozen=True)
class MapScores:
    """How near maps are to the truth. All are nan where nothing could be compared.

    Attributes
    ----------
    front, back : of the normals.   depth_front, depth_back : of the depths, always over the common mask.
    depth_offset : mm, the median of predicted minus true depth that `relative` takes off.
    mask_iou : 0..1.   pixels : how many the angles were compared on.
    """

    front: AngularError
    back: AngularError
    depth_front: DepthError
    depth_back: DepthError
    depth_offset: float
    mask_iou: float
    pixels: int

    def as_json(self) -> dict[str, Any]:
        """Nested plain JSON types."""
        return asdict(self)


def score_maps(predicted: Maps, truth: Maps, whole: bool = False) -> MapScores:
    """Compare maps pixel by pixel.

    predicted, truth : of one size and, for the depths to mean the same, one camera.
    whole : compare normals over the truth's whole mask instead of the common one.
    """
    if predicted.mask.shape != truth.mask.shape:
        raise ValueError(f"maps of {predicted.mask.shape} and {truth.mask.shape} pixels cannot be compared")
    common = predicted.mask & truth.mask
    either = predicted.mask | truth.mask
    over = truth.mask if whole else common
    front, back = (
        _angular(getattr(predicted, name), getattr(truth, name), common, over)
        for name in ("normals_front", "normals_back")
    )
    off_front, off_back = (
        1000.0 * (getattr(predicted, name)[common].astype(np.float64) - getattr(truth, name)[common])
        for name in ("depth_front", "depth_back")
    )
    known = np.concatenate([off_front, off_back])
    known = known[np.isfinite(known)]
    offset = float(np.median(known)) if len(known) else float("nan")
    return MapScores(
        front=front,
        back=back,
        depth_front=_depth(off_front, offset),
        depth_back=_depth(off_back, offset),
        depth_offset=offset,
        mask_iou=float(common.sum() / either.sum()) if either.any() else float("nan"),
        pixels=int(over.sum()),
    )


def angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(...) degrees between vectors (..., 3) of any length; exact for small angles, where the arc cosine is not."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (a * b).sum(-1)))


def _angular(predicted: np.ndarray, truth: np.ndarray, common: np.ndarray, over: np.ndarray) -> AngularError:
    error = np.full(common.shape, MISSING)
    error[common] = angles(predicted[common], truth[common])
    error = error[over]
    if not len(error):
        return AngularError(*[float("nan")] * 5)
    return AngularError(float(error.mean()), float(np.median(error)), *(float((error < w).mean()) for w in WITHIN))


def _depth(off: np.ndarray, offset: float) -> DepthError:
    off = off[np.isfinite(off)]
    if not len(off):
        return DepthError(float("nan"), float("nan"))
    return DepthError(float(np.abs(off).mean()), float(np.abs(off - offset).mean()))
