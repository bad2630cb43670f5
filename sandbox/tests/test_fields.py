"""Fields of Calendly's endpoints: the documented ones, and no others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox.calendly.truth import STREAMS

if TYPE_CHECKING:
    from sandbox import Sandbox

URI = re.compile(r"https://(api\.calendly\.com|calendly\.com|hooks\.example|img\.example|meet\.example)/\S+")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?Z")
CHECKS: dict[str, Any] = {
    "str": lambda value: isinstance(value, str),
    "uri": lambda value: isinstance(value, str) and URI.fullmatch(value),
    "ts": lambda value: isinstance(value, str) and TIME.fullmatch(value),
    "int": lambda value: type(value) is int,
    "bool": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "dict": lambda value: isinstance(value, dict),
    "any": lambda _: True,
}
USER = """uri:uri name:str slug:str email:str scheduling_url:uri timezone:str avatar_url:uri? locale:str
    time_notation:str created_at:ts updated_at:ts"""
TABLES = {
    "api_user": USER + " current_organization:uri resource_type:str",
    "organization": "uri:uri name:str plan:str stage:str kind:str created_at:ts updated_at:ts",
    "organization_memberships": "uri:uri role:str organization:uri user:dict created_at:ts updated_at:ts",
    "organization_invitations": """uri:uri organization:uri email:str status:str created_at:ts updated_at:ts
        last_sent_at:ts? user:uri!""",
    "groups": "uri:uri name:str organization:uri member_count:int created_at:ts updated_at:ts",
    "group_relationships": "uri:uri role:str group:uri organization:uri owner:dict created_at:ts updated_at:ts",
    "teams": "uri:uri name:str scheduling_url:uri created_at:ts updated_at:ts",
    "event_types": """uri:uri name:str? active:bool slug:str? scheduling_url:uri duration:int duration_options:list?
        kind:str pooling_type:str? type:str booking_method:str color:str internal_note:str? description_plain:str?
        description_html:str? profile:dict? secret:bool deleted_at:ts? admin_managed:bool is_paid:bool locale:str
        position:int locations:list? custom_questions:list created_at:ts updated_at:ts""",
    "event_type_memberships": "uri:uri event_type:dict member:dict created_at:ts updated_at:ts",
    "scheduled_events": """uri:uri name:str? meeting_notes_plain:str? meeting_notes_html:str? status:str start_time:ts
        end_time:ts event_type:uri location:dict? invitees_counter:dict created_at:ts updated_at:ts
        event_memberships:list event_guests:list calendar_event:dict? cancellation:dict!""",
    "event_invitees": """uri:uri event:uri email:str name:str first_name:str? last_name:str? status:str timezone:str?
        text_reminder_number:str? questions_and_answers:list tracking:dict rescheduled:bool old_invitee:uri?
        new_invitee:uri? cancel_url:uri reschedule_url:uri cancellation:dict! payment:dict? no_show:dict?
        reconfirmation:dict? routing_form_submission:uri? scheduling_method:str? invitee_scheduled_by:uri?
        created_at:ts updated_at:ts""",
    "routing_forms": "uri:uri organization:uri name:str status:str questions:list created_at:ts updated_at:ts",
    "routing_form_submissions": """uri:uri routing_form:uri questions_and_answers:list tracking:dict result:dict
        submitter:uri? submitter_type:str? created_at:ts updated_at:ts""",
    "user_availability_schedules": "uri:uri default:bool name:str user:uri timezone:str rules:list",
    "event_type_availability_schedules": "event_type:uri user:uri availability_setting:str availability_rule:dict",
    "user_busy_times": """type:str start_time:ts end_time:ts buffered_start_time:ts! buffered_end_time:ts!
        event:dict!""",
    "event_type_available_times": "status:str invitees_remaining:int start_time:ts scheduling_url:uri",
    "locations": "uri:uri user:uri kind:str location:str? default:bool created_at:ts updated_at:ts",
    "contacts": """uri:uri name:str emails:list phone_numbers:list timezone:str? job_title:str? company:str?
        country:str? state:str? city:str? linkedin:str? custom_fields:list first_email_date:ts? last_email_date:ts?
        next_meeting_date:ts? last_meeting_date:ts? last_interaction_date:ts? created_at:ts updated_at:ts""",
    "contact_custom_field_definitions": """uri:uri label:str field_type:str options:list currency:str? created_at:ts
        updated_at:ts""",
    "contact_lists": "uri:uri name:str type:str contact_count:int? created_at:ts updated_at:ts",
    "contact_notes": "uri:uri title:str body:str remind_at:ts? contact:uri created_at:ts updated_at:ts",
    "meeting_recaps": """uri:uri event:uri? title:str status:str start_time:ts end_time:ts attendees:list
        summary_md:str? action_items_md:str? discussion_md:str? created_at:ts updated_at:ts""",
    "meeting_recap_transcripts": "uri:uri meeting_recap:uri segments:list created_at:ts updated_at:ts",
    "activity_log_entries": """uri:uri occurred_at:ts namespace:str action:str fully_qualified_name:str
        organization:uri details:dict actor:dict""",
    "outgoing_communications": """type:str to:str from:str subject:str? body:str sender_uri:uri sender_email:str
        event_type_uri:uri event_uri:uri scheduling_url:uri sent_at:ts created_at:ts""",
    "webhook_subscriptions": """uri:uri callback_url:uri created_at:ts updated_at:ts retry_started_at:ts? state:str
        events:list scope:str organization:uri user:uri? group:uri? creator:uri?""",
}
"""Fields and types; `?` may be null, `!` may be missing."""
PARTS = {
    ("organization_memberships", "user"): USER,
    ("event_type_memberships", "event_type"): TABLES["event_types"],
    ("event_type_memberships", "member"): USER,
    ("event_types", "profile"): "type:str name:str owner:uri",
    ("event_types", "custom_questions"): """name:str type:str position:int enabled:bool required:bool
        answer_choices:list include_other:bool""",
    ("event_types", "locations"): "kind:str location:str! additional_info:str! phone_number:any! position:int!",
    ("scheduled_events", "invitees_counter"): "total:int active:int limit:int",
    ("scheduled_events", "event_memberships"): """user:uri user_email:str user_name:str buffered_start_time:ts
        buffered_end_time:ts""",
    ("scheduled_events", "event_guests"): "email:str created_at:ts updated_at:ts",
    ("scheduled_events", "calendar_event"): "kind:str external_id:str",
    ("scheduled_events", "cancellation"): "canceled_by:str reason:str? canceler_type:str created_at:ts",
    ("scheduled_events", "location"): """type:str location:str?! additional_info:str! status:str! join_url:uri?!
        data:dict?!""",
    ("event_invitees", "cancellation"): "canceled_by:str reason:str? canceler_type:str created_at:ts",
    ("event_invitees", "tracking"): """utm_campaign:str? utm_source:str? utm_medium:str? utm_content:str?
        utm_term:str? salesforce_uuid:str?""",
    ("event_invitees", "questions_and_answers"): "question:str answer:str position:int",
    ("event_invitees", "payment"): """external_id:str provider:str amount:any currency:str terms:str?
        successful:bool""",
    ("event_invitees", "no_show"): "uri:uri created_at:ts",
    ("event_invitees", "reconfirmation"): "created_at:ts confirmed_at:ts?",
    ("routing_forms", "questions"): "uuid:str name:str type:str required:bool answer_choices:list?",
    ("routing_form_submissions", "questions_and_answers"): "question_uuid:str! question:str answer:str!",
    ("routing_form_submissions", "result"): "type:str value:any",
    ("user_availability_schedules", "rules"): "type:str wday:str! date:str! intervals:list",
    ("contacts", "emails"): "email:str is_primary:bool",
    ("contacts", "phone_numbers"): "phone_number:str",
    ("contacts", "custom_fields"): "definition:uri uuid:str label:str type:str value:any",
    ("contact_custom_field_definitions", "options"): "uuid:str label:str color:str!",
    ("activity_log_entries", "actor"): """uri:uri! type:str display_name:str! alternative_identifier:str!
        organization:dict!""",
}
"""Fields and types of nested objects and of the members of lists."""


def check(row: dict[str, Any], table: str) -> None:
    """Compare an object with a table."""
    kinds = dict(entry.split(":") for entry in table.split())
    needed = {name for name, kind in kinds.items() if not kind.endswith("!")}
    assert needed <= row.keys() <= kinds.keys(), (needed - row.keys(), row.keys() - kinds.keys())
    for name, value in row.items():
        kind = kinds[name].removesuffix("!")
        if value is None:
            assert kind.endswith("?") or kind == "any", name
        else:
            assert CHECKS[kind.removesuffix("?")](value), (name, value)


def test_every_stream_has_a_table() -> None:
    assert TABLES.keys() == STREAMS.keys()


@pytest.mark.parametrize("stream", TABLES)
def test_rows_have_the_documented_fields(busy: Sandbox, stream: str) -> None:
    address = f"{busy.url}/_world/truth/calendly/{stream}"
    rows = requests.get(address, timeout=5).json()
    assert rows
    for row in rows:
        check(row, TABLES[stream])
    for (owner, name), table in PARTS.items():
        if owner == stream:
            values = [row[name] for row in rows if row.get(name)]
            for value in values:
                for one in value if isinstance(value, list) else [value]:
                    check(one, table)
            assert values, f"no row shows {name}"


def test_all_shapes_of_a_place_occur(busy: Sandbox) -> None:
    events = busy.truth("calendly", "scheduled_events")
    kinds = {event["location"]["type"] for event in events if event["location"]}
    assert {"physical", "outbound_call", "inbound_call", "ask_invitee", "custom"} <= kinds
    assert {"google_conference", "zoom_conference", "microsoft_teams_conference", "webex_conference"} <= kinds
    assert any(event["location"] is None for event in events)
    data = [event["location"].get("data") for event in events if event["location"]]
    assert {"password", "conference"} <= {name for one in data if one for name in one}


def test_the_values_vary_as_real_ones_do(busy: Sandbox) -> None:
    events = busy.truth("calendly", "scheduled_events")
    invitees = busy.truth("calendly", "event_invitees")
    keys = [row["uri"].rsplit("/", 1)[-1] for row in events]
    assert any(re.fullmatch(r"[A-Z0-9]{16}", key) for key in keys)
    assert any(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f-]{27}", key) for key in keys)
    assert {len(row["created_at"]) for row in events} == {20, 27}
    assert {len(row["occurred_at"]) for row in busy.truth("calendly", "activity_log_entries")} == {20, 24}
    assert any(row["invitees_counter"]["total"] == 0 for row in events)
    assert len({row["start_time"] for row in events}) < len(events)
    assert len({(row["start_time"], row["updated_at"]) for row in events}) < len(events)
    assert {row["no_show"] is None for row in invitees} == {True, False}
    assert {row["first_name"] is None for row in invitees} == {True, False}
    assert any(row["payment"] and not row["payment"]["successful"] for row in invitees)
    types = busy.truth("calendly", "event_types")
    assert {row["pooling_type"] for row in types} == {None, "round_robin", "collective"}
    assert {row["type"] for row in types} == {"StandardEventType", "AdhocEventType"}
    assert any(row["deleted_at"] for row in types)
    assert {row["status"] for row in busy.truth("calendly", "meeting_recaps")} == {
        "available",
        "processing",
        "unavailable",
    }
