"""Pictures on clothes: random numbers in, tiles that repeat and single prints out, as small pictures with alpha."""

from __future__ import annotations

import numpy as np

from lookalike.people.looks.paint import ImagePaint
from lookalike.render.shade import encode_srgb

#: Words a print may say: letters by chance are as good as words.
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def floral_tile(rng: np.random.Generator, colours: np.ndarray, side: int = 256) -> ImagePaint:
    """Flowers and leaves strewn over a tile. colours : (k, 3) linear; no background: alpha."""
    tile = _Canvas(side, side, wrap=True)
    count = int(rng.integers(6, 40))
    size = side * rng.uniform(0.25, 0.5) / np.sqrt(count)
    petals = int(rng.integers(4, 8))
    for _ in range(count):
        centre, turn = rng.random(2) * side, rng.random() * 2 * np.pi
        colour, heart, leaf = colours[rng.integers(len(colours), size=3)]
        radius = size * rng.uniform(0.6, 1.3)
        for a in turn + np.array([0.5, 2.6]):
            tile.ellipse(centre + 1.25 * radius * _way(a), (0.7 * radius, 0.22 * radius), a, leaf)
        for k in range(petals):
            a = turn + 2 * np.pi * k / petals
            tile.ellipse(centre + 0.55 * radius * _way(a), (0.55 * radius, 0.33 * radius), a, colour)
        tile.ellipse(centre, (0.28 * radius, 0.28 * radius), 0, heart)
    return tile.paint()


def motif_tile(rng: np.random.Generator, colours: np.ndarray, side: int = 256) -> ImagePaint:
    """Small shapes, in order or strewn: spots of a leopard, triangles, hearts, leaves, crosses, rings, letters."""
    tile = _Canvas(side, side, wrap=True)
    kind = rng.choice(["leopard", "triangle", "leaf", "ring", "letter", "diamond", "stroke"])
    across = int(rng.integers(3, 9))
    ordered = rng.random() < 0.5 and kind not in ("leopard", "stroke")
    step = side / across
    for i in range(across):
        for j in range(across):
            jitter = np.zeros(2) if ordered else rng.uniform(-0.35, 0.35, 2)
            centre = (np.array([i + 0.5 * (j % 2), j]) + 0.5 + jitter) * step
            turn = 0.0 if ordered else rng.random() * 2 * np.pi
            size = step * (0.3 if ordered else rng.uniform(0.2, 0.42))
            colour = colours[int(rng.integers(len(colours)))]
            if kind == "leopard":
                tile.ellipse(centre, (0.8 * size, 0.6 * size), turn, colours[0])
                for a in turn + np.array([0, 1.7, 3.6]) + rng.uniform(-0.4, 0.4, 3):
                    tile.ellipse(centre + 0.8 * size * _way(a), (0.45 * size, 0.24 * size), a + 1.57, colours[-1])
            elif kind == "leaf":
                for a in turn + np.linspace(-1.2, 1.2, 5):
                    tile.ellipse(centre + 0.6 * size * _way(a), (0.6 * size, 0.14 * size), a, colour)
            elif kind == "ring":
                tile.ellipse(centre, (size, size), 0, colour, max(1, int(0.3 * size)))
            elif kind == "letter":
                tile.text(LETTERS[int(rng.integers(26))], centre, 1.5 * size, colour, rng)
            elif kind == "stroke":
                tile.ellipse(centre, (1.3 * size, 0.3 * size), turn, colour)
            else:
                corners = 3 if kind == "triangle" else 4
                angles = turn + 2 * np.pi * np.arange(corners) / corners
                tile.polygon(centre + size * np.stack([np.cos(angles), np.sin(angles)], 1), colour)
    return tile.paint()


def chest_print(rng: np.random.Generator, colours: np.ndarray) -> tuple[ImagePaint, float]:
    """A print for chest or back, and its height for a width of one. colours : (k, 3) linear."""
    kind = rng.choice(["word", "words", "emblem", "picture", "shapes"], p=[0.3, 0.2, 0.2, 0.18, 0.12])
    tall = {"word": rng.uniform(0.22, 0.4), "words": rng.uniform(0.5, 0.9)}.get(kind, rng.uniform(0.7, 1.3))
    width = 256
    sheet = _Canvas(width, int(width * tall))
    colour, other = colours[rng.integers(len(colours), size=2)]
    height = sheet.height
    if kind in ("word", "words"):
        lines = 1 if kind == "word" else int(rng.integers(2, 5))
        for k in range(lines):
            word = "".join(LETTERS[i] for i in rng.integers(26, size=int(rng.integers(3, 9))))
            centre = np.array([width / 2, height * (k + 0.5) / lines])
            sheet.text(word, centre, 0.8 * height / lines, colour if k % 2 == 0 else other, rng, 0.94 * width)
    elif kind == "emblem":
        centre, radius = np.array([width, height]) / 2, 0.46 * min(width, height)
        sheet.ellipse(centre, (radius, radius), 0, colour)
        sheet.ellipse(centre, (0.84 * radius, 0.84 * radius), 0, other, 4)
        points = int(rng.integers(3, 9))
        angles = np.pi * np.arange(2 * points) / points - np.pi / 2
        reach = np.where(np.arange(2 * points) % 2 == 0, 0.75, rng.uniform(0.25, 0.6)) * radius
        sheet.polygon(centre + reach[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1), other)
    elif kind == "picture":
        sheet.rgb[:] = _scenery(rng, colours, width, height)
        sheet.alpha[:] = 1
    else:
        for _ in range(int(rng.integers(3, 9))):
            corner, size = rng.random(2) * [width, height] * 0.7, rng.uniform(0.1, 0.5, 2) * [width, height]
            shade = colours[int(rng.integers(len(colours)))]
            if rng.random() < 0.5:
                sheet.polygon(corner + np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * size, shade)
            else:
                sheet.ellipse(corner + size / 2, (size.min() / 2, size.min() / 2), 0, shade)
    if rng.random() < 0.3:
        # Washed often: cracks.
        import cv2

        grain = cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), 1.5)
        sheet.alpha *= np.clip(1.0 - np.maximum(grain * 4 - rng.uniform(0.8, 2), 0), 0, 1)
    return sheet.paint(), tall


