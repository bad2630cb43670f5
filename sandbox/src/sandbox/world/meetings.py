"""Bookings and everything that happens to them before, during and after the meeting."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.world import records as r
from sandbox.world import words
from sandbox.world.event_types import EventTypes
from sandbox.world.state import change

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFERENCES = ("google", "zoom", "gotomeeting", "teams", "webex")
QUARTER = timedelta(minutes=15)
FAR_AHEAD = timedelta(days=270)


class Meetings(EventTypes):
    """Changes of meetings and of invitees' bookings."""

    def draw_start(self) -> datetime:
        """Draw a start on the quarter hour, from minutes to nine months ahead."""
        spans = (
            (timedelta(minutes=5), timedelta(hours=6)),
            (timedelta(days=1), timedelta(days=21)),
            (timedelta(days=21), timedelta(days=90)),
            (timedelta(days=90), FAR_AHEAD),
        )
        (span,) = self.random.choices(spans, weights=(12, 58, 22, 8))
        moment = self.now + self.later(*span)
        if span is not spans[0]:
            moment = moment.replace(hour=7 + int(self.random.random() * 11))
        quarter = moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)
        return quarter + QUARTER

    def _place(self, event_type: r.EventType) -> r.Place | None:
        if not event_type.places or self.chance(0.02):
            return None
        return self.draw_place(self.pick(event_type.places).kind)

    def draw_place(self, kind: str) -> r.Place:
        """Draw the place of a meeting; the data of a conference's vendor have no fixed format."""
        if kind not in CONFERENCES:
            text = self.pick(("Hauptstraße 1, Berlin", "+1 555 0100", "", None))
            return r.Place(kind, text=text, note=self.pick((None, "Ring twice")))
        status = self.pick(("pushed", "pushed", "pushed", "initiated", "processing", "failed"))
        number = self.random.randrange(10**9)
        if status != "pushed":
            return r.Place(kind, status=status)
        data: Sequence[dict[str, Any] | None] = (
            None,
            {},
            {
                "id": str(number),
                "password": "not-a-secret",
                "settings": {"global_dial_in_numbers": [{"country": "DE"}]},
            },
            {"conference": [number, {"unheard_of": [None, True, 1.5]}]},
        )
        return r.Place(kind, join_url=f"https://meet.example/{number}", status=status, data=self.pick(data))

    @change
    def open_meeting(
        self, event_type: r.EventType | None = None, start: datetime | None = None, *, elsewhere: bool = False
    ) -> r.Meeting:
        """Create a meeting without invitees in the hosts' calendars."""
        event_type = event_type or self.pick(self.bookable())
        people = [host.person for host in event_type.hosts]
        if event_type.kind == "round_robin":
            people = [self.pick(people)]
        start = start or self.draw_start()
        meeting = self.new(
            r.Meeting,
            name=event_type.name if self.chance(0.98) else None,
            event_type=event_type,
            start=start,
            end=start + timedelta(minutes=event_type.minutes),
            hosts=people,
            place=self._place(event_type),
            seats=event_type.seats,
            buffer_minutes=self.pick((0, 0, 10)),
            calendar=(self.pick(words.CALENDARS), self.new_id().lower()) if self.chance(0.7) else None,
            elsewhere=elsewhere,
        )
        self.meetings[meeting.id] = meeting
        for watch in self.meeting_watchers:
            watch(meeting)
        return meeting

    @change
    def join(
        self,
        meeting: r.Meeting,
        name: str | None = None,
        email: str | None = None,
        *,
        submission: r.Submission | None = None,
    ) -> r.Booking:
        """Book a seat of an existing meeting.

        Raises:
            ValueError: the meeting is canceled or full.
        """
        if meeting.cancellation or len(meeting.active_bookings) >= meeting.seats:
            raise ValueError(f"meeting {meeting.id} is canceled or full")
        client = self.pick(self.clients)
        name, email = name or client[0], email or client[1]
        split = name.split(" ", 1) if self.chance(0.5) else []
        questions = [question["name"] for question in meeting.event_type.questions]
        booking = self.new(
            r.Booking,
            meeting=meeting,
            email=email,
            name=name,
            first_name=split[0] if split else None,
            last_name=split[-1] if split else None,
            timezone=client[2] if self.chance(0.95) else None,
            phone=self.pick((None, None, "+1 555-0100")),
            answers=[(question, self.pick(words.ANSWERS)) for question in questions],
            tracking=self.draw_tracking(),
            method=self.pick((None, None, None, "instant_book", "api")),
            booked_by=self.pick(meeting.hosts) if self.chance(0.1) else None,
            submission=submission,
        )
        meeting.bookings.append(booking)
        self.bookings[booking.id] = booking
        self.bookings_by_email[email].append(booking)
        if submission:
            submission.submitter = booking
            submission.updated_at = self.now
        self._touch_by_invitee(meeting)
        self.record(booking.booked_by, "ScheduledEvent", "Book", name=meeting.name)
        return booking

    def stands(self, booking: r.Booking) -> bool:
        """Return True if a booking is neither canceled nor erased."""
        return booking.cancellation is None and booking.id in self.bookings

    def draw_tracking(self) -> dict[str, str | None]:
        """Draw tracking parameters."""
        source = self.pick(words.SOURCES)
        return {"source": source, "campaign": "früh2026" if source and self.chance(0.5) else None}

    @change
    def book(
        self,
        event_type: r.EventType | None = None,
        start: datetime | None = None,
        name: str | None = None,
        email: str | None = None,
        *,
        submission: r.Submission | None = None,
    ) -> r.Booking:
        """Book a new meeting, and return the booking."""
        return self.join(self.open_meeting(event_type, start), name, email, submission=submission)

    def _touch_by_invitee(self, meeting: r.Meeting) -> None:
        if self.invitee_changes_move_event:
            meeting.updated_at = self.now

    def _cancellation(self, meeting: r.Meeting, booking: r.Booking | None, reason: str | None) -> r.Cancellation:
        by = booking.name if booking else meeting.hosts[0].name
        return r.Cancellation(by=by, side="invitee" if booking else "host", reason=reason, at=self.now)

    @change
    def cancel(self, meeting: r.Meeting, reason: str | None = None, *, by: r.Booking | None = None) -> None:
        """Cancel a meeting with all its bookings, by its host or `by` an invitee.

        Raises:
            ValueError: the meeting is canceled already, or over.
        """
        if meeting.cancellation or meeting.end <= self.now:
            raise ValueError(f"meeting {meeting.id} is canceled already, or over")
        meeting.cancellation = self._cancellation(meeting, by, reason)
        meeting.updated_at = self.now
        for booking in meeting.active_bookings:
            booking.cancellation = meeting.cancellation
            booking.updated_at = self.now
        self.record(None if by else meeting.hosts[0], "ScheduledEvent", "Cancel", name=meeting.name)

    @change
    def cancel_booking(self, booking: r.Booking, reason: str | None = None) -> None:
        """Cancel one invitee's booking: a group meeting goes on, any other is canceled."""
        meeting = booking.meeting
        if meeting.seats == 1:
            self.cancel(meeting, reason, by=booking)
            return
        if booking.cancellation or meeting.end <= self.now:
            raise ValueError(f"booking {booking.id} is canceled already, or over")
        booking.cancellation = self._cancellation(meeting, booking, reason)
        booking.updated_at = self.now
        self._touch_by_invitee(meeting)

    @change
    def reschedule(self, booking: r.Booking, start: datetime | None = None) -> r.Booking:
        """Move an invitee to a new meeting: the old booking is canceled, the new one points back."""
        old = booking.meeting
        self.cancel_booking(booking, "Rescheduled")
        meeting = self.open_meeting(old.event_type, start)
        meeting.hosts = old.hosts
        new = self.join(meeting, booking.name, booking.email)
        new.old, booking.new = booking, new
        return new

    @change
    def mark_no_show(self, booking: r.Booking) -> None:
        """Mark an invitee as a no-show; the meeting's update time does not move.

        Raises:
            ValueError: the meeting has not begun, or the booking is canceled.
        """
        if booking.meeting.start > self.now or booking.cancellation:
            raise ValueError(f"booking {booking.id} is canceled or still to come")
        booking.no_show = (self.new_id(), self.now)
        if self.no_show_moves_invitee:
            booking.updated_at = self.now

    @change
    def unmark_no_show(self, booking: r.Booking) -> None:
        """Unmark a no-show."""
        booking.no_show = None
        if self.no_show_moves_invitee:
            booking.updated_at = self.now

    @change
    def add_note(self, meeting: r.Meeting, text: str) -> None:
        """Write the host's notes of a meeting, at any time."""
        meeting.notes = text
        meeting.updated_at = self.now

    @change
    def add_guest(self, meeting: r.Meeting, email: str) -> None:
        """Add a guest of the invitee."""
        meeting.guests.append(r.Guest(email, self.now))
        meeting.updated_at = self.now

    @change
    def receive_payment(self, booking: r.Booking, *, successful: bool = True) -> None:
        """Receive the result of a payment, which changes only the booking."""
        booking.payment = {
            "external_id": f"ch_{booking.serial}",
            "provider": self.pick(("stripe", "paypal")),
            "amount": self.pick((25, 49.5, 120.0)),
            "currency": self.pick(("USD", "EUR", "JPY")),
            "terms": self.pick((None, "Payment in full, up front")),
            "successful": successful,
        }
        booking.updated_at = self.now

    @change
    def ask_reconfirmation(self, booking: r.Booking) -> None:
        """Ask the invitee to reconfirm."""
        booking.reconfirmation = (self.now, None)
        booking.updated_at = self.now

    @change
    def reconfirm(self, booking: r.Booking) -> None:
        """Reconfirm as the invitee."""
        requested = booking.reconfirmation[0] if booking.reconfirmation else self.now
        booking.reconfirmation = (requested, self.now)
        booking.updated_at = self.now

    @change
    def erase(self, meeting: r.Meeting) -> None:
        """Erase a meeting with its bookings and recaps, for data protection.

        Other records that refer to it stay: messages sent, the chain of a reschedule.
        """
        del self.meetings[meeting.id]
        for booking in meeting.bookings:
            del self.bookings[booking.id]
            self.bookings_by_email[booking.email].remove(booking)
        for recap in [recap for recap in self.recaps.values() if recap.meeting is meeting]:
            del self.recaps[recap.id]
