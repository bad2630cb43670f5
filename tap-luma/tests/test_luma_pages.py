"""Pages, blocks, and lists that break off: nothing is lost by them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.luma.endpoints import PATHS
from sandbox.luma.request import Param, one_of
from sandbox.luma.text import event_id
from tap_common.errors import RequestError

if TYPE_CHECKING:
    from harness import Runner, VirtualClock
    from sandbox import Sandbox
    from sandbox.world.gatherings import Gatherings
    from sandbox.world.gatherings import records as g
    from truth import Judge

GUESTS = "/v1/events/guests/list"


def guest_row(luma: Runner, guest: g.Guest) -> dict[str, Any]:
    return luma.warehouse.rows["event_guests"][f"gst-{guest.id}",]


def soon(life: Gatherings, hours: float = 1) -> g.Gathering:
    """An event that ends two hours after it starts."""
    return life.create(life.now + timedelta(hours=hours))


def test_a_page_that_is_shorter_than_requested_is_not_the_last(
    luma: Runner, sandbox: Sandbox, life: Gatherings, judge: Judge
) -> None:
    event = soon(life)
    for _ in range(12):
        life.register(event)
    sandbox.luma.page_cap = 5
    luma.sync(page_size=100)

    assert {row["event_id"] for row in luma.warehouse.rows["event_guests"].values()} >= {event_id(event)}
    judge.check(luma)


def test_a_cursor_behind_the_last_page_is_followed_once_and_not_for_ever(
    luma: Runner, sandbox: Sandbox, judge: Judge
) -> None:
    sandbox.luma.lingering_cursor = True
    luma.sync(page_size=5)

    judge.check(luma)
    cursors = [
        value for requested in sandbox.requests for name, value in requested.query if name == "pagination_cursor"
    ]
    assert len(cursors) == len(set(cursors))


def test_a_cursor_that_names_itself_ends_the_run(luma: Runner, sandbox: Sandbox) -> None:
    sandbox.luma.repeat_token = True

    with pytest.raises(RequestError, match="twice"):
        luma.sync(page_size=5)


def test_guests_who_come_while_pages_are_read_push_nobody_out(
    luma: Runner, sandbox: Sandbox, life: Gatherings, judge: Judge
) -> None:
    for event in list(life.gatherings.values()):
        life.cancel(event)
    event = soon(life)
    for _ in range(20):
        life.register(event)
    sandbox.luma.cursor_by_position = True
    luma.select = lambda name, _: name == "event_guests"

    def come() -> None:
        life.register(event)

    luma.sync(page_size=5, concurrency=1, after=3, then=come)

    requested = [dict(one.query) for one in sandbox.requests if one.path == GUESTS]
    assert {(query["sort_column"], query["sort_direction"]) for query in requested} == {("created_at", "asc")}
    assert len(luma.warehouse.rows["event_guests"]) == 21
    judge.check(luma, ["event_guests"])


def test_a_block_of_a_minute_is_waited_out_and_costs_no_try(
    luma: Runner, sandbox: Sandbox, clock: VirtualClock, judge: Judge
) -> None:
    sandbox.faults.script(GUESTS, ["429", "429", "429"])
    began = clock.monotonic()
    luma.sync(max_retries=1, concurrency=1)

    assert [kind for _, kind in sandbox.faults.injected] == ["429"] * 3
    assert clock.monotonic() - began >= 3 * 60
    judge.check(luma)


@pytest.mark.parametrize("switch", ["hidden", "forbidden"])
def test_an_event_that_can_no_longer_be_read_does_not_stop_the_others(
    luma: Runner, sandbox: Sandbox, life: Gatherings, switch: str
) -> None:
    event = soon(life)
    lost, kept = life.register(event), life.register(soon(life))
    setattr(sandbox.luma, switch, {event_id(event)})
    luma.sync()

    assert (f"gst-{lost.id}",) not in luma.warehouse.rows["event_guests"]
    assert guest_row(luma, kept)


def test_an_event_that_is_cancelled_between_two_pages_does_not_stop_the_others(
    luma: Runner, life: Gatherings, caplog: pytest.LogCaptureFixture
) -> None:
    for event in list(life.gatherings.values()):
        life.cancel(event)
    lost, kept = soon(life), soon(life, 2)
    for _ in range(9):
        life.register(lost)
    guest = life.register(kept)
    luma.select = lambda name, _: name == "event_guests"
    luma.sync(page_size=3, concurrency=1, after=2, then=lambda: life.cancel(lost))

    assert guest_row(luma, guest)
    assert 1 < len(luma.warehouse.rows["event_guests"]) < 10
    assert "in the middle of a list" in caplog.text


def test_a_cursor_that_is_not_accepted_any_more_starts_the_list_again(
    luma: Runner, sandbox: Sandbox, judge: Judge
) -> None:
    luma.select = lambda name, _: name == "contacts"
    luma.sync(page_size=3, after=3, then=sandbox.luma.pager.places.clear)

    assert [requested.status for requested in sandbox.requests].count(400) == 1
    judge.check(luma, ["contacts"])


def test_a_refused_order_is_given_up_once_and_said(
    luma: Runner, sandbox: Sandbox, judge: Judge, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = PATHS[GUESTS]
    without_it = replace(endpoint, params={**endpoint.params, "sort_column": Param(one_of("registered_at"))})
    monkeypatch.setitem(PATHS, GUESTS, without_it)
    luma.sync(concurrency=1)

    refused = [requested for requested in sandbox.requests if requested.status == 400]
    assert len(refused) == 1
    assert caplog.text.count("unsorted") == 1
    judge.check(luma)
