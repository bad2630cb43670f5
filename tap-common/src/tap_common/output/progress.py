"""How far a long run has come, said every few seconds."""

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
"""Seconds between two lines, and before the first one: a short run says nothing."""
# A request that waits for less is on its way.
_A_WAIT = 1.0
# Seconds; a server may ask for any number of them.
_A_DAY = 86_400.0
# Clocks that differ by less are taken for one.
_APART = timedelta(minutes=1)


@dataclass(frozen=True)
class Standing:
    """What a run has written and asked up to a moment, by stream; `at` is in the clock's seconds."""

    at: float
    records: dict[str, int] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, tap: SchedulingTap) -> Self:
        """That of now. The counters are the run's own, and cost it nothing more."""
        # Copies, since other threads add streams meanwhile.
        records, requests = tap.record_counters.copy(), tap.request_counters.copy()
        return cls(
            tap.clock.monotonic(),
            {name: counter.value for name, counter in records.items()},
            {name: counter.value for name, counter in requests.items()},
        )

    def busiest_since(self, before: Self) -> str | None:
        """The stream that has written most since then; where none has, the one that has asked most."""
        for counts, then in ((self.records, before.records), (self.requests, before.requests)):
            more = {name: count - then.get(name, 0) for name, count in counts.items()}
            busiest = max(more, key=more.__getitem__, default="")
            if more.get(busiest):
                return busiest
        return None


class Progress:
    """A line in the tap's log, at level INFO, every ten seconds while the `with` block lasts.

    A thread says it, so that it also comes while the run waits; none comes after the block. `clock` makes what the
    thread goes by: each block has one, which ends with it.
    """

    def __init__(self, tap: SchedulingTap, clock: Callable[[], Clock] = Clock) -> None:
        self._plugin = tap
        self._new_clock = clock

    def __enter__(self) -> None:
        self._last = Standing.of(self._plugin)
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
                self.say()

    def say(self) -> None:
        """Log how far the run has come, and how fast since the last time."""
        now, last = Standing.of(self._plugin), self._last
        self._last = now
        self._stream = now.busiest_since(last) or self._stream
        records, requests = sum(now.records.values()), sum(now.requests.values())
        a_second = (records - sum(last.records.values())) / max(now.at - last.at, 1.0)
        parts = [f"{records:,} records so far, {a_second:,.0f} a second; {requests:,} requests"]
        if self._stream is not None:
            parts.insert(0, f"Reading `{self._stream}` ({now.records.get(self._stream, 0):,} records)")
        if until := self._waits_until():
            parts.append(f"waiting for the API's limit until {until}")
        more = {"stream_name": self._stream, "records": records, "requests": requests}
        self._plugin.logger.info("%s.", "; ".join(parts), extra=more)

    def _waits_until(self) -> str | None:
        """When the limit lets the next request through, by the API's time; None where none waits for long."""
        now = self._plugin.clock.monotonic()
        moments = [credential.limiter.waiting_until for credential in self._plugin.all_credentials]
        waits = [moment - now for moment in moments if moment is not None and moment - now >= _A_WAIT]
        if not waits:
            return None
        if min(waits) >= _A_DAY:
            return "another day"
        ours = datetime.now(UTC)
        theirs = self._plugin.now if self._plugin.server_clock.has_begun else ours
        whose = " (by the API's clock)" if abs(theirs - ours) > _APART else ""
        return f"{theirs + timedelta(seconds=min(waits)):%H:%M:%S} UTC{whose}"
