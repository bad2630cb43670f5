"""The collections of booking calendars and, of the older product, booking pages, master pages and event types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.oncehub.collection import Collection, Filter, Gone
from sandbox.oncehub.text import ref, user_ref
from sandbox.world import records as r

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.http import Row
    from sandbox.oncehub.switches import Switches

HOME = "https://go.oncehub.com"


def is_legacy(kind: r.EventType) -> bool:
    """Return True if an event type is booked on booking pages, and not on a booking calendar."""
    return kind.position % 3 == 2  # noqa: PLR2004 -- the last of three


def calendar_ref(kind: r.EventType) -> str:
    """Return a booking calendar's id."""
    return ref("BKC", kind.id)


def event_type_ref(kind: r.EventType) -> str:
    """Return an event type's id."""
    return ref("ET", kind.id)


def page_ref(person: r.Person) -> str:
    """Return the id of a person's booking page."""
    return ref("BP", person.id)


def master_page_ref(team: r.Team) -> str:
    """Return the id of a team's master page; some have the prefix of booking pages."""
    return ref("BP" if team.slug == "team-2" else "MP", team.id)


def team_ref(team: r.Team | r.Group) -> str:
    """Return a team's id."""
    return ref("TM", team.id)


def host(api: Switches, kind: r.EventType) -> str:
    """Return the id of the user or team that has a booking calendar."""
    return team_ref(kind.owner) if isinstance(kind.owner, r.Team) else user_ref(api.world.desk, kind.owner)


def duration(api: Switches, kind: r.EventType) -> Any:
    """Show the duration, which is not a single number if the guest may choose it."""
    if not kind.minutes_options or api.several_durations == "first":
        return kind.minutes
    return kind.minutes_options if api.several_durations == "list" else None


def show_calendar(api: Switches, kind: r.EventType) -> Row:
    """Show a booking calendar."""
    return {
        "object": "booking_calendar",
        "id": calendar_ref(kind),
        "host": host(api, kind),
        "name": kind.internal_note or kind.name or "",
        "subject": kind.name,
        "url": f"{HOME}/{kind.slug or kind.id[:8]}",
        "published": kind.active,
        "duration_minutes": duration(api, kind),
    }


def show_event_type(_: Switches, kind: r.EventType) -> Row:
    """Show an event type; the newer ones have a label."""
    row = {
        "object": "event_type",
        "id": event_type_ref(kind),
        "name": kind.name,
        "description": kind.description,
    }
    return row if kind.position % 2 else row | {"label": kind.slug or ""}


def show_page(_: Switches, membership: r.Membership) -> Row:
    """Show a person's booking page."""
    person = membership.person
    return {
        "object": "booking_page",
        "id": page_ref(person),
        "name": person.name,
        "label": ("", person.name.split()[0])[person.slug[-1] in "02468"],
        "url": f"{HOME}/{person.slug}",
        "active": person.slug[-1] != "3",
        "timezone": person.timezone,
    }


def show_master_page(_: Switches, team: r.Team) -> Row:
    """Show a team's master page."""
    return {
        "object": "master_page",
        "id": master_page_ref(team),
        "name": team.name,
        "label": team.name,
        "url": f"{HOME}/{team.slug}",
        "active": True,
    }


def kinds(legacy: bool) -> Callable[[Switches], list[r.EventType]]:  # noqa: FBT001 -- the only argument
    """Return the function that returns the event types of one product."""

    def rows(api: Switches) -> list[r.EventType]:
        known = api.world.event_types.values()
        return [kind for kind in known if is_legacy(kind) == legacy and kind.deleted_at is None]

    return rows


def gone(legacy: bool) -> Callable[[Switches], Iterable[Gone]]:  # noqa: FBT001 -- the only argument
    """Return the function that returns the deleted event types of one product."""
    address = event_type_ref if legacy else calendar_ref

    def rows(api: Switches) -> Iterable[Gone]:
        for kind in api.world.event_types.values():
            if kind.deleted_at and is_legacy(kind) == legacy:
                yield Gone(address(kind), (kind.created_at, kind.serial), kind.deleted_at)

    return rows


def gone_pages(api: Switches) -> Iterable[Gone]:
    """Return the pages of former members."""
    here = {membership.person.id for membership in api.world.memberships.values()}
    for person in api.world.people.values():
        if person.id not in here:
            yield Gone(page_ref(person), (person.created_at, person.serial), api.world.now)


def of_master_page(api: Switches, value: str) -> Callable[[r.Membership], bool]:
    """Return the condition for the pages of a team's members."""
    people = [one for team in api.world.teams.values() if master_page_ref(team) == value for one in team.people]
    return lambda membership: membership.person in people


def of_event_type(api: Switches, value: str) -> Callable[[r.Membership], bool]:
    """Return the condition for the pages that offer an event type."""
    offered = [kind for kind in kinds(legacy=True)(api) if event_type_ref(kind) == value]
    people = [one.person for kind in offered for one in kind.hosts]
    return lambda membership: membership.person in people


def of_user(api: Switches, value: str) -> Callable[[r.Membership], bool]:
    """Return the condition for a user's pages."""
    return lambda membership: user_ref(api.world.desk, membership.person) == value


BOOKING_CALENDARS = Collection(
    name="booking_calendars",
    path="/v2/booking-calendars",
    object="booking_calendar",
    rows=kinds(legacy=False),
    ref=lambda _, kind: calendar_ref(kind),
    show=show_calendar,
    gone=gone(legacy=False),
    filters={"host": Filter(lambda api, value: lambda kind: host(api, kind) == value)},
    references={"host": ("users", "teams")},
    has_stubs=True,
)
BOOKING_PAGES = Collection(
    name="booking_pages",
    path="/v2/booking-pages",
    object="booking_page",
    rows=lambda api: api.world.memberships.values(),
    ref=lambda _, membership: page_ref(membership.person),
    show=show_page,
    gone=gone_pages,
    filters={"master_page": Filter(of_master_page), "event_type": Filter(of_event_type), "user": Filter(of_user)},
)
EVENT_TYPES = Collection(
    name="event_types",
    path="/v2/event-types",
    object="event_type",
    rows=kinds(legacy=True),
    ref=lambda _, kind: event_type_ref(kind),
    show=show_event_type,
    gone=gone(legacy=True),
)
MASTER_PAGES = Collection(
    name="master_pages",
    path="/v2/master-pages",
    object="master_page",
    rows=lambda api: api.world.teams.values(),
    ref=lambda _, team: master_page_ref(team),
    show=show_master_page,
)
