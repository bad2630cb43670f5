"""The ways in which a sync of OnceHub can lose data without an error, and that this one does not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from typing_extensions import override

from harness import Messages
from oncehub_api import booked, booking, every
from sandbox.oncehub.bookings import booking_ref
from tap_bookings.tap import TapBookings
from tap_common.errors import ExpiredCursorError, RequestError, SettingsError
from tap_common.state.timestamps import instant

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness import Runner
    from sandbox import Sandbox
    from truth import Judge

    RecordedRequest = Callable[..., list[dict[str, str]]]

Row = dict[str, Any]
DAY = timedelta(days=1)


def test_what_changes_while_a_run_goes_on_is_in_the_next_one_at_the_latest(
    oncehub: Runner, sandbox: Sandbox, judge: Judge
) -> None:
    old = booked(sandbox)

    def live_on() -> None:
        sandbox.advance(minutes=1)
        booked(sandbox)
        sandbox.world.desk.edit_booking_form(old, note="while reading")
        sandbox.advance(minutes=1)

    for after in (5, 30, 60):
        oncehub.sync(after=after, then=live_on, page_size=5)
        sandbox.advance(minutes=5)
        booked(sandbox)
        oncehub.sync(page_size=5)
        assert judge.verdict(oncehub, oncehub.warehouse.rows) == {}
        oncehub.warehouse.state = None


def test_no_bookmark_passes_the_start_of_its_run_whatever_this_machine_thinks_the_time_is(
    oncehub: Runner, sandbox: Sandbox
) -> None:
    for _ in range(3):
        tap = oncehub.sync(then=lambda: sandbox.advance(hours=2), after=20)
        bookmarks = (oncehub.warehouse.state or {})["bookmarks"]
        values = [bookmarks[stream]["replication_key_value"] for stream in ("bookings", "contacts")]
        assert all(instant(value) <= tap.run_started for value in values)
        sandbox.advance(days=3)


def test_each_run_looks_a_day_behind_its_bookmark_at_least(
    oncehub: Runner, sandbox: Sandbox, requested: RecordedRequest
) -> None:
    oncehub.sync()
    bookmark = instant((oncehub.warehouse.state or {})["bookmarks"]["bookings"]["replication_key_value"])
    for days, behind in ((1, DAY), (3, 3 * DAY), (0, DAY)):
        before = len(sandbox.requests)
        state = oncehub.warehouse.state
        oncehub.sync(lookback_days=days)
        oncehub.warehouse.state = state
        (query,) = requested("/v2/bookings", before)
        assert instant(query["last_updated_time.gt"]) == bookmark - behind


def test_an_old_booking_that_is_cancelled_today_is_seen_behind_pages_of_newer_ones(
    oncehub: Runner, sandbox: Sandbox
) -> None:
    old = booked(sandbox, 90)
    oncehub.sync()
    sandbox.advance(days=60)
    oncehub.sync()
    sandbox.advance(hours=3)
    sandbox.world.cancel_booking(old, "ill")
    for _ in range(7):
        booked(sandbox)
    oncehub.sync(page_size=2)

    row = booking(oncehub, sandbox, old)
    assert row["status"] == "canceled"
    assert "ill" in str(row["cancel_reschedule_information"])


@pytest.mark.parametrize(
    ("happens", "status"),
    [
        (lambda sandbox, made: sandbox.world.mark_no_show(made), "no_show"),
        (lambda _sandbox, _made: None, "completed"),
    ],
)
def test_what_becomes_of_a_booking_later_is_seen(
    oncehub: Runner, sandbox: Sandbox, happens: Callable[[Sandbox, Any], None], status: str
) -> None:
    made = booked(sandbox, 2)
    oncehub.sync()
    assert booking(oncehub, sandbox, made)["status"] == "scheduled"
    sandbox.advance(days=20)
    happens(sandbox, made)
    oncehub.sync()

    assert booking(oncehub, sandbox, made)["status"] == status


def test_a_booking_that_is_moved_keeps_its_row_or_leaves_it_cancelled(
    oncehub: Runner, sandbox: Sandbox, judge: Judge
) -> None:
    made = [booked(sandbox, 5 + day) for day in range(6)]
    oncehub.sync()
    sandbox.advance(hours=30)
    for number, one in enumerate(made):
        sandbox.world.reschedule(one, sandbox.world.now + (20 + number) * DAY)
    oncehub.sync()

    assert judge.verdict(oncehub, ["bookings"]) == {}
    assert {row["status"] for row in oncehub.warehouse.rows["bookings"].values()} >= {"rescheduled", "canceled"}


def test_bookings_are_requested_by_change_alone_and_in_every_status(
    oncehub: Runner, sandbox: Sandbox, requested: RecordedRequest
) -> None:
    oncehub.sync()
    sandbox.advance(days=2)
    oncehub.sync()

    for path in ("bookings", "contacts"):
        query = [set(query) for query in requested(f"/v2/{path}")]
        assert query == [{"limit"}, {"limit", "last_updated_time.gt"}]


def test_filters_and_page_size_go_with_every_page_and_link_is_not_followed(
    oncehub: Runner, sandbox: Sandbox, requested: RecordedRequest
) -> None:
    oncehub.sync()
    sandbox.advance(days=40)
    for _ in range(7):
        booked(sandbox)
    before = len(sandbox.requests)
    oncehub.sync(page_size=3)

    pages = requested("/v2/bookings", before)
    assert len(pages) > 3
    assert len({query["last_updated_time.gt"] for query in pages}) == 1
    assert {query["limit"] for query in pages} == {"3"}
    assert ["after" in query for query in pages] == [False] + [True] * (len(pages) - 1)
    assert all(request.path.startswith("/v2/") and request.status == 200 for request in sandbox.requests)


@pytest.mark.parametrize("signs", [("has_more", "Link"), ("has_more",), ("Link",), ()], ids=str)
@pytest.mark.parametrize("size", [1, 7, 100])
def test_every_list_is_read_to_its_end_whether_or_not_it_says_that_more_follow(
    oncehub: Runner, sandbox: Sandbox, judge: Judge, size: int, signs: tuple[str, ...]
) -> None:
    sandbox.oncehub.send_has_more, sandbox.oncehub.send_link = "has_more" in signs, "Link" in signs
    oncehub.select = lambda name, _: name in ("bookings", "sms_notifications", "booking_calendars", "users")

    oncehub.sync(page_size=size, requests_per_minute=60_000)

    assert judge.verdict(oncehub, oncehub.warehouse.rows) == {}


def test_messages_are_paged_without_any_sign_that_more_follow(
    oncehub: Runner, sandbox: Sandbox, judge: Judge, requested: RecordedRequest
) -> None:
    sandbox.oncehub.send_link = False
    made = booked(sandbox)
    while len(sandbox.truth("oncehub", "sms_notifications")) < 20:
        sandbox.world.desk.send_sms(made)
    oncehub.select = lambda name, _: name == "sms_notifications"

    oncehub.sync(page_size=10)

    assert judge.verdict(oncehub, oncehub.warehouse.rows) == {}
    assert len(requested("/v2/notifications/sms")) == 3


def test_every_list_is_requested_with_the_largest_page(oncehub: Runner, sandbox: Sandbox) -> None:
    oncehub.select = every
    oncehub.sync()

    sizes = {request.path: dict(request.query).get("limit") for request in sandbox.requests}
    unpaged = {path for path, size in sizes.items() if size is None}
    assert all(path == "/v2/test" or path.endswith("/scheduling-availability") for path in unpaged)
    assert set(sizes.values()) == {"100", None}


def test_a_page_size_over_the_limit_is_refused_before_anything_is_requested(oncehub: Runner, sandbox: Sandbox) -> None:
    with pytest.raises(SettingsError, match="`page_size` is out of range"):
        oncehub.sync(page_size=101)

    assert sandbox.requests == []


def test_a_page_that_repeats_is_an_error_and_not_for_ever(oncehub: Runner, sandbox: Sandbox) -> None:
    sandbox.oncehub.repeat_token = True

    with pytest.raises(RequestError, match="Two pages ended with the same row"):
        oncehub.sync(page_size=5)


class Vandal(Messages):
    """Does something with the id of each row, up to so many, as soon as it was written."""

    def __init__(self, then: Callable[[str], None], times: int) -> None:
        super().__init__()
        self.destroy, self.times = then, times

    @override
    def write(self, line: bytes, *, flush: bool) -> None:
        super().write(line, flush=flush)
        if self.read[-1]["type"] == "RECORD" and self.times:
            self.times -= 1
            self.destroy(self.read[-1]["record"]["id"])


@pytest.fixture
def vandal(sandbox: Sandbox) -> Callable[[int], Vandal]:
    """Makes a target before whose eyes the bookings that it was given are destroyed."""
    desk = sandbox.world.desk

    def destroy(written: str) -> None:
        desk.destroy(next(one for one in desk.tickets.values() if booking_ref(sandbox.oncehub, one) == written))

    return lambda times: Vandal(destroy, times)


@pytest.mark.parametrize("answer", ["refuse", "continue"])
def test_a_last_row_that_is_destroyed_between_two_pages_ends_no_list(
    oncehub: Runner, sandbox: Sandbox, vandal: Callable[[int], Vandal], answer: str, judge: Judge
) -> None:
    sandbox.oncehub.after_deleted_anchor = answer
    sandbox.oncehub.trash_moves_update_time = True
    oncehub.select = lambda name, _: name == "bookings"
    oncehub.sync()
    sandbox.advance(days=60)
    tap = oncehub.build(messages := vandal(2), page_size=1)
    tap.run()
    tap.pool.shutdown()
    oncehub.warehouse.load(messages.read)

    assert sum(request.status == 400 for request in sandbox.requests) == (2 if answer == "refuse" else 0)
    differences = judge.verdict(oncehub, ["bookings"]).get("bookings", [])
    assert [each for each in differences if not each.startswith("not in the source")] == []


def test_a_refused_after_is_tried_again_five_times_and_then_fails(
    oncehub: Runner, sandbox: Sandbox, vandal: Callable[[int], Vandal]
) -> None:
    oncehub.select = lambda name, _: name == "bookings"
    oncehub.sync()
    sandbox.advance(days=60)
    before = str(oncehub.warehouse.state)
    tap = oncehub.build(messages := vandal(99), page_size=1)
    with pytest.raises(ExpiredCursorError, match="parameter `after`"):
        tap.run()
    tap.pool.shutdown()

    assert sum(request.status == 400 for request in sandbox.requests) == 6
    states = [message["value"] for message in messages.read if message["type"] == "STATE"]
    assert [str(state) for state in states] == [before, before]  # the one that it went on from, and that of the stream


def test_no_address_is_in_the_state_and_that_of_another_account_is_refused(oncehub: Runner, sandbox: Sandbox) -> None:
    oncehub.sync()
    state = oncehub.warehouse.state or {}
    covers = state["bookmarks"]["bookings"]["covers"]
    assert len(covers["scope"]) == 16
    assert "@" not in str(state)

    for bookmark in state["bookmarks"].values():
        bookmark.get("covers", {})["scope"] = "another account's"
    before = len(sandbox.requests)
    with pytest.raises(SettingsError, match="another account than the one whose rows the state is about"):
        oncehub.sync()
    assert [requested.path for requested in sandbox.requests[before:]] == ["/v2/test"]


def test_an_account_is_looked_for_in_the_beginning_of_a_text_alone(
    oncehub: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    tap = cast("TapBookings", oncehub.build())
    monkeypatch.setattr(tap, "key_test", {"message": "a" * 10_000_000}, raising=False)
    assert tap.account is None  # in less than a hundred years


def test_where_the_api_does_not_tell_whose_key_it_is_the_state_is_gone_by_and_no_account_can_be_named(
    oncehub: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    oncehub.sync()
    monkeypatch.setattr(TapBookings, "account", None)
    oncehub.sync()
    assert "bookings" not in oncehub.warehouse.written

    with pytest.raises(SettingsError, match=r"does not tell the mail address .*, so that .* cannot be checked"):
        oncehub.sync(accounts={"any": "somebody@x.example"})
    oncehub.sync(accounts={"any": "*"})
