"""What a booking desk keeps beside the world's own records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.world import records as r

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(slots=True, eq=False, kw_only=True)
class Ticket(r.Record):
    """One booking, which mostly stays the same one when it is moved; `booking` is its latest self.

    `approval` is None, requested or declined. `changes` says when something happened of which it is not certain that
    it moves the update time, by cause: trash, reassignment, approval. `edits` are the booking form's fields as they
    were corrected. `calloff` counts the tickets called off before this one. `previous` is the ticket in whose place
    this one came.
    """

    booking: r.Booking
    first: r.Booking
    owner: r.Person
    card_id: str
    by_phone: bool
    approval: str | None = None
    moved: bool = False
    missed_at: datetime | None = None
    trashed_at: datetime | None = None
    calloff: int | None = None
    previous: Ticket | None = None
    edits: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, datetime] = field(default_factory=dict)

    @property
    def meeting(self) -> r.Meeting:
        """The slot that is booked now."""
        return self.booking.meeting

    @property
    def called_off(self) -> bool:
        """Whether it was canceled, or declined."""
        return self.booking.cancellation is not None or self.approval == "declined"


@dataclass(slots=True, eq=False, kw_only=True)
class Card(r.Record):
    """A contact as the desk knows it: `record`, which the world may not know, and what the desk adds.

    `values` are custom fields that only the desk has, by name; `by_phone` hides an e-mail address never given.
    """

    record: r.Contact
    by_phone: bool
    early: bool
    interacted_at: datetime | None = None
    status: str | None = None
    employees: int | None = None
    consent: bool = True
    terms: bool = True
    street: str | None = None
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def email(self) -> str | None:
        """The address that matters, if one was given."""
        return self.record.emails[0] if self.record.emails and not self.by_phone else None


@dataclass(slots=True, eq=False, kw_only=True)
class Text(r.Record):
    """A text message to a guest (`person` None) or a host; `status` is sent, delivered, failed or rejected."""

    card_id: str
    person: r.Person | None
    to: str
    body: str
    message: r.Message | None = None
    status: str = "sent"


@dataclass(frozen=True, slots=True)
class Grave:
    """Something that is gone since `at`; `id`, `serial` and `created_at` are what it had."""

    kind: str
    id: str
    serial: int
    created_at: datetime
    at: datetime
