"""Changes at the source that a tap sees and does not see, for the tests and for each tap's page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tap_common.state.timestamps import instant_or_none

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import timedelta

    from harness import Run

Row = dict[str, Any]

# A time that cannot be read counts as due where a tap decides, and says nothing where the API does.
_TO_COME, _PAST = datetime(9000, 1, 1, tzinfo=UTC), datetime(1000, 1, 1, tzinfo=UTC)


def to_come(value: Any) -> datetime:
    """The moment of a row, which is to come where it cannot be read: the tap takes the row for due."""
    return instant_or_none(value) or _TO_COME


def past(value: Any) -> datetime:
    """The moment of a row, which is past where it cannot be read: nobody knows whether the API lists the row."""
    return instant_or_none(value) or _PAST


Key = tuple[Any, ...]


@dataclass(frozen=True)
class Finding:
    """A row on which the warehouse and the source disagree after a whole run.

    `row` is the warehouse's, None where it has none; `truth` is the source's, None where it has none any more.
    `columns` are those that differ. `former` tells whether the warehouse's row was right at an earlier run.
    """

    stream: str
    key: Key
    row: Row | None
    truth: Row | None
    columns: frozenset[str]
    former: bool
    run: Run
    known: Known

    @property
    def gone(self) -> bool:
        """True if the source has deleted a record that the warehouse still holds."""
        return self.truth is None and self.former and not self.run.in_full

    @property
    def late(self) -> bool:
        """True if the warehouse holds the row in an earlier form."""
        return self.row is not None and self.truth is not None and self.former

    @property
    def since(self) -> datetime | None:
        """Start of the last whole run before this one; None if this one had to read everything."""
        return self.run.since.get(self.stream)

    @property
    def tried(self) -> datetime | None:
        """Start of the last interrupted run after that; None if there was none."""
        return self.run.tried.get(self.stream)

    def before(self, moment: datetime, margin: timedelta) -> bool:
        """Return whether a moment lies more than `margin` before the last whole run, out of this one's reach."""
        return self.since is not None and moment < self.since - margin

    def __str__(self) -> str:
        if self.row is None:
            return f"missing: {self.key}"
        if self.truth is None:
            return f"not in the source: {self.key}"
        row, truth = self.row, self.truth
        told = (f"{name} is {row.get(name)!r}, should be {truth[name]!r}" for name in sorted(self.columns))
        return f"{self.key}: {'; '.join(told)}"


@dataclass(frozen=True)
class Unseen:
    """Something that a tap does not see: a sentence for its page, how to close it, and which findings it explains."""

    what: str
    remedy: str
    streams: tuple[str, ...]
    explains: Callable[[Finding], bool]


@dataclass(frozen=True)
class Seen:
    """Changes that the API shows for some streams, and the way in which the tap reads them."""

    streams: tuple[str, ...]
    shows: str
    does: str


@dataclass
class Known:
    """Every row that the source was ever known to have, by stream and key, in each of its forms."""

    rows: dict[str, dict[Key, list[Row]]]

    def last(self, stream: str, *key: Any) -> Row | None:
        """The last known form of a row."""
        forms = self.rows.get(stream, {}).get(key)
        return forms[-1] if forms else None

    def all(self, stream: str) -> Iterable[Row]:
        """The last known form of every row of a stream."""
        return (forms[-1] for forms in self.rows.get(stream, {}).values())
