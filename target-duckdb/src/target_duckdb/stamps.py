"""The SDK's `_sdc_*` columns for rows that do not pass the SDK's steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.sinks import BatchSink

    from target_duckdb.columns import Column

_NAMES = {
    "_sdc_extracted_at",
    "_sdc_received_at",
    "_sdc_batched_at",
    "_sdc_deleted_at",
    "_sdc_sequence",
    "_sdc_table_version",
    "_sdc_sync_started_at",
}


class Stamps:
    """Gives rows the values of the SDK's columns, which the SDK's own method computes.

    That method and the batch's context have no public way to them; they are called as `Target._process_record_message`
    of the SDK calls them.
    """

    def __init__(self, sink: BatchSink, columns: Sequence[Column]) -> None:
        self._keys = [(column.key, column.source) for column in columns if column.source in _NAMES]
        self._add, self._context = sink._add_sdc_metadata_to_record, sink._get_context  # noqa: SLF001  # see above

    def __call__(self, row: object, version: int | None, extracted: str | None) -> None:
        """Set the attributes of a row that has one for each column, by the version and the time of its message."""
        values: dict[str, Any] = {source: getattr(row, key) for key, source in self._keys}
        self._add(values, {"version": version, "time_extracted": extracted}, self._context(values))
        for key, source in self._keys:
            setattr(row, key, values[source])
