"""The state that a run goes on from, and the tables that must hold what came before it.

A tap that goes on from a state sends what has changed since, and of its other rows nothing. Where the table of such a
stream is not in the file, because that was deleted or moved, these rows are lost to it, though the run looks well.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from target_duckdb.errors import LoadError
from target_duckdb.names import table_of
from target_duckdb.printable import named, path_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from target_duckdb.warehouse import Warehouse

logger = logging.getLogger("target-duckdb")

_MOST_NAMED = 5
_REMEDY = (
    "To have them, run `meltano run --full-refresh …`, or `meltano state clear …` and then the job again; without "
    "Meltano, run the tap without --state."
)


class Continued:
    """What a run goes on from, and what of it is not in the file.

    A stream that is read in full all the same, which its versions show, loses nothing. So nothing is said before its
    first record, or the end of the input.

    Attributes:
        refuses: Whether the load ends where rows are lost.
        open: Streams without a table of which it is not known yet whether rows are lost.
    """

    def __init__(self, warehouse: Warehouse, *, refuses: bool) -> None:
        self.refuses = refuses
        self.open: dict[str, None] = {}
        self._warehouse = warehouse
        self._bookmarks: set[str] = set()
        self._without_table: set[str] | None = None
        self._lost: list[str] = []

    def begin(self, state: Any) -> None:
        """Take a state that came before any schema."""
        bookmarks = state.get("bookmarks") if isinstance(state, dict) else None
        self._bookmarks = {
            stream
            for stream, bookmark in (bookmarks.items() if isinstance(bookmarks, dict) else ())
            if isinstance(bookmark, dict) and bookmark.get("replication_key_value")
        }
        self._without_table = None

    def find(self, stream: str, sources: Collection[str]) -> None:
        """Note a stream that has no table, and of which streams of the tap it is made."""
        if not self._bookmarks.isdisjoint(sources):
            self.open[stream] = None

    def is_rehearsed(self, stream: str) -> bool:
        """Whether the stream must not have a table yet."""
        return self.refuses and stream in self.open

    def settle(self, stream: str, version: int | None) -> None:
        """Take the version of a stream's first rows.

        Raises:
            LoadError: Rows are lost, and that is to end the load.
        """
        del self.open[stream]
        if version is None:
            self._lost.append(stream)
            self._refuse()

    def holds_back(self, seen: Collection[str]) -> bool:
        """Whether a state must not be written yet, since rows may be lost that it vouches for.

        Args:
            seen: Streams of the tap whose schema has come.
        """
        if not self.refuses or not self._bookmarks:
            return False
        if self._without_table is None:
            tables = self._warehouse.tables()
            self._without_table = {one for one in self._bookmarks if table_of(one, tables, ()) not in tables}
        return bool(self.open) or not self._without_table <= set(seen)

    def end(self) -> None:
        """Say of streams without a record that their rows are lost, too.

        Raises:
            LoadError: Rows are lost, and that is to end the load.
        """
        self._lost += self.open
        self._refuse()
        self._bookmarks = set()
        self.tell()

    def tell(self) -> None:
        """Say once what is lost."""
        if self._lost and not self.refuses:
            logger.warning("%s", self._sentence())
            self._lost = []

    def _refuse(self) -> None:
        if self._lost and self.refuses:
            raise LoadError(f"{self._sentence()} Nothing of this is loaded, and no state is written.")

    def _sentence(self) -> str:
        streams = ", ".join(map(named, self._lost[:_MOST_NAMED]))
        more = f" and {len(self._lost) - _MOST_NAMED} more" if len(self._lost) > _MOST_NAMED else ""
        plural = "s" if len(self._lost) > 1 else ""
        return (
            f"The tap goes on from a state, but {path_of(self._warehouse.path)} has no table of "
            f"stream{plural} {streams}{more} in the schema {named(self._warehouse.schema)}: rows of earlier runs are "
            f"not there, and do not come again. {_REMEDY}"
        )
