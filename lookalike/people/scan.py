"""People that data sets bring: a mesh with its colours, perhaps a photo and a fitted body in; pictures and samples out.

A `Scan` is in its own frame: metres, Y up. `sample_of` puts it before a camera as the `Sample` that our own synthetic
people are too, with these differences:

- Data sets have no part labels: inside the outline they are `UNKNOWN`, and the one piece of surface is called "upper".
- A photo that comes without a matte gets the scan's own outline as matte.
- Hair cards whose alpha is not known are left out of everything but the photo.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from lookalike.body.model import Body, BodyModel
from lookalike.camera import TYPICAL_FOCAL, Camera
from lookalike.errors import LookalikeError
from lookalike.maps import render_maps
from lookalike.people.looks.paint import Flat, ImagePaint, Paint
from lookalike.people.sample import Sample
from lookalike.people.scene import Piece
from lookalike.render.normals import vertex_normals
from lookalike.render.raycast import Hits, RayCaster
from lookalike.render.shade import decode_srgb, encode_srgb
from lookalike.render.texture import Texture
from lookalike.render.view import View

#: In `Sample.labels_*`: there is a person, and nobody has said which part.
UNKNOWN = 255

#: Share of a picture left free at the edges nearest to the person.
MARGIN = 0.07

#: Height of the camera as a share of the person's: the chest.
CHEST = 0.72

#: sRGB of a scan without colours.
PLAIN = (190, 186, 180)

#: Rays a pixel and side, for smooth edges.
_GRID = 2

#: Where the light of `picture_of` stands, in camera axes: over the photographer's left shoulder.
_LIGHT = np.array([-0.45, 0.6, 0.66], np.float32)

#: Body models whose shape numbers mean the same.
_FAMILIES = {"lookalike": ("lookalike",), "smpl": ("smpl", "smplh"), "smplh": ("smpl", "smplh"), "smplx": ("smplx",)}


@dataclass(frozen=True)
class BodyFit:
    """A body of the SMPL family (or ours) that a data set publishes with a scan, in the scan's frame and metres.

    vertices = scale * posed(betas, pose) + translation, as in SMPL: pose[0] turns the body about its pelvis.

    Attributes
    ----------
    kind : "smpl", "smplh", "smplx", or "lookalike" for our own model.
    gender : "neutral", "male" or "female": which of the published models it needs.
    betas : (B,) shape numbers.
    pose : (52, 3) axis-angle in the order of `lookalike.body.JOINTS`. Fingers are zero (straight) where they are not
        known, or known only as `hands`.
    translation : (3,) metres.  scale : metres per unit of the model.
    face : (3, 3) axis-angle of SMPL-X's jaw, left eye and right eye, or None. `BodyModel` has none of these joints:
        they are carried along but not posed.
    hands : (2, k) the left and the right hand as published, or None; `with_fingers` turns them into `pose`.
    hand_components : whether `hands` are weights of the model's first k hand components; else k = 45 angles.
    from_mean_hand : whether `hands` start from the model's mean hand rather than from a flat one.
    about_pelvis : whether `translation` says where the pelvis is, rather than how far the model moved.
    minimal : (V, 3) the person's own unclothed rest shape in the model's order where `betas` are not published (they
        are then solved for), or None.
    """

    kind: str
    gender: str
    betas: np.ndarray
    pose: np.ndarray
    translation: np.ndarray
    scale: float = 1.0
    face: np.ndarray | None = None
    hands: np.ndarray | None = None
    hand_components: bool = False
    from_mean_hand: bool = True
    about_pelvis: bool = False
    minimal: np.ndarray | None = None

    def posed(self, model: BodyModel, view: View) -> Body:
        """The body before a camera.

        model : a published model of this kind and, which it does not say itself, of this gender. Shape numbers that it
            lacks are left out.  view : in the scan's frame.
        """
        from scipy.spatial.transform import Rotation

        if model.name not in _FAMILIES[self.kind]:
            raise LookalikeError(
                f"The body of this scan is made with the {self.gender} {_title(self.kind)} model, not with "
                f"'{model.name}': give the file of that model (docs/body.md), or leave the body out."
            )
        betas = self._betas(model)
        pelvis = model.joint_template[0] + np.einsum("b,bc->c", betas, model.joint_basis[:, 0])
        pelvis = self.scale * pelvis.astype(np.float64)
        # Where the pelvis is: it stays in place when pose[0] turns the body, and the camera's turn joins pose[0].
        place = self.translation if self.about_pelvis else pelvis + self.translation
        pose = np.array(self.pose, np.float64)
        pose[0] = (Rotation.from_matrix(view.rotation) * Rotation.from_rotvec(pose[0])).as_rotvec()
        return model.posed(betas, pose, view.to_camera(place) - pelvis, view.camera, float(self.scale))

    def with_fingers(self, model_file: str | Path) -> BodyFit:
        """The same with its fingers in `pose`, as the hand components and mean hands of a published model say.

        model_file : SMPL-X or SMPL-H, `.npz` or `.pkl`, with `hands_meanl`, `hands_componentsl` and their right twins.
        """
        if self.hands is None:
            return self
        data = _hand_data(Path(model_file))
        pose = np.array(self.pose, np.float64)
        for side, (name, values) in enumerate(zip("lr", self.hands, strict=True)):
            angles = np.asarray(values, np.float64)
            if self.hand_components:
                angles = angles @ data[f"hands_components{name}"][: len(angles)]
            if self.from_mean_hand:
                angles = angles + data[f"hands_mean{name}"]
            pose[22 + 15 * side : 37 + 15 * side] = angles.reshape(15, 3)
        return replace(self, pose=pose, hands=None)

    def _betas(self, model: BodyModel) -> np.ndarray:
        betas = np.zeros(model.shape_count, np.float32)
        if self.minimal is None:
            count = min(len(self.betas), model.shape_count)
            betas[:count] = self.betas[:count]
            return betas
        if self.minimal.shape != model.template.shape:
            raise LookalikeError(
                f"The body of this scan has {len(self.minimal)} vertices, the model {len(model.template)}: give the "
                f"{self.gender} {_title(self.kind)} model."
            )
        basis = model.shape_basis.reshape(model.shape_count, -1).astype(np.float64)
        offset = (self.minimal - model.template).reshape(-1)
        return np.linalg.solve(basis @ basis.T + 1e-9 * np.eye(len(basis)), basis @ offset).astype(np.float32)


@dataclass(frozen=True)
class Scan:
    """A clothed person with known geometry.

    Attributes
    ----------
    name : which one.
    vertices : (n, 3) float64 metres.  faces : (m, 3) int32, counter-clockwise from outside.
    uv, face_uv, texture : (t, 2) origin upper left, (m, 3), (h, w, 3) uint8 sRGB, or None without.
    colours : (n, 3) uint8 sRGB a vertex, or None.
    cards : (m,) bool faces that are hair cards cut out by an alpha that is not known (never used for normals), or None.
    photo : the picture that comes with it, or None (then it is rendered).
    view : the camera of that picture in the scan's frame, or None.
    body : its published SMPL or SMPL-X parameters, or None.
    """

    name: str
    vertices: np.ndarray = field(repr=False)
    faces: np.ndarray = field(repr=False)
    uv: np.ndarray | None = field(default=None, repr=False)
    face_uv: np.ndarray | None = field(default=None, repr=False)
    texture: np.ndarray | None = field(default=None, repr=False)
    colours: np.ndarray | None = field(default=None, repr=False)
    cards: np.ndarray | None = field(default=None, repr=False)
    photo: Path | None = None
    view: View | None = None
    body: BodyFit | None = None


def picture_of(scan: Scan, yaw: float = 0.0, size: int = 512) -> tuple[np.ndarray, View]:
    """A picture of a scan, such as one without a photo: (size, size, 4) uint8 sRGB and straight alpha; and its camera.

    Its colours in gentle light, seen by a level camera at chest height with a typical lens; the picture is the square
    of that photo which the person fills.

    yaw : degrees around the person; 0 sees their front where a body fit tells which way they face, else the scan from
        its +Z; 90 sees their left side.
    """
    vertices, faces, face_uv = _surface(scan)
    view = _level_view(vertices, size, yaw + _heading(scan))
    seen = view.to_camera(vertices)
    return _rendered(scan, RayCaster(seen, faces), seen, welded(seen, faces), face_uv, view.camera), view


def sample_of(scan: Scan, yaw: float = 0.0, size: int = 512, body_model: BodyModel | None = None) -> Sample:
    """A scan as a training sample; see the top of this file for what such a sample cannot know.

    yaw : 0 uses the scan's photo if it has one, cut to a square; everything else is rendered (`picture_of`).
    size : of the picture, pixels.  body_model : of the kind and gender that `scan.body` names; without it `body` and
        `body_maps` are None.
    """
    vertices, faces, face_uv = _surface(scan)
    image: np.ndarray | None = None
    if scan.photo is not None and scan.view is not None and yaw == 0:
        image, view = _cut_photo(scan.photo, scan.view, vertices[np.unique(faces)], size)
    else:
        view = _level_view(vertices, size, yaw + _heading(scan))
    seen = view.to_camera(vertices)
    caster, joined = RayCaster(seen, faces), welded(seen, faces)
    if image is None:
        image = _rendered(scan, caster, seen, joined, face_uv, view.camera)
    maps = render_maps(seen, joined, view.camera)
    if image.shape[2] == 3:
        image = np.dstack([image, np.where(maps.mask, 255, 0).astype(np.uint8)])
    colours = []
    for back in (False, True):
        hits = caster.cast_image(view.camera, back)
        hits.face[~maps.mask] = -1
        colours.append(_albedo(scan, hits, faces, face_uv))
    labels = np.where(maps.mask, np.uint8(UNKNOWN), np.uint8(0))
    body, body_maps = None, None
    if scan.body is not None and body_model is not None:
        body = scan.body.posed(body_model, view)
        body_maps = render_maps(body.vertices, body_model.faces, view.camera)
    return Sample(
        name=scan.name,
        image=image,
        camera=view.camera,
        body=body,
        body_maps=body_maps,
        maps=maps,
        labels_front=labels,
        labels_back=labels.copy(),
        colour_front=colours[0],
        colour_back=colours[1],
        pieces=(_piece(scan, seen, faces, face_uv),),
    )


def _rendered(
    scan: Scan,
    caster: RayCaster,
    vertices: np.ndarray,
    welded: np.ndarray,
    face_uv: np.ndarray | None,
    camera: Camera,
) -> np.ndarray:
    """(h, w, 4) uint8 sRGB and straight alpha of a scan's colours in gentle light.

    caster : of the surface in the camera's frame.  vertices : (n, 3) there.  welded : (m, 3) its faces without seams.
    """
    height, width = camera.height, camera.width
    hits = caster.cast_image(camera.window(0, 0, width, height, _GRID))
    normals = hits.interpolate(welded, vertex_normals(vertices, welded))[hits.hit]
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    # An even sky, a little brighter from above, and one soft lamp: flat enough that the colours are what one sees.
    lamp = np.clip(0.25 + 0.75 * (normals @ (_LIGHT / np.linalg.norm(_LIGHT))), 0, None)
    light = 0.55 + 0.12 * normals[:, 1] + 0.5 * lamp
    picture = np.zeros((*hits.hit.shape, 4), np.float32)
    picture[hits.hit, :3] = decode_srgb(_albedo(scan, hits, caster.faces, face_uv)[hits.hit]) * light[:, None]
    picture[hits.hit, 3] = 1
    picture = picture.reshape(height, _GRID, width, _GRID, 4).mean((1, 3))
    colour = picture[..., :3] / np.maximum(picture[..., 3:], 1e-6)
    return np.dstack([encode_srgb(colour), np.round(255 * picture[..., 3]).astype(np.uint8)])


def _outline_window(points: np.ndarray, camera: Camera) -> tuple[int, int, int]:
    """The square that a person fills: left, top and side in whole pixels; it may reach beyond the photo.

    points : (n, 3) on the person's surface, in the camera's frame.
    """
    pixels = camera.project(points)
    low, high = pixels.min(0), pixels.max(0)
    side = max(int(np.ceil((high - low).max() / (1 - 2 * MARGIN))), 1)
    left, top = np.floor((low + high - side) / 2).astype(int)
    return int(left), int(top), side


def _surface(scan: Scan) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Vertices, and the faces and face_uv that are no hair cards."""
    if scan.cards is None or not scan.cards.any():
        return scan.vertices, scan.faces, scan.face_uv
    solid = ~scan.cards
    return scan.vertices, scan.faces[solid], None if scan.face_uv is None else scan.face_uv[solid]


