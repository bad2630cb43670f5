"""The collections of users, teams and contacts, and users' availability."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from sandbox.oncehub.collection import Collection, Filter, buried, once
from sandbox.oncehub.pages import team_ref
from sandbox.oncehub.refusals import invalid
from sandbox.oncehub.text import ref, shown, stamp, user_ref
from sandbox.typed import as_typed
from sandbox.world import records as r

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from sandbox.http import Row
    from sandbox.oncehub.collection import Key
    from sandbox.oncehub.switches import Switches
    from sandbox.world.desk_records import Card

User = r.Membership | r.Invitation

ROLES = {"owner": "Account Owner", "admin": "Administrator"}
DAYS = dict(zip(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), range(7), strict=True))
NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
PLACES = {"in_person": "in_person_by_host", "host_calls": "phone_by_guest", "guest_calls": "in_person_by_guest"}


def users(api: Switches) -> Iterable[User]:
    """Return the members and those with a pending invitation."""
    yield from api.world.memberships.values()
    yield from (one for one in api.world.invitations.values() if one.status == "pending")


def user_id(api: Switches, user: User) -> str:
    """Return a user's id."""
    return ref("USR", user.id) if isinstance(user, r.Invitation) else user_ref(api.world.desk, user.person)


def user_key(api: Switches, user: User) -> Key:
    """Return the sort key of a user: the invitation's, if there was one."""
    found: r.Record = user
    if isinstance(user, r.Membership):
        found = api.world.desk.invited.get(user.person.id, user.person)
    return found.created_at, found.serial


def teams_of(api: Switches, membership: r.Membership) -> list[r.Team | r.Group]:
    """Return the teams of a member."""
    world = api.world
    found: list[r.Team | r.Group] = [team for team in world.teams.values() if membership.person in team.people]
    groups = {place.group.id: place.group for place in world.group_places.values() if place.holder is membership}
    return found + list(groups.values())


def role(api: Switches, membership: r.Membership) -> str:
    """Return the name of a member's role."""
    leads = any(one.holder is membership and one.role == "admin" for one in api.world.group_places.values())
    return ROLES.get(membership.role, "Team Manager" if leads else "Member")


def show_user(api: Switches, user: User) -> Row:
    """Show a user."""
    row: Row = {"object": "user", "id": user_id(api, user)}
    if isinstance(user, r.Invitation):
        blank = {"first_name": "", "last_name": None, "email": user.email, "status": "invited"}
        return row | blank | {"role_name": "Member", "timezone": None, "teams": []}
    person = user.person
    first, _, last = person.name.partition(" ")
    return row | {
        "first_name": first,
        "last_name": last,
        "email": person.email,
        "status": "active",
        "role_name": role(api, user),
        "timezone": person.timezone,
        "teams": [team_ref(team) for team in teams_of(api, user)],
    }


def email_of(user: User) -> str:
    """Return a user's address."""
    return user.email if isinstance(user, r.Invitation) else user.person.email


def teams(api: Switches) -> list[r.Team | r.Group]:
    """Return the teams."""
    return [*api.world.teams.values(), *api.world.groups.values()]


def with_user(api: Switches, value: str) -> Callable[[r.Team | r.Group], bool]:
    """Return the condition for the teams of a user."""
    found = {
        team.id
        for membership in api.world.memberships.values()
        if user_id(api, membership) == value
        for team in teams_of(api, membership)
    }
    return lambda team: team.id in found


def availability(api: Switches, user: User, pairs: Sequence[tuple[str, str]] = ()) -> Row:
    """Show the availability of a user; an invited one has no hours yet."""
    since = overrides_since(once(pairs))
    if isinstance(user, r.Invitation):
        return {"object": "schedule", "timezone": None, "weekly": [], "overrides": []}
    person = user.person
    schedule = next(one for one in api.world.schedules.values() if one.person is person)
    places = [one for one in api.world.saved_places.values() if one.person is person]
    locations = [
        {"type": PLACES.get(one.place.kind, "online_dynamic_link"), "value": one.place.text, "id": ref("ADD", one.id)}
        for one in places
    ]

    def hours(spans: list[tuple[str, str]]) -> list[Row]:
        return [{"start_time": start, "end_time": end, "locations": locations} for start, end in spans]

    return {
        "object": "schedule",
        "timezone": person.timezone,
        "weekly": [{"day": NAMES[DAYS[day]], "working_hours": hours(spans)} for day, spans in schedule.hours.items()],
        "overrides": [
            {"date": day, "day": NAMES[date.fromisoformat(day).weekday()], "working_hours": hours(spans)}
            for day, spans in schedule.dates.items()
            if day >= since
        ],
    }


