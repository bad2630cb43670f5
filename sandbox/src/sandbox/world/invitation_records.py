"""What an invitation consists of: an event at all its times, and the workflows around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.world import records as r

END_OF_TIME = datetime.max.replace(tzinfo=UTC)
OVER = frozenset({"canceled", "declined", "checkout_expired"})
"""States that nothing leads out of."""


@dataclass(slots=True, eq=False, kw_only=True)
class Event:
    """A meeting and what became of it, which keeps its identity when it is moved.

    `hosts` and `link_name` are as they were when it was booked. `standing` is what the hosts and the invitee made of
    it since `standing_since`: confirmed, awaiting_approval, declined, awaiting_reschedule or tentative.
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
        """Whether this is another event at its new time, and no event of its own."""
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
        """When it begins."""
        return self.moved[0] if self.moved else self.tail.start

    @property
    def end(self) -> datetime:
        """When it is over."""
        return self.moved[1] if self.moved else self.tail.end

    @property
    def rescheduled_at(self) -> datetime | None:
        """When it was moved last."""
        tail = self.tail
        return self.moved_at if self.moved or tail is self.meeting else tail.bookings[0].created_at

    @property
    def cancellation(self) -> r.Cancellation | None:
        """How it was called off; what befalls the original slot after the event was held elsewhere is no news."""
        found = self.tail.cancellation
        return None if found is None or found.at > self.settled else found

    @property
    def settled(self) -> datetime:
        """What befalls the slot that was booked later than this is no news: the event has been held elsewhere."""
        if self.moved is None or self.moved_at is None:
            return END_OF_TIME
        return max(self.moved[1], self.moved_at)

    @property
    def bookings(self) -> list[r.Booking]:
        """Those who come, or would have come to what was called off as a whole."""
        tail, called_off, last = self.tail, self.cancellation, self.settled
        return [
            one
            for one in tail.bookings
            if one.created_at <= last
            and (one.cancellation is None or one.cancellation is called_off or one.cancellation.at > last)
        ]

    @property
    def payment(self) -> dict[str, Any] | None:
        """What is known of the payment: None while nothing is."""
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
        """Where to join the conference, as far as that is known by now."""
        place = self.tail.place
        return self.filled_url or (None if self.withheld or place is None else place.join_url)


@dataclass(slots=True, eq=False, kw_only=True)
class Action(r.Record):
    """What a rule does; `kind` is send_custom_email or trigger_automation."""

    kind: str
    properties: dict[str, Any]


@dataclass(slots=True, eq=False, kw_only=True)
class Rule(r.Record):
    """When a workflow acts: so many `unit`s (minutes, hours, days) before or after a `trigger`."""

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
