"""The rate limit of Luma: requests per minute, and a block of one minute for exceeding it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW = 60.0
"""Length of a window in seconds. It opens with the first request after the previous window or block has ended."""


@dataclass(slots=True)
class Count:
    """The requests of one calendar or organization in its window."""

    began: float
    requests: int = 0
    blocked: bool = False


class Limiter:
    """One window per name. `clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.counts: dict[str, Count] = {}

    def count(self, name: str, limit: int) -> tuple[bool, int, int]:
        """Count a request; return if it is allowed, the remaining requests, and the seconds left in the window.

        Luma: a request over the limit blocks the name for one minute; further requests do not prolong the block.
        """
        now = self.clock()
        count = self.counts.setdefault(name, Count(now))
        if now - count.began >= WINDOW:
            count = self.counts[name] = Count(now)
        if not count.blocked and count.requests >= limit:
            count = self.counts[name] = Count(now, blocked=True)
        count.requests += 1
        left = math.ceil(count.began + WINDOW - now)
        return not count.blocked, 0 if count.blocked else limit - count.requests, left
