"""The records of invitations: events, which keep their identity when they are moved, and workflows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.world import records as r

END_OF_TIME = datetime.max.replace(tzinfo=UTC)
OVER = frozenset({"canceled", "declined", "checkout_expired"})
"""Final states."""


@dataclass(slots=True, eq=False, kw_only=True)
class Event:
    """A meeting with its further history, which keeps its identity when it is moved.

    `hosts` and `link_name` are as they were when it was booked. `standing`, since `standing_since`, is the decision of
    hosts and invitee: confirmed, awaiting_approval, declined, awaiting_reschedule or tentative.
    """

    meeting: r.Meeting
    hosts: list[r.Person]
    link_name: str | None
    metadata: dict[str, str]
    standing: str = "confirmed"
    standing_since: datetime
    paid: bool = False
    organized: bool = True
    poll: str | None = None
    title: str | None = None
    withheld: bool = False
    filled_url: str | None = None
    moved: tuple[datetime, datetime] | None = None
    moved_at: datetime | None = None

    @property
    def continues(self) -> bool:
        """True if this is the new time of another event."""
        bookings = self.meeting.bookings
        return self.meeting.seats == 1 and bool(bookings) and bookings[0].old is not None

    @property
    def tail(self) -> r.Meeting:
        """The meeting as it stands after every reschedule."""
        meeting = self.meeting
        while meeting.seats == 1 and meeting.bookings and meeting.bookings[0].new:
            meeting = meeting.bookings[0].new.meeting
        return meeting

    @property
    def start(self) -> datetime:
        """Start of the event."""
        return self.moved[0] if self.moved else self.tail.start

    @property
    def end(self) -> datetime:
        """End of the event."""
        return self.moved[1] if self.moved else self.tail.end

    @property
    def rescheduled_at(self) -> datetime | None:
        """Time of the last move."""
        tail = self.tail
        return self.moved_at if self.moved or tail is self.meeting else tail.bookings[0].created_at

    @property
    def cancellation(self) -> r.Cancellation | None:
        """The cancellation; one of the original slot does not count after the event was held at another time."""
        found = self.tail.cancellation
        return None if found is None or found.at > self.settled else found

    @property
    def settled(self) -> datetime:
        """Time after which changes of the booked slot do not count: the event was held at another time."""
        if self.moved is None or self.moved_at is None:
            return END_OF_TIME
        return max(self.moved[1], self.moved_at)

    @property
    def bookings(self) -> list[r.Booking]:
        """Bookings of those who come, or would have come to a canceled event."""
        tail, called_off, last = self.tail, self.cancellation, self.settled
        return [
            one
            for one in tail.bookings
            if one.created_at <= last
            and (one.cancellation is None or one.cancellation is called_off or one.cancellation.at > last)
        ]

    @property
    def payment(self) -> dict[str, Any] | None:
        """The payment; None while nothing is known."""
        booking = next(iter(self.meeting.bookings), None)
        known: dict[str, Any] | None = None
        while booking and not (known and known["successful"]):
            known = booking.payment or known
            booking = booking.new
        return known

    @property
    def state(self) -> str:
        """One of the eight states."""
        off, moved = self.cancellation, self.rescheduled_at
        if off and not (self.standing == "declined" and self.standing_since < off.at):
            return "canceled"
        answered = self.standing == "awaiting_reschedule" and moved is not None and moved >= self.standing_since
        if self.standing != "confirmed" and not answered:
            return self.standing
        if self.paid and self.meeting.seats == 1 and self.meeting.bookings:
            payment = self.payment
            if payment is None:
                return "awaiting_checkout"
            return "confirmed" if payment["successful"] else "checkout_expired"
        return "confirmed"

    @property
    def join_url(self) -> str | None:
        """Address of the conference, if it is known yet."""
        place = self.tail.place
        return self.filled_url or (None if self.withheld or place is None else place.join_url)


@dataclass(slots=True, eq=False, kw_only=True)
class Action(r.Record):
    """An action of a rule; `kind` is send_custom_email or trigger_automation."""

    kind: str
    properties: dict[str, Any]


@dataclass(slots=True, eq=False, kw_only=True)
class Rule(r.Record):
    """A rule of a workflow: its actions run `amount` `unit`s (minutes, hours, days) before or after a `trigger`."""

    trigger: str
    amount: int
    unit: str
    direction: str
    actions: list[Action]


@dataclass(slots=True, eq=False, kw_only=True)
class Workflow(r.Record):
    """A person's automation."""

    person: r.Person
    name: str
    active: bool = True
    rules: list[Rule] = field(default_factory=list)
