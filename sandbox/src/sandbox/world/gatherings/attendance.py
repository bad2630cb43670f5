"""The guests of an event: invitation, registration, approval, check-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.world import words
from sandbox.world.extension import change
from sandbox.world.gatherings import records as g
from sandbox.world.gatherings.drawing import draw_answers
from sandbox.world.gatherings.events import Events

if TYPE_CHECKING:
    from collections.abc import Sequence

TAX = 0.19


class Gatherings(Events):
    """Public events, with all their changes. Registered guests join the calendar's audience."""

    @change
    def invite(self, gathering: g.Gathering, attendee: g.Attendee | None = None) -> g.Guest:
        """Invite an attendee who is no guest yet."""
        guest = self._enter(gathering, attendee)
        guest.invited_at = guest.invited_at or self.now
        return guest

    @change
    def register(  # noqa: PLR0913 -- a registration has this many parts
        self,
        gathering: g.Gathering,
        attendee: g.Attendee | None = None,
        *,
        kind: g.TicketKind | None = None,
        quantity: int = 1,
        coupon: g.Coupon | None = None,
        answers: list[g.Answer] | None = None,
        unfinished: bool = False,
    ) -> g.Guest:
        """Register an attendee: approved at once unless the ticket needs approval or the event is full.

        The `kind` of ticket is by default the first one on sale. `unfinished` stops the registration half-way. An
        attendee who was invited, stopped half-way or declined stays the same guest. A guest is never removed from the
        list.

        Raises:
            ValueError: the event has no kind of ticket.
        """
        if not gathering.kinds:
            raise ValueError(f"{gathering.name} has no kind of ticket")
        guest = self._enter(gathering, attendee)
        guest.answers = answers or draw_answers(self, gathering.questions)
        guest.source = guest.source or self.pick(words.SOURCES)
        if unfinished:
            guest.status = "session"
            return guest
        if guest.status == "approved":
            return guest
        kind = kind or (gathering.on_sale(f"{self.now:%Y-%m-%d}") or gathering.kinds)[0]
        if guest.registered_at is None or self.reregistering_moves_stamp:
            guest.registered_at = self.now
        self.add_contact(gathering.calendar, guest.attendee)
        full = gathering.capacity is not None and gathering.held + quantity > gathering.capacity
        if kind.require_approval:
            guest.status = "pending_approval"
            self._order(guest, [kind] * quantity, coupon)
        elif full:
            guest.status = "waitlist"
        else:
            self._order(guest, [kind] * quantity, coupon)
            self.approve(guest)
        return guest

    def _enter(self, gathering: g.Gathering, attendee: g.Attendee | None) -> g.Guest:
        attendee = attendee or self.draw_attendee(gathering.guests)
        guest = gathering.guests.get(attendee.id)
        if guest is None:
            guest = self.new(
                g.Guest,
                number=next(self._guest_numbers),
                gathering=gathering,
                attendee=attendee,
                status="invited",
                key=self.new_id(),
            )
            gathering.guests[attendee.id] = guest
            attendee.guests.append(guest)
        return guest

    def _order(self, guest: g.Guest, kinds: Sequence[g.TicketKind], coupon: g.Coupon | None = None) -> None:
        tickets = []
        for kind in kinds:
            price = kind.cents or 0
            discount = 0 if coupon is None else min(price, coupon.cents or price * (coupon.percent or 0) // 100)
            tax = round((price - discount) * TAX)
            tickets.append(
                self.new(
                    g.Ticket,
                    guest=guest,
                    kind=kind,
                    amount=price - discount + tax,
                    discount=discount,
                    tax=tax,
                    captured=guest.status == "approved",
                )
            )
            kind.sold = True
        if coupon:
            self.use_coupon(coupon)
        guest.tickets += tickets
        order = self.new(
            g.Order,
            guest=guest,
            amount=sum(ticket.amount for ticket in tickets),
            discount=sum(ticket.discount for ticket in tickets),
            tax=sum(ticket.tax for ticket in tickets),
            currency=next((kind.currency for kind in kinds if kind.paid), None),
            captured=guest.status == "approved",
            coupon=coupon,
        )
        guest.orders.append(order)

    def _contact(self, guest: g.Guest) -> g.Contact | None:
        return guest.gathering.calendar.contacts.get(guest.attendee.id)

    @change
    def approve(self, guest: g.Guest) -> None:
        """Approve a guest; no time moves, unless the guest never registered."""
        if guest.status == "approved":
            return
        guest.registered_at = guest.registered_at or self.now
        guest.status = "approved"
        if not guest.tickets:
            self._order(guest, guest.gathering.kinds[:1])
        contact = self._contact(guest)
        if contact:
            contact.approved += 1
            contact.revenue += sum(ticket.amount for ticket in guest.tickets if not ticket.captured)
        everything: list[g.Ticket | g.Order] = [*guest.tickets, *guest.orders]
        for sold in everything:
            sold.captured = True

    promote = approve
    """Approve a guest on the waiting list."""

    def _leave(self, guest: g.Guest, status: str) -> None:
        contact = self._contact(guest)
        if guest.status == "approved" and contact:
            contact.approved -= 1
        guest.status = status
        guest.tickets = []

    @change
    def decline(self, guest: g.Guest) -> None:
        """Decline a guest, who stays on the list without tickets."""
        self._leave(guest, "declined")

    @change
    def waitlist(self, guest: g.Guest) -> None:
        """Move a guest to the waiting list."""
        self._leave(guest, "waitlist")

    @change
    def change_tickets(self, guest: g.Guest, add: Sequence[g.TicketKind] = (), remove: Sequence[g.Ticket] = ()) -> None:
        """Change the number of a guest's tickets."""
        guest.tickets = [ticket for ticket in guest.tickets if ticket not in remove]
        if add:
            self._order(guest, add)
            contact = self._contact(guest)
            if contact and guest.status == "approved":
                contact.revenue += guest.orders[-1].amount

    @change
    def check_in(self, ticket: g.Ticket) -> None:
        """Check a ticket in."""
        contact = self._contact(ticket.guest)
        if contact and not any(other.checked_in_at for other in ticket.guest.tickets):
            contact.checked_in += 1
        ticket.checked_in_at = ticket.checked_in_at or self.now

    @change
    def undo_check_in(self, ticket: g.Ticket) -> None:
        """Undo a check-in, which removes its time."""
        contact = self._contact(ticket.guest)
        was_in, ticket.checked_in_at = ticket.checked_in_at, None
        if contact and was_in and not any(other.checked_in_at for other in ticket.guest.tickets):
            contact.checked_in -= 1

    @change
    def edit_answers(self, guest: g.Guest, answers: list[g.Answer] | None = None) -> None:
        """Change a guest's answers, by default to random ones."""
        guest.answers = answers or draw_answers(self, guest.gathering.questions)

    @change
    def join_online(self, guest: g.Guest) -> None:
        """Record that a guest joined an online event; the first time counts."""
        guest.joined_at = guest.joined_at or self.now
