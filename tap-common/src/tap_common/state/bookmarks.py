"""Incremental truth: what is due, and what a bookmark may say."""

from __future__ import annotations

from abc import ABC
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from tap_common.sdk import TapStream, open_progress
from tap_common.state.state import usable_bookmark
from tap_common.state.timestamps import canonical, instant_or_none

if TYPE_CHECKING:
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record


class Bookmarked(TapStream, ABC):
    """The part of a stream that goes by its bookmark."""

    state_partitioning_keys = ()  # a child has one bookmark, not one for each parent
    is_sorted = False  # a sorted stream's bookmark is not held back at the start of the run

    overlap: ClassVar[timedelta] = timedelta(hours=1)
    """How far behind the bookmark rows count as changed: clocks differ, and a row may become visible late."""
    windowed: ClassVar[bool] = False
    """Whether the replication key says when something takes place, not when it changed: the setting `lookback_days`
    is then how far behind the bookmark rows are due. What is to come is always due."""

    _farthest: datetime | None = None
    """The latest that the replication key of a row of this run has been."""

    @property
    def is_incremental(self) -> bool:
        """Whether a bookmark says what is due."""
        return self.replication_key is not None and self.replication_method != REPLICATION_FULL_TABLE

    @cached_property
    def bookmark(self) -> datetime | None:
        """The instant up to which an earlier run has read everything; None where everything is due."""
        if not self.is_incremental:
            return None
        key = str(self.replication_key)
        bookmark, dropped = usable_bookmark(self.stream_state, key, self.tap.covers, self.tap.run_started)
        if dropped:
            self.log("Reading everything of stream `%s` again: %s.", self.name, dropped, level=30)
        return bookmark

    @property
    def starting_timestamp(self) -> datetime | None:
        """Rows whose replication key is not older than this are due; None for all.

        None in the first request of a run, too: bookmarks go by the time of its answer.
        """
        if not self.tap.server_clock.has_begun:
            return None
        lookback = timedelta(days=self.config["lookback_days"]) if self.windowed else self.overlap
        return self.bookmark and self.bookmark - lookback

    def should_emit(self, row: Record) -> bool:
        """Whether the row is to be emitted."""
        changed = instant_or_none(row.get(self.replication_key)) if self.replication_key else None
        return self.starting_timestamp is None or changed is None or changed >= self.starting_timestamp

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> datetime | None:
        """The API's own time at the start of the run, which no bookmark may pass."""
        return self.tap.run_started if self.is_incremental else None

    def advance_bookmark(self, moment: datetime) -> None:
        """Set the bookmark to a moment up to which everything has been read; it never moves back."""
        self._increment_stream_state({str(self.replication_key): canonical(moment)})

    @override
    def _increment_stream_state(self, latest_record: Record, *, context: Context | None = None) -> None:
        """Advance the bookmark, which never runs backwards when only older rows were read again.

        The SDK compares bookmarks as text: they are given to it in one form, in which texts sort as instants do.
        """
        key = self.replication_key
        moment = instant_or_none(latest_record.get(key)) if self.is_incremental and key else None
        if key is None or moment is None:
            return
        if self._farthest is not None and moment <= self._farthest:
            return
        self._farthest = moment
        moment = min(max(moment, self.bookmark or moment), self.tap.run_started)
        open_progress(self)
        super()._increment_stream_state({key: canonical(moment)}, context=context)
