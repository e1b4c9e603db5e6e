"""Errors that users meet. Each message is one clear sentence that says what to do."""

from __future__ import annotations


class LookalikeError(Exception):
    """Something the user can put right. `exit_code` is what the command line returns."""

    exit_code = 1


class PhotoError(LookalikeError):
    """The photo cannot be read, or is not fit for use."""

    exit_code = 2


class NoPersonError(LookalikeError):
    """The photo shows no person."""

    exit_code = 3


class BodyModelError(LookalikeError):
    """The body model file cannot be read."""

    exit_code = 4


class OutputError(LookalikeError):
    """The result cannot be written."""

    exit_code = 5
