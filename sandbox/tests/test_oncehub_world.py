"""Fields of OnceHub's objects in every world, and a world that does not depend on its steps."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

import msgspec
import pytest

from sandbox import Sandbox
from sandbox.calendly.truth import STREAMS as CALENDLY
from sandbox.oncehub.truth import STREAMS
from sandbox.world import DEFAULT_NOW

UNTOUCHED = {
    "tiny": "c606c23d453ca1fd9d4755141f5f6d5d6f05845e4ded5074398029c21c28f03f",
    "test": "16304433e3aac7d1fca1e15b211896562e79e8e0155e066027106ce51fad1977",
}
"""Digests of all of Calendly's rows of a world without a desk."""
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "bool": (bool,),
    "list": (list,),
    "dict": (dict,),
    "any": (str, int, float, bool, list, dict),
}
TABLES = {
    "bookings": """object:str id:str tracking_id:str subject:str status:str in_trash:bool creation_time:ts
        starting_time:ts last_updated_time:ts customer_timezone:str duration_minutes:int virtual_conferencing:dict
        location_description:str? rescheduled_booking_id:str? cancel_reschedule_information:any? attendees:list
        form_submission:dict? custom_fields:list owner:str contact:str conversation:str? external_calendar:dict
        utm_params:dict? booking_calendar:str! ics_url:str! cancel_url:str! reschedule_url:str!
        payment_information:dict?! booking_page:str! master_page:str?! event_type:str!""",
    "contacts": """object:str id:str creation_time:ts last_updated_time:ts last_interacted_time:ts? owner:str
        status:str? email:str? first_name:str last_name:str? job_title:str? company:str? company_size:str? city:str?
        country:str? state:str? street_address:str? post_code:str? salutation:str? phone:str? mobile_phone:str?
        employees:int? has_consent:bool terms_of_sevice:bool! terms_of_service:bool! timezone:str?
        custom_fields:list""",
    "booking_calendars": """object:str id:str host:str name:str subject:str? url:str published:bool
        duration_minutes:int?""",
    "booking_pages": "object:str id:str name:str label:str url:str active:bool timezone:str",
    "event_types": "object:str id:str name:str? description:str? label:str!",
    "master_pages": "object:str id:str name:str label:str url:str active:bool",
    "users": """object:str id:str first_name:str last_name:str? email:str status:str role_name:str timezone:str?
        teams:list""",
    "teams": "object:str id:str name:str",
    "sms_notifications": """object:str id:str type:str status:str creation_time:ts recipient:str recipient_type:str
        details:dict""",
    "webhooks": "object:str id:str api_version:str name:str url:str events:list creation_time:ts secret:str",
    "user_scheduling_availability": "object:str user_id:str timezone:str? weekly:list overrides:list",
    "booking_page_links": "booking_page_id:str relation:str related_id:str",
}
"""Fields and types; `?` may be null, `!` may be missing."""


def everything(sandbox: Sandbox) -> bytes:
    """Return the whole truth as bytes."""
    return msgspec.json.encode({stream: sandbox.truth("oncehub", stream) for stream in STREAMS})


@pytest.mark.parametrize("scale", UNTOUCHED)
def test_the_desk_leaves_the_rest_of_the_world_as_it_was(scale: str) -> None:
    sandbox = Sandbox(7, scale)
    rows = {stream: sandbox.truth("calendly", stream) for stream in CALENDLY}
    assert hashlib.sha256(msgspec.json.encode(rows)).hexdigest() == UNTOUCHED[scale]


def test_the_steps_do_not_matter() -> None:
    leap, walk = Sandbox(scale="test"), Sandbox(scale="test")
    leap.advance(days=60)
    for hours in (1, 24, 47, 0.5, 647.5, 720):
        walk.advance(hours=hours)
        everything(walk)
    late = Sandbox(scale="test", now=DEFAULT_NOW + timedelta(days=60))
    assert everything(leap) == everything(walk) == everything(late)
    assert everything(late) != everything(Sandbox(8, "test", DEFAULT_NOW + timedelta(days=60)))


@pytest.mark.parametrize("seed", range(1, 9))
def test_even_the_smallest_world_has_a_case_of_everything(seed: int) -> None:
    sandbox = Sandbox(seed, "tiny")
    assert [stream for stream in STREAMS if not sandbox.truth("oncehub", stream)] == []
    bookings, contacts = (sandbox.truth("oncehub", stream) for stream in ("bookings", "contacts"))
    assert len(bookings) < 70
    statuses = {row["status"] for row in bookings}
    assert statuses == {"requested", "scheduled", "rescheduled", "completed", "canceled", "no_show"}
    assert {row["in_trash"] for row in bookings} == {True, False}
    assert {type(row["cancel_reschedule_information"]) for row in bookings} == {dict, list, type(None)}
    assert {"reason": "", "actioned_by": "", "user_id": ""} in [
        row["cancel_reschedule_information"] for row in bookings
    ]
    every_type = {str, int, float, bool, list, dict, type(None)}
    forms = [row["form_submission"] for row in bookings if row["form_submission"]]
    for rows in (bookings, contacts, forms):
        assert {type(one["value"]) for row in rows for one in row["custom_fields"]} == every_type
    assert len(forms) < len(bookings)
    assert any("email" not in form for form in forms)
    assert any(row["email"] is None for row in contacts)
    assert {"booking_calendar" in row for row in bookings} == {True, False}
    assert {("booking_page" in row) + ("booking_calendar" in row) for row in bookings} == {1}
    assert any(row.get("payment_information") for row in bookings)
    for field in ("creation_time", "starting_time", "last_updated_time"):
        assert {"." in row[field] for row in bookings} == {True, False}
    assert {"", None} <= {row["conversation"] for row in bookings}
    assert {"terms_of_sevice" in row for row in contacts} == {True, False}
    texts = sandbox.truth("oncehub", "sms_notifications")
    assert {row["status"] for row in texts} == {"sent", "delivered", "failed", "rejected"}
    assert {row["recipient_type"] for row in texts} == {"contact", "user"}
    roles = {row["role_name"] for row in sandbox.truth("oncehub", "users")}
    assert {"Account Owner", "Administrator", "Member"} <= roles
    assert {row["id"][:3] for row in sandbox.truth("oncehub", "master_pages")} == {"MP-", "BP-"}
    assert {row["host"][:3] for row in sandbox.truth("oncehub", "booking_calendars")} == {"USR", "TM-"}


@pytest.mark.parametrize("stream", STREAMS)
def test_rows_have_the_documented_fields(stream: str) -> None:
    rows = Sandbox(scale="test").truth("oncehub", stream)
    kinds = dict(entry.split(":") for entry in TABLES[stream].split())
    needed = {name for name, kind in kinds.items() if not kind.endswith("!")}
    seen = set()
    for row in rows:
        assert needed <= row.keys() <= kinds.keys(), (needed - row.keys(), row.keys() - kinds.keys())
        for name, value in row.items():
            kind = kinds[name].removesuffix("!")
            if value is None:
                assert kind.endswith("?"), name
            elif kind.startswith("ts"):
                assert TIME.fullmatch(value), (name, value)
            else:
                assert type(value) in TYPES[kind.removesuffix("?")], (name, value)
        seen |= {name for name, value in row.items() if value is not None}
    assert kinds.keys() - seen <= {"rescheduled_booking_id"}
