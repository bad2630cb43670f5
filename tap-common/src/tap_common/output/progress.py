"""Progress of a long run, logged every ten seconds."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import TYPE_CHECKING, Self

from tap_common.http.clock import Clock, StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_common.tap import SchedulingTap

INTERVAL = 10.0
"""Seconds between two lines, and before the first one."""
# Seconds; shorter waits are not mentioned.
_A_WAIT = 1.0
# Seconds; for longer waits no time of day is logged.
_A_DAY = 86_400.0
# If the clocks differ by more, the line says whose time it is.
_APART = timedelta(minutes=1)


@dataclass(frozen=True)
class Snapshot:
    """Counters of a run at one moment."""

    at: float
    """The moment, by the monotonic clock."""
    records: dict[str, int] = field(default_factory=dict)
    """Number of records by stream."""
    requests: dict[str, int] = field(default_factory=dict)
    """Number of requests by stream."""

    @classmethod
    def of(cls, tap: SchedulingTap) -> Self:
        """Return a snapshot of the run's counters."""
        # Copies, since other threads may add streams meanwhile.
        records, requests = tap.record_counters.copy(), tap.request_counters.copy()
        return cls(
            tap.clock.monotonic(),
            {name: counter.value for name, counter in records.items()},
            {name: counter.value for name, counter in requests.items()},
        )

    def busiest_since(self, before: Self) -> str | None:
        """Return the stream with the most records since an earlier snapshot; without records, with the most requests."""
        for counts, then in ((self.records, before.records), (self.requests, before.requests)):
            more = {name: count - then.get(name, 0) for name, count in counts.items()}
            busiest = max(more, key=more.__getitem__, default="")
            if more.get(busiest):
                return busiest
        return None


class Progress:
    """Logs a line every ten seconds, at level INFO, within a `with` block.

    A thread logs it, so that it appears also while the run waits. `clock` returns a clock for the thread; each block
    has its own, which is stopped at its end.
    """

    def __init__(self, tap: SchedulingTap, clock: Callable[[], Clock] = Clock) -> None:
        self._plugin = tap
        self._new_clock = clock

    def __enter__(self) -> None:
        self._last = Snapshot.of(self._plugin)
        self._stream: str | None = None
        self._clock = self._new_clock()
        self._thread = Thread(target=self._run, args=(self._clock,), name="progress", daemon=True)
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._clock.stop()
        self._thread.join()

    def _run(self, clock: Clock) -> None:
        with suppress(StoppedError):
            while True:
                clock.sleep(INTERVAL)
                self.log_progress()

    def log_progress(self) -> None:
        """Log the number of records and requests so far, and the records per second since the last line."""
        now, last = Snapshot.of(self._plugin), self._last
        self._last = now
        self._stream = now.busiest_since(last) or self._stream
        records, requests = sum(now.records.values()), sum(now.requests.values())
        a_second = (records - sum(last.records.values())) / max(now.at - last.at, 1.0)
        parts = [f"{records:,} records so far, {a_second:,.0f} a second; {requests:,} requests"]
        if self._stream is not None:
            parts.insert(0, f"Reading `{self._stream}` ({now.records.get(self._stream, 0):,} records)")
        if until := self._waits_until():
            parts.append(f"waiting for the rate limit until {until}")
        more = {"stream_name": self._stream, "records": records, "requests": requests}
        self._plugin.logger.info("%s.", "; ".join(parts), extra=more)

    def _waits_until(self) -> str | None:
        """Return the end of the present wait for the rate limit, by the API's time; None if no request waits for long."""
        now = self._plugin.clock.monotonic()
        moments = [credential.limiter.waiting_until for credential in self._plugin.all_credentials]
        waits = [moment - now for moment in moments if moment is not None and moment - now >= _A_WAIT]
        if not waits:
            return None
        if min(waits) >= _A_DAY:
            return "another day"
        ours = datetime.now(UTC)
        theirs = self._plugin.now if self._plugin.server_clock.has_answered else ours
        whose = " (by the API's clock)" if abs(theirs - ours) > _APART else ""
        return f"{theirs + timedelta(seconds=min(waits)):%H:%M:%S} UTC{whose}"
