"""The endpoints of routing forms, their submissions, and meeting recaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.calendly.events import tracking
from sandbox.calendly.listing import Listing
from sandbox.calendly.refusals import denied, not_found
from sandbox.calendly.request import ORGANIZATION, TIME, Endpoint, Param, one_of, reference, sort_by
from sandbox.calendly.text import event_uri, invitee_uri, stamp, uri
from sandbox.world import records as r

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.calendly.request import Call
    from sandbox.http import Row

BY_AGE = Param(sort_by("created_at"))


def form(call: Call, record: r.Form) -> Row:
    """Return a routing form."""
    return {
        "uri": uri("routing_forms", record),
        "organization": uri("organizations", call.world.organization),
        "name": record.name,
        "status": record.status,
        "questions": [
            {
                "uuid": question["uuid"],
                "name": question["name"],
                "type": question["type"],
                "required": question["required"],
                "answer_choices": question["choices"],
            }
            for question in record.questions
        ],
        "created_at": stamp(record.created_at),
        "updated_at": stamp(record.updated_at),
    }


def answered(answer: tuple[str | None, str, str | None]) -> Row:
    """Return an answer; the question's uuid and the answer itself may be missing."""
    uuid, question, text = answer
    row: Row = {"question": question}
    if uuid is not None:
        row["question_uuid"] = uuid
    if text is not None:
        row["answer"] = text
    return row


def submission(record: r.Submission) -> Row:
    """Return a submission; `result.value` is text or an object, depending on the type."""
    result: Row
    if isinstance(record.result, r.EventType):
        result = {"type": "event_type", "value": uri("event_types", record.result)}
    elif isinstance(record.result, str):
        result = {"type": "external_url", "value": record.result}
    else:
        headline, body = record.result
        result = {"type": "custom_message", "value": {"headline": headline, "body": body}}
    return {
        "uri": uri("routing_form_submissions", record),
        "routing_form": uri("routing_forms", record.form),
        "questions_and_answers": [answered(answer) for answer in record.answers],
        "tracking": tracking(record.tracking),
        "result": result,
        "submitter": record.submitter and invitee_uri(record.submitter),
        "submitter_type": "Invitee" if record.submitter else None,
        "created_at": stamp(record.created_at),
        "updated_at": stamp(record.updated_at),
    }


def list_forms(call: Call) -> Listing:
    """List routing forms (Calendly: of the organization, for its admins)."""
    call.as_admin()
    _, descending = call.args.get("sort", ("created_at", False))
    return Listing(call.api.ordered("forms", "created_at"), lambda record: form(call, record), descending=descending)


def list_submissions(call: Call) -> Listing:
    """List the submissions of one form (Calendly: the parameter is `form`)."""
    call.as_admin()
    form_id = call.args["form"].id
    if form_id not in call.world.forms:
        raise not_found()
    _, descending = call.args.get("sort", ("created_at", False))
    ordered = call.api.ordered("submissions", "created_at")
    return Listing(ordered, submission, lambda record: record.form.id == form_id, descending)


def recap(record: r.Recap) -> Row:
    """Return a recap. Calendly documents the three Markdown fields; the others are plausible."""
    return {
        "uri": uri("meeting_recaps", record),
        "event": record.meeting and event_uri(record.meeting),
        "title": record.title,
        "status": record.status,
        "start_time": stamp(record.start),
        "end_time": stamp(record.end),
        "attendees": [{"email": email} for email in record.attendees],
        "summary_md": record.summary,
        "action_items_md": record.action_items,
        "discussion_md": record.discussion,
        "created_at": stamp(record.created_at),
        "updated_at": stamp(record.updated_at),
    }


def may_see(call: Call) -> Callable[[r.Recap], bool]:
    """Return the filter for the recaps that the caller may see: an admin all, a host their own."""
    return lambda record: call.key.admin or record.owner is call.person


def list_recaps(call: Call) -> Listing:
    """List recaps (Calendly: without `status` only the available ones; the times are the meeting's).

    `start_time` selects meetings that end at or after it, `end_time` those that start at or before it.
    """
    args, visible = call.args, may_see(call)
    status, event = args.get("status", "available"), args.get("event")
    attendee = args.get("attendee")

    def keep(record: r.Recap) -> bool:
        return (
            visible(record)
            and record.status == status
            and (event is None or (record.meeting is not None and record.meeting.id == event.id))
            and ("start_time" not in args or record.end >= args["start_time"])
            and ("end_time" not in args or record.start <= args["end_time"])
            and (attendee is None or attendee in record.attendees)
        )

    return Listing(call.api.ordered("recaps", "created_at"), recap, keep)


def find_recap(call: Call) -> r.Recap:
    """Return a recap that the caller may see."""
    record = call.world.recaps.get(call.path["uuid"])
    if record is None:
        raise not_found()
    if not may_see(call)(record):
        raise denied()
    return record


def read_recap(call: Call) -> Row:
    """Return one recap."""
    return recap(find_recap(call))


def read_transcript(call: Call) -> Row:
    """Return the transcript of an available recap. Calendly's field list is unverified: this one is plausible."""
    record = find_recap(call)
    if record.status != "available":
        raise not_found()
    return {
        "uri": f"{uri('meeting_recaps', record)}/transcript",
        "meeting_recap": uri("meeting_recaps", record),
        "segments": [
            {"speaker": speaker, "start_seconds": seconds, "text": text} for speaker, seconds, text in record.transcript
        ],
        "created_at": stamp(record.created_at),
        "updated_at": stamp(record.updated_at),
    }


ENDPOINTS = (
    Endpoint(
        "routing_forms",
        "/routing_forms",
        "routing_forms:read",
        list_forms,
        {"organization": Param(ORGANIZATION, required=True), "sort": BY_AGE},
        paged=True,
        plan="standard",
    ),
    Endpoint(
        "routing_form_submissions",
        "/routing_form_submissions",
        "routing_forms:read",
        list_submissions,
        {"form": Param(reference("routing_forms"), required=True), "sort": BY_AGE},
        paged=True,
        plan="standard",
    ),
    Endpoint(
        "meeting_recaps",
        "/meeting_recaps",
        "meeting_recaps:read",
        list_recaps,
        {
            "event": Param(reference("scheduled_events")),
            "start_time": Param(TIME),
            "end_time": Param(TIME),
            "status": Param(one_of("available", "processing", "unavailable")),
            "attendee": Param(str),
        },
        paged=True,
        plan="standard",
    ),
    Endpoint(
        "meeting_recap",
        "/meeting_recaps/{uuid}",
        "meeting_recaps:read",
        read_recap,
        plan="standard",
        rows="meeting_recaps",
    ),
    Endpoint(
        "meeting_recap_transcripts",
        "/meeting_recaps/{uuid}/transcript",
        "meeting_recaps:read",
        read_transcript,
        plan="standard",
    ),
)
