"""SavvyCal: documented fields with their types, and the cases that must occur."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest

from sandbox import Sandbox, World

Row = dict[str, Any]
NULL = type(None)
STATES = {
    "confirmed",
    "canceled",
    "awaiting_reschedule",
    "awaiting_checkout",
    "checkout_expired",
    "awaiting_approval",
    "declined",
    "tentative",
}
TIME = "time"
FIELDS: dict[str, dict[str, set[Any]]] = {
    "events": {
        "id": {str},
        "uuid": {str},
        "state": {str},
        "summary": {str},
        "description": {str, NULL},
        "additional_info": {str, NULL},
        "location": {str, NULL},
        "location_settings": {list, NULL},
        "created_at": {TIME},
        "start_at": {TIME},
        "end_at": {TIME},
        "duration": {int},
        "buffer_before": {int},
        "buffer_after": {int},
        "canceled_at": {TIME, NULL},
        "cancel_reason": {str, NULL},
        "rescheduled_at": {TIME, NULL},
        "reschedule_reason": {str, NULL},
        "original_start_at": {TIME, NULL},
        "original_end_at": {TIME, NULL},
        "conferencing": {dict},
        "description_settings": {dict},
        "is_group_session": {bool},
        "maximum_group_size": {int},
        "link": {dict, NULL},
        "poll": {dict, NULL},
        "scope": {dict, NULL},
        "organizer": {dict, NULL},
        "scheduler": {dict, NULL},
        "attendees": {list},
        "payment": {dict, NULL},
        "metadata": {dict},
        "url": {str},
    },
    "event_attendees": {
        "id": {str},
        "email": {str},
        "display_name": {str},
        "first_name": {str},
        "last_name": {str},
        "phone_number": {str, NULL},
        "time_zone": {str},
        "response_status": {str},
        "is_organizer": {bool},
        "is_scheduler": {bool},
        "marketing_opt_in": {bool},
        "fields": {list},
        "event_id": {str},
        "event_start_at": {TIME},
    },
    "scheduling_links": {
        "id": {str},
        "state": {str},
        "slug": {str},
        "name": {str},
        "private_name": {str, NULL},
        "description": {str, NULL},
        "durations": {list},
        "default_duration": {int, NULL},
        "increment": {int},
        "scope": {dict, NULL},
        "fields": {list},
    },
    "timezones": {
        "id": {str},
        "abbreviation": {str},
        "aliases": {list},
        "canonical": {bool},
        "golden": {bool},
        "legacy": {bool},
        "dst": {bool},
        "formatted_offset": {str},
        "generic_long_name": {str, NULL},
        "long_name": {str},
        "metazone": {dict, NULL},
        "offset": {int},
        "offset_utc": {int},
        "offset_std": {int},
        "period": {dict},
        "windows_zone": {dict, NULL},
    },
    "webhooks": {"id": {str}, "url": {str}, "state": {str}, "version": {str}, "created_at": {TIME}, "secret": {str}},
    "workflows": {"id": {str}, "name": {str}, "state": {str}, "created_at": {TIME}},
    "workflow_rules": {
        "id": {str},
        "trigger_type": {str},
        "trigger_offset_amount": {int},
        "trigger_offset_unit": {str},
        "trigger_offset_direction": {str},
        "created_at": {TIME},
        "actions": {list},
        "workflow_id": {str},
    },
    "current_user": {
        "id": {str},
        "email": {str},
        "display_name": {str},
        "first_name": {str},
        "last_name": {str},
        "avatar_url": {str, NULL},
        "time_zone": {str},
        "time_format": {str},
        "first_day_of_week": {int},
        "plan": {str},
    },
}


def kind_of(value: Any) -> Any:
    """Return the type of a value, which is TIME for a string that is a time."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value):
        return TIME
    return type(value)


@pytest.fixture(scope="module")
def truth() -> dict[str, list[Row]]:
    """All rows of a busier world."""
    sandbox = Sandbox(scale="test")
    return {stream: sandbox.truth("savvycal", stream) for stream in FIELDS}


@pytest.mark.parametrize("stream", FIELDS)
def test_every_row_has_exactly_the_documented_fields(truth: dict[str, list[Row]], stream: str) -> None:
    assert truth[stream]
    for row in truth[stream]:
        assert set(row) == set(FIELDS[stream])
        for name, value in row.items():
            assert kind_of(value) in FIELDS[stream][name], f"{name}: {value!r}"


