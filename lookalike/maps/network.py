"""The maps network: a matted picture and the bare body's maps in, the clothed person's maps out, in one pass.

    channels ──space to depth──▶ U-Net of residual blocks ──pixel shuffle──▶ refinement at full resolution ──▶ heads

The body gives the coarse answer and the network corrects it: a fresh network returns the body, and the picture's own
colours for the side behind. `infer` is for users,
`forward` for training. A file of weights says itself what network it is for.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lookalike.errors import LookalikeError
from lookalike.maps.inputs import (
    BODY,
    CHANNELS,
    DEPTHS,
    MATTE,
    NORMALS,
    PICTURE,
    STEP,
    CropUnit,
    maps_of,
    network_inputs,
    person_window,
)
from lookalike.maps.maps import Maps

#: Of the file of weights.
FORMAT = "lookalike maps network 1"
#: Pixels along the side of the blocks that become one pixel of the U-Net.
STEM = 4
#: How many kinds of parts there are: `lookalike.people.sample.LABELS`.
LABELS = 7
#: What the last layer gives: normals, depths, part labels, colour behind, error of the normals.
HEADS = (6, 2, LABELS, 3, 2)
#: Of the head at a quarter of the resolution: motions, and their errors in the picture and in depth, each in front and behind.
MOTION_HEADS = (6, 4)


@dataclass(frozen=True)
class NetworkConfig:
    """How large the network is.

    Attributes
    ----------
    widths : channels at each level of the U-Net; each level has half the resolution of the one before.
    down : residual blocks at each level on the way down.  up : on the way up, one number less, finest first.
    features : channels that reach full resolution.  detail : channels of the refinement there.
    groups : of the group normalisation.
    body : whether it is told of the body; without, it has the picture alone, and depths from the body's middle.
    """

    widths: tuple[int, ...] = (96, 160, 256, 320)
    down: tuple[int, ...] = (1, 2, 2, 2)
    up: tuple[int, ...] = (2, 1, 1)
    features: int = 16
    detail: int = 24
    groups: int = 8
    body: bool = True

    def __post_init__(self) -> None:
        if not self.widths or len(self.down) != len(self.widths) or len(self.up) != len(self.widths) - 1:
            raise ValueError("a network needs one number of blocks down for each width, and one less up")
        if min((*self.widths, self.features, self.detail, self.groups)) < 1 or min((*self.down, *self.up)) < 0:
            raise ValueError("a network's widths must be positive")
        if any(width % self.groups for width in self.widths):
            raise ValueError(f"a network's widths must be multiples of its groups ({self.groups})")

    @property
    def stride(self) -> int:
        """The sides of what `forward` reads must be multiples of this."""
        return STEM * 2 ** (len(self.widths) - 1)


@dataclass(frozen=True)
class RawMaps:
    """What `forward` gives, float32 tensors.

    Attributes
    ----------
    normals : (b, 6, h, w) unit, in front, then behind.
    depths : (b, 2, h, w) in units of the crop (`inputs.CropUnit`).
    labels : (b, 7, h, w) logits of the parts in front.
    colour : (b, 3, h, w) sRGB of the side behind, 0..1 but for errors.
    log_error : (b, 2, h, w) logarithm of the expected angular error of both normals, in radians.
    motion : (b, 6, h / 4, w / 4) where the body's points in front and behind belong (`motion.motion_of`).
    log_spread : (b, 4, h / 4, w / 4) logarithm of the motions' expected errors, units of the crop: in the picture and in
        depth in front, then behind.
    features : (b, c, h / 4, w / 4) what the U-Net has found, of which the rest is made.
    """

    normals: Tensor
    depths: Tensor
    labels: Tensor
    colour: Tensor
    log_error: Tensor
    motion: Tensor
    log_spread: Tensor
    features: Tensor


@dataclass(frozen=True)
class PredictedMaps:
    """What the network says of a picture.

    Attributes
    ----------
    maps : normals and depths in front and behind, in the body maps' camera; the mask is that of the matte.
    labels : (h, w) uint8 parts in front, into `lookalike.people.sample.LABELS`; 0 outside the mask.
    colour_back : (h, w, 3) uint8 sRGB of the side behind, without light and shadow; zero outside the mask.
    confidence : (h, w, 2) float32 of the normals in front and behind, exp(-e) with e the angular error, in radians,
        that the network expects; zero outside the mask.
    motion : (6, h / 4, w / 4) float32 where the body's points that show in front and behind belong, units of the crop
        (`motion.motion_of`); means something only where the given body shows.
    spread : (4, h / 4, w / 4) float32 expected errors of the motions, units of the crop: in the picture and in depth in
        front, then behind.
    features : (c, h / 4, w / 4) float32 what the network has found at each place, for others to learn from.
    """

    maps: Maps
    labels: np.ndarray
    colour_back: np.ndarray
    confidence: np.ndarray
    motion: np.ndarray
    spread: np.ndarray
    features: np.ndarray | None = None


class MapsNetwork(nn.Module):
    """See the module's first lines."""

    def __init__(self, config: NetworkConfig | None = None):
        super().__init__()
        self.config = config = config or NetworkConfig()
        widths = config.widths

        def blocks(count: int, width: int) -> nn.Sequential:
            return nn.Sequential(*(_Block(width, config.groups) for _ in range(count)))

        self.stem = nn.Conv2d(CHANNELS * STEM**2, widths[0], 1)
        self.down = nn.ModuleList(blocks(n, w) for n, w in zip(config.down, widths, strict=True))
        self.halve = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(widths))
        self.merge = nn.ModuleList(nn.Conv2d(a + b, a, 1) for a, b in pairwise(widths))
        self.up = nn.ModuleList(blocks(n, w) for n, w in zip(config.up, widths, strict=False))
        self.move = nn.Sequential(
            nn.GroupNorm(config.groups, widths[0]), nn.SiLU(), nn.Conv2d(widths[0], sum(MOTION_HEADS), 1)
        )
        self.spread = nn.Conv2d(widths[0], config.features * STEM**2, 1)
        self.join = nn.Conv2d(config.features + CHANNELS, config.detail, 3, padding=1)
        self.refine = _Block(config.detail, 0)
        self.heads = nn.Conv2d(config.detail, sum(HEADS), 1)
        for last in (self.heads, self.move[2]):
            assert isinstance(last, nn.Conv2d) and last.bias is not None
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, inputs: Tensor) -> RawMaps:
        """inputs : (b, 13, h, w) as `inputs.network_inputs` makes them; h and w multiples of `config.stride`."""
        if not self.config.body:
            inputs = torch.cat([inputs[:, : MATTE.stop], torch.zeros_like(inputs[:, MATTE.stop :])], 1)
        x = self.stem(functional.pixel_unshuffle(inputs, STEM))
        passed = []
        for level, blocks in enumerate(self.down):
            x = blocks(x)
            if level < len(self.halve):
                passed.append(x)
                x = self.halve[level](x)
        for level in reversed(range(len(passed))):
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = self.up[level](self.merge[level](torch.cat([passed[level], x], 1)))
        motion, log_spread = self.move(x).float().split(MOTION_HEADS, 1)
        found = x
        x = functional.pixel_shuffle(self.spread(x), STEM)
        x = self.refine(self.join(torch.cat([x, inputs.to(x.dtype)], 1)))
        normals, depths, labels, colour, log_error = self.heads(functional.silu(x)).float().split(HEADS, 1)
        inputs = inputs.float()
        return RawMaps(
            normals=unit_pairs(body_normals(inputs) + normals),
            depths=inputs[:, DEPTHS] + depths,
            labels=labels,
            colour=0.5 + 0.5 * inputs[:, PICTURE] + colour,
            # from a degree to a right angle
            log_error=torch.tanh(log_error) * 2.25 - 1.75,
            motion=motion,
            # from a thousandth to a half
            log_spread=torch.tanh(log_spread) * 3.1 - 3.8,
            features=found,
        )


