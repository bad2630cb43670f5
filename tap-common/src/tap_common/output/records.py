"""Builder of records from the API's rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tap_common.output.conform import EXTRA, Conformer
from tap_common.printable import quoted

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from singer_sdk.helpers.types import Context, Record

_MOST = 10
"""Maximum number of new fields logged per stream; more are probably not fields but keys of a mapping."""
# Names of this form are field names. Others, such as mail addresses, may be personal data, and are not logged.
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_.:$-]{0,63}")


class RecordBuilder:
    """Builds records that fit the schema of a stream.

    `_extra` keeps fields that the schema lacks, and values that do not fit their columns. `warn` logs each such field
    once; `odd_values` counts the values by field.
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
        """Return the record of a row; columns that the row lacks are filled from the context."""
        unknown = row.keys() - self._blank.keys()
        record = {**self._blank, **row}
        for name, value in context.items():
            if name in self._blank and record[name] is None:
                record[name] = value
        if unknown:
            record[EXTRA] = {name: record.pop(name) for name in row if name in unknown}
            self._unknown.log_new(unknown)
        if not self._conformer.fits(record):
            for path in self._conformer.conform(record):
                self._count_odd(path)
        return record

    def _count_odd(self, path: str) -> None:
        self._odd_values[path] += 1
        if self._odd_values[path] == 1:
            self._warn(
                "Field %s of stream `%s` has a value that does not fit its column: the column is null there, and the "
                "value is %s.",
                quoted(path),
                self._stream,
                "kept in `_extra`" if self._keeps_odd_values else "not kept",
            )


class UnknownFields:
    """Logs each new field of a stream once, at most ten of them, and only if its name cannot be personal data."""

    def __init__(self, stream: str, log: Callable[..., None]) -> None:
        self._stream = stream
        self._log = log
        self._logged: set[str] = set()
        self._logged_more = False

    def log_new(self, names: AbstractSet[str]) -> None:
        """Log the fields that have not been logged yet."""
        new = sorted(names - self._logged)
        shown = [name for name in new if _NAME.fullmatch(name)][: _MOST - len(self._logged)]
        for name in shown:
            self._log("Field `%s` of `%s` is new to this version; it is kept in `_extra`.", name, self._stream)
        self._logged.update(shown)
        if len(shown) < len(new) and not self._logged_more:
            self._logged_more = True
            self._log("More fields of `%s` are new to this version; they are kept in `_extra`.", self._stream)
