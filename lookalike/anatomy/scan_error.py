"""What goes wrong with scans, and how the optional libraries are asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from lookalike.errors import LookalikeError


class ScanError(LookalikeError):
    """The scan cannot be read, or does not hold what was asked for."""

    exit_code = 2


def library(name: str) -> Any:
    """A module of the extra "anatomy". Raises LookalikeError that says how to install it."""
    try:
        return import_module(name)
    except ImportError as error:
        raise LookalikeError(
            f'Medical scans need the library {name}: install it with pip install "lookalike[anatomy]".'
        ) from error
