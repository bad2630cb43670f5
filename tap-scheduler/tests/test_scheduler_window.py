"""The period of meetings that a run requests: complete, whichever query SavvyCal accepts."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from sandbox.savvycal.text import id_of
from tap_common.http.pagination import Signals
from tap_common.state.timestamps import canonical, instant
from tap_scheduler.client import RefusedError
from tap_scheduler.period import NewestFirst, period_queries
from tap_scheduler.streams import Events
from tap_scheduler.tap import TapScheduler

if TYPE_CHECKING:
    from harness import Runner
    from sandbox import Sandbox
    from truth import Judge

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - UTC is given beside
EVENTS = ("/v1/events", 200)
MOMENT = datetime(2026, 6, 1, 9, tzinfo=UTC)
# Few and near each other, so that pages lie on both sides of an edge.
STARTS = st.integers(0, 9).map(lambda days: MOMENT + timedelta(days=days))


def event(savvycal: Runner, thing: Any) -> dict[str, Any]:
    return savvycal.warehouse.rows["events"][id_of("event", thing.meeting),]


def lists(sandbox: Sandbox) -> list[dict[str, str]]:
    """Return the query parameters of the lists of events, of first pages only."""
    queries = [dict(request.query) for request in sandbox.requests if request.path == "/v1/events"]
    fixed = {"state", "attendance", "limit"}
    return [
        {name: value for name, value in query.items() if name not in fixed} for query in queries if "after" not in query
    ]


# The window


def test_a_later_run_asks_from_a_day_before_the_look_back_on_and_without_an_end(
    savvycal: Runner, sandbox: Sandbox
) -> None:
    savvycal.sync()
    savvycal.sync(lookback_days=10)

    edge = sandbox.world.now - timedelta(days=10)
    assert lists(sandbox) == [
        {"period": "all"},
        {"period": "fixed", "from": (edge.date() - timedelta(days=1)).isoformat()},
    ]
    assert all(savvycal.warehouse.written[stream] > 0 for stream in ("events", "event_attendees"))


@pytest.mark.parametrize("zone", [None, "Pacific/Kiritimati", "Etc/GMT+12", "UTC"])
@pytest.mark.parametrize("hour", [0, 9, 23])
def test_the_edge_of_the_window_is_whole_in_whatever_zone_its_date_is_taken(
    savvycal: Runner, sandbox: Sandbox, zone: str | None, hour: int
) -> None:
    sandbox.savvycal.from_zone = zone
    first = sandbox.world.now.replace(hour=hour) + timedelta(days=1)
    edge = sandbox.world.invites.open(start=first)
    sandbox.advance(days=2)
    savvycal.sync()
    bookmark = instant((savvycal.warehouse.state or {})["bookmarks"]["events"]["replication_key_value"])
    days = (bookmark - first).days + 1
    sandbox.world.invites.retitle(edge, "On the edge")
    savvycal.sync(lookback_days=days)

    assert event(savvycal, edge)["summary"] == "On the edge"


def test_after_a_gap_longer_than_the_look_back_nothing_has_been_skipped(
    savvycal: Runner, sandbox: Sandbox, judge: Judge
) -> None:
    late = sandbox.world.invites.open(start=sandbox.world.now + timedelta(days=1))
    savvycal.sync()
    sandbox.advance(days=20)
    sandbox.world.invites.retitle(late, "Late")
    sandbox.advance(days=45)
    savvycal.sync()

    assert event(savvycal, late)["summary"] == "Late"
    judge.check(savvycal)


def in_full(savvycal: Runner) -> Runner:
    """The same, with a catalog that says that meetings are read in full."""
    catalog = savvycal.build().catalog_dict
    for entry in catalog["streams"]:
        if entry["tap_stream_id"] in ("events", "event_attendees"):
            entry["replication_method"] = "FULL_TABLE"
    savvycal.tap = partial(TapScheduler, catalog=catalog)  # type: ignore[assignment]  # called as the class is
    return savvycal


@pytest.mark.parametrize("method", ["INCREMENTAL", "FULL_TABLE"])
def test_meetings_before_the_start_date_are_not_written_nor_are_their_attendees(
    savvycal: Runner, sandbox: Sandbox, judge: Judge, method: str
) -> None:
    start = sandbox.world.now.replace(hour=10) + timedelta(days=1)
    before = sandbox.world.invites.open(start=start - timedelta(minutes=1))
    after = sandbox.world.invites.open(start=start)
    runner = in_full(savvycal) if method == "FULL_TABLE" else savvycal
    for _ in range(2):
        runner.sync(start_date=start.isoformat())

    rows = savvycal.warehouse.rows
    assert event(savvycal, after)
    assert (id_of("event", before.meeting),) not in rows["events"]
    assert all(instant(row["start_at"]) >= start for row in rows["events"].values())
    assert all(instant(row["event_start_at"]) >= start for row in rows["event_attendees"].values())
    assert lists(sandbox) == [{"period": "fixed", "from": (start.date() - timedelta(days=1)).isoformat()}] * 2
    savvycal.sync()
    judge.check(savvycal)


def test_read_in_full_every_run_drops_what_is_gone(savvycal: Runner, sandbox: Sandbox) -> None:
    group = sandbox.world.invites.open(seats=5, bookings=3)
    runner = in_full(savvycal)
    runner.sync()
    before = len(savvycal.warehouse.rows["event_attendees"])
    sandbox.world.invites.drop_attendee(group)
    runner.sync()

    present = {(row["event_id"], row["id"]) for row in sandbox.truth("savvycal", "event_attendees")}
    assert savvycal.warehouse.rows["event_attendees"].keys() == present
    assert len(present) == before - 1
    assert lists(sandbox) == [{"period": "all"}] * 2


# Where it is not accepted


def years_later(sandbox: Sandbox) -> str:
    return (sandbox.world.now.date() + timedelta(days=5 * 366)).isoformat()


def test_where_a_period_needs_an_end_it_gets_one_and_the_log_says_so_once(
    savvycal: Runner, sandbox: Sandbox, judge: Judge, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.savvycal.from_alone_refused = True
    savvycal.sync()
    sandbox.advance(days=3)
    savvycal.sync()

    window = {"period": "fixed", "from": (sandbox.world.now.date() - timedelta(days=34)).isoformat()}
    assert lists(sandbox)[1:] == [window, {**window, "until": years_later(sandbox)}]
    assert [line.rpartition(": ")[2] for line in caplog.messages if "does not accept" in line] == [
        "requesting the next five years."
    ]
    judge.check(savvycal)


def test_where_no_period_is_accepted_the_future_is_read_and_then_the_past_backwards(
    savvycal: Runner, sandbox: Sandbox, judge: Judge, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.savvycal.fixed_refused = True
    savvycal.sync()
    whole = len(sandbox.requests)
    sandbox.advance(days=3)
    tap = savvycal.sync(page_size=5)

    assert [query["period"] for query in lists(sandbox)] == ["all", "fixed", "fixed", "upcoming", "past"]
    assert lists(sandbox)[-1]["direction"] == "desc"
    said = [line.rpartition(": ")[2] for line in caplog.messages if "does not accept" in line]
    assert said == ["requesting the next five years.", "reading upcoming meetings, then past ones backwards."]
    answered = [request.query for request in sandbox.requests[whole:] if (request.path, request.status) == EVENTS]
    edge = sandbox.world.now - timedelta(days=33)
    due = sum(edge <= one.start < sandbox.world.now for one in sandbox.world.invites.all())
    assert sum(("period", "past") in query for query in answered) <= due // 5 + 2
    assert tap.streams["events"].request_counter.value == len(answered)  # type: ignore[attr-defined]  # a REST stream
    judge.check(savvycal)


def test_a_meeting_that_begins_between_the_two_reads_is_in_both_not_in_neither(
    savvycal: Runner, sandbox: Sandbox, judge: Judge
) -> None:
    sandbox.savvycal.fixed_refused = True
    savvycal.sync()
    new = sandbox.world.invites.open(start=sandbox.world.now + timedelta(days=1))
    savvycal.select = lambda name, default: default and name != "event_attendees"
    # After a schema and a few rows of the future, which are read three at a time.
    savvycal.sync(page_size=3, after=4, then=lambda: sandbox.advance(days=2))

    requested = [dict(request.query).get("period") for request in sandbox.requests]
    assert requested.index("upcoming") < requested.index("past")
    assert event(savvycal, new)["state"] == "confirmed"
    judge.check(savvycal, ["events"])


def test_when_no_way_is_accepted_the_run_says_so(savvycal: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    savvycal.sync()
    monkeypatch.setattr(Events, "params", {"state": "unheard of"})

    with pytest.raises(RefusedError, match=r"422 .* on /v1/events \(stream `events`\)"):
        savvycal.sync()


# For any moment, any zone, any order


@given(since=MOMENTS, offset=st.integers(-12, 14))
def test_a_window_begins_before_its_edge_everywhere_on_earth(since: datetime, offset: int) -> None:
    zone = timezone(timedelta(hours=offset))
    for way in period_queries(since, MOMENT)[:2]:
        begins = date.fromisoformat(way.lists[0]["from"])
        assert datetime(begins.year, begins.month, begins.day, tzinfo=zone) <= since
        assert since - datetime(begins.year, begins.month, begins.day, tzinfo=zone) < timedelta(days=3)


@pytest.mark.parametrize("earliest", ["0001-01-01T00:00:00Z", "9000-01-01T00:00:00Z"])
def test_any_start_date_is_a_window(earliest: str) -> None:
    for way in period_queries(instant(earliest), MOMENT):
        for query in way.lists:
            assert query.get("from", "") <= query.get("until", "~")


def pages_of(starts: list[datetime | None], sizes: list[int]) -> list[bytes]:
    rest = list(starts)
    pages: list[dict[str, Any]] = []
    for size in [*sizes, len(rest)]:
        cut, rest = rest[:size], rest[size:]
        entries = [{"start_at": start and canonical(start)} for start in cut]
        pages.append({"entries": entries, "metadata": {"after": f"c{len(pages)}"}})
    pages[-1]["metadata"] = {"after": None}
    return [json.dumps(page).encode() for page in pages]


def read(pages: list[bytes], edge: datetime | None) -> list[datetime | None]:
    """The starts on the pages that the paginator follows."""
    found: list[datetime | None] = []
    paginator = NewestFirst(Signals("$.metadata.after", rows="$.entries[*]"), edge, lambda: MOMENT + timedelta(days=10))
    for page in pages:
        response = requests.Response()
        response._content = page
        found += [start and instant(start) for start in (row["start_at"] for row in json.loads(page)["entries"])]
        paginator.advance(response)
        if paginator.finished:
            break
    return found


@given(
    starts=st.lists(STARTS, max_size=12),
    sizes=st.lists(st.integers(0, 3), max_size=8),
    edge=st.none() | STARTS,
    shuffled=st.booleans(),
)
def test_backwards_nothing_that_is_due_is_left_unread(
    starts: list[datetime], sizes: list[int], edge: datetime | None, *, shuffled: bool
) -> None:
    listed: list[datetime | None] = [*(starts if shuffled else sorted(starts, reverse=True))]
    found = read(pages_of(listed, sizes), edge)

    assert found == listed[: len(found)]
    in_order = all(later and earlier and later >= earlier for later, earlier in pairwise(found))
    if not in_order or edge is None:
        assert found == listed
    if not shuffled and edge:
        assert [start for start in listed if start and start >= edge] == [x for x in found if x and x >= edge]


@given(starts=st.lists(STARTS, min_size=5), place=st.integers(0, 3))
def test_where_a_meeting_has_no_start_the_list_is_read_to_its_end(starts: list[datetime], place: int) -> None:
    listed: list[datetime | None] = [*sorted(starts, reverse=True)]
    listed.insert(place, None)

    assert read(pages_of(listed, [4, 1, 1]), MOMENT + timedelta(days=10)) == listed


def test_an_order_that_breaks_between_two_pages_is_no_order() -> None:
    starts: list[datetime | None] = [MOMENT + timedelta(days=day) for day in (5, 6, 0, 0, 7)]

    assert read(pages_of(starts, [1, 1, 2]), MOMENT + timedelta(days=4)) == starts


def test_a_whole_page_before_the_edge_ends_the_reading() -> None:
    starts: list[datetime | None] = [MOMENT - timedelta(days=day) for day in range(100)]

    assert len(read(pages_of(starts, [10] * 9), MOMENT - timedelta(days=25))) == 40
