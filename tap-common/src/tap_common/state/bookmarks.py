"""Bookmarks of incremental streams."""

from __future__ import annotations

from abc import ABC
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from tap_common.sdk import TapStream, start_progress_markers
from tap_common.state.state import usable_bookmark
from tap_common.state.timestamps import canonical, instant_or_none

if TYPE_CHECKING:
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record


class Bookmarked(TapStream, ABC):
    """The part of a stream that keeps its bookmark."""

    state_partitioning_keys = ()  # a child has one bookmark, not one per parent
    is_sorted = False  # the bookmark of a sorted stream could pass the signpost

    overlap: ClassVar[timedelta] = timedelta(hours=1)
    """Time before the bookmark that is read again: clocks differ, and a record may become visible late."""
    windowed: ClassVar[bool] = False
    """True if the replication key is the time of an event, not that of its last change. Then the setting
    `lookback_days` replaces `overlap`; future events are always read again."""

    _latest: datetime | None = None
    """Latest replication key value of this run's records."""

    @property
    def is_incremental(self) -> bool:
        """True if the stream is replicated incrementally, and not FULL_TABLE by the catalog."""
        return self.replication_key is not None and self.replication_method != REPLICATION_FULL_TABLE

    @cached_property
    def bookmark(self) -> datetime | None:
        """Moment up to which an earlier run has read everything; None without one, or if it was dropped."""
        if not self.is_incremental:
            return None
        key = str(self.replication_key)
        bookmark, dropped = usable_bookmark(self.stream_state, key, self.tap.covers, self.tap.run_started)
        if dropped:
            self.log("Reading all of stream `%s` again: %s.", self.name, dropped, level=30)
        return bookmark

    @property
    def starting_timestamp(self) -> datetime | None:
        """Earliest replication key value to emit; None for all, and in a run's first request, which has no time yet.

        The SDK's `get_starting_timestamp` has neither overlap nor look-back, and takes `start_date` for a bookmark.
        """
        if not self.tap.server_clock.has_answered:
            return None
        lookback = timedelta(days=self.config["lookback_days"]) if self.windowed else self.overlap
        return self.bookmark and self.bookmark - lookback

    def should_emit(self, record: Record) -> bool:
        """Return True if a record is not older than the starting timestamp."""
        moment = instant_or_none(record.get(self.replication_key)) if self.replication_key else None
        return self.starting_timestamp is None or moment is None or moment >= self.starting_timestamp

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> datetime | None:
        """Return the start of the run by the API's clock, which no bookmark may pass."""
        return self.tap.run_started if self.is_incremental else None

    def advance_bookmark(self, moment: datetime) -> None:
        """Advance the bookmark to a moment up to which everything has been read; it never moves back."""
        self._increment_stream_state({str(self.replication_key): canonical(moment)})

    @override
    def _increment_stream_state(self, latest_record: Record, *, context: Context | None = None) -> None:
        """Advance the bookmark; it never moves back when only older records were read again.

        The SDK compares bookmarks as text, so they are formatted to sort in the order of time.
        """
        key = self.replication_key
        moment = instant_or_none(latest_record.get(key)) if self.is_incremental and key else None
        if key is None or moment is None:
            return
        if self._latest is not None and moment <= self._latest:
            return
        self._latest = moment
        moment = min(max(moment, self.bookmark or moment), self.tap.run_started)
        start_progress_markers(self)
        super()._increment_stream_state({key: canonical(moment)}, context=context)
