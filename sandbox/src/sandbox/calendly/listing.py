"""Lists before they are cut into pages."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sandbox.http import Row


@dataclass(frozen=True, slots=True)
class Ordered:
    """Records in ascending order of `keys`, of which no two are equal."""

    rows: Sequence[Any]
    keys: Sequence[tuple[Any, int]]

    @classmethod
    def by(cls, sort: str, rows: Iterable[Any]) -> Ordered:
        """Sort records by one attribute and, where that is equal, by age; names regardless of case."""
        value = attrgetter(sort)
        pairs = [(value(row), row.serial, row) for row in rows]
        if sort == "name":
            pairs = [((name or "").casefold(), serial, row) for name, serial, row in pairs]
        pairs.sort(key=lambda pair: pair[:2])
        return cls([row for *_, row in pairs], [(key, serial) for key, serial, _ in pairs])


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows of a list endpoint before paging.

    `low` and `high` bound the sort value inclusively; `extra` goes into the envelope beside the rows.
    """

    ordered: Ordered
    shape: Callable[[Any], Row]
    keep: Callable[[Any], bool] | None = None
    descending: bool = False
    low: Any = None
    high: Any = None
    extra: Row = field(default_factory=dict)

    def walk(self, after: tuple[Any, int] | None, *, backwards: bool = False) -> Iterator[int]:
        """Yield the indices of kept rows from one key (not included) on, in the list's own order."""
        keys = self.ordered.keys
        start = 0 if self.low is None else bisect_left(keys, (self.low, 0))
        stop = len(keys) if self.high is None else bisect_right(keys, (self.high, float("inf")))
        down = self.descending != backwards
        if after is not None and down:
            stop = min(stop, bisect_left(keys, after))
        elif after is not None:
            start = max(start, bisect_right(keys, after))
        span: Iterable[int] = range(start, stop)
        if down:
            span = range(stop - 1, start - 1, -1)
        keep, rows = self.keep, self.ordered.rows
        return iter(span) if keep is None else (index for index in span if keep(rows[index]))

    def everything(self) -> list[Row]:
        """Return all rows at once."""
        rows = self.ordered.rows
        return [self.shape(rows[index]) for index in self.walk(None)]
