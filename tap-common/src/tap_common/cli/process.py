"""What a tap's own process is given for a long run."""

from __future__ import annotations

import gc
import io
import os
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTPUT = 1 << 16
"""Bytes of messages that are written at a time: what a pipe holds."""
# Rows are trees, which go when they are let go of: looking for cycles at each thousandth only takes time.
_OBJECTS = 50_000


@contextmanager
def room() -> Iterator[None]:
    """Larger writes, fewer searches for cycles of objects, and one core; as before at the end."""
    with ExitStack() as stack:
        for given in (_written_at_once(), _seldom_searched(), on_one_core(os.getpid())):
            stack.enter_context(given)
        yield


@contextmanager
def _written_at_once() -> Iterator[None]:
    """Standard output through a buffer of `OUTPUT` bytes, also where PYTHONUNBUFFERED leaves it without any."""
    before = sys.stdout
    buffer = getattr(before, "buffer", None)
    if isinstance(getattr(buffer, "raw", buffer), io.FileIO):
        raw = io.FileIO(before.fileno(), "w", closefd=False)
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(raw, OUTPUT), encoding="utf-8")
    try:
        yield
    finally:
        roomy, sys.stdout = sys.stdout, before
        if roomy is not before:
            roomy.flush()


@contextmanager
def _seldom_searched() -> Iterator[None]:
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_OBJECTS, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


@contextmanager
def on_one_core(number: int) -> Iterator[None]:
    """Keep this thread, and for ever those that it starts, on the core that a number falls to, where one may choose.

    Only one of them runs at a time in any case. They hand the interpreter's lock to each other several times a request,
    and across cores of a virtual machine that has taken as long again as all the rest.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(cores)[number % len(cores)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
