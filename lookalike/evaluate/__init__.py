"""How near reconstructions come to the truth: metrics, protocols, tables. Names load when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lookalike.evaluate.maps import AngularError, DepthError, MapScores, score_maps
    from lookalike.evaluate.protocols import PENALTY, PROTOCOLS, Protocol, Scores, Truth, prepare_truth, score_mesh
    from lookalike.evaluate.run import Options, evaluate_dataset

_HOME = {
    "AngularError": "maps",
    "DepthError": "maps",
    "MapScores": "maps",
    "score_maps": "maps",
    "PENALTY": "protocols",
    "PROTOCOLS": "protocols",
    "Protocol": "protocols",
    "Scores": "protocols",
    "Truth": "protocols",
    "prepare_truth": "protocols",
    "score_mesh": "protocols",
    "Options": "run",
    "evaluate_dataset": "run",
}

__all__ = [
    "PENALTY",
    "PROTOCOLS",
    "AngularError",
    "DepthError",
    "MapScores",
    "Options",
    "Protocol",
    "Scores",
    "Truth",
    "evaluate_dataset",
    "prepare_truth",
    "score_maps",
    "score_mesh",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
