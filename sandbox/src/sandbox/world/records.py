"""The records of the world. Every time is an aware UTC datetime with microseconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(slots=True, eq=False, kw_only=True)
class Record:
    """Anything with an identity; `serial` counts up in order of creation and breaks every tie."""

    id: str
    serial: int
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, eq=False, kw_only=True)
class Organization(Record):
    """The company."""

    name: str


@dataclass(slots=True, eq=False, kw_only=True)
class Person(Record):
    """A host of meetings, who stays known after leaving the organization."""

    name: str
    slug: str
    email: str
    timezone: str
    avatar_url: str | None
    locale: str
    time_notation: str


@dataclass(slots=True, eq=False, kw_only=True)
class Membership(Record):
    """A person's place in the organization; `role` is owner, admin or user."""

    person: Person
    role: str


@dataclass(slots=True, eq=False, kw_only=True)
class Invitation(Record):
    """An invitation to join the organization; `status` is pending, accepted or declined."""

    email: str
    status: str
    last_sent_at: datetime | None
    person: Person | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Group(Record):
    """A department."""

    name: str


@dataclass(slots=True, eq=False, kw_only=True)
class GroupPlace(Record):
    """A member's or an invited person's place in a group; `role` is member or admin."""

    group: Group
    role: str
    holder: Membership | Invitation


@dataclass(slots=True, eq=False, kw_only=True)
class Team(Record):
    """People who share event types and one booking page."""

    name: str
    slug: str
    people: list[Person]


@dataclass(slots=True, eq=False, kw_only=True)
class Schedule(Record):
    """A host's weekly opening hours: `hours` maps mon..sun to (from, to) pairs, `dates` single days."""

    name: str
    person: Person
    default: bool
    hours: dict[str, list[tuple[str, str]]]
    dates: dict[str, list[tuple[str, str]]]


@dataclass(slots=True)
class Place:
    """The place of a meeting; `kind` is one of `words.PLACES`, `data` is the conference vendor's."""

    kind: str
    text: str | None = None
    note: str | None = None
    join_url: str | None = None
    status: str | None = None
    data: dict[str, Any] | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class SavedPlace(Record):
    """A place that a host keeps for reuse."""

    person: Person
    place: Place
    default: bool


@dataclass(slots=True, eq=False, kw_only=True)
class EventType(Record):
    """An event type; `kind` is solo, group, round_robin or collective. A deleted one stays, with `deleted_at`."""

    name: str | None
    slug: str | None
    kind: str
    owner: Person | Team
    minutes: int
    minutes_options: list[int] | None
    seats: int
    one_off: bool
    booking_method: str
    color: str
    internal_note: str | None
    description: str | None
    secret: bool
    admin_managed: bool
    paid: bool
    locale: str
    position: int
    places: list[Place] | None
    questions: list[dict[str, Any]]
    active: bool = True
    deleted_at: datetime | None = None
    hosts: list[Host] = field(default_factory=list)


@dataclass(slots=True, eq=False, kw_only=True)
class Host(Record):
    """A person's place among the hosts of an event type."""

    event_type: EventType
    person: Person


@dataclass(slots=True)
class Cancellation:
    """A cancellation: its author, time and reason; `side` is host or invitee."""

    by: str
    side: str
    reason: str | None
    at: datetime


@dataclass(slots=True)
class Guest:
    """A person whom the invitee brings along; not an invitee."""

    email: str
    at: datetime


@dataclass(slots=True, eq=False, kw_only=True)
class Meeting(Record):
    """A slot in the hosts' calendars; `elsewhere` marks those held for a former organization."""

    name: str | None
    event_type: EventType
    start: datetime
    end: datetime
    hosts: list[Person]
    place: Place | None
    seats: int
    buffer_minutes: int
    calendar: tuple[str, str] | None
    elsewhere: bool = False
    notes: str | None = None
    cancellation: Cancellation | None = None
    guests: list[Guest] = field(default_factory=list)
    bookings: list[Booking] = field(default_factory=list)

    @property
    def active_bookings(self) -> list[Booking]:
        """Bookings that are not canceled."""
        return [booking for booking in self.bookings if booking.cancellation is None]


@dataclass(slots=True, eq=False, kw_only=True)
class Booking(Record):
    """One invitee of one meeting."""

    meeting: Meeting
    email: str
    name: str
    first_name: str | None
    last_name: str | None
    timezone: str | None
    phone: str | None
    answers: list[tuple[str, str]]
    tracking: dict[str, str | None]
    method: str | None
    booked_by: Person | None
    cancellation: Cancellation | None = None
    old: Booking | None = None
    new: Booking | None = None
    payment: dict[str, Any] | None = None
    no_show: tuple[str, datetime] | None = None
    reconfirmation: tuple[datetime, datetime | None] | None = None
    submission: Submission | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Form(Record):
    """A questionnaire that routes people to the right host; `status` is draft or published."""

    name: str
    status: str
    questions: list[dict[str, Any]]


@dataclass(slots=True, eq=False, kw_only=True)
class Submission(Record):
    """The submission of a form; `result` is an event type, a url or a (headline, body) message."""

    form: Form
    answers: list[tuple[str | None, str, str | None]]
    tracking: dict[str, str | None]
    result: EventType | str | tuple[str, str]
    submitter: Booking | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class CustomField(Record):
    """A custom field of the organization's contacts."""

    label: str
    kind: str
    options: list[dict[str, Any]]
    currency: str | None


@dataclass(slots=True, eq=False, kw_only=True)
class Contact(Record):
    """An entry in a host's address book; `values` maps custom fields' ids to values."""

    owner: Person
    name: str
    emails: list[str]
    phones: list[str]
    timezone: str | None
    job_title: str | None
    company: str | None
    country: str | None
    state: str | None
    city: str | None
    linkedin: str | None
    values: dict[str, Any]


@dataclass(slots=True, eq=False, kw_only=True)
class ContactList(Record):
    """A host's list of contacts; a view is computed and has no members of its own."""

    owner: Person
    name: str
    view: bool
    contacts: list[Contact]


@dataclass(slots=True, eq=False, kw_only=True)
class ContactNote(Record):
    """A host's private note about a contact."""

    author: Person
    contact: Contact
    title: str
    body: str
    remind_at: datetime | None


@dataclass(slots=True, eq=False, kw_only=True)
class Recap(Record):
    """The machine-made summary of a meeting; `meeting` is None for a call without a booking."""

    owner: Person
    meeting: Meeting | None
    title: str
    start: datetime
    end: datetime
    status: str
    attendees: list[str]
    summary: str | None = None
    action_items: str | None = None
    discussion: str | None = None
    transcript: list[tuple[str, int, str]] = field(default_factory=list)


@dataclass(slots=True, eq=False, kw_only=True)
class LogEntry(Record):
    """An entry of the activity log, which never changes. `actor` is None for the system itself."""

    namespace: str
    action: str
    actor: Person | None
    details: dict[str, Any]


@dataclass(slots=True, eq=False, kw_only=True)
class Message(Record):
    """A message sent to an invitee; `kind` is sms or email."""

    kind: str
    to: str
    sender: str
    subject: str | None
    body: str
    booking: Booking
    sent_at: datetime


@dataclass(slots=True, eq=False, kw_only=True)
class Webhook(Record):
    """A webhook; `scope` is organization or user."""

    url: str
    scope: str
    person: Person | None
    creator: Person
    events: list[str]
    active: bool = True
    retry_started_at: datetime | None = None
