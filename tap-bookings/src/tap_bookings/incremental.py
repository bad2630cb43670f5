"""Incremental streams: lists with a filter on a timestamp."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_bookings.backfill import DAY, check_slice, slices
from tap_bookings.client import OnceHubStream
from tap_common.http.prefetch import prefetch
from tap_common.printable import printable
from tap_common.state.state import COVERS, is_valid_bookmark, usable_bookmark
from tap_common.state.timestamps import canonical, instant_or_none, zulu

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record

PROGRESS = "first_load"
"""Key in a stream's state for an incomplete first load: its bookmark, and `created_before`, its lower end."""


class FilteredByTime(OnceHubStream):
    """A list with a filter on a timestamp of its rows.

    `.gt` excludes its moment, and may compare dates. So requests begin a day before `start_date`, and before the
    bookmark by the look-back, which is at least `overlap`.
    """

    overlap = DAY
    time_column: ClassVar[str]
    """Column of the filter: the replication key, even if the stream is FULL_TABLE by the catalog."""

    @property
    def lookback(self) -> timedelta:
        """Time before the bookmark that is read again."""
        return max(self.overlap, timedelta(days=self.config["lookback_days"]))

    @property
    @override
    def starting_timestamp(self) -> datetime | None:
        return self.bookmark and self.bookmark - self.lookback

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        start = self.tap.start_date
        since = [(context or {}).get("since") or self.starting_timestamp, start and start - DAY]
        after = max((moment for moment in since if moment), default=None)
        return super().get_url_params(context, next_page_token) | {f"{self.time_column}.gt": after and zulu(after)}

    @override
    def should_emit(self, record: Record) -> bool:
        start, moment = self.tap.start_date, instant_or_none(record.get(self.time_column))
        return super().should_emit(record) and (start is None or moment is None or moment >= start)

    @property
    def starts_in_future(self) -> bool:
        """True if `start_date` is in the future: there is nothing to sync, and the API may refuse the request."""
        return self.tap.start_date is not None and self.tap.start_date > self.tap.now

    @property
    @override
    def check_contexts(self) -> Sequence[Context]:
        return [] if self.starts_in_future else super().check_contexts

    @override
    def record_batches(self) -> Iterator[Iterable[Record]]:
        if self.starts_in_future:
            self.log("Nothing to sync: `start_date` is in the future.", level=30)
            return iter(())
        return super().record_batches()

    @property
    @override
    def version(self) -> int | None:
        """Version of this run's records; None if nothing was read."""
        return None if self.starts_in_future else super().version


class ChunkedFirstLoad(FilteredByTime):
    """A list with a changed-since filter, whose first load is read in slices: see `backfill`."""

    replication_key = "last_updated_time"
    time_column = "last_updated_time"
    skip_if_forbidden = False

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        down_to, below = (context or {}).get("down_to"), (context or {}).get("below")
        return {
            **super().get_url_params(context, next_page_token),
            "creation_time.gt": down_to and zulu(down_to - DAY),
            "creation_time.lt": below and zulu(below),
        }

    @override
    def record_batches(self) -> Iterator[Iterable[Record]]:
        return super().record_batches() if self.bookmark or self.starts_in_future else self.load_in_slices()

    def load_in_slices(self) -> Iterator[Iterable[Record]]:
        """Yield changes in the part that earlier runs have loaded, then the rest, slice by slice."""
        since, below = self.load_progress()
        if since:
            yield self.records_of({"since": since - self.lookback})
            self.save_progress(below)
        size = int(self.config["page_size"])
        for slice_ in slices(lambda below: self.list_rows({"below": below}), below, size):
            context = {"down_to": slice_.down_to, "below": slice_.below}
            if slice_.rows is None:
                yield check_slice(self.records_of(context), slice_.down_to)
            else:
                yield [self.to_record(row, context) for row in slice_.rows]
            if slice_.down_to:
                self.save_progress(slice_.down_to)
        if self.is_incremental:
            self.stream_state.pop(PROGRESS, None)
        # Everything read is as of the start of the run, or later.
        self.advance_bookmark(self.tap.run_started)

    def records_of(self, context: Context) -> Iterator[Record]:
        """Yield the records of one list."""
        for same, answer in prefetch(self.tap.pool, self.read_list, [context], 1):
            yield from self._read_records(same, answer)

    def load_progress(self) -> tuple[datetime | None, datetime | None]:
        """Return the bookmark and the lower end of the load so far; None and None without one.

        A FULL_TABLE stream always starts anew, since its records are of one run.
        """
        progress = self.stream_state.get(PROGRESS) if self.is_incremental else None
        if progress is None:
            return None, None
        below = instant_or_none(progress.get("created_before")) if is_valid_bookmark(progress) else None
        since, dropped = None, "its progress in the state cannot be read"
        if below:
            since, why = usable_bookmark(progress, self.time_column, self.tap.covers, self.tap.run_started)
            dropped = why or "its progress has no bookmark"
        if since is None:
            self.log("Starting the first load again: %s.", dropped, level=30)
            return None, None
        self.log("Continuing the first load below %s.", printable(progress["created_before"]))
        return since, below

    def save_progress(self, below: datetime | None) -> None:
        """Write a STATE: rows created at `below` or later have been read as of the start of this run."""
        if not self.is_incremental or below is None:
            return
        self.stream_state[PROGRESS] = {
            "replication_key": self.time_column,
            "replication_key_value": canonical(self.tap.run_started),
            COVERS: dict(self.tap.covers),
            "created_before": canonical(below),
        }
        self.tap.state_writer.write_state(self.tap.state)
