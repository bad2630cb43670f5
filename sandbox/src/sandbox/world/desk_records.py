"""Records of the booking desk, beside the world's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.world import records as r

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(slots=True, eq=False, kw_only=True)
class Ticket(r.Record):
    """A booking that mostly keeps its identity when it is moved; `booking` is the latest one.

    `approval` is None, requested or declined. `changes` are the times of changes that may not move the update time, by
    cause: trash, reassignment, approval. `edits` are the edited fields of the booking
    form. `calloff` is the number of tickets canceled before this one. `previous` is the ticket that this one replaces.
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
        """The booked slot."""
        return self.booking.meeting

    @property
    def called_off(self) -> bool:
        """True if the booking is canceled or declined."""
        return self.booking.cancellation is not None or self.approval == "declined"


@dataclass(slots=True, eq=False, kw_only=True)
class Card(r.Record):
    """A contact of the desk: its `record`, which the world may not have, and the desk's own fields.

    `values` are the desk's own custom fields, by name; `by_phone` hides the e-mail address.
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
        """The e-mail address, if there is one."""
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
    """A record that was deleted at `at`, with its `id`, `serial` and `created_at`."""

    kind: str
    id: str
    serial: int
    created_at: datetime
    at: datetime
