"""Mutations around events on Luma: of ticket types, coupons, mails, contacts and administrators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calendly_mutations import add_a_webhook, delete_a_webhook
from choice import named
from luma_mutations import DAY, events

if TYPE_CHECKING:
    from choice import Choice
    from sandbox.world import World
    from sandbox.world.gatherings import records as g


def _kinds(world: World) -> list[g.TicketKind]:
    return [kind for event in events(world) for kind in event.kinds]


def _coupons(world: World) -> list[g.Coupon]:
    return [*world.gatherings.main.coupons, *(coupon for event in events(world) for coupon in event.coupons)]


def _mailings(world: World) -> list[g.Mailing]:
    return [mailing for event in events(world) for mailing in event.mailings]


def _contacts(world: World) -> list[g.Contact]:
    return list(world.gatherings.main.contacts.values())


def _today(world: World, days: int = 0) -> str:
    return f"{world.now + days * DAY:%Y-%m-%d}"


def sell_tickets(world: World, choice: Choice) -> None:
    world.gatherings.add_ticket_kind(choice(events(world)), "Paid", cents=1000)


def sell_tickets_until_tomorrow(world: World, choice: Choice) -> None:
    event = choice(events(world))
    world.gatherings.add_ticket_kind(event, "Early", valid_start=_today(world), valid_end=_today(world, 1))


def let_them_ask_first(world: World, choice: Choice) -> None:
    world.gatherings.edit_ticket_kind(choice(_kinds(world)), require_approval=True)


def hide_tickets(world: World, choice: Choice) -> None:
    kind = choice(_kinds(world))
    world.gatherings.hide_ticket_kind(kind, hidden=not kind.hidden)


def withdraw_tickets(world: World, choice: Choice) -> None:
    unsold = [kind for kind in _kinds(world) if not kind.sold and len(kind.gathering.kinds) > 1]
    world.gatherings.delete_ticket_kind(choice(unsold))


def give_out_a_coupon(world: World, choice: Choice) -> None:
    world.gatherings.add_coupon(choice(events(world)), f"CODE{len(_coupons(world))}", 5, percent=50)


def give_out_a_coupon_for_all(world: World, _: Choice) -> None:
    world.gatherings.add_coupon(world.gatherings.main, f"ALL{len(_coupons(world))}", 5, percent=50)


def edit_a_coupon(world: World, choice: Choice) -> None:
    world.gatherings.edit_coupon(choice(_coupons(world)), remaining=3, valid_end=world.now + 9 * DAY)


def delete_a_coupon(world: World, choice: Choice) -> None:
    world.gatherings.delete_coupon(choice(_coupons(world)))


def write_to_the_guests(world: World, choice: Choice) -> None:
    world.gatherings.schedule_mailing(choice(events(world)), world.now + DAY)


def send_a_mail(world: World, choice: Choice) -> None:
    options: list[g.Gathering | g.Mailing] = [*events(world), *_mailings(world)]
    world.gatherings.send_mailing(choice(options))


def open_a_mail(world: World, choice: Choice) -> None:
    world.gatherings.open_mailing(choice(_mailings(world)))


def edit_a_mail(world: World, choice: Choice) -> None:
    world.gatherings.edit_mailing(choice(_mailings(world)), subject=f"Mail of {world.now.isoformat()}")


def delete_a_mail(world: World, choice: Choice) -> None:
    world.gatherings.delete_mailing(choice(_mailings(world)))


def label_an_event(world: World, choice: Choice) -> None:
    main = world.gatherings.main
    world.gatherings.tag(choice(main.listings), choice(main.event_tags))


def follow_the_calendar(world: World, _: Choice) -> None:
    world.gatherings.add_contact(world.gatherings.main)


def follow_no_longer(world: World, choice: Choice) -> None:
    world.gatherings.remove_contact(choice(_contacts(world)))


def label_a_contact(world: World, choice: Choice) -> None:
    world.gatherings.tag(choice(_contacts(world)), choice(world.gatherings.main.contact_tags))


def take_a_label_off(world: World, choice: Choice) -> None:
    contact = choice(one for one in _contacts(world) if one.tags)
    world.gatherings.untag(contact, choice(contact.tags))


def become_a_member(world: World, choice: Choice) -> None:
    world.gatherings.edit_contact(
        choice(_contacts(world)), membership=("approved", choice(world.gatherings.main.tiers))
    )


def introduce_labels(world: World, _: Choice) -> None:
    main, name = world.gatherings.main, f"Label of {world.now.isoformat()}"
    world.gatherings.add_event_tag(main, name)
    world.gatherings.add_contact_tag(main, name)


def rename_a_label(world: World, choice: Choice) -> None:
    main = world.gatherings.main
    world.gatherings.edit_tag(choice([*main.event_tags, *main.contact_tags]), f"Renamed at {world.now.isoformat()}")


def delete_a_label(world: World, choice: Choice) -> None:
    main = world.gatherings.main
    world.gatherings.delete_tag(main, choice([*main.event_tags, *main.contact_tags]))


def offer_a_membership(world: World, _: Choice) -> None:
    world.gatherings.add_tier(world.gatherings.main, f"Tier of {world.now.isoformat()}")


def edit_a_membership(world: World, choice: Choice) -> None:
    world.gatherings.edit_tier(choice(world.gatherings.main.tiers), name=f"Renamed at {world.now.isoformat()}")


def edit_a_calendar(world: World, choice: Choice) -> None:
    calendar = choice(one for one in world.gatherings.calendars.values() if one.ours)
    world.gatherings.edit_calendar(calendar, name=f"Calendar of {world.now.isoformat()}")


def open_a_calendar(world: World, _: Choice) -> None:
    world.gatherings.add_calendar("New", f"new-{len(world.gatherings.calendars)}")


def let_somebody_manage(world: World, choice: Choice) -> None:
    main = world.gatherings.main
    world.gatherings.add_admin(main, choice(one for one in world.gatherings.people if one not in main.admins))


def let_somebody_manage_no_longer(world: World, choice: Choice) -> None:
    main = world.gatherings.main
    world.gatherings.remove_admin(main, choice(main.admins[1:]))


def rename_a_host(world: World, choice: Choice) -> None:
    world.edit_person(choice(world.gatherings.people), name=f"Host of {world.now.isoformat()}")


def show_what_others_run(world: World, _: Choice) -> None:
    others = next(one for one in world.gatherings.calendars.values() if not one.ours)
    world.gatherings.list_on(world.gatherings.create(world.now + DAY, calendar=others), world.gatherings.main)


def show_what_is_elsewhere(world: World, _: Choice) -> None:
    world.gatherings.create(world.now + DAY, external="Globex")


CHORES = named(
    sell_tickets,
    sell_tickets_until_tomorrow,
    let_them_ask_first,
    hide_tickets,
    withdraw_tickets,
    give_out_a_coupon,
    give_out_a_coupon_for_all,
    edit_a_coupon,
    delete_a_coupon,
    write_to_the_guests,
    send_a_mail,
    open_a_mail,
    edit_a_mail,
    delete_a_mail,
    label_an_event,
    follow_the_calendar,
    follow_no_longer,
    label_a_contact,
    take_a_label_off,
    become_a_member,
    introduce_labels,
    rename_a_label,
    delete_a_label,
    offer_a_membership,
    edit_a_membership,
    edit_a_calendar,
    open_a_calendar,
    let_somebody_manage,
    let_somebody_manage_no_longer,
    rename_a_host,
    show_what_others_run,
    show_what_is_elsewhere,
    add_a_webhook,
    delete_a_webhook,
)
"""Mutations around events."""
