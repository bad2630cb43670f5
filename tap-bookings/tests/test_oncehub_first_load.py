"""A first load that breaks off anywhere, of an API that lists and filters in any way that its documents allow."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from typing_extensions import override

from harness import Killed, Messages, Runner, VirtualClock, kill
from tap_bookings.streams import Bookings
from tap_bookings.tap import TapBookings
from tap_common.errors import ExpiredCursorError
from tap_common.state.timestamps import instant, zulu

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_common.tap import SchedulingTap

Row = dict[str, Any]
DAY = timedelta(days=1)
PAGE = 10
SORTS: dict[str, Callable[[Row], str]] = {
    "newest first": lambda row: str(row["creation_time"]),
    "changed first": lambda row: str(row["last_updated_time"]),
    "neither": lambda row: str(row["tracking_id"]),
}


class Account:
    """Bookings of a year, and the list of them as OnceHub gives it."""

    def __init__(self) -> None:
        self.chance = random.Random(5)
        self.now = datetime(2026, 6, 1, 9, tzinfo=UTC)
        self.rows: dict[str, Row] = {}
        self.order = "newest first"
        self.by_day = False
        self.requested: list[dict[str, str]] = []
        self.on_page: Callable[[list[Row]], None] = lambda _: None
        for age in range(300):
            self.book(self.now - timedelta(hours=age * 29, minutes=self.chance.randrange(60)))

    def book(self, moment: datetime | None = None) -> Row:
        key = f"BKNG-{len(self.rows) + 1_000}"
        made = zulu(moment or self.now)
        code = self.chance.random().hex()
        self.rows[key] = {"id": key, "creation_time": made, "last_updated_time": made, "tracking_id": code}
        return self.rows[key]

    def live(self, hours: int) -> None:
        """Time passes: bookings are made, and some of any age are changed."""
        self.now += timedelta(hours=hours)
        self.book()
        for row in self.chance.sample(list(self.rows.values()), 5):
            row |= {"last_updated_time": zulu(self.now), "status": f"changed at {self.now}"}

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, Row]:
        if path == "/v2/test":
            return 200, {"message": "The API key is valid for account: a@example.com"}
        self.requested.append(query)
        rows = sorted((row for row in self.rows.values() if self.fits(row, query)), key=SORTS[self.order], reverse=True)
        if after := query.get("after"):
            ids = [row["id"] for row in rows]
            if after not in ids:
                return 400, {"type": "invalid_request_error", "message": f"No such object: {after}", "param": "after"}
            rows = rows[ids.index(after) + 1 :]
        limit = int(query["limit"])
        page = {"object": "list", "data": [dict(row) for row in rows[:limit]], "has_more": len(rows) > limit}
        self.on_page(rows[:limit])
        return 200, page

    def fits(self, row: Row, query: dict[str, str]) -> bool:
        for name, value in query.items():
            column, _, operator = name.partition(".")
            if operator:
                moment, bound = instant(row[column]), instant(value)
                if self.by_day:
                    moment, bound = (
                        each.replace(hour=0, minute=0, second=0, microsecond=0) for each in (moment, bound)
                    )
                if not (moment > bound if operator == "gt" else moment < bound):
                    return False
        return True


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def runner(account: Account) -> Iterator[Runner]:
    """Runs that read bookings from the account."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            status, page = account.answer(parts.path, dict(parse_qsl(parts.query)))
            body = json.dumps(page).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def date_time_string(self, timestamp: float | None = None) -> str:
            return format_datetime(account.now, usegmt=True)

        @override
        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    config = {"api_key": "any", "api_url": f"http://127.0.0.1:{server.server_port}", "page_size": PAGE}
    yield Runner(TapBookings, config, VirtualClock(), select=lambda name, _: name == "bookings")
    server.shutdown()
    thread.join()
    server.server_close()


def loaded(runner: Runner) -> dict[str, Row]:
    """Return the warehouse's bookings, with the columns that the API sends."""
    rows = runner.warehouse.rows.get("bookings", {}).values()
    return {row["id"]: {name: value for name, value in row.items() if value is not None} for row in rows}


def state(runner: Runner) -> Row:
    """The state of the stream."""
    found: Row = ((runner.warehouse.state or {}).get("bookmarks") or {}).get("bookings", {})
    return found


def broken_off(runner: Runner, after: int = 150) -> datetime:
    """Break a first load off; the moment down to which it had come."""
    runner.sync(after=after, then=kill)
    return instant(state(runner)["first_load"]["created_before"])


