"""Mutations around the bookings of OnceHub: of hosts and of what can be booked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calendly_mutations import (
    accept_an_invitation,
    add_a_host,
    change_a_profile,
    delete_a_webhook,
    dissolve_a_group,
    edit_an_event_type,
    enter_a_group,
    found_a_group,
    invite_somebody,
    join_the_organization,
    leave_a_group,
    offer_an_event_type,
    revoke_an_invitation,
)
from choice import named

if TYPE_CHECKING:
    from choice import Choice
    from sandbox.world import World
    from sandbox.world import records as r

FEWEST = 4
"""Event types that are left to book."""


def _dispensable(world: World) -> list[r.EventType]:
    """Event types that can be done without: one of each kind is left."""
    return [kind for kind in world.bookable()[FEWEST:] if kind.seats == 1]


def take_an_event_type_offline(world: World, choice: Choice) -> None:
    world.edit_event_type(choice(_dispensable(world)), active=False)


def delete_an_event_type(world: World, choice: Choice) -> None:
    world.delete_event_type(choice(_dispensable(world)))


def _dispensable_member(world: World, choice: Choice) -> r.Membership:
    """A member whom no key stands for; where there is none, one joins."""
    found = [one for one in world.memberships.values() if one.person not in world.seats.values()]
    return choice(found or [world.add_member()])


def leave_the_organization(world: World, choice: Choice) -> None:
    world.remove_member(_dispensable_member(world, choice))


def change_working_hours(world: World, choice: Choice) -> None:
    person = choice(world.memberships.values()).person
    schedule = next(one for one in world.schedules.values() if one.person is person)
    world.set_hours(schedule, (world.now.date()).isoformat(), [("10:00", "11:00")])


def change_a_role(world: World, choice: Choice) -> None:
    one = _dispensable_member(world, choice)
    world.set_role(one, "user" if one.role == "admin" else "admin")


def make_a_master_page(world: World, choice: Choice) -> None:
    person = choice(world.memberships.values()).person
    world.create_team(f"Page of {world.now.isoformat()}", [world.seats["owner"], person])


def delete_a_master_page(world: World, choice: Choice) -> None:
    owners = [kind.owner for kind in world.event_types.values()]
    world.delete_team(choice(team for team in world.teams.values() if team not in owners))


def add_a_webhook(world: World, _: Choice) -> None:
    world.add_webhook(f"https://hooks.example/{len(world.log)}?to=us")


CHORES = named(
    offer_an_event_type,
    edit_an_event_type,
    take_an_event_type_offline,
    delete_an_event_type,
    add_a_host,
    join_the_organization,
    leave_the_organization,
    change_a_profile,
    change_working_hours,
    change_a_role,
    invite_somebody,
    accept_an_invitation,
    revoke_an_invitation,
    found_a_group,
    dissolve_a_group,
    enter_a_group,
    leave_a_group,
    make_a_master_page,
    delete_a_master_page,
    add_a_webhook,
    delete_a_webhook,
)
"""Mutations around them."""
