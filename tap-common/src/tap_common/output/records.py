"""Records of a stream: the columns of its schema, made of what the API sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_common.output.conform import EXTRA, Conformer
from tap_common.output.unknown_fields import UnknownFields
from tap_common.printable import quoted

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Mapping, Sequence

    from singer_sdk.helpers.types import Context, Record


class RecordBuilder:
    """Builds records that fit the schema of a stream.

    A field that the schema does not know is kept in `_extra`, and so is a value that its column cannot hold. Each is
    logged once, by `warn`; `odd_values` counts the values by field.
    """

    def __init__(
        self,
        stream: str,
        schema: Mapping[str, Any],
        primary_keys: Sequence[str],
        *,
        odd_values: Counter[str],
        keeps_odd_values: bool,
        warn: Callable[..., None],
    ) -> None:
        self._stream = stream
        self._blank: Record = dict.fromkeys(schema["properties"])
        self._conformer = Conformer(schema, primary_keys)
        self._unknown = UnknownFields(stream, warn)
        self._odd_values = odd_values
        self._keeps_odd_values = keeps_odd_values
        self._warn = warn

    def build(self, row: Record, context: Context) -> Record:
        """Return the record of a row; a column that the row lacks is filled from the context's value of its name."""
        unknown = row.keys() - self._blank.keys()
        record = {**self._blank, **row}
        for name, value in context.items():
            if name in self._blank and record[name] is None:
                record[name] = value
        if unknown:
            record[EXTRA] = {name: record.pop(name) for name in row if name in unknown}
            self._unknown.say(unknown)
        if not self._conformer.fits(record):
            for path in self._conformer.conform(record):
                self._count_odd(path)
        return record

    def _count_odd(self, path: str) -> None:
        self._odd_values[path] += 1
        if self._odd_values[path] == 1:
            self._warn(
                "Field %s of stream `%s` holds a value that its column cannot hold: the column is null there, and the "
                "value is %s.",
                quoted(path),
                self._stream,
                "kept in `_extra`" if self._keeps_odd_values else "not kept",
            )
