"""People for the rig's tests: bare bodies of the bundled model as surfaces."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.sparse import identity

from lookalike.appearance.material import Material
from lookalike.body import Body, load_body
from lookalike.camera import Camera
from lookalike.rig import rig
from lookalike.rig.avatar import Avatar
from lookalike.surface.mesh import Surface

#: Shape numbers of a few people: the first makes tall, the fourth and fifth stout.
PEOPLE = {"average": {}, "tall": {0: 1.3}, "child": {0: -2.0}, "stout": {4: 2.5, 3: 2.5}}


def make_body(betas: dict[int, float] | None = None, pose: dict[str, tuple] | None = None, **options) -> Body:
    """A body with some shape numbers and some joints' axis-angles, 3 m in front of a camera."""
    model = load_body()
    shape, turns = np.zeros(model.shape_count), np.zeros((len(model.joint_names), 3))
    for k, value in (betas or {}).items():
        shape[k] = value
    for name, turn in (pose or {}).items():
        turns[model.joint_names.index(name)] = turn
    return model.posed(shape, turns, np.array([0.1, 0.2, -3.0]), Camera.for_photo(900, 1200), **options)


def bare(body: Body) -> Surface:
    """The naked body as a surface."""
    model = body.model
    anchors = identity(len(model.template), format="csr")
    return Surface(body.vertices.astype(np.float32), model.faces, None, model.uv, model.face_uv, anchors)


def plain() -> Material:
    """A grey material."""
    grey = np.full((2, 2), 128, np.uint8)
    return Material(np.stack([grey] * 3, -1), grey, None, np.ones((2, 2), np.float32))


@cache
def person(name: str) -> Avatar:
    """The avatar of one of `PEOPLE`."""
    body = make_body(PEOPLE[name])
    return rig(bare(body), body, plain(), name)


@pytest.fixture(name="make_body")
def _make_body():
    """`make_body`."""
    return make_body


@pytest.fixture(name="bare")
def _bare():
    """`bare`."""
    return bare


@pytest.fixture(name="rigged")
def _rigged():
    """Rigs the surface of a body."""
    return lambda surface, body: rig(surface, body, plain(), "test")


@pytest.fixture(name="person")
def _person():
    """`person`."""
    return person


@pytest.fixture(params=list(PEOPLE))
def avatar(request) -> Avatar:
    """An avatar of each of `PEOPLE`."""
    return person(request.param)


@pytest.fixture
def average() -> Avatar:
    """The avatar of the average person."""
    return person("average")
