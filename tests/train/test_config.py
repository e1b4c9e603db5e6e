"""Config files: what is not named keeps its default, and what is wrong is said in one sentence."""

from __future__ import annotations

import json

import pytest

from lookalike.errors import LookalikeError
from lookalike.train.config import TrainConfig, config_from_json, read_config


def test_defaults_and_changes(tmp_path):
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"batch": 3, "learning_rate": 1, "noise": {"arms": 20}, "network": {"detail": 8}}))
    config = read_config(path)
    assert config.batch == 3 and config.learning_rate == 1.0 and config.noise.arms == 20.0
    assert config.network.detail == 8
    assert config.size == TrainConfig().size and config.network.widths == TrainConfig().network.widths


def test_what_was_written_is_read():
    config = TrainConfig(batch=3)
    assert config_from_json(config.as_json(), "x") == config


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"bach": 3}, "bach is not a setting"),
        ({"network": {"depth": 3}}, "network.depth is not a setting"),
        ({"batch": 2.5}, "batch must be a whole number"),
        ({"batch": True}, "batch must be a whole number"),
        ({"batch": 0}, "batch must be more than zero"),
        ({"learning_rate": "fast"}, "learning_rate must be a number"),
        ({"bf16": 1}, "bf16 must be true or false"),
        ({"network": {"widths": 5}}, "network.widths must be a list of numbers"),
        ({"network": {"widths": [10, 20]}}, "a network needs"),
        ({"network": 3}, "network must be an object"),
        ({"noise": {"severity": [1]}}, "noise.severity must be a list of 2 numbers"),
        ({"size": 500}, "size, window and coarse must be multiples of 32"),
        ({"coarse": 256}, "coarse needs a window"),
        ({"seed": 900001}, "must differ"),
        ([1], "it must be an object"),
    ],
)
def test_mistakes(tmp_path, wrong, says):
    path = tmp_path / "c.json"
    path.write_text(json.dumps(wrong))
    with pytest.raises(LookalikeError, match=says) as caught:
        read_config(path)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(LookalikeError, match="Cannot read the config"):
        read_config(tmp_path / "none.json")
    (tmp_path / "c.json").write_text("{")
    with pytest.raises(LookalikeError, match="is not JSON"):
        read_config(tmp_path / "c.json")
