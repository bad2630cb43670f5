"""The one base class of all streams."""

from __future__ import annotations

import logging
from abc import ABC
from collections import Counter
from contextlib import suppress
from functools import cached_property, partial
from http import HTTPStatus
from inspect import getattr_static
from itertools import chain, count, islice
from typing import TYPE_CHECKING, Any, ClassVar, cast

import requests
from requests.utils import default_headers
from singer_sdk.exceptions import (
    AbortedSyncFailedException,
    AbortedSyncPausedException,
    RetriableAPIError,
)
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.metrics import Metric
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from tap_common.errors import (
    AccessError,
    ExpiredCursorError,
    ForbiddenError,
    NoSuchListError,
    NotFoundError,
    RateLimitedError,
    RequestError,
)
from tap_common.hooks import refuse_dead_hooks
from tap_common.http.address import doubt, fits_path, path_of, places
from tap_common.http.credential import CREDENTIAL, Credential
from tap_common.http.json import decoded
from tap_common.http.jsonpath import EnvelopeError, find, select
from tap_common.http.offset import OffsetPaginator
from tap_common.http.pagination import CursorPaginator, Signals
from tap_common.http.prefetch import prefetch, prefetch_first
from tap_common.output.conform import Conformer, as_row
from tap_common.output.counter import StreamCounter
from tap_common.output.fast_writer import FastWriter
from tap_common.output.unknown_fields import UnknownFields
from tap_common.printable import quoted, status_line
from tap_common.sdk import announce_version, stamp_version, write_schema
from tap_common.state.bookmarks import Bookmarked
from tap_common.state.catalog import leave_out_unlisted
from tap_common.tried import Tried

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from singer_sdk import metrics
    from singer_sdk.helpers._batch import BatchConfig
    from singer_sdk.helpers.types import Auth, Context, Record, RequestFunc
    from singer_sdk.pagination import BaseAPIPaginator
    from singer_sdk.singerlib.catalog import Catalog

_SUCCESS = range(200, 300)
# A 408 and a 425 come from what stands before the API, and nothing was done.
_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY)
_RESTARTS = 5
_BATCH = 1000
# Where none of so many parents can be read, the cause is not with the parents.
_MANY = 20


