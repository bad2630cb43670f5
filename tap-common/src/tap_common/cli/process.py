"""Settings of a tap's process for a long run."""

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
"""Bytes written at a time: the capacity of a pipe."""
# Records have no reference cycles, so frequent searches for them only take time.
_OBJECTS = 50_000


@contextmanager
def tuned_process() -> Iterator[None]:
    """Use larger writes, rarer garbage collection and one core within the block."""
    with ExitStack() as stack:
        for tuned in (_large_writes(), _rare_collection(), on_one_core(os.getpid())):
            stack.enter_context(tuned)
        yield


@contextmanager
def _large_writes() -> Iterator[None]:
    """Buffer `OUTPUT` bytes of standard output, even with PYTHONUNBUFFERED."""
    before = sys.stdout
    buffer = getattr(before, "buffer", None)
    if isinstance(getattr(buffer, "raw", buffer), io.FileIO):
        raw = io.FileIO(before.fileno(), "w", closefd=False)
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(raw, OUTPUT), encoding="utf-8")
    try:
        yield
    finally:
        buffered, sys.stdout = sys.stdout, before
        if buffered is not before:
            buffered.flush()


@contextmanager
def _rare_collection() -> Iterator[None]:
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
    """Keep this thread, and all threads that it starts, on one core, chosen by `number`; does nothing on other systems.

    Only one of them runs at a time. They pass the interpreter's lock to each other several times per request; between
    cores of a virtual machine, that took as long as everything else.
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
