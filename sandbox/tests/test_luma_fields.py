"""Fields of the Luma API with their types: each occurs in a row of even the smallest world."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox import ManualClock, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Row = dict[str, Any]

T, N, B, D, A, NULL = str, int | float, bool, dict, list, None
MAYBE = T | NULL

EVENT: dict[str, Any] = {
    "platform": T,
    "id": T,
    "calendar_id": T,
    "name": T,
    "url": T,
    "created_at": T,
    "start_at": T,
    "end_at": T,
    "duration_interval": T,
    "timezone": T,
    "geo_address_json": D | NULL,
    "coordinate": D | NULL,
}
VIEW = EVENT | {
    "access": T,
    "user_id": T,
    "cover_url": T,
    "visibility": T,
    "location_type": T,
    "location_visibility": T,
    "waitlist_status": T,
}
MANAGE = VIEW | {
    "meeting_url": MAYBE,
    "registration_open": B,
    "require_approval": B,
    "spots_remaining": N | NULL,
    "display_price": D | NULL,
    "max_capacity": N | NULL,
    "can_register_for_multiple_tickets": B,
    "feedback_email": D,
    "registration_questions?": A,
}
LABELS = {"tags": A, "submitted_by": D | NULL}
GUEST: dict[str, Any] = {
    "id": T,
    "user_id": T,
    "user_email": T,
    "user_name": MAYBE,
    "user_first_name": MAYBE,
    "user_last_name": MAYBE,
    "approval_status": T,
    "check_in_qr_code": T,
    "registered_at": MAYBE,
    "invited_at": MAYBE,
    "joined_at": MAYBE,
    "phone_number": MAYBE,
    "eth_address": MAYBE,
    "solana_address": MAYBE,
    "utm_source": MAYBE,
    "registration_answers": A | NULL,
    "event_tickets": A,
}
COUPON: dict[str, Any] = {
    "id": T,
    "code": T,
    "remaining_count": int,
    "valid_start_at": MAYBE,
    "valid_end_at": MAYBE,
    "percent_off": N | NULL,
    "cents_off": N | NULL,
    "currency": MAYBE,
}
ACCOUNT = {"id": T, "email": T, "name": MAYBE, "first_name": MAYBE, "last_name": MAYBE, "avatar_url": T}
TAG = {"id": T, "name": T, "color": T}
MONEY = {"amount": N, "amount_discount": N, "amount_tax": N, "currency": MAYBE, "is_captured": B}
CALENDAR: dict[str, Any] = {
    "id": T,
    "name": T,
    "url": T,
    "slug": MAYBE,
    "avatar_url": MAYBE,
    "description": MAYBE,
    "social_image_url": MAYBE,
    "cover_image_url": MAYBE,
    "instagram_handle": MAYBE,
    "twitter_handle": MAYBE,
    "youtube_handle": MAYBE,
    "website": MAYBE,
    "is_personal": B,
    "location": D | NULL,
    "coordinate": D | NULL,
}
OLD_IDS = {"api_id": T, "user_api_id": T, "calendar_api_id": T}
OLD_PLACE = {"geo_latitude": MAYBE, "geo_longitude": MAYBE, "zoom_meeting_url": MAYBE}
STREAMS: dict[str, dict[str, Any]] = {
    "events": MANAGE | LABELS,
    "event_details": MANAGE | {"description": T, "description_md": T, "hosts": A, "guest_counts": D},
    "event_guests": GUEST | {"event_id": T},
    "event_tickets": {
        "id": T,
        "event_ticket_type_id": T,
        "name": T,
        **MONEY,
        "checked_in_at": MAYBE,
        "event_id": T,
        "guest_id": T,
    },
    "guest_orders": {"id": T, **MONEY, "coupon_info": D | NULL, "event_id": T, "guest_id": T},
    "event_hosts": ACCOUNT | {"event_id": T},
    "ticket_types": {
        "id": T,
        "name": T,
        "type": T,
        "require_approval": B,
        "is_hidden": B,
        "is_flexible": B,
        "description": MAYBE,
        "valid_start_at": MAYBE,
        "valid_end_at": MAYBE,
        "max_capacity": N | NULL,
        "cents?": N,
        "min_cents?": N | NULL,
        "currency?": T,
        "event_id": T,
    },
    "event_coupons": COUPON | {"event_ticket_type_id": MAYBE, "event_id": T},
    "calendar_coupons": COUPON,
    "event_blasts": {
        "id": T,
        "subject": MAYBE,
        "content_md": T,
        "status": T,
        "scheduled_for": MAYBE,
        "sent_at": MAYBE,
        "recipient_groups": A,
        "recipient_count": N,
        "email_open_count": N,
        "sender": D | NULL,
        "can_edit": B,
        "can_reschedule": B,
        "event_id": T,
    },
    "contacts": ACCOUNT
    | {
        "user_id": T,
        "created_at": T,
        "event_approved_count": N,
        "event_checked_in_count": N,
        "revenue_usd_cents": N,
        "tags": A,
        "membership": D | NULL,
    },
    "contact_tags": TAG,
    "event_tags": TAG,
    "calendar": CALENDAR,
    "calendar_admins": ACCOUNT | {"calendar_id": T},
    "membership_tiers": {"id": T, "name": T, "tint_color": T, "description": MAYBE, "access_info": D},
    "organization_calendars": CALENDAR,
    "organization_admins": ACCOUNT | {"api_id": T},
    "organization_events": {name: of for name, of in MANAGE.items() if name != "access"}
    | OLD_IDS
    | OLD_PLACE
    | {"managing_calendars": A},
    "webhooks": {"id": T, "url": T, "event_types": A, "status": T, "created_at": T, "secret": T},
}
NEVER_NULL = {"calendar", "calendar_admins", "organization_admins", "event_hosts", "calendar_coupons"}
"""Streams with too few rows for every field to be null in one and not in another."""


@pytest.fixture(scope="module", params=[7, 8, 9])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A tiny world that is only read."""
    with Sandbox(request.param, "tiny", clock=ManualClock()) as running:
        running.luma.requests_per_minute = 1_000_000
        yield running


