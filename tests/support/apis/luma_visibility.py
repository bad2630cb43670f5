"""What tap-luma sees of a change, and what it does not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from visibility import Finding, Known, Row, Seen, Unseen, to_come

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HOUR = timedelta(hours=1)
BELOW = (
    "event_guests",
    "event_tickets",
    "event_hosts",
    "ticket_types",
    "guest_orders",
    "event_coupons",
    "event_blasts",
)
"""Streams whose rows belong to an event."""
WINDOWED = ("event_details", *BELOW)


def _start_of_event(row: Row, known: Known) -> str | None:
    event = known.last("events", row["event_id"])
    return event["start_at"] if event else None


BEGINS: Mapping[str, Callable[[Row, Known], str | None]] = {
    **dict.fromkeys(("events", "organization_events", "event_details"), lambda row, _: row["start_at"]),
    **dict.fromkeys(BELOW, _start_of_event),
}


def _left_the_window(finding: Finding) -> bool:
    """Whether the run did not look at the row's event, which had ended too early and was no new one."""
    days, truth = finding.run.settings.get("lookback_days", 30), finding.truth
    if not days or not truth:
        return False
    event = truth if finding.stream == "event_details" else finding.known.last("events", truth["event_id"])
    return (
        event is not None
        and finding.before(to_come(event["end_at"]), timedelta(days=days))
        and finding.before(to_come(event["created_at"]), HOUR)
    )


SEEN = (
    Seen(
        ("events", "organization_events"),
        "The whole list, by the start of the event; nothing goes by change. A cancelled event is deleted.",
        "In full. What is gone is told to the target.",
    ),
    Seen(
        ("event_details", "event_hosts"),
        "A request for each event.",
        "Every event that ends later than `lookback_days` before the stream's own bookmark, all of the future, and "
        "what was entered since the bookmark (with an hour of overlap), whatever its date. The bookmark is the start "
        "of the last run that read everything.",
    ),
    Seen(
        ("event_guests", "event_tickets"),
        "A list for each event. No time of the guest's moves on approval, refusal, a change of tickets or of answers.",
        "The same events, each with all of its guests.",
    ),
    Seen(
        ("ticket_types", "event_coupons", "event_blasts"),
        "A list for each event, without times.",
        "The same events, each with the whole list.",
    ),
    Seen(
        ("guest_orders",),
        "A request for each guest.",
        "The same events, each guest of them who registered.",
    ),
)
"""Every stream that is not named is read in full."""

UNSEEN = (
    Unseen(
        "That a guest, ticket, order, host, coupon, mail or ticket type is gone, or the event that it belongs to: Luma "
        "does not list what is deleted, and most events are not looked at.",
        "`_synced_at`: a ticket is the guest's as long as both have the same; of an event's other rows those stand "
        "that have the latest; of an event that is gone `events` has no row. The job `luma-in-full` marks them all.",
        WINDOWED,
        lambda finding: finding.gone,
    ),
    Unseen(
        "A change at an event more than `lookback_days` after its end: an approval, a check-in, a new name or address "
        "of a guest or host; in `event_details` also what depends on the day, such as `display_price`.",
        "A larger `lookback_days` (0 for all events on every run), or the job `luma-in-full` at times; for names and "
        "addresses join `contacts` on `user_id`.",
        WINDOWED,
        lambda finding: finding.late and _left_the_window(finding),
    ),
    Unseen(
        "What is new at an event more than `lookback_days` after its end: a guest who is added then, and all of an "
        "event that comes to the calendar then, by transfer or by approval, or that is moved so far back.",
        "A larger `lookback_days` (0 for all events on every run), or the job `luma-in-full` at times.",
        WINDOWED,
        lambda finding: finding.row is None and _left_the_window(finding),
    ),
)
