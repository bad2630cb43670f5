"""So many requests a minute, and a minute of nothing for whoever asks for more."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW = 60.0
"""Seconds. A window is fixed: it begins with the first request after the last one, or after a block, ended."""


@dataclass(slots=True)
class Count:
    """What one calendar, or one organization, has asked since its window began."""

    began: float
    requested: int = 0
    blocked: bool = False


class Limiter:
    """One window for each name that asks; `clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.counts: dict[str, Count] = {}

    def ask(self, name: str, limit: int) -> tuple[bool, int, int]:
        """Count a request; return whether it is allowed, how many more are, and the seconds until that changes.

        Luma: over the limit everything is refused for one minute from then on; asking meanwhile does not prolong it.
        """
        now = self.clock()
        count = self.counts.setdefault(name, Count(now))
        if now - count.began >= WINDOW:
            count = self.counts[name] = Count(now)
        if not count.blocked and count.requested >= limit:
            count = self.counts[name] = Count(now, blocked=True)
        count.requested += 1
        left = math.ceil(count.began + WINDOW - now)
        return not count.blocked, 0 if count.blocked else limit - count.requested, left
