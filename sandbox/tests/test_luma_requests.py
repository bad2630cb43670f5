"""Refusals, rate limit and filters of the Luma API."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox import ManualClock, Sandbox
from sandbox.luma.endpoints import PATHS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.world.gatherings import Gatherings

    Get = Callable[..., requests.Response]

EVENTS = "/v1/calendars/events/list"
GUESTS = "/v1/events/guests/list"


@pytest.fixture
def clock() -> ManualClock:
    """The clock of the rate limit."""
    return ManualClock()


@pytest.fixture
def sandbox(clock: ManualClock) -> Iterator[Sandbox]:
    """A tiny world."""
    with Sandbox(scale="tiny", clock=clock) as running:
        yield running


@pytest.fixture
def gs(sandbox: Sandbox) -> Gatherings:
    """The public events of the tiny world."""
    return sandbox.world.gatherings


@pytest.fixture
def get(sandbox: Sandbox) -> Iterator[Get]:
    """Request from Luma: `get(path, key=…, **params)`."""
    with requests.Session() as session:

        def fetch(path: str, key: str | None = "sandbox-admin", **params: Any) -> requests.Response:
            headers = {} if key is None else {"x-luma-api-key": key}
            return session.get(sandbox.luma.api_url + path, params=params, headers=headers, timeout=5)

        yield fetch


def said(answer: requests.Response) -> tuple[int, str]:
    """Return status and message; every refusal has a null code."""
    body = answer.json()
    assert body.keys() == {"message", "code"}
    assert body["code"] is None
    return answer.status_code, body["message"]


def ids(answer: requests.Response) -> list[str]:
    """Return the ids of a page."""
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["entries"]]


@pytest.mark.parametrize("key", [None, ""])
def test_no_key_is_a_bad_request(get: Get, key: str | None) -> None:
    assert said(get(EVENTS, key=key)) == (400, "Please provide an API key.")


def test_an_unknown_key_is_not_signed_in(get: Get, sandbox: Sandbox) -> None:
    answer = get(EVENTS, key="sandbox-stranger")
    assert said(answer) == (401, "You are not signed in.")
    assert not [name for name in answer.headers if name.lower().startswith("x-ratelimit")]
    assert sandbox.requests[-1].key is None


def test_a_calendar_without_plus_gets_nothing(get: Get) -> None:
    assert {said(get(path, key="sandbox-noplus"))[0] for path in (EVENTS, "/v1/users/get-self")} == {403}


def test_each_kind_of_key_has_its_own_endpoints(get: Get, sandbox: Sandbox) -> None:
    own = sandbox.truth("luma", "events")[0]["id"]
    for path in ("calendars", "events", "admins"):
        assert said(get(f"/v1/organizations/{path}/list"))[0] == 403
        assert get(f"/v1/organizations/{path}/list", key="sandbox-organization").status_code == 200
    for path in (EVENTS, "/v1/calendars/get", "/v1/calendar/list-people", "/v1/webhooks/list"):
        assert said(get(path, key="sandbox-organization"))[0] == 403
    assert said(get(GUESTS, key="sandbox-organization", event_id=own))[0] == 403
    sandbox.luma.organization_reads_events = True
    assert get(GUESTS, key="sandbox-organization", event_id=own).status_code == 200
    assert get("/v1/users/get-self", key="sandbox-organization").status_code == 200


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/events", "/v2/calendars/events/list", f"/public{EVENTS}"])
def test_an_unknown_path_is_not_found(get: Get, path: str) -> None:
    assert said(get(path)) == (404, "Not found")


def test_either_generation_can_be_gone(get: Get, sandbox: Sandbox) -> None:
    sandbox.luma.generations = {"current"}
    assert said(get("/v1/calendar/list-events")) == (404, "Not found")
    assert get(EVENTS).status_code == get("/v1/webhooks/list").status_code == 200
    sandbox.luma.generations = {"legacy"}
    assert said(get(EVENTS)) == (404, "Not found")
    assert get("/public/v1/calendar/list-events").status_code == get("/v1/webhooks/list").status_code == 200
    assert sandbox.truth("luma", "events")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (EVENTS, {"pagination_limit": "0"}),
        (EVENTS, {"pagination_limit": "many"}),
        (EVENTS, {"pagination_cursor": "mine"}),
        (EVENTS, {"after": "yesterday"}),
        (EVENTS, {"sort_column": "created_at"}),
        (EVENTS, {"sort_direction": "up"}),
        (EVENTS, {"status": "rejected"}),
        (EVENTS, {"platforms": "zoom"}),
        (EVENTS, {"access": ["manage", "own"]}),
        (GUESTS, {}),
        (GUESTS, {"event_id": "evt-1", "approval_status": "gone"}),
        (GUESTS, {"event_id": "evt-1", "approval_status": ["approved", "invited"]}),
        (GUESTS, {"event_id": "evt-1", "sort_column": "user_name"}),
        ("/v1/events/ticket-types/list", {"event_id": "evt-1", "include_hidden": "yes"}),
        ("/v1/events/guests/get", {"event_id": "evt-1"}),
        ("/v1/calendars/contacts/list", {"membership_status": "member"}),
    ],
)
def test_a_bad_value_is_refused(get: Get, path: str, query: dict[str, Any]) -> None:
    assert said(get(path, **query))[0] == 400


def test_an_unknown_parameter_is_ignored(get: Get) -> None:
    assert ids(get(EVENTS, updated_since="2026-01-01")) == ids(get(EVENTS))


def test_a_canceled_event_is_gone_with_everything(get: Get, sandbox: Sandbox, gs: Gatherings) -> None:
    event = gs.create()
    guest = gs.register(event)
    params = {"event_id": f"evt-{event.id}"}
    queries = {
        path: params | ({"id": f"gst-{guest.id}"} if endpoint.name == "guest" else {})
        for path, endpoint in PATHS.items()
        if "event_id" in endpoint.params and endpoint.scope == "event"
    }
    assert {get(path, **query).status_code for path, query in queries.items()} == {200}
    gs.cancel(event)
    assert {said(get(path, **query)) for path, query in queries.items()} == {(404, "Not found")}
    assert params["event_id"] not in ids(get(EVENTS))
    sandbox.advance(days=30)


def test_what_is_only_listed_has_no_guests_to_show(get: Get) -> None:
    rows = get(EVENTS, access="view").json()["entries"] + get(EVENTS, platforms="external").json()["entries"]
    assert len(rows) >= 4
    for row in rows:
        for path in ("guests", "ticket-types", "coupons", "blasts"):
            assert said(get(f"/v1/events/{path}/list", event_id=row["id"]))[0] == 403
        assert said(get("/v1/events/get", event_id=row["id"]))[0] == 403


def test_things_by_id_belong_to_a_calendar(get: Get, gs: Gatherings) -> None:
    event = gs.create()
    kind, mailing = event.kinds[0], gs.send_mailing(event)
    for path, query in (
        ("/v1/events/ticket-types/get", {"event_ticket_type_id": f"ttype-{kind.id}"}),
        ("/v1/events/blasts/get", {"blast_id": f"ep-{mailing.id}"}),
    ):
        assert get(path, **query).json()["id"] == next(iter(query.values()))
        assert said(get(path, key="sandbox-second", **query))[0] == 403
        assert said(get(path, **dict.fromkeys(query, "other")))[0] == 404
    gs.delete_ticket_kind(kind)
    assert said(get("/v1/events/ticket-types/get", event_ticket_type_id=f"ttype-{kind.id}"))[0] == 404
    assert said(get("/v1/events/guests/get", event_id=f"evt-{event.id}", id="gst-nobody"))[0] == 404


def test_a_guest_is_found_by_id_key_ticket_or_address(get: Get, gs: Gatherings) -> None:
    event = gs.create()
    guest = gs.register(event)
    for known in (f"gst-{guest.id}", f"g-{guest.key}", guest.tickets[0].id, guest.attendee.email):
        assert get("/v1/events/guests/get", event_id=f"evt-{event.id}", id=known).json()["id"] == f"gst-{guest.id}"


def test_over_the_limit_everything_is_refused_for_a_minute(get: Get, sandbox: Sandbox, clock: ManualClock) -> None:
    first = get("/v1/users/get-self")
    assert (first.headers["X-RateLimit-Limit"], first.headers["X-RateLimit-Remaining"]) == ("200", "199")
    assert int(first.headers["X-RateLimit-Reset"]) == int(sandbox.world.now.timestamp()) + 60
    clock.advance(30)
    assert {get("/v1/users/get-self").status_code for _ in range(199)} == {200}
    over = get("/v1/users/get-self")
    assert said(over)[0] == 429
    assert (over.headers["X-RateLimit-Remaining"], over.headers["Retry-After"]) == ("0", "60")
    clock.advance(45)
    again = get("/v1/users/get-self")
    assert (again.status_code, again.headers["Retry-After"]) == (429, "15")
    assert get("/v1/users/get-self", key="sandbox-second").status_code == 200
    clock.advance(15)
    assert get("/v1/users/get-self").headers["X-RateLimit-Remaining"] == "199"
    assert [name for name, _ in sandbox.luma.refused] == ["sandbox-admin"] * 2


def test_the_rate_limit_headers_have_switches(get: Get, sandbox: Sandbox) -> None:
    assert get("/v1/users/get-self", key="sandbox-organization").headers["X-RateLimit-Limit"] == "500"
    sandbox.luma.requests_per_minute = 1
    sandbox.luma.reset_in_seconds = True
    sandbox.luma.send_retry_after = False
    assert get("/v1/users/get-self").headers["X-RateLimit-Reset"] == "60"
    over = get("/v1/users/get-self")
    assert over.status_code == 429
    assert "Retry-After" not in over.headers


def test_paths_and_events_can_be_hidden_or_forbidden(get: Get, sandbox: Sandbox) -> None:
    first, second, *_ = ids(get(EVENTS))
    whole = len(sandbox.truth("luma", "event_guests"))
    sandbox.luma.hidden = {first, "/v1/calendars/contacts"}
    sandbox.luma.forbidden = {second}
    assert said(get("/v1/calendars/contacts/list"))[0] == 404
    assert said(get(GUESTS, event_id=first))[0] == 404
    assert said(get(GUESTS, event_id=second))[0] == 403
    assert sandbox.truth("luma", "contacts") == []
    assert 0 < len(sandbox.truth("luma", "event_guests")) < whole


def test_lists_of_events_narrow_by_default(get: Get) -> None:
    rows = get(EVENTS).json()["entries"]
    assert {(row["platform"], row["access"]) for row in rows} == {("luma", "manage")}
    own = set(ids(get(EVENTS)))
    view = get(EVENTS, access="view").json()["entries"]
    assert {row["access"] for row in view} == {"view"}
    assert {row["visibility"] for row in view} <= {"public", "members-only"}
    external = get(EVENTS, platforms="external").json()["entries"]
    assert {row["platform"] for row in external} == {"external"}
    everything = set(ids(get(EVENTS, platforms=["luma", "external"], access=["manage", "view"])))
    assert everything == own | {row["id"] for row in view} | {row["id"] for row in external}
    pending = set(ids(get(EVENTS, platforms=["luma", "external"], access=["manage", "view"], status="pending")))
    assert len(pending) >= 3
    assert not pending & everything


def test_after_and_before_bound_the_start(get: Get, sandbox: Sandbox, gs: Gatherings) -> None:
    start = (gs.now + timedelta(days=500)).replace(minute=0)
    event = f"evt-{gs.create(start).id}"
    day = timedelta(days=1)
    assert ids(get(EVENTS, after=(start - day).isoformat(), before=(start + day).isoformat())) == [event]
    assert ids(get(EVENTS, after=start.isoformat())) == []
    sandbox.luma.inclusive_bounds = True
    assert ids(get(EVENTS, after=start.isoformat(), before=start.isoformat())) == [event]


def test_hidden_ticket_types_are_left_out_unless_requested(get: Get, gs: Gatherings) -> None:
    event = gs.create()
    hidden = f"ttype-{gs.add_ticket_kind(event, 'Crew', hidden=True).id}"
    path = "/v1/events/ticket-types/list"
    assert hidden not in ids(get(path, event_id=f"evt-{event.id}"))
    assert hidden in ids(get(path, event_id=f"evt-{event.id}", include_hidden="true"))
    gs.hide_ticket_kind(event.kinds[-1], hidden=False)
    assert hidden in ids(get(path, event_id=f"evt-{event.id}", include_hidden="false"))


def test_guests_of_every_status_come_unless_one_is_requested(get: Get, gs: Gatherings) -> None:
    event = gs.create()
    gs.invite(event)
    gs.register(event)
    params = {"event_id": f"evt-{event.id}"}
    assert len(ids(get(GUESTS, **params))) == 2
    assert len(ids(get(GUESTS, **params, approval_status="invited"))) == 1


@pytest.mark.parametrize("column", ["name", "email", "created_at", "registered_at", "checked_in_at"])
@pytest.mark.parametrize("direction", ["asc", "desc", "asc nulls last", "desc nulls last"])
def test_guests_can_be_sorted(get: Get, gs: Gatherings, column: str, direction: str) -> None:
    event = gs.create()
    for number in range(5):
        gs.register(event, gs.add_attendee(None if number == 2 else f"{number % 2} Nn", f"{9 - number}@mail.example"))
    gs.invite(event)
    for guest in list(event.guests.values())[:2]:
        gs.check_in(guest.tickets[0])
    params = {"event_id": f"evt-{event.id}", "sort_column": column, "sort_direction": direction}
    rows = get(GUESTS, **params).json()["entries"]
    assert len(rows) == 6
    names = {"name": "user_name", "email": "user_email", "registered_at": "registered_at"}
    if column in names:
        values = [row[names[column]] for row in rows]
        known = [value for value in values if value is not None]
        if column == "registered_at":
            known = [datetime.fromisoformat(value) for value in known]
        assert known == sorted(known, reverse=direction.startswith("desc"))
        assert values.index(None) >= len(known) if None in values and direction != "desc" else True
    checked = [any(ticket["checked_in_at"] for ticket in row["event_tickets"]) for row in rows]
    if column == "checked_in_at":
        assert checked == sorted(checked, reverse=direction != "desc")


def test_contacts_can_be_searched(get: Get, gs: Gatherings) -> None:
    path = "/v1/calendars/contacts/list"
    contact = gs.add_contact(gs.main, gs.add_attendee("Zoë Unverwechselbar", "zoe@only.example"))
    gs.tag(contact, gs.main.contact_tags[1])
    gs.edit_contact(contact, membership=("approved", gs.main.tiers[1]))
    tag, tier = f"tag-{gs.main.contact_tags[1].id}", gs.main.tiers[1].id
    assert ids(get(path, query="unverwechsel")) == ids(get(path, query="zoe@only")) == [contact.id]
    assert contact.id in ids(get(path, tags=[tag, "nothing"]))
    assert ids(get(path, calendar_membership_tier_id=tier)) == [contact.id]
    assert contact.id in ids(get(path, membership_status="approved"))
    assert ids(get(path))[0] == contact.id
    assert ids(get(path, sort_column="created_at"))[-1] == contact.id
    older = get("/v1/calendar/list-people", tags=f"{tag},nothing").json()["entries"]
    assert contact.id in [row["api_id"] for row in older]
    gs.untag(contact, gs.main.contact_tags[1])
    assert contact.id not in ids(get(path, tags=tag))


def test_look_ups_find_what_is_public(get: Get, gs: Gatherings) -> None:
    event = gs.create()
    gs.decide(event.listings[0], "rejected")
    found = get("/v1/calendars/events/lookup", event_id=f"evt-{event.id}").json()["event"]
    assert (found["id"], found["status"]) == (f"evt-{event.id}", "rejected")
    assert get("/v1/calendars/events/lookup", url="https://luma.com/none").json() == {"event": None}
    assert get("/v1/entities/lookup", slug=event.slug).json()["entity"]["type"] == "event"
    assert get("/v1/entities/lookup", slug="akademie").json()["entity"]["calendar"]["name"] == "Akademie"
    assert get("/v1/entity/lookup", slug="nowhere").json() == {"entity": None}


def test_a_transferred_event_changes_hands(get: Get, gs: Gatherings) -> None:
    main, second, *_ = gs.calendars.values()
    event = gs.create()
    guest = gs.register(event)
    own = f"evt-{event.id}"
    before = next(row for row in get(EVENTS).json()["entries"] if row["id"] == own)
    gs.transfer(event, second)
    after = next(row for row in get(EVENTS, key="sandbox-second").json()["entries"] if row["id"] == own)
    assert own not in ids(get(EVENTS, access=["manage", "view"]))
    assert (before["calendar_id"], after["calendar_id"]) == (f"cal-{main.id}", f"cal-{second.id}")
    assert said(get(GUESTS, event_id=own))[0] == 403
    assert ids(get(GUESTS, key="sandbox-second", event_id=own)) == [f"gst-{guest.id}"]
