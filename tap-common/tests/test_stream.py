"""Promises of the base stream, tested with a tap for an API that does not exist."""

from __future__ import annotations

import json
import signal
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, count
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from singer_sdk import typing as th
from singer_sdk.exceptions import RetriableAPIError
from singer_sdk.pagination import OffsetPaginator as SDKOffsetPaginator
from singer_sdk.pagination import SinglePagePaginator
from typing_extensions import override

from calendly_api import CALENDLY
from harness import Messages, VirtualClock, Warehouse
from tap_common.errors import EndlessListError, ForbiddenError
from tap_common.hooks import _INSTEAD
from tap_common.http.pagination import CursorPaginator, OffsetPaginator
from tap_common.settings import TEXT, common_settings, setting
from tap_common.stream import APIStream
from tap_common.tap import SchedulingTap

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests
    from singer_sdk.pagination import BaseAPIPaginator


def columns(*names: str) -> dict[str, Any]:
    return {"properties": {name: {"type": ["string", "null"]} for name in (*names, "_extra")}}


class ToyStream(APIStream):
    """Lists of ids."""

    records_jsonpath = "$.rows[*]"
    cursor_jsonpath = "$.next"
    cursor_param = "cursor"
    page_size_param = "size"
    primary_keys = ("id",)


class Shelves(ToyStream):
    """The top."""

    name = "shelves"
    path = "/shelves"
    schema = columns("id")


class Books(ToyStream):
    """On each shelf."""

    name = "books"
    path = "/shelves/{shelf}/books"
    schema = columns("id", "shelf")
    parent_stream_type = Shelves
    parent_keys = {"shelf": "id"}  # noqa: RUF012 - as every stream declares itself


class Pages(ToyStream):
    """In each book."""

    name = "pages"
    path = "/books/{book}/pages"
    schema = columns("id", "book")
    parent_stream_type = Books
    parent_keys = {"book": "id"}  # noqa: RUF012 - as every stream declares itself


class TapToy(SchedulingTap):
    """A tap for shelves."""

    name = "tap-toy"
    api_name = "Toy"
    key_hint = "any will do."
    stream_types = (Shelves, Books, Pages)
    config_jsonschema = th.PropertiesList(
        setting("api_key", TEXT, "Key", "A key.", secret=True),
        *common_settings(
            tap=name, api_url="http://127.0.0.1", lookback_days=1, requests_per_minute=60_000, start_date="None."
        ),
    ).to_dict()

    @override
    def check_connection(self) -> None:
        self.stream(Shelves).probe({})


class Library:
    """The API: pages of two rows, and whatever answers a test puts in their place."""

    def __init__(self) -> None:
        self.rows: dict[str, list[str]] = {
            "/shelves": ["a", "b", "c"],
            "/shelves/a/books": ["a1", "a2", "a3"],
            "/shelves/b/books": [],
            "/shelves/c/books": ["c1"],
            "/books/a1/pages": ["p1"],
            "/books/a2/pages": ["p2", "p3", "p4"],
            "/books/a3/pages": [],
            "/books/c1/pages": ["p5"],
        }
        self.instead: defaultdict[str, list[tuple[int, bytes]]] = defaultdict(list)
        self.requested: list[str] = []

    def answer(self, address: str) -> tuple[int, bytes]:
        self.requested.append(address)
        parts = urlsplit(address)
        if self.instead[parts.path]:
            return self.instead[parts.path].pop(0)
        query = parse_qs(parts.query)
        start = int(query.get("cursor", ["0"])[0])
        rows = self.rows[parts.path]
        more = start + 2 < len(rows)
        page = {"rows": [{"id": name} for name in rows[start : start + 2]], "next": str(start + 2) if more else None}
        return 200, json.dumps(page).encode()


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
def url(library: Library) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = library.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def sync(url: str, **config: Any) -> Warehouse:
    messages, warehouse = Messages(), Warehouse()
    tap = TapToy(config={"api_key": "k", "api_url": url, **config}, clock=VirtualClock(), message_writer=messages)
    try:
        tap.sync_all()
    finally:
        tap.close()
        tap.pool.shutdown()
        warehouse.load(messages.read)
    return warehouse


def ids(warehouse: Warehouse, stream: str) -> list[str]:
    return [key for (key,) in warehouse.rows[stream]]


@pytest.mark.parametrize("concurrency", [1, 8])
def test_children_and_their_children_are_read_in_the_order_of_their_parents(url: str, concurrency: int) -> None:
    warehouse = sync(url, concurrency=concurrency)

    assert ids(warehouse, "shelves") == ["a", "b", "c"]
    assert ids(warehouse, "books") == ["a1", "a2", "a3", "c1"]
    assert ids(warehouse, "pages") == ["p1", "p2", "p3", "p4", "p5"]


