"""Data of the server, the same bytes for every program, and the rows that must arrive."""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

API = "https://api.calendly.com"
USER = f"{API}/users/AAAAAAAAAAAAAAAA"
ORGANIZATION = f"{API}/organizations/BBBBBBBBBBBBBBBB"

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
"""The server's time at its start: fixed, and in every program's past, so that none leaves out what is to come."""
_FIRST = NOW - timedelta(days=730)
_SPAN = timedelta(days=760)
"""Meetings are spread evenly over two years back and a month ahead."""
_INVITEES = (1, 2, 2, 1, 3)
"""Invitees of one meeting after the other."""


@dataclass
class Event:
    """One meeting, with the lists below it."""

    uuid: str
    start: str
    """Start as the API writes it; texts of this form sort as the moments do."""
    body: bytes
    invitees: list[bytes]
    keys: list[str]
    """Of the invitees."""


@dataclass(frozen=True)
class Change:
    """Something that happens between two runs."""

    kind: str
    marks: tuple[tuple[str, str], ...]
    """Streams, and a text that the row of the stream shows once it has changed, and nothing else ever shows."""


@dataclass
class Calendar:
    """Meetings in the order of their start."""

    size: int
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.events = [_event(number, _FIRST + number * _SPAN / self.size) for number in range(self.size)]
        self.starts = [event.start for event in self.events]
        self.by_uuid = {event.uuid.encode(): event for event in self.events}

    def keys(self) -> Iterator[tuple[str, str]]:
        """Stream and key of every row."""
        for event in self.events:
            yield "scheduled_events", event.uuid
            for key in event.keys:
                yield "event_invitees", key

    def change(self) -> list[Change]:
        """Let ten things happen: 3 meetings called off, 2 no-shows, 2 of several who call off, 3 new bookings."""
        now = bisect_left(self.starts, stamp(NOW))
        later = stamp(NOW + timedelta(hours=12))
        groups = [event for event in self.events[now:] if len(event.invitees) > 1]
        middle = len(groups) // 2
        return [
            *(_call_off(event, f"change-{place}", later) for place, event in enumerate(self.events[now + 1 : now + 4])),
            *(_no_show(event, f"change-{place}") for place, event in enumerate(self.events[now - 3 : now - 1], 3)),
            *(
                _one_calls_off(event, f"change-{place}", later)
                for place, event in enumerate(groups[middle : middle + 2], 5)
            ),
            *(self._book(NOW + timedelta(days=days), later) for days in range(7, 10)),
        ]

    def _book(self, start: datetime, created: str) -> Change:
        event = _event(len(self.events), start, created)
        place = bisect_left(self.starts, event.start)
        self.events.insert(place, event)
        self.starts.insert(place, event.start)
        self.by_uuid[event.uuid.encode()] = event
        marks = [("scheduled_events", event.uuid), *(("event_invitees", key) for key in event.keys)]
        return Change("new booking", tuple(marks))


