"""The fit's outline term: the body stays inside the matte, and reaches its outline where clothes are tight."""

from __future__ import annotations

import numpy as np
import torch

from lookalike.body.model import BodyModel
from lookalike.photo.subject import Subject

_GRID = 256


class OutlineTerm:
    """Distances between projected body vertices and the matte.

    Outside: a body vertex that projects outside the matte costs its distance. Cover: points of the matte's outline that
    are far from every projected vertex cost a little, robustly, as clothes and hair stand off the body.
    """

    def __init__(self, subject: Subject, model: BodyModel, size: float, seed: int) -> None:
        import cv2

        rng = np.random.default_rng(seed)
        self.size = size
        inside = subject.matte > 0.5
        height, width = inside.shape
        margin = 0.25 * size
        x0, y0, x1, y1 = subject.box
        self.x0, self.y0 = max(x0 - margin, 0), max(y0 - margin, 0)
        self.x1, self.y1 = min(x1 + margin, width), min(y1 + margin, height)
        crop = inside[int(self.y0) : int(np.ceil(self.y1)), int(self.x0) : int(np.ceil(self.x1))].astype(np.uint8)
        self.x1, self.y1 = int(self.x0) + crop.shape[1], int(self.y0) + crop.shape[0]
        self.x0, self.y0 = int(self.x0), int(self.y0)
        k = _GRID / max(crop.shape)
        small = cv2.resize(crop * 255, None, fx=k, fy=k, interpolation=cv2.INTER_AREA) > 127
        outside = cv2.distanceTransform((~small).astype(np.uint8), cv2.DIST_L2, 5) / k / size
        # beyond the photo's frame there is no evidence: the distance field simply goes on, vertices there are dropped
        self.field = torch.from_numpy(outside.astype(np.float32))[None, None]
        edges, _ = cv2.findContours(small.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        points = np.concatenate([e[:, 0] for e in edges]) if edges else np.zeros((0, 2))
        full = (points + 0.5) / k + [self.x0, self.y0]
        edge = 2.0 / k
        free = (full[:, 0] > edge) & (full[:, 1] > edge) & (full[:, 0] < width - edge) & (full[:, 1] < height - edge)
        full = full[free]
        full = full[rng.permutation(len(full))[:300]]
        self.contour = torch.from_numpy(full.astype(np.float32))
        self.frame = (width, height)
        keep = np.ones(len(model.template), bool)
        if model.parts is not None:
            keep = ~np.isin(model.parts, [model.part_names.index(p) for p in ("eyes", "mouth")])
        self.vertices = np.sort(rng.permutation(np.flatnonzero(keep))[:1000])

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        """The term's value for the projections (1000, 2) of `self.vertices`; shares of the person's size, squared."""
        x = (pixels[:, 0] - self.x0) / (self.x1 - self.x0) * 2 - 1
        y = (pixels[:, 1] - self.y0) / (self.y1 - self.y0) * 2 - 1
        at = torch.stack([x, y], -1)[None, None]
        out = torch.nn.functional.grid_sample(self.field, at, align_corners=False, padding_mode="border")[0, 0, 0]
        width, height = self.frame
        framed = (pixels[:, 0] > 0) & (pixels[:, 0] < width) & (pixels[:, 1] > 0) & (pixels[:, 1] < height)
        total = ((out**2) / (1 + (out / 0.1) ** 2) * framed).mean()
        if len(self.contour):
            gap = (torch.cdist(self.contour, pixels) / self.size).min(1).values
            gap = torch.relu(gap - 0.008)
            total = total + 0.15 * (gap**2 / (1 + (gap / 0.03) ** 2)).mean()
        return total