def _scenery(rng: np.random.Generator, colours: np.ndarray, width: int, height: int) -> np.ndarray:
    """(height, width, 3) linear: something like a printed photograph, lumps in a few colours."""
    import cv2

    out = np.zeros((height, width, 3), np.float32) + colours[0]
    for k in range(1, 6):
        field = cv2.resize(
            rng.standard_normal((2 + 2 * k, 2 + 2 * k)).astype(np.float32),
            (width, height),
            interpolation=cv2.INTER_CUBIC,
        )
        share = np.clip(field * rng.uniform(2, 8), 0, 1)[..., None]
        out += share * (colours[int(rng.integers(len(colours)))] * rng.uniform(0.4, 1.4) - out)
    return out


class _Canvas:
    """Shapes in linear colour, with alpha; on a tile they come in again on the other side."""

    def __init__(self, width: int, height: int, wrap: bool = False):
        self.width, self.height, self.wrap = width, height, wrap
        self.rgb, self.alpha = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)

    def ellipse(self, centre, axes, turn: float, colour, line: int = -1) -> None:
        import cv2

        size = tuple(int(round(max(a, 0.6) * 16)) for a in axes)

        def draw(mask: np.ndarray, x: float, y: float) -> None:
            cv2.ellipse(mask, (int(x * 16), int(y * 16)), size, np.degrees(turn), 0, 360, 255, line, cv2.LINE_AA, 4)

        self._lay(draw, centre, max(axes) + 2, colour)

    def polygon(self, corners: np.ndarray, colour) -> None:
        import cv2

        middle = corners.mean(0)

        def draw(mask: np.ndarray, x: float, y: float) -> None:
            points = np.round((corners - middle + (x, y)) * 16).astype(np.int32)
            cv2.fillPoly(mask, [points], 255, cv2.LINE_AA, 4)

        self._lay(draw, middle, float(np.abs(corners - middle).max()) + 2, colour)

    def text(self, word: str, centre, height: float, colour, rng: np.random.Generator, widest: float = 1e9) -> None:
        import cv2

        fonts = (cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX)
        font = int(fonts[int(rng.integers(len(fonts)))])
        (w, h), _ = cv2.getTextSize(word, font, 1.0, 2)
        scale = min(height / max(h, 1), widest / max(w, 1))
        thick = max(1, int(round(scale * rng.uniform(1, 5))))

        def draw(mask: np.ndarray, x: float, y: float) -> None:
            start = int(x - scale * w / 2), int(y + scale * h / 2)
            cv2.putText(mask, word, start, font, scale, 255, thick, cv2.LINE_AA)

        self._lay(draw, centre, 0.6 * scale * max(w, h) + 2, colour)

    def paint(self) -> ImagePaint:
        picture = np.empty((self.height, self.width, 4), np.uint8)
        picture[..., :3] = encode_srgb(self.rgb)
        picture[..., 3] = np.round(np.clip(self.alpha, 0, 1) * 255)
        return ImagePaint(picture, self.wrap)

    def _lay(self, draw, centre, reach: float, colour) -> None:
        places = [(float(centre[0]), float(centre[1]))]
        if self.wrap:
            x, y = places[0][0] % self.width, places[0][1] % self.height
            xs = [x] + [x - self.width] * bool(x + reach > self.width) + [x + self.width] * bool(x < reach)
            ys = [y] + [y - self.height] * bool(y + reach > self.height) + [y + self.height] * bool(y < reach)
            places = [(a, b) for a in xs for b in ys]
        for x, y in places:
            x0, y0 = max(0, int(x - reach) - 1), max(0, int(y - reach) - 1)
            x1, y1 = min(self.width, int(x + reach) + 2), min(self.height, int(y + reach) + 2)
            if x1 <= x0 or y1 <= y0:
                continue
            mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
            draw(mask, x - x0, y - y0)
            share = mask.astype(np.float32) / 255
            part = np.s_[y0:y1, x0:x1]
            self.rgb[part] += np.where(self.alpha[part] > 0, share, mask > 0)[..., None] * (colour - self.rgb[part])
            self.alpha[part] += share * (1 - self.alpha[part])


def _way(angle: float) -> np.ndarray:
    return np.array([np.cos(angle), np.sin(angle)])
