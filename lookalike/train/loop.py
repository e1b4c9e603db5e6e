"""Training the maps network: a config and a folder in, weights, a log and pictures out.

OUT/config.json           what it was trained with
    checkpoint.pt         everything that a run needs to go on exactly where it was
    weights.safetensors   the result so far: the running mean of the weights, in half precision
    log.jsonl             a JSON object a line: losses, and angles of held-out people
    curves.png            the same as a picture
    predictions.png       held-out people: picture, truth, prediction, body
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch

from lookalike.errors import LookalikeError, OutputError
from lookalike.export.output import output_errors
from lookalike.maps.network import MapsNetwork, has_bf16, load_weights, save_weights
from lookalike.train.config import FREE, TrainConfig, config_from_json
from lookalike.train.data import batches, tensors_of
from lookalike.train.losses import losses
from lookalike.train.optimizer import Optimizer
from lookalike.train.pictures import curves, prediction_sheet
from lookalike.train.validation import HeldOut, held_out, validate

FORMAT = "lookalike maps training 2"
#: What a run writes before its first step.
BEGUN = {"config.json", "log.jsonl"}


class Trainer:
    """A network in training and all that the next step depends on.

    On a CPU each core takes a share of the batch through a copy of the network of its own: a quarter faster than all
    cores in each operation, which wait for each other.

    config : of the run.  device : where it is computed.
    """

    def __init__(self, config: TrainConfig, device: torch.device):
        self.config, self.device = config, device
        self.step = 0
        self.reduced = config.bf16 and has_bf16(device)
        self.net = fresh_network(config).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        cores = torch.get_num_threads() if device.type == "cpu" else 1
        self.copies = [self.net, *(deepcopy(self.net) for _ in range(min(cores, config.batch) - 1))]
        self.mean = {name: tensor.detach().clone() for name, tensor in self.net.state_dict().items()}
        self.optimizer = Optimizer(self.net, config.weight_decay)

    def rate(self) -> float:
        """The learning rate of the next step."""
        config, step = self.config, self.step
        if step < config.warm_up:
            return config.learning_rate * (step + 1) / config.warm_up
        share = (step - config.warm_up) / max(config.steps - config.warm_up, 1)
        return config.learning_rate * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))

    def advance(self, examples: list) -> dict[str, torch.Tensor]:
        """One step. examples : the batch. Returns its losses, on the device."""
        terms = self._gradients(examples)
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.config.clip)
        if torch.isfinite(norm):  # one bad batch must not spoil the run
            self.optimizer.step(self.rate())
        keep = min(self.config.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, tensor in self.net.state_dict().items():
                self.mean[name].lerp_(tensor, 1 - keep)
            for copy in self.copies[1:]:
                torch._foreach_copy_(list(copy.parameters()), list(self.net.parameters()))
        self.step += 1
        return {**terms, "gradient": norm.detach()}

    def _gradients(self, examples: list) -> dict[str, torch.Tensor]:
        """Leave the batch's gradients in the network; returns the losses."""
        count = min(len(self.copies), len(examples))
        shares = [examples[i::count] for i in range(count)]
        if count == 1:
            return self._share(self.net, examples)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                several = list(pool.map(self._share, self.copies, shares))
        finally:
            torch.set_num_threads(threads)
        part = [len(share) / len(examples) for share in shares]
        for parameters in zip(*(copy.parameters() for copy in self.copies[:count]), strict=True):
            grads = [p.grad for p in parameters]
            if grads[0] is not None:
                parameters[0].grad = sum(g * share for g, share in zip(grads, part, strict=True))
        return {
            name: torch.stack([t[name] * share for t, share in zip(several, part, strict=True)]).sum()
            for name in several[0]
        }

    def _share(self, net: MapsNetwork, examples: list) -> dict[str, torch.Tensor]:
        inputs, truth = tensors_of(examples, self.device)
        net.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.reduced):
            raw = net(inputs)
        terms = losses(raw, truth, self.config.weights)
        terms["total"].backward()
        return {name: value.detach() for name, value in terms.items()}

    def averaged(self) -> MapsNetwork:
        """The network with the running mean of the weights, on its device."""
        with torch.device("meta"):
            net = MapsNetwork(self.config.network)
        net.load_state_dict(self.mean, assign=True)
        return net.eval()

    def save(self, path: Path) -> None:
        """Write a checkpoint of plain tensors, numbers and words. Raises OutputError."""
        state = {
            "format": FORMAT,
            "step": self.step,
            "config": json.dumps(self.config.as_json()),
            "network": self.net.state_dict(),
            "mean": self.mean,
            "optimizer": self.optimizer.state_dict(),
        }
        temporary = path.with_name(f".{path.name}.part")
        with output_errors(path):
            try:
                torch.save(state, temporary)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path, device: torch.device, config: TrainConfig | None = None) -> Trainer:
        """Go on from a checkpoint. Raises LookalikeError.

        config : must say the same as the checkpoint's, save for `config.FREE`; None takes the checkpoint's.
        """
        state = _read_checkpoint(path)
        before = config_from_json(json.loads(state["config"]), str(path))
        if config is not None:
            old, new = before.as_json(), config.as_json()
            differing = [key for key in old if old[key] != new[key] and key not in FREE]
            if differing:
                raise LookalikeError(
                    f"{path} was trained with another {differing[0]} than the config says: use the same, or a new folder."
                )
        trainer = cls(config or before, device)
        trainer.step = int(state["step"])
        trainer.net.load_state_dict(state["network"])
        trainer.optimizer.load_state_dict(state["optimizer"])
        for name, tensor in state["mean"].items():
            trainer.mean[name].copy_(tensor)
        for copy in trainer.copies[1:]:
            copy.load_state_dict(state["network"])
        return trainer


