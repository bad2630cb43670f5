"""What is read again while its event is recent."""

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
    """What belongs to events. Nothing says when it changed: it is read again until `lookback_days` after the event.

    Nor does anything say what is gone: a row whose `_synced_at` is earlier than that of its event's other rows is.
    """

    replication_key = "event_end_at"
    windowed = True

    @property
    @override
    def starting_timestamp(self) -> datetime | None:
        return super().starting_timestamp if self.config["lookback_days"] else None

    @override
    def should_emit(self, row: Record) -> bool:
        """Always: all rows of an event that was looked at."""
        return True

    @override
    def transform_record(self, row: Record) -> Record:
        return super().transform_record(row) | {"_synced_at": self.tap.synced_at}

    def is_in_window(self, event: Record) -> bool:
        """Whether the event ends in the window, or has come since the last run with a date that is long past."""
        if self.bookmark is None or self.starting_timestamp is None:
            return True
        ends, created = instant_or_none(event["end_at"]), instant_or_none(event["created_at"])
        recent = ends is None or ends >= self.starting_timestamp or "created_at" in (event["_extra"] or {})
        return recent or (created is not None and created >= self.bookmark - self.overlap)

    @cached_property
    def family(self) -> list[InWindow]:
        """The selected ones of this stream and those below it, each of which has a window of its own."""
        below = [stream for child in self.active_children for stream in cast("InWindow", child).family]
        return [self, *below] if self.selected else below

    def advance(self) -> None:
        """Everything due was read: the window counts from this run, with or without rows; not if nothing could be read.

        An event that ends later than a run is in the window of the next, and so is one that is entered later.
        """
        if self.failed_contexts and not self.lists_read:
            return
        if self.selected:
            self.advance_bookmark(self.tap.run_started)
        for child in self.active_children:
            cast("InWindow", child).advance()
