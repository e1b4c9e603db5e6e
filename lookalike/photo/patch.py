"""Square, turned windows of a photo: what the networks look at, and the way back to photo pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Patch:
    """A square window.

    x, y : its centre in photo pixels. side : its side in photo pixels. angle : radians by which the window is turned
    clockwise in the photo: a person who leans to the right by `angle` stands upright in the window.
    mirrored : left and right are exchanged in the window.
    """

    x: float
    y: float
    side: float
    angle: float = 0.0
    mirrored: bool = False

    @classmethod
    def around(cls, hips: np.ndarray, top: np.ndarray, margin: float = 1.25) -> Patch:
        """The window of a person, from the middle of the hips and the "up" point on the circle round the body."""
        dx, dy = float(top[0] - hips[0]), float(top[1] - hips[1])
        return cls(float(hips[0]), float(hips[1]), 2 * margin * float(np.hypot(dx, dy)), float(np.arctan2(dx, -dy)))

    def matrix(self, size: int) -> np.ndarray:
        """(2, 3) float64: photo pixels to window pixels, for a window resampled to `size` pixels a side."""
        s, c = np.sin(self.angle), np.cos(self.angle)
        turn = np.array([[c, s], [-s, c]]) * (size / self.side)
        if self.mirrored:
            turn[0] *= -1
        return np.column_stack([turn, size / 2 - turn @ [self.x, self.y]])

    def to_photo(self, points: np.ndarray, size: int) -> np.ndarray:
        """Window pixels, (..., 2), to photo pixels."""
        matrix = self.matrix(size)
        return ((points - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T).astype(np.float32)

    def turn_to_photo(self, vectors: np.ndarray) -> np.ndarray:
        """Vectors (..., 3) in the window's axes (x right, y down, z any) to the photo's axes, lengths kept."""
        s, c = np.sin(self.angle), np.cos(self.angle)
        sign = -1.0 if self.mirrored else 1.0
        turn = np.array([[c * sign, -s, 0], [s * sign, c, 0], [0, 0, 1]])
        return (vectors @ turn.T).astype(np.float32)

    def paste(self, image: np.ndarray, frame: Frame) -> np.ndarray:
        """Bring a window's map, (N, N) float32, into a frame's pixels; it is 0 outside of the window."""
        import cv2

        matrix = self.matrix(image.shape[0]) @ frame.to_photo()
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(image, centred(matrix), frame.size, flags=flags, borderMode=cv2.BORDER_CONSTANT)


@dataclass(frozen=True)
class Frame:
    """An upright rectangle of the photo, resampled.

    x, y : its upper left corner, width, height : its size, in whole photo pixels. size : (columns, rows) of the
    resampled rectangle.
    """

    x: int
    y: int
    width: int
    height: int
    size: tuple[int, int]

    @classmethod
    def whole(cls, width: int, height: int, longest: int | None = None) -> Frame:
        """All of a photo, its longer side reduced to at most `longest` pixels."""
        scale = min(1.0, (longest or np.inf) / max(width, height))
        return cls(0, 0, width, height, (max(1, round(width * scale)), max(1, round(height * scale))))

    @property
    def box(self) -> tuple[slice, slice]:
        """The rectangle as rows and columns of the photo."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)

    @property
    def scale(self) -> float:
        """Frame pixels per photo pixel."""
        return max(self.size) / max(self.width, self.height)

    def to_photo(self) -> np.ndarray:
        """(3, 3): frame pixels to photo pixels."""
        across, down = self.width / self.size[0], self.height / self.size[1]
        return np.array([[across, 0, self.x], [0, down, self.y], [0, 0, 1]])

    def points(self, pixels: np.ndarray) -> np.ndarray:
        """Photo pixels, (..., 2), to frame pixels."""
        return (pixels - [self.x, self.y]) * [self.size[0] / self.width, self.size[1] / self.height]


class Pyramid:
    """A photo with its halvings, so that windows of any size are cut without aliasing.

    rgb : (height, width, 3) uint8. size : (width, height) of the photo whose pixels windows are measured in, if `rgb`
    is a scaled copy of it.
    """

    def __init__(self, rgb: np.ndarray, size: tuple[int, int] | None = None):
        self.levels = [rgb]
        self.size = size or (rgb.shape[1], rgb.shape[0])

    def _level(self, index: int) -> np.ndarray:
        import cv2

        while len(self.levels) <= index and min(self.levels[-1].shape[:2]) >= 4:
            height, width = self.levels[-1].shape[:2]
            self.levels.append(cv2.resize(self.levels[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA))
        return self.levels[min(index, len(self.levels) - 1)]

    def cut(self, patch: Patch, size: int, border: str = "replicate") -> np.ndarray:
        """The window resampled to (size, size, 3) uint8. `border`: "replicate" or "black" outside of the photo."""
        import cv2

        width, height = self.size
        shrink = patch.side / size * self.levels[0].shape[1] / width
        level = self._level(max(0, int(np.floor(np.log2(max(shrink, 1.0)) + 0.25))))
        matrix = patch.matrix(size)
        matrix = matrix @ np.diag([width / level.shape[1], height / level.shape[0], 1.0])
        mode = cv2.BORDER_REPLICATE if border == "replicate" else cv2.BORDER_CONSTANT
        return cv2.warpAffine(level, centred(matrix), (size, size), flags=cv2.INTER_LINEAR, borderMode=mode)


def centred(matrix: np.ndarray) -> np.ndarray:
    """The same map for OpenCV, whose pixel centres are at whole numbers."""
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    return shifted