def _heading(scan: Scan) -> float:
    """Degrees of yaw at which a camera sees the person's front."""
    from scipy.spatial.transform import Rotation

    if scan.body is None:
        return 0.0
    x, _, z = Rotation.from_rotvec(scan.body.pose[0]).apply([0.0, 0.0, 1.0])
    # Somebody who lies faces up or down: then there is no front to walk around to.
    return float(np.degrees(np.arctan2(x, z))) if np.hypot(x, z) > 0.3 else 0.0


def _level_view(vertices: np.ndarray, size: int, yaw: float) -> View:
    """A level camera that the vertices (n, 3) just fill."""
    a = np.radians(yaw)
    backward, right = np.array([np.sin(a), 0.0, np.cos(a)]), np.array([np.cos(a), 0.0, -np.sin(a)])
    rotation = np.stack([right, [0.0, 1.0, 0.0], backward])
    low, high = vertices.min(0), vertices.max(0)
    aim = (low + high) / 2
    aim[1] = low[1] + CHEST * (high[1] - low[1])
    local = (vertices - aim) @ rotation.T
    focal, target = TYPICAL_FOCAL * size, (1 - 2 * MARGIN) * size
    distance = 2.0 * float((high - low).max())
    nearest = float(local[:, 2].max())
    for _ in range(20):
        # The nearer the camera, the larger the person: what is drawn shrinks almost as one over the distance.
        plane = focal * local[:, :2] / (distance - local[:, 2:])
        drawn = float((plane.max(0) - plane.min(0)).max())
        distance = max(distance * drawn / target, nearest + 0.05)
        if abs(drawn / target - 1) < 1e-4:
            break
    plane = focal * local[:, :2] / (distance - local[:, 2:])
    middle = (plane.max(0) + plane.min(0)) / 2
    camera = Camera(focal, size / 2 - float(middle[0]), size / 2 + float(middle[1]), size, size)
    return View(camera, rotation, aim + distance * backward)