def body_normals(inputs: Tensor) -> Tensor:
    """(b, 6, h, w) the body's normals, and straight to and from the camera where there is no body."""
    facing = inputs.new_tensor([0, 0, 1, 0, 0, -1]).reshape(1, 6, 1, 1)
    return inputs[:, NORMALS] + (1 - inputs[:, BODY]) * facing


def unit_pairs(normals: Tensor) -> Tensor:
    """Both vectors of (b, 6, h, w) brought to length one."""
    return torch.cat([functional.normalize(side, dim=1) for side in normals.split(3, 1)], 1)


class _Block(nn.Module):
    """Two dense 3x3 convolutions beside a shortcut; a fresh one passes on what it gets."""

    def __init__(self, width: int, groups: int):
        super().__init__()
        self.norm = nn.GroupNorm(groups, width) if groups else nn.Identity()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        # small, so that a deep stack starts near the identity, not zero, so that both learn from the first step
        with torch.no_grad():
            self.second.weight.mul_(0.2)

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(functional.silu(self.norm(x)))
        return x + self.second(functional.silu(y))


def infer(
    net: MapsNetwork,
    image: np.ndarray,
    body_maps: Maps,
    reduced: bool | None = None,
    unit: CropUnit | None = None,
) -> PredictedMaps:
    """The maps of a person in a picture.

    image : (h, w, 4) uint8 sRGB and matte, straight alpha, a square crop around the person, 512 pixels a side as in
    training.  body_maps : the fitted body through the crop's camera.  reduced : compute in bf16; None where the
    processor has it built in.  unit : how the depths that come back are counted; None as the given body's.
    """
    own = CropUnit.of(body_maps)
    window = person_window(image, body_maps.mask, net.config.stride)
    inputs = torch.from_numpy(network_inputs(image, body_maps, own)[:, window[0], window[1]])[None]
    height, width = inputs.shape[2:]
    stride = net.config.stride
    device = net.heads.weight.device
    inputs = functional.pad(inputs, (0, -width % stride, 0, -height % stride)).to(device)
    reduced = has_bf16(device) if reduced is None else reduced
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=reduced):
        raw = net(inputs.contiguous(memory_format=torch.channels_last))
    return predicted_maps(raw, 0, image, body_maps, unit or own, window)


