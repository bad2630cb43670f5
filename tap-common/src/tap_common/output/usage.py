"""What a run has written, and asked of its API."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Self

from singer_sdk import metrics

from tap_common.printable import printable

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping, Sequence

    from tap_common.http.credential import Credential
    from tap_common.output.counter import StreamCounter


class Metric(Enum):
    """Names of metrics that the SDK does not have."""

    REFUSED = "http_refused_count"
    REPEATED = "http_repeated_count"
    WAITED = "limit_wait_duration"
    ODD = "odd_value_count"


@dataclass(frozen=True)
class Usage:
    """The rows and the requests of a run: how many of each stream, and what held them up."""

    records: Mapping[str, int]
    """Rows that were written, by stream, the most first."""
    requests: Mapping[str, int]
    """Requests that were answered, by stream, the most first."""
    refused: int
    """Requests that were answered with 429."""
    repeated: int
    """Requests that were sent again after another error that may pass."""
    waited: float
    """Seconds in which a request waited for the limit of a key, the longest of all keys."""
    odd: Mapping[str, int] = field(default_factory=dict)
    """Values that their columns could not hold, by `stream.field`."""

    @classmethod
    def of(
        cls,
        records: Mapping[str, StreamCounter],
        requests: Mapping[str, StreamCounter],
        credentials: Sequence[Credential],
        odd: Mapping[str, Mapping[str, int]],
    ) -> Self:
        """Of what was written and asked so far."""
        return cls(
            records=_most_first(records),
            requests=_most_first(requests),
            refused=sum(credential.limiter.refused for credential in credentials),
            repeated=sum(credential.retry.repeated for credential in credentials),
            waited=max((credential.limiter.waited for credential in credentials), default=0.0),
            odd={
                printable(f"{stream}.{name}"): number for stream, names in odd.items() for name, number in names.items()
            },
        )

    def __str__(self) -> str:
        odd = f" {_told(self.odd, 'values that no column holds')}, kept in `_extra`." if self.odd else ""
        return (
            f"{_told(self.records, 'records')}; {_told(self.requests, 'requests')}. "
            f"Waited {self.waited:.0f} s for the API's limit; "
            f"{self.refused:,} refused by it (429), {self.repeated:,} sent again after another error.{odd}"
        )

    def report(self, log: logging.Logger, tap: str) -> None:
        """Log it, as a sentence and as metrics."""
        log.info("%s", self)
        for point in (
            metrics.Point("counter", Metric.REFUSED, self.refused, {"tap": tap}),  # type: ignore[arg-type]  # ours
            metrics.Point("counter", Metric.REPEATED, self.repeated, {"tap": tap}),  # type: ignore[arg-type]  # ours
            metrics.Point("timer", Metric.WAITED, round(self.waited, 3), {"tap": tap}),  # type: ignore[arg-type]  # ours
        ):
            metrics.log(metrics.get_metrics_logger(), point)
        if odd := sum(self.odd.values()):
            point = metrics.Point("counter", Metric.ODD, odd, {"tap": tap})  # type: ignore[arg-type]  # ours
            metrics.log(metrics.get_metrics_logger(), point)


def _most_first(counters: Mapping[str, StreamCounter]) -> dict[str, int]:
    counts = {stream: counter.value for stream, counter in counters.items() if counter.value}
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _told(counts: Mapping[str, int], what: str) -> str:
    streams = ", ".join(f"{name} {number:,}" for name, number in counts.items())
    return f"{sum(counts.values()):,} {what}{f' ({streams})' if streams else ''}"