def _cut_photo(path: Path, view: View, points: np.ndarray, size: int) -> tuple[np.ndarray, View]:
    """The square of a photo that the person fills, (size, size, 3 or 4) uint8, and its camera."""
    import cv2
    from PIL import Image

    try:
        with Image.open(path) as file:
            photo = np.array(file.convert("RGBA" if "A" in file.getbands() else "RGB"))
    except OSError as error:
        raise LookalikeError(f"Cannot read the photo {path}: {error}.") from None
    camera = view.camera
    if (photo.shape[1], photo.shape[0]) != (camera.width, camera.height):
        raise LookalikeError(
            f"{path} has {photo.shape[1]} x {photo.shape[0]} pixels, its camera {camera.width} x {camera.height}: "
            "put back the picture as it was published."
        )
    left, top, side = _outline_window(view.to_camera(points), camera)
    if left >= camera.width or top >= camera.height or left + side <= 0 or top + side <= 0:
        raise LookalikeError(f"{path} does not show the person, whose place is outside the picture.")
    right, bottom = left + side, top + side
    # Beyond the photo its last pixels go on, but there the matte says that nothing is known.
    pad = (max(-top, 0), max(bottom - camera.height, 0), max(-left, 0), max(right - camera.width, 0))
    cut = photo[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)].astype(np.float32)
    if cut.shape[2] == 4:
        cut[..., :3] *= cut[..., 3:] / 255  # so that what lies behind the matte does not mix in
        cut = cv2.copyMakeBorder(cut, *pad, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
    else:
        cut = cv2.copyMakeBorder(cut, *pad, cv2.BORDER_REPLICATE)
    cut = cv2.resize(cut, (size, size), interpolation=cv2.INTER_AREA if side > size else cv2.INTER_LINEAR)
    if cut.shape[2] == 4:
        cut[..., :3] *= 255 / np.maximum(cut[..., 3:], 1)
    image = np.clip(np.round(cut), 0, 255).astype(np.uint8)
    return image, replace(view, camera=camera.window(left, top, side, side, size / side))


def _albedo(scan: Scan, hits: Hits, faces: np.ndarray, face_uv: np.ndarray | None) -> np.ndarray:
    """(h, w, 3) uint8 colours where rays met the scan."""
    out = np.zeros((*hits.hit.shape, 3), np.uint8)
    if scan.texture is not None and scan.uv is not None and face_uv is not None:
        uv = hits.interpolate(face_uv, scan.uv)[hits.hit]
        texture = Texture(scan.texture)
        out[hits.hit] = texture.sample(uv, _level(texture, hits, faces, face_uv, scan.uv))
    elif scan.colours is not None:
        out[hits.hit] = np.round(hits.interpolate(faces, scan.colours)[hits.hit]).astype(np.uint8)
    else:
        out[hits.hit] = PLAIN
    return out


def _level(texture: Texture, hits: Hits, faces: np.ndarray, face_uv: np.ndarray, uv: np.ndarray) -> int:
    """Which halved copy has about one texel a pixel: texels of the atlas that are used, by pixels that see it."""
    a, b = uv[face_uv[:, 1]] - uv[face_uv[:, 0]], uv[face_uv[:, 2]] - uv[face_uv[:, 0]]
    texels = 0.5 * np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() * texture.size[0] * texture.size[1]
    # A view sees under half of the surface, and most of that slantwise.
    return max(int(np.floor(0.5 * np.log2(max(0.3 * texels / max(int(hits.hit.sum()), 1), 1.0)))), 0)


def welded(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Faces that name one vertex where several lie in the same place, as they do along the seams of an atlas."""
    rows = np.ascontiguousarray(vertices, np.float64).view("V24").reshape(-1)
    _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
    return first[inverse.reshape(-1)].astype(np.int32)[faces]


def _piece(scan: Scan, vertices: np.ndarray, faces: np.ndarray, face_uv: np.ndarray | None) -> Piece:
    colour: Paint
    if scan.texture is not None and scan.uv is not None and face_uv is not None:
        uv, colour = scan.uv, ImagePaint(scan.texture)
    else:
        # Colours a vertex have no atlas; scenes get their mean.
        codes = np.array([PLAIN], np.uint8) if scan.colours is None else scan.colours
        mean = decode_srgb(codes).mean(0)
        uv, face_uv = np.zeros((1, 2), np.float32), np.zeros_like(faces)
        colour = Flat((float(mean[0]), float(mean[1]), float(mean[2])))
    return Piece(scan.name, vertices, faces, uv, face_uv, colour, label="upper")


def _hand_data(path: Path) -> dict[str, np.ndarray]:
    """The mean hands (45,) and hand components (45, 45) of a published model."""
    from lookalike.body.restricted_pickle import read_pickle

    keys = ("hands_meanl", "hands_meanr", "hands_componentsl", "hands_componentsr")
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as file:
                data = {key: file[key] for key in keys if key in file}
        else:
            read = read_pickle(path)
            data = {key: read[key] for key in keys if key in read}
        found = {key: np.asarray(data[key], np.float64) for key in keys}
        if any(found[key].shape != ((45,) if "mean" in key else (45, 45)) for key in keys):
            raise ValueError("other shapes")
        return found
    except (OSError, ValueError, KeyError, TypeError):
        raise LookalikeError(
            f"{path} has no hands: give a SMPL-X or SMPL-H file as it was published, with hands_meanl and its twins."
        ) from None


def _title(kind: str) -> str:
    return {"smpl": "SMPL", "smplh": "SMPL-H", "smplx": "SMPL-X"}[kind]
