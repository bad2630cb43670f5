"""The endpoints of events."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sandbox.savvycal.event_rows import EventRows, View
from sandbox.savvycal.paging import Listing
from sandbox.savvycal.refusals import invalid, not_found
from sandbox.savvycal.request import EVENTS, Endpoint
from sandbox.savvycal.text import id_of, uuid_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from sandbox.http import Row
    from sandbox.savvycal.paging import Key
    from sandbox.savvycal.request import Call
    from sandbox.savvycal.switches import Switches

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Return microseconds since 1970."""
    return (moment - BEGINNING) // MICROSECOND


def sort(api: Switches) -> list[tuple[Key, View]]:
    """Return every event, by its start and id."""
    views = [View.of(event) for event in api.world.invites.all()]
    return sorted((((micros(view.start), view.id), view) for view in views), key=lambda row: row[0])


def seen(call: Call, attendance: str) -> Callable[[View], bool] | None:
    """Return the condition for the events that the caller sees; None if the caller sees all.

    SavvyCal: the reach of `any` is unverified. Here it covers the events of everybody who shares a team with the
    caller, and the whole company for the owner's key.
    """
    if attendance == "any" and call.key.everybody:
        return None
    people = colleagues(call) if attendance == "any" else {call.person.id}
    return lambda view: any(host.id in people for host in view.event.hosts)


def colleagues(call: Call) -> set[str]:
    """Return the ids of the caller and of everybody who shares a team with the caller."""
    me = call.person
    teams = [team for team in call.world.teams.values() if me in team.people]
    return {me.id, *(person.id for team in teams for person in team.people)}


def bounds(call: Call) -> tuple[int | None, int | None]:
    """Return the first and the last requested start (SavvyCal: `period` is `upcoming` by default).

    Raises:
        Refusal: the dates are in the wrong order, or a switch refuses them.
    """
    args, api, now = call.args, call.api, micros(call.world.now)
    period = args.get("period", "upcoming")
    if period == "upcoming":
        return now + 1, None
    if period == "past":
        return None, now
    if period == "all":
        return None, None
    if api.fixed_refused:
        raise invalid("period", "is invalid")
    first: date | None = args.get("from")
    last: date | None = args.get("until")
    if last is None and api.from_alone_refused:
        raise invalid("until", "can't be blank")
    if first and last and last < first:
        raise invalid("until", "must be before the from time")
    zone = ZoneInfo(api.from_zone or call.person.timezone)

    def midnight(day: date) -> int:
        return micros(datetime.combine(day, time(), zone).astimezone(UTC))

    low = midnight(first) if first else None
    if last is None:
        return low, None
    return low, midnight(last + timedelta(days=1) if api.until_inclusive else last) - 1


def listed(call: Call) -> Listing:
    """Return the requested events (SavvyCal: the defaults of all filters are narrow)."""
    args, api = call.args, call.api
    state = args.get("state", "confirmed")
    mine = seen(call, args.get("attendance", "attending"))
    link = args.get("link")

    def keep(view: View) -> bool:
        if state not in {"all", view.state} or (mine is not None and not mine(view)):
            return False
        event = view.event
        return link is None or (event.link_name is not None and id_of("link", event.meeting.event_type) == link)

    low, high = bounds(call)
    return Listing(
        rows=api.cached("events", lambda: sort(api)),
        shape=EventRows(api).row,
        keep=keep,
        descending=args.get("direction", "desc") == "desc",
        low=low,
        high=high,
    )


def one(call: Call) -> Row:
    """Return one event by its id or uuid, if the caller may see it."""
    view = call.api.cached("events by id", lambda: index(call.api)).get(call.path["id"])
    mine = seen(call, "any")
    if view is None or (mine and not mine(view)):
        raise not_found()
    return EventRows(call.api).row(view)


def index(api: Switches) -> dict[str, View]:
    """Return every event by both of its ids."""
    found = {}
    for (_, name), view in api.cached("events", lambda: sort(api)):
        found[name] = found[uuid_of(name)] = view
    return found


ENDPOINTS = (
    Endpoint("events", "/v1/events", listed, EVENTS, paged=True),
    Endpoint("events", "/v1/events/{id}", one),
)
