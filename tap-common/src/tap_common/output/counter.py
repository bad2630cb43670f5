"""Counts that are logged once."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from singer_sdk import metrics
from typing_extensions import override

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context


class StreamCounter(metrics.Counter):
    """Counts something of one stream over all threads, lists and parents.

    The SDK opens and logs a counter for each list that is read, which for a child stream is one per batch of parents.
    """

    def __init__(self, metric: metrics.Metric, stream: str) -> None:
        super().__init__(metric, {metrics.Tag.STREAM: stream})
        self._lock = Lock()

    @override
    def increment(self, value: int = 1) -> None:
        with self._lock:
            self.value += value

    @override
    def with_context(self, value: Context | None) -> None:
        """Nothing: the count is the whole stream's."""

    @override
    def exit(self) -> None:
        """Nothing: see `report`."""

    def report(self) -> None:
        """Log the count as a metric."""
        metrics.log(self.logger, metrics.Point("counter", self.metric, self.value, self.tags))
