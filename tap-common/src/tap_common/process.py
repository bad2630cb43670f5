"""What a tap's own process is given for a long run."""

from __future__ import annotations

import gc
import io
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTPUT = 1 << 16
"""Bytes of messages that are written at a time: what a pipe holds."""
# Rows are trees, which go when they are let go of: looking for cycles at each thousandth only takes time.
_OBJECTS = 50_000


@contextmanager
def room() -> Iterator[None]:
    """Larger writes to standard output, and fewer searches for cycles of objects; as before at the end."""
    before, thresholds = sys.stdout, gc.get_threshold()
    buffer = getattr(before, "buffer", None)
    if isinstance(getattr(buffer, "raw", buffer), io.FileIO):  # without a buffer where PYTHONUNBUFFERED is set
        raw = io.FileIO(before.fileno(), "w", closefd=False)
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(raw, OUTPUT), encoding="utf-8")
    gc.freeze()
    gc.set_threshold(_OBJECTS, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
        roomy, sys.stdout = sys.stdout, before
        if roomy is not before:
            roomy.flush()
