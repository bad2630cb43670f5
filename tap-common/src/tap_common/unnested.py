"""Rows that lie within the rows of another stream."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from tap_common.conform import EXTRA, as_row
from tap_common.stream import APIStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers.types import Record


class Unnested(APIStream, ABC):
    """A child stream that makes no request: its rows are the items of a list in each parent's row."""

    path = ""
    asks = False
    optional = False

    items: ClassVar[str]
    """The parent's column that holds the list; null is an empty one."""

    @override
    def batches(self) -> Iterator[Iterable[Record]]:
        for parent in self.parents:
            asked = self.asked_of(parent)
            # As it was sent, where an item in it did not fit the column.
            sent = (parent.get(EXTRA) or {}).get(self.items)
            items = sent if isinstance(sent, list) else parent[self.items] or ()
            yield [self.shape(as_row(item), asked) for item in items if item is not None]
