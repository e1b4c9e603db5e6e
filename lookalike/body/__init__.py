"""The parametric body: the model, its files, and the fit to a person in a photo."""

from lookalike.body.load import load_body
from lookalike.body.model import JOINTS, PARTS, Body, BodyModel

__all__ = ["JOINTS", "PARTS", "Body", "BodyModel", "load_body"]
