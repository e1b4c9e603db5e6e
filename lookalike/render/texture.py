"""Reading textures at arbitrary places: bilinear, from a pyramid so that small pictures do not flicker."""

from __future__ import annotations

import numpy as np

#: Points go through OpenCV's remap as an image of this width, because it takes fewer than 32768 rows.
_WIDTH = 1024


def bilinear(image: np.ndarray, x: np.ndarray, y: np.ndarray, outside: float | None = None) -> np.ndarray:
    """Values of an image at points.

    image : (h, w) or (h, w, c), uint8 or float32.  x, y : (n,) with whole numbers at texel centres.
    outside : the value beyond the image, or None to repeat its border. Returns (n,) or (n, c) of the image's type.
    """
    import cv2

    count = len(x)
    place = np.zeros((2, -(-count // _WIDTH) * _WIDTH), np.float32)
    place[0, :count], place[1, :count] = np.clip(x, -9, 40000), np.clip(y, -9, 40000)
    columns, rows = place.reshape(2, -1, _WIDTH)
    border = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
    found = cv2.remap(image, columns, rows, cv2.INTER_LINEAR, borderMode=border, borderValue=(outside or 0,))
    return found.reshape(-1, *image.shape[2:])[:count]


class Texture:
    """An image on a UV atlas, row 0 at v = 0, with its halved copies made when they are first needed."""

    def __init__(self, image: np.ndarray):
        self._levels = [np.ascontiguousarray(image)]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in texels."""
        return self._levels[0].shape[1], self._levels[0].shape[0]

    def level(self, number: int) -> np.ndarray:
        """The image halved `number` times, or as often as it can be."""
        import cv2

        while len(self._levels) <= number and min(self._levels[-1].shape[:2]) > 4:
            image = self._levels[-1]
            size = (image.shape[1] // 2, image.shape[0] // 2)
            self._levels.append(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
        return self._levels[min(number, len(self._levels) - 1)]

    def sample(self, uv: np.ndarray, level: int = 0) -> np.ndarray:
        """Texels at uv (n, 2): (n, c) of the image's type."""
        image = self.level(level)
        height, width = image.shape[:2]
        return bilinear(image, uv[:, 0] * width - 0.5, uv[:, 1] * height - 0.5)
