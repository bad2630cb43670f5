"""A clock that stands still until it is moved."""

from __future__ import annotations


class ManualClock:
    """A clock in seconds, like `time.monotonic`; its `sleep` moves it instead of waiting."""

    def __init__(self, start: float = 0.0) -> None:
        self.time = start

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.time

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self.time += seconds

    sleep = advance