class APIStream(Bookmarked, FastWriter, Tried, ABC):
    """An endpoint of one of the APIs.

    A subclass declares; it does not fetch. A top-level stream asks its endpoint once for each of `contexts()`. A child
    stream (`parent_stream_type`) asks once for each of its parents, which its parent hands over in batches, so that
    its requests run ahead on the tap's pool while rows are written in order.
    """

    name: str
    """The stream's name, and its table's."""
    path: str
    """The endpoint, with the names of what it is asked with in braces."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # `to_record` picks the columns
    allow_redirects = False  # no API redirects; another host's rows are not the API's
    _LOG_REQUEST_METRICS = False  # one line a request; `Sum` sums them

    params: ClassVar[Mapping[str, str]] = {}
    """Query parameters of every request; `{name}` stands for the context's value of that name."""
    paginator_class: ClassVar[type[BaseAPIPaginator[Any]]] = CursorPaginator
    """Paginator of the endpoint: `CursorPaginator`, `OffsetPaginator` or a class derived from one of them, which read
    the signals declared below; any other class is made without arguments, or in `get_new_paginator`."""
    makes_requests: ClassVar[bool] = True
    """For a child: whether it makes requests of its own."""
    page_size_param: ClassVar[str | None] = None
    """Name of the page size parameter; None where the endpoint has none."""
    cursor_param: ClassVar[str]
    """Name of the cursor parameter."""
    cursor_jsonpath: ClassVar[str | None] = None
    """Where a page holds the next cursor."""
    has_more_jsonpath: ClassVar[str | None] = None
    """Where a page says whether more follow, as a boolean; None where no page does."""
    next_url_jsonpath: ClassVar[str | None] = None
    """Where a page holds the address of the next one; it is not followed, but read for the cursor in its query."""
    cursor_column: ClassVar[str | None] = None
    """Column of a page's last row that is the next cursor, where pages hold no other."""
    parent_keys: ClassVar[Mapping[str, str]] = {}
    """For a child: names for its path, query and columns, and the parent's columns (also `user.uri`) behind them.

    The first one identifies the parent.
    """
    skip_if_forbidden: ClassVar[bool] = True
    """Whether a plan or a role may lack the resource (403): the stream is then skipped with a warning."""

    keeps_odd_values: ClassVar[bool] = True
    """Whether `_extra` keeps what a column cannot hold."""
    may_be_empty: ClassVar[bool] = False
    """For a child that is one object: whether there is a row where the answer has no content (204)."""

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

    @cached_property
    def _path_keys(self) -> Sequence[str]:
        """Names of parents' keys that stand in the path."""
        return [name for name in places(self.path) if name in self.parent_keys] if self.makes_requests else ()

    @cached_property
    def _parent_paths(self) -> Mapping[str, str]:
        return {name: f"$.{column}" for name, column in self.parent_keys.items()}

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["api_url"]).rstrip("/")

    @override
    def get_url(self, context: Context | None) -> str:
        """Return the address of a list; what the API sends as an id stays one segment of its path."""
        return f"{self.url_base}{path_of(self.path, context or {})}"

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        """Return `params`, filled in from the context, with the page size and the cursor.

        A parameter whose value is None is not sent.
        """
        known = context or {}
        params = {name: known[text[1:-1]] if text.startswith("{") else text for name, text in self.params.items()}
        if self.page_size_param:
            params[self.page_size_param] = known.get("page_size", self.config["page_size"])
        if next_page_token:
            params[self.cursor_param] = next_page_token
        return params

    @override
    def get_new_paginator(self) -> BaseAPIPaginator[Any]:
        if issubclass(self.paginator_class, CursorPaginator | OffsetPaginator):
            return self.paginator_class(self.signals)
        return self.paginator_class()  # type: ignore[call-arg] # its own constructor says what it needs

    @property
    def signals(self) -> Signals:
        """Signals by which a page tells whether more rows follow, and their places."""
        return Signals(
            cursor=self.cursor_jsonpath,
            flag=self.has_more_jsonpath,
            url=self.next_url_jsonpath,
            param=self.cursor_param,
            rows=self.records_jsonpath,
            row_key=self.cursor_column,
            keys=tuple(key for key in self._declared_keys if key not in self.parent_keys),
            where=f"{self.path} (stream `{self.name}`)",
        )

    @property
    def _declared_keys(self) -> Sequence[str]:
        """The primary key as the stream's class has it, whatever a catalog says."""
        declared: Any = getattr_static(type(self), "primary_keys")
        return () if isinstance(declared, property) else declared

    # How it is sent

    @property
    @override
    def requests_session(self) -> requests.Session:
        return self.tap.session

    @property
    @override
    def authenticator(self) -> Auth:
        return _unsigned

    @override
    def build_prepared_request(self, *args: Any, **kwargs: Any) -> requests.PreparedRequest:
        """A request without cookies and `.netrc`, for which the SDK would have the session look each time."""
        request = requests.Request(*args, **kwargs)
        request.headers = {**default_headers(), "User-Agent": self.user_agent, **request.headers}
        return request.prepare()

    @override
    def request_decorator(self, func: RequestFunc) -> RequestFunc:
        def send(request: requests.PreparedRequest, context: Context | None) -> requests.Response:
            credential: Credential = (context or {}).get(CREDENTIAL) or self.tap.credential
            request.hooks["response"] = [lambda response, **_: credential.limiter.observe(response.headers)]
            try:
                return credential.retry(lambda: func(credential.auth(request), context), self.path)
            except OSError as error:  # requests' own, and what it refuses certificates with
                vars(error)["request"] = request  # for the sentence about it
                raise

        return send

    @property
    @override
    def timeout(self) -> int:
        return cast("int", float(self.config["request_timeout"]))

    @property
    @override
    def user_agent(self) -> str:
        return self.tap.user_agent

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

    # How it is answered

    @override
    def validate_response(self, response: requests.Response) -> None:
        """Turn an answer that is not a page of rows into the error that says what happens next.

        Raises:
            RetriableAPIError: Passing: a 408, 425, 429 or 5xx, a body that is broken or not of the API's shape.
            RequestError: Final, for this request.
            AccessError: Final, for the run.
        """
        message = self.response_error_message(response)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            raise RateLimitedError(message, response)
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status_code in _PASSING:
            raise RetriableAPIError(message, response)
        if response.status_code not in _SUCCESS:
            raise self.error_for(response, message)
        is_object = self.parent_stream_type is not None and "[*]" not in self.records_jsonpath
        if response.status_code == HTTPStatus.NO_CONTENT and is_object and not self.may_be_empty:
            raise NotFoundError(message)  # there is nothing for this parent
        try:
            select(self.records_jsonpath, self.page(response))
        except EnvelopeError as error:
            raise RetriableAPIError(f"{message}: {error}", response) from None
        except ValueError:
            raise RetriableAPIError(f"{message}: the body is not JSON, or nested too deep", response) from None
        # A list that is asked for in pages has them: without their signals any page would look like the last one.
        if (
            self.page_size_param
            and issubclass(self.paginator_class, CursorPaginator)
            and self.signals.are_silent(response)
        ):
            raise RetriableAPIError(f"{message}: the page does not say whether more rows follow", response)
        self.tap.note_server_time(response.headers)

    def error_for(self, response: requests.Response, message: str) -> Exception:
        """The error that a 4xx (other than 429) stands for."""
        match response.status_code:
            case HTTPStatus.UNAUTHORIZED:
                whose = self.tap.api_name
                also = doubt(self.config, self.tap.config_jsonschema, whose)
                return AccessError(
                    f"{whose} does not accept the key: it is wrong, expired or revoked{also}. "
                    f"For another one, {self.tap.key_hint}"
                )
            case HTTPStatus.FORBIDDEN:
                return ForbiddenError(message)
            case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
                whole_list = self.parent_stream_type is None and self.skip_if_forbidden
                return NoSuchListError(message) if whole_list else NotFoundError(message)
        return RequestError(message)

    @override
    def response_error_message(self, response: requests.Response) -> str:
        # The SDK's text quotes the body, which may hold names and addresses, and the server's words for the status.
        return f"{status_line(response.status_code)} on {self.path} (stream `{self.name}`)"

    @override
    def parse_response(self, response: requests.Response) -> Iterable[Record]:
        """Return the rows of a page; what stands in the place of a row and is no object becomes one."""
        return map(as_row, select(self.records_jsonpath, self.page(response)))

    def page(self, response: requests.Response) -> Any:
        """The page that an answer holds.

        Raises:
            ValueError: The body is not JSON.
        """
        return decoded(response)

    # Rows

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
        """A row of the API as a row of the table: every column, null where the API sends nothing.

        What the schema does not know is kept in `_extra`, and so is a value that its column cannot hold; what was
        asked with fills the columns of its name.
        """
        refined = self.transform_record(row)
        unknown = refined.keys() - self._blank.keys()
        shaped = {**self._blank, **refined}
        for name, value in context.items():
            if name in self._blank and shaped[name] is None:
                shaped[name] = value
        if unknown:
            shaped["_extra"] = {name: shaped.pop(name) for name in refined if name in unknown}
            self._unknown.say(unknown)
        if not self._conformer.fits(shaped):
            self._say_odd(self._conformer.conform(shaped))
        return shaped

    @cached_property
    def _conformer(self) -> Conformer:
        """By the schema that the target is told, and by this version's where a catalog lacks a column."""
        own = self.schema["properties"]
        told = self.effective_schema.get("properties") or {}
        return Conformer({"properties": {name: told.get(name, own[name]) for name in own}}, self.primary_keys)

    def _say_odd(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.odd_values[path] += 1
            if self.odd_values[path] == 1:
                self.log(
                    "Field %s of stream `%s` holds a value that its column cannot hold: the column is null there, "
                    "and the value is %s.",
                    quoted(path),
                    self.name,
                    "kept in `_extra`" if self.keeps_odd_values else "not kept",
                    level=30,
                )

    @cached_property
    def odd_values(self) -> Counter[str]:
        """Values that their columns could not hold, by field."""
        return self.tap.odd_values.setdefault(self.name, Counter())

    @cached_property
    def _blank(self) -> Record:
        """A row in which every column is null."""
        return dict.fromkeys(self.schema["properties"])

    @cached_property
    def _unknown(self) -> UnknownFields:
        return UnknownFields(self.name, partial(self.log, level=logging.WARNING))

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


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """The request as it is: `Access.auth` signs it when it is its turn."""
    return request


def chunks(rows: Iterable[Record]) -> Iterator[list[Record]]:
    """Rows in lists of bounded length."""
    rest = iter(rows)
    while chunk := list(islice(rest, _BATCH)):
        yield chunk
