"""Tables that are missing although the tap resumes from a state.

A tap that resumes from a state sends only the records that have changed since. If the table of such a stream is not in
the file, because the file was deleted or moved, its earlier rows are missing, though the run looks complete.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from target_duckdb.errors import LoadError
from target_duckdb.names import table_name
from target_duckdb.printable import path_of, quoted

if TYPE_CHECKING:
    from collections.abc import Collection

    from target_duckdb.warehouse import Warehouse

logger = logging.getLogger("target-duckdb")

_MOST_NAMED = 5
_REMEDY = (
    "To load them, run `meltano run --full-refresh …`, or `meltano state clear …` and then the job again; without "
    "Meltano, run the tap without --state."
)


class MissingTables:
    """Streams of the tap's state whose tables are missing.

    A stream that is synced in full nevertheless misses nothing; its records or ACTIVATE_VERSION have a version then. So
    a missing table counts only from the stream's first record, or the end of the input.

    Attributes:
        fails: True if missing rows end the load.
        undecided: Streams without a table whose first record has not come yet.
    """

    def __init__(self, warehouse: Warehouse, *, fails: bool) -> None:
        self.fails = fails
        self.undecided: dict[str, None] = {}
        self._warehouse = warehouse
        self._bookmarks: set[str] = set()
        self._without_table: set[str] | None = None
        self._lost: list[str] = []

    def start(self, state: Any) -> None:
        """Read the bookmarks of a STATE that came before any SCHEMA."""
        bookmarks = state.get("bookmarks") if isinstance(state, dict) else None
        self._bookmarks = {
            stream
            for stream, bookmark in (bookmarks.items() if isinstance(bookmarks, dict) else ())
            if isinstance(bookmark, dict) and bookmark.get("replication_key_value")
        }
        self._without_table = None

    def add(self, stream: str, sources: Collection[str]) -> None:
        """Add a stream without a table.

        Args:
            stream: Name of the stream.
            sources: The tap's streams that it is made of by stream maps.
        """
        if not self._bookmarks.isdisjoint(sources):
            self.undecided[stream] = None

    def is_dry_run(self, stream: str) -> bool:
        """Return whether the table of a stream must not be created yet."""
        return self.fails and stream in self.undecided

    def resolve(self, stream: str, version: int | None) -> None:
        """Decide whether a stream misses rows, by the version of its first record.

        Raises:
            LoadError: Rows are missing, and `fails` is set.
        """
        del self.undecided[stream]
        if version is None:
            self._lost.append(stream)
            self._raise_if_lost()

    def withholds_state(self, seen: Collection[str]) -> bool:
        """Return whether a STATE must not be written yet, because it may cover rows that are missing.

        Args:
            seen: Streams of the tap whose SCHEMA has come.
        """
        if not self.fails or not self._bookmarks:
            return False
        if self._without_table is None:
            tables = self._warehouse.tables()
            self._without_table = {one for one in self._bookmarks if table_name(one, tables, ()) not in tables}
        return bool(self.undecided) or not self._without_table <= set(seen)

    def finish(self) -> None:
        """Count streams without any record as missing rows, and log a warning.

        Raises:
            LoadError: Rows are missing, and `fails` is set.
        """
        self._lost += self.undecided
        self._raise_if_lost()
        self._bookmarks = set()
        self.warn()

    def warn(self) -> None:
        """Log a warning about missing rows, once."""
        if self._lost and not self.fails:
            logger.warning("%s", self._message())
            self._lost = []

    def _raise_if_lost(self) -> None:
        if self._lost and self.fails:
            raise LoadError(f"{self._message()} None of these streams is loaded, and no STATE is written.")

    def _message(self) -> str:
        streams = ", ".join(map(quoted, self._lost[:_MOST_NAMED]))
        more = f" and {len(self._lost) - _MOST_NAMED} more" if len(self._lost) > _MOST_NAMED else ""
        plural = "s" if len(self._lost) > 1 else ""
        return (
            f"The tap resumes from a state, but {path_of(self._warehouse.path)} has no table of "
            f"stream{plural} {streams}{more} in the schema {quoted(self._warehouse.schema)}: rows of earlier "
            f"runs are missing, and the tap does not send them again. {_REMEDY}"
        )
