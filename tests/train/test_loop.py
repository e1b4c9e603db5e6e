"""Training runs: one person can be learnt by heart, and a run that was stopped goes on as if it had not been."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from lookalike.errors import LookalikeError, OutputError
from lookalike.maps.network import NetworkConfig, infer, load_weights
from lookalike.train.data import batches, example_of, with_wrong_body
from lookalike.train.loop import Trainer, train_maps
from lookalike.train.validation import HeldOut, validate

CPU = torch.device("cpu")


def test_learns_one_person_by_heart(config, sample, rng):
    body = with_wrong_body(sample, rng, config.noise)
    example = example_of(sample, body)
    network = NetworkConfig(widths=(64, 96), down=(1, 1), up=(1,))
    settings = replace(config, network=network, learning_rate=4e-3, steps=180, warm_up=5, ema=0.8, bf16=False)
    trainer = Trainer(settings, CPU)
    person = [HeldOut(sample, body)]
    before = validate(trainer.averaged(), person, False)
    for _ in range(settings.steps):
        trainer.advance([example])
    after = validate(trainer.averaged(), person, False)
    assert before["front_mean"] > 20 and before["back_mean"] > 20
    assert after["front_mean"] < 9
    assert after["back_mean"] < 12
    assert after["depth_front"] < 0.5 * before["depth_front"]
    assert after["parts"] > 0.65 and before["parts"] < 0.1
    assert after["colour"] < 0.7 * before["colour"]


def test_a_resumed_run_has_the_same_weights(config, people_dir, tmp_path):
    whole = train_maps(config, tmp_path / "whole", CPU, people_dir)
    parts = tmp_path / "parts"
    trainer = Trainer(config, CPU)
    parts.mkdir()
    source = batches(config, 0, people_dir, 0)
    for _ in range(2):
        trainer.advance(next(source))
    trainer.save(parts / "checkpoint.pt")
    train_maps(None, parts, CPU, people_dir, resume=True)
    a, b = (torch.load(p / "checkpoint.pt", weights_only=True) for p in (whole.parent, parts))
    assert a["step"] == b["step"] == config.steps
    for part in ("network", "mean"):
        for name in a[part]:
            assert torch.equal(a[part][name], b[part][name]), name


def test_what_a_run_leaves(config, people_dir, tmp_path):
    out = tmp_path / "run"
    seen = []
    path = train_maps(config, out, CPU, people_dir, minutes=5, watch=seen.append)
    names = {"checkpoint.pt", "config.json", "curves.png", "log.jsonl", "predictions.png", "weights.safetensors"}
    assert {p.name for p in out.iterdir()} == names
    assert load_weights(path).config == config.network
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert lines == seen
    assert [e["step"] for e in lines if e["kind"] == "step"] == [1, 2, 3, 4]
    last = lines[-1]
    assert last["kind"] == "validation" and 0 < last["front_mean"] < 90 and 0 < last["body_back_median"] < 90
    with pytest.raises(OutputError, match="not empty"):
        train_maps(config, out, CPU, people_dir)
    with pytest.raises(LookalikeError, match="another batch"):
        train_maps(replace(config, batch=1), out, CPU, people_dir, resume=True)


def test_a_run_that_never_came_to_a_checkpoint_may_begin_again(config, people_dir, tmp_path):
    with pytest.raises(LookalikeError, match="no whole part"):
        train_maps(replace(config, size=48), tmp_path / "run", CPU, people_dir)
    train_maps(config, tmp_path / "run", CPU, people_dir, minutes=0)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["size"] == 64


def test_without_time_it_keeps_what_it_has(config, people_dir, tmp_path, sample):
    path = train_maps(config, tmp_path / "run", CPU, people_dir, minutes=0)
    found = infer(load_weights(path), sample.image, sample.body_maps, reduced=False).maps
    both = found.mask & sample.body_maps.mask
    assert np.allclose(found.normals_front[both], sample.body_maps.normals_front[both], atol=1e-5)


def test_a_run_may_begin_with_the_weights_of_another(config, people_dir, tmp_path):
    path = train_maps(config, tmp_path / "small", CPU, people_dir)
    begun = Trainer(replace(config, start=str(path), seed=8), CPU)
    kept = load_weights(path).state_dict()
    assert all(torch.equal(tensor, kept[name]) for name, tensor in begun.net.state_dict().items())
    begun.advance(next(batches(config, 0, people_dir, 0)))
    assert any(not torch.equal(tensor, kept[name]) for name, tensor in begun.net.state_dict().items())
    with pytest.raises(LookalikeError, match="another size"):
        Trainer(replace(config, start=str(path), network=replace(config.network, features=4)), CPU)


def test_the_global_random_state_is_left_alone(config):
    before = torch.random.get_rng_state()
    a, b = Trainer(config, CPU), Trainer(config, CPU)
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(a.mean[name], b.mean[name]) for name in a.mean)


def test_mistakes_on_the_command_line(tmp_path):
    from lookalike.cli import app

    wrong = tmp_path / "c.json"
    wrong.write_text('{"bach": 3}')
    for arguments, says in (
        (["--config", str(wrong)], "bach is not a setting"),
        (["--resume"], "nothing to resume"),
        (["--data", str(tmp_path), "--jobs", "0"], "holds no synthetic people"),
    ):
        result = CliRunner().invoke(app, ["train", "maps", str(tmp_path / "out"), *arguments])
        assert result.exit_code != 0
        assert result.stderr.startswith("lookalike: ") and says in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1