def test_rows_of_a_child_carry_what_they_were_requested_with(url: str) -> None:
    warehouse = sync(url)

    assert [row["shelf"] for row in warehouse.rows["books"].values()] == ["a", "a", "a", "c"]
    assert [row["book"] for row in warehouse.rows["pages"].values()] == ["a1", "a2", "a2", "a2", "c1"]


def test_a_child_without_a_single_parent_empties_its_table(url: str, library: Library) -> None:
    before = sync(url)
    library.rows["/shelves"] = []
    after = sync(url)

    assert ids(before, "pages")
    assert after.keys.keys() == {"shelves", "books", "pages"}
    assert {stream: ids(after, stream) for stream in after.rows} == {"shelves": [], "books": [], "pages": []}


@pytest.mark.parametrize(
    "broken",
    [b"", b"{", b"<html>", b"null", b"[]", b"{}", b'{"rows": null}', b'{"rows": {"id": "x"}}', b'{"error": 1}'],
)
def test_an_answer_of_another_shape_is_requested_again_and_never_taken_for_no_rows(
    url: str, library: Library, broken: bytes
) -> None:
    library.instead["/shelves/a/books"] = [(200, broken)] * 4

    assert ids(sync(url), "books") == ["a1", "a2", "a3", "c1"]


def test_an_answer_that_stays_of_another_shape_ends_the_run(url: str, library: Library) -> None:
    library.instead["/shelves"] = [(200, b'{"rows": [{"id": "a"}], "next": "2"}'), *[(200, b"{}")] * 5]

    with pytest.raises(RetriableAPIError, match="expected `rows`"):
        sync(url)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_parent_that_cannot_be_read_does_not_stop_the_others(url: str, library: Library, status: int) -> None:
    library.instead["/books/a2/pages"] = [(status, b"")]

    assert ids(sync(url), "pages") == ["p1", "p5"]


@pytest.mark.parametrize(
    ("path", "status", "announced"),
    [
        ("/books/a2/pages", 404, ["books", "pages", "shelves"]),
        ("/books/a2/pages", 403, ["books", "shelves"]),
        ("/shelves/a/books", 403, ["shelves"]),
    ],
)
def test_a_version_is_announced_where_a_parent_is_gone_and_not_below_one_that_is_forbidden(
    url: str, library: Library, path: str, status: int, announced: list[str]
) -> None:
    library.instead[path] = [(status, b"")]
    messages = Messages()
    tap = TapToy(config={"api_key": "k", "api_url": url}, clock=VirtualClock(), message_writer=messages)
    tap.sync_all()
    tap.close()
    tap.pool.shutdown()

    versions = [message["stream"] for message in messages.read if message["type"] == "ACTIVATE_VERSION"]
    assert sorted(versions) == announced


def test_a_child_that_the_check_of_permissions_was_refused_is_skipped_and_announces_nothing(url: str) -> None:
    messages = Messages()
    tap = TapToy(config={"api_key": "k", "api_url": url}, clock=VirtualClock(), message_writer=messages)
    tap.stream(Books).skip_reason = ForbiddenError("403 Forbidden")
    tap.sync_all()
    tap.close()
    tap.pool.shutdown()

    about = {(message["type"], message.get("stream")) for message in messages.read}
    assert ("ACTIVATE_VERSION", "shelves") in about
    assert {stream for _, stream in about} <= {"shelves", "books", None}
    assert ("ACTIVATE_VERSION", "books") not in about


def test_each_page_repeats_the_page_size_and_carries_its_cursor(url: str, library: Library) -> None:
    sync(url, page_size=7)

    requested = [address for address in library.requested if address.startswith("/shelves/a/books")]
    assert requested == ["/shelves/a/books?size=7", "/shelves/a/books?size=7&cursor=2"]