@pytest.mark.parametrize("after", range(2, 330, 23))
def test_killed_anywhere_and_run_again_nothing_is_lost(account: Account, runner: Runner, after: int) -> None:
    for hours in (1, 30, 24 * 40):
        runner.sync(after=after, then=kill)
        account.live(hours)
    runner.sync()

    assert loaded(runner) == account.rows
    assert "first_load" not in state(runner)


@pytest.mark.parametrize("order", SORTS)
@pytest.mark.parametrize("by_day", [False, True])
@pytest.mark.parametrize("after", [70, 160])
def test_neither_the_order_of_the_list_nor_the_grain_of_its_filters_matters(
    account: Account, runner: Runner, order: str, after: int, *, by_day: bool
) -> None:
    account.order, account.by_day = order, by_day
    runner.sync(after=after, then=kill)
    account.live(50)
    runner.sync()
    account.live(50)
    runner.sync()

    assert loaded(runner) == account.rows


def test_a_state_goes_out_after_each_slice_and_a_bookmark_only_at_the_end(account: Account, runner: Runner) -> None:
    messages = Messages()
    tap = runner.build(messages)
    tap.run()

    states = [message["value"]["bookmarks"].get("bookings", {}) for message in messages.read if "value" in message]
    steps = [found["first_load"]["created_before"] for found in states if "first_load" in found]
    assert len(steps) >= 3
    assert steps == sorted(steps, reverse=True)
    assert all("replication_key_value" not in found for found in states if "first_load" in found)
    assert instant(states[-1]["replication_key_value"]) == account.now
    tap.pool.shutdown()


def test_a_killed_load_is_taken_up_below_what_was_done_after_what_has_changed(account: Account, runner: Runner) -> None:
    down_to = broken_off(runner)
    began = account.now
    account.live(5)
    account.requested.clear()
    runner.sync()

    changed, *below = account.requested
    assert instant(changed["last_updated_time.gt"]) == began - DAY
    assert not {"creation_time.gt", "creation_time.lt"} & changed.keys()
    bounds = [query for query in below if "creation_time.lt" in query]
    assert all(instant(query["creation_time.lt"]) <= down_to for query in bounds)
    assert len(account.requested) < 300 / PAGE


def test_a_load_that_breaks_off_again_asks_for_changes_since_the_run_before(account: Account, runner: Runner) -> None:
    broken_off(runner)
    account.live(100)
    second = account.now
    broken_off(runner, after=100)
    account.live(100)
    account.requested.clear()
    runner.sync()

    assert instant(account.requested[0]["last_updated_time.gt"]) == second - DAY
    assert loaded(runner) == account.rows
    assert instant(state(runner)["replication_key_value"]) == account.now


def test_what_changes_while_the_load_goes_on_is_in_the_next_run_at_the_latest(account: Account, runner: Runner) -> None:
    runner.sync(after=100, then=lambda: account.live(2))
    account.live(1)
    runner.sync()

    assert loaded(runner) == account.rows


def test_no_more_is_read_than_is_written_but_for_two_pages(account: Account, runner: Runner) -> None:
    """Records are written page by page, so that memory does not grow with the load."""
    held: list[int] = []
    read = 0
    messages = Messages()
    tap = runner.build(messages)

    def look(rows: list[Row]) -> None:
        nonlocal read
        # The page that says where a slice is, is read again as a part of it.
        if "creation_time.gt" in account.requested[-1]:
            held.append(read - sum(message["type"] == "RECORD" for message in messages.read))
            read += len(rows)

    account.on_page = look
    tap.run()
    tap.pool.shutdown()

    assert read >= 250
    assert max(held) <= PAGE


def test_a_small_account_is_one_request(account: Account, runner: Runner) -> None:
    runner.sync(page_size=100)
    account.rows = dict(list(account.rows.items())[:99])
    runner.warehouse.state = None
    account.requested.clear()

    runner.sync(page_size=100)

    assert account.requested == [{"limit": "100"}]


def test_an_account_of_a_few_pages_costs_two_requests_more_than_its_pages(account: Account, runner: Runner) -> None:
    runner.sync(page_size=40)

    assert len(account.requested) <= 300 / 40 + 3


def test_an_empty_account_is_one_request_and_so_is_the_next_run(account: Account, runner: Runner) -> None:
    account.rows.clear()
    runner.sync()
    account.book()
    runner.sync()

    assert len(account.requested) == 2
    assert loaded(runner) == account.rows


def test_rows_that_vanish_while_the_load_goes_on_do_not_disturb_it(account: Account, runner: Runner) -> None:
    gone: list[str] = []

    def destroy(rows: list[Row]) -> None:
        if len(gone) < 4 and len(rows) == PAGE:
            gone.append(rows[-1]["id"])
            del account.rows[gone[-1]]

    account.on_page = destroy
    runner.sync()

    assert len(gone) == 4
    assert account.rows.items() <= loaded(runner).items()
    assert loaded(runner).keys() - account.rows.keys() <= set(gone)