def fresh_network(config: TrainConfig) -> MapsNetwork:
    """The network at step zero, the same for the same seed; the global random state stays as it is.

    Raises LookalikeError where the weights to start with are of another network.
    """
    if config.start is not None:
        net = load_weights(config.start)
        if net.config != config.network:
            raise LookalikeError(f"{config.start} holds a network of another size than the config's; use the same.")
        return net.train().requires_grad_()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return MapsNetwork(config.network).train()


def train_maps(
    config: TrainConfig | None,
    out: Path,
    device: torch.device,
    folder: Path | None = None,
    jobs: int = 0,
    minutes: float | None = None,
    resume: bool = False,
    watch: Callable[[dict[str, Any]], None] | None = None,
) -> Path:
    """Train until the config's last step or for some minutes, whichever comes first. Returns the weights' path.

    config : None for the standard one, or the checkpoint's when resuming.  folder : samples of `lookalike synthesize`,
    or None for fresh people.  jobs : processes that make samples, 0 for this one.
    watch : called with each line of the log. Raises LookalikeError, OutputError.
    """
    begin = time.monotonic()
    checkpoint = out / "checkpoint.pt"
    if resume:
        trainer = Trainer.load(checkpoint, device, config)
    else:
        # a run that ended before its first checkpoint has left nothing to keep
        if out.exists() and (not out.is_dir() or {p.name for p in out.iterdir()} not in (set(), BEGUN)):
            raise OutputError(f"{out} exists and is not empty: continue with --resume, or choose a new folder.")
        trainer = Trainer(config or TrainConfig(), device)
    run = _Run(trainer, out, watch)
    config = trainer.config
    late = lambda: minutes is not None and time.monotonic() - begin > 60 * minutes  # noqa: E731
    since, at = time.monotonic(), trainer.step
    source = batches(config, trainer.step, folder, jobs)
    while trainer.step < config.steps and not late():
        terms = trainer.advance(next(source))
        if trainer.step % config.log_every == 0:
            values = {name: float(f"{float(value):.5g}") for name, value in terms.items()}
            speed = (trainer.step - at) / max(time.monotonic() - since, 1e-9)
            run.note("step", **values, rate=trainer.rate(), steps_a_second=round(speed, 3))
            since, at = time.monotonic(), trainer.step
        if trainer.step % config.validate_every == 0 and trainer.step < config.steps:
            run.judge()
            since, at = time.monotonic(), trainer.step
        if trainer.step % config.checkpoint_every == 0:
            run.keep()
    del source  # ends the processes
    run.keep()
    run.judge()
    return out / "weights.safetensors"


class _Run:
    """The files of a run. `watch` as in `train_maps`."""

    def __init__(self, trainer: Trainer, out: Path, watch: Callable[[dict[str, Any]], None] | None):
        self.trainer, self.out, self.watch = trainer, out, watch
        self.people: list[HeldOut] = []
        self.log = [e for e in _read_log(out / "log.jsonl") if e["step"] <= trainer.step]
        with output_errors(out):
            out.mkdir(parents=True, exist_ok=True)
            (out / "config.json").write_text(json.dumps(trainer.config.as_json(), indent=2), "utf-8")
            # a run that was stopped had gone on beyond its checkpoint
            (out / "log.jsonl").write_text("".join(json.dumps(e) + "\n" for e in self.log), "utf-8")

    def note(self, kind: str, **values: Any) -> None:
        """Add a line to the log."""
        line = {"kind": kind, "step": self.trainer.step, **values}
        self.log.append(line)
        with output_errors(self.out / "log.jsonl"), (self.out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        if self.watch:
            self.watch(line)

    def keep(self) -> None:
        """Write the checkpoint and the weights."""
        self.trainer.save(self.out / "checkpoint.pt")
        save_weights(self.trainer.net, self.out / "weights.safetensors", self.trainer.mean)

    def judge(self) -> None:
        """Try the mean weights on the held-out people, and draw."""
        if any(e["kind"] == "validation" and e["step"] == self.trainer.step for e in self.log):
            return
        self.people = self.people or held_out(self.trainer.config)
        net, reduced = self.trainer.averaged(), self.trainer.reduced
        scores = validate(net, self.people, reduced)
        self.note("validation", **{name: round(value, 4) for name, value in scores.items()})
        shown = self.people[: self.trainer.config.sheet_people]
        with output_errors(self.out):
            curves(self.log).save(self.out / "curves.png")
            if shown:
                prediction_sheet(net, shown, reduced).save(self.out / "predictions.png")


def _read_log(path: Path) -> list[dict[str, Any]]:
    """Lines that can be read; the last one may be cut off."""
    lines: list[dict[str, Any]] = []
    if not path.is_file():
        return lines
    for line in path.read_text("utf-8").splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            continue
    return lines


def _read_checkpoint(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise LookalikeError(f"{path} does not exist, so there is nothing to resume; train without --resume first.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["format"] != FORMAT:
            raise ValueError("of another version")
    except Exception as error:  # whatever a damaged file makes of torch's reader
        reason = " ".join(str(error).split())[:150]
        raise LookalikeError(f"Cannot read the checkpoint {path} ({reason}); train anew in another folder.") from error
    return state