def overrides_since(params: dict[str, str]) -> str:
    """Return the first date of the requested overrides.

    Raises:
        Refusal: it is no date, or another parameter is given.
    """
    since = params.pop("overrides_start_time", "")
    for name in params:
        raise invalid(name, f"Received unknown parameter: {name}")
    if since and not re.fullmatch(r"\d{4}-\d\d-\d\d", since):
        raise invalid("overrides_start_time", "overrides_start_time is not a valid date")
    return since


def contact_updated(card: Card) -> datetime:
    """Return the time of a contact's last change."""
    return max(card.updated_at, card.record.updated_at)


def show_contact(api: Switches, card: Card) -> Row:
    """Show a contact; a missing value is null in some and an empty string in others."""
    record, number = card.record, card.serial
    none = ("", None)[number % 2]
    first, _, last = record.name.partition(" ")
    phone = re.sub(r"[^+\d]", "", record.phones[0]) if record.phones else none
    defined = {field.id: field.label for field in api.world.custom_fields.values()}
    values = {defined[key]: value for key, value in record.values.items() if key in defined} | card.values
    return {
        "object": "contact",
        "id": ref("CTC", card.id),
        "creation_time": stamp(card.created_at, brief=number % 2 == 0),
        "last_updated_time": stamp(contact_updated(card), brief=number % 3 == 0),
        "last_interacted_time": card.interacted_at and stamp(card.interacted_at),
        "owner": user_ref(api.world.desk, record.owner),
        "status": card.status,
        "email": card.email and as_typed(card.email, number),
        "first_name": first,
        "last_name": last or none,
        "salutation": ("Dr.", "", None)[number % 3],
        "job_title": record.job_title or none,
        "company": record.company or none,
        "company_size": "11-50" if card.employees == 12 else none,  # noqa: PLR2004 -- a dozen
        "employees": card.employees,
        "street_address": card.street,
        "post_code": "10115" if card.street else none,
        "city": record.city or none,
        "state": record.state or none,
        "country": record.country or none,
        "phone": phone,
        "mobile_phone": "+15550199" if card.by_phone else none,
        "has_consent": card.consent,
        "terms_of_service" if card.early else "terms_of_sevice": card.terms,
        "timezone": record.timezone or none,
        "custom_fields": [{"name": name, "value": value} for name, value in values.items()],
    }


USERS = Collection(
    name="users",
    path="/v2/users",
    object="user",
    rows=users,
    ref=user_id,
    show=show_user,
    key=user_key,
    gone=buried("person", "USR"),
    filters={"email": Filter(lambda _, value: lambda user: email_of(user) == value)},
    has_stubs=True,
)
TEAMS = Collection(
    name="teams",
    path="/v2/teams",
    object="team",
    rows=teams,
    ref=lambda _, team: team_ref(team),
    show=lambda _, team: {"object": "team", "id": team_ref(team), "name": team.name},
    gone=buried("group", "TM"),
    filters={"user": Filter(with_user)},
)
CONTACTS = Collection(
    name="contacts",
    path="/v2/contacts",
    object="contact",
    rows=lambda api: api.world.desk.cards.values(),
    ref=lambda _, card: ref("CTC", card.id),
    show=show_contact,
    gone=buried("card", "CTC"),
    filters={"email": Filter(lambda _, value: lambda card: card.email == value.strip().lower())},
    times={
        "creation_time": lambda _, card: shown(card.created_at, brief=card.serial % 2 == 0),
        "last_updated_time": lambda _, card: shown(contact_updated(card), brief=card.serial % 3 == 0),
    },
    references={"owner": ("users",)},
    has_stubs=True,
)
