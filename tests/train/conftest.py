"""What the tests of training share: one small sample, and settings for a run of seconds."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.maps.network import NetworkConfig
from lookalike.people.data_folder import Order, write_dataset
from lookalike.people.sample import Sample
from lookalike.people.store import read_sample
from lookalike.train.config import TrainConfig

TINY = NetworkConfig(widths=(32, 48), down=(1, 1), up=(1,), features=8, detail=16)


@pytest.fixture(scope="session")
def people_dir(tmp_path_factory):
    """Two people of 64 pixels as `lookalike synthesize` writes them."""
    folder = tmp_path_factory.mktemp("people") / "two"
    write_dataset(Order(2, seed=4, size=64, maps_only=True), folder)
    return folder


@pytest.fixture(scope="session")
def sample(people_dir) -> Sample:
    return read_sample(people_dir / "000000" / "sample.npz")


@pytest.fixture
def config() -> TrainConfig:
    return TrainConfig(
        network=TINY,
        size=64,
        batch=2,
        steps=4,
        warm_up=2,
        validation_people=1,
        sheet_people=1,
        validate_every=100,
        checkpoint_every=100,
        log_every=1,
    )


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)
