"""Pages of Calendly: complete, in order, and bound to their query."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import Response

    from sandbox import Sandbox

    Get = Callable[..., Response]

STALE = {
    "title": "Invalid Argument",
    "message": "The supplied parameters are invalid.",
    "details": [{"parameter": "page_token", "message": "is invalid"}],
}


def read(get: Get, path: str, **params: Any) -> tuple[list[Any], list[dict[str, Any]]]:
    """Return all rows and all paginations, page by page."""
    rows, seen = [], []
    while True:
        body = get(path, **params).json()
        rows += body["collection"]
        seen.append(body["pagination"])
        params["page_token"] = body["pagination"]["next_page_token"]
        if params["page_token"] is None:
            return rows, seen


PAGED = ["scheduled_events", "organization_memberships", "groups", "group_relationships", "routing_forms"]
PAGED += ["activity_log_entries", "outgoing_communications"]


@pytest.mark.parametrize("path", PAGED)
def test_paging_by_hand_finds_the_truth(sandbox: Sandbox, get: Get, org: str, path: str) -> None:
    sandbox.calendly.requests_per_minute = 10_000
    rows, _ = read(get, f"/{path}", organization=org, count=3)
    assert rows == sandbox.truth("calendly", path)


@pytest.mark.parametrize("path", ["contacts", "teams"])
def test_paging_without_an_organization_finds_the_truth(sandbox: Sandbox, get: Get, path: str) -> None:
    rows, _ = read(get, f"/{path}", count=1)
    assert rows == sandbox.truth("calendly", path)


def test_listed_and_hydrated_event_types_are_the_truth(sandbox: Sandbox, get: Get, org: str) -> None:
    rows, _ = read(get, "/event_types", organization=org, count=7)
    events, _ = read(get, "/scheduled_events", organization=org, count=100)
    missing = {event["event_type"] for event in events} - {row["uri"] for row in rows}
    assert missing
    gone = [get(uri.removeprefix("https://api.calendly.com")).json()["resource"] for uri in missing]
    assert all(row["deleted_at"] for row in gone)
    truth = sandbox.truth("calendly", "event_types")
    assert sorted(rows + gone, key=lambda row: row["uri"]) == sorted(truth, key=lambda row: row["uri"])


def test_children_requested_one_by_one_are_the_truth(sandbox: Sandbox, get: Get, org: str) -> None:
    events, _ = read(get, "/scheduled_events", organization=org, count=100)
    paths = [event["uri"].removeprefix("https://api.calendly.com") for event in events]
    invitees = [row for path in paths for row in read(get, f"{path}/invitees", count=2)[0]]
    assert invitees == sandbox.truth("calendly", "event_invitees")
    contacts, _ = read(get, "/contacts", count=100)
    uris = [row["uri"] for row in contacts]
    notes = [row for n in range(0, len(uris), 10) for row in read(get, "/notes", contact=",".join(uris[n : n + 10]))[0]]
    assert sorted(notes, key=itemgetter("uri")) == sorted(
        sandbox.truth("calendly", "contact_notes"), key=itemgetter("uri")
    )
    recaps = [
        row for one in ("available", "processing", "unavailable") for row in read(get, "/meeting_recaps", status=one)[0]
    ]
    assert recaps == sandbox.truth("calendly", "meeting_recaps")


def test_twenty_rows_are_the_default_and_a_hundred_the_most(sandbox: Sandbox, get: Get, org: str) -> None:
    assert len(sandbox.world.meetings) > 20
    assert len(get("/scheduled_events", organization=org).json()["collection"]) == 20
    for count in ("0", "101", "-1", "ten", ""):
        refused = get("/scheduled_events", organization=org, count=count)
        assert refused.status_code == 400
        assert refused.json()["details"][0]["parameter"] == "count"


def test_events_come_by_start_in_either_direction(get: Get, org: str) -> None:
    rising, _ = read(get, "/scheduled_events", organization=org, count=6, sort="start_time:asc")
    falling, _ = read(get, "/scheduled_events", organization=org, count=6, sort="start_time:desc")
    starts = [row["start_time"][:19] for row in rising]
    assert starts == sorted(starts)
    assert falling == rising[::-1]


def test_event_types_come_by_any_documented_field(get: Get, org: str) -> None:
    for field in ("created_at", "updated_at", "position"):
        values = [row[field] for row in read(get, "/event_types", organization=org, count=5, sort=f"{field}:desc")[0]]
        assert values == sorted(values, reverse=True)


def test_start_bounds_are_inclusive(sandbox: Sandbox, get: Get, org: str) -> None:
    events = sandbox.truth("calendly", "scheduled_events")
    low, high = events[5]["start_time"], events[15]["start_time"]
    found, _ = read(get, "/scheduled_events", organization=org, min_start_time=low, max_start_time=high, count=4)
    starts = [row["start_time"] for row in events if low[:19] <= row["start_time"][:19] <= high[:19]]
    assert [row["start_time"] for row in found] == starts


def test_a_page_links_both_ways_on_calendlys_own_host(get: Get, org: str) -> None:
    first = get("/scheduled_events", organization=org, count=5).json()
    assert first["pagination"]["previous_page_token"] is None
    second = get(
        "/scheduled_events", organization=org, count=5, page_token=first["pagination"]["next_page_token"]
    ).json()
    assert second["pagination"]["next_page"].startswith("https://api.calendly.com/scheduled_events?")
    back = get("/scheduled_events", organization=org, count=5, page_token=second["pagination"]["previous_page_token"])
    assert back.json()["collection"] == first["collection"]
    assert back.json()["pagination"]["previous_page_token"] is None


def test_rows_that_come_and_change_between_pages_move_no_other_row(sandbox: Sandbox, get: Get, org: str) -> None:
    before = {row["uri"]: row for row in sandbox.truth("calendly", "scheduled_events")}
    first = get("/scheduled_events", organization=org, count=10).json()
    world = sandbox.world
    listed = sorted(world.meetings.values(), key=lambda meeting: meeting.start)
    world.book(start=listed[3].start)
    world.add_note(listed[15], "changed")
    world.erase(listed[4])
    rest, _ = read(
        get, "/scheduled_events", organization=org, count=10, page_token=first["pagination"]["next_page_token"]
    )
    seen = {row["uri"] for row in first["collection"] + rest}
    assert before.keys() <= seen


@pytest.mark.parametrize("changed", [{"count": 6}, {"sort": "start_time:desc"}, {"status": "active"}])
def test_a_token_is_bound_to_its_query(get: Get, org: str, changed: dict[str, Any]) -> None:
    token = get("/scheduled_events", organization=org, count=5).json()["pagination"]["next_page_token"]
    params = {"organization": org, "count": 5, "page_token": token}
    assert get("/scheduled_events", **params).status_code == 200
    refused = get("/scheduled_events", **params | changed)
    assert (refused.status_code, refused.json()) == (400, STALE)
    assert get("/scheduled_events", organization=org, count=5, page_token=org).json() == STALE


def test_a_token_goes_stale_while_other_things_are_requested(sandbox: Sandbox, get: Get, org: str) -> None:
    sandbox.calendly.page_token_requests = 3
    params = {"organization": org, "count": 5}
    params["page_token"] = get("/scheduled_events", **params).json()["pagination"]["next_page_token"]
    for _ in range(3):
        get("/users/me")
    assert get("/scheduled_events", **params).status_code == 200
    refused = get("/scheduled_events", **params)
    assert (refused.status_code, refused.json()) == (400, STALE)


def test_an_empty_page_in_the_middle_carries_on(sandbox: Sandbox, get: Get, org: str) -> None:
    sandbox.calendly.empty_pages = True
    rows, seen = read(get, "/scheduled_events", organization=org, count=15)
    assert rows == sandbox.truth("calendly", "scheduled_events")
    assert [page["count"] for page in seen][:3] == [15, 0, 15]


def test_a_token_can_repeat_for_ever(sandbox: Sandbox, get: Get, org: str) -> None:
    sandbox.calendly.repeat_token = True
    params = {"organization": org, "count": 5}
    token = get("/scheduled_events", **params).json()["pagination"]["next_page_token"]
    for _ in range(3):
        page = get("/scheduled_events", **params, page_token=token).json()
        assert page["pagination"]["next_page_token"] == token


def test_the_activity_log_counts_itself(get: Get, org: str) -> None:
    page = get("/activity_log_entries", organization=org, count=2).json()
    assert page["total_count"] > 2
    assert page["exceeds_max_total_count"] is False
    assert page["last_event_time"][:19] == page["collection"][0]["occurred_at"][:19]
    moments = [row["occurred_at"] for row in read(get, "/activity_log_entries", organization=org, count=50)[0]]
    assert [text[:19] for text in moments] == sorted((text[:19] for text in moments), reverse=True)
