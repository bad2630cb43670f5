"""Lists before they are cut into pages."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sandbox.http import Row

Sort = tuple[int, Any, int]
"""A sort key: the rank of null, the value, the serial number."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """Records in ascending order of `keys`, of which no two are equal."""

    records: list[Any]
    keys: list[Sort]

    @classmethod
    def by(cls, value: Callable[[Any], Any], records: Iterable[Any], *, nulls_first: bool = False) -> Ordered:
        """Sort records by a value, and by age where it is equal."""
        pairs = []
        for record in records:
            found = value(record)
            rank = int((found is None) != nulls_first)
            pairs.append(((rank, 0 if found is None else found, record.serial), record))
        pairs.sort(key=lambda pair: pair[0])
        return cls([record for _, record in pairs], [key for key, _ in pairs])


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows of a list before paging."""

    ordered: Ordered
    shape: Callable[[Any], Row]
    keep: Callable[[Any], bool] | None = None
    descending: bool = False

    def walk(self, after: Sort | None = None) -> Iterator[int]:
        """Yield the indices of kept records from one key (not included) on, in the list's own order."""
        keys, keep, records = self.ordered.keys, self.keep, self.ordered.records
        if self.descending:
            stop = len(keys) if after is None else bisect_left(keys, after)
            span = range(stop - 1, -1, -1)
        else:
            span = range(0 if after is None else bisect_right(keys, after), len(keys))
        return iter(span) if keep is None else (index for index in span if keep(records[index]))

    def everything(self) -> list[Row]:
        """Return all rows at once."""
        return [self.shape(self.ordered.records[index]) for index in self.walk()]
