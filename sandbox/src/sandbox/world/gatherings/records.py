"""The records of public events. Every time is an aware UTC datetime; money is in the currency's minor unit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime
    from typing import TypeAlias

    from sandbox.world.records import Person

    Host: TypeAlias = "Person | Attendee"

UNLIMITED = 1_000_000
"""Remaining uses of an unlimited coupon."""


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Thing:
    """Anything with an identity; `serial` counts up in order of creation and breaks every tie."""

    id: str
    serial: int
    created_at: datetime

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Attendee(Thing):
    """A person who comes to events, with one profile for all of them."""

    name: str | None
    email: str
    timezone: str
    phone: str | None = None
    ethereum: str | None = None
    solana: str | None = None
    guests: list[Guest] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Calendar(Thing):
    """A series of events and its audience; `ours` if it belongs to the organization."""

    name: str
    slug: str
    description: str | None
    ours: bool
    admins: list[Host]
    place: dict[str, Any] | None
    coordinate: tuple[float, float] | None
    handles: dict[str, str | None] = field(default_factory=dict)
    personal: bool = False
    listings: list[Listing] = field(default_factory=list)
    contacts: dict[str, Contact] = field(default_factory=dict)
    contact_tags: list[Tag] = field(default_factory=list)
    event_tags: list[Tag] = field(default_factory=list)
    tiers: list[Tier] = field(default_factory=list)
    coupons: list[Coupon] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Tag(Thing):
    """A tag of events or of members of an audience."""

    name: str
    color: str


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Tier(Thing):
    """A membership tier; `kind` is free, once or recurring, with yearly and monthly prices."""

    name: str
    color: str
    description: str | None
    kind: str
    require_approval: bool
    currency: str | None = None
    amount: int | None = None
    monthly: int | None = None
    yearly: int | None = None


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Contact(Thing):
    """An attendee's place in a calendar's audience. The three counters are of a lifetime.

    `membership` is (status, tier); the status is approved, pending, approved-pending-payment or declined.
    """

    calendar: Calendar
    attendee: Attendee
    tags: list[Tag] = field(default_factory=list)
    membership: tuple[str, Tier | None] | None = None
    approved: int = 0
    checked_in: int = 0
    revenue: int = 0


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Listing(Thing):
    """A gathering's place on a calendar; `status` is approved, pending or rejected."""

    calendar: Calendar
    gathering: Gathering
    status: str
    submitter: Attendee | None
    tags: list[Tag] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question of the registration form; `details` are the fields of its kind."""

    id: str
    label: str
    kind: str
    required: bool
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a question, as the question was then; the value's type depends on the question's kind."""

    question: Question
    value: bool | str | list[str] | dict[str, str] | None


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Gathering(Thing):
    """A public event that a calendar runs; `number` counts them.

    `external` is the host of an event that is run on another platform and only listed.
    """

    number: int
    calendar: Calendar
    name: str
    slug: str
    description: str
    start: datetime
    end: datetime
    timezone: str
    creator: Host
    hosts: list[Host]
    visibility: str = "public"
    place_kind: str = "offline"
    place_visibility: str = "public"
    address: dict[str, Any] | None = None
    coordinate: tuple[float, float] | None = None
    meeting_url: str | None = None
    waitlist: bool = False
    registration_open: bool = True
    capacity: int | None = None
    several_tickets: bool = False
    feedback_hours: int | None = None
    external: str | None = None
    questions: list[Question] = field(default_factory=list)
    listings: list[Listing] = field(default_factory=list)
    kinds: list[TicketKind] = field(default_factory=list)
    coupons: list[Coupon] = field(default_factory=list)
    mailings: list[Mailing] = field(default_factory=list)
    guests: dict[str, Guest] = field(default_factory=dict)

    def listing(self, calendar: Calendar) -> Listing | None:
        """Return the event's place on a calendar, if it has one."""
        return next((one for one in self.listings if one.calendar is calendar), None)

    def on_sale(self, day: str) -> list[TicketKind]:
        """Return the kinds of tickets on sale on a day (an ISO date)."""
        return [
            kind
            for kind in self.kinds
            if not kind.hidden and (kind.valid_start or day) <= day <= (kind.valid_end or day)
        ]

    @property
    def held(self) -> int:
        """Number of tickets that approved guests hold."""
        return sum(len(guest.tickets) for guest in self.guests.values() if guest.status == "approved")


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class TicketKind(Thing):
    """A kind of ticket; sales begin and end on days (ISO dates). `sold` is True if a ticket was ever issued."""

    gathering: Gathering
    name: str
    paid: bool
    require_approval: bool = False
    hidden: bool = False
    flexible: bool = False
    description: str | None = None
    cents: int | None = None
    least_cents: int | None = None
    currency: str | None = None
    capacity: int | None = None
    valid_start: str | None = None
    valid_end: str | None = None
    sold: bool = False


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Coupon(Thing):
    """A code that makes tickets of an event, or of all events of a calendar, cheaper, or unlocks a hidden kind."""

    owner: Gathering | Calendar
    code: str
    remaining: int
    valid_start: datetime | None = None
    valid_end: datetime | None = None
    percent: int | None = None
    cents: int | None = None
    currency: str | None = None
    kind: TicketKind | None = None


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Guest(Thing):
    """An attendee's place at an event.

    `status` is approved, session (registration not finished), pending_approval, invited, declined or waitlist.
    `key` is part of the code on the guest's ticket; `number` counts all guests.
    """

    number: int
    gathering: Gathering
    attendee: Attendee
    status: str
    key: str
    registered_at: datetime | None = None
    invited_at: datetime | None = None
    joined_at: datetime | None = None
    source: str | None = None
    answers: list[Answer] | None = None
    tickets: list[Ticket] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Ticket(Thing):
    """One ticket that a guest holds; each is checked in on its own."""

    guest: Guest
    kind: TicketKind
    amount: int
    discount: int
    tax: int
    captured: bool
    checked_in_at: datetime | None = None


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Order(Thing):
    """An order of tickets, and its coupon."""

    guest: Guest
    amount: int
    discount: int
    tax: int
    currency: str | None
    captured: bool
    coupon: Coupon | None


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Mailing(Thing):
    """An e-mail to the guests of some statuses; `status` is scheduled, sent or quarantined."""

    gathering: Gathering
    subject: str | None
    content: str
    status: str
    groups: list[tuple[str, TicketKind | None]]
    sender: Host | None
    scheduled_for: datetime | None = None
    sent_at: datetime | None = None
    recipients: int = 0
    opens: int = 0
