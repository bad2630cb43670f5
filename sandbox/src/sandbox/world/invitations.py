"""Meetings as invitations: requested, approved, paid, proposed, retitled and moved, always the same event.

Their draws change nothing else in the world.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from sandbox.world import records as r
from sandbox.world.extension import Extension, change
from sandbox.world.invitation_records import OVER, Action, Event, Rule, Workflow

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.world.company import Company

METADATA: tuple[dict[str, str], ...] = (
    {},
    {},
    {"utm source": "Frühling", "ref": ""},
    {"Kundennr.": "12-ä", "deal.id": "0042"},
)
DEEDS: tuple[dict[str, Any], ...] = (
    {"kind": "send_custom_email", "properties": {"subject": "Bis gleich ☕", "to": ["scheduler"], "cc": None}},
    {"kind": "trigger_automation", "properties": {"automation": {"id": 7, "live": True}}},
)


class Invites(Extension):
    """Every event and workflow of a world; `events` is by the id of the meeting that each began as.

    Some events exist only here: proposals, and the fixed cases of every world.
    """

    def __init__(self, world: Company) -> None:
        super().__init__(world, "invitations")
        self.events: dict[str, Event] = {}
        self.workflows: dict[str, Workflow] = {}
        self._serials = count(1)

    def _stamps(self) -> dict[str, Any]:
        now = self.now
        number = f"{self.random.getrandbits(128):032x}"
        return {"id": number, "serial": next(self._serials), "created_at": now, "updated_at": now}

    def adopt(self, meeting: r.Meeting) -> Event:
        """Return the event that a meeting begins."""
        kind = meeting.event_type
        event = Event(
            meeting=meeting,
            hosts=[replace(person) for person in meeting.hosts],
            link_name=None if meeting.elsewhere else kind.name,
            metadata=self.random.choice(METADATA),
            standing_since=self.now,
            paid=kind.paid,
            poll=kind.name if kind.booking_method == "poll" else None,
        )
        self.events[meeting.id] = event
        return event

    def all(self) -> list[Event]:
        """Return every event once, at its latest time."""
        return [event for event in self.events.values() if not event.continues]

    def of(self, meeting: r.Meeting) -> Event:
        """Return the event of a meeting, which may be any of its times."""
        while meeting.seats == 1 and meeting.bookings and meeting.bookings[0].old:
            meeting = meeting.bookings[0].old.meeting
        return self.events[meeting.id]

    def _only_in(self, event: Event, *states: str) -> None:
        if event.state not in states:
            raise ValueError(f"event {event.meeting.id} is {event.state}, not {' or '.join(states)}")

    def _set(self, event: Event, standing: str) -> None:
        event.standing, event.standing_since = standing, self.now

    @change
    def open(
        self, person: r.Person | None = None, start: datetime | None = None, *, seats: int = 1, bookings: int = 1
    ) -> Event:
        """Create an event that exists only here, with a conference; by default in three weeks, by the owner."""
        person = person or self.world.seats["owner"]
        start = start or (self.now + timedelta(days=21)).replace(minute=0, second=0, microsecond=0)
        own = [one for one in self.world.event_types.values() if one.owner is person and not one.paid]
        if not own:
            raise ValueError(f"{person.slug} has never had a scheduling link")
        kind = next((one for one in own if one.active), own[0])
        place = r.Place("zoom", join_url=f"https://meet.example/{self.random.randrange(10**9)}", status="pushed")
        meeting = r.Meeting(
            **self._stamps(),
            name=kind.name,
            event_type=kind,
            start=start,
            end=start + timedelta(minutes=kind.minutes),
            hosts=[person],
            place=place,
            seats=seats,
            buffer_minutes=self.random.choice((0, 15)),
            calendar=None,
        )
        event = self.adopt(meeting)
        for _ in range(bookings):
            self._seat(event)
        return event

    def _seat(self, event: Event, name: str | None = None, email: str | None = None) -> None:
        client = self.random.choice(self.world.clients)
        booking = r.Booking(
            **self._stamps(),
            meeting=event.tail,
            email=email or client[1],
            name=name or client[0],
            first_name=None,
            last_name=None,
            timezone=client[2],
            phone=self.random.choice((None, "+49 30 1234567")),
            answers=[],
            tracking={},
            method="instant",
            booked_by=None,
        )
        event.tail.bookings.append(booking)

    def _elsewhere_too(self, event: Event) -> bool:
        return event.tail.id in self.world.meetings

    @change
    def ask_approval(self, event: Event) -> None:
        """Request the host's approval of a confirmed event.

        Raises:
            ValueError: the event is in no state for it; likewise in the methods below.
        """
        self._only_in(event, "confirmed")
        self._set(event, "awaiting_approval")

    @change
    def approve(self, event: Event) -> None:
        """Approve an event, which moves no time."""
        self._only_in(event, "awaiting_approval")
        self._set(event, "confirmed")

    @change
    def decline(self, event: Event) -> None:
        """Decline an event, which moves no time."""
        self._only_in(event, "awaiting_approval")
        self._set(event, "declined")

    @change
    def ask_new_time(self, event: Event) -> None:
        """Ask the invitee for another time; the next move answers it."""
        self._only_in(event, "confirmed")
        self._set(event, "awaiting_reschedule")

    @change
    def propose(self, person: r.Person | None = None, start: datetime | None = None) -> Event:
        """Propose a new event, which is tentative."""
        event = self.open(person, start)
        self._set(event, "tentative")
        return event

    @change
    def accept(self, event: Event) -> None:
        """Accept a proposal."""
        self._only_in(event, "tentative")
        self._set(event, "confirmed")

    @change
    def ask_checkout(self, event: Event) -> None:
        """Request the payment of a confirmed event."""
        self._only_in(event, "confirmed")
        if event.tail.seats > 1 or not event.tail.bookings:
            raise ValueError(f"event {event.meeting.id} has no invitee who could pay")
        event.paid = True
        booking: r.Booking | None = event.meeting.bookings[0]
        while booking:
            booking.payment, booking.updated_at, booking = None, self.now, booking.new

    @change
    def complete_checkout(self, event: Event, amount: float | None = 49.5) -> None:
        """Pay; `amount` None is a payment without recorded amounts."""
        self._check_out(event, amount, successful=True)

    @change
    def expire_checkout(self, event: Event) -> None:
        """Let the payment expire."""
        self._check_out(event, 49.5, successful=False)

    def _check_out(self, event: Event, amount: float | None, *, successful: bool) -> None:
        self._only_in(event, "awaiting_checkout")
        booking = event.tail.bookings[-1]
        booking.payment = {
            "external_id": f"ch_{booking.serial}",
            "provider": "stripe",
            "amount": amount,
            "currency": "EUR",
            "terms": None,
            "successful": successful,
        }
        booking.updated_at = self.now

    @change
    def cancel(self, event: Event, reason: str | None = None) -> None:
        """Cancel an event."""
        if event.state in OVER or event.end <= self.now:
            raise ValueError(f"event {event.meeting.id} is {event.state}, or over")
        meeting, now = event.tail, self.now
        if self._elsewhere_too(event) and meeting.end > now:
            self.world.cancel(meeting, reason)
            return
        meeting.cancellation = r.Cancellation(by=event.hosts[0].name, side="host", reason=reason, at=now)
        for booking in meeting.active_bookings:
            booking.cancellation = meeting.cancellation

    @change
    def withhold_conferencing(self, event: Event) -> None:
        """Withhold the address of the conference."""
        event.withheld, event.filled_url = True, None

    @change
    def fill_conferencing(self, event: Event) -> None:
        """Fill in the address of the conference."""
        event.filled_url = f"https://meet.example/late-{event.meeting.serial}"

    @change
    def retitle(self, event: Event, title: str) -> None:
        """Give an event another title."""
        event.title = title

    @change
    def add_attendee(self, event: Event, name: str | None = None, email: str | None = None) -> None:
        """Add an attendee: a guest of the invitee, or an invitee of a group session.

        Raises:
            ValueError: a group session is canceled or full.
        """
        meeting = event.tail
        if meeting.seats == 1:
            meeting.guests.append(r.Guest(email or f"guest{len(meeting.guests)}@mail.example", self.now))
        elif self._elsewhere_too(event):
            self.world.join(meeting, name, email)
        elif meeting.cancellation or len(meeting.active_bookings) >= meeting.seats:
            raise ValueError(f"event {event.meeting.id} is canceled or full")
        else:
            self._seat(event, name, email)

    @change
    def drop_attendee(self, event: Event) -> None:
        """Drop the attendee who was added last.

        Raises:
            ValueError: nobody is left whom the event does not need.
        """
        meeting = event.tail
        if meeting.seats == 1 and meeting.guests:
            meeting.guests.pop()
            return
        active = meeting.active_bookings
        if meeting.seats == 1 or not active:
            raise ValueError(f"event {event.meeting.id} has no attendee who can be dropped")
        if self._elsewhere_too(event):
            self.world.cancel_booking(active[-1])
            return
        active[-1].cancellation = r.Cancellation(by=active[-1].name, side="invitee", reason=None, at=self.now)

    @change
    def move(self, event: Event, start: datetime) -> None:
        """Move an event to come to another future time; it stays the same event."""
        now, minutes = self.now, event.end - event.start
        if event.state in OVER or event.start <= now or start <= now:
            raise ValueError(f"event {event.meeting.id} is {event.state}, or one of its times is past")
        meeting = event.tail
        if meeting.seats == 1 and meeting.bookings and self._elsewhere_too(event) and event.moved is None:
            self.world.reschedule(meeting.bookings[0], start)
            return
        event.moved, event.moved_at = (start, start + minutes), now

    @change
    def redate(self, event: Event, start: datetime) -> None:
        """Move an event to any time, even after it was held (unverified that this is possible)."""
        if event.state in OVER:
            raise ValueError(f"event {event.meeting.id} is {event.state}")
        event.moved, event.moved_at = (start, start + (event.end - event.start)), self.now

    @change
    def erase(self, event: Event) -> None:
        """Delete an event without a trace (unverified that SavvyCal ever does)."""
        del self.events[event.meeting.id]

    @change
    def disable_link(self, kind: r.EventType) -> None:
        """Disable a scheduling link, which stays on the list."""
        self.world.edit_event_type(kind, active=False)

    @change
    def delete_link(self, kind: r.EventType) -> None:
        """Delete a scheduling link without a trace; its events stay."""
        self.world.delete_event_type(kind)

    @change
    def create_workflow(self, name: str = "Reminder", person: r.Person | None = None) -> Workflow:
        """Create a workflow with two rules."""
        workflow = Workflow(**self._stamps(), person=person or self.world.seats["owner"], name=name)
        for trigger, amount, unit, direction in (
            ("event_created", 0, "minutes", "after"),
            self.random.choice((("event_completed", 2, "days", "after"), ("event_started", 24, "hours", "before"))),
        ):
            actions = [Action(**self._stamps(), **deed) for deed in DEEDS[: self.random.choice((1, 2))]]
            rule = Rule(
                **self._stamps(), trigger=trigger, amount=amount, unit=unit, direction=direction, actions=actions
            )
            workflow.rules.append(rule)
        self.workflows[workflow.id] = workflow
        return workflow

    @change
    def edit_rule(self, rule: Rule, /, **changes: Any) -> None:
        """Edit a rule, which moves no time."""
        for name, value in changes.items():
            setattr(rule, name, value)

    @change
    def delete_workflow(self, workflow: Workflow) -> None:
        """Delete a workflow and its rules, without a trace."""
        del self.workflows[workflow.id]


__all__ = ["Event", "Invites", "Rule", "Workflow"]
