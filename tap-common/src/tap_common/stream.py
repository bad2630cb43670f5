"""The base class of all streams."""

from __future__ import annotations

import logging
from abc import ABC
from collections import Counter
from contextlib import suppress
from functools import cached_property, partial
from itertools import chain, count, islice
from typing import TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk.exceptions import AbortedSyncFailedException, AbortedSyncPausedException
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from tap_common.endpoint import Endpoint
from tap_common.errors import ExpiredCursorError, ForbiddenError, NotFoundError, RequestError
from tap_common.hooks import refuse_dead_hooks
from tap_common.http.address import is_path_segment, placeholders
from tap_common.http.credential import CREDENTIAL, Credential
from tap_common.http.jsonpath import find, select
from tap_common.http.prefetch import prefetch, prefetch_first
from tap_common.output.conform import as_object
from tap_common.output.metrics import Counted
from tap_common.output.records import RecordBuilder
from tap_common.output.writer import FastWriter
from tap_common.sdk import stamp_version, write_activate_version, write_schema
from tap_common.state.bookmarks import Bookmarked
from tap_common.state.catalog import leave_out_unlisted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    import requests
    from singer_sdk.helpers._batch import BatchConfig
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib.catalog import Catalog

_RESTARTS = 5
_BATCH = 1000
# If none of this many parents can be read, the fault is not the parents'.
_MANY_PARENTS = 20


