"""The errors that end a load with a sentence instead of a traceback."""

from __future__ import annotations

from singer_sdk.singerlib.exceptions import InvalidInputLine


class LoadError(Exception):
    """A load cannot go on; the text says what failed, where, and what to do, and holds no value of any record."""


class CutOffError(InvalidInputLine):
    """The input ends in the middle of a message: whoever writes it was ended, and what came before is whole."""
