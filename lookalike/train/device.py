"""Where to compute: an option's word in, a torch device out."""

from __future__ import annotations

import torch

from lookalike.errors import LookalikeError
from lookalike.pipeline import resolve_device


def chosen_device(name: str) -> torch.device:
    """name : "auto" (the GPU if PyTorch sees one), "cpu" or "cuda". Raises LookalikeError."""
    try:
        return torch.device(resolve_device(name))
    except ValueError as error:
        raise LookalikeError(str(error)) from error