@pytest.fixture(scope="module")
def get(sandbox: Sandbox) -> Iterator[Callable[..., Row]]:
    """Request from Luma: `get(path, **params)`."""
    with requests.Session() as session:
        session.headers["x-luma-api-key"] = "sandbox-admin"

        def fetch(path: str, **params: Any) -> Row:
            answer = session.get(sandbox.luma.api_url + path, params=params, timeout=5)
            assert answer.status_code == 200, answer.text
            body: Row = answer.json()
            return body

        yield fetch


def check(rows: Iterable[Row], fields: dict[str, Any], *, nulls: bool = True) -> None:
    """Compare rows with the documented fields; one with a question mark is missing in some rows, but not in all."""
    rows = list(rows)
    assert rows
    required = {name for name in fields if not name.endswith("?")}
    optional = {name[:-1] for name in fields.keys() - required}
    for row in rows:
        assert required <= row.keys() <= required | optional
    for name, of in ((name.rstrip("?"), of) for name, of in fields.items()):
        values = [row[name] for row in rows if name in row]
        assert values, f"{name} is never there"
        assert all(isinstance(value, of) for value in values), (name, values[:5])
        if of is not B:
            assert not any(isinstance(value, bool) for value in values), name
        if nulls and isinstance(None, of):
            assert any(value is not None for value in values), f"{name} is always null"
            assert None in values, f"{name} is never null"


@pytest.mark.parametrize("stream", STREAMS)
def test_rows_have_every_field_with_its_type(sandbox: Sandbox, stream: str) -> None:
    nulls = stream not in NEVER_NULL | {"organization_calendars"}
    always_null = {"organization_events": {"currency"}}
    fields = {name: of for name, of in STREAMS[stream].items() if name not in always_null.get(stream, set())}
    check(sandbox.truth("luma", stream), fields, nulls=nulls)


def test_what_is_only_listed_shows_less(get: Callable[..., Row], sandbox: Sandbox) -> None:
    path = "/v1/calendars/events/list"
    check(get(path, access="view")["entries"], VIEW | LABELS, nulls=False)
    check(get(path, platforms="external")["entries"], EVENT | LABELS | {"host": MAYBE}, nulls=False)
    coarse = [row for row in get(path, access="view")["entries"] if row["location_visibility"] == "guests-only"]
    assert all("full_address" not in row["geo_address_json"] for row in coarse)
    assert coarse
    sandbox.luma.fuller_view = True
    assert "spots_remaining" in get(path, access="view")["entries"][0]
    sandbox.luma.fuller_view = False


def test_external_events_have_ids_of_their_own(get: Callable[..., Row]) -> None:
    rows = get("/v1/calendars/events/list", platforms="external")["entries"]
    assert all(row["id"].startswith("calev-") for row in rows)
    assert None in [row["host"] for row in rows]


