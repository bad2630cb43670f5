"""Changes at OnceHub that tap-bookings sees and does not see."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from visibility import Finding, Known, Row, Seen, Unseen, past

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DAY = timedelta(days=1)
DOUBTFUL = frozenset({"in_trash", "owner", "status", "cancel_reschedule_information"})
"""Columns of a booking that the trash, another owner and an approval change; the vendor does not say whether they move
`last_updated_time`."""


def _last_change(stream: str) -> Callable[[Row, Known], str | None]:
    """Return the last change of a row at the source, whatever the warehouse holds."""

    def last_change(row: Row, known: Known) -> str | None:
        last = known.last(stream, row["id"])
        return str(last["last_updated_time"]) if last else None

    return last_change


BEGINS: Mapping[str, Callable[[Row, Known], str | None]] = {
    "bookings": _last_change("bookings"),
    "contacts": _last_change("contacts"),
    "sms_notifications": lambda row, _: row["creation_time"],
}


def _lookback(finding: Finding, least: timedelta) -> timedelta:
    return max(least, timedelta(days=finding.run.settings.get("lookback_days", 1)))


def _changed_without_a_time(finding: Finding) -> bool:
    """A day less than the look-back is certain: the filter may go by days.

    What a first load that broke off had read is not read again by the run that took it up.
    """
    began = finding.since or finding.tried
    return (
        finding.late
        and finding.columns <= DOUBTFUL
        and not finding.run.in_full
        and finding.truth is not None
        and began is not None
        and past(finding.truth["last_updated_time"]) < began - _lookback(finding, DAY) + DAY
    )


def _settled_late(finding: Finding) -> bool:
    if not finding.late or finding.truth is None:
        return False
    sent = past(finding.truth["creation_time"])
    return finding.columns == {"status"} and finding.before(sent, _lookback(finding, 3 * DAY))


SEEN = (
    Seen(
        ("bookings", "contacts"),
        "A changed-since filter, for rows of any age and status; the list is sorted by creation.",
        "Everything that has changed since the bookmark less `lookback_days` (at least one), to the end of the list. "
        "The first load goes from the newest to the oldest, in slices of creation time. If it is interrupted, the next "
        "run reads what has changed in the meantime, then continues.",
    ),
    Seen(
        ("sms_notifications",),
        "A filter by the time of creation. The status changes later, and nothing says when.",
        "Everything created since the bookmark less `lookback_days` (at least 3).",
    ),
)
"""Every stream that is not named is read in full."""

UNSEEN = (
    Unseen(
        "A booking that is destroyed (30 days after it went to the trash) or erased; a contact that is deleted, or "
        "merged into another. OnceHub no longer lists them, and doesn't report it.",
        "The job `bookings-in-full`, from time to time.",
        ("bookings", "contacts"),
        lambda finding: finding.gone,
    ),
    Unseen(
        "A booking that is moved to the trash or back, reassigned, approved or declined, if that doesn't change "
        "`last_updated_time`: OnceHub doesn't say whether it does.",
        "It arrives with the booking's next change. Else a larger `lookback_days`, or the job `bookings-in-full`.",
        ("bookings",),
        _changed_without_a_time,
    ),
    Unseen(
        "The status of a text message that changes more than `lookback_days` (at least 3) after its creation.",
        "A larger `lookback_days`, or the job `bookings-in-full`.",
        ("sms_notifications",),
        _settled_late,
    ),
)
