"""Child streams of events, read again while the event is recent."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, cast

from typing_extensions import override

from tap_common.state.timestamps import instant_or_none
from tap_luma.client import LumaStream

if TYPE_CHECKING:
    from datetime import datetime

    from singer_sdk.helpers.types import Record


class InWindow(LumaStream):
    """A child stream of events, by the end of the event.

    Luma has no time of the last change, so the lists of an event are read again until `lookback_days` after its end.
    Nor does it report deletions: a record is gone if its `_synced_at` is earlier than that of the event's others.
    """

    replication_key = "event_end_at"
    windowed = True

    @property
    @override
    def starting_timestamp(self) -> datetime | None:
        return super().starting_timestamp if self.config["lookback_days"] else None

    @override
    def should_emit(self, record: Record) -> bool:
        """Return True: all rows of an event that is read are emitted."""
        return True

    @override
    def transform_record(self, row: Record) -> Record:
        return super().transform_record(row) | {"_synced_at": self.tap.synced_at}

    def is_in_window(self, event: Record) -> bool:
        """Return True if an event ends in the window, or was added since the last run with an earlier end."""
        if self.bookmark is None or self.starting_timestamp is None:
            return True
        ends, created = instant_or_none(event["end_at"]), instant_or_none(event["created_at"])
        recent = ends is None or ends >= self.starting_timestamp or "created_at" in (event["_extra"] or {})
        return recent or (created is not None and created >= self.bookmark - self.overlap)

    @cached_property
    def family(self) -> list[InWindow]:
        """This stream and its descendants, as far as they are selected; each has its own window."""
        below = [stream for child in self.active_children for stream in cast("InWindow", child).family]
        return [self, *below] if self.selected else below

    def advance(self) -> None:
        """Advance the bookmarks to the start of the run, after all events; not if no list could be read.

        An event that ends after this run, or is added later, is in the window of the next run.
        """
        if self.failed_contexts and not self.lists_read:
            return
        if self.selected:
            self.advance_bookmark(self.tap.run_started)
        for child in self.active_children:
            cast("InWindow", child).advance()
