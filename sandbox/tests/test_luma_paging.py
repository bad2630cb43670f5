"""Pages of the Luma API: every row once, even while rows come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox import ManualClock, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Row = dict[str, Any]
    Get = Callable[..., Row]

EVENTS = "/v1/calendars/events/list"
GUESTS = "/v1/events/guests/list"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A world with an event of more than fifty guests."""
    with Sandbox(scale="test", clock=ManualClock()) as running:
        running.luma.requests_per_minute = 1_000_000
        yield running


@pytest.fixture
def get(sandbox: Sandbox) -> Iterator[Get]:
    """Request from Luma: `get(path, **params)`."""
    with requests.Session() as session:
        session.headers["x-luma-api-key"] = "sandbox-admin"

        def fetch(path: str, status: int = 200, **params: Any) -> Row:
            answer = session.get(sandbox.luma.api_url + path, params=params, timeout=5)
            assert answer.status_code == status, answer.text
            body: Row = answer.json()
            return body

        yield fetch


@pytest.fixture
def crowd(sandbox: Sandbox) -> str:
    """The id of the event with the most guests."""
    events = sandbox.world.gatherings.gatherings.values()
    return f"evt-{max(events, key=lambda event: len(event.guests)).id}"


def pages(get: Get, path: str, **params: Any) -> Iterator[Row]:
    """Yield the pages of a list."""
    page = get(path, **params)
    yield page
    while page["has_more"]:
        page = get(path, **params, pagination_cursor=page["next_cursor"])
        yield page


def test_the_limit_is_capped_and_pages_may_be_short(get: Get, sandbox: Sandbox, crowd: str) -> None:
    found = list(pages(get, GUESTS, event_id=crowd, pagination_limit=1000))
    sizes = [len(page["entries"]) for page in found]
    assert max(sizes) <= 50
    assert sizes[0] < 50
    assert found[0]["has_more"]
    assert "next_cursor" not in found[-1]
    ids = [row["id"] for page in found for row in page["entries"]]
    truth = [row["id"] for row in sandbox.truth("luma", "event_guests") if row["event_id"] == crowd]
    assert len(ids) == len(set(ids)) == sum(sizes)
    assert sorted(ids) == sorted(truth)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
def test_any_page_size_gives_the_whole_list(get: Get, sandbox: Sandbox, limit: int) -> None:
    rows = [row for page in pages(get, EVENTS, pagination_limit=limit) for row in page["entries"]]
    assert rows == sandbox.truth("luma", "events")
    backwards = [
        row
        for page in pages(get, EVENTS, pagination_limit=limit, sort_direction="desc nulls last")
        for row in page["entries"]
    ]
    assert backwards == rows[::-1]


@pytest.mark.parametrize("direction", ["asc", "desc", "asc nulls last", "desc nulls last"])
def test_rows_without_a_value_are_on_some_page(get: Get, sandbox: Sandbox, crowd: str, direction: str) -> None:
    params = {"event_id": crowd, "pagination_limit": 9, "sort_column": "checked_in_at", "sort_direction": direction}
    ids = [row["id"] for page in pages(get, GUESTS, **params) for row in page["entries"]]
    truth = [row["id"] for row in sandbox.truth("luma", "event_guests") if row["event_id"] == crowd]
    assert sorted(ids) == sorted(truth)


def test_rows_come_and_go_between_pages_and_move_no_other(get: Get, sandbox: Sandbox) -> None:
    gs = sandbox.world.gatherings
    steady = {row["id"] for row in sandbox.truth("luma", "events")}
    seen: list[str] = []
    for number, page in enumerate(pages(get, EVENTS, pagination_limit=4)):
        seen += [row["id"] for row in page["entries"]]
        gs.create()
        if number % 2 == 0:
            doomed = next(one for one in gs.gatherings.values() if f"evt-{one.id}" in steady)
            steady.discard(f"evt-{doomed.id}")
            gs.cancel(doomed)
    assert steady <= set(seen)
    assert len(seen) == len(set(seen))


def test_new_guests_append_when_sorted_by_creation(get: Get, sandbox: Sandbox, crowd: str) -> None:
    gs = sandbox.world.gatherings
    event = gs.gatherings[crowd.removeprefix("evt-")]
    seen = []
    for number, page in enumerate(pages(get, GUESTS, event_id=crowd, sort_column="created_at", pagination_limit=20)):
        seen += [row["id"] for row in page["entries"]]
        if number < 3:
            gs.invite(event)
    assert seen == [f"gst-{guest.id}" for guest in event.guests.values()]


def test_positional_cursors_lose_rows_when_others_go(get: Get, sandbox: Sandbox) -> None:
    sandbox.luma.cursor_by_position = True
    gs = sandbox.world.gatherings
    whole = sandbox.truth("luma", "events")
    page = get(EVENTS, pagination_limit=5)
    gs.cancel(gs.gatherings[page["entries"][0]["id"].removeprefix("evt-")])
    second = get(EVENTS, pagination_limit=5, pagination_cursor=page["next_cursor"])
    assert second["entries"][0] == whole[len(page["entries"]) + 1]


