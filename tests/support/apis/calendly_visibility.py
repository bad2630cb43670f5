"""Changes at Calendly that tap-calendly sees and does not see."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from visibility import Finding, Known, Row, Seen, Unseen, past, to_come

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HOUR = timedelta(hours=1)


def _lookback(finding: Finding) -> timedelta:
    return timedelta(days=finding.run.settings.get("lookback_days", 30))


def _meeting(row: Row, known: Known) -> Row | None:
    return known.last("scheduled_events", row["event"])


def _start_of_meeting(row: Row, known: Known) -> str | None:
    meeting = _meeting(row, known)
    return meeting["start_time"] if meeting else None


def _last_reference(row: Row, known: Known) -> str | None:
    """For a deleted event type, which is read only where a meeting refers to it: when the last of these begins."""
    if row["deleted_at"] is None:
        return None
    meetings = [one for one in known.all("scheduled_events") if one["event_type"] == row["uri"]]
    return max((one["start_time"] for one in meetings), key=to_come, default=None)


BEGINS: Mapping[str, Callable[[Row, Known], str | None]] = {
    "scheduled_events": lambda row, _: row["start_time"],
    "event_invitees": _start_of_meeting,
    "event_types": _last_reference,
    "meeting_recaps": lambda row, _: row["end_time"],
    "activity_log_entries": lambda row, _: row["occurred_at"],
    "outgoing_communications": lambda row, _: row["created_at"],
}


def _old_meeting_stands_still(finding: Finding) -> bool:
    meeting = finding.truth if finding.stream == "scheduled_events" else _meeting(finding.truth or {}, finding.known)
    return (
        finding.late
        and meeting is not None
        and finding.before(to_come(meeting["start_time"]), _lookback(finding))
        and finding.before(to_come(meeting["updated_at"]), HOUR)
    )


def _booked_long_after(finding: Finding) -> bool:
    truth = finding.truth
    return finding.late and truth is not None and finding.before(past(truth["created_at"]), _lookback(finding))


def _actor_has_changed(finding: Finding) -> bool:
    return finding.late and finding.columns == {"actor"} and finding.since is not None


def _deleted_without_meetings(finding: Finding) -> bool:
    deleted = finding.truth is not None and finding.truth["deleted_at"] is not None
    return (deleted or finding.gone) and not finding.run.since.keys() & {"scheduled_events", "event_invitees"}


SEEN = (
    Seen(
        ("scheduled_events",),
        "No changed-since filter; a filter by the start of the meeting.",
        "Every run lists all meetings from `start_date` on, past and future, of every status, 100 a request. It emits "
        "those that have changed since the bookmark (with an hour of overlap), and those that start later than "
        "`lookback_days` before it.",
    ),
    Seen(
        ("event_invitees",),
        "A list for each meeting. A no-show changes no update time, neither the meeting's nor the invitee's. A "
        "payment, or a cancellation by one of several invitees, doesn't change the meeting's.",
        "The lists of the meetings that `scheduled_events` would emit by this stream's own bookmark, if they have "
        "invitees.",
    ),
    Seen(
        ("routing_form_submissions",),
        "A list for each form, newest first. The booking that follows is added to a submission later, without an "
        "update time.",
        "Newest first, down to `lookback_days` before the bookmark.",
    ),
    Seen(
        ("activity_log_entries", "outgoing_communications"),
        "A filter by the time of the entry. Entries are only added.",
        "From the bookmark on, with 5 minutes of overlap.",
    ),
    Seen(
        ("event_types",),
        "The whole list, without deleted event types; these can still be requested one by one.",
        "The whole list, and each deleted event type that a meeting refers to. Rows that have disappeared are "
        "soft-deleted.",
    ),
)
"""Every stream that is not named is read in full."""

UNSEEN = (
    Unseen(
        "A meeting, an invitee or a submission that is erased. Calendly erases only for privacy, and doesn't report "
        "it.",
        "The job `calendly-in-full`, from time to time.",
        ("scheduled_events", "event_invitees", "routing_form_submissions"),
        lambda finding: finding.gone,
    ),
    Unseen(
        "A change more than `lookback_days` after the start of a meeting that doesn't change the meeting's "
        "`updated_at`: a no-show, which changes no time at all and is then never seen by daily runs, or a "
        "payment that is entered then.",
        "A larger `lookback_days` (each day costs a request for each of its meetings), or the job `calendly-in-full`.",
        ("scheduled_events", "event_invitees"),
        _old_meeting_stands_still,
    ),
    Unseen(
        "A booking that follows a form which was filled in more than `lookback_days` earlier.",
        "A larger `lookback_days`, or the job `calendly-in-full`.",
        ("routing_form_submissions",),
        _booked_long_after,
    ),
    Unseen(
        "A later name or role of the person in an entry, if Calendly updates it there: the row keeps what was read "
        "first.",
        "Join `organization_memberships`.",
        ("activity_log_entries",),
        _actor_has_changed,
    ),
    Unseen(
        "Deleted event types, in a run that reads neither meetings nor invitees: it doesn't know "
        "which ones are needed.",
        "The next run that reads meetings.",
        ("event_types",),
        _deleted_without_meetings,
    ),
)