def test_every_case_of_events_occurs(get: Callable[..., Row], sandbox: Sandbox) -> None:
    rows = sandbox.truth("luma", "events")
    kinds = {"discord", "meet", "twitch", "twitter", "youtube", "zoom", "offline", "missing", "unknown"}
    assert {row["location_type"] for row in rows} == kinds
    assert {row["visibility"] for row in rows} == {"public", "members-only", "private"}
    assert {row["location_visibility"] for row in rows} == {"public", "guests-only"}
    assert {row["waitlist_status"] for row in rows} == {"enabled", "disabled"}
    starts = [datetime.fromisoformat(row["start_at"]) for row in rows]
    made = [datetime.fromisoformat(row["created_at"]) for row in rows]
    assert any(start < created for start, created in zip(starts, made, strict=True))
    assert max(starts).year == 2027
    assert any(re.fullmatch(r"P\d+DT.*", row["duration_interval"]) for row in rows)
    assert {row["start_at"][-1] == "Z" for row in rows} == {True, False}
    assert any(row["tags"] for row in rows)
    questions = [one for row in rows for one in row.get("registration_questions", [])]
    assert len({one["question_type"] for one in questions}) == 15
    assert {one["terms"]["content_type"] for one in questions if "terms" in one} == {"text", "link"}
    guests = {row["event_id"] for row in sandbox.truth("luma", "event_guests")}
    assert {row["id"] for row in rows} - guests
    pending = get(
        "/v1/calendars/events/list", status="pending", platforms=["luma", "external"], access=["manage", "view"]
    )
    assert {(row["platform"], row.get("access")) for row in pending["entries"]} == {
        ("luma", "manage"),
        ("luma", "view"),
        ("external", None),
    }
    assert any(row["submitted_by"] for row in pending["entries"])


def test_every_case_of_guests_occurs(sandbox: Sandbox) -> None:
    rows = sandbox.truth("luma", "event_guests")
    statuses = {"approved", "session", "pending_approval", "invited", "declined", "waitlist"}
    assert {row["approval_status"] for row in rows} == statuses
    assert all((row["registered_at"] is None) == (row["approval_status"] in {"invited", "session"}) for row in rows)
    several = [row["event_tickets"] for row in rows if len(row["event_tickets"]) > 1]
    assert any(len({ticket["checked_in_at"] is None for ticket in tickets}) == 2 for tickets in several)
    answers = [answer for row in rows for answer in row["registration_answers"] or []]
    assert {type(answer["value"]) for answer in answers} == {bool, dict, str, list, type(None)}
    assert all(answer.keys() == {"label", "question_id", "question_type", "value"} for answer in answers)
    hidden = {row["id"] for row in sandbox.truth("luma", "ticket_types") if row["is_hidden"]}
    assert hidden & {row["event_ticket_type_id"] for row in sandbox.truth("luma", "event_tickets")}
    stamps = [row["registered_at"] for row in rows if row["registered_at"]]
    assert {stamp[-1] == "Z" for stamp in stamps} == {True, False}
    assert all(datetime.fromisoformat(stamp).tzinfo for stamp in stamps)


def test_every_case_around_events_occurs(sandbox: Sandbox) -> None:
    assert {row["status"] for row in sandbox.truth("luma", "event_blasts")} == {"scheduled", "sent", "quarantined"}
    assert any(row["email_open_count"] for row in sandbox.truth("luma", "event_blasts"))
    types = {row["access_info"]["type"] for row in sandbox.truth("luma", "membership_tiers")}
    assert types == {"free", "payment-once", "payment-recurring"}
    assert 1_000_000 in [row["remaining_count"] for row in sandbox.truth("luma", "event_coupons")]
    assert {row["type"] for row in sandbox.truth("luma", "ticket_types")} == {"free", "paid"}
    coupons = [row["coupon_info"] for row in sandbox.truth("luma", "guest_orders") if row["coupon_info"]]
    assert all(one.keys() == {"api_id", "code", "percent_off", "cents_off", "currency"} for one in coupons)
    contacts = sandbox.truth("luma", "contacts")
    assert any(row["revenue_usd_cents"] for row in contacts)
    assert any(row["tags"] for row in contacts)
    assert {row["membership"]["status"] for row in contacts if row["membership"]} >= {"approved", "pending", "declined"}


def test_counts_of_guests_agree_with_the_guests(sandbox: Sandbox) -> None:
    guests = sandbox.truth("luma", "event_guests")
    for row in sandbox.truth("luma", "event_details"):
        own = [guest for guest in guests if guest["event_id"] == row["id"]]
        counts = row["guest_counts"]
        for status in ("approved", "pending_approval", "waitlist", "invited", "declined"):
            assert counts[status]["guests"] == sum(guest["approval_status"] == status for guest in own)
        assert counts["invited"]["tickets"] == 0
        assert counts["waitlist"]["tickets"] >= counts["waitlist"]["guests"]
        inside = [ticket for guest in own for ticket in guest["event_tickets"] if ticket["checked_in_at"]]
        assert counts["checked_in"]["tickets"] == len(inside)


