"""The one camera model and the coordinate conventions.

Conventions (every other file refers to these)
----------------------------------------------
- Metres, right-handed, Y up. The camera sits at the origin and looks along -Z, +X is right in the photo. A person who
  looks into the camera faces +Z. This is glTF's own frame, so nothing is flipped at export.
- Pixels: (u, v), u to the right, v down, origin at the photo's upper left corner; pixel (0, 0) covers [0, 1) x [0, 1),
  its centre is (0.5, 0.5).
- Normals are unit vectors in camera axes; as colours (n + 1) / 2. "Back" maps are seen from behind through the same
  pixels and are not mirrored: pixel (u, v) of the front and of the back map is one ray.
- Pinhole:  u = cx + f * X / -Z,   v = cy - f * Y / -Z.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

#: Focal length, in units of the photo's longer side, when the photo does not tell (about 45 degrees across).
TYPICAL_FOCAL = 1.2


@dataclass(frozen=True)
class Camera:
    """A pinhole camera without distortion, at the origin, looking along -Z.

    Attributes
    ----------
    focal : focal length in pixels.
    cx, cy : principal point in pixels.
    width, height : size of the image in pixels.
    """

    focal: float
    cx: float
    cy: float
    width: int
    height: int

    @classmethod
    def for_photo(cls, width: int, height: int, focal: float | None = None) -> Camera:
        """The camera of an uncropped photo; `focal` in pixels, or None for a typical lens."""
        return cls(focal or TYPICAL_FOCAL * max(width, height), width / 2, height / 2, width, height)

    def project(self, points):
        """Pixels of points.

        points : (..., 3) camera frame, metres; a numpy array or a torch tensor. Returns (..., 2) of the same kind.
        Points at or behind the camera are moved to 1 mm in front of it.
        """
        x, y = points[..., 0], points[..., 1]
        if isinstance(points, np.ndarray):
            depth = np.maximum(-points[..., 2], 1e-3)
            return np.stack([self.cx + self.focal * x / depth, self.cy - self.focal * y / depth], -1)
        import torch

        depth = (-points[..., 2]).clamp_min(1e-3)
        return torch.stack([self.cx + self.focal * x / depth, self.cy - self.focal * y / depth], -1)

    def rays(self, pixels: np.ndarray | None = None) -> np.ndarray:
        """Directions through pixels, scaled so that their z is -1 (a point at depth d is d * ray).

        pixels : (..., 2) as (u, v), or None for all pixel centres, (height, width, 2). Returns (..., 3) float32.
        """
        if pixels is None:
            v, u = np.mgrid[0 : self.height, 0 : self.width].astype(np.float32) + 0.5
        else:
            u, v = pixels[..., 0], pixels[..., 1]
        x, y = (u - self.cx) / self.focal, (self.cy - v) / self.focal
        return np.stack([x, y, -np.ones_like(x)], -1).astype(np.float32)

    def window(self, x0: float, y0: float, width: float, height: float, scale: float) -> Camera:
        """The camera of the rectangle that starts at pixel (x0, y0), resampled by `scale` (2 = twice the pixels)."""
        return replace(
            self,
            focal=self.focal * scale,
            cx=(self.cx - x0) * scale,
            cy=(self.cy - y0) * scale,
            width=int(round(width * scale)),
            height=int(round(height * scale)),
        )
