"""Kinds of tickets, coupons and mailings of an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.world import words
from sandbox.world.extension import change
from sandbox.world.gatherings import records as g
from sandbox.world.gatherings.audience import Audience

if TYPE_CHECKING:
    from datetime import datetime

Groups = list[tuple[str, g.TicketKind | None]]


class Offers(Audience):
    """Changes of kinds of tickets, coupons and mailings."""

    @change
    def add_ticket_kind(self, gathering: g.Gathering, name: str = "Standard", /, **fields: Any) -> g.TicketKind:
        """Create a kind of ticket: free unless it has `cents`."""
        paid = fields.get("cents") is not None
        money = {"currency": "eur", "paid": True} if paid else {"paid": False}
        kind = self.new(g.TicketKind, gathering=gathering, name=name, **(money | fields))
        gathering.kinds.append(kind)
        return kind

    @change
    def edit_ticket_kind(self, kind: g.TicketKind, /, **changes: Any) -> None:
        """Change a kind of ticket."""
        for field, value in changes.items():
            setattr(kind, field, value)

    @change
    def hide_ticket_kind(self, kind: g.TicketKind, *, hidden: bool = True) -> None:
        """Hide a kind of ticket, or show it again."""
        kind.hidden = hidden

    @change
    def delete_ticket_kind(self, kind: g.TicketKind) -> None:
        """Delete a kind of ticket.

        Raises:
            ValueError: tickets of this kind were issued.
        """
        if kind.sold:
            raise ValueError(f"tickets of the kind {kind.name} were issued; hide it instead")
        if kind in kind.gathering.kinds:
            kind.gathering.kinds.remove(kind)
        for coupon in kind.gathering.coupons:
            if coupon.kind is kind:
                coupon.kind = None
        for mailing in kind.gathering.mailings:
            mailing.groups = [(status, None if of is kind else of) for status, of in mailing.groups]

    @change
    def add_coupon(self, /, owner: g.Gathering | g.Calendar, code: str, remaining: int = 20, **fields: Any) -> g.Coupon:
        """Create a coupon for one event, or for all of a calendar's."""
        coupon = self.new(g.Coupon, owner=owner, code=code, remaining=remaining, **fields)
        owner.coupons.append(coupon)
        return coupon

    @change
    def use_coupon(self, coupon: g.Coupon, times: int = 1) -> None:
        """Reduce the remaining uses of a coupon, unless they are unlimited."""
        if coupon.remaining != g.UNLIMITED:
            coupon.remaining = max(0, coupon.remaining - times)

    @change
    def edit_coupon(self, coupon: g.Coupon, /, **changes: Any) -> None:
        """Change the remaining uses or the end of a coupon."""
        for field, value in changes.items():
            setattr(coupon, field, value)

    @change
    def delete_coupon(self, coupon: g.Coupon) -> None:
        """Delete a coupon; orders that used it keep it."""
        if coupon in coupon.owner.coupons:
            coupon.owner.coupons.remove(coupon)

    @change
    def schedule_mailing(
        self,
        gathering: g.Gathering,
        when: datetime | None = None,
        subject: str | None = "See you soon",
        groups: Groups | None = None,
    ) -> g.Mailing:
        """Schedule a mailing to some guests of an event."""
        mailing = self.new(
            g.Mailing,
            gathering=gathering,
            subject=subject,
            content=f"**{gathering.name}**\n\n{self.pick(words.SENTENCES)}",
            status="scheduled",
            groups=groups or [("approved", None)],
            sender=self.pick([*gathering.hosts, None]),
            scheduled_for=when,
        )
        gathering.mailings.append(mailing)
        return mailing

    @change
    def send_mailing(self, mailing: g.Mailing | g.Gathering, *, quarantined: bool = False) -> g.Mailing:
        """Send a scheduled mailing, or a new one to an event's approved guests, or quarantine it."""
        if isinstance(mailing, g.Gathering):
            mailing = self.schedule_mailing(mailing)
        if quarantined:
            mailing.status = "quarantined"
            return mailing
        mailing.status = "sent"
        mailing.sent_at = self.now
        mailing.recipients = sum(reached(guest, mailing.groups) for guest in mailing.gathering.guests.values())
        return mailing

    @change
    def edit_mailing(self, mailing: g.Mailing, /, **changes: Any) -> None:
        """Rewrite a mailing."""
        for field, value in changes.items():
            setattr(mailing, field, value)

    @change
    def open_mailing(self, mailing: g.Mailing, times: int = 1) -> None:
        """Count opens of a mailing."""
        mailing.opens += times

    @change
    def delete_mailing(self, mailing: g.Mailing) -> None:
        """Delete a mailing."""
        if mailing in mailing.gathering.mailings:
            mailing.gathering.mailings.remove(mailing)


def reached(guest: g.Guest, groups: Groups) -> bool:
    """Return True if a mailing to these groups goes to a guest."""
    return any(
        (any(ticket.checked_in_at for ticket in guest.tickets) if status == "checked_in" else guest.status == status)
        and (kind is None or any(ticket.kind is kind for ticket in guest.tickets))
        for status, kind in groups
    )
