"""Changes at SavvyCal that tap-scheduler sees and does not see."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tap_common.state.timestamps import instant_or_none
from visibility import Finding, Known, Row, Seen, Unseen, past, to_come

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_START = {"events": "start_at", "event_attendees": "event_start_at"}


def _start_of_event(row: Row, known: Known) -> str | None:
    event = known.last("events", row["event_id"]) or {"start_at": row["event_start_at"]}
    start: str | None = event["start_at"]
    return start


BEGINS: Mapping[str, Callable[[Row, Known], str | None]] = {
    "events": lambda row, _: row["start_at"],
    "event_attendees": _start_of_event,
}


def _before_the_window(finding: Finding) -> bool:
    lookback = timedelta(days=finding.run.settings.get("lookback_days", 30))
    start = _START[finding.stream]
    return finding.truth is not None and finding.before(past(finding.truth[start]), lookback)


def _has_moved(finding: Finding) -> bool:
    return _START[finding.stream] in finding.columns


def _has_come_late(finding: Finding) -> bool:
    """Return whether it is an attendee who joined an event that was known before."""
    if finding.stream != "event_attendees" or finding.row is not None:
        return False
    event, attendee = finding.key
    forms = finding.known.rows["events"][event,]
    return any(attendee not in [one["id"] for one in form["attendees"]] for form in forms)


def _old_meeting_changes(finding: Finding) -> bool:
    changed = (finding.late and not _has_moved(finding)) or _has_come_late(finding)
    return changed and _before_the_window(finding)


def _never_seen(finding: Finding) -> bool:
    """Return whether it is missing from a meeting that was moved before any run saw it.

    Such a meeting begins before it was booked, or began before the start date as long as runs looked.
    """
    forms = finding.known.rows["events"].get((finding.key[0],), [])
    if finding.row is not None or not forms:
        return False
    start = instant_or_none(finding.run.settings.get("start_date"))
    was_too_early = start is not None and any(past(form["start_at"]) < start for form in forms)
    return was_too_early or past(forms[-1]["start_at"]) < to_come(forms[-1]["created_at"])


def _moved_far_back(finding: Finding) -> bool:
    return ((finding.late and _has_moved(finding)) or _never_seen(finding)) and _before_the_window(finding)


SEEN = (
    Seen(
        ("events", "event_attendees"),
        "Nothing says when a meeting changed, and the only filter goes by the day on which it starts. "
        "Attendees are part of the meeting.",
        "Every run lists the meetings of every state that start later than `lookback_days` before the bookmark, "
        "including all future ones, 100 a request. It emits all of them, changed or not. The bookmark is the latest "
        "start, but never later than the start of the run.",
    ),
    Seen(
        ("timezones",),
        "The whole list, as it is at the moment.",
        "The whole list: offsets, abbreviations and `period` change twice a year.",
    ),
)
"""Every stream that is not named is read in full."""

UNSEEN = (
    Unseen(
        "A change to a meeting that began more than `lookback_days` before the last run: a title, an approval, a "
        "payment, a guest.",
        "A larger `lookback_days` (100 meetings are one request), or the job `scheduler-in-full` from time to time.",
        ("events", "event_attendees"),
        _old_meeting_changes,
    ),
    Unseen(
        "A meeting that is moved to a time more than `lookback_days` before the last run, if SavvyCal allows that: it "
        "keeps the time that was read last, or is missing if it has never been read.",
        "A larger `lookback_days`, or the job `scheduler-in-full` from time to time.",
        ("events", "event_attendees"),
        _moved_far_back,
    ),
    Unseen(
        "An attendee who no longer takes part in the meeting: the row stays.",
        "Attendees who take part have the latest `_synced_at` of their meeting, and are in `attendees` of `events`. "
        "The job `scheduler-in-full` soft-deletes the others.",
        ("event_attendees",),
        lambda finding: finding.gone,
    ),
    Unseen(
        "A meeting that disappears, with its attendees: it is erased, or the key's owner may no longer see it.",
        "The job `scheduler-in-full`, from time to time.",
        ("events", "event_attendees"),
        lambda finding: finding.gone,
    ),
)