def test_a_list_whose_last_row_is_always_gone_fails_after_some_tries_and_is_not_taken_for_ended(
    account: Account, runner: Runner
) -> None:
    def destroy(rows: list[Row]) -> None:
        if len(rows) == PAGE and "creation_time.gt" in account.requested[-1]:
            account.rows.pop(rows[-1]["id"])

    account.on_page = destroy

    with pytest.raises(ExpiredCursorError, match="parameter `after`"):
        runner.sync()

    assert "replication_key_value" not in state(runner)
    assert sum("after" in query for query in account.requested) == 6


def whole(runner: Runner, messages: Messages | None = None) -> SchedulingTap:
    """A tap that reads bookings in full."""
    tap = runner.build(messages)
    tap.stream(Bookings).forced_replication_method = "FULL_TABLE"
    return tap


def test_read_in_full_it_always_begins_at_the_top_and_drops_what_is_gone(account: Account, runner: Runner) -> None:
    down_to = broken_off(runner)
    for after in (200, None):
        gone = account.rows.popitem()[0]
        messages = Messages(after, kill)
        tap = whole(runner, messages)
        try:
            tap.run()
        except Killed:
            assert not any(message["type"] == "ACTIVATE_VERSION" for message in messages.read)
        tap.pool.shutdown()
        runner.warehouse.load(messages.read)

    assert gone not in loaded(runner)
    assert loaded(runner) == account.rows
    assert instant(state(runner)["first_load"]["created_before"]) == down_to
    assert any("creation_time.gt" in query for query in account.requested)


def test_a_start_date_goes_with_every_request_and_is_exact(account: Account, runner: Runner) -> None:
    start = account.now - timedelta(days=150)
    account.book(start)
    account.book(start - timedelta(microseconds=1))

    runner.sync(start_date=start.isoformat())

    due = {key: row for key, row in account.rows.items() if instant(row["last_updated_time"]) >= start}
    assert loaded(runner) == due
    assert {query.get("last_updated_time.gt") for query in account.requested} == {zulu(start - DAY)}


def test_an_earlier_start_date_begins_the_load_again_and_a_later_one_does_not(
    account: Account, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    start = account.now - timedelta(days=330)
    runner.sync(start_date=start.isoformat(), after=150, then=kill)
    runner.sync(start_date=(start + DAY).isoformat(), after=100, then=kill)
    assert "Starting the first load again" not in caplog.text
    with caplog.at_level("INFO"):
        runner.sync(start_date=(start - DAY).isoformat())

    assert "Starting the first load again: `start_date` is earlier than before" in caplog.text
    due = {key for key, row in account.rows.items() if instant(row["last_updated_time"]) >= start - DAY}
    assert loaded(runner).keys() == due


def test_a_start_date_to_come_asks_for_nothing_and_drops_nothing(account: Account, runner: Runner) -> None:
    runner.sync()
    before = loaded(runner)
    account.requested.clear()
    later = (account.now + DAY).isoformat()
    runner.sync(start_date=later)
    messages = Messages()
    runner.config["start_date"] = later
    tap = whole(runner, messages)
    tap.run()
    tap.pool.shutdown()
    runner.warehouse.load(messages.read)

    assert account.requested == []
    assert loaded(runner) == before


@pytest.mark.parametrize(
    "progress",
    [
        "down there",
        {},
        {"created_before": "2026-01-01"},
        {"created_before": None, "replication_key": "last_updated_time", "replication_key_value": "2026-01-01"},
        {"created_before": "soon", "replication_key": "last_updated_time", "replication_key_value": "2026-01-01"},
        {"created_before": "2026-01-01", "replication_key": "last_updated_time", "replication_key_value": "soon"},
        {"created_before": "2026-01-01", "replication_key": "last_updated_time", "replication_key_value": "2026-01-01"},
    ],
    ids=str,
)
def test_progress_that_cannot_be_used_begins_the_load_again(account: Account, runner: Runner, progress: Any) -> None:
    runner.warehouse.state = {"bookmarks": {"bookings": {"first_load": progress}}}

    runner.sync()

    assert loaded(runner) == account.rows
    assert "first_load" not in state(runner)


def test_the_load_goes_on_where_the_setting_of_the_look_back_says(account: Account, runner: Runner) -> None:
    broken_off(runner)
    began = account.now
    account.live(5)
    account.requested.clear()
    runner.sync(lookback_days=3)

    assert instant(account.requested[0]["last_updated_time.gt"]) == began - 3 * DAY
