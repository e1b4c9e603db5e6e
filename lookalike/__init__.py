"""Lookalike: a rigged, textured 3D avatar from one photo."""

__version__ = "0.1.0"
