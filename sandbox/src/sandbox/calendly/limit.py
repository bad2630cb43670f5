"""So many requests a minute."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW = 60.0
"""Seconds; a window is fixed: it begins with the first request after the last one ended."""


class Window:
    """One fixed window for each name that asks; `clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.counts: dict[str, tuple[float, int]] = {}

    def ask(self, name: str, limit: int) -> tuple[bool, dict[str, str]]:
        """Count a request; return whether it is within the limit, and the headers that say so.

        Calendly: X-RateLimit-Reset is the number of seconds until the window ends, not a time.
        """
        now = self.clock()
        began, count = self.counts.get(name, (now, 0))
        if now - began >= WINDOW:
            began, count = now, 0
        self.counts[name] = (began, count + 1)
        return count < limit, headers(limit, max(0, limit - count - 1), began + WINDOW - now)


def headers(limit: int, remaining: int, reset: float = WINDOW) -> dict[str, str]:
    """Return the three headers."""
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(math.ceil(reset)),
    }
