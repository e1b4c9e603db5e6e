"""The parametric body: the model, its files, and the fit to a person in a photo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.body.load import load_body
from lookalike.body.model import JOINTS, PARTS, Body, BodyModel

if TYPE_CHECKING:
    from lookalike.body.fit import fit_body
    from lookalike.body.measurements import measure

__all__ = ["JOINTS", "PARTS", "Body", "BodyModel", "fit_body", "load_body", "measure"]


def __getattr__(name: str):
    """torch and scipy come in only when they are needed."""
    if name == "fit_body":
        from lookalike.body.fit import fit_body

        return fit_body
    if name == "measure":
        from lookalike.body.measurements import measure

        return measure
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