@pytest.mark.parametrize("stream", sorted(FIELDS.keys() - {"current_user"}))
def test_every_documented_type_occurs(truth: dict[str, list[Row]], stream: str) -> None:
    for name, kinds in FIELDS[stream].items():
        assert {kind_of(row[name]) for row in truth[stream]} == kinds, name


def cases(events: list[Row]) -> dict[str, bool]:
    """Return the fixed cases of every world that occur."""
    people = [one for event in events for one in event["attendees"]]
    payments = [event["payment"] for event in events if event["payment"]]
    paid = [one for one in payments if one["state"] == "paid"]
    found = {state: any(event["state"] == state for event in events) for state in STATES}
    found |= {f"no {name}": any(event[name] is None for event in events) for name in ("scheduler", "organizer")}
    found |= {f"a {name}": any(event[name] for event in events) for name in ("poll", "metadata", "original_start_at")}
    found |= {
        "an answer": any(field["value"] for one in people for field in one["fields"]),
        "amounts": any(one["amount_total"] for one in paid),
        "no amounts": any(one["amount_total"] is None for one in paid),
        "awaiting": any(one["state"] == "awaiting_checkout" and one["url"] for one in payments),
        "somewhere to join": any(event["conferencing"]["join_url"] for event in events),
        "nowhere to join": any(not event["conferencing"]["join_url"] for event in events),
        "a group": any(event["is_group_session"] and len(event["attendees"]) > 2 for event in events),
        "a Z": any(event["start_at"].endswith("Z") for event in events),
        "an offset": any(not event["start_at"].endswith("Z") for event in events),
    }
    return found


@pytest.mark.parametrize(("seed", "scale"), [*((seed, "tiny") for seed in range(1, 9)), (7, "test"), (7, "demo")])
def test_every_case_occurs_in_every_world(seed: int, scale: str) -> None:
    sandbox = Sandbox(seed, scale)
    events = sandbox.truth("savvycal", "events")
    assert [name for name, occurs in cases(events).items() if not occurs] == []
    bounds = {"tiny": (40, 62), "test": (180, 300), "demo": (1000, 2500)}
    low, high = bounds[scale]
    assert low < len(events) < high
    assert {row["state"] for row in sandbox.truth("savvycal", "scheduling_links")} == {"active", "disabled"}
    assert {row["state"] for row in sandbox.truth("savvycal", "workflows")} == {"active", "disabled"}


def test_answers_have_options(truth: dict[str, list[Row]]) -> None:
    fields = [field for one in truth["event_attendees"] for field in one["fields"]]
    assert {tuple(field) for field in fields} == {("id", "type", "label", "options", "value")}
    assert any(field["options"] for field in fields)
    assert all(set(option) == {"label", "value"} for field in fields for option in field["options"])


def test_organizer_and_scheduler_are_among_the_attendees(truth: dict[str, list[Row]]) -> None:
    for event in truth["events"]:
        for name in ("organizer", "scheduler"):
            flagged = [one for one in event["attendees"] if one[f"is_{name}"]]
            assert flagged == ([event[name]] if event[name] else [])


def test_times_agree_with_each_other(truth: dict[str, list[Row]]) -> None:
    for event in truth["events"]:
        start, end = datetime.fromisoformat(event["start_at"]), datetime.fromisoformat(event["end_at"])
        assert (end - start).total_seconds() == 60 * event["duration"]
        assert (event["canceled_at"] is not None) == (event["state"] == "canceled")
        assert (event["rescheduled_at"] is None) == (event["original_start_at"] is None)


def test_ids_have_the_prefix_of_their_kind_and_no_two_are_the_same(truth: dict[str, list[Row]]) -> None:
    prefixes = {
        "events": "event",
        "event_attendees": "attendee",
        "scheduling_links": "link",
        "webhooks": "wh",
        "workflows": "wkflw",
        "workflow_rules": "wrule",
        "current_user": "user",
    }
    for stream, prefix in prefixes.items():
        ids = [row["id"] for row in truth[stream]]
        assert len(set(ids)) == len(ids)
        assert all(re.fullmatch(rf"{prefix}_[0-9A-HJKMNP-TV-Z]{{26}}", one) for one in ids)


def test_the_other_id_may_be_missing() -> None:
    sandbox = Sandbox(scale="tiny")
    sandbox.savvycal.send_uuid = False
    assert not any("uuid" in row for row in sandbox.truth("savvycal", "events"))


def test_the_smallest_world_is_small() -> None:
    assert len(World(scale="tiny").invites.all()) < 60
