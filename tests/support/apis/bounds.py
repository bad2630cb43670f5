"""The fewest requests that any client of an API must make to see what a run has to see, computed from the world.

Each list takes a request for every full or begun page of it, and one where it is empty. What belongs to a parent is a
list for each parent whose own row does not rule it out. A later run knows when the one before it began, and no more.
Rows come from `Sandbox.truth`; nothing here asks the tap.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from api import Row
    from sandbox import Sandbox

    Needed = dict[str, int]
    """Requests by stream, and by what else needs some."""

HANDFUL = 3
"""Requests that a run may make beyond the bound: one that proves the key or tells the role (OnceHub, Calendly), one
behind a last page that is full (OnceHub's messages), and one for what is read twice where two slices meet."""
WINDOW = timedelta(days=30)
"""Time after a meeting or event in which it may still change: the setting `lookback_days`."""
_DAY = timedelta(days=1)
_SLICE = timedelta(days=30)


@dataclass(frozen=True)
class Run:
    """A run with pages of so many rows, and when the run before it began; None for a first one."""

    sandbox: Sandbox
    api: str
    page: int
    since: datetime | None
    short: int = 0
    """Rows that the first page lacks where more follow."""

    def rows(self, stream: str) -> list[Row]:
        """Return the objects of the API."""
        return self.sandbox.truth(self.api, stream)

    def pages(self, rows: int) -> int:
        """The requests that a list of so many rows takes."""
        return max(1, -(-(rows + self.short * (rows > self.page)) // self.page))

    def lists(self, *streams: str) -> Needed:
        """Streams that are one list each, of which nothing tells what has changed."""
        return {stream: self.pages(len(self.rows(stream))) for stream in streams}

    def list_of_each(self, parents: Iterable[str], owners: Iterable[str]) -> int:
        """A list for each parent; `owners` are the parents of all rows."""
        rows = Counter(owners)
        return sum(self.pages(rows[parent]) for parent in parents)

    def later(self, row: Row, column: str, back: timedelta = timedelta(0)) -> bool:
        """Return whether a row's time is at most so much before the last run; always true in a first run."""
        value = row[column]
        return self.since is None or value is None or datetime.fromisoformat(value) >= self.since - back

    def since_then(self, stream: str, column: str, back: timedelta = timedelta(0)) -> int:
        """Return the requests for a list that has a changed-since filter."""
        return self.pages(sum(self.later(row, column, back) for row in self.rows(stream)))


def calendly(run: Run) -> Needed:
    """No list goes by change: all meetings are listed, and invitees of those that changed or may have.

    `invitees_counter.total` of 0 rules a meeting out. Event types that were deleted are in no list, and are read
    one by one. Recaps are three lists. A form's submissions come newest first: a client that has read those that are
    due, and no older one, does not know yet that it has all.
    """
    meetings, types, recaps = run.rows("scheduled_events"), run.rows("event_types"), run.rows("meeting_recaps")
    due = [
        meeting["uri"]
        for meeting in meetings
        if meeting["invitees_counter"]["total"]
        and (run.later(meeting, "updated_at") or run.later(meeting, "start_time", WINDOW))
    ]
    listed = [kind["uri"] for kind in types if kind["deleted_at"] is None]
    hosts = (row["event_type"]["uri"] for row in run.rows("event_type_memberships"))
    return {
        **run.lists("organization_memberships", "organization_invitations", "groups", "group_relationships", "teams"),
        **run.lists("scheduled_events", "routing_forms", "contacts"),
        "one list or object": len(("api_user", "organization", "contact_lists", "contact_custom_field_definitions")),
        "user_availability_schedules": len(run.rows("organization_memberships")),
        "event_invitees": run.list_of_each(due, (row["event"] for row in run.rows("event_invitees"))),
        "event_types": run.pages(len(listed)) + len(types) - len(listed),
        "event_type_memberships": run.list_of_each(listed, hosts),
        "routing_form_submissions": sum(_submissions(run, form["uri"]) for form in run.rows("routing_forms")),
        "meeting_recaps": run.list_of_each(
            ("available", "processing", "unavailable"), (row["status"] for row in recaps)
        ),
        "activity_log_entries": run.since_then("activity_log_entries", "occurred_at"),
    }


def _submissions(run: Run, form: str) -> int:
    rows = [row for row in run.rows("routing_form_submissions") if row["routing_form"] == form]
    due = sum(run.later(row, "created_at", WINDOW) for row in rows)
    return min(run.pages(len(rows)), due // run.page + 1)


def oncehub(run: Run) -> Needed:
    """Bookings and contacts are filtered by change, messages by creation: the filter may go by days, so a day more.

    The status of a message moves for up to three days.
    """
    return {
        "bookings": run.since_then("bookings", "last_updated_time", _DAY),
        "contacts": run.since_then("contacts", "last_updated_time", _DAY),
        "sms_notifications": run.since_then("sms_notifications", "creation_time", 3 * _DAY),
        **run.lists("booking_calendars", "booking_pages", "event_types", "master_pages", "users", "teams"),
    }


def of_slices(run: Run) -> int:
    """OnceHub's first load can be taken up by another run, slice by slice: ten pages at least, and thirty days.

    Of each slice a request finds out where it ends, and the last page is not full.
    """
    if run.since is not None:
        return 0
    excused = 0
    for rows in map(run.rows, ("bookings", "contacts")):
        made = [datetime.fromisoformat(row["creation_time"]) for row in rows]
        if len(rows) > run.page:
            excused += 2 * (min(len(rows) // run.page // 10, (max(made) - min(made)) // _SLICE) + 1)
    return excused


def luma(run: Run) -> Needed:
    """No list goes by change: all events are listed, and three requests are made for what belongs to each that is due.

    The list's row does not tell how many guests there are. Due is what ends late enough, or was entered since. The API
    lowers the size of pages as it likes.
    """
    page = min(run.page, run.sandbox.luma.page_cap)
    run = replace(run, page=page, short=1 + page // 10)
    due = [
        event["id"]
        for event in run.rows("events")
        if run.later(event, "end_at", WINDOW) or run.later(event, "created_at")
    ]
    return {
        **run.lists("events", "calendar_coupons", "contacts", "membership_tiers"),
        "one list or object": len(("calendar", "calendar_admins", "event_tags", "contact_tags")),
        "event_details": len(due),
        "event_guests": run.list_of_each(due, (guest["event_id"] for guest in run.rows("event_guests"))),
        "ticket_types": len(due),
    }


def savvycal(run: Run) -> Needed:
    """Meetings are filtered from a date on, in a time zone that nobody knows: a day more, and whole days.

    Links are two lists: it is not known whether the one without a state holds those that are disabled.
    """
    disabled = sum(link["state"] == "disabled" for link in run.rows("scheduling_links"))
    day = run.since and run.since.replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "events": replace(run, since=day).since_then("events", "start_at", WINDOW + _DAY),
        **run.lists("scheduling_links", "workflows"),
        "scheduling_links, disabled": run.pages(disabled),
        "one list or object": len(("current_user", "timezones")),
        "workflow_rules": len(run.rows("workflows")),
    }


NEEDED: Mapping[str, Callable[[Run], Needed]] = {
    "calendly": calendly,
    "oncehub": oncehub,
    "luma": luma,
    "savvycal": savvycal,
}
"""The bound of each API."""
EXCUSED: Mapping[str, Callable[[Run], int]] = {
    # A token may lack a scope, which nothing but a request tells: eight of them are tried before the first row.
    "calendly": lambda _: 8,
    "oncehub": of_slices,
    "luma": lambda _: 0,
    "savvycal": lambda _: 0,
}
"""Requests that a run makes for something else than to see what there is."""


def _notes_and_empty_meetings(sandbox: Sandbox) -> None:
    for meeting in list(sandbox.world.meetings.values())[:5]:
        sandbox.world.add_note(meeting, "Seen again")
        sandbox.world.open_meeting()


def _bookings(sandbox: Sandbox) -> None:
    for days in range(1, 11):
        sandbox.world.book(start=sandbox.world.now + days * _DAY)


def _events(sandbox: Sandbox) -> None:
    for _ in range(5):
        sandbox.world.gatherings.register(sandbox.world.gatherings.create())


TEN_CHANGES: Mapping[str, Callable[[Sandbox], None]] = {
    "calendly": _notes_and_empty_meetings,
    "oncehub": _bookings,
    "luma": _events,
    "savvycal": _bookings,
}
"""Changes that a run has to see: of old things where the API tells of them, else new ones."""
