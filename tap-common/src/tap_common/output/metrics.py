"""Counters of a run: per stream while it runs, and summed up in its last log line."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

from singer_sdk import metrics
from typing_extensions import override

from tap_common.printable import printable
from tap_common.sdk import TapStream

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping, Sequence

    from singer_sdk.helpers.types import Context

    from tap_common.http.credential import Credential


class StreamCounter(metrics.Counter):
    """A counter of one stream, over all threads, lists and parents.

    The SDK opens and logs a counter for each list that is read; for a child stream, that is one per batch of parents.
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
        """Do nothing: the count is that of the whole stream."""

    @override
    def exit(self) -> None:
        """Do nothing: see `report`."""

    def report(self) -> None:
        """Log the count as a metric."""
        metrics.log(self.logger, metrics.Point("counter", self.metric, self.value, self.tags))


class Counted(TapStream, ABC):
    """The part of a stream that counts its requests and records."""

    @cached_property
    def request_counter(self) -> StreamCounter:
        """Counter of this stream's requests."""
        counter = StreamCounter(metrics.Metric.HTTP_REQUEST_COUNT, self.name)
        return self.tap.request_counters.setdefault(self.name, counter)

    @cached_property
    def record_counter(self) -> StreamCounter:
        """Counter of this stream's records."""
        return self.tap.record_counters.setdefault(self.name, StreamCounter(metrics.Metric.RECORD_COUNT, self.name))

    @override
    def get_http_request_counter(self) -> metrics.Counter:
        return self.request_counter

    @override
    def get_record_counter(self, *, endpoint: str | None = None, log_interval: float = 0) -> metrics.Counter:
        return self.record_counter

    @override
    def log_sync_costs(self) -> None:
        """Log the number of requests and records as metrics."""
        if self.request_counter.value:
            self.request_counter.report()
        if self.selected:
            self.record_counter.report()


class Metric(Enum):
    """Names of metrics that the SDK does not have."""

    REFUSED = "http_refused_count"
    REPEATED = "http_repeated_count"
    WAITED = "limit_wait_duration"
    ODD = "odd_value_count"


@dataclass(frozen=True)
class Usage:
    """The records and requests of a run, and what delayed it."""

    records: Mapping[str, int]
    """Number of records by stream, highest first."""
    requests: Mapping[str, int]
    """Number of answered requests by stream, highest first."""
    refused: int
    """Number of 429 responses."""
    repeated: int
    """Number of requests that were retried after another error."""
    waited: float
    """Seconds spent waiting for the rate limit; with several keys, those of the slowest."""
    odd: Mapping[str, int] = field(default_factory=dict)
    """Number of values that did not fit their columns, by `stream.field`."""

    @classmethod
    def of(
        cls,
        records: Mapping[str, StreamCounter],
        requests: Mapping[str, StreamCounter],
        credentials: Sequence[Credential],
        odd: Mapping[str, Mapping[str, int]],
    ) -> Self:
        """Return the usage so far, from the run's counters."""
        return cls(
            records=_highest_first(records),
            requests=_highest_first(requests),
            refused=sum(credential.limiter.refused for credential in credentials),
            repeated=sum(credential.retry.repeated for credential in credentials),
            waited=max((credential.limiter.waited for credential in credentials), default=0.0),
            odd={
                printable(f"{stream}.{name}"): number for stream, names in odd.items() for name, number in names.items()
            },
        )

    def __str__(self) -> str:
        odd = f" {_total(self.odd, 'values did not fit their columns')}; `_extra` keeps them." if self.odd else ""
        return (
            f"{_total(self.records, 'records')}; {_total(self.requests, 'requests')}. "
            f"Waited {self.waited:.0f} s for the rate limit; "
            f"{self.refused:,} requests refused (429), {self.repeated:,} retried after other errors.{odd}"
        )

    def report(self, log: logging.Logger, tap: str) -> None:
        """Log the usage, as a sentence and as metrics."""
        log.info("%s", self)
        points: list[tuple[Any, Metric, float]] = [
            ("counter", Metric.REFUSED, self.refused),
            ("counter", Metric.REPEATED, self.repeated),
            ("timer", Metric.WAITED, round(self.waited, 3)),
        ]
        if odd := sum(self.odd.values()):
            points.append(("counter", Metric.ODD, odd))
        for kind, metric, value in points:
            point = metrics.Point(kind, metric, value, {"tap": tap})  # type: ignore[arg-type]  # not one of the SDK's
            metrics.log(metrics.get_metrics_logger(), point)


def _highest_first(counters: Mapping[str, StreamCounter]) -> dict[str, int]:
    counts = {stream: counter.value for stream, counter in counters.items() if counter.value}
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _total(counts: Mapping[str, int], noun: str) -> str:
    parts = ", ".join(f"{name} {number:,}" for name, number in counts.items())
    return f"{sum(counts.values()):,} {noun}{f' ({parts})' if parts else ''}"
