"""Kinds of streams: one object, a list without pages, rows inside the rows of another stream."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, ClassVar

from singer_sdk.pagination import SinglePagePaginator
from typing_extensions import override

from tap_common.output.conform import EXTRA, as_row
from tap_common.stream import APIStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers.types import Record


class SingleObject(APIStream, ABC):
    """An endpoint that answers with one object instead of a list."""

    records_jsonpath = "$"
    paginator_class = SinglePagePaginator
    page_size_param: ClassVar[str | None] = None


class Unpaged(APIStream, ABC):
    """A list that the API documents without pages: no page size is sent, but a cursor would be followed."""

    page_size_param: ClassVar[str | None] = None


class EmbeddedStream(APIStream, ABC):
    """A child stream that makes no request: its rows are the items of a list in each parent's row."""

    path = ""
    makes_requests = False
    skip_if_forbidden = False

    items_column: ClassVar[str]
    """The parent's column that holds the list; null is an empty one."""

    @override
    def record_batches(self) -> Iterator[Iterable[Record]]:
        for parent in self.parents:
            context = self.child_context(parent)
            # As it was sent, where an item in it did not fit the column.
            sent = (parent.get(EXTRA) or {}).get(self.items_column)
            items = sent if isinstance(sent, list) else parent[self.items_column] or ()
            yield [self.to_record(as_row(item), context) for item in items if item is not None]
