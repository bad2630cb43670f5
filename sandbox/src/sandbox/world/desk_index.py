"""The records of the booking desk, which follow the world: tickets, cards and text messages."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections import defaultdict
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from sandbox.world import records as r
from sandbox.world.desk_records import Card, Grave, Text, Ticket
from sandbox.world.extension import Extension

if TYPE_CHECKING:
    from sandbox.world.company import Company

R = TypeVar("R", bound=r.Record)

STATUSES = (None, "Qualified", "Sales qualified", "Marketing qualified", "Disqualified")
PHONE = "+15550100{:03d}"
NEW_ID_EVERY = 4
"""One of this many reschedules ends the ticket and begins another."""


class Index(Extension, ABC):
    """Every ticket, card and text message of a world, by id and in order of creation.

    `graves` are the deleted tickets, cards, persons, groups and webhooks, by id. `invited` maps a person's id to the
    accepted invitation.
    """

    def __init__(self, world: Company) -> None:
        super().__init__(world, "desk")
        self.tickets: dict[str, Ticket] = {}
        self.cards: dict[str, Card] = {}
        self.texts: dict[str, Text] = {}
        self.graves: dict[str, Grave] = {}
        self.invited: dict[str, r.Invitation] = {}
        self._serials: defaultdict[type[r.Record], count[int]] = defaultdict(count)
        self._ticket_of: dict[str, Ticket] = {}
        self._card_of: dict[str, Card] = {}
        self._card_by_email: dict[str, Card] = {}
        self._text_of: dict[str, Text] = {}
        self._calloffs = count()
        self._moves = count(1)
        for contact in world.contacts.values():
            self._on_create_contact(contact, contact)
        world.listeners.append(self._listen)

    def new(self, kind: type[R], /, **fields: Any) -> R:
        """Return a new record of the desk."""
        stamps: dict[str, Any] = {
            "id": str(uuid.UUID(int=self.random.getrandbits(128), version=4)),
            "serial": next(self._serials[kind]),
            "created_at": self.now,
            "updated_at": self.now,
        }
        return kind(**stamps | fields)

    def ticket(self, booking: r.Booking) -> Ticket:
        """Return the ticket of a booking.

        Raises:
            ValueError: the booking was destroyed, or is another organization's.
        """
        if booking.id not in self._ticket_of:
            raise ValueError(f"booking {booking.id} was destroyed, or is another organization's")
        return self._ticket_of[booking.id]

    def card(self, contact: r.Contact | Card) -> Card:
        """Return the card of a contact.

        Raises:
            ValueError: the contact is deleted, or merged into another.
        """
        card = contact if isinstance(contact, Card) else self._card_of.get(contact.id)
        if card is None or card.id not in self.cards:
            raise ValueError(f"contact {contact.id} is deleted, or merged into another")
        return card

    def _bury(self, kind: str, record: r.Record) -> None:
        self.graves[record.id] = Grave(kind, record.id, record.serial, record.created_at, self.now)

    def _remove_ticket(self, ticket: Ticket) -> None:
        del self.tickets[ticket.id]
        booking: r.Booking | None = ticket.booking
        while booking:
            if self._ticket_of.get(booking.id) is ticket:
                del self._ticket_of[booking.id]
            booking = booking.old
        self._bury("ticket", ticket)

    def _remove_card(self, card: Card, heir: Card | None = None) -> None:
        del self.cards[card.id]
        self._card_of.pop(card.record.id, None)
        for email in [email for email, one in self._card_by_email.items() if one is card]:
            if heir:
                self._card_by_email[email] = heir
            else:
                del self._card_by_email[email]
        self._bury("card", card)

    def _listen(self, name: str, subject: Any, done: Any) -> None:
        follow = getattr(self, f"_on_{name}", None)
        if follow:
            follow(subject, done)

    def _on_create_contact(self, _: object, contact: r.Contact) -> None:
        known = self._card_by_email.get(contact.emails[0]) if contact.emails else None
        if known is None or known.record.id in self.world.contacts:
            self.file(contact)
            return
        del self._card_of[known.record.id]
        known.record = contact
        known.by_phone = known.by_phone and known.created_at == self.now
        known.updated_at = self.now
        self._card_of[contact.id] = known

    def file(self, record: r.Contact, *, by_phone: bool = False) -> Card:
        """Add a contact to the card index."""
        draw, now = self.random, self.now
        card = self.new(
            Card,
            created_at=record.created_at,
            record=record,
            by_phone=by_phone,
            early=record.created_at < now,
            status=draw.choice(STATUSES),
            employees=draw.choice((None, 12, 250)),
            consent=draw.random() < 0.8,  # noqa: PLR2004 -- four of five
            terms=draw.random() < 0.5,  # noqa: PLR2004 -- a fair coin
            street=draw.choice((None, "", "Hauptstraße 1")),
        )
        card.updated_at = max(card.created_at, record.updated_at)
        self.cards[card.id] = self._card_of[record.id] = card
        for email in record.emails[:1]:
            self._card_by_email.setdefault(email, card)
        return card

    def _on_edit_contact(self, contact: r.Contact, _: object) -> None:
        card = self._card_of.get(contact.id)
        if card:
            card.updated_at = self.now
            for email in contact.emails[:1]:
                self._card_by_email.setdefault(email, card)

    def _on_delete_contact(self, contact: r.Contact, _: object) -> None:
        if contact.id in self._card_of:
            self._remove_card(self._card_of[contact.id])

    def _on_join(self, _: object, booking: r.Booking) -> None:
        if not booking.meeting.elsewhere:
            self.open_ticket(booking)

    def open_ticket(self, booking: r.Booking, *, by_phone: bool | None = None) -> Ticket:
        """Open the ticket of a booking; a guest who books for the first time gets a card."""
        card = self._card_by_email.get(booking.email)
        drawn = self.random.random() < 0.06  # noqa: PLR2004 -- few have no e-mail address
        by_phone = (card is None and drawn) if by_phone is None else by_phone
        if card is None:
            card = self.file(self._stranger(booking), by_phone=by_phone)
        card.by_phone = card.by_phone and by_phone
        card.interacted_at = card.updated_at = self.now
        ticket = self.new(
            Ticket,
            id=booking.id,
            booking=booking,
            first=booking,
            owner=booking.meeting.hosts[0],
            card_id=card.id,
            by_phone=by_phone,
        )
        self.tickets[ticket.id] = self._ticket_of[booking.id] = ticket
        return ticket

    def _stranger(self, booking: r.Booking) -> r.Contact:
        blank: dict[str, Any] = dict.fromkeys(("job_title", "company", "country", "state", "city", "linkedin"))
        return self.new(
            r.Contact,
            owner=booking.meeting.hosts[0],
            name=booking.name,
            emails=[booking.email],
            phones=[booking.phone] if booking.phone else [],
            timezone=booking.timezone,
            values={},
            **blank,
        )

    def _on_reschedule(self, old: r.Booking, new: r.Booking) -> None:
        ticket, fresh = self._ticket_of.get(old.id), self.ticket(new)
        if ticket is None:
            return
        if next(self._moves) % NEW_ID_EVERY == 2:  # noqa: PLR2004 -- the second already
            fresh.previous = ticket
            return
        del self.tickets[fresh.id]
        self._ticket_of[new.id] = ticket
        self.move_ticket(ticket, new)

    def move_ticket(self, ticket: Ticket, booking: r.Booking) -> None:
        """Continue a ticket with another booking."""
        ticket.booking = booking
        ticket.moved, ticket.approval, ticket.calloff, ticket.missed_at = True, None, None, None
        ticket.updated_at = self.now

    def _on_cancel(self, meeting: r.Meeting, _: object) -> None:
        for booking in meeting.bookings:
            self._on_cancel_booking(booking, None)

    def _on_cancel_booking(self, booking: r.Booking, _: object) -> None:
        ticket = self._ticket_of.get(booking.id)
        if ticket and ticket.calloff is None and booking.cancellation:
            ticket.calloff = next(self._calloffs)

    def _on_mark_no_show(self, booking: r.Booking, _: object) -> None:
        ticket = self._ticket_of.get(booking.id)
        if ticket and ticket.approval is None:
            ticket.missed_at = ticket.updated_at = self.now

    def _on_erase(self, meeting: r.Meeting, _: object) -> None:
        for booking in meeting.bookings:
            ticket = self._ticket_of.pop(booking.id, None)
            if ticket and ticket.booking is booking:
                self._remove_ticket(ticket)

    def _on_send_message(self, booking: r.Booking, message: r.Message) -> None:
        ticket = self._ticket_of.get(booking.id)
        if message.kind == "sms" and ticket:
            self.settle_later(self.text(ticket, None, message))

    @abstractmethod
    def settle_later(self, text: Text) -> None:
        """Draw the final status of a text message, and settle it within two days."""

    def text(self, ticket: Ticket, person: r.Person | None, message: r.Message | None = None) -> Text:
        """Add a text message about a booking."""
        body = f"Neuer Termin: {ticket.booking.name} ☎" if person else f"Hi {ticket.booking.name}, see you soon"
        text = self.new(
            Text,
            card_id=ticket.card_id,
            person=person,
            to=message.to if message else PHONE.format(ticket.serial % 1000),
            body=message.body if message else body,
            message=message,
        )
        self.texts[text.id] = text
        if message:
            self._text_of[message.id] = text
        return text

    def _on_accept_invitation(self, invitation: r.Invitation, membership: r.Membership) -> None:
        self.invited[membership.person.id] = invitation

    def _on_remove_member(self, membership: r.Membership, _: object) -> None:
        self._bury("person", self.invited.get(membership.person.id, membership.person))

    def _on_revoke_invitation(self, invitation: r.Invitation, _: object) -> None:
        self._bury("person", invitation)

    _on_decline_invitation = _on_revoke_invitation

    def _on_delete_group(self, group: r.Group | r.Team, _: object) -> None:
        self._bury("group", group)

    _on_delete_team = _on_delete_group

    def _on_delete_webhook(self, webhook: r.Webhook, _: object) -> None:
        self._bury("webhook", webhook)