def test_a_cursor_belongs_to_its_path_and_query(get: Get, sandbox: Sandbox, crowd: str) -> None:
    cursor = get(EVENTS, pagination_limit=3)["next_cursor"]
    assert get(EVENTS, pagination_limit=3, pagination_cursor=cursor, unknown="x")["entries"]
    get(EVENTS, 400, pagination_limit=3, pagination_cursor=cursor, sort_direction="desc")
    get(EVENTS, 400, pagination_cursor=cursor)
    get(GUESTS, 400, event_id=crowd, pagination_limit=3, pagination_cursor=cursor)
    sandbox.luma.cursor_bound_to_query = False
    cursor = get(EVENTS, pagination_limit=3)["next_cursor"]
    assert get(EVENTS, pagination_cursor=cursor)["entries"]
    get(GUESTS, 400, event_id=crowd, pagination_cursor=cursor)


def test_a_lingering_cursor_leads_nowhere(get: Get, sandbox: Sandbox) -> None:
    sandbox.luma.lingering_cursor = True
    *_, last = pages(get, EVENTS, pagination_limit=50)
    assert not last["has_more"]
    beyond = get(EVENTS, pagination_limit=50, pagination_cursor=last["next_cursor"])
    assert (beyond["entries"], beyond["has_more"], "next_cursor" in beyond) == ([], False, True)


def test_an_empty_page_in_the_middle_loses_nothing(get: Get, sandbox: Sandbox) -> None:
    sandbox.luma.empty_pages = True
    found = list(pages(get, EVENTS, pagination_limit=10))
    assert (found[1]["entries"], found[1]["has_more"]) == ([], True)
    assert [row for page in found for row in page["entries"]] == sandbox.truth("luma", "events")


def test_a_repeated_cursor_never_ends(get: Get, sandbox: Sandbox) -> None:
    sandbox.luma.repeat_token = True
    cursor = get(EVENTS, pagination_limit=5)["next_cursor"]
    for _ in range(2):
        page = get(EVENTS, pagination_limit=5, pagination_cursor=cursor)
        assert (page["has_more"], page["next_cursor"]) == (True, cursor)


def test_lists_without_pages_ignore_what_is_said_of_them(get: Get, sandbox: Sandbox) -> None:
    for path in ("calendars/contact-tags", "calendars/event-tags", "calendars/admins"):
        page = get(f"/v1/{path}/list", pagination_limit=1)
        assert page["has_more"] is False
        assert len(page["entries"]) > 1
    event = sandbox.truth("luma", "event_blasts")[0]["event_id"]
    for path in ("ticket-types", "blasts"):
        assert get(f"/v1/events/{path}/list", event_id=event, pagination_limit=1).keys() == {"entries"}


def test_the_older_labels_have_pages(get: Get) -> None:
    first = get("/v1/calendar/list-person-tags", pagination_limit=2, sort_column="name")
    assert first["has_more"]
    rest = get(
        "/v1/calendar/list-person-tags", pagination_limit=2, sort_column="name", pagination_cursor=first["next_cursor"]
    )
    assert [row["name"] for row in first["entries"] + rest["entries"]] == ["Presse", "Speaker", "VIP"]


@pytest.mark.parametrize(
    ("stream", "path"),
    [
        ("events", EVENTS),
        ("contacts", "/v1/calendars/contacts/list"),
        ("calendar_coupons", "/v1/calendars/coupons/list"),
        ("membership_tiers", "/v1/memberships/tiers/list"),
        ("webhooks", "/v1/webhooks/list"),
        ("event_guests", GUESTS),
        ("event_coupons", "/v1/events/coupons/list"),
        ("event_blasts", "/v1/events/blasts/list"),
    ],
)
def test_the_truth_is_what_paging_gives(get: Get, sandbox: Sandbox, stream: str, path: str) -> None:
    truth = sandbox.truth("luma", stream)
    parents: list[Row] = [{}]
    if stream.startswith("event_"):
        parents = [{"event_id": row["id"]} for row in sandbox.truth("luma", "events")]
    rows = []
    for parent in parents:
        page = get(path, **parent)
        found = page["entries"]
        while page.get("has_more"):
            page = get(path, **parent, pagination_cursor=page["next_cursor"])
            found += page["entries"]
        rows += [row | parent for row in found]
    assert rows == truth
    assert rows


def test_extra_fields_are_everywhere(get: Get, sandbox: Sandbox, crowd: str) -> None:
    streams = ("events", "event_guests", "event_tickets", "guest_orders", "event_hosts", "event_details", "contacts")
    sandbox.luma.extra_fields = {stream: {"mood": "fine"} for stream in streams}
    for stream in streams:
        assert {row["mood"] for row in sandbox.truth("luma", stream)} == {"fine"}
    row = get(GUESTS, event_id=crowd)["entries"][-1]
    assert (row["mood"], {ticket["mood"] for ticket in row["event_tickets"]}) == ("fine", {"fine"})
    older = get("/v1/event/get-guests", event_api_id=crowd)["entries"][-1]["guest"]
    assert older["mood"] == "fine"
