"""Changes at Luma that tap-luma sees and does not see."""

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
    """Return whether the run passed over the row's event, which had ended too early and was not new."""
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
        "The whole list, by the start of the event, without a changed-since filter. A cancelled event is deleted.",
        "The whole list. Rows that have disappeared are soft-deleted.",
    ),
    Seen(
        ("event_details", "event_hosts"),
        "A request for each event.",
        "Every event that ends later than `lookback_days` before the stream's own bookmark, all future events, and "
        "events of any date that were entered since the bookmark (with an hour of overlap). The bookmark is the start "
        "of the last run that read everything.",
    ),
    Seen(
        ("event_guests", "event_tickets"),
        "A list for each event. Approval, refusal, and changed tickets or answers change no time of the guest's.",
        "All guests of the same events.",
    ),
    Seen(
        ("ticket_types", "event_coupons", "event_blasts"),
        "A list for each event, without times.",
        "The whole list of each of the same events.",
    ),
    Seen(
        ("guest_orders",),
        "A request for each guest.",
        "Each registered guest of the same events.",
    ),
)
"""Every stream that is not named is read in full."""

UNSEEN = (
    Unseen(
        "The deletion of a guest, ticket, order, host, coupon, mail or ticket type, or of its event: Luma doesn't list "
        "what is deleted, and most events are not read again.",
        "`_synced_at`: a ticket exists if it has the same as its guest, and another row of an event if it has the "
        "latest of that event; an event that is gone has no row in `events`. The job `luma-in-full` soft-deletes them "
        "all.",
        WINDOWED,
        lambda finding: finding.gone,
    ),
    Unseen(
        "A change more than `lookback_days` after the end of an event: an approval, a check-in, a new name or address "
        "of a guest or host; in `event_details` also what depends on the day, such as `display_price`.",
        "A larger `lookback_days` (0: all events on every run), or the job `luma-in-full` from time to time; for names "
        "and addresses join `contacts` on `user_id`.",
        WINDOWED,
        lambda finding: finding.late and _left_the_window(finding),
    ),
    Unseen(
        "New rows more than `lookback_days` after the end of an event: a guest who is added then, and everything of an "
        "event that comes to the calendar then (by transfer or approval), or that is moved so far back.",
        "A larger `lookback_days` (0: all events on every run), or the job `luma-in-full` from time to time.",
        WINDOWED,
        lambda finding: finding.row is None and _left_the_window(finding),
    ),
)