@pytest.mark.timeout(10)
def test_a_signal_ends_the_run_though_the_code_that_it_interrupts_holds_the_pool_s_lock(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(signal, "setitimer", lambda *_: None)
    tap = TapToy(config={"api_key": "k", "api_url": url}, clock=VirtualClock(), message_writer=Messages())

    with tap.pool._shutdown_lock, pytest.raises(SystemExit) as ended:
        tap._handle_termination(signal.SIGTERM, None)

    assert ended.value.code == 143
    tap.close()


class Followed(CursorPaginator):
    """A cursor paginator of a tap's own."""


class SDKOffset(SDKOffsetPaginator):
    """Reads by the number of rows, as the SDK counts them."""

    def __init__(self) -> None:
        super().__init__(start_value=0, page_size=2)

    @override
    def has_more(self, response: requests.Response) -> bool:
        return bool(response.json()["rows"])


@pytest.mark.parametrize("kind", [CursorPaginator, Followed, OffsetPaginator, SDKOffset, SinglePagePaginator])
def test_whatever_paginator_a_stream_declares_is_used(
    url: str, library: Library, monkeypatch: pytest.MonkeyPatch, kind: type[BaseAPIPaginator[Any]]
) -> None:
    monkeypatch.setattr(Shelves, "paginator_class", kind)
    rows = ids(sync(url), "shelves")

    assert rows == (["a", "b"] if kind is SinglePagePaginator else ["a", "b", "c"])
    assert (
        sum(address.startswith("/shelves?") and "cursor=2" in address for address in library.requested) == len(rows) - 2
    )


@pytest.mark.parametrize("more", ["$.more", None])
def test_an_offset_counts_the_rows_that_came_and_a_short_page_is_not_the_last(
    url: str, library: Library, monkeypatch: pytest.MonkeyPatch, more: str | None
) -> None:
    monkeypatch.setattr(Shelves, "paginator_class", OffsetPaginator)
    monkeypatch.setattr(Shelves, "cursor_jsonpath", None)
    monkeypatch.setattr(Shelves, "has_more_jsonpath", more)
    library.rows |= {f"/shelves/{name}/books": [] for name in "de"}
    pages = [["a"], ["b", "c"], ["d"], []]
    answers = [
        {"rows": [{"id": one} for one in page], "more": bool(pages[at + 1])} for at, page in enumerate(pages[:3])
    ]
    library.instead["/shelves"] = [(200, json.dumps(page).encode()) for page in answers]

    rows = ids(sync(url), "shelves")

    assert rows == ["a", "b", "c", "d"]
    offsets = [
        parse_qs(urlsplit(address).query).get("cursor") for address in library.requested if "/shelves?" in address
    ]
    assert offsets == [None, ["1"], ["3"], *([] if more else [["4"]])]


@pytest.mark.parametrize(("total", "requests"), [(3, 2), ("3", 3), (None, 3), (99, 3)])
def test_an_offset_stops_at_the_total_and_without_one_at_an_empty_page(
    url: str, library: Library, monkeypatch: pytest.MonkeyPatch, total: object, requests: int
) -> None:
    monkeypatch.setattr(Shelves, "paginator_class", OffsetPaginator)
    monkeypatch.setattr(Shelves, "cursor_jsonpath", None)
    monkeypatch.setattr(Shelves, "total_jsonpath", "$.total")
    answers = [{"rows": [{"id": one} for one in page], "total": total} for page in (["a"], ["b", "c"], [])]
    library.instead["/shelves"] = [(200, json.dumps(page).encode()) for page in answers[:requests]]

    assert ids(sync(url), "shelves") == ["a", "b", "c"]
    assert sum("/shelves?" in address for address in library.requested) == requests


@pytest.mark.parametrize("total", [None, 9])
def test_an_api_that_sends_the_same_page_for_every_offset_ends_the_run(
    url: str, library: Library, monkeypatch: pytest.MonkeyPatch, total: int | None
) -> None:
    monkeypatch.setattr(Shelves, "paginator_class", OffsetPaginator)
    monkeypatch.setattr(Shelves, "cursor_jsonpath", None)
    monkeypatch.setattr(Shelves, "total_jsonpath", "$.total")
    page = {"rows": [{"id": "a"}, {"id": "b"}], "total": total}
    library.instead["/shelves"] = [(200, json.dumps(page).encode())] * 3

    with pytest.raises(EndlessListError, match="the same page again for another `cursor`"):
        sync(url)


def test_the_first_request_of_a_run_may_be_one_of_a_stream_that_goes_by_a_bookmark(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = Shelves.get_url_params
    monkeypatch.setattr(Shelves, "replication_key", "id")
    monkeypatch.setattr(
        Shelves, "get_url_params", lambda self, *given: usual(self, *given) | {"since": self.starting_timestamp}
    )

    assert ids(sync(url), "shelves") == ["a", "b", "c"]


@pytest.mark.parametrize("hook", sorted(_INSTEAD))
def test_a_hook_of_the_sdk_that_would_never_be_called_is_refused_where_the_class_is_made(hook: str) -> None:
    with pytest.raises(TypeError, match=rf"Bookcases.{hook} has no effect here. Instead: "):
        type("Bookcases", (Shelves,), {hook: None})


@pytest.mark.parametrize(
    "silent", [b'{"rows": [{"id": "a"}]}', b'{"rows": [{"id": "a"}], "next": ""}', b'{"rows": [], "next": {}}']
)
def test_a_page_that_does_not_say_whether_more_follow_is_requested_again_and_then_ends_the_run(
    url: str, library: Library, silent: bytes
) -> None:
    library.instead["/shelves/a/books"] = [(200, silent)] * 4
    assert ids(sync(url), "books") == ["a1", "a2", "a3", "c1"]

    library.instead["/shelves/a/books"] = [(200, silent)] * 5
    with pytest.raises(RetriableAPIError, match=r"\(stream `books`\): the page does not say whether more rows follow"):
        sync(url)


def test_a_list_without_a_page_size_needs_no_signal_and_follows_one(
    url: str, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Shelves, "page_size_param", None)
    assert ids(sync(url), "shelves") == ["a", "b", "c"]

    library.instead["/shelves"] = [(200, b'{"rows": [{"id": "a"}]}')] * 2
    assert ids(sync(url), "shelves") == ["a"]


@pytest.mark.parametrize("key", [None, "created_at"])
def test_a_catalog_that_names_another_replication_key_or_no_key_changes_nothing(key: str | None) -> None:
    catalog = CALENDLY.tap(config={}, validate_config=False).catalog_dict
    for entry in catalog["streams"]:
        entry |= {"replication_key": key, "key_properties": []}
        entry["metadata"] = [{"breadcrumb": [], "metadata": {"selected": True}}]
    named = CALENDLY.tap(config={}, validate_config=False, catalog=catalog).streams
    plain = CALENDLY.tap(config={}, validate_config=False).streams

    assert {name: (stream.replication_key, list(stream.primary_keys)) for name, stream in named.items()} == {
        name: (stream.replication_key, list(stream.primary_keys)) for name, stream in plain.items()
    }


@pytest.mark.parametrize(
    ("shelf", "path"),
    [
        ("x?admin=1", "/shelves/x%3Fadmin%3D1/books"),
        ("x/../../keys", "/shelves/x%2F..%2F..%2Fkeys/books"),
        ("x#y", "/shelves/x%23y/books"),
        ("%2e%2e", "/shelves/%252e%252e/books"),
        ("..\\..", "/shelves/..%5C../books"),
        ("a b\r\nX: y", "/shelves/a%20b%0D%0AX%3A%20y/books"),
        ("{api_key}", "/shelves/%7Bapi_key%7D/books"),
        ("é;=&", "/shelves/%C3%A9%3B%3D%26/books"),
        ("...", "/shelves/.../books"),
    ],
)
def test_an_id_stays_one_segment_of_the_path_whatever_it_holds(
    url: str, library: Library, shelf: str, path: str
) -> None:
    library.rows["/shelves"] = [shelf]
    library.rows[path] = ["b"]
    library.rows["/books/b/pages"] = []

    warehouse = sync(url)

    assert ids(warehouse, "books") == ["b"]
    assert {urlsplit(address).path for address in library.requested} == {"/shelves", path, "/books/b/pages"}
    assert {*chain.from_iterable(parse_qs(urlsplit(address).query) for address in library.requested)} <= {
        "size",
        "cursor",
    }


@pytest.mark.parametrize("shelf", ["", ".", "..", "x" * 501])
def test_an_id_that_cannot_stand_in_a_path_is_passed_over_and_said(
    url: str, library: Library, shelf: str, caplog: pytest.LogCaptureFixture
) -> None:
    library.rows["/shelves"] = [shelf, "c"]

    warehouse = sync(url)

    assert ids(warehouse, "books") == ["c1"]
    assert {urlsplit(address).path for address in library.requested} == {
        "/shelves",
        "/shelves/c/books",
        "/books/c1/pages",
    }
    assert "Stream `books`: a parent has no usable key; continuing with the others." in caplog.text
    assert warehouse.versions["books"][("c1",)] is not None


def test_a_list_whose_rows_change_with_each_page_and_never_end_is_an_error(url: str, library: Library) -> None:
    pages = count()

    def answer(address: str) -> tuple[int, bytes]:
        number = next(pages)
        rows = [{"id": str((number + place) % 20), "read": number} for place in range(5)]
        return 200, json.dumps({"rows": rows, "next": f"page-{number}"}).encode()

    library.answer = answer  # type: ignore[method-assign]

    with pytest.raises(EndlessListError, match="100 pages in a row without a new row"):
        sync(url)
    assert next(pages) < 150


@pytest.mark.parametrize("cursor", [{"a": 1}, [1], "x" * 5000])
def test_a_cursor_that_is_no_cursor_is_never_followed_and_never_an_end(
    url: str, library: Library, cursor: object
) -> None:
    page = json.dumps({"rows": [{"id": "a"}], "next": cursor}).encode()
    library.instead["/shelves"] = [(200, page)] * 5

    with pytest.raises(RetriableAPIError, match="does not say whether more rows follow"):
        sync(url)
