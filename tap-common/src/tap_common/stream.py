"""The one base class of all streams."""

from __future__ import annotations

import logging
from abc import ABC
from collections import Counter
from contextlib import suppress
from functools import cached_property, partial
from itertools import chain, count, islice
from typing import TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk.exceptions import (
    AbortedSyncFailedException,
    AbortedSyncPausedException,
)
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.metrics import Metric
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from tap_common.endpoint import Endpoint
from tap_common.errors import (
    ExpiredCursorError,
    ForbiddenError,
    NotFoundError,
    RequestError,
)
from tap_common.hooks import refuse_dead_hooks
from tap_common.http.address import fits_path, places
from tap_common.http.credential import CREDENTIAL, Credential
from tap_common.http.jsonpath import find, select
from tap_common.http.prefetch import prefetch, prefetch_first
from tap_common.output.conform import as_row
from tap_common.output.counter import StreamCounter
from tap_common.output.fast_writer import FastWriter
from tap_common.output.records import RecordBuilder
from tap_common.sdk import announce_version, stamp_version, write_schema
from tap_common.state.bookmarks import Bookmarked
from tap_common.state.catalog import leave_out_unlisted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    import requests
    from singer_sdk import metrics
    from singer_sdk.helpers._batch import BatchConfig
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib.catalog import Catalog

_RESTARTS = 5
_BATCH = 1000
# Where none of so many parents can be read, the cause is not with the parents.
_MANY = 20