def predicted_maps(
    raw: RawMaps, index: int, image: np.ndarray, body_maps: Maps, unit: CropUnit, window: tuple[slice, slice]
) -> PredictedMaps:
    """One picture of a batch as users get it; arguments as in `infer`.

    window : rows and columns of the picture that were read.
    """

    def part(values: Tensor, outside: float = 0.0, step: int = 1) -> np.ndarray:
        """(k, h, w) of the whole picture."""
        rows, columns = (slice(-(-w.start // step), w.stop // step) for w in window)
        shape = (values.shape[1], image.shape[0] // step, image.shape[1] // step)
        whole = np.full(shape, outside, np.float32)
        inside = whole[:, rows, columns]
        inside[:] = values[index, :, : inside.shape[1], : inside.shape[2]].detach().float().cpu().numpy()
        return whole

    mask = np.zeros(image.shape[:2], bool)
    mask[window] = image[window][..., 3] > 127
    maps = maps_of(part(raw.normals), part(raw.depths), mask, body_maps.camera, unit)
    labels = part(raw.labels).argmax(0).astype(np.uint8)
    colour = np.moveaxis((part(raw.colour) * 255).round().clip(0, 255).astype(np.uint8), 0, 2)
    confidence = np.moveaxis(np.exp(-np.exp(part(raw.log_error))), 0, 2)
    inside = mask[..., None]
    return PredictedMaps(
        maps,
        labels * mask,
        colour * inside,
        (confidence * inside).astype(np.float32),
        part(raw.motion, step=STEP),
        np.exp(part(raw.log_spread, step=STEP)),
        part(raw.features, step=STEP),
    )


def has_bf16(device: torch.device) -> bool:
    """Whether the device computes in bf16 faster than in float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    told = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # where there is no public question
    return bool(told and told())


def save_weights(net: MapsNetwork, path: str | Path, state: dict[str, Tensor] | None = None) -> None:
    """Write weights in half precision, with the network's configuration in the file's header.

    state : other weights of the same network, such as running means, in place of its own. Raises OutputError.
    """
    from safetensors.torch import save

    from lookalike.export.output import write_bytes

    path = Path(path)
    tensors = {name: t.detach().cpu().half().contiguous() for name, t in (state or net.state_dict()).items()}
    temporary = path.with_name(f".{path.name}.part")
    try:
        write_bytes(temporary, [save(tensors, {"format": FORMAT, "config": json.dumps(asdict(net.config))})])
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def load_weights(path: str | Path) -> MapsNetwork:
    """The network that `save_weights` wrote, float32, on the CPU, ready for `infer`. Raises LookalikeError."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            note = file.metadata() or {}
            if note.get("format") != FORMAT:
                raise LookalikeError(f"{path} holds no weights of a maps network of this version; train it again.")
            config: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(note["config"]).items()
            }
            tensors: dict[str, Any] = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        with torch.device("meta"):
            net = MapsNetwork(NetworkConfig(**config))
        net.load_state_dict(tensors, assign=True)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:150]
        raise LookalikeError(f"Cannot read the weights {path} ({reason}); train or fetch them again.") from error
    return net.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
