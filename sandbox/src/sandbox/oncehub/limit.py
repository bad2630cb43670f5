"""Rate limits over a sliding window."""

from __future__ import annotations

from collections import deque

SLACK = 1e-6
"""Tolerance in seconds for a client's floating-point arithmetic."""


class Window:
    """A sliding window: it counts the requests admitted in its last `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.admitted: deque[float] = deque()

    def wait(self, now: float, limit: int) -> float:
        """Return the seconds until the next request is admitted; 0 if it is at once."""
        while self.admitted and now - self.admitted[0] >= self.seconds - SLACK:
            self.admitted.popleft()
        if len(self.admitted) < limit:
            return 0.0
        return self.admitted[-limit] + self.seconds - now

    def admit(self, now: float) -> None:
        """Count a request."""
        self.admitted.append(now)
