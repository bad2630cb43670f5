"""Kinds of streams: a single object, a list without pages, rows embedded in another stream's records."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, ClassVar

from singer_sdk.pagination import SinglePagePaginator
from typing_extensions import override

from tap_common.output.conform import EXTRA, as_object
from tap_common.stream import APIStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers.types import Record


class SingleObject(APIStream, ABC):
    """A stream whose endpoint returns one object instead of a list."""

    records_jsonpath = "$"
    paginator_class = SinglePagePaginator
    page_size_param: ClassVar[str | None] = None


class Unpaged(APIStream, ABC):
    """A list without documented pages: no page size is sent, but a cursor would be followed."""

    page_size_param: ClassVar[str | None] = None


class EmbeddedStream(APIStream, ABC):
    """A child stream without requests: its rows are the items of a list in each parent record."""

    path = ""
    makes_requests = False
    skip_if_forbidden = False

    items_column: ClassVar[str]
    """Parent column with the list; null counts as empty."""

    @override
    def record_batches(self) -> Iterator[Iterable[Record]]:
        for parent in self.parents:
            context = self.child_context(parent)
            # If an item does not fit the parent's column, `_extra` has the list as it was sent.
            sent = (parent.get(EXTRA) or {}).get(self.items_column)
            items = sent if isinstance(sent, list) else parent[self.items_column] or ()
            yield [self.to_record(as_object(item), context) for item in items if item is not None]
