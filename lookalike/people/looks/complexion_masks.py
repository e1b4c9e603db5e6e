"""Where on the body skin differs: a body model in, pictures on its atlas out that say how much of what each texel has.

Made once a process from the model's landmarks; `complexion.py` gives them colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from scipy.spatial import cKDTree

from lookalike.appearance.face import EYEBROWS
from lookalike.appearance.hair import HeadPlan
from lookalike.appearance.registration import face_marks
from lookalike.appearance.sampling import ramp
from lookalike.appearance.texels import texel_map
from lookalike.body.model import PARTS, BodyModel
from lookalike.errors import LookalikeError
from lookalike.render.normals import vertex_normals
from lookalike.render.texture import Texture

#: Texels along the atlas's side, and along that of the eyes' own small picture.
SIZE, EYE_SIZE = 1024, 128

#: What the masks say, four to a picture.
MASKS = (
    "red", "lips", "brows", "lashes",
    "beard", "sockets", "pale", "nails",
    "sun", "scalp", "inside", "hairy",
    "mottle", "freckles", "fine", "lids",
)  # fmt: skip

#: MediaPipe's face mesh.
LIP_ROWS = (((61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
             (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306),
             (62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292),
             (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)),
            ((61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
             (76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306),
             (62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292),
             (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)))  # fmt: skip
CHEEKS, NOSE = (205, 425, 50, 280, 101, 330), (1, 4, 5, 45, 275)
UPPER_LIDS = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (263, 466, 388, 387, 386, 385, 384, 398, 362))
LOWER_LIDS = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (263, 249, 390, 373, 374, 380, 381, 382, 362))
BEARD = (172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 58, 288, 164, 167, 393, 165, 391, 18, 200, 199,
         175, 138, 367, 135, 364, 169, 394, 170, 395, 171, 396, 210, 430, 211, 431, 214, 434, 132, 361, 93, 323)  # fmt: skip
UNDER_EYES = (111, 117, 118, 119, 120, 121, 340, 346, 347, 348, 349, 350)


@dataclass(frozen=True)
class Masks:
    """Pictures on a body's atlas.

    Attributes
    ----------
    pictures : four, each of four of `MASKS`, 8 bits; 128 is zero for "mottle", "freckles" and "fine", random numbers
        with 40 a standard deviation.
    eye_window : u and v of the corner, and the sides, of the rectangle of the atlas that holds the eyes.
    eye_ways : (h, w, 3) float32 for each pixel of that rectangle the way from the eyeball's middle, at rest, unit.
    """

    pictures: tuple[Texture, ...]
    eye_window: tuple[float, float, float, float]
    eye_ways: np.ndarray

    @classmethod
    def of(cls, model: BodyModel) -> Masks:
        """The masks of our own body model; they are kept, as they take seconds."""
        if model.name not in _KNOWN:
            _KNOWN[model.name] = _make(model)
        return _KNOWN[model.name]

    def sample(self, uv: np.ndarray, spacing: float) -> dict[str, np.ndarray]:
        """Name -> (r,) float32 at uv (r, 2): shares in [0, 1], and noise in standard deviations."""
        level = int(round(np.log2(max(spacing * SIZE, 1.0))))
        out = {}
        for i, picture in enumerate(self.pictures):
            texel = picture.sample(uv, level).astype(np.float32)
            for j, name in enumerate(MASKS[4 * i : 4 * i + 4]):
                noise = name in ("mottle", "freckles", "fine")
                out[name] = (texel[:, j] - 128) / 40 if noise else texel[:, j] / 255
        return out


_KNOWN: dict[str, Masks] = {}


def _make(model: BodyModel) -> Masks:
    if model.uv is None or model.face_uv is None or model.parts is None:
        raise LookalikeError("Painted skin needs a body model with texture coordinates; use the bundled body.")
    texels = texel_map(model.uv, model.face_uv, SIZE)
    rest = texels.interpolate(model.faces, model.template)
    normal = texels.interpolate(model.faces, vertex_normals(model.template, model.faces))
    part = model.parts[model.faces[texels.face, 0]]
    is_in = {name: part == i for i, name in enumerate(PARTS)}
    face = is_in["head"]
    marks = face_marks(model)

    def at(numbers) -> np.ndarray:
        known = [n for n in numbers if n in marks]
        return np.stack([marks[n][1] @ model.template[marks[n][0]] for n in known])

    def near(points: np.ndarray, full: float, none: float, where: np.ndarray = face) -> np.ndarray:
        """(k,) 1 within `full` metres of the points, 0 from `none` on."""
        out = np.zeros(len(rest), np.float32)
        rows = np.flatnonzero(where)
        out[rows] = 1 - ramp(cKDTree(points).query(rest[rows], distance_upper_bound=none)[0].clip(0, none), full, none)
        return out

    def between(points: np.ndarray) -> np.ndarray:
        return np.concatenate([points, (points[1:] + points[:-1]) / 2, points[1:] * 0.25 + points[:-1] * 0.75])

    def rows(*ends: tuple[int, ...]) -> np.ndarray:
        """The strip between two rows of marks of the same length, filled with points."""
        a, b = (at(row) for row in ends)
        share = np.linspace(0, 1, 7)[:, None, None]
        strip = (1 - share) * a + share * b
        fine = np.linspace(0, len(a) - 1, 6 * (len(a) - 1) + 1)
        low = np.minimum(fine.astype(int), len(a) - 2)
        rest_ = (fine - low)[:, None]
        return ((1 - rest_) * strip[:, low] + rest_ * strip[:, low + 1]).reshape(-1, 3)

    def joints(names: list[str]) -> np.ndarray:
        return model.landmark_points(model.template, [f"{s}_{n}" for s in ("left", "right") for n in names])

    fingers = ("index", "middle", "ring", "pinky", "thumb")
    hand = is_in["left_hand"] | is_in["right_hand"]
    arm = is_in["left_arm"] | is_in["right_arm"]
    leg = is_in["left_leg"] | is_in["right_leg"]
    foot = is_in["left_foot"] | is_in["right_foot"]
    lips = np.concatenate([rows(a, b) for lip in LIP_ROWS for a, b in pairwise(lip)])
    knuckles = joints([f"hand/{f}{i}" for f in fingers for i in (1, 2, 3)])
    tips = joints([f"hand/{f}4" for f in fingers])
    plan = HeadPlan.of(model)
    masks = {name: np.zeros(len(rest), np.float32) for name in MASKS}
    ears = face & (np.abs(rest[:, 0]) > 0.93 * np.abs(rest[face, 0]).max())
    masks["red"] = np.max(
        [
            0.5 * near(at(CHEEKS), 0.004, 0.034),
            0.9 * near(at(NOSE), 0.006, 0.02),
            0.6 * ears,
            0.9 * near(knuckles, 0.006, 0.018, hand) * (normal[:, 1] > 0),
            0.5 * near(tips, 0.01, 0.025, hand),
            0.6 * near(joints(["knee"]), 0.05, 0.09, leg) * (normal[:, 2] > 0.2),
            0.7 * near(joints(["elbow"]), 0.03, 0.07, arm) * (normal[:, 2] < 0.2),
            0.5 * foot,
        ],
        axis=0,
    )
    masks["lips"] = near(lips, 0.0006, 0.0024)
    masks["brows"] = np.max([near(rows(b[:5], b[5:]), 0.0005, 0.004) for b in EYEBROWS], axis=0)
    masks["lashes"] = np.max([near(between(at(b)), 0.0008, 0.0026) for b in UPPER_LIDS], axis=0)
    masks["lashes"] = np.maximum(
        masks["lashes"], 0.5 * np.max([near(between(at(b)), 0.0005, 0.002) for b in LOWER_LIDS], axis=0)
    )
    masks["lids"] = np.max([near(between(at(b)), 0.003, 0.012) for b in UPPER_LIDS], axis=0) * (1 - masks["brows"])
    masks["beard"] = near(at(BEARD), 0.01, 0.024, face | is_in["neck"]) * (1 - near(lips, 0.003, 0.006))
    masks["sockets"] = near(at(UNDER_EYES), 0.004, 0.016)
    below = ramp(-normal[:, 1], 0.1, 0.6)
    masks["pale"] = np.maximum(below * hand, ramp(-normal[:, 1], 0.5, 0.9) * foot)
    masks["nails"] = near(tips, 0.005, 0.0075, hand) * ramp(normal[:, 1], 0.45, 0.75)
    masks["sun"] = np.max(
        [1.0 * face, 0.8 * hand, 0.7 * arm * ramp(np.abs(rest[:, 0]), 0.25, 0.45), 0.6 * is_in["neck"], 0.35 * leg],
        axis=0,
    )
    masks["scalp"] = (
        plan.scalp(rest, 0.06 * np.sin(90 * rest[:, 0]) * np.sin(70 * rest[:, 1] + 110 * rest[:, 2]))
        * (face | is_in["neck"])
        if plan is not None
        else masks["scalp"]
    )
    masks["inside"] = 1.0 * is_in["mouth"]
    masks["hairy"] = np.maximum(0.9 * arm * (np.abs(rest[:, 0]) > 0.4), 0.9 * leg * ramp(-rest[:, 1], 0.35, 0.5))
    chest = is_in["torso"] & (normal[:, 2] > 0.3)
    masks["hairy"] = np.maximum(
        masks["hairy"], chest * (1 - ramp(np.hypot(rest[:, 0] / 0.1, (rest[:, 1] - 0.35) / 0.1), 0.4, 1.2))
    )

    rng = np.random.default_rng(11)
    flat = np.stack([masks[n] for n in MASKS], 1)
    image = texels.image(np.clip(flat, 0, 1).astype(np.float32))
    for name, blur in (("mottle", 14.0), ("freckles", 1.1), ("fine", 0.8)):
        field = cv2.GaussianBlur(rng.standard_normal((SIZE, SIZE)).astype(np.float32), (0, 0), blur)
        image[..., MASKS.index(name)] = np.clip((field / field.std() * 40 + 128) / 255, 0, 1)
    codes = np.round(image * 255).astype(np.uint8)
    pictures = tuple(Texture(np.ascontiguousarray(codes[..., i : i + 4])) for i in range(0, len(MASKS), 4))
    return Masks(pictures, *_eye_ways(model))


def _eye_ways(model: BodyModel) -> tuple[tuple[float, float, float, float], np.ndarray]:
    """The eyes' rectangle in the atlas, and the direction on the eyeball behind each of its pixels."""
    assert model.uv is not None and model.face_uv is not None and model.parts is not None
    seen = (model.parts[model.faces] == PARTS.index("eyes")).any(1)
    faces, face_uv = model.faces[seen], model.face_uv[seen]
    uv = model.uv[face_uv].reshape(-1, 2)
    low = uv.min(0) - 0.004
    side = float((uv.max(0) + 0.004 - low).max())
    local = (model.uv - low) / side
    texels = texel_map(local, face_uv, EYE_SIZE)
    ways = np.zeros((len(model.template), 3), np.float32)
    for s in (-1, 1):
        ball = np.unique(faces[(model.template[faces, 0] * s > 0).all(1)])
        corner = model.template[ball]
        ways[ball] = corner - (corner.min(0) + corner.max(0)) / 2
    found = texels.interpolate(faces, ways)
    found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
    return (float(low[0]), float(low[1]), side, side), texels.image(found)
