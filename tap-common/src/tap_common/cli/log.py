"""What the SDK says while it makes a tap, which helps nobody."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def quiet(log: logging.Logger) -> Iterator[None]:
    """Nothing below WARNING from this thread in this block, unless DEBUG is asked for."""
    this = threading.get_ident()

    def important(record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING or record.thread != this or log.isEnabledFor(logging.DEBUG)

    log.addFilter(important)
    try:
        yield
    finally:
        log.removeFilter(important)
