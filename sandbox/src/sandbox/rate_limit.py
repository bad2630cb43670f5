"""Rate limits over a fixed window."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW = 60
"""Length of a window in seconds. It opens with the first request after the previous window has ended."""


class Count(NamedTuple):
    """The state of a rate limit after a request."""

    allowed: bool
    remaining: int
    """Requests left in this window."""
    reset: int
    """Seconds until the window ends, rounded up."""


class FixedWindow:
    """One window per name. `clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.counts: dict[str, tuple[float, int]] = {}

    def count(self, name: str, limit: int) -> Count:
        """Count a request."""
        now = self.clock()
        began, count = self.counts.get(name, (now, 0))
        if now - began >= WINDOW:
            began, count = now, 0
        self.counts[name] = (began, count + 1)
        return Count(count < limit, max(0, limit - count - 1), math.ceil(began + WINDOW - now))
