"""What the SDK says while it makes a tap, which helps nobody."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def quiet(log: logging.Logger) -> Iterator[None]:
    """Nothing below WARNING in this block, unless DEBUG is asked for."""
    level = log.level
    if not log.isEnabledFor(logging.DEBUG):
        log.setLevel(max(log.getEffectiveLevel(), logging.WARNING))
    try:
        yield
    finally:
        log.setLevel(level)
