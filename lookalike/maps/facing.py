"""Whether somebody is seen from the other side than the fit has it: a subject and its body in, both turned round or as
they were out.

Seen from behind, or masked, people are now and then taken to face the camera. Their outline fits either way: mirrored in
depth, with left and right exchanged, a body looks the same from far off. A small network that sees the picture, and not
the body, says which way the pelvis and the head face.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor, nn

from lookalike.body.lift import MIRRORED
from lookalike.body.model import Body
from lookalike.errors import LookalikeError
from lookalike.maps.posture import straight_ahead
from lookalike.photo.subject import Hand, Subject

#: What comes with the package.
WEIGHTS = Path(__file__).resolve().parents[1] / "assets" / "weights" / "facing.safetensors"
#: Pixels along each side of the pictures of the person and of the head.
WHOLE, HEAD = 96, 48
#: How far towards the camera the body must face, and away from it the network's answer, as parts of a unit vector along
#: the view, for a person to be turned round. The body is wrong once in some hundred people, so it has the benefit of doubt.
SURE = 0.35


class FacingNetwork(nn.Module):
    """Pictures of people and of their heads in, the directions that their pelvis and head face out.

    whole (b, 4, 96, 96), head (b, 4, 48, 48) from `network_pictures` -> (b, 6) camera axes; short where it is unsure.
    """

    def __init__(self) -> None:
        super().__init__()

        def tower(widths: tuple[int, ...]) -> nn.Sequential:
            layers: list[nn.Module] = []
            for before, width in zip((4, *widths), widths, strict=False):
                layers += [nn.Conv2d(before, width, 3, padding=1), nn.BatchNorm2d(width), nn.SiLU(), nn.MaxPool2d(2)]
            layers += [nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Dropout(0.3), nn.Linear(9 * widths[-1], 64), nn.SiLU()]
            return nn.Sequential(*layers)

        self.whole, self.head = tower((16, 32, 48, 64)), tower((16, 32, 64))
        self.last = nn.Linear(128, 6)

    def forward(self, whole: Tensor, head: Tensor) -> Tensor:
        return self.last(torch.cat([self.whole(whole), self.head(head)], 1))

    @torch.no_grad()
    def directions(self, whole: np.ndarray, head: np.ndarray) -> np.ndarray:
        """(2, 3) of one person, pelvis and head; pictures (h, w, 4) uint8. The mirror image gets the mirrored answer."""
        pictures = [network_pictures(torch.from_numpy(p)[None]) for p in (whole, head)]
        own, other = self(*pictures), self(*(p.flip(3) for p in pictures))
        return (0.5 * (own + other * MIRROR)).reshape(2, 3).numpy()


#: What becomes of the answer in the mirror image.
MIRROR = torch.tensor([-1.0, 1.0, 1.0] * 2)


def network_pictures(pictures: Tensor) -> Tensor:
    """(b, h, w, 4) uint8 colour times matte, and matte -> (b, 4, h, w) around zero, gray where there is nobody."""
    values = pictures.permute(0, 3, 1, 2).float() / 255
    matte = values[:, 3:]
    return torch.cat([values[:, :3] - 0.5 * matte, matte - 0.5], 1)


def person_pictures(image: np.ndarray, joints: np.ndarray, head: int, neck: int) -> tuple[np.ndarray, np.ndarray]:
    """(96, 96, 4) and (48, 48, 4) uint8 the whole person and the head, colour times matte.

    image : (h, w, 4) uint8 picture and matte, which is not empty.  joints : (22, 2) pixels.
    head, neck : which of the joints these are.
    """
    matte = image[..., 3:].astype(np.float32) / 255
    values = np.concatenate([image[..., :3] * matte, 255 * matte], 2)
    there = matte[..., 0] > 0.5
    (top, bottom), (left, right) = ((np.flatnonzero(there.any(a))[[0, -1]] + (0, 1)) for a in (1, 0))
    middle = np.array([left + right, top + bottom]) / 2
    # a length that turning hardly changes
    size = np.sqrt(np.square(joints - joints.mean(0)).sum(1).mean())
    face = joints[head] + 0.5 * (joints[head] - joints[neck])
    return _cut(values, middle, 1.1 * max(right - left, bottom - top), WHOLE), _cut(values, face, 1.1 * size, HEAD)


def _cut(values: np.ndarray, middle: np.ndarray, side: float, pixels: int) -> np.ndarray:
    import cv2

    scale = pixels / side
    if scale < 1:
        values = cv2.GaussianBlur(values, (0, 0), 0.45 * np.sqrt(1 / scale**2 - 1) + 1e-3)
    shift = pixels / 2 - scale * middle - 0.5 + 0.5 * scale
    there = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    found = cv2.warpAffine(values, there, (pixels, pixels), flags=cv2.INTER_LINEAR)
    return np.rint(found).clip(0, 255).astype(np.uint8)


def facing(body: Body) -> np.ndarray:
    """(2, 3) which way pelvis and head face, camera axes, seen straight ahead."""
    which = [0, body.model.joint_names.index("head")]
    return (straight_ahead(body).as_matrix() @ body.transforms[which, :3, :3])[:, :, 2]


def turned_round(subject: Subject, body: Body, net: FacingNetwork) -> tuple[Subject, Body]:
    """Both as they were, or with left and right exchanged where the body faces the camera and the person does not.

    Who has a face is left alone.
    """
    if subject.face is not None or facing(body)[0, 2] < SURE:
        return subject, body
    names = body.model.joint_names
    image = np.dstack([subject.photo.opaque(), np.rint(255 * subject.matte).astype(np.uint8)])
    joints = body.camera.project(body.joints[:22])
    seen = net.directions(*person_pictures(image, joints, names.index("head"), names.index("neck")))
    if seen[0, 2] > -SURE:
        return subject, body
    return exchanged(subject), reflected(body)


def reflected(body: Body) -> Body:
    """The body mirrored in depth, about the pelvis, with left and right exchanged: the same from far off."""
    model = body.model
    names = list(model.joint_names)
    other = [names.index(n.replace("left", "@").replace("right", "left").replace("@", "right")) for n in names]
    ahead = straight_ahead(body).as_matrix()
    turned = np.diag([1, 1, -1.0]) @ (ahead @ body.transforms[other, :3, :3]) @ np.diag([-1, 1, 1.0])
    turned = ahead.T @ turned
    pose = np.empty_like(body.pose)
    for joint, parent in enumerate(model.parents):
        own = turned[joint] if parent < 0 else turned[int(parent)].T @ turned[joint]
        pose[joint] = Rotation.from_matrix(own).as_rotvec()
    return model.posed(body.betas, pose, body.translation, body.camera, body.scale, body.landmark_error)


def exchanged(subject: Subject) -> Subject:
    """The subject with left and right exchanged, and what was nearer farther."""
    depth = np.array([1, 1, -1], np.float32)

    def hand(own: Hand | None) -> Hand | None:
        return None if own is None else replace(own, world=own.world * depth)

    return replace(
        subject,
        landmarks=subject.landmarks[MIRRORED],
        visibility=subject.visibility[MIRRORED],
        world=subject.world[MIRRORED] * depth,
        left_hand=hand(subject.right_hand),
        right_hand=hand(subject.left_hand),
        face=None,
    )


@lru_cache(maxsize=1)
def facing_network() -> FacingNetwork:
    """The network that comes with the package; read once. Raises LookalikeError."""
    return load_facing(WEIGHTS)


def save_facing(net: FacingNetwork, path: Path) -> None:
    """Half precision. Raises OutputError."""
    from safetensors.torch import save

    from lookalike.export.output import write_bytes

    tensors = {n: t.detach().half().contiguous() for n, t in net.state_dict().items() if t.is_floating_point()}
    write_bytes(path, [save(tensors)])


def load_facing(path: Path) -> FacingNetwork:
    """What `save_facing` wrote, ready for use. Raises LookalikeError."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    net = FacingNetwork()
    counts = {n: t for n, t in net.state_dict().items() if not t.is_floating_point()}  # of batches, once trained
    try:
        net.load_state_dict({name: t.float() for name, t in load_file(path).items()} | counts)
    except (OSError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:150]
        raise LookalikeError(f"Cannot read the weights {path} ({reason}); train or fetch them again.") from error
    return net.eval()
