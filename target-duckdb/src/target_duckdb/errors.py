"""The one error that ends a load with a sentence instead of a traceback."""

from __future__ import annotations


class LoadError(Exception):
    """A load cannot go on; the text says what failed, where, and what to do, and holds no value of any record."""