def stamp(moment: datetime) -> str:
    """A moment as Calendly writes it: UTC, microseconds, `Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _event(number: int, start: datetime, created: str | None = None) -> Event:
    uuid = f"{number:08x}-5ca1-4ab1-8eed-{number * 7919:012x}"
    uri = f"{API}/scheduled_events/{uuid}"
    made = created or stamp(start - timedelta(days=31))
    begins = stamp(start)
    count = _INVITEES[number % len(_INVITEES)]
    ends = stamp(start + timedelta(minutes=30))
    body = {
        "uri": uri,
        "name": f"Introduction {number % 40}",
        "meeting_notes_plain": f"Bring the figures of quarter {number % 4 + 1}.",
        "meeting_notes_html": f"<p>Bring the figures of quarter {number % 4 + 1}.</p>",
        "status": "active",
        "start_time": begins,
        "end_time": ends,
        "event_type": f"{API}/event_types/{number % 40:016d}",
        "location": {
            "type": "zoom_conference",
            "status": "pushed",
            "join_url": f"https://example.zoom.us/j/{number:011d}",
            "data": {"id": number, "settings": {"waiting_room": number % 2 == 0}, "password": f"{number:06d}"},
        },
        "invitees_counter": {"total": count, "active": count, "limit": 5},
        "created_at": made,
        "updated_at": made,
        "event_memberships": [
            {
                "user": f"{API}/users/{number % 25:016d}",
                "user_email": f"host{number % 25}@example.com",
                "user_name": f"Høst Nümber {number % 25}",
                "buffered_start_time": begins,
                "buffered_end_time": ends,
            }
        ],
        "event_guests": [],
        "calendar_event": {"kind": "google", "external_id": f"ext{number:024d}"},
        "cancellation": None,
    }
    keys = [f"{uuid}~{place}" for place in range(count)]
    return Event(uuid, begins, _bytes(body), [_bytes(_invitee(uri, key, made)) for key in keys], keys)


def _invitee(event: str, key: str, made: str) -> dict[str, Any]:
    return {
        "uri": f"{event}/invitees/{key}",
        "event": event,
        "email": f"{key}@example.org",
        "name": f"Invitée {key[:8]}",
        "first_name": "Invitée",
        "last_name": key[:8],
        "status": "active",
        "timezone": "Europe/Berlin",
        "text_reminder_number": None,
        "questions_and_answers": [{"question": "What is it about?", "answer": "A first talk.", "position": 0}],
        "tracking": {
            "utm_campaign": "spring",
            "utm_source": "newsletter",
            "utm_medium": None,
            "utm_content": None,
            "utm_term": None,
            "salesforce_uuid": None,
        },
        "rescheduled": False,
        "old_invitee": None,
        "new_invitee": None,
        "cancel_url": f"https://calendly.com/cancellations/{key}",
        "reschedule_url": f"https://calendly.com/reschedulings/{key}",
        "cancellation": None,
        "payment": None,
        "no_show": None,
        "reconfirmation": None,
        "routing_form_submission": None,
        "scheduling_method": None,
        "invitee_scheduled_by": None,
        "created_at": made,
        "updated_at": made,
    }


def _call_off(event: Event, mark: str, at: str) -> Change:
    """The whole meeting, as its host does it: it and its invitees say so, with a new `updated_at`."""
    for place in range(len(event.invitees)):
        _one_calls_off(event, f"{mark}-invitee{place}", at, place)
    _edit(event, status="canceled", updated_at=at, cancellation=_cancellation(f"{mark}-event", at))
    invitees = [("event_invitees", f"{mark}-invitee{place}") for place in range(len(event.invitees))]
    return Change("meeting called off", (("scheduled_events", f"{mark}-event"), *invitees))


def _one_calls_off(event: Event, mark: str, at: str, place: int = 0) -> Change:
    """One of several invitees: nothing of the meeting moves."""
    row = json.loads(event.invitees[place])
    row |= {"status": "canceled", "updated_at": at, "cancellation": _cancellation(mark, at)}
    event.invitees[place] = _bytes(row)
    return Change("one of several calls off", (("event_invitees", mark),))


def _no_show(event: Event, mark: str) -> Change:
    """A host marks an invitee as absent: no time moves, neither the invitee's nor the meeting's."""
    row = json.loads(event.invitees[0])
    row["no_show"] = {"uri": f"{API}/invitee_no_shows/{mark}", "created_at": stamp(NOW)}
    event.invitees[0] = _bytes(row)
    return Change("no-show", (("event_invitees", mark),))


def _cancellation(reason: str, at: str) -> dict[str, str]:
    return {"canceled_by": "A Host", "reason": reason, "canceler_type": "host", "created_at": at}


def _edit(event: Event, **values: Any) -> None:
    event.body = _bytes(json.loads(event.body) | values)


def flat(size: int) -> list[bytes]:
    """Rows of ten columns, none nested."""
    return [
        _bytes(
            {
                "id": f"row-{number:09d}",
                "name": f"Näme of {number}",
                "email": f"person{number}@example.com",
                "city": f"Town {number % 500}",
                "quantity": number % 1000,
                "amount": number * 3 + 1,
                "active": number % 3 == 0,
                "comment": None if number % 4 else f"said {number}",
                "created_at": stamp(_FIRST + timedelta(seconds=number)),
                "updated_at": stamp(_FIRST + timedelta(seconds=2 * number)),
            }
        )
        for number in range(size)
    ]


def flat_keys(size: int) -> Iterator[tuple[str, str]]:
    """Stream and key of each flat row."""
    return (("rows", f"row-{number:09d}") for number in range(size))


def nested_keys(size: int) -> Iterator[tuple[str, str]]:
    """Stream and key of each nested row, which is a meeting without its invitees."""
    return (("rows", event.uuid) for event in Calendar(size).events)


def _bytes(row: dict[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()