class APIStream(Endpoint, Bookmarked, Counted, FastWriter, ABC):
    """A stream of one of the APIs.

    A subclass declares its endpoint and its keys; it does not fetch. A stream reads one list for each of its contexts.
    A top-level stream has one context, or one for each credential. A child stream (`parent_stream_type`) has one for
    each parent record; its parent hands these over in batches, so that the requests of many parents run concurrently
    on the tap's pool while records are written in order.

    A *row* is an item as the API sends it; a *record* has the columns of the stream's schema.
    """

    name: str
    """Name of the stream, and of its table."""
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # `to_record` returns records that fit
    makes_requests: ClassVar[bool] = True
    """False for a child whose rows are embedded in the parent's record."""
    keeps_odd_values: ClassVar[bool] = True
    """True if `_extra` keeps values that do not fit their column."""
    parents: Sequence[Record] = ()
    """Parent records of the batch that a child is reading."""
    unlisted: Sequence[str] = ()
    """Columns that the catalog does not list; records leave them out."""
    credential: Credential | None = None
    """Credential whose list is being read; None for the tap's first one."""
    skip_reason: ForbiddenError | None = None
    """The 403 for which the stream is skipped, from the check of permissions or from its first request."""
    lists_read = 0
    """Number of lists read in this run."""
    parents_without_key = 0
    """Number of parent records in this run that lack a key which the child's requests need."""

    @override
    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        refuse_dead_hooks(cls)

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Apply the catalog's selection and replication method, but keep the replication key.

        Which column an API can filter by is a fact of that API: with another replication key, changes would be missed.
        The catalog's primary key is used if it has one. Columns that the catalog does not list are left out of records.
        """
        replication_key, primary_keys = self.replication_key, self.primary_keys
        if entry := catalog.get_stream(self.name):
            keys = [*(entry.key_properties or primary_keys or ()), *filter(None, [replication_key])]
            if unlisted := leave_out_unlisted(entry, self.schema, keys):
                self.unlisted = unlisted
        super().apply_catalog(catalog)
        self.replication_key = replication_key
        self.primary_keys = self.primary_keys or primary_keys

    @override
    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Log a message; errors at DEBUG, since the command logs the error that ends a run."""
        super().log(message, *args, level=logging.DEBUG if level == logging.ERROR else level, **kwargs)

    @override
    def get_batch_config(self, config: Mapping[str, Any]) -> BatchConfig | None:
        """Return None: `BatchWriter` writes batch files, and applies selection, stream maps and versions to them."""
        return None

    # Contexts

    def contexts(self) -> Iterable[Context]:
        """Return a context for each list to read: an empty one, or one for each parent record.

        The SDK's `partitions` would keep a bookmark for each of them.
        """
        if self.parent_stream_type is None:
            return [{}]
        return map(self.child_context, self.parents)

    def child_context(self, parent: Record) -> Context:
        """Return a child's context for a parent record: the values of `parent_keys`, and the parent's credential."""
        keys = {name: find(path, parent) for name, path in self._parent_paths.items()}
        return keys if self.credential is None else {**keys, CREDENTIAL: self.credential}

    @property
    def check_contexts(self) -> Sequence[Context]:
        """Contexts for a check of permissions: the first one of each credential; none for a child without parents.

        Raises:
            SingerSDKError: The stream is known to be unreadable, such as for lack of a key.
        """
        first: dict[Credential | None, Context] = {}
        for context in self.contexts():
            first.setdefault(context.get(CREDENTIAL), context)
        return list(first.values())

    def probe(self, context: Context) -> None:
        """Request one row, to check that the key may read the list.

        Raises:
            RequestError: The key may not, or the list does not exist.
            AccessError: The key may not, and the run cannot continue.
        """
        next(iter(self.request_records({**context, "page_size": 1})), None)

    @cached_property
    def _path_keys(self) -> Sequence[str]:
        """Names in `parent_keys` that are part of the path."""
        return [name for name in placeholders(self.path) if name in self.parent_keys] if self.makes_requests else ()

    @cached_property
    def _parent_paths(self) -> Mapping[str, str]:
        return {name: f"$.{column}" for name, column in self.parent_keys.items()}

    # Records

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Yield the records to emit, after syncing the children of each batch."""
        stamp_version(self, self.version)
        _ = self.bookmark, self.request_counter  # computed once, before threads use them
        try:
            if self.skip_reason:
                raise self.skip_reason
            for records in self.record_batches():
                if self.active_children:
                    self.sync_children(records := list(records))
                yield from filter(self.should_emit, records)
        except ForbiddenError as error:
            if not self.skip_if_forbidden:
                raise
            self.skip_reason = error
            self.log("Skipped: %s. The plan or role of this key may not include it.", error, level=30)
        else:
            if context is None:
                self.finish_sync()

    def record_batches(self) -> Iterator[Iterable[Record]]:
        """Yield the stream's records in batches; after each one, the children of its records are synced.

        A top-level list is read to its end before its children make requests, so that no page token expires meanwhile.
        """
        answers = prefetch(self.tap.pool, self.read_list, self.contexts(), self.tap.max_prefetch)
        if self.parent_stream_type is None:
            whole = not self.active_children or any(child.makes_requests for child in self.active_children)
            for context, answer in answers:
                self.credential = context.get(CREDENTIAL)
                records = self._read_records(context, answer)
                yield from [records] if whole else chunks(records)
        else:
            records = chain.from_iterable(self._read_records(context, answer) for context, answer in answers)
            yield from chunks(records) if self.active_children else [records]

    def read_list(self, context: Context) -> Iterator[Record]:
        """Return the rows of one list, with its first page already fetched; runs on the tap's pool."""
        return prefetch_first(self.request_records(context))

    @override
    def parse_response(self, response: requests.Response) -> Iterable[Record]:
        """Return the rows of a page; an item that is not an object is wrapped in one."""
        return map(as_object, select(self.records_jsonpath, self.page(response)))

    def to_record(self, row: Record, context: Context) -> Record:
        """Return the record of a row: every column of the schema, null if the API sends no value."""
        return self.record_builder.build(self.transform_record(row), context)

    def transform_record(self, row: Record) -> Record:
        """Return a row with the columns that the API does not send under their names.

        The SDK's `post_process` would run after this, on finished records.
        """
        return row

    @cached_property
    def record_builder(self) -> RecordBuilder:
        """Builder of this stream's records, by the schema sent to the target.

        A column that the catalog's schema lacks is built by the tap's own schema.
        """
        own = self.schema["properties"]
        effective = self.effective_schema.get("properties") or {}
        return RecordBuilder(
            self.name,
            {"properties": {name: effective.get(name, own[name]) for name in own}},
            self.primary_keys,
            odd_values=self.tap.odd_values.setdefault(self.name, Counter()),
            keeps_odd_values=self.keeps_odd_values,
            warn=partial(self.log, level=logging.WARNING),
        )

    def _read_records(self, context: Context, answer: Future[Iterator[Record]]) -> Iterator[Record]:
        """Yield the records of one list.

        A list whose first page is refused is skipped, if other parents or other keys remain. A refusal of a later page
        is an error, since the list would be cut short.
        """
        try:
            rows = answer.result()
        except RequestError as error:
            if contexts := self.split_context(context):
                for part, found in prefetch(self.tap.pool, self.read_list, contexts, self.tap.max_prefetch):
                    yield from self._read_records(part, found)
                return
            if not self._can_skip_list(error):
                raise
            self.failed_contexts.append(error)
            if len(self.failed_contexts) == 1:
                owner = "key" if self.parent_stream_type is None else "parent"
                self.log("%s: skipping this %s, continuing with the others.", error, owner, level=30)
            return
        self.lists_read += 1
        try:
            for row in self._with_restart(context, rows):
                yield self.to_record(row, context)
        except (ForbiddenError, NotFoundError) as error:
            raise RequestError(f"{error}, in the middle of a list.") from error

    def split_context(self, context: Context) -> Sequence[Context]:  # noqa: ARG002 - for overriding
        """Return smaller contexts to retry a refused list with; none if it cannot be split."""
        return ()

    def _can_skip_list(self, error: RequestError) -> bool:
        """Return True if other lists are still worth reading: those of other parents, or of other keys."""
        if self.parent_stream_type is not None:
            return isinstance(error, ForbiddenError | NotFoundError)
        return self.skip_if_forbidden and len(self.tap.credentials) > 1 and isinstance(error, ForbiddenError)

    def _with_restart(self, context: Context, rows: Iterator[Record]) -> Iterator[Record]:
        """Yield the rows of a list; read it again from the first page if its page token expires."""
        for _ in range(_RESTARTS):
            try:
                yield from rows
            except ExpiredCursorError:
                self.log("A page token of %s expired; reading the list again.", self.path, level=30)
                rows = self.read_list(context)
            else:
                return
        yield from rows

    @cached_property
    def failed_contexts(self) -> list[RequestError]:
        """Errors of the lists that were skipped in this run."""
        return []

    # Children

    @cached_property
    def active_children(self) -> list[APIStream]:
        """Child streams that are selected, or have selected children."""
        return [
            cast("APIStream", child) for child in self.child_streams if child.selected or child.has_selected_descendents
        ]

    def should_sync_parent(self, parent: Record) -> bool:  # noqa: ARG002 - for overriding
        """Return True if a child should read its list of this parent record."""
        return True

    def has_parent_keys(self, parent: Record) -> bool:
        """Return True if a parent record has the keys that a child's requests need; warn about the first that lacks."""
        identity = next(iter(self._parent_paths.values()), None)
        identified = identity is None or find(identity, parent) is not None
        if identified and all(is_path_segment(find(self._parent_paths[name], parent)) for name in self._path_keys):
            return True
        self.parents_without_key += 1
        if self.parents_without_key == 1:
            self.log("Stream `%s`: a parent has no usable key; continuing with the others.", self.name, level=30)
        return False

    def sync_children(self, records: Sequence[Record]) -> None:
        """Sync the children of a batch of records; parents that a stream map filters out have none.

        The SDK's own loop would sync one parent at a time, and only parents that are emitted.
        """
        kept = [record for record in records if self.stream_maps[0].get_filter_result(record)]
        for child in self.active_children:
            child.credential = self.credential
            child.parents = [
                record for record in kept if child.should_sync_parent(record) and child.has_parent_keys(record)
            ]
            if child.parents:
                with suppress(AbortedSyncFailedException, AbortedSyncPausedException):  # the SDK's dry run ends early
                    child.sync({"batch": next(child.batch_numbers)})

    @cached_property
    def batch_numbers(self) -> Iterator[int]:
        """Numbers of a child's batches of parents, for the log."""
        return count(1)

    @override
    def generate_child_contexts(self, record: Record, context: Context | None) -> Iterable[Context | None]:
        """Return nothing: see `sync_children`."""
        return ()

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """Finalize the state, also of selected grandchildren below an unselected child, which the SDK forgets."""
        super().finalize_state_progress_markers(state)
        for child in self.active_children:
            if not child.selected:
                child.finalize_state_progress_markers(state)

    # Versions

    @property
    def version(self) -> int | None:
        """Version of this run's records (milliseconds since 1970); None for incremental streams."""
        full = self.replication_method == REPLICATION_FULL_TABLE and self.ABORT_AT_RECORD_COUNT is None
        return self.tap.initialized_at if full and self.config["emit_activate_version_messages"] else None

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """False: the SDK would send ACTIVATE_VERSION before the first record; `finish_sync` sends it after the last."""
        return False

    def finish_sync(self) -> None:
        """Send ACTIVATE_VERSION for this stream and its children, and a SCHEMA even if they have no records.

        A stream that may lack records sends none, and neither do its children: a target would soft-delete records that
        still exist.

        Raises:
            RequestError: None of many parents could be read.
        """
        failed = self.failed_contexts
        if failed:
            self.log("%d lists could not be read.", len(failed), level=30)
            if not self.skip_if_forbidden and not self.lists_read and len(failed) >= _MANY_PARENTS:
                raise RequestError(f"{failed[0]}: as of all {len(failed)} parents.")
        if self.skip_reason or self.parents_without_key or any(isinstance(error, ForbiddenError) for error in failed):
            return
        for child in self.active_children:
            child.finish_sync()
        if self.selected:
            write_schema(self)
            if self.version is not None:
                write_activate_version(self, self.version)


def chunks(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Yield records in lists of bounded length."""
    rest = iter(records)
    while chunk := list(islice(rest, _BATCH)):
        yield chunk
