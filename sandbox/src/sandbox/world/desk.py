"""The booking desk: approval, trash, text messages, and one contact for everybody who ever booked.

It follows the world and never changes it. Its draws change nothing else.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from sandbox.world.desk_index import Index
from sandbox.world.desk_records import Card, Text, Ticket
from sandbox.world.extension import change

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.world import records as r

TRASH_DAYS = 30
"""Days after which a trashed booking is destroyed."""
OUTCOMES: dict[str | None, int] = {"delivered": 80, "failed": 10, "rejected": 6, None: 4}
"""Weights of a text message's final statuses; None: it is never settled."""
SETTLED = ("delivered", "failed", "rejected")


class Desk(Index):
    """Changes at the booking desk, of the world's own bookings and contacts. A card stands for its contact."""

    @change
    def trash(self, booking: r.Booking) -> None:
        """Move a booking to the trash, which does not cancel it; it is destroyed after 30 days.

        Raises:
            ValueError: the booking is in the trash already, or has no ticket.
        """
        ticket = self.ticket(booking)
        if ticket.trashed_at:
            raise ValueError(f"booking {booking.id} is in the trash already")
        ticket.trashed_at = ticket.changes["trash"] = self.now
        self.after(timedelta(days=TRASH_DAYS), self._empty_trash, ticket, self.now)

    @change
    def restore(self, booking: r.Booking) -> None:
        """Restore a booking from the trash.

        Raises:
            ValueError: the booking is not in the trash.
        """
        ticket = self.ticket(booking)
        if not ticket.trashed_at:
            raise ValueError(f"booking {booking.id} is not in the trash")
        ticket.trashed_at = None
        ticket.changes["trash"] = self.now

    def _empty_trash(self, ticket: Ticket, since: datetime) -> None:
        if ticket.id in self.tickets and ticket.trashed_at == since:
            self.destroy(ticket)

    @change
    def destroy(self, ticket: Ticket) -> None:
        """Delete a ticket without a trace."""
        self._remove_ticket(ticket)

    @change
    def request_approval(self, booking: r.Booking) -> None:
        """Request the host's approval of a booking.

        Raises:
            ValueError: the booking waits already, is canceled, or over.
        """
        ticket = self.ticket(booking)
        if ticket.approval or ticket.called_off or ticket.meeting.end <= self.now:
            raise ValueError(f"booking {booking.id} waits for approval already, is canceled, or over")
        ticket.approval = "requested"
        ticket.changes["approval"] = self.now

    @change
    def approve(self, booking: r.Booking) -> None:
        """Approve a booking that waits for approval.

        Raises:
            ValueError: the booking does not wait.
        """
        self._answer(booking, None)

    @change
    def decline(self, booking: r.Booking) -> None:
        """Decline a booking that waits for approval.

        Raises:
            ValueError: the booking does not wait.
        """
        self._answer(booking, "declined").calloff = next(self._calloffs)

    def _answer(self, booking: r.Booking, approval: str | None) -> Ticket:
        ticket = self.ticket(booking)
        if ticket.approval != "requested" or ticket.called_off:
            raise ValueError(f"booking {booking.id} does not wait for approval")
        ticket.approval = approval
        ticket.changes["approval"] = self.now
        return ticket

    @change
    def reassign(self, booking: r.Booking, person: r.Person) -> None:
        """Give a booking to another host."""
        ticket = self.ticket(booking)
        ticket.owner = person
        ticket.changes["reassignment"] = self.now

    @change
    def edit_booking_form(self, booking: r.Booking, /, **changes: Any) -> None:
        """Edit the guest's form: name, email, phone, mobile_phone, note, company, guests, custom_fields."""
        ticket = self.ticket(booking)
        ticket.edits |= changes
        ticket.updated_at = self.now

    @change
    def merge_contacts(self, a: r.Contact | Card, b: r.Contact | Card) -> None:
        """Merge two contacts: `b` vanishes, but the bookings still refer to it.

        Raises:
            ValueError: they are the same contact, or one of them is deleted.
        """
        kept, gone = self.card(a), self.card(b)
        if kept is gone:
            raise ValueError(f"contact {kept.id} cannot be merged with itself")
        kept.values = gone.values | kept.values
        kept.status = kept.status or gone.status
        kept.interacted_at = max(filter(None, (kept.interacted_at, gone.interacted_at)), default=None)
        kept.updated_at = self.now
        self._remove_card(gone, kept)

    @change
    def delete_contact(self, contact: r.Contact | Card) -> None:
        """Delete a contact, also one that only the desk knows."""
        card = self.card(contact)
        if card.record.id in self.world.contacts:
            self.world.delete_contact(card.record)
        else:
            self._remove_card(card)

    @change
    def set_custom_field(self, contact: r.Contact | Card, name: str, value: Any) -> None:
        """Set a custom field of a contact, to a value of any type."""
        card = self.card(contact)
        card.values[name] = value
        card.updated_at = self.now

    @change
    def send_sms(self, booking: r.Booking, *, to_host: bool = False, settles: bool = True) -> Text:
        """Send a text message about a booking, to its guest or its host. Its final status is drawn if `settles`."""
        ticket = self.ticket(booking)
        text = self.text(ticket, ticket.owner if to_host else None)
        if settles:
            self.settle_later(text)
        return text

    @change
    def settle_sms(self, message: Text | r.Message, status: str) -> None:
        """Set the final status of a text message: delivered, failed or rejected. No time moves.

        Raises:
            ValueError: the status is unknown, or the message is not a text message.
        """
        text = message if isinstance(message, Text) else self._text_of.get(message.id)
        if text is None or status not in SETTLED:
            raise ValueError(
                f"message {message.id} is not a text message, or {status} is not one of {', '.join(SETTLED)}"
            )
        text.status = status

    @override
    def settle_later(self, text: Text) -> None:
        (outcome,) = self.random.choices([*OUTCOMES], [*OUTCOMES.values()])
        delay = timedelta(hours=1) * self.random.uniform(0.01, 47)
        if outcome:
            self.after(delay, self.settle_if_sent, text, outcome)

    def settle_if_sent(self, text: Text, status: str) -> None:
        """Settle a text message unless its status is known already."""
        if text.status == "sent":
            self.settle_sms(text, status)
