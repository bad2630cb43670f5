"""Values of the SDK's `_sdc_*` columns for rows that bypass the SDK's steps."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_duckdb.columns import Column


_NAMES = tuple(
    f"_sdc_{name}"
    for name in ("extracted_at", "received_at", "batched_at", "sequence", "table_version", "sync_started_at")
)


class Metadata:
    """Sets the values on rows that the SDK's `_add_sdc_metadata_to_record` sets on records.

    That method needs a dict per record and has no public name; a load that calls it takes half as long again.

    Attributes:
        batched: Start of the batch, as an ISO 8601 time.
    """

    def __init__(self, columns: Sequence[Column], sync_started_at: int) -> None:
        keys = {column.source: column.key for column in columns}
        self._keys = {name: keys[name] for name in _NAMES}
        self._extracted, self._received, self._batched, self._sequence, self._version, self._started = (
            self._keys.values()
        )
        self._watched = dict(self._keys)
        self._own = attrgetter(*self._keys.values())
        self._sync_started_at = sync_started_at
        self.batched = ""

    def has_values(self, row: object) -> bool:
        """Return whether the record itself had values in the watched columns."""
        values = self._own(row)
        return values.count(None) != len(values) and bool(self._watched)

    def forget(self, name: str) -> None:
        """Stop watching a column."""
        self._watched.pop(name, None)
        keys = [*self._watched.values()] * 2 or [
            self._extracted
        ] * 2  # for a single name attrgetter would return no tuple
        self._own = attrgetter(*keys)

    def __call__(self, row: object, version: int | None, extracted: str | None) -> None:
        """Set the metadata of a row, given the version and the time_extracted of its message."""
        now = time.time()
        setattr(row, self._extracted, extracted)
        setattr(row, self._received, datetime.fromtimestamp(now, UTC).isoformat())
        setattr(row, self._batched, self.batched)
        setattr(row, self._sequence, round(now * 1000))
        setattr(row, self._version, version)
        setattr(row, self._started, self._sync_started_at)