class APIStream(Endpoint, Bookmarked, FastWriter, ABC):
    """An endpoint of one of the APIs.

    A subclass declares; it does not fetch. A top-level stream asks its endpoint once for each of `contexts()`. A child
    stream (`parent_stream_type`) asks once for each of its parents, which its parent hands over in batches, so that
    its requests run ahead on the tap's pool while rows are written in order.
    """

    name: str
    """The stream's name, and its table's."""
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # `to_record` picks the columns
    makes_requests: ClassVar[bool] = True
    """For a child: whether it makes requests of its own."""
    keeps_odd_values: ClassVar[bool] = True
    """Whether `_extra` keeps what a column cannot hold."""
    parents: Sequence[Record] = ()
    """For a child: the rows of the batch that is being visited."""
    unlisted: Sequence[str] = ()
    """Columns that the catalog does not list, which records are without."""
    credential: Credential | None = None
    """Whose rows are being read; None for the tap's first key."""
    skip_reason: ForbiddenError | None = None
    """Why the stream is skipped: the check of permissions, or its own first request, was answered with 403."""

    @override
    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        refuse_dead_hooks(cls)

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take the selection and the method; the replication key stays, and the primary key where the catalog has none.

        By which column one can ask for changes is the API's to say; by another, changes would be passed over. Columns
        that the catalog does not list are left out of the records.
        """
        replication_key, primary_keys = self.replication_key, self.primary_keys
        if entry := catalog.get_stream(self.name):
            keys = [*(entry.key_properties or primary_keys or ()), *filter(None, [replication_key])]
            if unlisted := leave_out_unlisted(entry, self.schema, keys):
                self.unlisted = unlisted
        super().apply_catalog(catalog)
        self.replication_key = replication_key
        self.primary_keys = self.primary_keys or primary_keys

    # What is asked

    def contexts(self) -> Iterable[Context]:
        """What to ask the endpoint with, a list at a time: nothing in particular, or each parent's keys."""
        if self.parent_stream_type is None:
            return [{}]
        return map(self.child_context, self.parents)

    def child_context(self, parent: Record) -> Context:
        """For a child: what a parent's list is asked with."""
        keys = {name: find(path, parent) for name, path in self._parent_paths.items()}
        return keys if self.credential is None else {**keys, CREDENTIAL: self.credential}

    @property
    def check_contexts(self) -> Sequence[Context]:
        """What to ask the endpoint with to learn whether the keys may, a list for each key; none without a parent.

        Raises:
            SingerSDKError: That it cannot be asked is known already.
        """
        first: dict[Credential | None, Context] = {}
        for context in self.contexts():
            first.setdefault(context.get(CREDENTIAL), context)
        return list(first.values())

    def probe(self, context: Context) -> None:
        """Ask for one row, to learn whether the key may.

        Raises:
            RequestError: It may not, or there is no such thing.
            AccessError: It may not, and the run cannot go on.
        """
        next(iter(self.request_records({**context, "page_size": 1})), None)

    @cached_property
    def _path_keys(self) -> Sequence[str]:
        """Names of parents' keys that stand in the path."""
        return [name for name in places(self.path) if name in self.parent_keys] if self.makes_requests else ()

    @cached_property
    def _parent_paths(self) -> Mapping[str, str]:
        return {name: f"$.{column}" for name, column in self.parent_keys.items()}

    @cached_property
    def request_counter(self) -> StreamCounter:
        """How many requests this stream has made."""
        return self.tap.request_counters.setdefault(self.name, StreamCounter(Metric.HTTP_REQUEST_COUNT, self.name))

    @override
    def get_http_request_counter(self) -> metrics.Counter:
        return self.request_counter

    @cached_property
    def record_counter(self) -> StreamCounter:
        """How many rows this stream has written."""
        return self.tap.record_counters.setdefault(self.name, StreamCounter(Metric.RECORD_COUNT, self.name))

    @override
    def get_record_counter(self, *, endpoint: str | None = None, log_interval: float = 0) -> metrics.Counter:
        return self.record_counter

    @override
    def log_sync_costs(self) -> None:
        """Log how many requests the stream has made, and how many rows it has written."""
        if self.request_counter.value:
            self.request_counter.report()
        if self.selected:
            self.record_counter.report()

    @override
    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Log; an error that ends the run is said once, by the command, and not by the SDK before it."""
        super().log(message, *args, level=logging.DEBUG if level == logging.ERROR else level, **kwargs)

    @override
    def get_batch_config(self, config: Mapping[str, Any]) -> BatchConfig | None:
        """None: files of rows are the business of `BatchWriter`, which keeps selection, stream maps and versions."""
        return None

    # Records

    @override
    def parse_response(self, response: requests.Response) -> Iterable[Record]:
        """Return the rows of a page; what stands in the place of a row and is no object becomes one."""
        return map(as_row, select(self.records_jsonpath, self.page(response)))

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Rows to emit; children are visited on the way, each batch before the rows that it comes from."""
        stamp_version(self, self.version)
        _ = self.bookmark, self.request_counter  # computed here, not by several threads at once
        try:
            if self.skip_reason:
                raise self.skip_reason
            for rows in self.record_batches():
                if self.active_children:
                    self.sync_children(rows := list(rows))
                yield from filter(self.should_emit, rows)
        except ForbiddenError as refusal:
            if not self.skip_if_forbidden:
                raise
            self.skip_reason = refusal
            self.log("Skipped: %s. The plan or the role of this key may not have it.", refusal, level=30)
        else:
            if context is None:
                self.finish_sync()

    def record_batches(self) -> Iterator[Iterable[Record]]:
        """Rows in the batches that children are visited in.

        A top-level list is read whole before its children ask for anything, so that no page token waits for them.
        """
        if self.parent_stream_type is None:
            whole = not self.active_children or any(child.makes_requests for child in self.active_children)
            for context, answer in prefetch(self.tap.pool, self.read_list, self.contexts(), self.tap.max_prefetch):
                self.credential = context.get(CREDENTIAL)
                rows = self._read_records(context, answer)
                yield from [rows] if whole else chunks(rows)
        else:
            answers = prefetch(self.tap.pool, self.read_list, self.contexts(), self.tap.max_prefetch)
            rows = chain.from_iterable(self._read_records(context, answer) for context, answer in answers)
            yield from chunks(rows) if self.active_children else [rows]

    def read_list(self, context: Context) -> Iterator[Record]:
        """The API's rows for one list, the first page already fetched: runs on the pool."""
        return prefetch_first(self.request_records(context))

    def _read_records(self, context: Context, answer: Future[Iterator[Record]]) -> Iterator[Record]:
        """The rows of one list; of a parent that cannot be read, or that one key of several may not read, none.

        Only the first page can say so: a refusal in the middle of a list would cut it short.
        """
        try:
            rows = answer.result()
        except RequestError as refusal:
            if parts := self.parts(context):
                for part, found in prefetch(self.tap.pool, self.read_list, parts, self.tap.max_prefetch):
                    yield from self._read_records(part, found)
                return
            if not (isinstance(refusal, ForbiddenError | NotFoundError) and self._goes_on(refusal)):
                raise
            self.failed_contexts.append(refusal)
            if len(self.failed_contexts) == 1:
                whose = "key" if self.parent_stream_type is None else "parent"
                self.log("%s: this %s has no rows to read; going on with the others.", refusal, whose, level=30)
            return
        self.readable += 1
        try:
            for row in self._with_restart(context, rows):
                yield self.to_record(row, context)
        except (ForbiddenError, NotFoundError) as refusal:
            raise RequestError(f"{refusal}, in the middle of a list.") from refusal

    def parts(self, context: Context) -> Sequence[Context]:  # noqa: ARG002 - for overriding
        """Return lists to read instead of one of several parents that is refused because of one of them."""
        return ()

    def _goes_on(self, refusal: RequestError) -> bool:
        """Whether other lists are read all the same: those of other parents, or what other keys may read."""
        if self.parent_stream_type is not None:
            return True
        return self.skip_if_forbidden and len(self.tap.credentials) > 1 and isinstance(refusal, ForbiddenError)

    def _with_restart(self, context: Context, rows: Iterator[Record]) -> Iterator[Record]:
        """The rows of one list, again from its first page where a page token went stale."""
        for _ in range(_RESTARTS):
            try:
                yield from rows
            except ExpiredCursorError:
                self.log("A page token of %s went stale; reading the list again.", self.path, level=30)
                rows = self.read_list(context)
            else:
                return
        yield from rows

    nameless = 0
    """For a child: parents of this run without a key to ask with."""
    readable = 0
    """Lists that were read in this run."""

    @cached_property
    def failed_contexts(self) -> list[RequestError]:
        """What the lists of parents that cannot be read, or of keys that may not, were answered with."""
        return []

    def to_record(self, row: Record, context: Context) -> Record:
        """Return the record of an API's row: every column, null where the API sends nothing."""
        return self.record_builder.build(self.transform_record(row), context)

    @cached_property
    def record_builder(self) -> RecordBuilder:
        """Builder of this stream's records.

        It goes by the schema that the target is told, and by this version's where a catalog lacks a column.
        """
        own = self.schema["properties"]
        told = self.effective_schema.get("properties") or {}
        return RecordBuilder(
            self.name,
            {"properties": {name: told.get(name, own[name]) for name in own}},
            self.primary_keys,
            odd_values=self.tap.odd_values.setdefault(self.name, Counter()),
            keeps_odd_values=self.keeps_odd_values,
            warn=partial(self.log, level=logging.WARNING),
        )

    def transform_record(self, row: Record) -> Record:
        """Columns that the API's own row does not have under that name."""
        return row

    # Children

    @cached_property
    def active_children(self) -> list[APIStream]:
        """Child streams that are selected, or have selected children."""
        return [
            cast("APIStream", child) for child in self.child_streams if child.selected or child.has_selected_descendents
        ]

    def should_sync_parent(self, parent: Record) -> bool:  # noqa: ARG002 - for overriding
        """For a child: whether this parent is to be visited."""
        return True

    def can_ask(self, parent: Record) -> bool:
        """For a child: return whether the parent's row has a key for requests; log once where one has none."""
        identity = next(iter(self._parent_paths.values()), None)
        named = identity is None or find(identity, parent) is not None
        if named and all(fits_path(find(self._parent_paths[name], parent)) for name in self._path_keys):
            return True
        self.nameless += 1
        if self.nameless == 1:
            self.log(
                "Stream `%s`: a parent has no key that can be read; going on with the others.", self.name, level=30
            )
        return False

    def sync_children(self, rows: Sequence[Record]) -> None:
        """Have the children read what belongs to these rows."""
        kept = [row for row in rows if self.stream_maps[0].get_filter_result(row)]
        for child in self.active_children:
            child.credential = self.credential
            child.parents = [row for row in kept if child.should_sync_parent(row) and child.can_ask(row)]
            if child.parents:
                with suppress(AbortedSyncFailedException, AbortedSyncPausedException):  # `--test` has seen enough
                    child.sync({"batch": next(child.batch_numbers)})

    @cached_property
    def batch_numbers(self) -> Iterator[int]:
        """For a child: numbers of the batches of parents, in logs."""
        return count(1)

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """Also of selected streams below a child that is not selected, which the SDK passes over."""
        super().finalize_state_progress_markers(state)
        for child in self.active_children:
            if not child.selected:
                child.finalize_state_progress_markers(state)

    @override
    def generate_child_contexts(self, record: Record, context: Context | None) -> Iterable[Context | None]:
        """None: `sync_children` hands parents over in batches, also those whose own row is not due."""
        return ()

    # Deletions

    @property
    def version(self) -> int | None:
        """The version of this run's rows (milliseconds since 1970): of streams that are read in full, or None."""
        full = self.replication_method == REPLICATION_FULL_TABLE and self.ABORT_AT_RECORD_COUNT is None
        return self.tap.initialized_at if full and self.config["emit_activate_version_messages"] else None

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """Not by the SDK, which announces a version before the first row: see `finish_sync`."""
        return False

    def finish_sync(self) -> None:
        """Everything was read: announce the version, of the children too; a table without a row is one all the same.

        Nothing is announced where rows may be missing: what was forbidden may still have its own, and children there.
        """
        if self.failed_contexts:
            self.log("%d lists could not be read.", len(self.failed_contexts), level=30)
            if not self.skip_if_forbidden and not self.readable and len(self.failed_contexts) >= _MANY:
                raise RequestError(f"{self.failed_contexts[0]}: as of all {len(self.failed_contexts)} parents.")
        if (
            self.skip_reason
            or self.nameless
            or any(isinstance(refusal, ForbiddenError) for refusal in self.failed_contexts)
        ):
            return
        for child in self.active_children:
            child.finish_sync()
        if self.selected:
            write_schema(self)
            if self.version is not None:
                announce_version(self, self.version)


def chunks(rows: Iterable[Record]) -> Iterator[list[Record]]:
    """Rows in lists of bounded length."""
    rest = iter(rows)
    while chunk := list(islice(rest, _BATCH)):
        yield chunk