def test_older_events_are_wrapped_and_lack_what_is_newer(get: Callable[..., Row], sandbox: Sandbox) -> None:
    entries = get("/public/v1/calendar/list-events")["entries"]
    assert [entry["event"]["id"] for entry in entries] == [row["id"] for row in sandbox.truth("luma", "events")]
    assert all(entry.keys() == {"api_id", "event", "tags"} for entry in entries)
    assert any(tag.keys() == {"id", "name", "api_id"} for entry in entries for tag in entry["tags"])
    shared = ("platform", "access", "location_type", "location_visibility", "coordinate", "waitlist_status")
    newer = {"registration_open", "require_approval", "spots_remaining", "display_price", "max_capacity", *shared}
    newer.add("can_register_for_multiple_tickets")
    fields = {name: of for name, of in MANAGE.items() if name not in newer} | OLD_IDS | OLD_PLACE
    check((entry["event"] for entry in entries), fields)
    event = entries[0]["event"]
    assert event["api_id"] == event["id"]
    one = get("/v1/event/get", api_id=event["id"])
    assert one["event"]["description_md"].startswith("#")
    assert one["hosts"][0]["api_id"] == one["hosts"][0]["id"]
    assert one == get("/v1/event/get", id=event["id"])


def test_older_guests_have_twins(get: Callable[..., Row], sandbox: Sandbox) -> None:
    older: list[Row] = []
    for row in sandbox.truth("luma", "events"):
        entries = get("/v1/event/get-guests", event_api_id=row["id"])["entries"]
        assert entries == get("/v1/event/get-guests", event_id=row["id"])["entries"]
        older += [entry["guest"] for entry in entries]
    fields = {"api_id": T, "user_api_id": T, "custom_source": MAYBE, "event_ticket": D | NULL, "checked_in_at": MAYBE}
    check(older, GUEST | fields)
    answers = [answer for row in older for answer in row["registration_answers"] or []]
    assert {type(answer["answer"]) for answer in answers} == {bool, str, list, type(None)}
    company = next(answer for answer in answers if answer["question_type"] == "company" and answer["value"])
    assert company["value"] == {"company": company["answer_company"], "job_title": company["answer_job_title"]}
    for row in older:
        inside = [ticket["checked_in_at"] for ticket in row["event_tickets"] if ticket["checked_in_at"]]
        assert row["checked_in_at"] == min(inside, default=None)
        assert all(ticket["api_id"] == ticket["id"] for ticket in row["event_tickets"])


def test_older_guests_can_have_three_more_fields(get: Callable[..., Row], sandbox: Sandbox) -> None:
    guest = sandbox.truth("luma", "event_guests")[0]
    sandbox.luma.legacy_guest_extras = True
    found = get("/v1/event/get-guest", event_api_id=guest["event_id"], email=guest["user_email"])["guest"]
    sandbox.luma.legacy_guest_extras = False
    assert (found["email"], found["name"], found["api_id"]) == (guest["user_email"], guest["user_name"], guest["id"])
    assert found["created_at"]
    assert isinstance(found["event_ticket_orders"], list)


def test_other_older_lists_have_older_names(get: Callable[..., Row], sandbox: Sandbox) -> None:
    event = next(row["event_id"] for row in sandbox.truth("luma", "event_coupons"))
    types = get("/v1/event/ticket-types/list", event_api_id=event)
    assert types.keys() == {"ticket_types"}
    assert {row["type"] for row in types["ticket_types"]} == {"free", "fiat-price"}
    coupon = get("/v1/event/coupons", event_api_id=event)["entries"][0]
    assert coupon["api_id"]
    assert "id" not in coupon
    person = get("/v1/calendar/list-people")["entries"][0]
    assert person["user"].keys() == {*ACCOUNT, "api_id"}
    assert person["api_id"] == person["id"]
    assert get("/v1/calendar/get")["calendar"].keys() == {*CALENDAR, "api_id"}
    assert get("/v1/user/get-self")["user"]["email"] == "host1@sandbox.example"
    assert get("/v1/calendar/lookup-event", event_api_id=event)["event"]["api_id"] == event
    assert get("/v1/calendar/lookup-event", event_api_id="evt-none") == {"event": None}
    hook = sandbox.truth("luma", "webhooks")[0]["id"]
    assert get("/v1/webhooks/get", id=hook)["webhook"] | {"api_id": 0} == get("/v2/webhooks/get", id=hook) | {
        "api_id": 0
    }
