"""Errors that end a load with a sentence instead of a traceback."""

from __future__ import annotations

from singer_sdk.singerlib.exceptions import InvalidInputLine


class LoadError(Exception):
    """A load cannot go on; the message names the failure, its place and the remedy, and quotes no value of a record."""


class TruncatedInputError(InvalidInputLine):
    """The input ends within a message, because the tap was interrupted; the messages before it are complete."""
