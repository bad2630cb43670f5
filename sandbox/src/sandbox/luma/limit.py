"""The rate limit of Luma: requests per minute, and a block of one minute for exceeding it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.rate_limit import WINDOW, Count

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class Window:
    """The requests of one calendar or organization since `began`."""

    began: float
    requests: int = 0
    blocked: bool = False


class Limiter:
    """One window per name; it also opens anew with a block. `clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.windows: dict[str, Window] = {}

    def count(self, name: str, limit: int) -> Count:
        """Count a request.

        Luma: a request over the limit blocks the name for one minute; further requests do not prolong the block.
        """
        now = self.clock()
        window = self.windows.setdefault(name, Window(now))
        if now - window.began >= WINDOW:
            window = self.windows[name] = Window(now)
        if not window.blocked and window.requests >= limit:
            window = self.windows[name] = Window(now, blocked=True)
        window.requests += 1
        remaining = 0 if window.blocked else limit - window.requests
        return Count(not window.blocked, remaining, math.ceil(window.began + WINDOW - now))
